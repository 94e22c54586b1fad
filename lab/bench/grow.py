# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""scale_out on VMs of the lab: how much of it is neither waiting for the boot nor for the join. And joins on these VMs beside raw ones."""

from __future__ import annotations

import contextlib
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from lab.bench import join
from lab.bench.ratio import Goal, with_goals

CHECKOUT = Path(__file__).resolve().parents[2]
NAME = "bench"


@dataclass(frozen=True)
class Cluster:
    """A cluster file in the lab, and the way to run playbooks with it."""

    file: Path
    state: Path

    def run(self, argv: Sequence[str], environment: Mapping[str, str]) -> str:
        """What a command of the operator printed; RuntimeError where it fails."""
        command = [sys.executable, "-m", "lab", "run", "ctl", "--", *argv]
        done = subprocess.run(
            command, cwd=CHECKOUT, capture_output=True, text=True, timeout=join.TURN_S, check=False, env={**os.environ, **environment}
        )
        if done.returncode:
            raise RuntimeError(f"{argv[0]} failed: {done.stdout[-3000:]}{done.stderr[-500:]}")
        return done.stdout

    def seconds_of(self, argv: Sequence[str]) -> float:
        """Seconds of a whole command of the operator."""
        begun = time.monotonic()
        self.run(argv, {})
        return time.monotonic() - begun

    def enter_s(self) -> float:
        """Seconds that the lab takes to begin a command in the operator's space; they are the lab's and not the command's."""
        begun = time.monotonic()
        self.run(["true"], {})
        return time.monotonic() - begun

    def play(self, playbook: str, *more: str, **variables: Any) -> tuple[dict[str, Any], float]:
        """What a playbook handed back, and its seconds from the start of ansible-playbook to its end; RuntimeError where it fails."""
        ansible = str(Path(sys.executable).with_name("ansible-playbook"))
        command = [sys.executable, "-m", "lab", "run", "ctl", "--", ansible, f"playbooks/{playbook}.yml", "-e", f"@{self.file}"]
        begun = time.monotonic()
        done = subprocess.run(
            [*command, *more, "-e", json.dumps(variables)],
            cwd=CHECKOUT, capture_output=True, text=True, timeout=1800, check=False,
            env={**os.environ, "ANSIBLE_SHOW_CUSTOM_STATS": "1", "ANSIBLE_NOCOLOR": "1"},
        )  # fmt: skip
        seconds = time.monotonic() - begun
        if done.returncode:
            raise RuntimeError(f"{playbook} failed: {done.stdout[-3000:]}{done.stderr[-500:]}")
        told = [line.strip()[5:] for line in done.stdout.splitlines() if line.strip().startswith("RUN: ")]
        return json.loads(told[-1])["ondemand"] if told else {}, seconds


@contextlib.contextmanager
def lab(directory: Path) -> Iterator[Cluster]:
    """The lab with its image published; gone afterwards with everything in it, unless it stood before."""
    status = subprocess.run([sys.executable, "-m", "lab", "status"], cwd=CHECKOUT, capture_output=True, text=True, check=True)
    stood = bool(json.loads(status.stdout)["up"])
    data = yaml.safe_load((CHECKOUT / "examples/demo.yml").read_text(encoding="utf-8"))
    data["cluster"]["name"] = NAME
    data["cluster"]["network"]["addresses"] = "10.99.0.70-10.99.0.79"
    data["cluster"]["access"] = {"state_dir": str(directory / "state")}
    for service, address in zip(data["cluster"]["services"], ("10.99.0.14", "10.99.0.15"), strict=True):
        service["address"] = address
    cluster = Cluster(directory / "bench.yml", directory / "state")
    cluster.file.write_text(yaml.safe_dump(data))
    try:
        subprocess.run([sys.executable, "-m", "lab", "up"], cwd=CHECKOUT, stdout=subprocess.DEVNULL, check=True)
        cluster.play("prepare_host")
        cluster.play("build_image", "-e", "@lab/testbed/hypervisors/lab.yml", "-e", "@lab/workload/services/image.yml")
        yield cluster
    finally:
        with contextlib.suppress(RuntimeError):
            cluster.play("destroy_cluster", confirm=NAME)
        if not stood:
            subprocess.run([sys.executable, "-m", "lab", "down"], cwd=CHECKOUT, stdout=subprocess.DEVNULL, check=True)


def measure(cluster: Cluster, directory: Path, turns: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """Figures of growths from one node to two, and of joins of these two nodes by hand and by cluster_node."""
    first = cluster.play("create_cluster")[0]["vms"][0]
    enter_s = cluster.enter_s()
    growths = []
    for turn in range(turns):
        if turn:
            cluster.play("scale_in", wanted=1)
        told, seconds = cluster.play("scale_out", wanted=2)
        growths.append(parts_of(told, seconds - enter_s))
    members = {vm["name"]: vm for vm in cluster.play("observe")[0]["vms"]}
    second = next(vm for name, vm in members.items() if name != first["name"])
    pair = join.Pair(
        cluster=NAME,
        old=join.Node(first["name"], first["address"]),
        new=join.Node(second["name"], second["address"]),
        inventory=cluster.file,
        ssh_options=["-i", str(cluster.state / "id_ed25519"), "-o", f"UserKnownHostsFile={cluster.state / 'known_hosts'}"],
        run=cluster.run,
        directory=directory,
        services=True,
    )
    pair.node(second["name"], "absent")
    return growth(growths), join.measure_pair(pair, turns, most_ratio=1.5)


def parts_of(told: Mapping[str, Any], seconds: float) -> dict[str, float]:
    """The whole of a growth, and its parts as the playbook tells them: the wait for the boot, the join with its looks, and the rest."""
    vm = told["vms"][0]
    boot_s = vm["timings"]["reachable_at"] - vm["timings"]["started_at"]
    join_s = vm["joined_at"] - vm["join_started_at"]
    return {"own_s": seconds, "boot_s": boot_s, "join_s": join_s, "rest_s": seconds - boot_s - join_s}


def growth(growths: Sequence[Mapping[str, float]]) -> dict[str, Any]:
    """The figure of several growths: each part's samples and its median."""
    found: dict[str, Any] = {}
    for part in growths[0]:
        samples = [one[part] for one in growths]
        found[part] = [round(one, 2) for one in samples]
        found[part.replace("_s", "_median_s")] = round(statistics.median(samples), 2)
    return with_goals(found, Goal("rest_median_s", 10.0))
