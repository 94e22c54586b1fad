# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""What is decided, whole, where several things count at once: two policies, nodes half-way out, nodes of another size, hands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from ondemand.decide.decide import decide
from ondemand.decide.threshold import window_key
from ondemand.memory import Memory, Window
from ondemand.model import Cause, Decision, Kind, Node, Observation, Signal, Vm
from tests.driver.values import cluster, merged, node, observation, vm

NOW = 1000.0
REQUESTS = {"name": "requests", "signal": "lb.rate_per_node", "above": 15, "below": 6}
QUEUE = {"name": "queue", "signal": "lb.queue", "above": 10, "below": 1}
TWO = {
    "requirement": {"nodes": {"max": 9}},
    "scaling": {"policies": [REQUESTS, QUEUE], "scale_out": {"most_at_once": 4}, "scale_in": {"most_at_once": 4}},
}
MANY = "lb.rate_per_node 40 is above 15 for 6 s"
FEW = "lb.rate_per_node 2 is below 6 for 12 s"
BETWEEN = "lb.rate_per_node 10 lies between 6 and 15"
LONG = "lb.queue 20 is above 10 for 8 s"
SHORT = "lb.queue 0 is below 1 for 15 s"
HALF = node(2, standby=True, leaving=True)


def windows(over: dict[str, Any]) -> dict[str, Window]:
    """Both sides of all policies, as the sample before this one left them."""
    since = {"requests.above": 994.0, "requests.below": 988.0, "queue.above": 992.0, "queue.below": 985.0}
    sides = ((policy, side) for policy in cluster(over).scaling.policies for side in ("above", "below"))
    return {window_key(policy, side): Window(since[f"{policy.name}.{side}"], 999.0) for policy, side in sides}


def remembered(wanted: int, over: dict[str, Any], **more: Any) -> Memory:
    """A wish that nothing stands against."""
    return Memory(**{"wanted": wanted, "cause": Cause.NONE, "known": wanted, "windows": windows(over), **more})


def seen(
    nodes: Sequence[Node], rate: float | None = 10.0, queue: float | None = None, vms: Sequence[Vm] | None = None, **state: Any
) -> Observation:
    """These nodes, with signals of all that serve; `covered` names others."""
    names = state.pop("covered", tuple(one.name for one in nodes if not one.standby))
    told = {"lb.rate_per_node": rate, "lb.queue": queue}
    signals = {name: Signal(value, "", NOW, names) for name, value in told.items() if value is not None}
    return observation(nodes, vms, NOW, signals, **state)


def nodes_of(count: int) -> list[Node]:
    return [node(number + 1) for number in range(count)]


def grow(wanted: int, because: str, breach_at: float, cause: Cause = Cause.LOAD, code: str = "grow") -> Decision:
    return Decision(Kind.GROW, wanted, because, code, breach_at, cause)


def shrink(wanted: int, because: str, breach_at: float, cause: Cause = Cause.LOAD, code: str = "shrink") -> Decision:
    return Decision(Kind.SHRINK, wanted, because, code, breach_at, cause)


def hold(wanted: int, because: str, code: str) -> Decision:
    return Decision(Kind.HOLD, wanted, because, code)


# Case -> (changes of the cluster file, what is there, what the memory has, what is decided).
CASES: dict[str, tuple[dict[str, Any], Observation, dict[str, Any], Decision]] = {
    "of two that ask for more the greater number counts, with its own reason": (
        TWO, seen(nodes_of(2), 40, 20), {"wanted": 2}, grow(6, f"{MANY}: 6 nodes instead of 2", 994.0),
    ),
    "of two that ask for as many the first one's reason is told": (
        {**TWO, "scaling": {"policies": [QUEUE, REQUESTS]}}, seen(nodes_of(2), 40, 20), {"wanted": 2},
        grow(3, f"{LONG}: 3 nodes instead of 2", 992.0),
    ),
    "half a second of the cooldown after a growth is left": (
        {}, seen(nodes_of(1), 40), {"wanted": 1, "grown_at": 980.5},
        hold(1, f"{MANY}; the last growth was less than 20 s ago", "hold:cooldown_out"),
    ),
    "half a second of the cooldown before a shrinking is left": (
        {}, seen(nodes_of(2), 2), {"wanted": 2, "shrunk_at": 980.5},
        hold(2, f"{FEW}; the last shrinking was less than 20 s ago", "hold:cooldown_in_shrinking"),
    ),
    "two that agree count from the one that came to it last, and tell both reasons": (
        TWO, seen(nodes_of(6), 2, 0), {"wanted": 6}, shrink(2, f"{FEW}; {SHORT}: 2 nodes instead of 6", 988.0),
    ),
    "two that hold are both told, and the one that would shrink is not": (
        TWO, seen(nodes_of(2), 10, None), {"wanted": 2},
        hold(2, f"{BETWEEN}; policy queue can't tell: there is no sample of lb.queue", "hold:requests:between,queue:no_data"),
    ),
    "all can't tell": (
        TWO, seen(nodes_of(2), None), {"wanted": 2},
        hold(
            2,
            "policy requests can't tell: there is no sample of lb.rate_per_node; policy queue can't tell: there is no sample of lb.queue",
            "hold:requests:no_data,queue:no_data",
        ),
    ),
    "fewer while one is still on its way out": (
        {}, seen([*nodes_of(1), HALF, node(3)], 2), {"wanted": 2},
        hold(2, f"{FEW}; 2 nodes are wanted already, 3 are still there", "hold:shrinking"),
    ),
    "a signal of one node of two": (
        {}, seen(nodes_of(2), 2, covered=("shop-n1",)), {"wanted": 2},
        hold(2, f"{FEW}, but lb.rate_per_node says nothing about shop-n2: nothing is removed on half a picture", "hold:uncovered"),
    ),
    "a signal that says nothing about two": (
        {}, seen(nodes_of(3), 2, covered=("shop-n2",)), {"wanted": 3},
        hold(3, f"{FEW}, but lb.rate_per_node says nothing about shop-n1, shop-n3: nothing is removed on half a picture", "hold:uncovered"),
    ),
    "little load, and one that is wanted is not there": (
        TWO, seen(nodes_of(3), 2, 0), {"wanted": 4, "known": None},
        shrink(3, f"{FEW}; {SHORT}: 3 nodes instead of 4, as many as are there", 988.0),
    ),
    "little load, and fewer are there than the file asks for": (
        {**TWO, "requirement": {"nodes": {"min": 3, "max": 9}}}, seen(nodes_of(2), 2, 0), {"wanted": 4, "known": None},
        shrink(3, f"{FEW}; {SHORT}: 3 nodes instead of 4, not 2: the cluster file asks for no fewer", 988.0),
    ),
    "little load, without quorum and after a step of its own": (
        {}, seen(nodes_of(2), 2, quorate=False), {"wanted": 2, "known": None}, shrink(1, f"{FEW}: 1 nodes instead of 2", 988.0),
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_it_is_decided_and_told_whole(case: str) -> None:
    over, there, given, wanted = CASES[case]
    made = cluster(over)
    decision, after = decide(there, made.requirement, made.scaling, remembered(over=over, **given), NOW)
    assert decision == wanted
    assert after.held == ""


# ---------------------------------------------------------------- another size

SMALL = {"requirement": {"size": {"vcpus": 2, "memory_mib": 1024}, "nodes": {"max": 9}}}
ASKED = "the cluster file asks for nodes of 2 vCPUs and 1024 MiB, and"
# Case -> (VMs' vCPUs and MiB, requests per node, former reason and since when, what is decided).
SIZES: dict[str, tuple[list[tuple[int, int]], float, tuple[str, float], Decision]] = {
    "a larger one": ([(1, 640)], 10, ("", 500.0), grow(1, f"{ASKED} shop-n1 has another size", NOW, Cause.SIZE, "stated_size")),
    "several": (
        [(1, 1024), (2, 1024), (2, 640)], 10, ("", 500.0),
        grow(3, f"{ASKED} shop-n1, shop-n3 have another size", NOW, Cause.SIZE, "stated_size"),
    ),
    "a smaller one": ([(4, 1024)], 10, ("", 500.0), shrink(1, f"{ASKED} shop-n1 has another size", NOW, Cause.SIZE, "stated_size")),
    "one with less memory": ([(2, 2048)], 10, ("", 500.0), shrink(1, f"{ASKED} shop-n1 has another size", NOW, Cause.SIZE, "stated_size")),
    "some larger, some smaller": (
        [(4, 1024), (1, 1024)], 10, ("", 500.0),
        grow(2, f"{ASKED} shop-n1, shop-n2 have another size", NOW, Cause.SIZE, "stated_size"),
    ),
    "one that is known since long": (
        [(1, 640)], 10, (f"{ASKED} shop-n1 has another size", 500.0),
        grow(1, f"{ASKED} shop-n1 has another size", 500.0, Cause.SIZE, "stated_size"),
    ),
    "more load comes first": ([(1, 640)], 40, ("", 500.0), grow(2, f"{MANY}: 2 nodes instead of 1", 994.0)),
}  # fmt: skip


@pytest.mark.parametrize("case", SIZES)
def test_another_size_is_a_change_of_need_in_the_same_number(case: str) -> None:
    sizes, rate, (because, breach_at), wanted = SIZES[case]
    made = cluster(SMALL)
    vms = [vm(number + 1, memory_mib, vcpus) for number, (vcpus, memory_mib) in enumerate(sizes)]
    memory = remembered(len(sizes), {}, because=because, breach_at=breach_at)
    decision, after = decide(seen(nodes_of(len(sizes)), rate, vms=vms), made.requirement, made.scaling, memory, NOW)
    assert decision == wanted
    assert (after.because, after.breach_at, after.cause) == (wanted.because, wanted.breach_at, wanted.cause)


# ---------------------------------------------------------------- a leave that was cut off

HELD = "shop-n2 was about to leave, and stays half-way for now:"
BIG = {"requirement": {"size": {"memory_mib": 1024}}}
# Case -> (changes of the cluster file, what is there, nodes wanted before, why nobody goes on leaving).
LEAVES: dict[str, tuple[dict[str, Any], Observation, int, str]] = {
    "nobody is half-way out": ({}, seen(nodes_of(2), None), 2, ""),
    "no sample": ({}, seen([node(1), HALF], None), 1, f"{HELD} there is no sample of lb.rate_per_node"),
    "little load": ({}, seen([node(1), HALF], 2), 1, ""),
    "just as much as one takes": ({}, seen([node(1), HALF], 15), 1, ""),
    "more than one takes": ({}, seen([node(1), HALF], 15.5), 1, f"{HELD} lb.rate_per_node is above 15"),
    "two are half-way out": (
        {}, seen([node(1), HALF, node(3, standby=True, leaving=True)], None), 1,
        "shop-n2, shop-n3 was about to leave, and stays half-way for now: there is no sample of lb.rate_per_node",
    ),
    "one that serves isn't covered": (
        {}, seen([node(1), HALF, node(3)], 2, covered=("shop-n1",)), 2, f"{HELD} lb.rate_per_node says nothing about shop-n3",
    ),
    "of two policies one can't tell": (TWO, seen([node(1), HALF], 2), 1, f"{HELD} there is no sample of lb.queue"),
    "the file asks for another size": (BIG, seen([node(1), HALF], None, vms=[vm(1, 640), vm(2, 1024)]), 1, ""),
    "the file asks for fewer": ({"requirement": {"nodes": {"max": 1}}}, seen([node(1), HALF, node(3)], None), 2, ""),
    "more are there than the file allows": ({"requirement": {"nodes": {"max": 1}}}, seen([node(1), HALF], None), 1, ""),
    "as many as the file allows": (
        {"requirement": {"nodes": {"max": 2}}}, seen([node(1), HALF], None), 1, f"{HELD} there is no sample of lb.rate_per_node",
    ),
    "the file asks for fewer than were wanted, and no more are there": (
        {"requirement": {"nodes": {"max": 2}}}, seen([node(1), HALF], None), 3, "",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", LEAVES)
def test_a_leave_that_was_cut_off_goes_on_only_where_the_load_is_seen_to_allow_it(case: str) -> None:
    over, there, wanted, held = LEAVES[case]
    made = cluster(merged({"requirement": {"nodes": {"max": 3}}}, over))
    _, after = decide(there, made.requirement, made.scaling, remembered(wanted, over, known=None), NOW)
    assert after.held == held


# ---------------------------------------------------------------- what became of the former wish

FOUND = "no wish is remembered, and the cluster has 1 node"
ENDED = "a growth to 3 nodes is given up, for nothing asks for more than 1 any more"
# Case -> (requests per node, the memory, what is decided).
WISHES: dict[str, tuple[float, Memory, Decision]] = {
    "without a memory, at rest": (10, Memory(), hold(1, f"{FOUND}; {BETWEEN}", "found:hold:requests:between")),
    "without a wish, under load": (
        40, Memory(windows=windows({})), grow(2, f"{FOUND}; {MANY}: 2 nodes instead of 1", 994.0, code="found:grow"),
    ),
    "a growth that nothing asks for any more, at rest": (
        10, Memory(wanted=3, known=1, cause=Cause.LOAD), hold(1, f"{ENDED}; {BETWEEN}", "ended:hold:requests:between"),
    ),
    "a growth that another one follows": (
        40, Memory(wanted=5, known=1, cause=Cause.LOAD, windows=windows({})),
        hold(3, f"a growth to 5 nodes is given up, for nothing asks for more than 3 any more; {MANY}; 3 nodes are wanted already, 1 are there",
             "ended:hold:growing"),
    ),
    "a wish for fewer that one for more follows": (
        40, Memory(wanted=2, known=3, cause=Cause.LOAD, windows=windows({})), grow(4, f"{MANY}: 4 nodes instead of 3", 994.0),
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", WISHES)
def test_what_is_found_is_always_told_and_what_has_ended_where_nothing_follows(case: str) -> None:
    rate, memory, wanted = WISHES[case]
    made = cluster({"requirement": {"nodes": {"max": 9}}})
    there = seen(nodes_of(memory.known or 1), rate)
    assert decide(there, made.requirement, made.scaling, memory, NOW)[0] == wanted
