# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""Lost members are let go all at once, where it is certain that they don't run and where the rest has quorum afterwards."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster import corosync_conf as cc
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster import leave_rules
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster import membership as ms
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.seen import Seen
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.status import Status
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.withheld import withheld

from tests.unit.plugins.plugin_utils._cluster.test_leave_rules import DEAD, listed_in, member, status

ALONE = replace(status(member(1), member(2, **DEAD), member(3, **DEAD)), quorate=False)
NONE_LEFT = "of the other nodes only"


def test_lost_is_who_is_said_to_be_gone_and_is_missed() -> None:
    seen = status(member(1), member(2, online=False), member(3, votes=False), member(4, **DEAD), member(5, **DEAD))
    assert leave_rules.lost_in(seen, ["n1", "n2", "n3", "n4", "n9"]) == ("n4",)


CASES: dict[str, tuple[Status, tuple[str, ...], str | None, str]] = {
    "one of three": (status(member(1), member(2), member(3, **DEAD)), ("n3",), None, ""),
    "two of three, without quorum before": (ALONE, ("n2", "n3"), None, ""),
    "one of two, without quorum before": (replace(status(member(1), member(2, **DEAD)), quorate=False), ("n2",), None, ""),
    "two of five at once": (status(*[member(n) for n in (1, 2, 3)], member(4, **DEAD), member(5, **DEAD)), ("n4", "n5"), None, ""),
    "not one of three alone, while the other one counts": (ALONE, ("n2",), "quorum", "1 of 2 expected votes are there, and 2 are needed; missing too: n3;"),
    "not with nobody left": (replace(status(member(1, **DEAD), member(2, **DEAD)), quorate=False), ("n2",), "last_node", "no other node is online"),
    "not with one left that carries nothing": (status(member(1, standby=True), member(2, **DEAD)), ("n2",), "last_node", NONE_LEFT),
    "not while another one is in doubt": (status(member(1), member(2, unclean=True), member(3, **DEAD)), ("n3",), "unclean", "n2 is unclean"),
    "though the lost ones are in doubt themselves": (
        status(member(1), member(2), member(3, unclean=True, **DEAD)), ("n3",), None, "",
    ),
    "not while another one is on its way": (
        status(member(1), member(2, pending=True), member(3, **DEAD)), ("n3",), "unstable", "n2 is joining or leaving",
    ),
    "though the cluster is busy": (status(member(1), member(2), member(3, **DEAD), idle=False), ("n3",), None, ""),
    "without a file nothing is reckoned": (replace(ALONE, conf=None), ("n2", "n3"), None, ""),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_who_may_be_let_go(case: str) -> None:
    seen, lost, reason, said = CASES[case]
    refusal = leave_rules.may_let_go(seen, lost)
    if reason is None:
        assert refusal is None
        return
    assert refusal is not None and refusal.reason == reason and said in refusal.sentence
    assert refusal.sentence.startswith(", ".join(lost) + " must not leave: ") and refusal.sentence.endswith(".")


def test_votes_that_the_file_does_not_tell_let_nobody_go() -> None:
    odd = cc.parse(cc.render(listed_in((member(1), member(2)))).replace("provider: corosync_votequorum", "expected_votes: many"))
    refusal = leave_rules.may_let_go(replace(ALONE, conf=odd), ("n2",))
    assert refusal is not None and refusal.reason == "quorum" and "expected_votes 'many' is no number" in refusal.sentence


def test_a_file_whose_votes_corosync_reckons_otherwise_lets_nobody_go() -> None:
    odd = cc.parse(cc.render(listed_in((member(1), member(2)))).replace("votequorum\n", "votequorum\n    auto_tie_breaker: 1\n"))
    refusal = leave_rules.may_let_go(replace(ALONE, conf=odd), ("n2",))
    assert refusal is not None and refusal.reason == "quorum"
    assert refusal.sentence.startswith("n2 must not leave: its corosync.conf has auto_tie_breaker, ")


def seen(host: str, conf: cc.Conf) -> Seen:
    """A member with this file."""
    return Seen(host, cc.render(conf), conf, "k" * 64, False, True)


def test_everybody_s_file_loses_all_of_them_in_one_step() -> None:
    five = listed_in(tuple(member(n) for n in (1, 2, 3, 4, 5)))
    text = ms.plan_let_go([seen("n1", five), seen("n2", five)], [("n4", 4), ("n5", 5), ("n3", 3)])
    assert isinstance(text, str)
    assert [node.name for node in cc.parse(text).nodes] == ["n1", "n2"] and cc.parse(text).highest_id == 5
    assert "two_node" not in text


def test_files_that_differ_in_more_than_the_lost_ones_are_left_alone() -> None:
    three, other = listed_in(tuple(member(n) for n in (1, 2, 3))), listed_in(tuple(member(n) for n in (1, 2, 4)))
    assert isinstance(ms.plan_let_go([seen("n1", three), seen("n2", other)], [("n3", 3), ("n4", 4)]), str), "an interrupted step"
    refused = ms.plan_let_go([seen("n1", three), seen("n2", other)], [("n3", 3)])
    assert not isinstance(refused, str) and refused.reason == "join_refused"


def test_a_lost_node_without_a_name_is_found_by_its_number() -> None:
    nameless = cc.parse(cc.render(listed_in((member(1), member(2), member(3)))).replace("name: n3\n", ""))
    text = ms.plan_let_go([seen("n1", nameless)], [("n3", 3)])
    assert isinstance(text, str) and [node.name for node in cc.parse(text).nodes] == ["n1", "n2"]


def test_of_the_lost_only_those_that_may_return_are_withheld_and_a_later_leave_or_join_of_that_name_ends_it() -> None:
    three = listed_in((member(1), member(2), member(3)))
    text = ms.plan_let_go([seen("n1", three)], [("n2", 2), ("n3", 3)], ["n3"])
    assert isinstance(text, str)
    left = cc.parse(text)
    assert withheld(left) == (("n3", "10.99.0.23"),)
    gone = ms.plan_leave([seen("n1", left)], "n3")
    assert isinstance(gone, ms.Plan) and withheld(cc.parse(gone.member_then)) == ()
    back = ms.plan_join([seen("n1", left)], Seen("n3", "", None, "", False, False), status(member(1)), "n3", "10.99.0.23")
    assert isinstance(back, ms.Plan) and withheld(cc.parse(back.member_then)) == () and back.node.id == 4


def test_who_is_listed_starts_again_without_a_vote_for_those_who_wait_and_who_is_new_gets_the_passing_two_node() -> None:
    two = listed_in((member(1), member(2)))
    lacking = replace(status(member(1), member(2, **DEAD)), quorate=False)
    back = ms.plan_join([seen("n1", two)], seen("n2", two), lacking, "n2", "10.99.0.22")
    assert isinstance(back, ms.Plan) and not back.passing and back.member_now == back.member_then == cc.render(two)
    new = ms.plan_join([seen("n1", listed_in((member(1),)))], Seen("n2", "", None, "", False, False), status(member(1)), "n2", "10.99.0.22")
    assert isinstance(new, ms.Plan) and new.passing
    half = ms.plan_join([seen("n1", two)], seen("n2", two), status(member(1), member(2, **DEAD)), "n2", "10.99.0.22")
    assert isinstance(half, ms.Plan) and half.passing, "an interrupted join, in which the passing two_node gives the quorum"


def test_a_passing_two_node_does_not_stay() -> None:
    two = cc.with_one_vote_enough(listed_in((member(1), member(2))), True)
    text = ms.plan_let_go([seen("n1", two)], [("n2", 2)])
    assert isinstance(text, str) and "two_node" not in text
