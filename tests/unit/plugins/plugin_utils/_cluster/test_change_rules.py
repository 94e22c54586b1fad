# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""Whether a cluster may be changed at all: each reason, both at once, and that all who judge it say the same."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster import change_rules, join_rules, leave_rules, move_rules
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.status import Status

from tests.unit.plugins.plugin_utils._cluster.test_leave_rules import member, status

WHOLE = status(member(1), member(2), member(3))
SPLIT = status(member(1), member(2, online=False, votes=False), member(3, online=False, votes=False), quorate=False)
HALF = status(member(1), member(2), *(member(one, online=False, votes=False) for one in (3, 4, 5)), quorate=False)
DOUBTED = status(member(1), member(2), member(3, online=False, unclean=True))
BOTH = status(member(1), member(2, online=False, votes=False, unclean=True), member(3, unclean=True), quorate=False)
NO_QUORUM = (
    "the cluster has no quorum (1 of 3 votes), so Pacemaker acts on nothing; bring its other nodes back, or have recover_cluster do it"
)
UNCLEAN = "n3 is unclean, so work may still run there; bring it back, have it fenced, or confirm that it is down"


@pytest.mark.parametrize(
    ("cluster", "reason", "sentence"),
    [
        (SPLIT, "not_quorate", f"shop can't be changed now: {NO_QUORUM}."),
        (
            replace(WHOLE, quorate=False, dc=None),
            "not_quorate",
            "shop can't be changed now: Pacemaker has no leader (DC) yet, so nobody acts for the cluster; wait until it has one.",
        ),
        (DOUBTED, "unclean", f"shop can't be changed now: {UNCLEAN}."),
        (BOTH, "unclean", f"shop can't be changed now: {UNCLEAN.replace('n3', 'n2, n3')}; {NO_QUORUM.replace('1 of', '2 of')}."),
    ],
)
def test_it_tells_everything_that_is_against_it_and_what_to_do(cluster: Status, reason: str, sentence: str) -> None:
    refusal = change_rules.may_change(cluster)
    assert refusal is not None and (refusal.reason, refusal.sentence) == (reason, sentence)


def test_a_whole_cluster_may_be_changed() -> None:
    assert change_rules.may_change(WHOLE) is None


def test_who_is_asked_about_is_no_reason_against_its_own_join() -> None:
    assert change_rules.why_unclean(DOUBTED, {"n3"}) is None
    assert change_rules.why_unclean(BOTH, {"n3"}) == UNCLEAN.replace("n3", "n2")


def test_a_join_a_leave_and_a_move_are_refused_by_the_same_clauses() -> None:
    for cluster, clause in ((HALF, NO_QUORUM.replace("1 of 3", "2 of 5")), (DOUBTED, UNCLEAN)):
        join, leave = join_rules.may_join(cluster, "n9"), leave_rules.may_leave(cluster, "n2")
        assert join is not None and clause in join.sentence
        assert leave is not None and clause in leave.sentence
    move = move_rules.why_not_quorate(SPLIT, "ledger")
    assert move is not None and (move.reason, move.sentence) == ("not_quorate", f"ledger can't move in shop: {NO_QUORUM}.")
