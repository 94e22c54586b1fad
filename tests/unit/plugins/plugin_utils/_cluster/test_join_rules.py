# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""Whether a node may join: every reason against it, all at once."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster import corosync_conf as cc
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.join_rules import may_join
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.status import Status

from tests.unit.plugins.plugin_utils._cluster.test_membership import conf, status
from tests.unit.plugins.plugin_utils._cluster.test_membership_cases import LINKED, changed


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
    refusal = may_join(cluster, "n5")
    assert (refusal.reason if refusal else None) == reason


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
        changed(changed(status(4), 1, unclean=True), 2, pending=True), ["n1 is unclean", "n2 is joining or leaving"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", JOINS)
def test_a_refused_join_tells_all_its_reasons_and_no_other(case: str) -> None:
    cluster, said = JOINS[case]
    refusal = may_join(cluster, "n3")
    if not said:
        assert refusal is None
        return
    assert refusal is not None and refusal.sentence.startswith("n3 did not join: ") and refusal.sentence.endswith(".")
    clauses = refusal.sentence.removeprefix("n3 did not join: ").split("; ")
    assert [words for words in said if words not in refusal.sentence] == []
    assert len([clause for clause in clauses if any(words in clause for words in said)]) == len(said)
    reasons = {"has no quorum": "not_quorate", "only 1 votes": "quorum", "n1 is": "unclean"}
    assert refusal.reason == next(reason for words, reason in reasons.items() if said[0].startswith(words))
    assert ("votes are present" in refusal.sentence) == said[0].startswith("only")


@pytest.mark.parametrize(
    ("cluster", "reasons"),
    [
        (replace(status(2), conf=LINKED), ["links"]),
        (replace(status(2, quorate=False), conf=LINKED), ["no quorum", "links"]),
        (replace(status(3), conf=LINKED), []),
        (changed(replace(status(3), conf=LINKED), 3, listed=False), ["links"]),
        (replace(status(2, 1), conf=None), []),
        (replace(status(2), votes=replace(status(2).votes, total=1, present=(1,))), ["only 1 votes"]),
        (status(2, 1, quorate=False), ["no quorum"]),
    ],
)
def test_a_node_that_is_not_listed_yet_is_judged_by_links_and_votes(cluster: Status, reasons: list[str]) -> None:
    refusal = may_join(cluster, "n3")
    told = refusal.sentence if refusal else ""
    assert [one for one in ("no quorum", "links", "only 1 votes") if one in told] == reasons
    if reasons:
        assert (
            refusal is not None
            and refusal.reason == {"no quorum": "not_quorate", "links": "join_refused", "only 1 votes": "quorum"}[reasons[0]]
        )


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("provider: corosync_votequorum", "expected_votes: two", "can't be reckoned from corosync.conf: expected_votes 'two'"),
        ("# highest node id ever given: 2", "# highest node id ever given: many", "tells no number"),
    ],
)
def test_a_file_that_is_not_understood_is_told_and_lets_nobody_in(before: str, after: str, said: str) -> None:
    odd = cc.parse(cc.render(conf(2)).replace(before, after))
    refusal = may_join(replace(status(2), conf=odd), "n3")
    assert refusal is not None and refusal.reason == "join_refused" and said in refusal.sentence


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("auto_tie_breaker: 1", "n3 did not join: its corosync.conf has auto_tie_breaker, "),
        (
            "wait_for_all: 1",
            "n3 did not join: its corosync.conf has wait_for_all, with which a node that starts has no quorum before it has seen ",
        ),
    ],
)
def test_an_option_by_which_the_votes_would_be_others_is_refused_by_its_name(option: str, said: str) -> None:
    """A node that is listed already changes no list."""
    odd = cc.parse(cc.render(conf(2)).replace("provider: corosync_votequorum", "provider: corosync_votequorum\n" + option))
    cluster = replace(changed(status(2), 2, votes=False), conf=odd)
    refusal = may_join(cluster, "n3")
    assert refusal is not None and refusal.reason == "join_refused" and refusal.sentence.startswith(said)
    assert (
        may_join(replace(cluster, conf=conf(2)), "n3") is None
        or "its corosync.conf" not in may_join(replace(cluster, conf=conf(2)), "n3").sentence
    )
    assert may_join(cluster, "n2") is None
