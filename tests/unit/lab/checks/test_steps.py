# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""The journal held against what was seen: what can't be, what was left undone, and what came or went without a step."""

from __future__ import annotations

import pytest

from lab.checks import steps
from tests.unit.lab.checks.parts import REQUIREMENT, action, answer, case, note, view, vm

CREATED, STOPPED = note("created", 30), note("stopped", 1000)


def entry(kind, at, **facts):
    return {"kind": kind, "at": at, "because": "why", kind: "scale_out", **facts}


def outcome(at, **facts):
    return {"kind": "outcome", "at": at, "step": "scale_out", "because": "done", "ok": True, "began_at": 100.0, "ended_at": 110.0, **facts}


@pytest.mark.parametrize(
    ("history", "told"),
    [
        ([entry("decision", 90), entry("step", 100), outcome(110)], []),
        ([entry("step", 100), outcome(100)], []),
        (
            [entry("step", 100), outcome(99.9), entry("step", 110), outcome(105)],
            ["the journal's times run backwards: the outcome of 99.9 s is after the step of 100.0 s"],
        ),
        ([entry("step", 35), entry("step", 1015)], []),
        ([entry("step", 34.9), entry("step", 40)], ["1 entries of the journal are not of this run, the first is the step of 34.9 s"]),
        ([entry("plan", 34), entry("step", 1015.1)], ["2 entries of the journal are not of this run, the first is the plan of 34.0 s"]),
        ([entry("decision", 90, because="", decision="grow")], ["a decision (grow) of 90.0 s has no reason"]),
        ([entry("step", 90, because=" ")], ["a step (scale_out) of 90.0 s has no reason"]),
        ([entry("plan", 90, because="")], []),
        ([outcome(110, began_at=110.0)], []),
        ([outcome(110, because="")], []),
        ([outcome(110, ok=False)], []),
        ([outcome(110, began_at=110.1)], ["the outcome of scale_out at 110.0 s ended before it began, or failed without a reason"]),
        (
            [outcome(110, ok=False, because=" ")],
            ["the outcome of scale_out at 110.0 s ended before it began, or failed without a reason"],
        ),
    ],
)
def test_a_journal_of_this_run_runs_forward_and_gives_reasons(history, told):
    assert steps.journal_problems(case(history=history, events=[note("driver", 50), STOPPED])) == told


def test_a_journal_without_a_driver_that_was_noted_begins_with_the_run():
    history = [entry("plan", -15.1), entry("plan", -15)]
    told = "1 entries of the journal are not of this run, the first is the plan of -15.1 s"
    assert steps.journal_problems(case(history=history, events=[STOPPED])) == [told]


@pytest.mark.parametrize(
    ("decided", "breach", "is_wrong"),
    [(100.0, 100.0, False), (100.1, 1.0, True), (90.0, 100.1, True), (90.0, None, False)],
)
def test_a_step_begins_after_its_cause(decided, breach, is_wrong):
    seen = case(actions=[action(decided_at=decided, breach_at=breach)], events=[STOPPED])
    assert steps.journal_problems(seen) == ["the grow of 100.0 s began before its cause was there"] * is_wrong


LOST = action(ended=None, nodes=("n2",))  # a growth whose end nobody knows, and whose VM was seen
KILL = note("kill", 105, whom="the driver", during=[])


@pytest.mark.parametrize(
    ("one", "events", "done"),
    [
        (action(), [], True),
        (LOST, [], False),
        (LOST, [KILL], True),
        (action(ended=None), [KILL], False),
        (action(ended=None, nodes=("n2",), interrupted=False), [KILL], False),
        (action("move", ended=None, nodes=("n2",)), [KILL], False),
        (action("move", ended=None, serving_at=120.0), [KILL], True),
        (LOST, [note("kill", 85)], True),
        (LOST, [note("kill", 84.9)], False),
        (LOST, [note("kill", 1015)], True),
        (LOST, [note("kill", 1015.1)], False),
        (action(ended=None, nodes=("n2",), ended_at=110.0), [note("kill", 125)], True),
        (action(ended=None, nodes=("n2",), ended_at=110.0), [note("kill", 125.1)], False),
    ],
)
def test_a_step_is_done_by_its_outcome_or_after_a_kill_by_what_was_seen(one, events, done):
    assert steps.is_done(case(actions=[one], events=[*events, STOPPED]), one) is done


MOVE = action("move", ended=None, service="ledger", nodes=("n2",))


def moved(to, service="ledger"):
    return action("move", 200, 210, service=service, nodes=(to,))


@pytest.mark.parametrize(
    ("failed", "later", "repeated"),
    [
        (action(ended=None), [action()], True),
        (action(ended=None), [action("replace")], True),
        (action("replace", ended=None), [action()], True),
        (action("replace", ended=None), [action("replace")], True),
        (action(ended=None), [action("shrink")], False),
        (action("shrink", ended=None), [action()], False),
        (action("shrink", ended=None), [action("shrink")], True),
        (action("shrink", ended=None, nodes=("n1",)), [action("shrink", nodes=("n2",))], True),
        (action(ended=None), [action(ended=None)], False),
        (action(ended=None), [action(ended=None), action()], True),
        (MOVE, [moved("n2")], True),
        (MOVE, [moved("n1"), moved("n2")], False),
        (MOVE, [moved("n2", "other")], False),
        (MOVE, [], False),
    ],
)
def test_a_step_is_repeated_by_the_next_one_of_its_kind_that_was_done(failed, later, repeated):
    assert steps.is_repeated(failed, later) is repeated


@pytest.mark.parametrize(
    ("actions", "events", "told"),
    [
        ([action()], [], []),
        ([action(ended=None)], [], ["the grow at 100.0 s was not done and not repeated with success: its end is not known"]),
        (
            [action(ended=None, failed_because="no room")],
            [],
            ["the grow at 100.0 s was not done and not repeated with success: no room"],
        ),
        ([MOVE], [], ["the move of ledger to n2 at 100.0 s was not done and not repeated with success: its end is not known"]),
        (
            [action(ended=None, failed_because="")],
            [],
            ["the grow at 100.0 s was not done and not repeated with success: it failed without a reason"],
        ),
        ([MOVE, moved("n2")], [], []),
        ([action(ended=None), action("shrink", 200)], [KILL], []),
        (
            [action("shrink", 90), action(ended=None)],
            [KILL],
            ["the grow at 100.0 s was not done and not repeated with success: its end is not known"],
        ),
        (
            [action(ended=None), action("shrink", 200)],
            [],
            ["the grow at 100.0 s was not done and not repeated with success: its end is not known"],
        ),
        (
            [action(ended=None, interrupted=False, failed_because="no room"), action("shrink", 200)],
            [KILL],
            ["the grow at 100.0 s was not done and not repeated with success: no room"],
        ),
    ],
)
def test_what_was_left_undone(actions, events, told):
    assert steps.undone(case(actions=actions, events=[*events, STOPPED])) == told


WENT = "ledger went from n1 to n2 at 105.0 s without a move that the driver did"
ANSWERS = [answer(90), answer(105, "n2")]


@pytest.mark.parametrize(
    ("actions", "told"),
    [
        ([action("move", service="ledger", nodes=("n2",))], []),
        ([action("move", 105, service="ledger", nodes=("n2",))], []),
        ([action("move", 105.1, service="ledger", nodes=("n2",))], [WENT]),
        ([action("move", 80, 90, service="ledger", nodes=("n2",))], []),
        ([action("move", 80, 89.9, service="ledger", nodes=("n2",))], [WENT]),
        ([action("move", service="other", nodes=("n2",))], [WENT]),
        ([action("move", service="ledger", nodes=("n3",))], [WENT]),
        ([action("grow", service="ledger", nodes=("n2",))], [WENT]),
        ([action("move", ended=None, service="ledger", nodes=("n2",))], [WENT]),
        ([action("shrink", nodes=("n1",))], []),
        ([action("shrink", nodes=("n2",))], [WENT]),
        ([action("grow"), action("shrink", nodes=("n3", "n1"))], []),
        ([], [WENT]),
    ],
)
def test_work_goes_over_by_a_move_or_with_its_node_that_leaves(actions, told):
    assert steps.moves_without_step(case(actions=actions, client=ANSWERS, events=[REQUIREMENT, STOPPED])) == told


UNASKED = "n2 was defined at 102.0 s and no growth of the driver was at work"
VANISHED = "n2 was a member and went at 302.0 s without a shrink of the driver"
GROW, SHRINK = action(), action("shrink", 300, 310)


@pytest.mark.parametrize(
    ("vms", "actions", "told"),
    [
        ([vm(), vm("n2", 102)], [GROW], []),
        ([vm(), vm("n2", 102)], [action("replace")], []),
        ([vm(), vm("n2", 102)], [action("move")], [UNASKED]),
        ([vm(), vm("n2", 102)], [action("grow", 80, 87)], []),
        ([vm(), vm("n2", 102)], [action("grow", 80, 86.9)], [UNASKED]),
        ([vm(), vm("n2", 102)], [action("grow", 102)], []),
        ([vm(), vm("n2", 102)], [action("grow", 102.1)], [UNASKED]),
        ([vm(), vm("n2", 102, 302)], [GROW, SHRINK], []),
        ([vm(), vm("n2", 102, 302)], [GROW], [VANISHED]),
        ([vm(), vm("n2", 102, 302)], [GROW, action("grow", 300)], [VANISHED]),
        ([vm("n2", gone=302)], [], [VANISHED]),
        ([vm("n2", gone=302)], [SHRINK], []),
        ([vm(), vm("n2", gone=20, joined_at=None)], [], []),
        ([vm(), vm("n2", 102, 108, joined_at=None)], [GROW], []),
        ([vm(), vm("n2", 102, 302, joined_at=None)], [GROW, SHRINK], []),
        (
            [vm(), vm("n2", 102, 302, joined_at=None)],
            [GROW],
            ["n2 was never a member and went at 302.0 s without a growth or shrink of the driver"],
        ),
    ],
)
def test_vms_come_and_go_by_steps(vms, actions, told):
    assert steps.vms_without_step(case(vms=vms, actions=actions, events=[CREATED, STOPPED])) == told


UNREACHED, UNMARKED = "n1 (UUID uuid-n1) was never reached by SSH", "n1 (UUID uuid-n1) has no image or no generation in its metadata"


@pytest.mark.parametrize(
    ("one", "told"),
    [
        (vm(), []),
        (vm(reachable_at=None), [UNREACHED]),
        (vm(reachable_at=None, joined_at=None), [UNREACHED]),
        (vm(reachable_at=None, gone=25), [UNREACHED]),
        (vm(reachable_at=None, joined_at=None, gone=25), []),
        (vm(reachable_at=11.0), []),
        (vm(reachable_at=10.9), ["n1 was reached by SSH before it ran"]),
        (vm(running_at=None), []),
        (vm(image=None), [UNMARKED]),
        (vm(generation=None), [UNMARKED]),
        (vm(image="", generation=""), [UNMARKED]),
    ],
)
def test_a_vm_is_reached_after_it_ran_and_bears_its_image(one, told):
    assert steps.unready(case(vms=[one])) == told


def doubled(at, one, other):
    return [f"two VMs had one name or address at {at} s: {one} and {other}"]


@pytest.mark.parametrize(
    ("vms", "told"),
    [
        ([vm("n1"), vm("n2", 20)], []),
        ([vm("n1"), vm("n1", 20)], doubled("20.0", "n1", "n1")),
        ([vm("n1", 20), vm("n1", 10)], doubled("20.0", "n1", "n1")),
        ([vm("n1", 10, 15), vm("n1", 15)], []),
        ([vm("n1", 15), vm("n1", 10, 15)], []),
        ([vm("n1", address="10.0.0.1"), vm("n2", 20, address="10.0.0.1")], doubled("20.0", "n1", "n2")),
        ([vm("n1", address="10.0.0.1"), vm("n2", 20, address="10.0.0.2")], []),
        ([vm("n1", 10, 15, address="10.0.0.1"), vm("n2", 20, address="10.0.0.1")], []),
    ],
)
def test_no_two_vms_have_one_name_or_address_at_a_time(vms, told):
    assert steps.doubles(vms, case()) == told


def test_all_of_it_in_order():
    seen = case(
        vms=[vm(image=None), vm("n1", 102)],
        actions=[MOVE],
        client=ANSWERS,
        history=[entry("step", 90, because="")],
        events=[REQUIREMENT, CREATED, STOPPED],
        witness=[view(20, "n1", "n1")],
    )
    assert steps.step_problems(seen) == [
        "a step (scale_out) of 90.0 s has no reason",
        "the move of ledger to n2 at 100.0 s was not done and not repeated with success: its end is not known",
        "no grow was decided and done",
        "no move was decided and done",
        "no shrink was decided and done",
        WENT,
        "n1 was defined at 102.0 s and no growth of the driver was at work",
        UNMARKED,
        "two VMs had one name or address at 102.0 s: n1 and n1",
    ]


def test_one_step_of_each_kind_that_was_done_is_enough():
    done = [action("grow", ended=None), action("grow"), action("move"), action("shrink"), action("shrink", ended=None, interrupted=False)]
    told = [problem for problem in steps.step_problems(case(actions=done, events=[STOPPED])) if "was decided" in problem]
    assert told == []
