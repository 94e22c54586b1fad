# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""Plans of a create, a join and a leave, from the start and from every half-done state."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.ondemand.cluster.plugins.module_utils._cluster import corosync_conf as cc
from ansible_collections.ondemand.cluster.plugins.module_utils._cluster import membership as ms
from ansible_collections.ondemand.cluster.plugins.module_utils._cluster.status import Member, Status, Votes
from ansible_collections.ondemand.cluster.plugins.module_utils._shared.refusal import Refusal

KEY = "a" * 64
NODES = [cc.Node(f"n{number}", f"10.99.0.2{number}", number) for number in range(1, 6)]
EXAMPLE = "totem {\n  cluster_name: debian\n}\nnodelist {\n  node {\n    name: node1\n    nodeid: 1\n    ring0_addr: 127.0.0.1\n  }\n}\n"


def conf(count: int, passing: bool = False) -> cc.Conf:
    """The configuration of the first so many nodes."""
    made = cc.first_conf("shop", NODES[0], 3000)
    for node in NODES[1:count]:
        made = cc.with_node(made, node)
    return cc.with_one_vote_enough(made, passing)


def seen(name: str, value: cc.Conf | None, key: str = KEY, active: bool = True) -> ms.Seen:
    """A host with this file."""
    return ms.Seen(name, cc.render(value) if value else "", value, key if value else "", False, active and value is not None)


def status(count: int, there: int | None = None, **more: object) -> Status:
    """A healthy cluster of so many nodes, of which the first `there` are present."""
    present = count if there is None else there
    members = tuple(
        Member(node.name, node.id, node.address, True, node.id <= present, node.id <= present, False, False, False)
        for node in NODES[:count]
    )
    facts = {"quorate": True, "dc": "n1", "idle": True, "services": (), "failures": (), "constraints": (), **more}
    return Status(cluster="shop", votes=Votes(count, present, 1, (), False), members=members, **facts)  # type: ignore[arg-type]


def planned(plan: ms.Plan | Refusal) -> ms.Plan:
    """A plan that is none of the refusals."""
    assert isinstance(plan, ms.Plan), plan
    return plan


NEW = seen("n2", None)


def test_the_first_member_gets_a_file_of_its_own() -> None:
    plan = planned(ms.plan_create(seen("n1", None), "shop", "n1", "10.99.0.21", 3000))
    assert plan.fresh and plan.votes == 1 and cc.parse(plan.node_text) == conf(1)


def test_the_distributions_example_is_no_cluster() -> None:
    example = ms.Seen("n1", EXAMPLE, cc.parse(EXAMPLE), KEY, False, True)
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
    assert plan.fresh and plan.votes == 2 and plan.node.id == 2


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
def test_members_that_differ_are_refused_before_anything_is_written(members: list[ms.Seen], said: str) -> None:
    for plan in (ms.plan_join(members, seen("n3", None), status(2), "n3", "10.99.0.23"), ms.plan_leave(members, "n3")):
        assert isinstance(plan, Refusal) and plan.reason == "join_refused" and said in plan.sentence


@pytest.mark.parametrize(
    ("host", "address", "said"),
    [
        (NEW, "10.99.0.21", "already that of n1"),
        (seen("n2", cc.first_conf("other", cc.Node("n2", "10.99.0.22", 1), 3000)), "10.99.0.22", "belongs to the cluster other"),
    ],
)
def test_a_node_that_cannot_join_is_told_why(host: ms.Seen, address: str, said: str) -> None:
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


@pytest.mark.parametrize(
    ("cluster", "reason"),
    [
        (status(2), None),
        (status(1), None),
        (status(2, quorate=False), "not_quorate"),
        (status(3, 2), "quorum"),
        (replace(status(2), members=(replace(status(2).members[0], unclean=True), status(2).members[1])), "unclean"),
        (replace(status(2), members=(replace(status(2).members[0], pending=True), status(2).members[1])), "unstable"),
    ],
)
def test_a_join_is_refused_where_it_would_harm(cluster: Status, reason: str | None) -> None:
    refusal = ms.join_refusal(cluster, "n5")
    assert (refusal.reason if refusal else None) == reason


def test_equal_changes_are_shown_once() -> None:
    shown = ms.diff([("n1", "a\n", "b\n"), ("n2", "a\n", "b\n"), ("n3", "", "b\n"), ("n4", "b\n", "b\n")])
    assert [item["before_header"] for item in shown] == ["corosync.conf on n1, n2", "corosync.conf on n3"]


@pytest.mark.parametrize(
    ("before", "after", "shown"), [(False, True, [("off\n", "on\n")]), (True, False, [("on\n", "off\n")]), (True, True, [])]
)
def test_a_change_of_standby_is_shown(before: bool, after: bool, shown: list[tuple[str, str]]) -> None:
    assert [(item["before"], item["after"]) for item in ms.standby_diff("n1", before, after)] == shown


FILES = {
    "conf": (0, cc.render(conf(1))),
    "key": (0, KEY + "  /etc/corosync/authkey\n"),
    "seed": (0, ""),
    "corosync": (0, ""),
    "pacemaker": (0, ""),
}
READ = {
    "everything is there": ({}, (True, KEY, True, True)),
    "no corosync.conf": ({"conf": (1, "cat: no such file")}, (False, KEY, True, True)),
    "no key": ({"key": (1, "sha256sum: no such file")}, (True, "", True, True)),
    "an empty answer for the key": ({"key": (0, " \n")}, (True, "", True, True)),
    "not seeded": ({"seed": (1, "")}, (True, KEY, False, True)),
    "only Corosync is active": ({"pacemaker": (3, "")}, (True, KEY, True, False)),
    "only Pacemaker is active": ({"corosync": (3, "")}, (True, KEY, True, False)),
}


@pytest.mark.parametrize("case", READ)
def test_the_files_and_daemons_of_a_host_are_read(case: str) -> None:
    changed, (has_conf, key, seeded, active) = READ[case]
    found = ms.seen("n1", {**FILES, **changed})
    assert (found.host, found.key, found.seeded, found.active) == ("n1", key, seeded, active)
    assert found.conf == (conf(1) if has_conf else None) and found.text == (FILES["conf"][1] if has_conf else "")


def test_a_host_that_answered_nothing_has_nothing() -> None:
    assert ms.seen("n1", {}) == ms.Seen("n1", "", None, "", False, False)


@pytest.mark.parametrize(
    ("addresses", "in_none"),
    [(("127.0.0.1",), True), (("127.0.0.1", "::1"), True), (("127.0.0.1", "10.99.0.21"), False), (("node1.example",), False), ((), True)],
)
def test_only_a_list_of_loopback_addresses_is_no_cluster(addresses: tuple[str, ...], in_none: bool) -> None:
    nodes = "".join(f"node {{\nname: a{i}\nnodeid: {i + 1}\nring0_addr: {address}\n}}\n" for i, address in enumerate(addresses))
    value = cc.parse("totem {\n}\nnodelist {\n" + nodes + "}\n")
    assert seen("n1", value).in_no_cluster is in_none


def test_the_first_member_is_node_1_and_needs_one_file_for_all_times() -> None:
    plan = planned(ms.plan_create(seen("n1", None), "shop", "n1", "10.99.0.21", 5000))
    assert plan == ms.Plan(NODES[0], plan.node_text, plan.node_text, plan.node_text, fresh=True, votes=1)
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
        assert plan == ms.Plan(NODES[0], text, text, text, fresh=False, votes=nodes)


@pytest.mark.parametrize(
    ("host", "name", "cluster", "address", "said"),
    [
        (seen("n9", conf(2)), "n9", "shop", "10.99.0.29", "belongs to the cluster shop with n1, n2"),
        (seen("n1", conf(1)), "n1", "other", "10.99.0.21", "n1 was not made the first member of other: its corosync.conf belongs to the cluster shop"),
        (seen("n1", conf(1)), "n1", "shop", "10.99.0.99", "a member with the address 10.99.0.21, not 10.99.0.99"),
    ],
)  # fmt: skip
def test_a_create_that_is_refused_says_what_the_host_belongs_to(host: ms.Seen, name: str, cluster: str, address: str, said: str) -> None:
    plan = ms.plan_create(host, cluster, name, address, 3000)
    assert isinstance(plan, Refusal) and plan.reason == "join_refused" and said in plan.sentence


def test_from_three_to_two_there_is_no_two_node_at_any_time() -> None:
    plan = planned(ms.plan_leave([seen(name, conf(3)) for name in ("n1", "n2")], "n3"))
    assert plan.member_now == cc.render(conf(3)) and plan.member_then == cc.render(cc.without_node(conf(3), "n3"))
    assert plan.node == NODES[2] and not plan.passing and plan.node_text == ""


def test_from_two_to_one_two_node_passes_and_the_plan_says_so() -> None:
    plan = planned(ms.plan_leave([seen("n1", conf(2))], "n2"))
    assert plan.passing and plan.member_now == cc.render(conf(2, passing=True)) and plan.node == NODES[1]


def test_the_leave_of_a_node_that_no_list_has_clears_the_passing_file_all_the_same() -> None:
    passing = cc.with_one_vote_enough(cc.without_node(conf(2), "n2"), True)
    plan = planned(ms.plan_leave([seen("n1", passing)], "n2"))
    assert plan.node == cc.Node("n2", "", 0)
    assert plan.member_then == cc.render(cc.without_node(conf(2), "n2"))


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_join_counts_the_votes_there_will_be_and_says_whether_two_node_passes(count: int) -> None:
    members = [seen(node.name, conf(count)) for node in NODES[:count]]
    new = NODES[count]
    plan = planned(ms.plan_join(members, seen(new.name, None), status(count), new.name, new.address))
    assert (plan.votes, plan.passing, plan.node, plan.fresh) == (count + 1, count == 1, new, True)


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
def test_only_a_node_with_the_members_entry_and_key_keeps_its_files(host: ms.Seen, fresh: bool) -> None:
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


JOINS = {
    "a cluster in order": (status(3), []),
    "the one that joins is in doubt itself": (changed(status(3), 3, unclean=True), []),
    "the one that joins is on its way": (changed(status(3), 3, pending=True, votes=False), []),
    "a node that is no longer listed is away": (changed(status(3), 2, listed=False, votes=False, online=False), []),
    "of four others one is away": (changed(status(5), 2, votes=False, online=False), []),
    "of two others one is away": (changed(status(3), 2, votes=False, online=False), ["only 1 of 2 votes are present"]),
    "no quorum": (replace(status(2), quorate=False), ["has no quorum"]),
    "no quorum and too few votes": (replace(status(3, 1), quorate=False), ["has no quorum"]),
    "one in doubt, one on its way": (
        changed(changed(status(4), 1, unclean=True), 2, pending=True), ["the state of n1 is unknown", "n2 is joining or leaving"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", JOINS)
def test_a_refused_join_tells_all_its_reasons_and_no_other(case: str) -> None:
    cluster, said = JOINS[case]
    refusal = ms.join_refusal(cluster, "n3")
    if not said:
        assert refusal is None
        return
    assert refusal is not None and refusal.sentence.startswith("n3 did not join: ") and refusal.sentence.endswith(".")
    clauses = refusal.sentence.removeprefix("n3 did not join: ").split("; ")
    assert [words for words in said if words not in refusal.sentence] == []
    assert len([clause for clause in clauses if any(words in clause for words in said)]) == len(said)
    reasons = {"has no quorum": "not_quorate", "only 1": "quorum", "the state": "unclean"}
    assert refusal.reason == next(reason for words, reason in reasons.items() if said[0].startswith(words))
    assert ("votes are present" in refusal.sentence) == said[0].startswith("only")


def test_a_difference_shows_both_texts_under_the_hosts_that_share_it() -> None:
    header = "corosync.conf on n1, n2"
    assert ms.diff([("n1", "a\n", "b\n"), ("n2", "a\n", "b\n")]) == [
        {"before_header": header, "after_header": header, "before": "a\n", "after": "b\n"}
    ]


@pytest.mark.parametrize(
    ("before", "after", "leaving", "shown"),
    [
        (True, True, True, ("on, for a leave that was begun\n", "on\n")),
        (True, False, True, ("on, for a leave that was begun\n", "off\n")),
        (True, False, False, ("on\n", "off\n")),
    ],
)
def test_the_standby_of_a_leave_is_told_from_a_person_s(before: bool, after: bool, leaving: bool, shown: tuple[str, str]) -> None:
    header = "standby of n1"
    assert ms.standby_diff("n1", before, after, leaving) == [
        {"before_header": header, "after_header": header, "before": shown[0], "after": shown[1]}
    ]


def test_a_standby_that_stays_is_not_shown() -> None:
    assert ms.standby_diff("n1", False, False) == []


@pytest.mark.parametrize("note", ["# highest node id ever given: 9\n", "# a person's note\n"])
def test_members_may_differ_in_comments(note: str) -> None:
    other = cc.parse(note + cc.render(conf(2)))
    assert isinstance(ms.plan_leave([seen("n1", conf(2)), seen("n2", other)], "n3"), ms.Plan)
