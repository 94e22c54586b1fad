# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""One policy: which samples it can use, how long its condition lasts, and for how many nodes it asks, in words and numbers."""

from __future__ import annotations

import math
from typing import Any

import pytest

from ondemand.config.model import Policy
from ondemand.decide.threshold import PER_NODE, Vote, stale_after_s, vote, why_unusable, window_key, windows_after
from ondemand.memory import Window
from ondemand.model import Signal
from tests.driver.values import cluster

NOW = 1000.0
NAMES = tuple(f"shop-n{number}" for number in range(1, 10))
REQUESTS = Policy(name="requests", signal="lb.rate_per_node", above=15, below=6)
QUEUE = Policy(name="queue", signal="lb.queue", above=10, below=2)
CPU = Policy(name="cpu", signal="vm.cpu", above=0.6, below=0.2)
STALE_S = 8.0


def scaling(**over: Any) -> Any:
    """Looks every 2 s; 6 s above and 12 s below are asked for; `most` nodes at once."""
    most = over.pop("most", 1)
    return cluster({"scaling": {"scale_out": {"most_at_once": most}, "scale_in": {"most_at_once": most}, **over}}).scaling


def sample(value: float, nodes: int = 2, at: float = NOW, unit: str = "") -> Signal:
    return Signal(value, unit, at, NAMES[:nodes])


def test_a_sample_is_stale_after_three_looks_and_two_seconds() -> None:
    assert (stale_after_s(scaling()), stale_after_s(scaling(every_s=5))) == (8, 17)


FUTURE = "the sample of lb.queue claims to be from the future"
# Sample -> why it can't be used.
SAMPLES: list[tuple[Signal | None, str | None]] = [
    (sample(5), None),
    (sample(0), None),
    (sample(5, at=992), None),
    (sample(5, at=1001), None),
    (sample(5, nodes=0), None),
    (None, "there is no sample of lb.queue"),
    (sample(-1), "the sample of lb.queue, -1, is no usable number"),
    (sample(math.nan), "the sample of lb.queue, nan, is no usable number"),
    (sample(math.inf), "the sample of lb.queue, inf, is no usable number"),
    (sample(5, at=1001.5), FUTURE),
    (sample(5, at=math.inf), FUTURE),
    (sample(5, at=math.nan), FUTURE),
    (sample(5, at=991.4), "the newest sample of lb.queue is 9 s old, more than 8 s"),
]


@pytest.mark.parametrize(("given", "why"), SAMPLES)
def test_only_a_finite_number_of_this_moment_can_be_used(given: Signal | None, why: str | None) -> None:
    assert why_unusable("lb.queue", given, NOW, STALE_S) == why


def test_a_value_per_node_that_covers_no_node_tells_nothing() -> None:
    for name in PER_NODE:
        assert why_unusable(name, sample(5, nodes=0), NOW, STALE_S) == f"the sample of {name} covers no node"
        assert why_unusable(name, sample(5, nodes=1), NOW, STALE_S) is None


def test_another_signal_side_or_threshold_is_another_condition() -> None:
    assert [window_key(REQUESTS, side) for side in ("above", "below")] == [
        "requests.above.lb.rate_per_node.15",
        "requests.below.lb.rate_per_node.6",
    ]
    assert window_key(CPU, "below") == "cpu.below.vm.cpu.0.2"


ABOVE, BELOW = window_key(REQUESTS, "above"), window_key(REQUESTS, "below")
# Case -> (value and time of the sample, if any; seconds spent observing; since when and when seen last: above, below; the windows after it).
# At 1000 s, stale after 8 s: `above` goes on over 32 s without a sample, `below` over 8 s.
WINDOWS: dict[str, tuple[tuple[float, float] | None, float, tuple[float, float] | None, tuple[float, float] | None, dict[str, Window]]] = {
    "between": ((10, 999), 0, (990, 998), (990, 998), {}),
    "at the upper threshold": ((15, 999), 0, (990, 998), (990, 998), {}),
    "at the lower threshold": ((6, 999), 0, (990, 998), (990, 998), {}),
    "above for the first time": ((16, 999), 0, None, None, {ABOVE: Window(999, 999)}),
    "below for the first time": ((5, 999), 0, None, None, {BELOW: Window(999, 999)}),
    "above as before": ((16, 999), 0, (990, 998), (990, 998), {ABOVE: Window(990, 999)}),
    "below as before": ((5, 999), 0, (990, 998), (990, 998), {BELOW: Window(990, 999)}),
    "above as before, long ago": ((16, 999), 0, (900, 967), None, {ABOVE: Window(900, 999)}),
    "above as before, too long ago": ((16, 999), 0, (900, 966.5), None, {ABOVE: Window(999, 999)}),
    "below as before, long ago": ((5, 999), 0, None, (900, 991), {BELOW: Window(900, 999)}),
    "below as before, too long ago": ((5, 999), 0, None, (900, 990.5), {BELOW: Window(999, 999)}),
    "above as before a long look": ((16, 999), 60, (800, 907), None, {ABOVE: Window(800, 999)}),
    "above as before a look that was not so long": ((16, 999), 60, (800, 906), None, {ABOVE: Window(999, 999)}),
    "below as before a long look": ((5, 999), 60, None, (800, 931), {BELOW: Window(800, 999)}),
    "below as before a look that was not so long": ((5, 999), 60, None, (800, 930), {BELOW: Window(999, 999)}),
    "the same sample again": ((16, 990), 0, (990, 990), None, {ABOVE: Window(990, 990)}),
    "since a time that is yet to come": ((16, 990), 0, (995, 990), None, {ABOVE: Window(990, 990)}),
    "no sample": (None, 0, (990, 999), (990, 999), {ABOVE: Window(990, 999)}),
    "no sample yet": (None, 0, None, None, {}),
    "no sample since this moment": (None, 0, (990, 1000), None, {ABOVE: Window(990, 1000)}),
    "no sample for long": (None, 0, (900, 968), None, {ABOVE: Window(900, 968)}),
    "no sample for too long": (None, 0, (900, 967.5), None, {}),
    "no sample during a long look": (None, 60, (800, 908), (800, 999), {ABOVE: Window(800, 908)}),
    "seen at a time that is yet to come": (None, 0, (990, 1000.5), None, {}),
}


@pytest.mark.parametrize("case", WINDOWS)
def test_a_gap_ends_what_allows_a_removal_and_not_so_soon_what_asks_for_growth(case: str) -> None:
    given, busy_s, above, below, wanted = WINDOWS[case]
    before = {key: Window(*one) for key, one in ((ABOVE, above), (BELOW, below)) if one} | {"other.above.lb.queue.1": Window(990, 999)}
    signal = sample(given[0], at=given[1]) if given else None
    assert windows_after(REQUESTS, signal, before, NOW, STALE_S, busy_s) == wanted


SINCE = {"above": 994.0, "below": 988.0}


def asked(policy: Policy, value: float, nodes: int, wanted: int, aside: int = 0, most: int = 1, unit: str = "", **since: float) -> Vote:
    """The vote of a policy whose condition has lasted just long enough."""
    signal = sample(value, nodes, unit=unit)
    sides = [side for side, holds in (("above", value > policy.above), ("below", value < policy.below)) if holds]
    windows = {window_key(policy, side): Window({**SINCE, **since}[side], NOW) for side in sides}
    return vote(policy, scaling(most=most), signal, None, windows, wanted, aside)


def test_without_a_sample_a_policy_can_not_tell_whatever_was_before() -> None:
    told = vote(REQUESTS, scaling(), None, "there is none", {ABOVE: Window(990, 998)}, 3, 0)
    assert told == Vote("requests", None, "no_data", "policy requests can't tell: there is none")


def test_between_the_thresholds_a_policy_asks_for_as_many_as_before() -> None:
    assert asked(REQUESTS, 15, 2, 3) == Vote("requests", 3, "between", "lb.rate_per_node 15 lies between 6 and 15")
    assert asked(QUEUE, 1234.5, 2, 3, unit="requests", above=1000.0) == Vote(
        "queue", 3, "above_soon", "lb.queue 1234 requests is above 10 for 0 s, and 6 s are asked for", 1000.0
    )


def test_a_condition_counts_when_it_has_lasted_its_seconds() -> None:
    assert asked(REQUESTS, 20, 1, 1, above=994.1) == Vote(
        "requests", 1, "above_soon", "lb.rate_per_node 20 is above 15 for 6 s, and 6 s are asked for", 994.1
    )
    assert asked(REQUESTS, 20, 1, 1) == Vote("requests", 2, "above", "lb.rate_per_node 20 is above 15 for 6 s", 994.0)
    assert asked(REQUESTS, 5, 2, 2, below=989.0) == Vote(
        "requests", 2, "below_soon", "lb.rate_per_node 5 is below 6 for 11 s, and 12 s are asked for", 989.0
    )
    assert asked(REQUESTS, 5, 2, 2) == Vote("requests", 1, "below", "lb.rate_per_node 5 is below 6 for 12 s", 988.0)


@pytest.mark.parametrize(
    ("value", "words"),
    [(16.04, "16"), (123.4, "123"), (999.4, "999"), (999.5, "1000"), (1000.0, "1000"), (1000.6, "1001"), (123456.7, "123457")],
)
def test_numbers_have_three_digits_and_large_ones_are_written_out(value: float, words: str) -> None:
    assert asked(QUEUE, value, 1, 1).because == f"lb.queue {words} is above 10 for 6 s"


# Policy, value, nodes measured, nodes wanted, of these in standby, most at once -> nodes asked for.
MORE: list[tuple[Policy, float, int, int, int, int, int]] = [
    (REQUESTS, 16, 1, 1, 0, 9, 2),
    (REQUESTS, 30, 1, 1, 0, 9, 2),
    (REQUESTS, 31, 1, 1, 0, 9, 3),
    (REQUESTS, 31, 2, 2, 0, 9, 5),
    (REQUESTS, 31, 2, 2, 0, 1, 3),
    (REQUESTS, 31, 2, 2, 0, 2, 4),
    (REQUESTS, 16, 2, 5, 0, 9, 6),
    (REQUESTS, 31, 2, 4, 2, 9, 7),
    (REQUESTS, 99, 0, 2, 1, 9, 3),
    (REQUESTS, 1e300, 9, 9, 0, 3, 12),
    (CPU, 0.9, 4, 4, 0, 9, 6),
    (QUEUE, 500, 2, 2, 0, 9, 3),
]


@pytest.mark.parametrize(("policy", "value", "nodes", "wanted", "aside", "most", "target"), MORE)
def test_as_many_more_are_asked_for_as_the_work_needs(
    policy: Policy, value: float, nodes: int, wanted: int, aside: int, most: int, target: int
) -> None:
    told = asked(policy, value, nodes, wanted, aside, most)
    assert (told.target, told.code, told.breach_at) == (target, "above", 994.0)
    assert told.because.endswith(" for 6 s")


# Policy, value, nodes measured, nodes wanted, of these in standby, most at once -> nodes that do, and why no fewer.
FEWER: list[tuple[Policy, float, int, int, int, int, int, str]] = [
    (REQUESTS, 5, 3, 3, 0, 1, 2, ""),
    (REQUESTS, 5, 3, 3, 0, 2, 2, ""),
    (REQUESTS, 4, 3, 3, 0, 9, 1, ""),
    (REQUESTS, 5.5, 3, 3, 0, 9, 2, ""),
    (REQUESTS, 1, 5, 5, 0, 2, 3, ""),
    (REQUESTS, 1, 5, 5, 0, 9, 1, ""),
    (REQUESTS, 5, 4, 5, 1, 9, 3, ""),
    (REQUESTS, 1, 4, 5, 1, 9, 2, ""),
    (REQUESTS, 2, 0, 2, 0, 1, 1, ""),
    (REQUESTS, 5.9, 0, 2, 0, 1, 1, ""),
    (REQUESTS, 3, 1, 1, 0, 1, 0, ""),
    (REQUESTS, 5, 8, 3, 0, 1, 3, ", but with 2 nodes it would be 20, not below 15"),
    (REQUESTS, 5, 8, 4, 1, 1, 4, ", but with 3 nodes it would be 20, not below 15"),
    (REQUESTS, 5, 3, 2, 0, 1, 2, ", but with 1 nodes it would be 15, not below 15"),
    (REQUESTS, 3, 1, 2, 1, 9, 2, ", but 1 of 2 nodes are in standby by somebody's hand, and one has to serve"),
    (REQUESTS, 3, 1, 2, 2, 9, 2, ", but 2 of 2 nodes are in standby by somebody's hand, and one has to serve"),
    (QUEUE, 1, 3, 3, 0, 1, 2, ""),
    (QUEUE, 1, 3, 3, 0, 9, 0, ""),
    (QUEUE, 1, 3, 4, 1, 9, 2, ""),
    (QUEUE, 1, 3, 9, 1, 2, 7, ""),
    (QUEUE, 1, 1, 2, 1, 9, 2, ", but 1 of 2 nodes are in standby by somebody's hand, and one has to serve"),
]


@pytest.mark.parametrize(("policy", "value", "nodes", "wanted", "aside", "most", "target", "why"), FEWER)
def test_as_few_do_as_stay_below_the_upper_threshold(
    policy: Policy, value: float, nodes: int, wanted: int, aside: int, most: int, target: int, why: str
) -> None:
    told = asked(policy, value, nodes, wanted, aside, most)
    assert (told.target, told.code, told.breach_at) == (target, "below_but" if why else "below", 988.0)
    assert told.because.endswith(f" for 12 s{why}")
