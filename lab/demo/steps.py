# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""The steps of the demo, in order. Each one does something and then waits until others have been seen to answer it.

What is waited for is always an observation of the witness or of the client, never a promise of the driver.
"""

from __future__ import annotations

import contextlib
import json
import random
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from lab.demo.installed import Installed
from lab.demo.leftovers import Standing, leftovers
from lab.demo.processes import BIN, CHECKOUT, Processes, inside, lab, operator_mark, playbook, running_on, size
from lab.demo.progress import DemoFailed, Progress
from lab.demo.signs import Signs
from lab.demo.state import (
    Notes,
    Tail,
    answering,
    newest_node,
    nodes_online,
    set_stats_of,
    stated_services,
    summarize_requirement,
    vms_present,
    with_size,
    write_cluster_file,
    write_rates,
)
from lab.faults.kills import MOST_S, Kills, interrupt
from lab.testbed import guests

LOAD_AT_REST = {"web": 4.0, "ledger": 4.0}
LOAD_UP = {"web": 25.0, "ledger": 8.0}  # above 15 web requests a second on one node, below on two
SMALLER_MEMORY_MIB = 512
HOLD_S = 4.0
POOL = "/var/lib/libvirt/ondemand"
# Seconds without a sign of progress after which a wait is given up (it may last four times as long while things go on).
PREPARE_S, IMAGE_S, CREATE_S, CHANGE_S, DESTROY_S, SIGHT_S = 300.0, 1200.0, 420.0, 420.0, 240.0, 120.0
SALVAGE_S, STEP_ENDS_S = 30.0, 900.0  # a driver that is asked to end finishes its step
RECORDS = ("report.json", "run.png", "*.jsonl", "*.out", "*.log", "*.new")


class Demo:
    """One run of the demo below `directory`; with `kills` the driver is killed so often on the way, and playbooks too (see lab.faults.kills).

    With `containers` the inside of each VM is a container (see lab.testbed.guests); with `installed` the driver is the one of a wheel, and finds its
    playbooks in a collection that was installed from an archive.
    """

    def __init__(
        self,
        directory: Path,
        progress: Progress,
        kills: int = 0,
        seed: int = 0,
        keep: bool = False,
        containers: bool = False,
        installed: bool = False,
    ) -> None:
        self.directory, self.progress, self.keep, self.containers = directory, progress, keep, containers
        self.installed = Installed(directory / "installed") if installed else None
        self.cluster_file = directory / "shop.yml"
        self.control = directory / "rates.json"
        self.processes = Processes(directory, progress)
        self.kill_count, self.seed, self.random = kills, seed, random.Random(seed)
        self.kills: Kills | None = None
        self.has_begun = self.is_destroyed = False
        self.witness = Tail(directory / "witness.jsonl")
        self.client = Tail(directory / "client.jsonl")
        self.document: dict[str, Any] = yaml.safe_load((CHECKOUT / "examples/demo.yml").read_text(encoding="utf-8"))
        self.name = self.document["cluster"]["name"]
        self.client_name = f"c{int(time.time())}"
        self.notes = Notes(directory / "events.jsonl")
        services = {one["name"]: one for one in self.document["cluster"]["services"]}
        self.balanced = next(name for name, one in services.items() if one["kind"] == "balanced")
        self.movable = next(name for name, one in services.items() if one["kind"] == "movable")
        self.targets = {name: f"{one['address']}:{one['port']}" for name, one in services.items()}
        self.signs = Signs(self.witness, self.client, directory / "state/journal.db", self.movable)

    def forget(self) -> None:
        """Removes what an earlier run recorded, so that nothing of it is taken for this one's; what takes its lab away stays."""
        self.directory.mkdir(parents=True, exist_ok=True)
        for pattern in RECORDS:
            for path in self.directory.glob(pattern):
                path.unlink()

    def prepare(self) -> None:
        """Takes an earlier run's cluster and lab away."""
        self.has_begun = True
        if self.is_lab_up():
            self.progress.say("a lab is standing from before: it goes first")
            self.take_down()
        self.cluster_file.unlink(missing_ok=True)
        shutil.rmtree(self.directory / "state", ignore_errors=True)
        if self.installed:
            self.installed.forget()
        self.notes.add("start", keep=self.keep)

    def is_lab_up(self) -> bool:
        """Whether the lab's spaces are there, from this or an earlier run."""
        self.directory.mkdir(parents=True, exist_ok=True)
        status = json.loads(self.processes.run("a look at the lab", "lab-status", lab("status"), 60))
        return bool(status["up"] or status["spaces"])

    def make_lab(self) -> None:
        """Two hypervisors with a witness, the requirement that arrives before their eyes, and everything on them that a cluster needs."""
        self.processes.run("two hypervisors (lab up)", "lab-up", lab("up", "--fresh"), PREPARE_S)
        self.document["cluster"]["access"] = {"state_dir": str(self.directory / "state")}
        out = str(self.directory / "witness.jsonl")
        self.processes.start("witness", inside("ctl", [sys.executable, "-m", "lab.observer.witness", str(self.cluster_file), "--out", out]))
        checksum = write_cluster_file(self.cluster_file, self.document)
        hosts = [one["name"] for one in self.document["cluster"]["hosts"]]
        told = {"summary": summarize_requirement(self.document), "services": stated_services(self.document)}
        self.notes.add("requirement", file="examples/demo.yml", sha256=checksum, hosts=hosts, **told)
        self.wait("the witness to see the file", lambda: self.seen("file") > 0, SIGHT_S)
        self.wait("the witness to see both hosts", lambda: self.hosts_seen() >= len(hosts), SIGHT_S)
        self.play("prepare_host", "the hosts being checked and prepared", PREPARE_S)
        began = time.monotonic()
        more = ["-e", "@lab/testbed/hypervisors/lab.yml", "-e", "@lab/workload/services/image.yml"]
        self.play("build_image", "the node image (built once, then cached)", IMAGE_S, *more)
        if self.containers:
            self.use_containers()
        if self.installed:
            self.installed.make(self.processes)
        self.notes.add("image", seconds=round(time.monotonic() - began, 1))

    def use_containers(self) -> None:
        """From here on the cluster file names the image of VMs whose inside is a container."""
        publish = inside("ctl", [sys.executable, "-m", "lab.testbed.guests", "publish", str(self.cluster_file)])
        self.processes.run("the image of VMs whose inside is a container", "publish", publish, PREPARE_S)
        self.document["cluster"]["image"] = {"name": guests.IMAGE}
        write_cluster_file(self.cluster_file, self.document)

    def create(self) -> None:
        """The stated requirement becomes a cluster of one."""
        self.play("create_cluster", "the first VM, the cluster of one and its services", CREATE_S)
        self.notes.add("created")
        self.wait("the cluster to show its node online", lambda: len(nodes_online(self.witness.look())) == 1, SIGHT_S)

    def start_client(self) -> None:
        """Clients begin to send transactions to the virtual cluster IPs."""
        write_rates(self.control, LOAD_AT_REST)
        targets = [f"{name}={target}" for name, target in self.targets.items()]
        options = ["--client", self.client_name, "--out", str(self.directory / "client.jsonl"), "--control", str(self.control)]
        since = self.notes.add("client", name=self.client_name, targets=self.targets)
        self.processes.start("client", inside("cli", [sys.executable, "-m", "lab.workload.client", *options, *targets]))
        self.wait("answers to the clients of both services", lambda: all(self.answering(name, since) for name in self.targets), SIGHT_S)

    def start_driver(self) -> None:
        """The driver watches the load from now on."""
        self.run_driver()
        self.notes.add("driver", kills=self.kill_count, seed=self.seed)
        self.kills = Kills(self.kill_count, self.random, self.name, self.processes, self.run_driver, self.tell_kill)

    def run_driver(self) -> None:
        """Starts the driver."""
        self.driver_log_bytes = size(self.processes.log("driver"))
        found = self.installed.prefix() if self.installed else []
        self.processes.start("driver", inside("ctl", [*found, str(BIN / "ondemand"), "run", str(self.cluster_file), "--json-logs"]))

    def tell_kill(self, what: str, **facts: Any) -> float:
        """Notes a kill and says it."""
        self.progress.say(f"kill -9 of {facts['whom']}{' during ' + ', '.join(facts['during']) if facts['during'] else ''}")
        return self.notes.add(what, **facts)

    def load_up(self) -> None:
        """More load: a second VM joins, serves, and takes the movable service."""
        first = newest_node(self.client.look(), self.movable)
        since = self.set_load(LOAD_UP)
        self.wait("the driver to have a second VM made", lambda: len(self.vms()) == 2, CHANGE_S)
        self.wait("the second VM to join", lambda: len(nodes_online(self.witness.look())) == 2, CHANGE_S)
        self.wait("both nodes to answer web clients", lambda: len(self.answering(self.balanced, since)) == 2, CHANGE_S)
        self.wait(f"the {self.movable} to move off {first}", lambda: bool(self.answering(self.movable, since) - {first}), CHANGE_S)
        self.hold()

    def load_down(self) -> None:
        """Less load: work moves back, one VM drains, leaves and is deleted."""
        self.set_load(LOAD_AT_REST)
        self.wait("the cluster to be one node again", lambda: len(nodes_online(self.witness.look())) == 1, CHANGE_S)
        self.wait("the other VM to be deleted", lambda: len(self.vms()) == 1, CHANGE_S)
        self.hold()

    def state_smaller(self) -> None:
        """A new statement asks for smaller nodes: the driver replaces the node by a smaller VM."""
        checksum = write_cluster_file(self.cluster_file, with_size(self.document, SMALLER_MEMORY_MIB))
        self.notes.add("statement", memory_mib=SMALLER_MEMORY_MIB, sha256=checksum)
        self.progress.say(f"the cluster file now asks for nodes of {SMALLER_MEMORY_MIB} MiB")
        self.wait("a smaller VM to be made", lambda: SMALLER_MEMORY_MIB in self.sizes(), CHANGE_S)
        self.wait("the smaller VM to join", lambda: len(nodes_online(self.witness.look())) == 2, CHANGE_S)
        self.wait("the larger VM to be deleted", lambda: self.sizes() == [SMALLER_MEMORY_MIB], CHANGE_S)
        self.wait("the cluster to be one node again", lambda: len(nodes_online(self.witness.look())) == 1, SIGHT_S)
        self.hold()

    def stop(self) -> None:
        """The clients end, the driver ends, the cluster is seen once more, and everything is read back."""
        if self.kills is not None and self.kills.left:
            kills = self.kills
            self.wait("the kills that are still to come", lambda: kills.left == 0, (kills.left + 1) * 2 * MOST_S)
            self.hold()
        # One that was just started doesn't know yet how to end in order.
        self.wait("the driver to be at work", lambda: size(self.processes.log("driver")) > self.driver_log_bytes, SIGHT_S)
        self.end("client", 120)
        ended_at = self.end("driver", STEP_ENDS_S)
        self.wait("the witness to see the cluster after that", lambda: self.seen("cluster", ended_at) > 0, SIGHT_S)
        address, port = self.targets[self.movable].split(":")
        read = inside("cli", [sys.executable, "-m", "lab.workload.client_read", address, port])
        self.processes.run("the stored ledger read back", "stored", read, 60)
        history = inside("ctl", [str(BIN / "ondemand"), "history", str(self.cluster_file), "--json"])
        self.processes.run("the driver's journal", "history", history, 60)
        self.notes.add("leftovers", found=leftovers(self.name, self.standing()))
        self.notes.add("stopped")

    def destroy(self) -> None:
        """The cluster goes, the witness sees it go, and it is read back whether anything of it stayed."""
        self.play("destroy_cluster", "the cluster being removed", DESTROY_S, "-e", f"confirm={self.name}")
        self.is_destroyed = True
        self.wait("the witness to see the last VM go", lambda: not self.vms(), SIGHT_S)
        self.notes.add("destroyed", found=leftovers(self.name, self.standing()))

    def end(self, name: str, deadline_s: float) -> float:
        """Ends a program in order and notes its exit code; returns when."""
        return self.notes.add("ended", name=name, code=self.processes.stop(name, deadline_s))

    def salvage(self) -> None:
        """After an early end: stops what runs, and reads back what can be had and wasn't, so that the report tells as much as is known."""
        for name, code in self.processes.stop_all().items():
            self.notes.add("ended", name=name, code=code)
        if (self.directory / "state/journal.db").exists() and not size(self.directory / "history.out"):
            history = [str(BIN / "ondemand"), "history", str(self.cluster_file), "--json"]
            with contextlib.suppress(DemoFailed):
                self.processes.run("the driver's journal", "history", history, SALVAGE_S)
        if self.notes.has("client") and not size(self.directory / "stored.out"):
            address, port = self.targets[self.movable].split(":")
            with contextlib.suppress(DemoFailed):
                read = inside("cli", [sys.executable, "-m", "lab.workload.client_read", address, port])
                self.processes.run("the stored ledger read back", "stored", read, SALVAGE_S)

    def standing(self) -> Standing:
        """Reads back what stands on the hosts, in the cluster (unless it is destroyed) and in the state directory."""
        hosts = [one["name"] for one in self.document["cluster"]["hosts"]]

        def lines(host: str, *command: str) -> list[str]:
            return self.processes.run(f"a look at {host}", "leftovers", inside(host, command), 60).split()

        def cluster() -> dict[str, Any]:
            return set_stats_of(self.processes.run("a last look at the cluster", "observe", playbook("observe", self.cluster_file), 120))[
                "cluster"
            ]

        known_hosts = self.directory / "state/known_hosts"
        return Standing(
            domains={host: lines(host, "virsh", "-q", "list", "--all", "--name") for host in hosts},
            files={host: lines(host, "ls", POOL) for host in hosts},
            known_hosts=known_hosts.read_text(encoding="utf-8").splitlines() if known_hosts.exists() else [],
            cluster=None if self.is_destroyed else cluster(),
            jobs=running_on([f"{self.name}/", operator_mark(self.name)]),
        )

    def take_down(self) -> None:
        """Removes the cluster, then the lab with whatever is left in it."""
        if self.cluster_file.exists() and not self.is_destroyed:
            command = playbook("destroy_cluster", self.cluster_file, "-e", f"confirm={self.name}")
            try:
                self.processes.run("the cluster being removed", "destroy", command, DESTROY_S)
            except DemoFailed as failure:  # the lab goes with everything in it, so the failure is told and no more
                self.progress.say(str(failure))
        self.processes.run("the lab being removed (lab down)", "lab-down", lab("down"), PREPARE_S)

    def play(self, name: str, what: str, deadline_s: float, *more: str) -> None:
        """Runs a playbook as the operator would; with kills, after runs of it that were killed."""
        command = playbook(name, self.cluster_file, *more)
        if self.kill_count:
            interrupt(self.processes, self.random, name, command, operator_mark(self.name), self.tell_kill)
        self.processes.run(what, name, command, deadline_s, self.signs.newest)

    def wait(self, what: str, is_so: Callable[[], bool], deadline_s: float) -> None:
        """Waits for an observation while everything that should run on does; so long as there are signs of progress."""

        def check() -> bool:
            if self.kills is not None:
                self.kills.turn()
            self.processes.check()
            return is_so()

        self.progress.wait(what, check, deadline_s, sign=self.signs.newest, told=self.signs.told)

    def hold(self) -> None:
        """Lets it run for a few seconds: the report wants to see the state after the change too."""
        end = time.monotonic() + HOLD_S
        self.wait(f"{HOLD_S:g} s of this state to be recorded", lambda: time.monotonic() >= end, HOLD_S + 5)

    def set_load(self, rates: dict[str, float]) -> float:
        """Changes the clients' rates; returns when."""
        write_rates(self.control, rates)
        self.progress.say("load: " + ", ".join(f"{rate:g} transactions/s to {name}" for name, rate in rates.items()))
        return self.notes.add("load", rates=rates)

    def answering(self, service: str, since: float) -> set[str]:
        """Returns the nodes that answered a service's clients since then."""
        return answering(self.client.look(), service, since)

    def vms(self) -> list[dict[str, Any]]:
        """Returns the VMs of the cluster that libvirt shows."""
        return list(vms_present(self.witness.look()).values())

    def sizes(self) -> list[int]:
        """Returns the memory sizes of the VMs that libvirt shows, in MiB."""
        return [vm["memory_mib"] for vm in self.vms()]

    def seen(self, kind: str, since: float = 0.0) -> int:
        """Returns how many observations of a kind the witness made since then."""
        return sum(1 for record in self.witness.look() if record["kind"] == kind and record["at"] >= since)

    def hosts_seen(self) -> int:
        """Returns how many hosts the witness can look at."""
        return len({record["host"] for record in self.witness.look() if record["kind"] == "host" and record["ok"]})
