# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""Who may leave, and who first: one case for each rule, and the arithmetic of votes over all small clusters."""

from __future__ import annotations

import functools
from dataclasses import replace

import pytest
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster import corosync_conf as cc
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster import leave_rules, quorum
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.simulation import Effects
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.status import Member, Resource, Service, Status, Votes


def member(number: int, **more: object) -> Member:
    """A healthy node."""
    facts = {"listed": True, "votes": True, "online": True, "standby": False, "pending": False, "unclean": False, **more}
    return Member(name=f"n{number}", id=number, address=f"10.99.0.2{number}", **facts)  # type: ignore[arg-type]


def status(*members: Member, **more: object) -> Status:
    """A cluster at rest with these nodes."""
    total, listed = sum(item.votes for item in members), sum(item.listed for item in members)
    votes = Votes(listed, total, quorum.needed(listed), tuple(item.id for item in members if item.votes), False)
    facts = {
        "quorate": True,
        "dc": "n1",
        "idle": True,
        "services": (),
        "failures": (),
        "constraints": (),
        "conf": listed_in(members),
        **more,
    }
    return Status(cluster="shop", votes=votes, members=members, **facts)  # type: ignore[arg-type]


def listed_in(members: tuple[Member, ...]) -> cc.Conf:
    """The file that lists those who are listed."""
    first, *others = [cc.Node(one.name, one.address, one.id) for one in members if one.listed]
    conf = cc.first_conf("shop", first, 3000)
    for node in others:
        conf = cc.with_node(conf, node)
    return conf


def simulated(name: str, found: Effects, **more: object) -> Status:
    """Two healthy nodes, and Pacemaker's word on one of them."""
    return replace(status(member(1), member(2), **more), simulated={name: found})


DEAD = {"online": False, "votes": False}
UNMANAGED, NOWHERE = Effects(stays=(("ledger", False),)), Effects(stops=("ledger", "mail"))
CASES = {
    "of three healthy nodes one may leave": (status(member(1), member(2), member(3)), "n3", 1, None),
    "of two healthy nodes one may leave": (status(member(1), member(2)), "n2", 1, None),
    "a dead node may be taken off the list": (status(member(1), member(2), member(3, **DEAD)), "n3", 2, None),
    "a dead node is none of the minimum": (status(member(1), member(2), member(3, **DEAD)), "n3", 3, None),
    "a half-joined node may leave": (status(member(1), member(2, online=False, pending=True)), "n2", 1, None),
    "the last one stays": (status(member(1)), "n1", 1, "last_node"),
    "the last one online stays": (status(member(1), member(2, **DEAD), quorate=False), "n1", 1, "last_node"),
    "nobody leaves without quorum": (status(member(1), member(2, **DEAD), quorate=False), "n2", 1, "not_quorate"),
    "nobody leaves while a node is in doubt": (status(member(1), member(2), member(3, unclean=True, **DEAD)), "n2", 1, "unclean"),
    "a node in doubt itself stays until fenced": (status(member(1), member(2), member(3, unclean=True, **DEAD)), "n3", 1, "unclean"),
    "two of three present: neither may leave": (status(member(1), member(2), member(3, **DEAD)), "n2", 1, "quorum"),
    "who carries nothing leaves nobody alone with the work": (status(member(1), member(2, standby=True)), "n1", 1, "last_node"),
    "who is only just joining leaves nobody alone with the work": (status(member(1), member(2, pending=True)), "n1", 1, "last_node"),
    "a node in standby may leave": (status(member(1), member(2, standby=True)), "n2", 1, None),
    "a node in standby is none of the minimum": (status(member(1), member(2), member(3, standby=True)), "n1", 2, "minimum"),
    "the minimum stays": (status(member(1), member(2), member(3)), "n3", 3, "minimum"),
    "what nobody manages keeps its node": (simulated("n2", UNMANAGED), "n2", 1, "unmanaged"),
    "what has no other place keeps its node": (simulated("n2", NOWHERE), "n2", 1, "no_place"),
    "what is blocked keeps its node": (simulated("n2", Effects(stays=(("ledger", True),))), "n2", 1, "unstable"),
    "without Pacemaker's word nobody leaves": (simulated("n2", Effects(unknown="no answer")), "n2", 1, "unstable"),
    "what Pacemaker says of another node is of that one": (simulated("n1", NOWHERE), "n2", 1, None),
    "all have another place": (simulated("n2", Effects(places={"ledger": ("n1",)})), "n2", 1, None),
    "nobody leaves while another joins": (status(member(1), member(2), member(3, pending=True)), "n2", 1, "unstable"),
    "nobody leaves while a change is under way": (status(member(1), member(2), idle=False), "n2", 1, "unstable"),
}


@pytest.mark.parametrize("case", CASES)
def test_may_leave(case: str) -> None:
    seen, name, minimum, reason = CASES[case]
    refusal = leave_rules.may_leave(seen, name, minimum)
    assert (refusal.reason if refusal else None) == reason
    if refusal:
        assert name in refusal.sentence and refusal.sentence.endswith("."), "a refusal says who and what to do"


WEIGHT = {
    ("last_node", "not_quorate"): (status(member(1), member(2, **DEAD), quorate=False), "n1", 1),
    ("not_quorate", "unclean"): (status(member(1), member(2), member(3, unclean=True, **DEAD), quorate=False), "n2", 1),
    ("unclean", "quorum"): (status(member(1), member(2), member(3, unclean=True, **DEAD)), "n2", 1),
    ("quorum", "minimum"): (status(member(1), member(2), member(3, **DEAD)), "n2", 2),
    ("minimum", "unmanaged"): (simulated("n2", UNMANAGED), "n2", 2),
    ("unmanaged", "no_place"): (simulated("n2", replace(UNMANAGED, stops=("mail",))), "n2", 1),
    ("no_place", "unstable"): (simulated("n2", NOWHERE, idle=False), "n2", 1),
}


@pytest.mark.parametrize("first, second", WEIGHT)
def test_of_two_reasons_the_weightier_one_is_told(first: str, second: str) -> None:
    seen, name, minimum = WEIGHT[(first, second)]
    rules = dict(leave_rules.RULES)
    assert all(rules[reason](seen, seen.member(name), minimum) for reason in (first, second)), "both speak against it"
    refusal = leave_rules.may_leave(seen, name, minimum)
    assert refusal and refusal.reason == first


def test_every_rule_is_weighed() -> None:
    assert [reason for reason, _rule in leave_rules.RULES] == [first for first, _second in WEIGHT] + 3 * ["unstable"]


HEAVIEST_FIRST = {
    "last_node": {},
    "not_quorate": {"quorate": False},
    "unclean": {"unclean": True},
    "quorum": {"dead": True},
    "minimum": {"minimum": 9},
    "unstable": {"idle": False},
}


@pytest.mark.parametrize("heaviest", range(len(HEAVIEST_FIRST)))
def test_of_several_reasons_the_one_that_weighs_most_is_told(heaviest: int) -> None:
    """All of the lighter ones hold too; whoever is told the lightest first would mend one after another and never know the worst."""
    names = list(HEAVIEST_FIRST)[heaviest:]
    unclean, dead = "unclean" in names, "quorum" in names
    others = [
        member(1),
        member(2, **DEAD) if dead else member(2),
        member(3, unclean=unclean, **DEAD) if dead else member(3, unclean=unclean),
    ]
    if "last_node" in names:
        others = [replace(one, online=False) for one in others]
    seen = status(*others, member(4), quorate="not_quorate" not in names, idle="unstable" not in names)
    refusal = leave_rules.may_leave(seen, "n4", 9 if "minimum" in names else 1)
    assert refusal is not None and refusal.reason == names[0]


def test_every_rule_has_a_case() -> None:
    assert {reason for reason, _rule in leave_rules.RULES} == {reason for _s, _n, _m, reason in CASES.values() if reason}


def test_the_order_is_unfinished_then_half_gone_then_least_busy_then_newest_and_last_a_person_s_standby() -> None:
    def busy(name: str, node: str) -> Service:
        return Service(name, "group", (Resource(name + "-app", "ocf:pacemaker:Dummy", (node,), "Started", "", False),))

    seen = status(
        member(1), member(2), member(3), member(4, standby=True, leaving=True), member(5, online=False), member(6),
        member(7, standby=True),
        services=(busy("a", "n1"), busy("b", "n1"), busy("c", "n6")),
    )  # fmt: skip
    assert leave_rules.leave_order(seen) == ["n5", "n4", "n3", "n2", "n6", "n1", "n7"]


def test_an_unlisted_node_costs_no_vote() -> None:
    seen = status(member(1), member(2), replace(member(3, **DEAD), listed=False))
    assert leave_rules.may_leave(seen, "n3") is None


VOTES = {
    "who has two of four votes stays": ({1: 2}, 4, (1, 2, 3), "n1", "2 of 4 expected votes would be left, and 3 are needed"),
    "who has one of four may leave": ({1: 2}, 4, (1, 2, 3), "n3", None),
    "a node that is gone from the list still counts while Corosync expects it": (
        {}, 4, (1, 2, 3), "n3", "2 of 4 expected votes would be left, and 3 are needed",
    ),
    "who has no vote takes none along": ({3: 0}, 2, (1, 2, 3), "n3", None),
    "without the third the two are too few": ({}, 3, (1, 2), "n2", "1 of 3 expected votes would be left, and 2 are needed"),
}  # fmt: skip


@pytest.mark.parametrize("case", VOTES)
def test_who_may_leave_is_reckoned_from_corosync_s_votes(case: str) -> None:
    weights, expected, present, name, said = VOTES[case]
    nodes = [member(number, **({} if number in present else DEAD)) for number in (1, 2, 3)]
    conf = functools.reduce(
        lambda made, number: cc.with_node(made, cc.Node(f"n{number}", f"10.99.0.2{number}", number, weights.get(number, 1))),
        (2, 3),
        cc.first_conf("shop", cc.Node("n1", "10.99.0.21", 1, weights.get(1, 1)), 3000),
    )
    counted = Votes(expected, 0, quorum.needed(expected), present, False, tuple(weights.items()))
    refusal = leave_rules.may_leave(replace(status(*nodes), votes=counted, conf=conf), name)
    if said is None:
        assert refusal is None
    else:
        assert refusal is not None and refusal.reason == "quorum"
        assert refusal.sentence == f"{name} must not leave: without it {said}; bring missing members back first."


def test_votes_that_the_file_does_not_tell_let_nobody_leave() -> None:
    odd = cc.parse(cc.render(listed_in((member(1), member(2)))).replace("provider: corosync_votequorum", "expected_votes: many"))
    refusal = leave_rules.may_leave(replace(status(member(1), member(2)), conf=odd), "n2")
    assert refusal is not None and refusal.reason == "quorum"
    assert refusal.sentence == "n2 must not leave: its votes can't be reckoned from corosync.conf: expected_votes 'many' is no number."


def test_a_file_whose_votes_corosync_reckons_otherwise_lets_nobody_leave() -> None:
    odd = cc.parse(
        cc.render(listed_in((member(1), member(2), member(3)))).replace("votequorum\n", "votequorum\n    last_man_standing: 1\n")
    )
    there = replace(status(member(1), member(2), member(3)), conf=odd)
    refusal = leave_rules.may_leave(there, "n2")
    assert refusal is not None and refusal.reason == "quorum"
    assert refusal.sentence.startswith(
        "n2 must not leave: its corosync.conf has last_man_standing, with which Corosync lowers the expected votes "
    )
    assert leave_rules.may_be_empty(there, "n2") is None, "a standby changes no votes"
    assert leave_rules.may_leave(replace(there, members=(member(1), member(2), member(3, listed=False))), "n3") is None


def test_a_device_s_vote_lets_one_of_two_leave_and_no_two_node_passes() -> None:
    device = cc.parse(
        cc.render(listed_in((member(1), member(2)))).replace("votequorum\n", "votequorum\n    device {\n model: net\n votes: 1\n}\n")
    )
    counted = Votes(3, 3, 2, (1, 2), False, device=1)
    assert leave_rules.may_leave(replace(status(member(1), member(2)), votes=counted, conf=device), "n2") is None
    absent = replace(counted, total=2, device=0)
    refusal = leave_rules.may_leave(replace(status(member(1), member(2)), votes=absent, conf=device), "n2")
    assert refusal is not None and refusal.reason == "quorum"


EMPTY = "(unmanaged or in maintenance), so it would never be empty; manage it again, or stop it by hand"
PLACE = "since Pacemaker has no other place for it; see the constraints, and what is in standby or maintenance"
SAID = {
    "one that nobody manages": (UNMANAGED, f"ledger is not managed by Pacemaker {EMPTY}"),
    "two that nobody manages": (Effects(stays=(("a", False), ("b", False), ("c", True))), f"a, b are not managed by Pacemaker {EMPTY}"),
    "no other place": (NOWHERE, f"ledger, mail would run nowhere, {PLACE}"),
    "blocked": (Effects(stays=(("a", True), ("b", True))), "a, b would stay on it (blocked, or a stop failed); repair it first"),
    "no answer": (
        Effects(unknown="code 124"),
        "Pacemaker did not tell what would become of its services (code 124); try again when the cluster is less busy",
    ),
}


@pytest.mark.parametrize("case", SAID)
def test_pacemaker_s_word_is_told_of_a_leave_and_of_a_standby_alike(case: str) -> None:
    found, said = SAID[case]
    leave, standby = leave_rules.may_leave(simulated("n2", found), "n2"), leave_rules.may_be_empty(simulated("n2", found), "n2")
    assert leave is not None and leave.sentence == f"n2 must not leave: {said}."
    assert standby is not None and (standby.reason, standby.sentence) == (leave.reason, f"n2 must not go to standby: {said}.")


def test_a_standby_asks_only_whether_what_runs_there_has_another_place() -> None:
    assert leave_rules.may_be_empty(status(member(1), member(2, **DEAD), quorate=False, idle=False), "n1") is None


BOTH = {
    "without quorum and with a node in doubt": (
        status(member(1), member(2), member(3, unclean=True, **DEAD), quorate=False), "n2", 1, "not_quorate",
    ),
    "too few votes and too few nodes": (status(member(1), member(2), member(3, **DEAD)), "n2", 2, "quorum"),
    "too few nodes while a change is under way": (status(member(1), member(2), idle=False), "n2", 2, "minimum"),
}  # fmt: skip


@pytest.mark.parametrize("case", BOTH)
def test_of_two_reasons_the_heavier_is_told(case: str) -> None:
    seen, name, minimum, reason = BOTH[case]
    refusal = leave_rules.may_leave(seen, name, minimum)
    assert refusal is not None and refusal.reason == reason


def test_without_a_stated_minimum_one_node_has_to_stay() -> None:
    assert leave_rules.may_leave(status(member(1), member(2)), "n2") is None


def test_a_node_that_is_no_longer_listed_is_none_of_those_that_vote() -> None:
    seen = status(member(1), member(2), member(3, listed=False, **DEAD))
    assert leave_rules.may_leave(seen, "n2") is None


@pytest.mark.parametrize(
    ("others", "said", "not_said"),
    [
        ((member(2, standby=True), member(3, standby=True, **DEAD)), "only n2 is online", "n3"),
        ((member(2, **DEAD), member(3, standby=True, **DEAD)), "no other node is online", "n3"),
        ((member(2, pending=True),), "no other node is online", "n2"),
    ],
)
def test_the_last_node_is_told_who_could_carry_the_work(others: tuple[Member, ...], said: str, not_said: str) -> None:
    refusal = leave_rules.may_leave(status(member(1), *others), "n1")
    assert refusal is not None and said in refusal.sentence and not_said not in refusal.sentence


ORDERS = {
    "who is offline leaves before one whose leave was begun": (
        (member(1, online=False), member(2), member(3, standby=True, leaving=True)), ["n1", "n3", "n2"],
    ),
    "who is only just joining leaves before one whose leave was begun": (
        (member(1, pending=True), member(2), member(3, standby=True, leaving=True)), ["n1", "n3", "n2"],
    ),
    "whose leave was begun goes before a newer one that works": (
        (member(1, standby=True, leaving=True), member(2), member(3)), ["n1", "n3", "n2"],
    ),
    "a person's standby goes last, however new it is": ((member(1), member(2), member(3, standby=True)), ["n2", "n1", "n3"]),
}  # fmt: skip


@pytest.mark.parametrize("case", ORDERS)
def test_the_order_of_leaving(case: str) -> None:
    members, order = ORDERS[case]
    assert leave_rules.leave_order(status(*members)) == order


def test_a_file_from_which_no_list_of_steps_can_be_made_keeps_everybody() -> None:
    """What cluster_node would refuse cluster_info must not allow: the driver would try it again and again."""
    odd = cc.parse("# highest node id ever given: many\n" + cc.render(listed_in((member(1), member(2), member(3)))))
    refusal = leave_rules.may_leave(status(member(1), member(2), member(3), conf=odd), "n3")
    assert refusal is not None and refusal.reason == "quorum" and "can't be reckoned from corosync.conf" in refusal.sentence
