# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""One run as recorded, and the questions that the report asks of it. Pure; all times are epoch seconds.

Everything here comes from observers: the witness (libvirt, SSH banners, HAProxy, crm_mon), the client's ledger, the
stored ledger read back, and for intentions (why, when decided) the driver's journal. Nothing is taken for granted: what
was not seen is None.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

Record = Mapping[str, Any]


@dataclass(frozen=True)
class Run:
    """The recordings. `events` are the demo's own notes: {at, what, ...} (what it did, never what came of it)."""

    started_at: float
    witness: Sequence[Record]
    client: Sequence[Record]
    stored: Sequence[str]
    client_name: str
    history: Sequence[Record]
    events: Sequence[Record]

    def seconds(self, at: float | None) -> float | None:
        """Returns `at` as seconds since the start of the run, rounded to a hundredth."""
        return None if at is None else round(at - self.started_at, 2)

    def event(self, what: str) -> Record | None:
        """Returns the first of the demo's notes of that kind."""
        return next((event for event in self.events if event["what"] == what), None)

    def seen(self, kind: str) -> list[Record]:
        """Returns the witness's observations of one kind, in order."""
        return [record for record in self.witness if record["kind"] == kind]

    def transactions(self, service: str | None = None) -> list[Record]:
        """Returns the client's records, of one service or of all."""
        return [r for r in self.client if r["kind"] == "transaction" and service in (None, r["service"])]

    def services(self) -> list[str]:
        """Returns the services that the client sent to, in the order of first sending."""
        return list(dict.fromkeys(r["service"] for r in self.transactions()))

    def acknowledged(self, service: str | None = None) -> list[Record]:
        """Returns the acknowledged transactions in the order of their acknowledgement."""
        acknowledged = [r for r in self.transactions(service) if r["acknowledged_at"] is not None]
        return sorted(acknowledged, key=lambda record: record["acknowledged_at"])


@dataclass(frozen=True)
class Vm:
    """A VM as libvirt and the cluster showed it. A name can come back for a later VM: the UUID tells them apart."""

    uuid: str
    name: str
    host: str
    memory_mib: int
    defined_at: float
    running_at: float | None = None
    reachable_at: float | None = None
    joined_at: float | None = None
    gone_at: float | None = None

    def was_there(self, at: float) -> bool:
        """Returns whether libvirt showed the VM at that time."""
        return self.defined_at <= at and (self.gone_at is None or at < self.gone_at)


def vms_of(run: Run) -> list[Vm]:
    """Returns every VM that libvirt showed during the run, in the order of definition."""
    vms: dict[str, Vm] = {}
    for record in run.seen("vm"):
        uuid, at = record["uuid"], record["at"]
        if record["event"] == "defined":
            vms.setdefault(uuid, Vm(uuid, record["name"], record["host"], record["memory_mib"], at))
        elif record["event"] == "running" and vms[uuid].running_at is None:
            vms[uuid] = replace(vms[uuid], running_at=at)
        elif record["event"] == "reachable" and vms[uuid].reachable_at is None:
            vms[uuid] = replace(vms[uuid], reachable_at=at)
        elif record["event"] == "gone":
            vms[uuid] = replace(vms[uuid], gone_at=at)
    return [replace(vm, joined_at=_joined_at(run, vm)) for vm in vms.values()]


def _joined_at(run: Run, vm: Vm) -> float | None:
    """The first time when a member's own account of the cluster had the VM as online node."""
    for record in run.seen("cluster"):
        if vm.was_there(record["at"]) and record["nodes"].get(vm.name) in ("online", "standby"):
            return float(record["at"])
    return None


def first(records: Sequence[Record], test: Callable[[Record], bool]) -> Record | None:
    """Returns the first record that passes the test, or None."""
    return next((record for record in records if test(record)), None)


def first_answer_at(run: Run, node: str, since: float, service: str | None = None) -> float | None:
    """Returns when a client first had an acknowledgement from `node` at or after `since`, or None."""
    found = first(run.acknowledged(service), lambda r: r["node"] == node and r["acknowledged_at"] >= since)
    return None if found is None else float(found["acknowledged_at"])


@dataclass(frozen=True)
class Handover:
    """A service's work going over from one node to another, as the clients saw it."""

    service: str
    old: str
    new: str
    last_old_at: float
    first_new_at: float


def handovers(run: Run, service: str) -> list[Handover]:
    """Returns the moments at which another node began to answer for a service that one node carries at a time."""
    answers = run.acknowledged(service)
    return [
        Handover(service, one["node"], other["node"], one["acknowledged_at"], other["acknowledged_at"])
        for one, other in itertools.pairwise(answers)
        if one["node"] != other["node"]
    ]
