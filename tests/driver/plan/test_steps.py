# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""Each step whole, with its deadline from those of the cluster file; and what is said where its end is not there."""

from __future__ import annotations

from typing import Any

import pytest

from ondemand.config.model import Deadlines
from ondemand.model import Observation, Step, StepKind
from ondemand.plan.steps import create, move, scale_in, scale_out, why_not_reached
from tests.driver.values import node, observation, vm

# Each a power of ten, so that a sum tells what is in it.
LIMITS = Deadlines(boot_s=1, join_s=10, move_s=100, drain_s=1000, leave_s=10000)
OVERHEAD_S = 120
WHY = "because"


def test_a_cluster_is_created_with_parallel_boots_and_joins_one_after_another() -> None:
    assert create(3, LIMITS, WHY) == Step(StepKind.CREATE, {}, WHY, {"members": 3}, 1 + 60 + 200 + OVERHEAD_S)


def test_growing_takes_a_boot_and_as_many_joins_as_there_are_new_nodes() -> None:
    assert scale_out(5, 2, LIMITS, WHY) == Step(StepKind.OUT, {"wanted": 5}, WHY, {"members": 5}, 1 + 40 + OVERHEAD_S)


def test_what_makes_no_new_node_is_given_the_time_of_one() -> None:
    assert scale_out(5, 0, LIMITS, WHY).deadline_s == scale_out(5, 1, LIMITS, WHY).deadline_s == 1 + 20 + OVERHEAD_S


def test_who_is_taken_back_has_to_serve_afterwards() -> None:
    expected = {"members": 5, "serving": ["shop-n2", "shop-n3"]}
    assert scale_out(5, 1, LIMITS, WHY, ("shop-n2", "shop-n3")) == Step(StepKind.OUT, {"wanted": 5}, WHY, expected, 1 + 20 + OVERHEAD_S)


@pytest.mark.parametrize(("unseen", "told"), [(1, 4), (4, 1), (5, 1)])
def test_the_playbook_is_told_a_number_of_vms_that_it_can_count(unseen: int, told: int) -> None:
    assert scale_out(5, 1, LIMITS, WHY, (), unseen) == Step(StepKind.OUT, {"wanted": told}, WHY, {"members": 5}, 1 + 20 + OVERHEAD_S)


def test_a_leave_takes_a_drain_and_for_each_that_leaves_its_time_and_a_move() -> None:
    variables = {"wanted": 1, "leavers": ["shop-n3", "shop-n2"]}
    expected = {"gone": ["shop-n3", "shop-n2"]}
    assert scale_in(1, ("shop-n3", "shop-n2"), LIMITS, WHY) == Step(StepKind.IN, variables, WHY, expected, 1000 + 40200 + OVERHEAD_S)


def test_a_move_takes_its_own_time() -> None:
    variables = {"service": "s0", "to": "shop-n2"}
    assert move("s0", "shop-n2", LIMITS, WHY) == Step(StepKind.MOVE, variables, WHY, {"service": "s0", "node": "shop-n2"}, 100 + OVERHEAD_S)


TWO = observation([node(1, ["s0"]), node(2)])
HALF = observation([node(1, ["s0"]), node(3, standby=True, leaving=True), node(2, standby=True, leaving=True)])
NOBODY = observation([], [vm(1)])
S0_ON_2 = {"service": "s0", "node": "shop-n2"}
# What is expected, what is there, what is missing.
ENDS: list[tuple[dict[str, Any], Observation, str | None]] = [
    ({"members": 2}, TWO, None),
    ({"members": 1}, TWO, None),
    ({"members": 3}, TWO, "2 of 3 nodes are members"),
    ({"members": 1}, NOBODY, "0 of 1 nodes are members"),
    ({"members": 3, "serving": ["shop-n1"]}, HALF, None),
    ({"members": 3, "serving": ["shop-n2", "shop-n3", "shop-n1"]}, HALF,
     "shop-n2, shop-n3 is not taken back: it is in standby still, or no member"),
    ({"gone": ["shop-n3"]}, TWO, None),
    ({"gone": ["shop-n3", "shop-n2", "shop-n1"]}, TWO, "shop-n1, shop-n2 is still there"),
    ({"gone": ["shop-n2"]}, observation([node(1)], [vm(1), vm(2)]), "shop-n2 is still there"),
    ({"gone": ["shop-n2"]}, observation([node(1), node(2)], [vm(1)]), "shop-n2 is still there"),
    ({"gone": ["shop-n2"]}, observation([node(1), node(2, online=False)], [vm(1)]), None),
    (S0_ON_2, observation([node(1), node(2, ["s0"])]), None),
    (S0_ON_2, TWO, "s0 runs on shop-n1"),
    (S0_ON_2, observation([node(1, ["s0"]), node(2, ["s0"])]), "s0 runs on shop-n1, shop-n2"),
    (S0_ON_2, observation([node(1), node(2)]), "s0 runs on no node"),
    (S0_ON_2, NOBODY, None),
]  # fmt: skip


@pytest.mark.parametrize(("expected", "there", "missing"), ENDS)
def test_a_playbooks_good_end_is_no_proof(expected: dict[str, Any], there: Observation, missing: str | None) -> None:
    told = why_not_reached(Step(StepKind.IN, {}, "", expected, 1.0), there)
    assert told == (None if missing is None else f"scale_in ended well, yet {missing}")
