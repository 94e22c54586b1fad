# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""The order of calls, tick by tick: read, decide, plan, act, record. No rules live here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from structlog.typing import FilteringBoundLogger

from ondemand._collection.module_utils._contract.refusal import Reason
from ondemand.act.actor import Actor
from ondemand.config.load import Loaded
from ondemand.decide.decide import decide
from ondemand.errors import ConfigError, ObserveError
from ondemand.members import idle_words
from ondemand.memory import SAME_NODES, begun, remember
from ondemand.model import Decision, Kind, Observation, Outcome, Plan, Refusal, Signal, Step, StepKind
from ondemand.observe.cluster import read_cluster
from ondemand.plan.plan import plan
from ondemand.plan.steps import why_not_reached
from ondemand.record.journal import BLIND, Journal

LOOK_AGAIN_S = 60.0
"""the cluster is observed by playbook at least so often"""
FRESH_S = 5.0
"""an observation that is not older counts as the second look before a step"""
LOOK_SOON_S = 4.0
"""and so soon while it is changing; twice as long with every look that finds it still so"""


class Load(Protocol):
    """Whatever reads the light signals."""

    def read(self, members: Mapping[str, str]) -> tuple[dict[str, Signal], list[str]]:
        """The newest signals, and why parts could not be renewed."""
        ...

    def forget(self) -> None:
        """Drops what was measured before a change."""
        ...

    def close(self) -> None:
        """Ends its threads."""
        ...


class Tick(StrEnum):
    """What a tick came to."""

    DONE = "done"
    """a step ended well: there may be more to do at once"""
    IDLE = "idle"
    """nothing to do"""
    WAITING = "waiting"
    """something is to do, and not now: a pause after a failure"""
    REFUSED = "refused"
    FAILED = "failed"
    BLIND = "blind"
    """the cluster could not be observed"""


@dataclass
class Parts:
    """Everything outside that the daemon uses."""

    path: Path
    actor: Actor
    load: Callable[[Loaded], Load]
    load_file: Callable[[Path], Loaded]
    journal: Journal
    clock: Callable[[], float]
    log: FilteringBoundLogger
    stop: Callable[[], bool]
    """whether somebody wishes the driver to end: no wait goes on and no step begins after that"""


def settled(seen: Observation) -> bool:
    """Whether the cluster is at rest and whole, so that there is no hurry to look again."""
    state = seen.cluster
    return state is not None and state.quorate and state.stable and not state.not_started and all(one.online for one in state.nodes)


def addresses(seen: Observation) -> dict[str, str]:
    """Serving node -> its VM's address, empty where its host does not tell."""
    known = {one.name: one.address for one in seen.vms}
    return {name: known.get(name, "") for name in seen.serving}


def same(one: Step, other: Step) -> bool:
    """Whether two steps do the same; their sentences may count seconds."""
    return (one.kind, dict(one.variables)) == (other.kind, dict(other.variables))


def file_signature(path: Path) -> tuple[int, ...]:
    """Changes whenever the file does; empty while there is none."""
    try:
        told = path.stat()
    except OSError:
        return ()
    return (told.st_mtime_ns, told.st_size, told.st_ino)


class Daemon:
    """One cluster's driver."""

    def __init__(self, parts: Parts, loaded: Loaded, set_text: Callable[[str], None]) -> None:
        self._parts, self._loaded, self._set_text = parts, loaded, set_text
        self._memory = parts.journal.memory(parts.clock())
        self._load = parts.load(loaded)
        self._seen: Observation | None = None
        self._look_at = 0.0
        self._pause_s = LOOK_SOON_S
        self._file_seen: tuple[int, ...] = ()
        self._told: dict[str, str] = {}
        self._busy_s = 0.0

    def recover(self) -> None:
        """Sees to what a driver that died left: its playbooks end first, its steps are closed, reality is read anew."""
        parts = self._parts
        now = parts.clock()
        open_steps = parts.journal.open_steps()
        # A playbook that still runs may end within its deadline; one of no known step was only looking.
        rest = max((min(one["at"], now) + one["deadline_s"] - now for one in open_steps), default=1.0)
        ended = parts.actor.wait_for_orphans(max(1.0, rest), parts.stop)
        if ended is None:
            parts.log.info("the driver ends while an earlier driver's playbook runs; the next start sees to it")
            return
        for one in open_steps:
            why = "the driver ended while it ran; what came of it is read from the cluster"
            parts.journal.step_ended(one["id"], Outcome(False, {}, why, one["at"], parts.clock(), "interrupted"), self._memory)
            parts.log.warning("interrupted step", step=one["step"], because=one["because"], processes_ended=ended)

    def tick(self) -> Tick:
        """One look, one decision, at most one step."""
        self._reload()
        if self._parts.clock() >= self._look_at:
            self._observe()
        return self._follow(self._seen) if self._seen is not None else Tick.BLIND

    @property
    def every_s(self) -> float:
        """Seconds between two ticks, as the newest valid cluster file says."""
        return self._loaded.cluster.scaling.every_s

    def close(self) -> None:
        """Ends the readers' threads."""
        self._load.close()

    # ------------------------------------------------------------ the beats of a tick

    def _judge(self, seen: Observation) -> Observation:
        """Reads the load, decides and records; what was observed, with the load."""
        observation = replace(self._with_signals(seen), busy_s=self._busy_s)
        self._busy_s = 0.0
        now = self._parts.clock()
        cluster = self._loaded.cluster
        decision, memory = decide(observation, cluster.requirement, cluster.scaling, self._memory, now)
        self._record(decision, now)
        if memory.services is None and seen.cluster is not None:
            # Who made this cluster made its services; from here on an edit of the file is a new statement.
            memory = replace(memory, services=self._loaded.services)
        if not memory.same_wish(self._memory):
            self._parts.journal.remember(memory)
        self._memory = memory
        return observation

    def _follow(self, seen: Observation) -> Tick:
        """Decides and plans; if there is a step, observes and decides again, and does it only if it is still the first."""
        observation = self._judge(seen)
        found = self._plan(observation)
        if isinstance(found, Refusal):
            return self._refuse(found)
        if not found.steps:
            # What can't be done yet is told too, once; that all is as wanted needs no entry.
            if not settled(observation) and self._parts.journal.plan(self._parts.clock(), found):
                self._parts.log.info("nothing to do yet", because=found.because)
            return Tick.IDLE
        now = self._parts.clock()
        if self._memory.retry_at is not None and now < self._memory.retry_at:
            why = f"{self._memory.failures} failed in a row" if self._memory.failures else "another run changed the cluster"
            self._tell("retry", f"{found.steps[0].playbook} is tried again later: {why}")
            return Tick.WAITING
        if self._seen is None or now - self._seen.at > FRESH_S:
            self._observe()
            if self._seen is None:
                return Tick.BLIND
            # The wish too is of that moment: what the load said before the second look is no evidence after it.
            observation = self._judge(self._seen)
        again = self._plan(observation)
        if isinstance(again, Refusal):
            return self._refuse(again)
        self._parts.journal.plan(self._parts.clock(), again)
        if not again.steps or not same(again.steps[0], found.steps[0]):
            self._parts.log.info("plan dropped: a second look showed another state", now=again.because)
            return Tick.IDLE
        if self._parts.stop():
            self._parts.log.info("the driver ends, and the next step is not begun", playbook=again.steps[0].playbook)
            return Tick.WAITING
        return self._perform(again.steps[0])

    def _perform(self, step: Step) -> Tick:
        parts = self._parts
        before = self._memory
        self._memory = begun(before, step)
        if step.kind is StepKind.CREATE:
            # An edit that is made meanwhile is one.
            self._memory = replace(self._memory, services=self._loaded.services)
        step_id = parts.journal.step_begun(parts.clock(), step, self._memory.breach_at, self._memory)
        parts.log.info("step", playbook=step.playbook, variables=dict(step.variables), because=step.because)
        outcome = parts.actor.perform(step)
        self._busy_s += max(0.0, outcome.ended_at - outcome.started_at)
        self._pause_s = LOOK_SOON_S
        self._observe()
        if outcome.ok:
            # Blind after a good end is no failure of the step: the next tick looks again and plans from what is there.
            missed = why_not_reached(step, self._seen) if self._seen else None
            outcome = replace(outcome, ok=False, because=missed) if missed else outcome
        # Who came second did nothing, so what the cluster knows by then is the other one's doing.
        held = outcome.reason == Reason.HELD
        self._memory = remember(before if held else self._memory, step, outcome, parts.clock())
        parts.journal.step_ended(step_id, outcome, self._memory)
        if step.kind not in SAME_NODES:
            self._load.forget()
        say = parts.log.info if outcome.ok or held else parts.log.error
        say("outcome", ok=outcome.ok, because=outcome.because, seconds=round(outcome.ended_at - outcome.started_at, 1))
        return Tick.DONE if outcome.ok else Tick.WAITING if held else Tick.FAILED

    def _plan(self, observation: Observation) -> Plan | Refusal:
        memory, now = self._memory, self._parts.clock()
        barred = {key for key, until in memory.barred.items() if until > now}
        cluster = self._loaded.cluster
        return plan(
            observation,
            memory.wanted or 0,
            cluster,
            memory.because,
            memory.unfinished,
            barred,
            memory.waited(now),
            memory.held,
            memory.unconfigured(self._loaded.services, now),
        )

    def _refuse(self, refusal: Refusal) -> Tick:
        if self._parts.journal.plan(self._parts.clock(), refusal):
            self._parts.log.warning("refused", reason=refusal.reason.value, because=refusal.sentence)
        return Tick.REFUSED

    def _record(self, decision: Decision, now: float) -> None:
        if self._parts.journal.decision(now, decision):
            say = self._parts.log.debug if decision.kind is Kind.HOLD else self._parts.log.info
            say("decision", decision=decision.kind.value, wanted=decision.wanted, because=decision.because)

    def _observe(self) -> None:
        began = self._parts.clock()
        try:
            self._seen = read_cluster(self._parts.actor)
            # Not of a look that failed: nobody knows what went on meanwhile, so that is a gap.
            self._busy_s += self._parts.clock() - began
            self._parts.journal.observed(self._seen)
            self._tell("observe", "")
            self._tell("standby", idle_words(self._seen))
            self._tell("seen twice", " ".join(self._seen.seen_twice))
        except ObserveError as error:
            self._seen = None
            self._tell("observe", str(error))
            self._record(Decision(Kind.HOLD, self._memory.wanted or 0, str(error), BLIND), self._parts.clock())
        whole = self._seen is not None and settled(self._seen)
        self._look_at = self._parts.clock() + (LOOK_AGAIN_S if whole else self._pause_s)
        self._pause_s = LOOK_SOON_S if whole else min(LOOK_AGAIN_S, 2 * self._pause_s)

    def _with_signals(self, seen: Observation) -> Observation:
        found, problems = self._load.read(addresses(seen))
        if self._tell("load", "; ".join(sorted(problems))) and problems:
            # Who no longer answers may be lost: that is looked at now, not at the end of the minute.
            self._look_at = min(self._look_at, self._parts.clock() + LOOK_SOON_S)
        return replace(seen, signals=found)

    def _reload(self) -> None:
        """Takes a changed cluster file over, between ticks only; a broken one is told once and the old one stays."""
        signature = file_signature(self._parts.path)
        if signature == self._file_seen:
            return
        self._file_seen = signature
        try:
            new = self._parts.load_file(self._parts.path)
            self._stay_with_one(new)
        except ConfigError as error:
            told = "; ".join([str(error), *(f"{one['path']}: {one['problem']}" for one in error.problems)])
            self._tell("file", f"{told} - the former file stays in force")
            return
        except Exception as error:  # noqa: BLE001 - a net: whatever an edited file does to its reader, the cluster keeps its driver
            self._tell("file", f"the file can't be used: {error!r} - the former file stays in force; `ondemand check` tells more")
            return
        self._tell("file", "")
        if new.digest == self._loaded.digest:
            return
        self._parts.log.info("the cluster file changed and is taken over", digest=new.digest[:12])
        self._loaded = new
        self._set_text(new.text)
        self._load.close()
        self._load = self._parts.load(new)

    def _stay_with_one(self, new: Loaded) -> None:
        """Raises ConfigError where a new file means another cluster, or another state folder: lock and journal lie in the one."""
        old = self._loaded
        if new.cluster.name != old.cluster.name:
            raise ConfigError(f"the file now names the cluster {new.cluster.name}; a driver stays with one, {old.cluster.name}")
        if new.state_dir.resolve() != old.state_dir.resolve():
            raise ConfigError(
                f"the file now has the state folder {new.state_dir}, and this driver's lock and journal lie in {old.state_dir}; "
                "to move them, stop the driver first"
            )

    def _tell(self, about: str, sentence: str) -> bool:
        """Logs a sentence when it is new, so that a trouble that lasts is told once, and its end too. Whether it was new."""
        if self._told.get(about, "") == sentence:
            return False
        self._told[about] = sentence
        if sentence:
            self._parts.log.warning("trouble", about=about, because=sentence)
        else:
            self._parts.log.info("trouble over", about=about)
        return True
