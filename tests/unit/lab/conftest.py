# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""The demo services as real processes on loopback, each under a node's name, and one real little run with them."""

from __future__ import annotations

import http.client
import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from lab.report_run import Run
from ondemand.decide.memory import Memory
from ondemand.model import Decision, Kind, Outcome, Plan, Step, StepKind
from ondemand.record.journal import Journal

CHECKOUT = Path(__file__).resolve().parents[3]
SERVICES = CHECKOUT / "lab" / "services"
sys.path.insert(0, str(SERVICES))  # the services import each other by bare name, as they do in a VM
# The host name is what the services answer as node; a UTS namespace gives each its own.
UNDER_NAME = ["unshare", "--uts", "sh", "-c", 'hostname "$0" && exec "$@"']


def free_port() -> int:
    """Returns a port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Service:
    """A running demo service."""

    process: subprocess.Popen[bytes]
    port: int

    def ask(self, method: str, path: str) -> tuple[int, Any]:
        """Sends one request; returns the status and the JSON."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request(method, path)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Ends the service; returns its exit code."""
        self.process.send_signal(number)
        return self.process.wait(5)


def launch(node: str, name: str, port: int, *words: str) -> Service:
    """Starts lab/services/NAME.py under a node's name and waits until it answers."""
    argv = [*UNDER_NAME, node, sys.executable, "-SE", str(SERVICES / f"{name}.py"), str(port), *words, "127.0.0.1"]
    service = Service(subprocess.Popen(argv), port)
    for _ in range(200):
        try:
            assert service.ask("GET", "/health")[0] == 200
            return service
        except ConnectionError:
            time.sleep(0.02)
    raise AssertionError(f"{name} did not start")


@pytest.fixture
def free() -> Callable[[], int]:
    """Gives free ports."""
    return free_port


@pytest.fixture
def start() -> Iterator[Callable[..., Service]]:
    """Starts services that end with the test: `start(node, name, port, *words)`."""
    running: list[Service] = []

    def begin(node: str, name: str, port: int, *words: str) -> Service:
        running.append(launch(node, name, port, *words))
        return running[-1]

    yield begin
    for service in running:
        if service.process.poll() is None:
            service.stop(signal.SIGKILL)


@dataclass(frozen=True)
class Recording:
    """What one real client with two real services wrote down; the work went from n1 to n2 at `moved_at`."""

    client: list[dict[str, Any]]
    stored: list[str]
    started_at: float
    moved_at: float
    ended_at: float


@pytest.fixture(scope="session")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    """Runs the client for 5 s against both services; after 2 s both services go over to another node."""
    directory = tmp_path_factory.mktemp("recording")
    ports = {"web": free_port(), "ledger": free_port()}
    control = directory / "rates.json"
    control.write_text('{"web": 40, "ledger": 20}')
    services = [launch("n1", "web", ports["web"]), launch("n1", "ledger", ports["ledger"], str(directory))]
    targets = [f"{name}=127.0.0.1:{port}" for name, port in ports.items()]
    options = ["--client", "c1", "--out", str(directory / "client.jsonl"), "--control", str(control), "--seconds", "5"]
    started_at = time.time()
    client = subprocess.Popen([sys.executable, "-m", "lab.client", *options, *targets], cwd=CHECKOUT, stdout=subprocess.DEVNULL)
    try:
        time.sleep(2)
        moved_at = time.time()
        assert [service.stop() for service in services] == [0, 0]
        services = [launch("n2", "web", ports["web"]), launch("n2", "ledger", ports["ledger"], str(directory))]
        time.sleep(1)
        control.write_text('{"web": 10, "ledger": 5}')
        assert client.wait(30) == 0
        stored = services[1].ask("GET", "/ledger")[1]["ids"]
    finally:
        client.kill()
        for service in services:
            service.process.kill()
    lines = (directory / "client.jsonl").read_text().splitlines()
    return Recording([json.loads(line) for line in lines], stored, started_at, moved_at, time.time())


def cluster_view(at: float, through: str, *online: str) -> dict[str, Any]:
    """A read-back of a cluster whose named nodes are online and run HAProxy."""
    names = sorted(online)
    return {
        "kind": "cluster",
        "at": at,
        "through": through,
        "dc": through,
        "quorate": True,
        "nodes": dict.fromkeys(names, "online"),
        "resources": {"haproxy": names, "web": names},
    }


def member_view(at: float, node: str, config: str, *partition: str) -> dict[str, Any]:
    """A member's account of itself."""
    return {
        "kind": "member",
        "at": at,
        "node": node,
        "uuid": f"uuid-{node}",
        "packages": {"corosync": "3.1.7", "pacemaker": "2.1.5", "haproxy": "2.6.12"},
        "config_sha256": config * 64,
        "started_us": {"corosync": 21, "pacemaker": 22},
        "partition": sorted(partition),
    }


def vm_events(node: str, host: str, memory_mib: int, **times: float) -> list[dict[str, Any]]:
    """What libvirt and the SSH probe showed of a VM."""
    facts = {
        "kind": "vm",
        "name": node,
        "uuid": f"uuid-{node}",
        "host": host,
        "memory_mib": memory_mib,
        "image": "debian",
        "generation": "1",
    }
    return [{**facts, "event": event, "at": at} for event, at in times.items()]


@pytest.fixture
def run(recording: Recording) -> Run:
    """A whole run: the real clients' and services' part as recorded, the VMs and the driver around it written here."""
    zero = recording.started_at
    witness = [
        {"kind": "host", "at": zero - 3, "host": "hv1", "ok": True, "because": None},
        *vm_events("n1", "hv1", 640, defined=zero - 2.5, running=zero - 2.4, reachable=zero - 2, gone=zero + 4.4),
        *vm_events("n2", "hv2", 640, defined=zero + 0.7, running=zero + 0.8, reachable=zero + 1.2),
        *vm_events("n3", "hv1", 512, defined=zero + 3.2, running=zero + 3.3, reachable=zero + 3.5),
        cluster_view(zero - 1.5, "n1", "n1"),
        member_view(zero - 1.4, "n1", "a", "n1"),
        cluster_view(zero + 1.5, "n1", "n1", "n2"),
        member_view(zero + 1.5, "n1", "b", "n1", "n2"),
        member_view(zero + 1.6, "n2", "b", "n1", "n2"),
        cluster_view(zero + 2.5, "n1", "n1", "n2"),
        cluster_view(zero + 3.7, "n2", "n1", "n2", "n3"),
        member_view(zero + 3.8, "n3", "c", "n1", "n2", "n3"),
        cluster_view(zero + 4.6, "n2", "n2", "n3"),
    ]
    events = [
        {"what": "start", "at": zero - 3},
        {"what": "image", "at": zero - 2.95, "seconds": 7.5},
        {"what": "requirement", "at": zero - 2.9, "file": "examples/demo.yml", "summary": "1 to 3 nodes"},
        {"what": "created", "at": zero - 1},
        {"what": "client", "at": zero - 0.1, "name": "c1", "targets": {"web": "10.99.0.10:80", "ledger": "10.99.0.11:5000"}},
        {"what": "statement", "at": zero + 3, "memory_mib": 512},
        {"what": "leftovers", "at": zero + 9, "found": []},
    ]
    moved = {"service": "ledger", "from": "n1", "to": "n2"}
    journal = Journal(None)
    grown, stated, shrunk = "lb.rate_per_node 25 above 15 for 6 s", "nodes of 512 MiB are asked for", "lb.rate_per_node 4 below 6 for 12 s"
    journal.decision(zero + 0.5, Decision(Kind.GROW, 2, grown, "grow", zero + 0.2))
    write_step(journal, StepKind.OUT, f"{grown}; 1 of 2 are members", zero + 0.2, zero + 0.6, zero + 1.7, {"wanted": 2})
    journal.decision(zero + 1.7, Decision(Kind.HOLD, 2, "between", "hold:between"))
    write_step(journal, StepKind.MOVE, "ledger goes to the emptier n2", zero + 0.2, zero + 1.8, recording.moved_at + 1, moved)
    journal.decision(zero + 3.05, Decision(Kind.SHRINK, 2, stated, "stated_size", zero + 3.02))
    write_step(journal, StepKind.OUT, f"{stated}; a node joins first", zero + 3.02, zero + 3.1, zero + 3.9, {"wanted": 3})
    journal.decision(zero + 4, Decision(Kind.SHRINK, 2, shrunk, "shrink", zero + 3.9))
    write_step(journal, StepKind.IN, "3 are members, and n1 leaves", zero + 3.9, zero + 4.1, zero + 4.5, {"wanted": 2})
    history = json.loads(json.dumps(journal.history()))
    journal.close()
    witness.sort(key=lambda record: record["at"])
    return Run(zero - 3, witness, recording.client, recording.stored, "c1", history, events)


def write_step(
    journal: Journal, kind: StepKind, because: str, breach_at: float, began_at: float, ended_at: float, facts: dict[str, Any]
) -> None:
    """Writes a plan of one step, the step and its good end into the journal, as the driver does."""
    step = Step(kind, {}, because, {}, 300.0)
    journal.plan(began_at - 0.01, Plan((step,), because))
    number = journal.step_begun(began_at, step, breach_at, Memory())
    journal.step_ended(number, Outcome(True, facts, "done", began_at, ended_at), Memory())
