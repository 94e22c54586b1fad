# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""Plans of a create, a join and a leave, from the start and from every half-done state."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.ondemand.cluster.plugins.module_utils._contract.refusal import Refusal
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster import corosync_conf as cc
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster import membership as ms
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.seen import Seen
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.status import Member, Status, Votes

KEY = "a" * 64
NODES = [cc.Node(f"n{number}", f"10.99.0.2{number}", number) for number in range(1, 6)]
EXAMPLE = "totem {\n  cluster_name: debian\n}\nnodelist {\n  node {\n    name: node1\n    nodeid: 1\n    ring0_addr: 127.0.0.1\n  }\n}\n"


def conf(count: int, passing: bool = False) -> cc.Conf:
    """The configuration of the first so many nodes."""
    made = cc.first_conf("shop", NODES[0], 3000)
    for node in NODES[1:count]:
        made = cc.with_node(made, node)
    return cc.with_one_vote_enough(made, passing)


def seen(name: str, value: cc.Conf | None, key: str = KEY, active: bool = True) -> Seen:
    """A host with this file."""
    return Seen(name, cc.render(value) if value else "", value, key if value else "", False, active and value is not None)


def status(count: int, there: int | None = None, **more: object) -> Status:
    """A healthy cluster of so many nodes, of which the first `there` are present."""
    present = count if there is None else there
    members = tuple(
        Member(node.name, node.id, node.address, True, node.id <= present, node.id <= present, False, False, False)
        for node in NODES[:count]
    )
    facts = {"quorate": True, "dc": "n1", "idle": True, "services": (), "failures": (), "constraints": (), "conf": conf(count), **more}
    return Status(
        cluster="shop", votes=Votes(count, present, present // 2 + 1, tuple(range(1, present + 1)), False), members=members, **facts
    )  # type: ignore[arg-type]


def planned(plan: ms.Plan | Refusal) -> ms.Plan:
    """A plan that is none of the refusals."""
    assert isinstance(plan, ms.Plan), plan
    return plan


NEW = seen("n2", None)


def test_the_first_member_gets_a_file_of_its_own() -> None:
    plan = planned(ms.plan_create(seen("n1", None), "shop", "n1", "10.99.0.21", 3000))
    assert plan.fresh and cc.parse(plan.node_text) == conf(1)


def test_the_distributions_example_is_no_cluster() -> None:
    example = Seen("n1", EXAMPLE, cc.parse(EXAMPLE), KEY, False, True)
    assert planned(ms.plan_create(example, "shop", "n1", "10.99.0.21", 3000)).fresh


def test_a_first_member_that_is_there_stays_as_it_is() -> None:
    plan = planned(ms.plan_create(seen("n1", conf(3)), "shop", "n1", "10.99.0.21", 3000))
    assert not plan.fresh and plan.node_text == cc.render(conf(3))


@pytest.mark.parametrize(
    ("name", "cluster", "address"), [("n9", "shop", "10.99.0.29"), ("n1", "other", "10.99.0.21"), ("n1", "shop", "10.99.0.99")]
)
def test_a_member_of_something_else_is_not_taken(name: str, cluster: str, address: str) -> None:
    plan = ms.plan_create(seen(name, conf(1)), cluster, name, address, 3000)
    assert isinstance(plan, Refusal) and plan.reason == "join_refused"


def test_from_one_to_two_only_the_old_member_has_two_node_and_only_in_between() -> None:
    plan = planned(ms.plan_join([seen("n1", conf(1))], NEW, status(1), "n2", "10.99.0.22"))
    assert cc.parse(plan.member_now).two_node
    assert not cc.parse(plan.member_then).two_node and not cc.parse(plan.node_text).two_node
    assert plan.fresh and plan.node.id == 2


def test_from_two_to_three_there_is_no_two_node_at_any_time() -> None:
    plan = planned(ms.plan_join([seen("n1", conf(2)), seen("n2", conf(2))], seen("n3", None), status(2), "n3", "10.99.0.23"))
    assert plan.member_now == plan.member_then == plan.node_text == cc.render(conf(3))


HALF_JOINED = {
    "nothing written": (conf(1), None, 1, 1),
    "the new node's file written": (conf(1), conf(2), 1, 1),
    "the old member's passing file written": (conf(2, passing=True), conf(2), 2, 1),
    "started, but still passing": (conf(2, passing=True), conf(2), 2, 2),
    "finished": (conf(2), conf(2), 2, 2),
}


@pytest.mark.parametrize("case", HALF_JOINED)
def test_a_join_from_any_half_done_state_ends_in_the_same(case: str) -> None:
    old, new, listed, there = HALF_JOINED[case]
    plan = planned(ms.plan_join([seen("n1", old)], seen("n2", new), status(listed, there), "n2", "10.99.0.22"))
    assert plan.member_then == plan.node_text == cc.render(conf(2)) and plan.node.id == 2
    assert cc.parse(plan.member_now).two_node is (there == 1), "the old member keeps quorum while the new one is away"
    assert plan.fresh is (new is None)


HALF_LEFT = {
    "nothing written": conf(2),
    "passing": conf(2, passing=True),
    "list shortened": cc.without_node(conf(2), "n2"),
}


@pytest.mark.parametrize("case", HALF_LEFT)
def test_a_leave_from_any_half_done_state_ends_in_the_same(case: str) -> None:
    plan = planned(ms.plan_leave([seen("n1", HALF_LEFT[case])], "n2"))
    assert plan.member_then == cc.render(cc.without_node(conf(2), "n2"))
    assert cc.parse(plan.member_now).two_node is (case != "list shortened")


@pytest.mark.parametrize("count", [2, 3, 4, 5])
def test_one_vote_is_never_enough_but_for_the_moment_of_one_of_two_leaving(count: int) -> None:
    members = [seen(node.name, conf(count)) for node in NODES[: count - 1]]
    plan = planned(ms.plan_leave(members, f"n{count}"))
    assert (cc.parse(plan.member_now).two_node, plan.passing) == (count == 2, count == 2)
    assert "two_node" not in plan.member_then and "wait_for_all" not in plan.member_then
    assert (plan.member_now == cc.render(conf(count))) is (count != 2), "nothing is written before the leaver stops"


def test_an_id_is_not_given_twice_whoever_remembers_it() -> None:
    """The file notes ids of the past; Pacemaker may list a node that the file does not."""
    left = cc.without_node(conf(3), "n3")
    plan = planned(ms.plan_join([seen("n1", left), seen("n2", left)], seen("n4", None), status(2), "n4", "10.99.0.24"))
    assert plan.node.id == 4
    ghost = replace(status(2), members=(*status(2).members, Member("n9", 9, "", False, False, False, False, False, False)))
    plan = planned(ms.plan_join([seen("n1", left), seen("n2", left)], seen("n4", None), ghost, "n4", "10.99.0.24"))
    assert plan.node.id == 10


LINKS = {
    "two links": lambda text: text.replace("        name:", "        ring1_addr: 10.98.0.1\n        name:"),
    "a second link of one node": lambda text: text.replace("        name: n1", "        ring1_addr: 10.98.0.1\n        name: n1"),
    "another link than the first": lambda text: text.replace("ring0_addr", "ring1_addr"),
    "no address at all": lambda text: text.replace("        ring0_addr: 10.99.0.22\n", ""),
    "the eighth link": lambda text: text.replace("        name: n2", "        ring7_addr: 10.98.0.1\n        name: n2"),
}


@pytest.mark.parametrize("case", LINKS)
def test_a_node_with_one_address_does_not_join_where_links_differ(case: str) -> None:
    odd = cc.parse(LINKS[case](cc.render(conf(2))))
    assert odd != conf(2)
    plan = ms.plan_join([seen("n1", odd), seen("n2", odd)], seen("n3", None), status(2), "n3", "10.99.0.23")
    assert isinstance(plan, Refusal) and plan.reason == "join_refused"
    assert "ring0_addr" in plan.sentence or "links 0" in plan.sentence
    with pytest.raises(cc.ConfError, match="on each of its links"):
        cc.with_node(odd, NODES[2])


@pytest.mark.parametrize("note", ["x", "-3", "3 and more", "", "\u00b2"])
def test_a_note_of_the_highest_id_without_a_number_is_told_in_a_sentence(note: str) -> None:
    odd = cc.parse(cc.render(conf(2)).replace("ever given: 2", "ever given: " + note))
    for plan in (
        ms.plan_join([seen("n1", conf(2)), seen("n2", odd)], seen("n3", None), status(2), "n3", "10.99.0.23"),
        ms.plan_leave([seen("n1", odd), seen("n2", conf(2))], "n2"),
    ):
        assert isinstance(plan, Refusal) and "tells no number" in plan.sentence and "corosync.conf on n" in plan.sentence


def test_a_leave_of_which_one_member_has_heard_is_finished_on_all() -> None:
    done, before = cc.without_node(conf(3), "n3"), conf(3)
    plan = planned(ms.plan_leave([seen("n1", done), seen("n2", before)], "n3"))
    assert plan.member_then == cc.render(done)


OTHER = cc.with_node(conf(1), replace(NODES[1], address="10.99.0.88"))


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ([seen("n1", conf(2)), seen("n2", cc.parse(cc.render(conf(2)).replace("3000", "9000")))], "n2 differs"),
        ([seen("n1", conf(2)), seen("n2", OTHER)], "n2 differs"),
        ([seen("n1", conf(2)), seen("n2", conf(2), key="b" * 64)], "authkey on n2"),
        ([seen("n1", conf(2)), seen("n2", None)], "n2 has no corosync.conf"),
    ],
)
def test_members_that_differ_are_refused_before_anything_is_written(members: list[Seen], said: str) -> None:
    for plan in (ms.plan_join(members, seen("n3", None), status(2), "n3", "10.99.0.23"), ms.plan_leave(members, "n3")):
        assert isinstance(plan, Refusal) and plan.reason == "join_refused" and said in plan.sentence


@pytest.mark.parametrize(
    ("host", "address", "said"),
    [
        (NEW, "10.99.0.21", "already that of n1"),
        (seen("n2", cc.first_conf("other", cc.Node("n2", "10.99.0.22", 1), 3000)), "10.99.0.22", "belongs to the cluster other"),
    ],
)
def test_a_node_that_cannot_join_is_told_why(host: Seen, address: str, said: str) -> None:
    plan = ms.plan_join([seen("n1", conf(1))], host, status(1), "n2", address)
    assert isinstance(plan, Refusal) and said in plan.sentence


def test_a_member_is_not_given_another_address() -> None:
    plan = ms.plan_join([seen("n1", conf(2))], seen("n2", conf(2)), status(2), "n2", "10.99.0.99")
    assert isinstance(plan, Refusal) and "10.99.0.22" in plan.sentence


def test_an_id_is_not_given_twice() -> None:
    left = cc.without_node(conf(3), "n3")
    members = [seen("n1", left), seen("n2", left)]
    assert planned(ms.plan_join(members, seen("n3", None), status(2), "n3", "10.99.0.23")).node.id == 4


def test_a_stale_member_gets_a_fresh_start() -> None:
    left = cc.without_node(conf(2), "n2")
    assert planned(ms.plan_join([seen("n1", left)], seen("n2", conf(2)), status(1), "n2", "10.99.0.22")).fresh
    assert planned(ms.plan_join([seen("n1", conf(2))], seen("n2", conf(2), key="b" * 64), status(2), "n2", "10.99.0.22")).fresh
