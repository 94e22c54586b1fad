# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""The report's small arithmetic at its edges: what lies in a window, what repeats a step, and how long an eye was blind."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lab.report_actions import Action
from lab.report_case import Case
from lab.report_clients import ALLOWANCE_S, is_explained, unexplained_s
from lab.report_observers import BLIND_S, TROUBLED_SHARE, eye_problems
from lab.report_run import Run
from lab.report_steps import is_repeated, journal_problems


@pytest.mark.parametrize(
    ("span", "windows", "rest_s"),
    [
        ((10, 20), [], 10),
        ((10, 20), [(10, 20)], 0),
        ((10, 20), [(12, 15)], 7),
        ((10, 20), [(0, 12), (18, 30)], 6),
        ((10, 20), [(18, 30), (0, 12)], 6),
        ((10, 20), [(0, 5), (25, 30)], 10),
        ((10, 20), [(11, 19), (12, 13)], 2),
    ],
)
def test_what_lies_in_no_window(span, windows, rest_s):
    assert unexplained_s(*span, windows) == rest_s


@pytest.mark.parametrize(
    ("begin", "end", "explained"),
    [
        (100 - ALLOWANCE_S, 200, True),
        (100 - ALLOWANCE_S - 0.1, 200, False),
        (100, 200 + ALLOWANCE_S, True),
        (100, 200 + ALLOWANCE_S + 0.1, False),
        (90, 91, False),
        (201, 202, False),
        (200, 201, True),
        (99, 100, True),
    ],
)
def test_a_failed_transaction_is_explained_by_a_window_that_it_touches(begin, end, explained):
    assert is_explained(begin, end, [(100, 200)]) is explained


def action(kind="grow", done=True, service="", nodes=(), **more):
    made = Action(kind, "why", nodes, 1.0, 2.0, 3.0, 9.0 if done else None, None, service=service, ended_at=9.0)
    return replace(made, **more)


MOVE = action("move", False, "ledger", ("n2",))


@pytest.mark.parametrize(
    ("failed", "later", "repeated"),
    [
        (action(done=False), [action()], True),
        (action(done=False), [action("replace")], True),
        (action("replace", False), [action()], True),
        (action(done=False), [action("shrink")], False),
        (action("shrink", False), [action()], False),
        (action("shrink", False), [action("shrink")], True),
        (action(done=False), [action(done=False)], False),
        (action(done=False), [action(done=False), action()], True),
        (MOVE, [action("move", True, "ledger", ("n2",))], True),
        (MOVE, [action("move", True, "ledger", ("n1",)), action("move", True, "ledger", ("n2",))], False),
        (MOVE, [action("move", True, "other", ("n2",))], False),
        (MOVE, [], False),
    ],
)
def test_a_step_is_repeated_by_the_next_one_of_its_kind_that_was_done(failed, later, repeated):
    assert is_repeated(failed, later) is repeated


def case(*actions):
    stopped = {"what": "stopped", "at": 1000.0}
    return Case(Run(0.0, [], [], [], "", [], [stopped]), [], actions, "ledger")


@pytest.mark.parametrize(("decided", "breach", "wrong"), [(3.0, 3.0, 0), (3.1, 1.0, 1), (2.0, 3.1, 1), (2.0, None, 0)])
def test_a_step_begins_after_its_cause(decided, breach, wrong):
    assert len(journal_problems(case(action(decided_at=decided, breach_at=breach)))) == wrong


STEADY = [float(at) for at in range(0, 1001, 10)]


@pytest.mark.parametrize(
    ("views", "troubles", "told"),
    [
        (STEADY, [], None),
        ([at for at in STEADY if not 100 < at < 100 + BLIND_S], [], None),
        ([at for at in STEADY if not 100 < at < 110 + BLIND_S], [], "it was blind for 100.0 s from 100.0 s on"),
        ([at for at in STEADY if at <= 900], [], "it was blind for 100.0 s from 900.0 s on"),
        ([at for at in STEADY if at >= 100], [], "it was blind for 100.0 s from 0.0 s on"),
        ([], [], "it saw nothing from 0.0 s to 1000.0 s"),
        (STEADY, [at + 1 for at in STEADY], "it was in trouble for 900.0 s of 1000.0 s"),
        (STEADY, [at + 1 for at in STEADY[: int(100 * TROUBLED_SHARE)]], None),
        (STEADY, [2000.0], None),
    ],
)
def test_how_long_an_eye_was_blind_or_in_trouble(views, troubles, told):
    assert eye_problems(case(), "it", 0.0, views, troubles) == ([told] if told else [])


def test_an_eye_that_was_to_see_nothing_yet_is_not_blind():
    assert eye_problems(case(), "it", 1000.0, [], []) == []
