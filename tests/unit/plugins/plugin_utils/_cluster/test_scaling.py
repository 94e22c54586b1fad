# Copyright: (c) 2026, the ondemand.cluster contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who joins and who leaves, case by case."""

from __future__ import annotations

import pytest
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.scaling import (
    growth,
    shrinkage,
    unreachable_refusals,
    wanted_refusals,
)
from hypothesis import given
from hypothesis import strategies as st

FILE = {"name": "shop", "requirement": {"nodes": {"min": 1, "max": 3}}}


def vm(number, new=False):
    return {"name": "shop-n%d" % number, "new": new}


def node(number, online=True, unclean=False, pending=False, may_leave=True, **more):
    verdict = {"allowed": may_leave, "reason": None if may_leave else "quorum", "sentence": "" if may_leave else "it would end the quorum"}
    return {"name": "shop-n%d" % number, "online": online, "unclean": unclean, "pending": pending, "may_leave": verdict, **more}


LEAVING = {"standby": True, "leaving": True}


def cluster(*nodes, quorate=True):
    verdict = may_change(quorate, nodes)
    return {
        "name": "shop",
        "quorate": quorate,
        "may_change": verdict,
        "nodes": list(nodes),
        "leave_order": [one["name"] for one in reversed(nodes)],
    }


def may_change(quorate, nodes):
    """The verdict that cluster_info shows, without its words."""
    reason = "unclean" if any(one["unclean"] for one in nodes) else None if quorate else "not_quorate"
    return {"allowed": reason is None, "reason": reason, "sentence": f"shop can't be changed now: {reason}"}


def reasons(plan):
    return [one["reason"] for one in plan["refusals"]]


WANTED = {
    "a number in the range is fine outwards": (2, "out", []),
    "the most is fine": (3, "out", []),
    "more than the most is refused": (4, "out", ["maximum"]),
    "a text from the command line counts as its number": ("4", "out", ["maximum"]),
    "the least is fine inwards": (1, "in", []),
    "more than the most is fine inwards: so many are left of still more": (4, "in", []),
    "less than the least is refused": (0, "in", ["minimum"]),
    "none at all is refused outwards too": (0, "out", ["bad_input"]),
    "a word is refused": ("many", "out", ["bad_input"]),
    "nothing is refused": (None, "in", ["bad_input"]),
    "a list is refused": ([2], "out", ["bad_input"]),
}


@pytest.mark.parametrize("wanted, direction, expected", WANTED.values(), ids=WANTED.keys())
def test_wanted(wanted, direction, expected):
    assert [one["reason"] for one in wanted_refusals(FILE, wanted, direction)] == expected


GROWTH = {
    "a new VM joins the members": ([vm(1), vm(2, new=True)], cluster(node(1)), 2, ["shop-n1"], ["shop-n2"]),
    "nobody joins where all are members": ([vm(1), vm(2)], cluster(node(1), node(2)), 2, ["shop-n1", "shop-n2"], []),
    "an unfinished VM joins before a new one": ([vm(1), vm(2), vm(3, new=True)], cluster(node(1)), 2, ["shop-n1"], ["shop-n2"]),
    "an unfinished VM joins before a new one, whichever is told first": (
        [vm(1), vm(2, new=True), vm(3)],
        cluster(node(1)),
        2,
        ["shop-n1"],
        ["shop-n3"],
    ),
    "a member that is away comes back before an unfinished VM joins": (
        [vm(1), vm(2), vm(3)],
        cluster(node(1), node(3, online=False)),
        2,
        ["shop-n1"],
        ["shop-n3"],
    ),
    "a pending node is no member yet": ([vm(1), vm(2)], cluster(node(1), node(2, pending=True)), 2, ["shop-n1"], ["shop-n2"]),
    "whose join was cut off joins to its end": ([vm(1), vm(2)], cluster(node(1), node(2, joining=True)), 2, ["shop-n1"], ["shop-n2"]),
    "whose join was cut off joins to its end whatever number is wanted": (
        [vm(1), vm(2)],
        cluster(node(1), node(2, joining=True)),
        1,
        ["shop-n1"],
        ["shop-n2"],
    ),
    "whose join was cut off comes before who was leaving and who is away": (
        [vm(1), vm(2), vm(3), vm(4)],
        cluster(node(1), node(2, online=False), node(3, **LEAVING), node(4, joining=True)),
        2,
        ["shop-n1"],
        ["shop-n4"],
    ),
    "who was leaving comes back before all others": (
        [vm(1), vm(2), vm(3), vm(4, new=True)],
        cluster(node(1), node(2, online=False), node(3, **LEAVING)),
        2,
        ["shop-n1"],
        ["shop-n3"],
    ),
    "who was leaving and is not wanted stays away": ([vm(1), vm(2)], cluster(node(1), node(2, **LEAVING)), 1, ["shop-n1"], []),
    "a person's standby stays a member": ([vm(1), vm(2)], cluster(node(1), node(2, standby=True)), 2, ["shop-n1", "shop-n2"], []),
    "a surplus VM is left alone": ([vm(1), vm(2)], cluster(node(1)), 1, ["shop-n1"], []),
    "more members than wanted stay": ([vm(1), vm(2)], cluster(node(1), node(2)), 1, ["shop-n1", "shop-n2"], []),
}


@pytest.mark.parametrize("vms, view, wanted, members, joining", GROWTH.values(), ids=GROWTH.keys())
def test_growth(vms, view, wanted, members, joining):
    plan = growth(vms, view, wanted)
    assert (plan["members"], plan["joining"], plan["refusals"]) == (members, joining, [])


def test_nobody_waits_for_the_services_of_a_person_s_standby():
    view = cluster(node(1), node(2, standby=True), node(3, **LEAVING))
    assert growth([vm(1), vm(2), vm(3)], view, 3)["idle"] == ["shop-n2"]
    assert growth([vm(1)], None, 1, first=True)["idle"] == []


def test_the_only_member_that_was_leaving_comes_back_and_is_not_created_anew():
    plan = growth([vm(1), vm(2)], cluster(node(1, **LEAVING), node(2, online=False)), 1)
    assert (plan["members"], plan["joining"], plan["back"]) == ([], ["shop-n1"], ["shop-n1"])
    away = growth([vm(1), vm(2)], cluster(node(1), node(2, online=False, **LEAVING)), 2)
    assert (away["joining"], away["back"]) == (["shop-n2"], []), "one that does not run has more to do than to come out of standby"


def test_a_person_s_standby_leaves_only_if_it_is_named():
    view = cluster(node(1), node(2), node(3, standby=True))
    there = [vm(1), vm(2), vm(3)]
    assert shrinkage(there, view, 2)["leave"] == ["shop-n2"]
    assert shrinkage(there, view, 2, ["shop-n3"])["leave"] == ["shop-n3"]
    told = shrinkage([vm(2), vm(3)], cluster(node(2, may_leave=True), node(3, standby=True)), 0)["refusals"]
    assert [one["reason"] for one in told] == ["unstable"] and "shop-n3 is in standby by somebody's hand" in told[0]["sentence"]


def test_who_is_listed_and_away_starts_again_without_quorum_for_it_brings_its_vote():
    view = cluster(node(1), node(2, online=False), quorate=False)
    back = growth([vm(1), vm(2), vm(3, new=True)], view, 2)
    assert (back["joining"], back["refusals"]) == (["shop-n2"], [])
    assert reasons(growth([vm(1), vm(2)], view, 1)) == ["not_quorate"], "nobody starts again"
    assert reasons(growth([vm(1), vm(3, new=True)], view, 2)) == ["not_quorate"], "a new one brings none"
    doubtful = cluster(node(1), node(2, online=False, unclean=True), quorate=False)
    assert reasons(growth([vm(1), vm(2)], doubtful, 2)) == ["unclean"]
    told = growth([vm(1)], view, 1)["refusals"][0]["sentence"]
    assert told == view["may_change"]["sentence"], "the cluster's own word"


def test_the_first_member_is_never_made_by_growing():
    assert reasons(growth([vm(1, new=True)], None, 1)) == ["not_found"]
    first = growth([vm(1, new=True)], None, 1, first=True)
    assert (first["joining"], first["refusals"]) == (["shop-n1"], [])


@pytest.mark.parametrize(
    "view, reason",
    [
        (cluster(node(1), quorate=False), "not_quorate"),
        (cluster(node(1), node(2, online=False, unclean=True)), "unclean"),
    ],
)
def test_an_unsteady_membership_neither_grows_nor_shrinks(view, reason):
    assert reasons(growth([vm(1), vm(2)], view, 2)) == [reason]
    assert reasons(shrinkage([vm(1), vm(2)], view, 1)) == ([reason] if len(view["nodes"]) > 1 else [])


SHRINKAGE = {
    "nobody leaves where the number is right": ([vm(1), vm(2)], cluster(node(1), node(2)), 2, [], [], []),
    "the first of the leave order leaves": ([vm(1), vm(2)], cluster(node(1), node(2)), 1, [], ["shop-n2"], []),
    "who is named leaves first": ([vm(1), vm(2)], cluster(node(1), node(2)), 1, ["shop-n1"], ["shop-n1"], []),
    "who is named leaves first, and then the first of the leave order": (
        [vm(1), vm(2), vm(3)],
        cluster(node(1), node(2), node(3)),
        1,
        ["shop-n1"],
        ["shop-n1", "shop-n3"],
        [],
    ),
    "an unfinished VM goes before a member": ([vm(1), vm(2), vm(3)], cluster(node(1), node(2)), 2, [], [], ["shop-n3"]),
    "a name that is gone already does not count": ([vm(1)], cluster(node(1)), 1, ["shop-n2"], [], []),
}


@pytest.mark.parametrize("vms, view, wanted, leavers, leave, delete", SHRINKAGE.values(), ids=SHRINKAGE.keys())
def test_shrinkage(vms, view, wanted, leavers, leave, delete):
    plan = shrinkage(vms, view, wanted, leavers)
    assert (plan["leave"], plan["delete"], plan["refusals"]) == (leave, delete, [])


def test_who_may_not_leave_is_refused_with_the_cluster_s_own_words():
    plan = shrinkage([vm(1), vm(2)], cluster(node(1), node(2, may_leave=False)), 1)
    assert plan["refusals"] == [{"reason": "quorum", "sentence": "it would end the quorum"}]


def test_a_cluster_that_is_busy_for_a_moment_is_left_to_the_last_look():
    busy = dict(node(2), may_leave={"allowed": False, "reason": "unstable", "sentence": "a change is under way"})
    assert shrinkage([vm(1), vm(2)], cluster(node(1), busy), 1)["leave"] == ["shop-n2"]
    assert reasons(shrinkage([vm(1), vm(2)], cluster(node(1), busy), 1)) == []


def test_naming_more_than_may_leave_is_refused():
    plan = shrinkage([vm(1), vm(2), vm(3)], cluster(node(1), node(2), node(3)), 2, ["shop-n1", "shop-n9", "shop-n2"])
    sentence = "leavers names shop-n1, shop-n2, but the wanted number lets only 1 leave; name fewer, or lower wanted"
    assert plan["refusals"] == [{"reason": "bad_input", "sentence": sentence}]


def test_nobody_leaves_in_the_place_of_one_who_is_not_there():
    view = cluster(node(1), node(2), node(3))
    sentence = "leavers names shop-n22, of which there is no VM, and 1 more would have to leave; name those who shall, or none"
    plan = shrinkage([vm(1), vm(2), vm(3)], view, 1, ["shop-n22", "shop-n2"])
    assert plan["refusals"] == [{"reason": "not_found", "sentence": sentence}]
    assert reasons(shrinkage([vm(1), vm(2), vm(3)], view, 2, ["shop-n22"])) == ["not_found"]
    assert shrinkage([vm(1), vm(2), vm(3)], view, 2, ["shop-n22", "shop-n2"])["leave"] == ["shop-n2"]


AWAY = [{"host": "hv2", "because": "no answer in 10 s"}]


def test_while_a_host_is_away_the_cluster_s_word_counts_and_no_member_counts_as_gone():
    view = cluster(node(1), node(2, online=False))
    assert (reasons(shrinkage([vm(1)], view, 1, [], AWAY)), shrinkage([vm(1)], view, 1, [], AWAY)["gone"]) == ([], [])
    assert reasons(shrinkage([vm(1)], None, 1, [], AWAY)) == ["host_unreachable"]


def test_a_member_whose_host_is_away_counts_and_stays_and_is_not_gone():
    there = [vm(1), vm(2), {"name": "shop-n3", "address": "10.99.0.13", "online": True, "new": False, "unseen": True}]
    plan = shrinkage(there, cluster(node(1), node(2), node(3)), 2, [], AWAY)
    assert (plan["leave"], plan["delete"], plan["gone"], plan["refusals"]) == (["shop-n2"], [], [], [])
    assert plan["stay"] == ["shop-n1", "shop-n3"]
    assert shrinkage(there, cluster(node(1), node(2), node(3)), 2)["gone"] == []
    assert shrinkage(there[:2], cluster(node(1), node(2), node(4, online=False)), 2)["gone"] == ["shop-n4"]
    assert shrinkage(there[1:], cluster(node(1), node(2), node(3)), 2)["stay"] == ["shop-n2", "shop-n3"], (
        "of whom no VM is known is left out"
    )


def test_a_member_whose_vm_is_gone_is_told_and_taken_out_only_of_a_quorate_cluster():
    view = cluster(node(1), node(2, online=False))
    assert shrinkage([vm(1)], view, 1)["gone"] == ["shop-n2"]
    assert reasons(shrinkage([vm(1)], dict(view, quorate=False, may_change=may_change(False, [])), 1)) == ["not_quorate"]
    assert reasons(shrinkage([vm(1)], cluster(node(1), quorate=False), 1)) == [], "nobody goes, so nothing is built on it"


def test_who_stays_are_the_members_with_a_vm_that_do_not_go():
    view = cluster(node(1), node(2, online=False), node(3, online=False), node(4), node(5, pending=True))
    assert shrinkage([vm(1), vm(2), vm(4), vm(5), vm(6)], view, 2) == {
        "leave": ["shop-n5", "shop-n4"],
        "delete": ["shop-n6"],
        "gone": ["shop-n3"],
        "lost": [],
        "stay": ["shop-n1"],
        "refusals": [],
    }


@pytest.mark.parametrize(("reason", "leaves"), [("no_place", "shop-n2"), ("unmanaged", "shop-n2"), ("quorum", "shop-n3")])
def test_whom_pacemaker_has_no_way_round_stays_while_another_one_may_go(reason, leaves):
    newest = node(3, may_leave=False)
    newest["may_leave"]["reason"] = reason
    assert shrinkage([vm(1), vm(2), vm(3)], cluster(node(1), node(2), newest), 2)["leave"] == [leaves]


def test_a_member_that_runs_is_not_gone_whatever_the_hosts_showed():
    """Another run made its VM after they were asked, or its host is not in the file."""
    plan = shrinkage([vm(1), vm(2)], cluster(node(1), node(2), node(3)), 1)
    assert (plan["gone"], reasons(plan)) == ([], ["unstable"])
    assert "shop-n3 is online, and no host of the cluster file shows its VM" in plan["refusals"][0]["sentence"]
    assert reasons(shrinkage([vm(1), vm(2)], cluster(node(1), node(2), node(3)), 2)) == ["unstable"], "nobody knows who is the surplus"
    assert reasons(shrinkage([vm(1), vm(2)], cluster(node(1), node(2), node(3)), 2, [], AWAY)) == []


def test_of_the_leaving_those_are_lost_whom_the_cluster_misses():
    view = cluster(node(1), node(2), node(3, online=False))
    plan = shrinkage([vm(1), vm(2), vm(3)], view, 1, ["shop-n3"])
    assert (plan["leave"], plan["lost"], plan["gone"]) == (["shop-n3", "shop-n2"], ["shop-n3"], [])


def test_without_the_cluster_s_word_no_vm_is_deleted():
    assert reasons(shrinkage([vm(1), vm(2)], None, 1)) == ["not_found"]
    assert reasons(shrinkage([vm(1)], None, 1)) == []


def test_only_what_no_cluster_can_miss_is_expendable():
    vms = [vm(1), vm(2), vm(3, new=True)]
    assert growth(vms, None, 3, first=True)["expendable"] == ["shop-n3"]
    assert growth(vms, cluster(node(1)), 3)["expendable"] == ["shop-n2", "shop-n3"]
    assert growth(vms, cluster(node(1), node(2, online=False)), 3)["expendable"] == ["shop-n3"]


def test_every_host_that_does_not_answer_is_told():
    told = unreachable_refusals([{"host": "hv1", "because": "no route"}, {"host": "hv2", "because": "no answer"}])
    assert [one["reason"] for one in told] == ["host_unreachable"]
    assert "hv1: no route; hv2: no answer" in told[0]["sentence"]
    assert unreachable_refusals([]) == []


def test_a_surplus_that_nobody_can_fill_is_refused():
    view = dict(cluster(node(1), node(2)), leave_order=[])
    sentence = "only 0 of 1 VMs can be told to leave: look at the cluster, then run it again"
    assert shrinkage([vm(1), vm(2)], view, 1)["refusals"] == [{"reason": "unstable", "sentence": sentence}]


def test_why_one_may_not_leave_is_told_before_that_others_are_missing():
    view = dict(cluster(node(1), node(2, may_leave=False)), leave_order=["shop-n2"])
    assert reasons(shrinkage([vm(1), vm(2)], view, 0)) == ["quorum"]


@given(
    numbers=st.sets(st.integers(1, 8), max_size=6),
    known=st.sets(st.integers(1, 8), max_size=6),
    wanted=st.integers(1, 6),
    named=st.lists(st.integers(1, 8), max_size=2, unique=True),
)
def test_shrinking_never_takes_more_than_the_surplus_and_then_has_no_more_to_do(numbers, known, wanted, named):
    vms = [vm(number) for number in sorted(numbers)]
    view = cluster(*[node(number) for number in sorted(known)]) if known else None
    plan = shrinkage(vms, view, wanted, ["shop-n%d" % number for number in named])
    going = plan["leave"] + plan["delete"]
    assert len(going) == len(set(going)) <= max(0, len(vms) - wanted)
    if not plan["refusals"]:
        rest = [one for one in vms if one["name"] not in going]
        assert shrinkage(rest, view, wanted)["leave"] == []
