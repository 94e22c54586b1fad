# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""What is remembered after a decision, while a step runs, after its end, and over a start: the whole memory each time."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ondemand.memory import Memory, Window, begun, capped, decided, remember
from ondemand.model import Cause, Decision, Kind, Outcome, Step, StepKind

NOW = 1000.0
OLD = Memory(
    2, "why", 900.0, {"w": Window(1.0, 2.0)}, 700.0, 800.0, 3, 1010.0, StepKind.OUT, {"ledger@shop-n2": 2000.0}, Cause.LOAD, 2, 950.0,
    {"shop-n9": 100.0}, "held",
)  # fmt: skip


def step(kind: StepKind) -> Step:
    return Step(kind, {"service": "ledger", "to": "shop-n1"}, "because", {}, 60.0)


def test_a_hold_changes_no_wish() -> None:
    assert decided(OLD, Decision(Kind.HOLD, 2, "nothing to do", "hold")) == OLD


@pytest.mark.parametrize("kind", [Kind.GROW, Kind.SHRINK])
def test_what_is_decided_is_kept_with_its_reason_its_cause_and_since_when(kind: Kind) -> None:
    after = decided(OLD, Decision(kind, 3, "more load", "grow", 990.0, Cause.STATED))
    assert after == replace(OLD, wanted=3, because="more load", breach_at=990.0, cause=Cause.STATED)


@pytest.mark.parametrize(("kind", "known"), [(StepKind.CREATE, None), (StepKind.OUT, None), (StepKind.IN, None), (StepKind.MOVE, 2)])
def test_while_a_step_runs_nobody_elses_hand_is_seen_in_what_it_changes(kind: StepKind, known: int | None) -> None:
    assert begun(OLD, step(kind)) == replace(OLD, unfinished=kind, known=known)


@pytest.mark.parametrize(
    ("kind", "after"),
    [
        (StepKind.CREATE, {"windows": {}, "grown_at": NOW}),
        (StepKind.OUT, {"windows": {}, "grown_at": NOW}),
        (StepKind.IN, {"windows": {}, "shrunk_at": NOW}),
        (StepKind.MOVE, {}),
    ],
)
def test_a_good_end_leaves_no_trouble_behind(kind: StepKind, after: dict[str, Any]) -> None:
    made = remember(OLD, step(kind), Outcome(True, {}, "done", 990.0, NOW), NOW)
    assert made == replace(OLD, **{"failures": 0, "retry_at": None, "unfinished": None, **after})


LATER = {"data@shop-n1": 999.0, "data@shop-n2": NOW, "data@shop-n3": 1000.1}


@pytest.mark.parametrize(("kind", "barred"), [(StepKind.IN, {}), (StepKind.MOVE, {"ledger@shop-n1": NOW + 3600})])
def test_a_bad_end_leaves_a_pause_and_bars_what_failed_until_its_time(kind: StepKind, barred: dict[str, float]) -> None:
    made = remember(replace(OLD, barred=LATER), step(kind), Outcome(False, {}, "no room", 990.0, NOW), NOW)
    assert made == replace(OLD, failures=4, retry_at=NOW + 80, windows={}, barred={"data@shop-n3": 1000.1, **barred})


def test_a_move_that_pacemaker_would_not_have_is_tried_no_more_for_a_while_and_keeps_nothing_else_waiting() -> None:
    done = Outcome(False, {}, "mail would go from n2 to n1 too", 990.0, NOW, "no_place")
    free = replace(OLD, unfinished=None, barred={"data@shop-n3": 1000.1, "ledger@shop-n1": NOW + 3600})
    assert remember(replace(OLD, barred=LATER), step(StepKind.MOVE), done, NOW) == free
    assert remember(OLD, step(StepKind.IN), done, NOW).failures == 4, "of a step that changes the members it is one"


def test_who_came_second_has_not_failed_and_looks_anew_soon() -> None:
    done = Outcome(False, {}, "the cluster is being changed by somebody", 990.0, NOW, "held")
    assert remember(OLD, step(StepKind.MOVE), done, NOW) == replace(OLD, unfinished=None, retry_at=NOW + 10, windows={})


TIMES: dict[str, Any] = {"breach_at": 900.0, "grown_at": 700.0, "shrunk_at": 800.0, "asked_at": 950.0}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({}, {}),
        (dict.fromkeys([*TIMES, "retry_at"]), {}),
        (dict.fromkeys(TIMES, 5000.0), dict.fromkeys(TIMES, NOW)),
        ({"retry_at": 1300.0}, {}),
        ({"retry_at": 5000.0}, {"retry_at": 1300.0}),
        ({"barred": {"a@b": 900.0, "c@d": 4600.0}}, {}),
        ({"barred": {"a@b": 900.0, "c@d": 9999.0}}, {"barred": {"a@b": 900.0, "c@d": 4600.0}}),
    ],
)
def test_a_clock_that_was_ahead_blocks_nothing_for_as_long_as_it_was_ahead(before: dict[str, Any], after: dict[str, Any]) -> None:
    given = replace(OLD, **before)
    assert capped(given, NOW) == replace(given, **after)
