# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""The values that flow through the driver: observation, decision, plan, step, outcome. Frozen; standard library only.

Times are epoch seconds as the daemon counts them (a clock that never jumps), sizes are MiB.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from ondemand._collection.module_utils._contract.refusal import Reason


@dataclass(frozen=True)
class Refusal:
    """An expected "no": what, why, what to do. Data, never an exception."""

    reason: Reason
    sentence: str


@dataclass(frozen=True)
class Signal:
    """A measured number. `nodes` are those that it covers: no more is known than about them."""

    value: float
    unit: str
    at: float
    nodes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Vm:
    """A VM of the cluster as its host tells it."""

    name: str
    host: str
    state: str
    vcpus: int
    memory_mib: int
    address: str = ""


@dataclass(frozen=True)
class Verdict:
    """The collection's word on whether the cluster may be changed, or a node may leave."""

    allowed: bool
    reason: str = ""
    sentence: str = ""


@dataclass(frozen=True)
class Node:
    """A member as the cluster tells it. `services` are the movable ones on it, `resources` all resource ids.

    `leaving`: it is in standby because an act of leaving of ours put it there and did not come to its end.
    `joining`: it is up, and its join is under way or was cut off: a growth brings it to its end.
    """

    name: str
    online: bool = True
    standby: bool = False
    pending: bool = False
    unclean: bool = False
    services: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    may_leave: Verdict = Verdict(True)
    leaving: bool = False
    joining: bool = False


@dataclass(frozen=True)
class ClusterState:
    """What the cluster says of itself."""

    quorate: bool
    stable: bool
    may_change: Verdict
    nodes: tuple[Node, ...] = ()
    not_started: tuple[str, ...] = ()
    failures: tuple[tuple[str, str], ...] = ()
    """(resource, node) of every failed operation that is not cleaned up"""
    temporary: tuple[str, ...] = ()
    """ids of constraints that a move left behind"""
    leave_order: tuple[str, ...] = ()
    withheld: tuple[str, ...] = ()
    """names of nodes that a person let go and whose VMs may come back with their host"""


@dataclass(frozen=True)
class Observation:
    """What was there at a time. `cluster` is None while there is none.

    `busy_s`: how long, since the decision before, the driver itself took no samples because it observed or acted.
    `seen_twice`: a sentence for each VM that several hosts show. It counts once.
    """

    at: float
    vms: tuple[Vm, ...] = ()
    unreachable: tuple[str, ...] = ()
    cluster: ClusterState | None = None
    signals: Mapping[str, Signal] = field(default_factory=dict)
    busy_s: float = 0.0
    seen_twice: tuple[str, ...] = ()

    @property
    def members(self) -> tuple[str, ...]:
        """Names of the nodes that are up and in, with all that their joining takes."""
        return tuple(one.name for one in self.cluster.nodes if one.online and not one.pending and not one.joining) if self.cluster else ()

    @property
    def serving(self) -> tuple[str, ...]:
        """Names of the members that may carry work: one in standby is a member, and carries none."""
        idle = {one.name for one in self.cluster.nodes if one.standby} if self.cluster else set()
        return tuple(name for name in self.members if name not in idle)


class Kind(StrEnum):
    """What a decision asks for."""

    GROW = "grow"
    SHRINK = "shrink"
    HOLD = "hold"


class Cause(StrEnum):
    """What a wish for more or fewer nodes rests on. A wish ends with its cause."""

    NONE = "none"
    """nothing is wished for that isn't there"""
    LOAD = "load"
    """the policies, by what is measured"""
    STATED = "stated"
    """the cluster file's least and most"""
    SIZE = "size"
    """nodes of another size are replaced"""


@dataclass(frozen=True)
class Decision:
    """What should be. `breach_at` is when its cause was first seen; `code` tells repeated decisions from new ones."""

    kind: Kind
    wanted: int
    because: str
    code: str
    breach_at: float | None = None
    cause: Cause = Cause.NONE


class StepKind(StrEnum):
    """A step is a playbook; the kind is its name."""

    CREATE = "create_cluster"
    RECOVER = "recover_cluster"
    OUT = "scale_out"
    IN = "scale_in"
    MOVE = "move_service"
    CONFIGURE = "configure_services"


@dataclass(frozen=True)
class Step:
    """One playbook to run, with the reason, the state that it should lead to and its deadline in seconds."""

    kind: StepKind
    variables: Mapping[str, Any]
    because: str
    expected: Mapping[str, Any]
    deadline_s: float

    @property
    def playbook(self) -> str:
        """Name of the playbook."""
        return self.kind.value

    def as_data(self) -> dict[str, Any]:
        """For the journal and the output."""
        return {
            "kind": self.kind.value,
            "playbook": self.playbook,
            "variables": dict(self.variables),
            "because": self.because,
            "expected": dict(self.expected),
            "deadline_s": self.deadline_s,
        }


@dataclass(frozen=True)
class Plan:
    """The steps to what is wanted; none if it is there already."""

    steps: tuple[Step, ...]
    because: str


@dataclass(frozen=True)
class Outcome:
    """What came of a job. `facts` is the playbook's `ondemand`, `reason` the refusal's if there was one."""

    ok: bool
    facts: Mapping[str, Any]
    because: str
    started_at: float
    ended_at: float
    reason: str = ""
