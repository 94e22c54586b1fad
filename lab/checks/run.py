# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""One run as recorded, and the questions that the report asks of it. Pure; all times are epoch seconds.

Everything here comes from observers: the witness (libvirt, SSH banners, HAProxy, crm_mon), the client's ledger, the
stored ledger read back, and for intentions (why, when decided) the driver's journal. Nothing is taken for granted: what
was not seen is None.

The demo's own notes say what it did and asked for, never what came of it:

    start {keep}                                          a kept cluster is not destroyed at the end
    requirement {file, sha256, summary, hosts, services}  services: {NAME: {kind, address, resources: [ids in Pacemaker]}}
    image {seconds}, created, client {name}, driver {kills, seed}, load {rates}, statement {memory_mib, sha256}
    kill {whom, during}, ended {name, code}               the exit code of client, driver and witness
    leftovers {found}, stopped, destroyed {found}         what is seen after "stopped" is the end of the cluster
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

    def events_of(self, what: str) -> list[Record]:
        """Returns all of the demo's notes of that kind."""
        return [event for event in self.events if event["what"] == what]

    @property
    def stopped_at(self) -> float:
        """When the cluster was left to be destroyed or kept; infinity for a run that didn't come to it."""
        stopped = self.event("stopped")
        return float("inf") if stopped is None else float(stopped["at"])

    @property
    def ended_at(self) -> float:
        """The end of what the report speaks of: when it was stopped, or else the last thing that was noted or seen."""
        if self.stopped_at < float("inf"):
            return self.stopped_at
        times = [record["at"] for record in (*self.events, *self.witness)] + [record["ended_at"] for record in self.transactions()]
        return max(times, default=self.started_at)

    def seen(self, kind: str) -> list[Record]:
        """Returns the witness's observations of one kind, in order, up to when it was stopped."""
        return [record for record in self.witness if record["kind"] == kind and record["at"] <= self.stopped_at]

    def expected(self) -> Mapping[str, Record]:
        """Returns the services of the requirement that was received: {NAME: {kind, address, resources}}."""
        requirement = self.event("requirement")
        return {} if requirement is None else requirement["services"]

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
    state: str  # as libvirt showed it last: defined, running, stopped or gone
    running_at: float | None = None
    reachable_at: float | None = None
    joined_at: float | None = None
    gone_at: float | None = None
    address: str | None = None
    image: str | None = None
    generation: str | None = None

    def was_there(self, at: float) -> bool:
        """Returns whether libvirt showed the VM at that time."""
        return self.defined_at <= at and (self.gone_at is None or at < self.gone_at)


def vms_of(run: Run) -> list[Vm]:
    """Returns every VM that libvirt showed during the run, in the order of definition."""
    vms: dict[str, Vm] = {}
    for record in run.seen("vm"):
        uuid, at, event = record["uuid"], record["at"], record["event"]
        if uuid not in vms:
            mark = {key: record.get(key) for key in ("address", "image", "generation")}
            vms[uuid] = Vm(uuid, record["name"], record["host"], record["memory_mib"], at, event, **mark)
        moments = {"running": "running_at", "reachable": "reachable_at", "gone": "gone_at"}
        if event in moments and getattr(vms[uuid], moments[event]) is None:
            vms[uuid] = replace(vms[uuid], **{moments[event]: at})
        if event != "reachable":
            vms[uuid] = replace(vms[uuid], state=event)
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


def whole_since(run: Run, at: float) -> float | None:
    """Returns when the cluster was first seen whole at or after `at`: quorate, and every resource of every service runs."""
    wanted = {one for service in run.expected().values() for one in service["resources"]}
    found = first(run.seen("cluster"), lambda r: r["at"] >= at and r["quorate"] and all(r["resources"].get(one) for one in wanted))
    return None if found is None else float(found["at"])
