# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""What the driver remembers between two looks. A value: every change makes a new one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from ondemand._collection.module_utils._contract.refusal import Reason
from ondemand.model import Cause, Decision, Kind, Outcome, Step, StepKind

FIRST_RETRY_S = 10.0
LONGEST_RETRY_S = 300.0
BARRED_S = 3600.0
SERVICES = "services@"
SAME_NODES = (StepKind.MOVE, StepKind.CONFIGURE)
"""steps that change no membership"""


@dataclass(frozen=True)
class Window:
    """A condition that has held without a gap `since`; `seen_at` is the newest sample that showed it."""

    since: float
    seen_at: float


@dataclass(frozen=True)
class Memory:
    """`wanted`: nodes that should be. `unfinished`: kind of the last step that began and is not known to have ended well."""

    wanted: int | None = None
    because: str = ""
    breach_at: float | None = None
    windows: Mapping[str, Window] = field(default_factory=dict)
    grown_at: float | None = None
    shrunk_at: float | None = None
    failures: int = 0
    retry_at: float | None = None
    unfinished: StepKind | None = None
    barred: Mapping[str, float] = field(default_factory=dict)
    """SERVICE@NODE -> until when no move there is tried: a failed one interrupted the service"""
    cause: Cause | None = None
    """what the wish rests on; None: kept by a driver that knew no causes"""
    known: int | None = None
    """nodes that the cluster knew when this was decided, without those that leave; None: a step of ours may have changed it since"""
    asked_at: float | None = None
    """when the load last asked for a growth that is not there yet"""
    away: Mapping[str, float] = field(default_factory=dict)
    """node that the cluster knows and that is not in -> since when it is seen so"""
    held: str = ""
    """why no member may be removed at this moment, whatever is wanted; empty if one may"""
    services: str | None = None
    """digest of the cluster file's services that were carried out last; empty: something else may be in place; None: not known yet"""

    def unconfigured(self, services: str, now: float) -> str:
        """The digest of services that are to be carried out now; empty where they are, or where that failed not long ago."""
        due = self.services is not None and services != self.services and self.barred.get(barred_services(services), 0.0) <= now
        return services if due else ""

    def waited(self, now: float) -> dict[str, float]:
        """Node that is away -> seconds for which it was waited for."""
        return {name: now - since for name, since in self.away.items()}

    def same_wish(self, other: Memory) -> bool:
        """Whether both say the same of what is wanted and done; their sentences may count seconds."""
        return (self.wanted, self.cause, self.known, self.services) == (other.wanted, other.cause, other.known, other.services)


def decided(memory: Memory, decision: Decision) -> Memory:
    """The memory after a decision: what it asks for, and why, is kept until the next one that isn't a hold."""
    if decision.kind is Kind.HOLD:
        return memory
    return replace(memory, wanted=decision.wanted, because=decision.because, breach_at=decision.breach_at, cause=decision.cause)


def begun(memory: Memory, step: Step) -> Memory:
    """The memory while a step runs. What the cluster knows afterwards is the step's doing, nobody else's.

    Of services that are being configured nobody knows what is in place until that ended well: also the former ones would have to be brought back.
    """
    if step.kind is StepKind.CONFIGURE:
        memory = replace(memory, services="")
    return replace(memory, unfinished=step.kind, known=memory.known if step.kind in SAME_NODES else None)


def barred_services(services: str) -> str:
    """The key of `barred` for services whose configuration failed: the rest of the cluster is not kept waiting for them."""
    return f"{SERVICES}{services[:12]}"


def pause_s(failures: int) -> float:
    """Seconds to wait after so many failures in a row: 10, 20, 40 ... at most 300, so that trouble isn't hammered at."""
    return min(LONGEST_RETRY_S, FIRST_RETRY_S * 2.0 ** min(max(0, failures - 1), 10))


def capped(memory: Memory, now: float) -> Memory:
    """A memory of an earlier start without times that can't be: a clock that was ahead then must not block as long as it was ahead."""

    def past(at: float | None) -> float | None:
        return None if at is None else min(at, now)

    return replace(
        memory,
        breach_at=past(memory.breach_at),
        grown_at=past(memory.grown_at),
        shrunk_at=past(memory.shrunk_at),
        asked_at=past(memory.asked_at),
        retry_at=None if memory.retry_at is None else min(memory.retry_at, now + LONGEST_RETRY_S),
        barred={key: min(until, now + BARRED_S) for key, until in memory.barred.items()},
    )


def remember(memory: Memory, step: Step, outcome: Outcome, now: float) -> Memory:
    """The memory after a step. Samples from before a change say nothing about after it, so the windows begin anew.

    Not after a move or a change of services: as many nodes carry the same work, and a node that is to leave could otherwise never be emptied first.
    """
    if outcome.reason == Reason.HELD:
        # Somebody else changes the cluster: no failure of the step, and what it was for is judged anew from what is there afterwards.
        return replace(memory, unfinished=None, retry_at=now + FIRST_RETRY_S, windows={})
    if not outcome.ok:
        failures = memory.failures + 1
        barred = {key: until for key, until in memory.barred.items() if until > now}
        if step.kind is StepKind.MOVE:
            barred[f"{step.variables['service']}@{step.variables['to']}"] = now + BARRED_S
        if step.kind is StepKind.MOVE and outcome.reason == Reason.NO_PLACE:
            # Pacemaker would not have it so, and nothing was touched: no trouble that everything else has to wait for.
            return replace(memory, unfinished=None, barred=barred)
        if step.kind is StepKind.CONFIGURE:
            barred[barred_services(step.expected["services"])] = now + BARRED_S
        return replace(memory, failures=failures, retry_at=now + pause_s(failures), windows={}, barred=barred)
    made = replace(memory, failures=0, retry_at=None, unfinished=None, windows=memory.windows if step.kind in SAME_NODES else {})
    if step.kind is StepKind.CONFIGURE:
        free = {key: until for key, until in memory.barred.items() if not key.startswith(SERVICES)}
        return replace(made, services=step.expected["services"], barred=free)
    if step.kind in (StepKind.OUT, StepKind.CREATE):
        return replace(made, grown_at=now)
    if step.kind is StepKind.IN:
        return replace(made, shrunk_at=now)
    return made
