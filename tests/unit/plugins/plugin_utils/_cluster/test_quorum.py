# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""The arithmetic of votes: worked numbers, and that nothing allowed ever costs the quorum."""

from __future__ import annotations

import itertools

import pytest
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.quorum import Count, needed


def count(expected: int, *votes: int, device: int = 0, two_node: bool = False, least: int = 1) -> Count:
    """Nodes 1, 2, ... with so many votes each are there."""
    return Count(expected, dict(enumerate(votes, 1)), device, two_node, least)


@pytest.mark.parametrize(("votes", "most"), [(1, 1), (2, 2), (3, 2), (4, 3), (5, 3), (6, 4)])
def test_more_than_half_of_the_votes_are_needed(votes: int, most: int) -> None:
    assert needed(votes) == most


COUNTS = {
    "three of three": (count(3, 1, 1, 1), 3, 2, True),
    "one of two": (count(2, 1), 1, 2, False),
    "one of two with two_node": (count(2, 1, two_node=True), 1, 1, True),
    "both of two with two_node": (count(2, 1, 1, two_node=True), 2, 1, True),
    "two_node means nothing to three": (count(3, 1, 1, 1, two_node=True), 3, 2, True),
    "a device counts as one of two": (count(3, 1, device=1, two_node=True), 2, 1, True),
    "with a device two are three": (count(3, 1, 1, device=1, two_node=True), 3, 2, True),
    "a node of two votes": (count(4, 2, 1), 3, 3, True),
    "the other two of four votes": (count(4, 1, 1), 2, 3, False),
    "a device's vote saves one of two": (count(3, 1, device=1), 2, 2, True),
    "more is expected than the file lists": (count(4, 1, 1, 1), 3, 3, True),
    "more are there than are expected": (count(2, 1, 1, 1, 1), 4, 3, True),
    "what was needed before is needed still": (count(3, 1, 1, least=3), 2, 3, False),
    "two_node needs less than before": (count(3, 1, two_node=True, least=2), 1, 1, True),
}


@pytest.mark.parametrize("case", COUNTS)
def test_a_count_tells_its_votes_what_is_needed_and_whether_it_has_quorum(case: str) -> None:
    counted, total, least, quorate = COUNTS[case]
    assert (counted.total, counted.needed, counted.quorate) == (total, least, quorate)


@pytest.mark.parametrize(
    ("counted", "losses"),
    [
        (count(1, 1), 0), (count(2, 1, 1), 0), (count(2, 1, 1, two_node=True), 1), (count(3, 1, 1, 1), 1), (count(4, 1, 1, 1, 1), 1),
        (count(5, 1, 1, 1, 1, 1), 2), (count(5, 1, 1, 1, 1), 1), (count(4, 2, 1, 1), 0), (count(3, 1, 1, device=1), 1),
        (count(5, 1, 1, 3), 0), (count(3, 1), 0), (count(7, 1, 1, 2, 1, 1, 1), 2),
    ],
)  # fmt: skip
def test_so_many_members_may_be_lost_whichever_they_are(counted: Count, losses: int) -> None:
    assert counted.losses == losses


def test_a_stop_takes_the_node_s_votes_and_lowers_nothing_that_is_needed() -> None:
    assert count(4, 2, 1, 1).without(1) == Count(4, {2: 1, 3: 1}, least=3)
    assert count(2, 1, 1, 1).without(9) == Count(2, {1: 1, 2: 1, 3: 1}, least=2)


def test_a_reload_takes_over_what_the_file_says_but_expects_no_fewer_than_are_there() -> None:
    assert count(5, 1, 1, least=3).reloaded(2, True) == count(2, 1, 1, two_node=True)
    assert count(5, 1, 1, two_node=True).reloaded(1, False) == count(2, 1, 1)


@pytest.mark.parametrize("votes", [votes for size in range(2, 6) for votes in itertools.product(range(3), repeat=size)])
def test_no_two_parts_of_a_cluster_have_quorum_at_once(votes: tuple[int, ...]) -> None:
    """Whatever the weights and however it falls apart, but for two_node, which is set only where the other part is stopped by us."""
    whole = count(sum(votes), *votes)
    for size in range(1, len(votes)):
        for part in itertools.combinations(range(1, len(votes) + 1), size):
            here, there = whole, whole
            for one in range(1, len(votes) + 1):
                here, there = (here, there.without(one)) if one in part else (here.without(one), there)
            assert not (here.quorate and there.quorate and sum(votes) > 0)
