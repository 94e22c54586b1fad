# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""The bench's arithmetic: who goes first, what a figure says, and which goals were missed."""

from __future__ import annotations

import pytest

from lab.bench.grow import growth, parts_of
from lab.bench.ratio import Goal, figure, in_turns, missed


def test_both_take_turns_and_so_does_who_goes_first() -> None:
    order: list[str] = []
    seconds = iter(range(1, 7))

    def act(who: str) -> float:
        order.append(who)
        return float(next(seconds))

    raw, ours = in_turns(lambda: act("raw"), lambda: act("own"), turns=3)
    assert order == ["raw", "own", "own", "raw", "raw", "own"]
    assert (raw, ours) == ([1.0, 4.0, 5.0], [2.0, 3.0, 6.0])


@pytest.mark.parametrize(
    ("goal", "met"),
    [(Goal("ratio", 1.5), True), (Goal("ratio", 1.49), False), (Goal("more_s", 1.0), True), (Goal("more_s", 0.9), False)],
)
def test_a_goal_is_met_up_to_its_most(goal: Goal, met: bool) -> None:
    found = figure([2.0, 1.0, 9.0], [3.0, 2.5, 4.0], goal)
    assert (found["raw_median_s"], found["own_median_s"], found["ratio"], found["more_s"]) == (2.0, 3.0, 1.5, 1.0)
    assert found["goals"] == [{"value": goal.value, "most": goal.most, "met": met}]
    assert bool(missed({"join": found})) != met


def test_a_missed_goal_is_told_with_its_figure() -> None:
    assert missed({"join": figure([1.0], [2.0], Goal("ratio", 1.2)), "vm": figure([1.0], [1.0], Goal("more_s", 0.4))}) == [
        "join: ratio is 2, and at most 1.2 was the goal"
    ]


def test_a_growth_is_boot_join_and_the_rest_of_it() -> None:
    vm = {"timings": {"started_at": 10.0, "reachable_at": 17.0}, "join_started_at": 20.0, "joined_at": 32.0}
    parts = parts_of({"vms": [vm]}, 30.0)
    assert parts == {"own_s": 30.0, "boot_s": 7.0, "join_s": 12.0, "rest_s": 11.0}
    slow = growth([parts, parts, {**parts, "rest_s": 5.0}])
    assert (slow["rest_s"], slow["rest_median_s"]) == ([11.0, 11.0, 5.0], 11.0)
    assert missed({"scale_out": slow}) == ["scale_out: rest_median_s is 11, and at most 10 was the goal"]
