# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""The journal's steps as actions: why, of which nodes, and from when on clients were served."""

from __future__ import annotations

import pytest

from lab.checks.actions import Action, actions_of
from tests.unit.lab.checks.parts import REQUIREMENT, answer, case


def decision(at, kind="grow", because="much to do"):
    return {"kind": "decision", "at": at, "decision": kind, "because": because, "wanted": 2}


def plan(at, because="the ledger goes to n2"):
    return {"kind": "plan", "at": at, "because": because}


def step(at, kind="scale_out", because="much to do; 1 of 2 are members", **variables):
    return {"kind": "step", "at": at, "step": kind, "because": because, "breach_at": at - 20, "variables": variables}


def move(at, to="n2"):
    return step(at, "move_service", f"the ledger goes to {to}", service="ledger", to=to)


def outcome(at, **facts):
    return {"kind": "outcome", "at": at, "ended_at": at, "ok": True, "because": "done", "reason": "", "facts": {}, **facts}


def libvirt(name, defined, gone=None, memory_mib=640, uuid=None):
    facts = {"kind": "vm", "name": name, "uuid": uuid or f"uuid-{name}", "host": "hv1", "memory_mib": memory_mib}
    return [{**facts, "event": event, "at": at} for event, at in (("defined", defined), ("gone", gone)) if at is not None]


def actions(history, witness=(), client=()):
    return actions_of(case(history=history, witness=witness, client=client, events=[REQUIREMENT]).run)


GROWTH = Action("grow", "much to do; 1 of 2 are members", ("n2",), 80.0, 90.0, 100.0, 120.0, 118.0, False, "", 120.0, None)
HISTORY = [decision(90.0), plan(99.0), step(100.0), outcome(120.0)]
VMS = [*libvirt("n1", 10.0), *libvirt("n2", 105.0)]
ANSWERS = [answer(20.0), answer(118.0, "n2"), answer(119.0, "n2")]


def test_a_growth_is_told_whole():
    assert actions(HISTORY, VMS, ANSWERS) == [GROWTH]


def change(**values):
    return Action(**{**vars(GROWTH), **values})


@pytest.mark.parametrize(
    ("witness", "client", "told"),
    [
        ([*libvirt("n1", 10.0), *libvirt("n2", 100.0)], ANSWERS, {}),
        ([*libvirt("n1", 10.0), *libvirt("n2", 99.9)], ANSWERS, {"nodes": (), "serving_at": None}),
        ([*libvirt("n1", 10.0), *libvirt("n2", 120.0)], ANSWERS, {"serving_at": None}),
        ([*libvirt("n1", 10.0), *libvirt("n2", 120.1)], ANSWERS, {"nodes": (), "serving_at": None}),
        ([*libvirt("n1", 10.0, memory_mib=512), *libvirt("n2", 105.0)], ANSWERS, {"kind": "replace"}),
        ([*libvirt("n1", 10.0, 90.0, memory_mib=512), *libvirt("n2", 105.0)], ANSWERS, {}),
        ([*VMS, *libvirt("n3", 106.0, memory_mib=512)], ANSWERS, {"nodes": ("n2", "n3")}),
        ([*VMS, *libvirt("n3", 106.0)], [*ANSWERS, answer(117.0, "n3")], {"nodes": ("n2", "n3"), "serving_at": 117.0}),
        ([*VMS, *libvirt("n3", 130.0, memory_mib=512)], ANSWERS, {}),
        (VMS, [answer(104.0, "n2")], {"serving_at": None}),
        (VMS, [answer(105.0, "n2", "web")], {"serving_at": 105.0}),
        ([], [], {"nodes": (), "serving_at": None}),
    ],
)
def test_a_growths_vms_are_those_defined_while_it_ran(witness, client, told):
    assert actions(HISTORY, witness, client) == [change(**told)]


@pytest.mark.parametrize(
    ("history", "told"),
    [
        ([step(100.0), outcome(120.0)], {"decided_at": 100.0}),
        ([decision(80.0, because="old"), *HISTORY], {}),
        ([decision(90.0), decision(95.0, "hold", "the cooldown runs"), *HISTORY[1:]], {}),
        ([decision(90.0, because="too little"), *HISTORY[1:]], {"because": "too little; much to do; 1 of 2 are members"}),
        ([decision(90.0, because=""), *HISTORY[1:]], {}),
    ],
)
def test_a_step_is_told_with_the_decision_before_it(history, told):
    assert actions(history, VMS, ANSWERS) == [change(**told)]


@pytest.mark.parametrize(
    ("end", "told"),
    [
        (
            [outcome(120.0, ok=False, because="no room", reason="refused")],
            {"done_at": None, "failed_because": "no room"},
        ),
        (
            [outcome(125.0, ok=False, because="the driver ended", reason="interrupted")],
            {"done_at": None, "failed_because": "the driver ended", "interrupted": True, "ended_at": 125.0},
        ),
        ([], {"done_at": None, "interrupted": True, "ended_at": None}),
        ([decision(110.0, "hold"), {"kind": "fault", "at": 112.0}, outcome(120.0)], {}),
    ],
)
def test_a_step_without_a_good_end_has_the_vms_until_the_next_one(end, told):
    late = [*libvirt("n1", 10.0), *libvirt("n2", 105.0)]
    assert actions([*HISTORY[:-1], *end], late, ANSWERS) == [change(**told)]


def test_a_step_without_an_end_is_over_when_the_next_one_begins():
    history = [*HISTORY[:-1], move(115.0), outcome(120.0, because="moved")]
    lost, moved = actions(history, [*libvirt("n1", 10.0), *libvirt("n2", 115.0), *libvirt("n3", 115.1)], ANSWERS)
    assert (lost.nodes, lost.done_at, lost.ended_at, lost.interrupted) == (("n2",), None, None, True)
    assert (moved.kind, moved.done_at, moved.interrupted) == ("move", 120.0, False)
    failed = [*HISTORY[:-1], outcome(110.0, ok=False), decision(113.0, "hold"), move(115.0), outcome(120.0)]
    assert actions(failed, [*libvirt("n1", 10.0), *libvirt("n2", 112.0)], ANSWERS)[0].nodes == ("n2",)


SHRINK = [decision(290.0, "shrink", "little to do"), plan(299.0), step(300.0, "scale_in", "2 are members, and n2 leaves"), outcome(320.0)]


@pytest.mark.parametrize(("gone", "nodes"), [(300.0, ("n2",)), (299.9, ()), (310.0, ("n2",)), (321.0, ("n2",)), (321.1, ()), (None, ())])
def test_a_shrinks_vms_are_those_that_went_while_it_ran(gone, nodes):
    told = "little to do; 2 are members, and n2 leaves"
    shrunk = Action("shrink", told, nodes, 280.0, 290.0, 300.0, 320.0, None, False, "", 320.0, None)
    assert actions(SHRINK, [*libvirt("n1", 10.0), *libvirt("n2", 105.0, gone)], [answer(310.0, "n2")]) == [shrunk]


MOVED = Action("move", "the ledger goes to n2", ("n2",), 130.0, 149.0, 150.0, 170.0, 160.0, False, "ledger", 170.0, None)


@pytest.mark.parametrize(
    ("client", "serving"),
    [
        ([answer(140.0), answer(160.0, "n2")], 160.0),
        ([answer(140.0), answer(150.0, "n2")], 150.0),
        ([answer(140.0), answer(149.9, "n2")], None),
        ([answer(140.0), answer(149.0, "n2"), answer(155.0), answer(160.0, "n2"), answer(170.0), answer(180.0, "n2")], 160.0),
        ([answer(140.0), answer(160.0, "n3")], None),
        ([answer(140.0, service="web"), answer(160.0, "n2", "web")], None),
        ([answer(140.0)], None),
    ],
)
def test_a_move_serves_from_the_first_answer_of_its_target_on(client, serving):
    history = [decision(90.0), plan(149.0), move(150.0), outcome(170.0)]
    assert actions(history, client=client) == [Action(**{**vars(MOVED), "serving_at": serving})]


@pytest.mark.parametrize(
    ("before", "because", "decided"),
    [
        ([decision(90.0), plan(149.0)], "the ledger goes to n2", 149.0),
        ([decision(90.0), plan(149.0, "n1 has more to do")], "the ledger goes to n2", 149.0),
        ([decision(90.0), plan(100.0), decision(120.0, "hold"), plan(149.0)], "the ledger goes to n2", 149.0),
        ([plan(100.0), decision(140.0)], "much to do; the ledger goes to n2", 140.0),
        ([plan(100.0), decision(140.0, "hold")], "the ledger goes to n2", 100.0),
        ([], "the ledger goes to n2", 150.0),
    ],
)
def test_a_move_was_decided_by_its_plan(before, because, decided):
    (moved,) = actions([*before, move(150.0), outcome(170.0)])
    assert (moved.because, moved.decided_at) == (because, decided)


def test_what_is_no_change_of_the_cluster_is_no_action():
    others = [step(10.0, "create"), outcome(20.0), {"kind": "wish", "at": 21.0}]
    assert actions([*others, *HISTORY], VMS, ANSWERS) == [GROWTH]
