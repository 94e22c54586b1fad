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

from lab.checks.run import Run
from ondemand.memory import Memory
from ondemand.model import Decision, Kind, Outcome, Plan, Step, StepKind
from ondemand.record.journal import Journal
from tests.unit.lab.world import SERVICES as STATED
from tests.unit.lab.world import cluster_view, member_view, vm_events

CHECKOUT = Path(__file__).resolve().parents[3]
SERVICES = CHECKOUT / "lab" / "workload" / "services"
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
    """Starts lab/workload/services/NAME.py under a node's name and waits until it answers."""
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
    addresses: dict[str, str]

    def ledger_acknowledged(self, node: str) -> list[float]:
        """When the client had its answers of the ledger on that node, the first one first."""
        return sorted(one["acknowledged_at"] for one in self.client if one.get("service") == "ledger" and one.get("node") == node)


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
    client = subprocess.Popen([sys.executable, "-m", "lab.workload.client", *options, *targets], cwd=CHECKOUT, stdout=subprocess.DEVNULL)
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
    return Recording(
        [json.loads(line) for line in lines],
        stored,
        started_at,
        moved_at,
        time.time(),
        {name: f"127.0.0.1:{port}" for name, port in ports.items()},
    )


FILE, SMALLER_FILE = "1" * 64, "2" * 64


def view(when: float, *online: str, ledger: str, web: str) -> dict[str, Any]:
    """A read-back of the cluster, through the first of its nodes."""
    return cluster_view(when, online[0], online, ledger, web)


def member(when: float, node: str, config: str, *partition: str) -> dict[str, Any]:
    """A member's account of itself."""
    return member_view(when, node, f"uuid-{node}", config, *partition)


def seen_around(recording: Recording) -> list[dict[str, Any]]:
    """What the witness would have seen around the recorded clients: three VMs, the work going over from n1 to n2."""
    zero, moved = recording.started_at, recording.moved_at + 0.2
    facts = {
        name: (name, f"uuid-{name}", host, mib, f"10.99.0.2{name[1]}")
        for name, host, mib in (("n1", "hv1", 640), ("n2", "hv2", 640), ("n3", "hv1", 512))
    }
    return [
        *({"kind": "host", "at": zero - 2.95, "host": host, "ok": True, "because": None} for host in ("hv1", "hv2")),
        {"kind": "file", "at": zero - 2.92, "sha256": FILE, "bytes": 1900},
        {"kind": "file", "at": zero + 3.01, "sha256": SMALLER_FILE, "bytes": 1900},
        *vm_events(*facts["n1"], defined=zero - 2.5, running=zero - 2.4, reachable=zero - 2, gone=zero + 4.4),
        *vm_events(*facts["n2"], defined=zero + 0.7, running=zero + 0.8, reachable=zero + 1.2, gone=zero + 9.5),
        *vm_events(*facts["n3"], defined=zero + 3.2, running=zero + 3.3, reachable=zero + 3.5, gone=zero + 9.5),
        view(zero - 1.5, "n1", ledger="n1", web="n1"),
        member(zero - 1.4, "n1", "a", "n1"),
        view(zero + 1.5, "n1", "n2", ledger="n1", web="n1"),
        member(zero + 1.5, "n1", "b", "n1", "n2"),
        member(zero + 1.6, "n2", "b", "n1", "n2"),
        view(moved + 0.6, "n1", "n2", ledger="n2", web="n2"),
        view(zero + 3.7, "n1", "n2", "n3", ledger="n2", web="n2"),
        *(member(zero + 3.8, node, "c", "n1", "n2", "n3") for node in ("n1", "n2", "n3")),
        view(zero + 4.2, "n1", "n2", "n3", ledger="n2", web="n2"),
        view(zero + 4.6, "n2", "n3", ledger="n2", web="n2"),
        view(zero + 8.5, "n2", "n3", ledger="n2", web="n2"),
        *({"kind": "balancer", "service": "web", "at": zero + second, "servers": {}, "requests": {}} for second in range(9)),
    ]


def noted_around(recording: Recording) -> list[dict[str, Any]]:
    """The demo's notes around the recorded clients."""
    zero = recording.started_at
    return [
        {"what": "start", "at": zero - 3, "keep": False},
        {"what": "image", "at": zero - 2.95, "seconds": 7.5},
        {
            "what": "requirement",
            "at": zero - 2.9,
            "file": "examples/demo.yml",
            "sha256": FILE,
            "summary": "1 to 3 nodes",
            "hosts": ["hv1", "hv2"],
            "services": {name: {**one, "address": recording.addresses[name]} for name, one in STATED.items()},
        },
        {"what": "created", "at": zero - 1},
        {"what": "client", "at": zero - 0.1, "name": "c1"},
        {"what": "driver", "at": zero, "kills": 0, "seed": 0},
        {"what": "statement", "at": zero + 3, "memory_mib": 512, "sha256": SMALLER_FILE},
        *({"what": "ended", "at": zero + 8, "name": name, "code": 0} for name in ("client", "driver")),
        {"what": "leftovers", "at": zero + 9, "found": []},
        {"what": "stopped", "at": zero + 9.1},
        {"what": "destroyed", "at": zero + 10, "found": []},
        {"what": "ended", "at": zero + 10, "name": "witness", "code": 0},
    ]


@pytest.fixture
def run(recording: Recording) -> Run:
    """A whole run: the real clients' and services' part as recorded, the VMs and the driver around it written here."""
    zero = recording.started_at
    moved = {"service": "ledger", "from": "n1", "to": "n2"}
    journal = Journal(None)
    grown, stated, shrunk = "lb.rate_per_node 25 above 15 for 6 s", "nodes of 512 MiB are asked for", "lb.rate_per_node 4 below 6 for 12 s"
    journal.decision(zero + 0.5, Decision(Kind.GROW, 2, grown, "grow", zero + 0.2))
    write_step(journal, StepKind.OUT, f"{grown}; 1 of 2 are members", zero + 0.2, zero + 0.6, zero + 1.7, {"wanted": 2})
    journal.decision(zero + 1.7, Decision(Kind.HOLD, 2, "between", "hold:between"))
    write_step(journal, StepKind.MOVE, "ledger goes to the emptier n2", zero + 0.2, zero + 1.8, recording.moved_at + 0.9, moved)
    journal.decision(zero + 3.05, Decision(Kind.SHRINK, 2, stated, "stated_size", zero + 3.02))
    write_step(journal, StepKind.OUT, f"{stated}; a node joins first", zero + 3.02, zero + 3.1, zero + 3.9, {"wanted": 3})
    journal.decision(zero + 4, Decision(Kind.SHRINK, 2, shrunk, "shrink", zero + 3.9))
    write_step(journal, StepKind.IN, "3 are members, and n1 leaves", zero + 3.9, zero + 4.1, zero + 4.5, {"wanted": 2})
    history = json.loads(json.dumps(journal.history()))
    journal.close()
    witness = sorted(seen_around(recording), key=lambda record: record["at"])
    # The recording begins under load; what was sent before it was less.
    rest = [{"kind": "rate", "service": service, "at": zero + rate, "rate_per_s": rate} for rate in (0.0, 0.1) for service in STATED]
    return Run(zero - 3, witness, [*rest, *recording.client], recording.stored, "c1", history, noted_around(recording))


def write_step(
    journal: Journal, kind: StepKind, because: str, breach_at: float, began_at: float, ended_at: float, facts: dict[str, Any]
) -> None:
    """Writes a plan of one step, the step and its good end into the journal, as the driver does."""
    step = Step(kind, facts, because, {}, 300.0)
    journal.plan(began_at - 0.01, Plan((step,), because))
    number = journal.step_begun(began_at, step, breach_at, Memory())
    journal.step_ended(number, Outcome(True, facts, "done", began_at, ended_at), Memory())
