# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""What clients had to bear: which steps explain it, for how long, and what nothing explains."""

from __future__ import annotations

import pytest

from lab.checks import clients
from lab.checks.clients import ALLOWANCE_S, is_explained, unexplained_s
from tests.unit.lab.checks.parts import LEDGER, REQUIREMENT, WEB, action, answer, case, note, view, vm

STOPPED = note("stopped", 1000)
BOTH = {**REQUIREMENT, "services": {"web": WEB, "ledger": LEDGER}}


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
        ((0.5, 0.75), [], 0.25),
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
        (97, 99.9, False),
        (201, 202, False),
        (200, 201, True),
        (99, 100, True),
    ],
)
def test_a_failed_transaction_is_explained_by_a_window_that_it_touches(begin, end, explained):
    assert is_explained(begin, end, [(100, 200)]) is explained


def test_a_failed_transaction_needs_to_touch_but_one_of_several_windows():
    assert is_explained(100, 104, [(10, 20), (103, 200), (300, 400)])


@pytest.mark.parametrize(
    ("step", "views", "window"),
    [
        (action(), [], (100, 110)),
        (action(), [view(108, "n1", "n1"), view(112, "n1", "n1")], (100, 110)),
        (action(done_at=None), [view(109, "n1", "n1"), view(112, "n1", "n1")], (100, 112)),
        (action(done_at=None), [view(110, "n1", "n1"), view(112, "n1", "n1")], (100, 110)),
        (action(ended=None), [view(99, "n1", "n1"), view(103, "n1", "n1")], (100, 103)),
        (action(ended=None), [view(103, None, "n1"), view(104, "n1", "n1", quorate=False), view(105, "n1", "n1")], (100, 105)),
        (action(ended=None), [view(99, "n1", "n1")], (100, 1000)),
    ],
)
def test_a_step_is_at_work_until_its_good_end_or_until_the_cluster_is_whole_again(step, views, window):
    assert clients.window_of(case(witness=views, events=[REQUIREMENT, STOPPED]), step) == window


HANDOVER = [answer(90), answer(105, "n2")]


@pytest.mark.parametrize(
    ("service", "step", "counts"),
    [
        ("ledger", action("move", service="ledger"), True),
        ("ledger", action("move", service="other"), False),
        ("ledger", action("grow", service="ledger"), False),
        ("ledger", action("shrink", nodes=("n3", "n1")), True),
        ("ledger", action("shrink", nodes=("n2",)), False),
        ("ledger", action("shrink", 105, nodes=("n1",)), True),
        ("ledger", action("shrink", 105.1, nodes=("n1",)), False),
        ("ledger", action("shrink", 90, 105, nodes=("n1",)), True),
        ("ledger", action("shrink", 90, 104.9, nodes=("n1",)), False),
        ("ledger", action("grow", nodes=("n1",)), False),
        ("web", action("shrink", nodes=("n2",)), True),
        ("web", action("move", service="web"), False),
        ("web", action("grow"), False),
        ("other", action("shrink"), True),
    ],
)
def test_a_movable_service_pauses_while_it_moves_and_a_balanced_one_while_a_node_leaves(service, step, counts):
    seen = case(actions=[step], client=HANDOVER, events=[BOTH, STOPPED])
    assert clients.windows_of(seen, service) == [(step.began_at, step.done_at)] * counts


def given_up(due, ended, service="ledger"):
    return answer(None, None, service, due_at=due, ended_at=ended)


@pytest.mark.parametrize(
    ("service", "records", "told"),
    [
        ("ledger", [answer(10)], []),
        ("ledger", [answer(10), given_up(101, 109)], []),
        (
            "ledger",
            [answer(10), given_up(120, 130), given_up(115, 130), given_up(101, 109)],
            ["ledger: 2 of 4 transactions failed and no move explains it, the first one due at 115.0 s"],
        ),
        ("web", [given_up(101, 109, "web")], ["web: 1 of 1 transactions failed and no move explains it, the first one due at 101.0 s"]),
    ],
)
def test_only_a_move_explains_that_transactions_failed(service, records, told):
    seen = case(actions=[action("move", service="ledger"), action("shrink")], client=records, events=[BOTH, STOPPED])
    assert clients.failures(seen, service, records) == told


def waited(due, acknowledged, service="ledger"):
    return answer(acknowledged, "n1", service, due_at=due)


@pytest.mark.parametrize(
    ("service", "records", "told"),
    [
        ("ledger", [waited(50, 55)], []),
        ("ledger", [waited(50, 55.1)], ["ledger: nothing was acknowledged for 5.1 s from 50.0 s on, 5.1 s of it outside of any move"]),
        ("ledger", [waited(95, 115)], ["ledger: nothing was acknowledged for 20.0 s from 95.0 s on, 10.0 s of it outside of any move"]),
        ("ledger", [waited(98, 113)], []),
        ("web", [waited(200, 205, "web")], []),
        ("web", [waited(202, 206, "web")], []),
        (
            "web",
            [waited(198, 206, "web")],
            ["web: nothing was acknowledged for 8.0 s from 198.0 s on, longer than a going over takes (7.0 s)"],
        ),
        ("web", [waited(201, 208, "web")], []),
        (
            "web",
            [waited(195, 208, "web")],
            ["web: nothing was acknowledged for 13.0 s from 195.0 s on, longer than a going over takes (7.0 s)"],
        ),
        ("web", [waited(101, 109, "web")], ["web: nothing was acknowledged for 8.0 s from 101.0 s on, 8.0 s of it outside of any move"]),
    ],
)
def test_a_silence_is_as_long_as_a_step_and_of_a_balanced_service_as_a_going_over(service, records, told):
    steps = [action("move", service="ledger"), action("shrink", 200, 210)]
    went_over = [answer(300), answer(307, "n2")]
    seen = case(actions=steps, client=went_over, events=[BOTH, STOPPED])
    assert clients.gaps(seen, service, records) == told


def test_where_nothing_went_over_a_balanced_service_may_be_silent_for_the_allowance():
    seen = case(actions=[action("shrink", 200, 210)], events=[BOTH, STOPPED])
    assert clients.gaps(seen, "web", [waited(201, 206, "web")]) == []
    told = ["web: nothing was acknowledged for 6.0 s from 201.0 s on, longer than a going over takes (5.0 s)"]
    assert clients.gaps(seen, "web", [waited(201, 207, "web")]) == told


@pytest.mark.parametrize(
    ("records", "told"),
    [
        ([answer(20), answer(30)], []),
        ([answer(11), answer(10.9)], ["2 transactions were acknowledged by n9, which was no VM of the run then (the first at 10.9 s)"]),
        ([answer(20, node="n1"), given_up(20, 30)], []),
    ],
)
def test_answers_come_from_vms(records, told):
    name = "n9" if told else "n1"
    seen = case(vms=[vm("n1")], client=[{**r, "node": r["node"] and name} for r in records])
    assert clients.strangers(seen) == told


@pytest.mark.parametrize(
    ("the_vm", "strange"),
    [(vm("n1", 10, 40), False), (vm("n1", 20.1), True), (vm("n1", 10, 20), True), (vm("n1", running_at=None), True), (vm("n2"), True)],
)
def test_a_vm_answers_while_it_is_there(the_vm, strange):
    told = ["1 transactions were acknowledged by n1, which was no VM of the run then (the first at 20.0 s)"]
    assert clients.strangers(case(vms=[the_vm], client=[answer(20)])) == told * strange


def rate(at, per_s, service="ledger"):
    return {"kind": "rate", "service": service, "at": at, "rate_per_s": per_s}


END = {"kind": "end", "at": 30.0, "stopped_at": 30.0}
CUT_OFF = "the client's record has no end: it was cut off, or there was no client"


def due(*times, service="ledger"):
    return [answer(at + 0.1, "n1", service, due_at=at) for at in times]


def paused(pause_s, since, rate="0.5"):
    return f"ledger: the client had nothing due for {pause_s} s from {since} s on, at {rate} a second"


@pytest.mark.parametrize(
    ("records", "told"),
    [
        ([rate(10, 0.5), *due(10, 17, 24), END], []),
        ([rate(10, 0.5), *due(17, 24, 10), END], []),
        ([rate(10, 0.5), *due(10, 17.1, 24), END], [paused("7.1", "10.0")]),
        ([rate(10, 0.5), *due(17, 24.1, 25), END], [paused("7.1", "17.0")]),
        ([rate(10, 0.5), *due(18, 22), END], [paused("8.0", "10.0")]),
        ([rate(10, 0.5), *due(17, 22), END], [paused("8.0", "22.0")]),
        ([rate(10, 0.5), *due(12, 20, 29, service="web"), END], [paused("20.0", "10.0")]),
        ([rate(10, 0.5), *due(17, 20), rate(25, 0), END], []),
        ([rate(10, 0.5), *due(17), rate(25, 0), END], [paused("8.0", "17.0")]),
        ([rate(10, 0), *due(), rate(25, 0.5), END], []),
        ([rate(10, 1), *due(16, 22, 28), END], []),
        ([rate(10, 1), *due(16, 22.5, 28), END], [paused("6.5", "16.0", "1")]),
        ([rate(10, 0.5), *due(16.5), rate(17, 0.5), *due(23, 30.5), END], []),
        ([rate(10, 0.5), *due(16), rate(20, 0.5), *due(20), END], [paused("10.0", "20.0")]),
        ([rate(10, 0.5), *due(17, 24)], [CUT_OFF, paused("76.0", "24.0")]),
        ([rate(10, 0.5), *due(17, 24), {**END, "stopped_at": 25.0}, END], []),
        ([rate(10, 0.5, "web"), END], ["the client was never told a rate for ledger"]),
    ],
)
def test_the_client_has_something_due_as_often_as_its_rate_says(records, told):
    assert clients.schedule_gaps(case(client=records, events=[REQUIREMENT, note("stopped", 100)])) == told


@pytest.mark.parametrize(("began", "told"), [(30.0, []), (30.1, ["the client ended at 30.0 s, before the last step of the driver began"])])
def test_the_client_is_there_until_the_last_step(began, told):
    records = [rate(10, 0.5), *due(17, 24), END]
    assert clients.schedule_gaps(case(actions=[action("grow", 20), action("shrink", began)], client=records, events=[REQUIREMENT])) == told


def test_every_trouble_of_every_service_in_order():
    records = [
        *(rate(10, 1, service) for service in ("web", "ledger")),
        answer(11, service="web", due_at=11, id="c1/4"),
        answer(12, service="web", due_at=11, id="c1/1"),
        answer(13, service="web", due_at=12, id="c1/1", mixed_up=2),
        answer(14, service="web", due_at=15, id="c1/2"),
        answer(14, service="web", due_at=16, id="c1/3", mixed_up=3),
        answer(None, None, service="web", due_at=17, ended_at=18, id="c1/1"),
        {**END, "stopped_at": 20.0},
    ]
    events = [{**BOTH, "services": {**BOTH["services"], "other": WEB}}]
    assert clients.client_problems(case(vms=[vm("n1")], client=records, events=events)) == [
        "web: 1 of 6 transactions failed and no move explains it, the first one due at 17.0 s",
        "web: 6 answers came twice, or for another transaction than the one asked",
        "web: c1/2 was acknowledged before it was due",
        "nobody sent to ledger and other",
        "ledger: the client had nothing due for 10.0 s from 10.0 s on, at 1 a second",
        "the client was never told a rate for other",
    ]
