# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""Who is let go, who is waited for, what is deleted: case by case, and what a new VM must not be given."""

from __future__ import annotations

import pytest
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.recovery import (
    clashing,
    in_state,
    powered_off,
    recovery,
    running,
    unnamed,
    unseen,
    vanished,
    withheld_from_new,
)

AWAY = [{"host": "hv2", "because": "no answer in 10 s"}]


def vm(number, state="running", **more):
    return {"name": "shop-n%d" % number, "address": "10.99.0.1%d" % number, "state": state, "new": False, **more}


def node(number, online=True, **more):
    return {"name": "shop-n%d" % number, "address": "10.99.0.1%d" % number, "online": online, "host": None, **more}


def cluster(*nodes, quorate=True, withheld=()):
    return {"name": "shop", "quorate": quorate, "nodes": list(nodes), "withheld": list(withheld)}


GONE = {"online": False}
CASES = {
    "nothing is lost": ([vm(1), vm(2)], cluster(node(1), node(2)), [], "", [], [], [], 2),
    "its VM is gone from every host": ([vm(1)], cluster(node(1), node(2, **GONE), quorate=False), [], "", ["shop-n2"], [], [], 2),
    "its host says that it is off": ([vm(1), vm(2, "stopped")], cluster(node(1), node(2, **GONE), quorate=False), [], "", ["shop-n2"], [], ["shop-n2"], 2),
    "a crashed one is off too": ([vm(1), vm(2, "crashed")], cluster(node(1), node(2, **GONE)), [], "", ["shop-n2"], [], ["shop-n2"], 2),
    "a person says so": ([vm(1)], cluster(node(1), node(2, **GONE), quorate=False), AWAY, "shop-n2", ["shop-n2"], ["shop-n2"], [], 2),
    "a person says so of two, in one text": (
        [vm(1)], cluster(node(1), node(2, **GONE), node(3, **GONE)), AWAY, "shop-n2, shop-n3", ["shop-n2", "shop-n3"], ["shop-n2", "shop-n3"], [], 3,
    ),
    "a person says so of two, in a list": (
        [vm(1)], cluster(node(1), node(2, **GONE), node(3, **GONE)), AWAY, ["shop-n3", "shop-n2"], ["shop-n2", "shop-n3"], ["shop-n2", "shop-n3"], [], 3,
    ),
    "a person's word on whose VM is gone for certain adds nothing": ([vm(1)], cluster(node(1), node(2, **GONE)), [], ["shop-n2"], ["shop-n2"], [], [], 2),
    "a person's word on whom the cluster doesn't list is done with": ([vm(1)], cluster(node(1)), AWAY, ["shop-n9"], [], [], [], 1),
    "a VM that came back is no member": ([vm(1), vm(2)], cluster(node(1)), [], "", [], [], ["shop-n2"], 1),
    "never fewer than the least": ([vm(1)], cluster(node(1), node(2, **GONE)), [], "", ["shop-n2"], [], [], 2),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_what_becomes_of_whom(case):
    vms, view, away, confirmed, lost, may_return, delete, wanted = CASES[case]
    told = recovery(vms, view, away, confirmed, 1, 5)
    assert (told["lost"], told["may_return"], told["delete"], told["wanted"]) == (lost, may_return, delete, wanted)
    assert told["refusals"] == [] and told["waits"] == []


def test_as_many_as_are_listed_within_the_limits():
    view = cluster(node(1), node(2), node(3))
    assert [recovery([vm(1), vm(2), vm(3)], view, [], "", least, most)["wanted"] for least, most in ((1, 5), (4, 5), (1, 2))] == [3, 4, 2]


def test_who_may_still_run_is_waited_for_and_not_replaced():
    told = recovery([vm(1), vm(3)], cluster(node(1), node(2, **GONE), node(3)), AWAY, None, 1, 5)
    assert (told["lost"], told["delete"], told["wanted"]) == ([], [], 2)
    assert [one["node"] for one in told["waits"]] == ["shop-n2"]
    assert (
        "not every host answers (hv2: no answer in 10 s)" in told["waits"][0]["sentence"]
        and "confirm_dead=shop-n2" in told["waits"][0]["sentence"]
    )


def test_who_runs_by_its_host_s_word_and_is_not_in_the_cluster_is_neither_let_go_nor_replaced():
    for state in ("running", "paused"):
        told = recovery([vm(1), vm(2, state)], cluster(node(1), node(2, **GONE)), [], [], 1, 5)
        assert (told["lost"], told["delete"], told["wanted"]) == ([], [], 2) and "see its logs" in told["waits"][0]["sentence"]


def test_who_is_on_its_way_is_not_off():
    told = recovery([vm(1)], cluster(node(1), node(2, online=False, pending=True)), [], [], 1, 5)
    assert (told["lost"], told["waits"]) == ([], [])


@pytest.mark.parametrize(
    ("vms", "node_two", "said"),
    [
        ([vm(1), vm(2)], node(2), "the cluster sees it online"),
        ([vm(1)], node(2, online=False, pending=True), "the cluster sees it online"),
        ([vm(1), vm(2)], node(2, **GONE), "its host says that its VM runs"),
        ([vm(1), vm(2, "paused")], node(2, **GONE), "its host says that its VM runs"),
    ],
)
def test_a_person_s_word_against_what_is_seen_is_refused(vms, node_two, said):
    told = recovery(vms, cluster(node(1), node_two), AWAY, "shop-n2", 1, 5)
    assert [one["reason"] for one in told["refusals"]] == ["bad_input"] and said in told["refusals"][0]["sentence"]


def test_without_quorum_and_without_anybody_to_let_go_it_is_told_what_is_waited_for():
    told = recovery([vm(1)], cluster(node(1), node(2, **GONE), quorate=False), AWAY, [], 1, 5)
    assert [one["reason"] for one in told["refusals"]] == ["not_quorate"] and "bring the host back" in told["refusals"][0]["sentence"]
    told = recovery([vm(1)], cluster(node(1), quorate=False), [], [], 1, 5)
    assert "all of them are online" in told["refusals"][0]["sentence"]


def test_a_person_is_warned_of_a_majority_that_may_come_back():
    two_of_three = recovery([vm(1)], cluster(node(1), node(2, **GONE), node(3, **GONE), quorate=False), AWAY, ["shop-n2", "shop-n3"], 1, 5)
    assert len(two_of_three["warnings"]) == 1 and "shop-n2, shop-n3 are more than half of the 3 nodes" in two_of_three["warnings"][0]
    one_of_two = recovery([vm(1)], cluster(node(1), node(2, **GONE), quorate=False), AWAY, ["shop-n2"], 1, 5)
    assert one_of_two["warnings"] == []
    gone_for_good = recovery([vm(1)], cluster(node(1), node(2, **GONE), node(3, **GONE)), [], ["shop-n2", "shop-n3"], 1, 5)
    assert gone_for_good["warnings"] == []


def test_without_any_cluster_there_is_nothing_to_recover():
    assert recovery([vm(1)], None, [], [], 1, 5)["refusals"][0]["reason"] == "not_found"
    told = recovery([vm(1)], None, AWAY, [], 1, 5)
    assert told["refusals"][0]["reason"] == "host_unreachable" and "hv2: no answer in 10 s" in told["refusals"][0]["sentence"]
    assert (told["lost"], told["delete"], told["waits"], told["may_return"], told["wanted"], told["warnings"]) == ([], [], [], [], 0, [])


LEFT = {"name": "shop-n3", "address": "10.99.0.13"}


def test_what_a_lost_node_was_called_is_given_to_nobody():
    view = cluster(node(1), node(2, **GONE), withheld=[LEFT])
    assert withheld_from_new([vm(1)], view) == ["10.99.0.12", "10.99.0.13", "shop-n2", "shop-n3"]
    assert withheld_from_new([vm(1)], None) == []
    new = {"new": True}
    assert clashing([vm(1), vm(4, **new)], view) == []
    assert clashing([vm(1), vm(3, **new), vm(4, **new)], view) == ["shop-n3"]
    assert clashing([vm(1), dict(vm(4, **new), address="10.99.0.12")], view) == ["shop-n4"]
    assert clashing([vm(1), dict(vm(3, **new), address="10.99.0.19")], view) == ["shop-n3"]
    assert clashing([vm(1), vm(2)], cluster(node(1), node(3), withheld=[LEFT, {"name": "shop-n2", "address": ""}])) == [], (
        "it is there already"
    )
    assert clashing([vm(1), vm(2, **new)], cluster(node(1), node(2))) == ["shop-n2"], "a member whose host was taken out of the file"
    assert clashing([vm(1), vm(2)], cluster(node(1), node(2))) == [], "a VM that exists has its own"


def test_a_host_that_carried_a_listed_node_and_is_named_no_longer_counts_as_one_that_does_not_answer():
    on = {"host": "hv2"}
    view = cluster(node(1, host="hv1"), node(2, **GONE, **on), node(3, **on), node(4, **GONE))
    told = unnamed([vm(1)], view, ["hv1"])
    assert told == [
        {"host": "hv2", "uri": "", "because": "the cluster file names it no longer, and it carried shop-n2, shop-n3"},
    ]
    assert unnamed([vm(1)], view, ["hv1", "hv2"]) == [], "it was asked, and does not have them"
    assert unnamed([vm(1), vm(2), vm(3)], view, ["hv1"]) == [], "another host has them by now"
    assert unnamed([vm(1), vm(2, new=True), vm(3, unseen=True)], view, ["hv1"]) == told, (
        "who is only to be made, or only counted, is nowhere"
    )
    assert unnamed([vm(1)], None, ["hv1"]) == []


def test_the_unseen_are_the_listed_without_a_vm():
    view = cluster(node(1), node(2), node(3, **GONE))
    assert unseen([vm(1)], view) == [
        {"name": "shop-n2", "address": "10.99.0.12", "online": True, "new": False, "unseen": True},
        {"name": "shop-n3", "address": "10.99.0.13", "online": False, "new": False, "unseen": True},
    ]
    assert unseen([vm(1)], None) == []


def test_who_runs_and_who_is_off():
    there = [vm(1, complete=True), vm(2, "paused", complete=True), vm(3, "stopped", complete=True), vm(4, "stopped", complete=False)]
    there += [vm(5, new=True, complete=True), vm(6, "stopped", new=True, complete=True), {"name": "shop-n7", "new": True}]
    assert (running(there), powered_off(there)) == (["shop-n1"], ["shop-n2", "shop-n3"])


def test_who_runs_no_more_and_is_not_missed_yet():
    view = cluster(node(1), node(2), node(3), node(4, **GONE), node(5, online=False, pending=True))
    there = [vm(1), vm(2, "stopped"), vm(4, "stopped"), vm(5, "crashed")]
    assert vanished(there, view, []) == ["shop-n2", "shop-n3", "shop-n5"]
    assert vanished(there, view, AWAY) == ["shop-n2", "shop-n5"], "of one that no host shows nobody knows"
    assert vanished([vm(1, "paused"), vm(2), vm(3)], cluster(node(1), node(2), node(3)), []) == []
    assert vanished([], None, []) == []


def test_a_started_vm_runs():
    assert [one["state"] for one in in_state([vm(1, "stopped"), vm(2, "stopped")], ["shop-n2"], "running")] == ["stopped", "running"]
