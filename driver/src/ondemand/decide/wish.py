# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""What still holds of a remembered wish, before anybody votes. A wish ends with its cause; what somebody did by hand becomes the new one."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from ondemand.config.model import Policy, Requirement, Scaling
from ondemand.decide.threshold import PER_NODE, stale_after_s, why_unusable
from ondemand.members import away, ghosts, idle, known, leaving, nodes_words, outdated, unfinished
from ondemand.memory import Memory
from ondemand.model import Cause, Observation, StepKind

ASKED_S = 600.0
"""a growth that no sample has asked for in so long is given up, also when there is no sample that could"""


@dataclass(frozen=True)
class Standing:
    """The memory with the wish as it stands. `note`: what became of the former one; `found`: it was set by what is there."""

    memory: Memory
    note: str = ""
    found: bool = False


def standing(observation: Observation, requirement: Requirement, scaling: Scaling, memory: Memory, now: float) -> Standing:
    """What is wanted before anybody votes: what is there, unless a growth or a replacement is under way."""
    seen = replace(memory, away={one.name: memory.away.get(one.name, now) for one in away(observation)}, held="")
    if memory.wanted is None:
        return _without_memory(observation, seen)
    if observation.cluster is None or not observation.cluster.quorate:
        return Standing(seen)
    if not observation.unreachable:
        # While a host is out of sight nobody scales, and the plan removes nobody.
        if _by_hand(observation, requirement, scaling, memory, memory.wanted, now):
            return _taken_over(observation, seen, memory.wanted, now)
        beyond = _staying(observation) - len(ghosts(observation)) > memory.wanted
        if beyond and not _replaces(observation, requirement, memory, memory.wanted):
            return _no_fewer(observation, seen, memory.wanted)
    if _staying(observation) < memory.wanted:
        return _growth(observation, requirement, scaling, seen, memory.wanted, now)
    if observation.unreachable:
        return Standing(seen)
    replacing = memory.cause is Cause.SIZE and outdated(observation, requirement.size)
    return Standing(replace(seen, known=_staying(observation), cause=Cause.SIZE if replacing else Cause.NONE, asked_at=None))


def _staying(observation: Observation) -> int:
    """Nodes that the cluster knows, online or not, without those whose leave was begun."""
    return len(known(observation)) - len(leaving(observation))


def _without_memory(observation: Observation, memory: Memory) -> Standing:
    """What the cluster has is wanted: a node that is just away belongs to it, and so does one whose leave nobody remembers."""
    count = len(known(observation))
    note = f"no wish is remembered, and the cluster has {nodes_words(count)}"
    staying = _staying(observation) if observation.cluster else None
    return Standing(
        replace(memory, wanted=count, because=note, cause=Cause.NONE, known=staying), note, found=observation.cluster is not None
    )


def _by_hand(observation: Observation, requirement: Requirement, scaling: Scaling, memory: Memory, wanted: int, now: float) -> bool:
    """Whether the cluster has another number of nodes without a step of ours."""
    staying = _staying(observation)
    if memory.known is not None:
        return staying not in (memory.known, wanted)
    if memory.cause is not None or memory.unfinished is not None:
        return False
    # A memory without causes: half-made VMs and half-gone nodes tell of a step of ours, a replacement and a load that is high of a wish.
    if staying > wanted:
        return not _replaces(observation, requirement, memory, wanted)
    made = len(known(observation)) + len(unfinished(observation))
    return made < wanted and not _asked(observation, scaling, wanted, staying, now)[1]


def _taken_over(observation: Observation, memory: Memory, wanted: int, now: float) -> Standing:
    """What somebody did by hand is the new wish, and windows and cooldowns begin with it."""
    count = _staying(observation)
    before = nodes_words(wanted)
    note = f"the cluster has {nodes_words(count)}, {before} had been wanted, and no step of this driver explains it: scaled by hand, so {count} from now on"
    made = replace(memory, wanted=count, because=note, breach_at=None, cause=Cause.NONE, known=count, asked_at=None)
    return Standing(replace(made, windows={}, grown_at=now, shrunk_at=now), note, found=True)


def _replaces(observation: Observation, requirement: Requirement, memory: Memory, wanted: int) -> bool:
    """Whether the one node too many is there because one of another size is being replaced."""
    due = memory.cause in (Cause.SIZE, None) and outdated(observation, requirement.size)
    return bool(due) and _staying(observation) == wanted + 1


def _no_fewer(observation: Observation, memory: Memory, wanted: int) -> Standing:
    """A wish for fewer is never carried over: whether its cause still holds is decided anew from what is there."""
    count = _staying(observation)
    note = f"that {nodes_words(wanted)} would do is no longer so, and the cluster has {count}"
    return Standing(replace(memory, wanted=count, because=note, breach_at=None, cause=Cause.NONE, known=count), note)


def _growth(observation: Observation, requirement: Requirement, scaling: Scaling, memory: Memory, wanted: int, now: float) -> Standing:
    """A growth that is not there yet, as far as it is still asked for."""
    count, least = _staying(observation), requirement.nodes.min
    asked, heard = _asked(observation, scaling, wanted, count, now)
    by_load = memory.cause is Cause.LOAD or (memory.cause is None and (heard or memory.unfinished is StepKind.OUT))
    kept = replace(memory, known=count, cause=Cause.LOAD if by_load and wanted > least else memory.cause or Cause.NONE)
    if wanted <= least or not (by_load or memory.cause is Cause.STATED):
        return Standing(kept)
    asked_at = now if heard or memory.asked_at is None else memory.asked_at
    if not by_load or now - asked_at > ASKED_S:
        asked = count
    asked = max(asked, least)
    if asked >= wanted:
        return Standing(replace(kept, asked_at=asked_at))
    note = f"a growth to {nodes_words(wanted)} is given up, for nothing asks for more than {asked} any more"
    less = replace(kept, wanted=asked, because=note, breach_at=None, failures=0, retry_at=None, asked_at=asked_at)
    if asked > count:
        return Standing(less, note)
    return Standing(replace(less, cause=Cause.NONE, unfinished=None if less.unfinished is StepKind.OUT else less.unfinished), note)


def _asked(observation: Observation, scaling: Scaling, wanted: int, count: int, now: float) -> tuple[int, bool]:
    """The most nodes, up to `wanted`, that some policy still asks for, and whether a sample said so. One that can't tell asks for all."""
    asked, heard = count, False
    for policy in scaling.policies:
        signal = observation.signals.get(policy.signal)
        if signal is None or why_unusable(policy.signal, signal, now, stale_after_s(scaling)) is not None:
            asked = wanted
        elif signal.value > policy.above:
            heard = True
            asked = max(asked, _needed(policy, signal.value * len(signal.nodes), wanted, count + 1, len(idle(observation))))
    return asked, heard


def _needed(policy: Policy, work: float, wanted: int, least: int, aside: int) -> int:
    """Nodes that bring a value per node back to the threshold; of any other value nobody can tell, so all that were wanted."""
    if policy.signal not in PER_NODE or work <= 0:
        return wanted
    return min(wanted, max(least, math.ceil(min(work / policy.above, wanted)) + aside))
