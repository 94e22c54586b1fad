# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""Plans of membership at their boundaries: what is read of a host, what is fresh, which base counts, which reasons are told."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.ondemand.cluster.plugins.module_utils._cluster import corosync_conf as cc
from ansible_collections.ondemand.cluster.plugins.module_utils._cluster import membership as ms
from ansible_collections.ondemand.cluster.plugins.module_utils._cluster.status import Status
from ansible_collections.ondemand.cluster.plugins.module_utils._contract.refusal import Refusal

from .test_membership import KEY, NEW, NODES, conf, planned, seen, status

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
    "a member that is listed adds nothing to what is expected": (changed(status(3), 2, votes=False, online=False), []),
    "with two_node one of two is away": (status(2, 1), ["only 1 votes are present, and with it 3 are expected and 2 needed"]),
    "no quorum": (replace(status(2), quorate=False), ["has no quorum"]),
    "no quorum and too few votes": (replace(status(2, 1), quorate=False), ["has no quorum"]),
    "no quorum, and it is listed: it brings its vote": (replace(changed(status(3, 1), 2, online=False), quorate=False), []),
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
    reasons = {"has no quorum": "not_quorate", "only 1 votes": "quorum", "the state": "unclean"}
    assert refusal.reason == next(reason for words, reason in reasons.items() if said[0].startswith(words))
    assert ("votes are present" in refusal.sentence) == said[0].startswith("only")


LINKED = cc.parse(cc.render(conf(2)).replace("        name:", "        ring1_addr: 10.98.0.1\n        name:"))


@pytest.mark.parametrize(
    ("cluster", "reasons"),
    [
        (replace(status(2), conf=LINKED), ["links"]),
        (replace(status(2, quorate=False), conf=LINKED), ["no quorum", "links"]),
        (replace(status(3), conf=LINKED), []),
        (changed(replace(status(3), conf=LINKED), 3, listed=False), ["links"]),
        (replace(status(2, 1), conf=None), []),
        (changed(replace(status(3, 2), votes=replace(status(3, 2).votes, total=1, present=(1,))), 3, listed=False), ["only 1 votes"]),
        (status(2, 1, quorate=False), ["no quorum"]),
    ],
)
def test_a_node_that_is_not_listed_yet_is_judged_by_links_and_votes(cluster: Status, reasons: list[str]) -> None:
    refusal = ms.join_refusal(cluster, "n3")
    told = refusal.sentence if refusal else ""
    assert [one for one in ("no quorum", "links", "only 1 votes") if one in told] == reasons
    if reasons:
        assert (
            refusal is not None
            and refusal.reason == {"no quorum": "not_quorate", "links": "join_refused", "only 1 votes": "quorum"}[reasons[0]]
        )


def test_a_listed_node_of_a_cluster_with_two_links_may_come_back() -> None:
    host = seen("n2", LINKED)
    assert planned(ms.plan_join([seen("n1", LINKED)], host, replace(status(2), conf=LINKED), "n2", "10.99.0.22")).node.id == 2


def test_a_key_that_is_missing_everywhere_is_no_key() -> None:
    plan = ms.plan_join([seen("n1", conf(2))], seen("n2", conf(2), key=""), status(2), "n2", "10.99.0.22")
    assert planned(plan).fresh


def test_a_leave_of_who_is_on_no_list_sets_no_two_node() -> None:
    plan = planned(ms.plan_leave([seen(name, conf(2)) for name in ("n1", "n2")], "n9"))
    assert plan.member_now == plan.member_then == cc.render(conf(2)) and not plan.passing


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
