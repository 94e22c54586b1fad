# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""How a run ended: what stood, how the programs ended, which kills were done, and what was left behind."""

from __future__ import annotations

import pytest

from lab.checks import end
from tests.unit.lab.checks.parts import LEDGER, REQUIREMENT, WEB, action, answer, case, note, view, vm

STOPPED = note("stopped", 1000)
BOTH = {**REQUIREMENT, "services": {"web": WEB, "ledger": LEDGER}}
WHOLE = {"haproxy": ["n1", "n2"], "web-address": ["n1"], "ledger-data": ["n2"], "ledger-app": ["n2"]}


def ended(name, code, at=900.0):
    return note("ended", at, name=name, code=code)


def standing(the_view, vms, actions=(), events=()):
    return end.standing_problems(case(vms=vms, actions=actions, witness=[view(1), the_view], events=[BOTH, STOPPED, *events]))


def last(at=950.0, **more):
    return view(at, None, "n1", "n2", **{"resources": WHOLE, **more})


VMS = [vm("n2"), vm("n1"), vm("n3", 20, 40)]
DOWN = "web did not run as it should at the end (950.0 s): no node is online"


@pytest.mark.parametrize(
    ("the_view", "vms", "told"),
    [
        (last(), VMS, []),
        (last(quorate=False), VMS, ["the cluster was not quorate at the end (950.0 s)"]),
        (last(quorate=None), VMS, ["the cluster was not quorate at the end (950.0 s)"]),
        (
            last(),
            [vm("n1", state="stopped"), vm("n2", state="defined"), vm("n3", 20, 40, state="gone")],
            ["libvirt showed VMs that didn't run at the end: n1 (stopped), n2 (defined)"],
        ),
        (
            last(nodes={}, resources={}),
            [],
            [
                "libvirt showed no VM of the cluster at the end",
                "web did not run as it should at the end (950.0 s): web-address on no node",
                "ledger did not run as it should at the end (950.0 s): ledger-data on no node, ledger-app on no node",
            ],
        ),
        (
            last(),
            [vm("n3", gone=40)],
            ["libvirt showed no VM of the cluster at the end", "the cluster's nodes at the end were n1, n2, its VMs none"],
        ),
        (
            last(nodes={"n2": "offline", "n1": "standby", "n3": "online"}, resources={**WHOLE, "haproxy": ["n3"]}),
            [vm("n1"), vm("n2"), vm("n3")],
            ["not every node was online at the end (950.0 s): n1 is standby, n2 is offline"],
        ),
        (
            last(nodes={"n1": "online"}, resources={**WHOLE, "haproxy": ["n1"]}),
            VMS,
            ["the cluster's nodes at the end were n1, its VMs n1, n2"],
        ),
        (
            last(nodes={}, resources={"web-address": ["n1"], "ledger-data": ["n2"], "ledger-app": ["n2"]}),
            VMS,
            [
                "the cluster's nodes at the end were none, its VMs n1, n2",
                DOWN,
                "ledger did not run as it should at the end (950.0 s): no node is online",
            ],
        ),
    ],
)
def test_the_cluster_stands_whole_at_the_end(the_view, vms, told):
    assert standing(the_view, vms) == told


def test_a_cluster_that_nobody_saw():
    assert end.standing_problems(case(events=[BOTH, STOPPED])) == ["nobody ever saw the cluster"]


@pytest.mark.parametrize(
    ("actions", "events", "busy"),
    [
        ([action(began=900, ended=950)], [], None),
        ([action(began=900, ended=950.1)], [], "950.1"),
        ([action(began=950.1, ended=None), action(began=20)], [], "950.1"),
        ([], [ended("driver", 0, 950.0)], None),
        ([], [ended("driver", 0, 950.1), ended("driver", 0, 100)], "950.1"),
        ([action(began=990, ended=None)], [ended("driver", 0, 950.1)], "990.0"),
        ([], [ended("client", 0, 990.0)], None),
    ],
)
def test_the_last_view_is_of_when_the_driver_had_done_everything(actions, events, busy):
    told = [f"the last view of the cluster is of 950.0 s, and the driver was at work until {busy} s"] if busy else []
    assert standing(last(), VMS, actions, events) == told


def test_a_driver_of_which_nothing_is_known_was_done_at_the_start():
    assert end.done_at(case()) == 0.0


def service(resources, *online, services=None):
    nodes = {"n9": "offline", **dict.fromkeys(online, "online")}
    events = [{**REQUIREMENT, "services": {"web": WEB, "ledger": LEDGER} if services is None else services}]
    return end.service_problems(case(events=events), {"at": 950.0, "nodes": nodes, "resources": resources})


@pytest.mark.parametrize(
    ("resources", "told"),
    [
        (WHOLE, []),
        ({**WHOLE, "haproxy": ["n2", "n1"]}, []),
        ({**WHOLE, "haproxy": ["n1"]}, ["web did not run as it should at the end (950.0 s): haproxy on n1"]),
        ({**WHOLE, "haproxy": ["n1", "n9"]}, ["web did not run as it should at the end (950.0 s): haproxy on n1 and n9"]),
        ({**WHOLE, "web-address": ["n1", "n2"]}, ["web did not run as it should at the end (950.0 s): web-address on n1 and n2"]),
        ({**WHOLE, "web-address": []}, ["web did not run as it should at the end (950.0 s): web-address on no node"]),
        (
            {**WHOLE, "haproxy": [], "web-address": []},
            ["web did not run as it should at the end (950.0 s): haproxy on no node, web-address on no node"],
        ),
        ({**WHOLE, "ledger-app": []}, ["ledger did not run as it should at the end (950.0 s): ledger-app on no node"]),
        (
            {**WHOLE, "ledger-app": ["n1"]},
            ["ledger did not run as it should at the end (950.0 s): ledger-data on n2, ledger-app on n1"],
        ),
        (
            {**WHOLE, "ledger-data": ["n1", "n2"], "ledger-app": ["n1", "n2"]},
            ["ledger did not run as it should at the end (950.0 s): ledger-data on n1 and n2, ledger-app on n1 and n2"],
        ),
    ],
)
def test_a_balanced_service_is_everywhere_with_one_address_and_a_movable_one_whole_on_one_node(resources, told):
    assert service(resources, "n1", "n2") == told


def test_a_movable_services_own_address_is_one_of_its_parts():
    moved = {"ledger": {"kind": "movable", "resources": ["ledger-address"]}}
    assert service({"ledger-address": ["n1"]}, "n1", "n2", services=moved) == []


def test_with_no_node_online_no_service_runs():
    movable = {"ledger": LEDGER}
    assert service(WHOLE, services=movable) == ["ledger did not run as it should at the end (950.0 s): no node is online"]


def test_a_requirement_without_a_service_is_told():
    assert service(WHOLE, "n1", services={}) == ["the requirement names no service"]


GOOD = [ended("client", 0), ended("driver", 0), ended("witness", 0)]


@pytest.mark.parametrize(
    ("events", "client", "told"),
    [
        (GOOD, [answer(20)], []),
        ([], [], ["nobody saw the end of the client", "nobody saw the end of the driver", "nobody saw the end of the witness"]),
        ([*GOOD, ended("driver", 4)], [], ["the driver ended with exit code 4"]),
        ([*GOOD, ended("witness", 1)], [], ["the witness ended with exit code 1"]),
        ([*GOOD, ended("client", 1)], [answer(20)], ["the client ended with exit code 1 although its record has no failed transaction"]),
        ([*GOOD, ended("client", 1)], [answer(20), answer(None, None, ended_at=30)], []),
        (
            GOOD,
            [answer(20), answer(None, None, ended_at=30)],
            ["the client ended with exit code 0 although its record has a failed transaction"],
        ),
        (
            [*GOOD, ended("client", 2)],
            [answer(None, None, ended_at=30)],
            ["the client ended with exit code 2 although its record has a failed transaction"],
        ),
        (
            [*GOOD, ended("driver", 1)],
            [answer(None, None, ended_at=30), answer(20)],
            [
                "the client ended with exit code 0 although its record has a failed transaction",
                "the driver ended with exit code 1",
            ],
        ),
    ],
)
def test_every_program_ended_and_with_the_code_that_fits(events, client, told):
    assert end.program_problems(case(client=client, events=events)) == told


@pytest.mark.parametrize(
    ("events", "told"),
    [
        ([], ["the driver was never started"]),
        ([note("driver", 1, kills=0)], []),
        ([note("driver", 1, kills=1), note("kill", 2, whom="the driver")], []),
        ([note("driver", 1, kills=2), note("kill", 2, whom="the driver and its playbook"), note("kill", 3, whom="the driver")], []),
        ([note("driver", 1, kills=1), note("kill", 2, whom="a playbook")], ["1 kills of the driver were asked for and 0 were done"]),
        ([note("driver", 1, kills=0), note("kill", 2, whom="the driver")], ["0 kills of the driver were asked for and 1 were done"]),
    ],
)
def test_as_many_kills_as_were_asked_for(events, told):
    assert end.kill_problems(case(events=events)) == told


def gone(uuid, event="gone", at=1005.0):
    return {"kind": "vm", "uuid": uuid, "event": event, "at": at}


@pytest.mark.parametrize(
    ("events", "witness", "told"),
    [
        ([note("start", 0, keep=True)], [], []),
        ([note("start", 0, keep=False)], [], ["the cluster was not destroyed at the end"]),
        ([], [], ["the cluster was not destroyed at the end"]),
        ([note("destroyed", 1010)], [gone("uuid-n1"), gone("uuid-n2", at=40)], []),
        (
            [note("destroyed", 1010)],
            [gone("uuid-n1"), gone("uuid-n2", "stopped"), {"kind": "other", "uuid": "uuid-n2", "event": "gone", "at": 1005}],
            ["nobody saw n2 (UUID uuid-n2) go when the cluster was destroyed"],
        ),
        (
            [note("destroyed", 1010)],
            [],
            [f"nobody saw {name} (UUID uuid-{name}) go when the cluster was destroyed" for name in ("n1", "n2")],
        ),
    ],
)
def test_a_cluster_that_is_not_kept_is_destroyed_and_libvirt_saw_it_go(events, witness, told):
    assert end.destroyed_problems(case(vms=[vm("n1"), vm("n2")], witness=witness, events=[STOPPED, *events])) == told


@pytest.mark.parametrize(
    ("events", "told"),
    [
        ([note("leftovers", 1, found=[])], []),
        ([], ["nobody looked for what was left behind"]),
        ([note("destroyed", 1, found=[])], ["nobody looked for what was left behind"]),
        (
            [note("leftovers", 1, found=["a", "b"]), note("load", 2), note("leftovers", 3, found=["b"]), note("destroyed", 4, found=["c"])],
            ["a", "b", "c"],
        ),
    ],
)
def test_what_was_left_behind_at_any_time_is_told_once(events, told):
    assert end.leftovers(case(events=events)) == told


def test_all_of_it_in_order():
    assert end.end_problems(case(vms=[vm("n1")], events=[BOTH, *GOOD[1:]])) == [
        "nobody ever saw the cluster",
        "nobody saw the end of the client",
        "the driver was never started",
        "the cluster was not destroyed at the end",
    ]
