# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""What still stands of a remembered wish: in each situation the whole memory afterwards, and what is told of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from ondemand.decide.wish import standing
from ondemand.memory import Memory, Window
from ondemand.model import Cause, Node, Observation, Signal, StepKind, Vm
from tests.driver.values import cluster, merged, node, observation, vm

NOW = 1000.0
QUEUE = {"scaling": {"policies": [{"name": "queue", "signal": "lb.queue", "above": 10, "below": 1}]}}
CPU = {"scaling": {"policies": [{"name": "cpu", "signal": "vm.cpu", "above": 0.6, "below": 0.2}]}}
# Everything that a memory can hold, so that it is seen what is kept and what isn't.
OLD = Memory(
    2, "why", 900.0, {"w": Window(1.0, 2.0)}, 700.0, 800.0, 3, 1010.0, StepKind.OUT, {"ledger@shop-n2": 2000.0}, Cause.LOAD, 2, 950.0,
    {"shop-n9": 100.0}, "held before",
)  # fmt: skip
# What is forgotten at each look: who was away and is not, and why nobody could leave.
SEEN: dict[str, Any] = {"away": {}, "held": ""}
BY_HAND = "and no step of this driver explains it: scaled by hand, so"


def nodes_of(count: int) -> list[Node]:
    return [node(number + 1) for number in range(count)]


def seen(
    nodes: Sequence[Node],
    rate: float | None = None,
    age_s: float = 0.0,
    vms: Sequence[Vm] | None = None,
    name: str = "lb.rate_per_node",
    **state: Any,
) -> Observation:
    """These nodes; a signal of those that serve, or of `covered`."""
    names = state.pop("covered", tuple(one.name for one in nodes if one.online and not one.standby))
    signals = {} if rate is None else {name: Signal(rate, "", NOW - age_s, names)}
    return observation(nodes, vms, NOW, signals, **state)


LEAVING = node(2, standby=True, leaving=True)
GHOST = node(2, online=False)
SMALL = [vm(1, 512), vm(2), vm(3), vm(4)]
AT_REST: dict[str, Any] = {**SEEN, "known": 2, "cause": Cause.NONE, "asked_at": None}


def found(count: int, note: str) -> dict[str, Any]:
    """What begins with a number that somebody else's hand made."""
    made = {"wanted": count, "because": note, "breach_at": None, "cause": Cause.NONE, "known": count, "asked_at": None}
    return {**SEEN, **made, "windows": {}, "grown_at": NOW, "shrunk_at": NOW}


def kept(count: int, note: str) -> dict[str, Any]:
    """What a wish for fewer ends in."""
    return {**SEEN, "wanted": count, "because": note, "breach_at": None, "cause": Cause.NONE, "known": count}


ADDED = f"the cluster has 3 nodes, 2 nodes had been wanted, {BY_HAND} 3 from now on"
REMOVED = f"the cluster has 1 node, 2 nodes had been wanted, {BY_HAND} 1 from now on"
NO_FEWER = "that 2 nodes would do is no longer so, and the cluster has 3"
NO_LONGER_ONE = "that 1 node would do is no longer so, and the cluster has 2"
NOTHING = "no wish is remembered, and the cluster has 0 nodes"
TWO = "no wish is remembered, and the cluster has 2 nodes"
NEW: dict[str, Any] = {"cause": None, "known": None, "unfinished": None}

# Case -> (what is there, what the memory has, what it has afterwards, what is told, whether that was set by what is there).
CASES: dict[str, tuple[Observation, dict[str, Any], dict[str, Any], str, bool]] = {
    # ---- no wish
    "no wish and no cluster": (
        seen([]), {"wanted": None, "known": 7}, {**SEEN, "wanted": 0, "because": NOTHING, "cause": Cause.NONE, "known": None}, NOTHING, False,
    ),
    "no wish, and two nodes": (
        seen(nodes_of(2)), {"wanted": None}, {**SEEN, "wanted": 2, "because": TWO, "cause": Cause.NONE, "known": 2}, TWO, True,
    ),
    "no wish, and one of two was leaving": (
        seen([node(1), LEAVING]), {"wanted": None}, {**SEEN, "wanted": 2, "because": TWO, "cause": Cause.NONE, "known": 1}, TWO, True,
    ),
    # ---- nobody can tell
    "no cluster in sight": (seen([]), {}, SEEN, "", False),
    "no quorum": (seen(nodes_of(3), quorate=False), {}, SEEN, "", False),
    "who is away is away since the first look that saw it": (
        seen([node(1), node(2, online=False), node(9, online=False)], quorate=False),
        {}, {**SEEN, "away": {"shop-n2": NOW, "shop-n9": 100.0}}, "", False,
    ),
    "a host is out of sight, and one node more is there": (seen(nodes_of(3), unreachable=["hv2"]), {}, SEEN, "", False),
    "a host is out of sight, and all is there": (seen(nodes_of(2), unreachable=["hv2"]), {}, SEEN, "", False),
    "a host is out of sight, and one is not there yet": (
        seen(nodes_of(1), unreachable=["hv2"]), {"known": 2}, {**SEEN, "known": 1}, "", False,
    ),
    # ---- as many as wanted
    "a growth has come": (seen(nodes_of(2), 20), {"known": 1}, AT_REST, "", False),
    "all as wanted": (seen(nodes_of(2), 20), {}, AT_REST, "", False),
    "all as wanted after a step": (seen(nodes_of(2)), {"known": None, "cause": Cause.STATED}, AT_REST, "", False),
    "one of another size, and no replacement under way": (seen(nodes_of(2), vms=SMALL[:2]), {}, AT_REST, "", False),
    "one of another size is being replaced": (
        seen(nodes_of(2), vms=SMALL[:2]), {"cause": Cause.SIZE}, {**AT_REST, "cause": Cause.SIZE}, "", False,
    ),
    "the replacement is done": (seen(nodes_of(2)), {"cause": Cause.SIZE}, AT_REST, "", False),
    "one of two has lost its VM": (seen([node(1), GHOST], vms=[vm(1)]), {}, {**AT_REST, "away": {"shop-n2": NOW}}, "", False),
    # ---- more than wanted
    "somebody added one": (seen(nodes_of(3)), {}, found(3, ADDED), ADDED, True),
    "somebody took one away": (seen(nodes_of(1)), {}, found(1, REMOVED), REMOVED, True),
    "one more after a step of its own": (seen(nodes_of(3)), {"known": None}, kept(3, NO_FEWER), NO_FEWER, False),
    "a wish for fewer": (seen(nodes_of(2)), {"wanted": 1}, kept(2, NO_LONGER_ONE), NO_LONGER_ONE, False),
    "a wish for fewer, and the leave has begun": (
        seen([node(1), LEAVING]), {"wanted": 1, "known": 1}, {**AT_REST, "known": 1}, "", False,
    ),
    "the one more has lost its VM": (
        seen([node(1), GHOST, node(3)], vms=[vm(1), vm(3)]), {"known": 3}, {**AT_REST, "known": 3, "away": {"shop-n2": NOW}}, "", False,
    ),
    "the one more replaces another": (
        seen(nodes_of(3), vms=SMALL[:3]), {"known": None, "cause": Cause.SIZE}, {**AT_REST, "known": 3, "cause": Cause.SIZE}, "", False,
    ),
    "the one more would replace another, and nothing asked for that": (
        seen(nodes_of(3), vms=SMALL[:3]), {"known": None}, kept(3, NO_FEWER), NO_FEWER, False,
    ),
    "the one more has replaced another that has left": (
        seen(nodes_of(3)), {"known": None, "cause": Cause.SIZE}, kept(3, NO_FEWER), NO_FEWER, False,
    ),
    "two more, and one replaces another": (
        seen(nodes_of(4), vms=SMALL), {"known": None, "cause": Cause.SIZE},
        kept(4, NO_FEWER.replace("has 3", "has 4")), NO_FEWER.replace("has 3", "has 4"), False,
    ),
    # ---- a memory of a driver that knew no causes
    "no cause, one more": (seen(nodes_of(3)), NEW, found(3, ADDED), ADDED, True),
    "no cause, one more in the middle of a step": (
        seen(nodes_of(3)), {**NEW, "unfinished": StepKind.IN}, kept(3, NO_FEWER), NO_FEWER, False,
    ),
    "no cause, one more that replaces another": (seen(nodes_of(3), vms=SMALL[:3]), NEW, {**AT_REST, "known": 3}, "", False),
    "no cause, as many as wanted": (seen(nodes_of(2)), NEW, AT_REST, "", False),
    "no cause, one less": (seen(nodes_of(1), 10), NEW, found(1, REMOVED), REMOVED, True),
    "no cause, one less and nothing measured": (seen(nodes_of(1)), NEW, found(1, REMOVED), REMOVED, True),
    "no cause, one less under load": (
        seen(nodes_of(1), 20), NEW, {**SEEN, "known": 1, "cause": Cause.LOAD, "asked_at": NOW}, "", False,
    ),
    "no cause, one less and half made": (
        seen(nodes_of(1), 10, vms=[vm(1), vm(2)]), NEW, {**SEEN, "known": 1, "cause": Cause.NONE}, "", False,
    ),
    "no cause, one less and half gone": (seen([node(1), LEAVING], 10), NEW, {**SEEN, "known": 1, "cause": Cause.NONE}, "", False),
    "no cause, one less in the middle of a leave": (
        seen(nodes_of(1), 10), {**NEW, "unfinished": StepKind.IN}, {**SEEN, "known": 1, "cause": Cause.NONE}, "", False,
    ),
    "no cause, one less in the middle of a growth": (
        seen(nodes_of(1)), {**NEW, "unfinished": StepKind.OUT}, {**SEEN, "known": 1, "cause": Cause.LOAD}, "", False,
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_of_a_wish_stands_what_still_has_its_cause(case: str) -> None:
    there, before, after, note, is_found = CASES[case]
    made, memory = cluster(), replace(OLD, **before)
    stands = standing(there, made.requirement, made.scaling, memory, NOW)
    assert stands.memory == replace(memory, **after)
    assert (stands.note, stands.found) == (note, is_found)


# ---------------------------------------------------------------- a growth that is not there yet

UP = {**SEEN, "known": 1}


def given_up(wanted: int, asked: int) -> str:
    return f"a growth to {wanted} nodes is given up, for nothing asks for more than {asked} any more"


def less(wanted: int, asked: int, asked_at: float, **more: Any) -> dict[str, Any]:
    """What a growth to fewer than were wanted begins with."""
    made = {"wanted": asked, "because": given_up(wanted, asked), "breach_at": None, "failures": 0, "retry_at": None, "asked_at": asked_at}
    return {**UP, **made, **more}


ENDED: dict[str, Any] = {"cause": Cause.NONE, "unfinished": None}
ASIDE = [node(1), node(2, standby=True)]

# Case -> (changes of the cluster file, what is there, what the memory has, what it has afterwards). 4 nodes are wanted, 1 was known.
GROWTHS: dict[str, tuple[dict[str, Any], Observation, dict[str, Any], dict[str, Any]]] = {
    "all are still asked for": ({}, seen(nodes_of(1), 46), {}, {**UP, "asked_at": NOW}),
    "more than all": ({}, seen(nodes_of(1), 1e300), {}, {**UP, "asked_at": NOW}),
    "two are asked for": ({}, seen(nodes_of(1), 16), {}, less(4, 2, NOW)),
    "as many as exactly carry it": ({}, seen(nodes_of(1), 30), {}, less(4, 2, NOW)),
    "three are asked for": ({}, seen(nodes_of(1), 31), {}, less(4, 3, NOW)),
    "two nodes measured, three asked for": ({}, seen(nodes_of(2), 16), {"known": 2}, {**less(4, 3, NOW), "known": 2}),
    "at least one more while the threshold is passed": (
        {}, seen(nodes_of(2), 16, covered=("shop-n1",)), {"known": 2}, {**less(4, 3, NOW), "known": 2},
    ),
    "those in standby by hand come on top": ({}, seen(ASIDE, 31), {"known": 2, "wanted": 6}, {**less(6, 4, NOW), "known": 2}),
    "a sample that covers no node": ({}, seen(nodes_of(1), 16, covered=()), {}, UP),
    "no more than the threshold": ({}, seen(nodes_of(1), 15), {}, less(4, 1, 950.0, **ENDED)),
    "no more than the threshold, while a leave was cut off": (
        {}, seen(nodes_of(1), 15), {"unfinished": StepKind.IN}, less(4, 1, 950.0, cause=Cause.NONE),
    ),
    "no more than the threshold, and never asked since": ({}, seen(nodes_of(1), 15), {"asked_at": None}, less(4, 1, NOW, **ENDED)),
    "no sample": ({}, seen(nodes_of(1)), {}, UP),
    "no sample, and never asked since": ({}, seen(nodes_of(1)), {"asked_at": None}, {**UP, "asked_at": NOW}),
    "a sample that is too old": ({}, seen(nodes_of(1), 1, age_s=8.5), {}, UP),
    "no sample for ten minutes": ({}, seen(nodes_of(1)), {"asked_at": 400.0}, UP),
    "no sample for longer": ({}, seen(nodes_of(1)), {"asked_at": 399.0}, less(4, 1, 399.0, **ENDED)),
    "a value that isn't per node": (QUEUE, seen(nodes_of(1), 11, name="lb.queue"), {}, {**UP, "asked_at": NOW}),
    "a value that isn't per node, at its threshold": (QUEUE, seen(nodes_of(1), 10, name="lb.queue"), {}, less(4, 1, 950.0, **ENDED)),
    "a share of a CPU": (CPU, seen(nodes_of(1), 0.9, name="vm.cpu"), {}, less(4, 2, NOW)),
    "no policy": ({"scaling": {"policies": []}}, seen(nodes_of(1)), {}, less(4, 1, 950.0, **ENDED)),
    "not asked for, but a part is stated": (
        {"requirement": {"nodes": {"min": 3}}}, seen(nodes_of(1), 15), {}, less(4, 3, 950.0),
    ),
    "all of it is stated": ({"requirement": {"nodes": {"min": 4}}}, seen(nodes_of(1), 15), {}, UP),
    "more than it is stated": ({"requirement": {"nodes": {"min": 5}}}, seen(nodes_of(1), 15), {}, UP),
    "a statement that stands": (
        {"requirement": {"nodes": {"min": 4}}}, seen(nodes_of(1), 15), {"cause": Cause.STATED}, {**UP, "cause": Cause.STATED},
    ),
    "a statement that was taken back": ({}, seen(nodes_of(1), 15), {"cause": Cause.STATED}, less(4, 1, 950.0, **ENDED)),
    "a statement that was taken back, under load": (
        {}, seen(nodes_of(1), 46), {"cause": Cause.STATED}, less(4, 1, NOW, **ENDED),
    ),
    "a part of a statement that was taken back": (
        {"requirement": {"nodes": {"min": 2}}}, seen(nodes_of(1), 15), {"cause": Cause.STATED}, less(4, 2, 950.0, cause=Cause.STATED),
    ),
    "lost nodes are replaced whatever the load": ({}, seen(nodes_of(1), 2), {"cause": Cause.NONE, "known": None}, {**UP, "cause": Cause.NONE}),
    "a replacement too": ({}, seen(nodes_of(1), 2), {"cause": Cause.SIZE, "known": None}, {**UP, "cause": Cause.SIZE}),
    "lost nodes are replaced under load too": (
        {}, seen(nodes_of(1), 16), {"cause": Cause.NONE, "known": None}, {**UP, "cause": Cause.NONE},
    ),
    "no cause, and all of it is stated": (
        {"requirement": {"nodes": {"min": 4}}}, seen(nodes_of(1), 46), {"cause": None, "known": None, "unfinished": None},
        {**UP, "cause": Cause.NONE},
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", GROWTHS)
def test_a_growth_stands_as_far_as_it_is_asked_for(case: str) -> None:
    over, there, before, after = GROWTHS[case]
    made = cluster(merged({"requirement": {"nodes": {"max": 9}}}, over))
    memory = replace(OLD, **{"wanted": 4, "known": 1, **before})
    stands = standing(there, made.requirement, made.scaling, memory, NOW)
    assert stands.memory == replace(memory, **after)
    asked = stands.memory.wanted or 0
    assert (stands.note, stands.found) == (given_up(memory.wanted or 0, asked) if asked != memory.wanted else "", False)
