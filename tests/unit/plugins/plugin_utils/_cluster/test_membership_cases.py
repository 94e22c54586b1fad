# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""Plans of membership at their boundaries: what is fresh, which base counts."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.ondemand.cluster.plugins.module_utils._contract.refusal import Refusal
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster import corosync_conf as cc
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster import membership as ms
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.seen import Seen
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.status import Status

from .test_membership import NEW, NODES, conf, planned, seen, status


def test_the_first_member_is_node_1_and_needs_one_file_for_all_times() -> None:
    plan = planned(ms.plan_create(seen("n1", None), "shop", "n1", "10.99.0.21", 5000))
    assert plan == ms.Plan(NODES[0], plan.node_text, plan.node_text, plan.node_text, fresh=True)
    assert cc.options_of(cc.parse(plan.node_text))["token"] == "5000"


@pytest.mark.parametrize(
    ("nodes", "active", "said"),
    [(1, True, None), (1, False, None), (2, True, None), (2, False, "does not run; use state member")],
)
def test_a_first_member_with_others_must_run_to_stay_as_it_is(nodes: int, active: bool, said: str | None) -> None:
    plan = ms.plan_create(seen("n1", conf(nodes), active=active), "shop", "n1", "10.99.0.21", 3000)
    if said:
        assert isinstance(plan, Refusal) and plan.reason == "join_refused" and said in plan.sentence
    else:
        text = cc.render(conf(nodes))
        assert plan == ms.Plan(NODES[0], text, text, text, fresh=False)


@pytest.mark.parametrize(
    ("host", "name", "cluster", "address", "said"),
    [
        (seen("n9", conf(2)), "n9", "shop", "10.99.0.29", "belongs to the cluster shop with n1, n2"),
        (seen("n1", conf(1)), "n1", "other", "10.99.0.21", "n1 was not made the first member of other: its corosync.conf belongs to the cluster shop"),
        (seen("n1", conf(1)), "n1", "shop", "10.99.0.99", "a member with the address 10.99.0.21, not 10.99.0.99"),
    ],
)  # fmt: skip
def test_a_create_that_is_refused_says_what_the_host_belongs_to(host: Seen, name: str, cluster: str, address: str, said: str) -> None:
    plan = ms.plan_create(host, cluster, name, address, 3000)
    assert isinstance(plan, Refusal) and plan.reason == "join_refused" and said in plan.sentence


def test_from_three_to_two_there_is_no_two_node_at_any_time() -> None:
    plan = planned(ms.plan_leave([seen(name, conf(3)) for name in ("n1", "n2")], "n3"))
    assert plan.member_now == cc.render(conf(3)) and plan.member_then == cc.render(cc.without_node(conf(3), "n3"))
    assert plan.node == NODES[2] and not plan.passing and plan.node_text == ""


def test_from_two_to_one_two_node_passes_and_the_plan_says_so() -> None:
    plan = planned(ms.plan_leave([seen("n1", conf(2))], "n2"))
    assert plan.passing and plan.member_now == cc.render(conf(2, passing=True)) and plan.node == NODES[1]


def test_a_node_whose_entry_has_no_name_leaves_by_its_number() -> None:
    nameless = cc.parse(cc.render(conf(3)).replace("        name: n3\n", ""))
    members = [seen(name, nameless) for name in ("n1", "n2")]
    plan = planned(ms.plan_leave(members, "n3", 3))
    assert plan.member_then == cc.render(cc.without_node(conf(3), "n3")) and plan.node == cc.Node("10.99.0.23", "10.99.0.23", 3)
    assert cc.parse(planned(ms.plan_leave(members, "n3")).member_then).nodes == nameless.nodes, "without its number nobody knows it"


def test_the_leave_of_a_node_that_no_list_has_clears_the_passing_file_all_the_same() -> None:
    passing = cc.with_one_vote_enough(cc.without_node(conf(2), "n2"), True)
    plan = planned(ms.plan_leave([seen("n1", passing)], "n2"))
    assert plan.node == cc.Node("n2", "", 0)
    assert plan.member_then == cc.render(cc.without_node(conf(2), "n2"))


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_join_says_whether_two_node_passes(count: int) -> None:
    members = [seen(node.name, conf(count)) for node in NODES[:count]]
    new = NODES[count]
    plan = planned(ms.plan_join(members, seen(new.name, None), status(count), new.name, new.address))
    assert (plan.passing, plan.node, plan.fresh) == (count == 1, new, True)


@pytest.mark.parametrize(
    ("host", "fresh"),
    [
        (seen("n2", conf(2)), False),
        (seen("n2", conf(2), key=""), True),
        (seen("n2", conf(2), key="b" * 64), True),
        (seen("n2", cc.with_node(conf(1), replace(NODES[1], id=7))), True),
        (seen("n2", None), True),
    ],
)
def test_only_a_node_with_the_members_entry_and_key_keeps_its_files(host: Seen, fresh: bool) -> None:
    assert planned(ms.plan_join([seen("n1", conf(2))], host, status(2), "n2", "10.99.0.22")).fresh is fresh


def test_an_id_that_only_pacemaker_still_knows_is_not_given_again() -> None:
    known = replace(status(2), members=(*status(1).members, replace(status(2).members[1], name="n8", id=8, listed=False)))
    assert planned(ms.plan_join([seen("n1", conf(1))], NEW, known, "n2", "10.99.0.22")).node.id == 9


def test_of_two_half_done_lists_the_one_that_knows_more_is_the_base() -> None:
    less, more = conf(2), cc.without_node(conf(4), "n4")
    more = cc.without_node(more, "n3")
    for members in ([seen("n1", less), seen("n2", more)], [seen("n1", more), seen("n2", less)]):
        assert planned(ms.plan_join(members, seen("n5", None), status(2), "n5", "10.99.0.25")).node.id == 5
    shorter = cc.without_node(conf(3), "n3")
    for members in ([seen("n1", shorter), seen("n2", conf(3))], [seen("n1", conf(3)), seen("n2", shorter)]):
        assert planned(ms.plan_leave(members, "n3")).member_now == cc.render(conf(3)), "the entry is still known"


def test_members_without_any_key_are_refused() -> None:
    plan = ms.plan_join([seen("n1", conf(1), key="")], NEW, status(1), "n2", "10.99.0.22")
    assert isinstance(plan, Refusal) and "authkey on n1" in plan.sentence


def test_a_member_without_a_file_is_named_and_no_other() -> None:
    for plan in (
        ms.plan_leave([seen("n1", conf(3)), seen("n2", None)], "n3"),
        ms.plan_leave([seen("n2", None), seen("n1", conf(3))], "n3"),
    ):
        assert isinstance(plan, Refusal) and "Nothing was changed: n2 has no corosync.conf" in plan.sentence


def test_without_any_member_a_leave_is_refused() -> None:
    assert isinstance(ms.plan_leave([], "n1"), Refusal)


def test_a_node_may_join_again_from_a_former_cluster_of_the_same_name() -> None:
    former = cc.first_conf("shop", cc.Node("n2", "10.99.0.22", 1), 3000)
    assert planned(ms.plan_join([seen("n1", conf(1))], seen("n2", former), status(1), "n2", "10.99.0.22")).fresh


def changed(cluster: Status, number: int, **more: object) -> Status:
    """The same cluster with one node otherwise."""
    members = tuple(replace(one, **more) if one.id == number else one for one in cluster.members)  # type: ignore[arg-type]
    return replace(cluster, members=members)


LINKED = cc.parse(cc.render(conf(2)).replace("        name:", "        ring1_addr: 10.98.0.1\n        name:"))


def test_a_listed_node_of_a_cluster_with_two_links_may_come_back() -> None:
    host = seen("n2", LINKED)
    assert planned(ms.plan_join([seen("n1", LINKED)], host, replace(status(2), conf=LINKED), "n2", "10.99.0.22")).node.id == 2


def test_a_key_that_is_missing_everywhere_is_no_key() -> None:
    plan = ms.plan_join([seen("n1", conf(2))], seen("n2", conf(2), key=""), status(2), "n2", "10.99.0.22")
    assert planned(plan).fresh


def test_a_leave_of_who_is_on_no_list_sets_no_two_node() -> None:
    plan = planned(ms.plan_leave([seen(name, conf(2)) for name in ("n1", "n2")], "n9"))
    assert plan.member_now == plan.member_then == cc.render(conf(2)) and not plan.passing


@pytest.mark.parametrize("note", ["# highest node id ever given: 9\n", "# a person's note\n"])
def test_members_may_differ_in_comments(note: str) -> None:
    other = cc.parse(note + cc.render(conf(2)))
    assert isinstance(ms.plan_leave([seen("n1", conf(2)), seen("n2", other)], "n3"), ms.Plan)


def test_a_host_of_a_cluster_without_a_name_is_told_so() -> None:
    nameless = cc.parse("nodelist {\nnode {\nname: other\nnodeid: 1\nring0_addr: 10.99.0.77\n}\n}\n")
    plan = ms.plan_create(seen("n1", nameless), "shop", "n1", "10.99.0.21", 3000)
    assert isinstance(plan, Refusal) and "belongs to the cluster without a name with other;" in plan.sentence


def test_the_distributions_example_is_no_other_cluster_for_a_join_either() -> None:
    example = cc.parse("totem {\ncluster_name: debian\n}\nnodelist {\nnode {\nname: node1\nnodeid: 1\nring0_addr: 127.0.0.1\n}\n}\n")
    assert planned(ms.plan_join([seen("n1", conf(1))], seen("n2", example), status(1), "n2", "10.99.0.22")).fresh


def test_a_leave_writes_no_file_for_the_node() -> None:
    plan = planned(ms.plan_leave([seen(name, conf(3)) for name in ("n1", "n2")], "n3"))
    assert (plan.fresh, plan.node_text) == (False, "")
