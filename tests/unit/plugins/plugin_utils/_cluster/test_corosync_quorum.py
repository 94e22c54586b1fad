# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""The quorum section and the votes of corosync.conf: what a person set there survives a join and a leave, or follows it."""

from __future__ import annotations

import pytest
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster import corosync_conf as cc

N = [cc.Node(f"n{number}", f"10.99.0.2{number}", number) for number in range(6)]
PROVIDER = "provider: corosync_votequorum"


def conf(nodes: int, *quorum: str, votes: dict[int, int] | None = None) -> cc.Conf:
    """Nodes 1 to `nodes`, and these lines in the quorum section."""
    entries = [
        f"node {{\nring0_addr: {one.address}\nname: {one.name}\nnodeid: {one.id}\n"
        + (f"quorum_votes: {votes[one.id]}\n" if votes and one.id in votes else "")
        + "}"
        for one in N[1 : nodes + 1]
    ]
    return cc.parse("\n".join(["nodelist {", *entries, "}", "quorum {", PROVIDER, *quorum, "}"]))


def quorum(of: cc.Conf) -> list[str]:
    """The lines of the quorum section after the provider."""
    text = cc.render(of)
    return [line.strip() for line in text[text.index(PROVIDER) :].splitlines()[1:] if line.strip() != "}"]


EXPECTED = {
    "one vote a node": (conf(3), 3),
    "a node of two votes and one of none": (conf(3, votes={1: 2, 2: 0}), 3),
    "a stated number": (conf(3, "expected_votes: 5"), 5),
    "of two stated numbers the last": (conf(3, "expected_votes: 5", "expected_votes: 4"), 4),
    "a device with its votes": (conf(2, "device {", "model: net", "votes: 1", "}"), 3),
    "a device without votes has one less than the nodes": (conf(4, "device {", "model: net", "}"), 7),
    "a device without a model is none": (conf(2, "device {", "votes: 1", "}"), 2),
}


@pytest.mark.parametrize("case", EXPECTED)
def test_so_many_votes_does_corosync_expect_of_a_file(case: str) -> None:
    value, expected = EXPECTED[case]
    assert value.expected_votes == expected


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (conf(2, "expected_votes: many"), "expected_votes 'many' is no number"),
        (conf(2, "device {", "model: net", "votes: x", "}"), "votes of the quorum device 'x' is no number"),
        (cc.parse("nodelist {\nnode {\nname: n1\nnodeid: 1\nquorum_votes: -1\n}\n}"), "quorum_votes '-1' of n1 is no number"),
    ],
)
def test_a_number_that_is_none_is_told_with_its_place(value: cc.Conf, said: str) -> None:
    with pytest.raises(cc.ConfError) as told:
        _read = value.expected_votes
    assert str(told.value) == said


PASSING = [cc.PASSING_NOTE, "two_node: 1", "wait_for_all: 0"]
ASIDE = [cc.ASIDE_NOTE]
JOINS = {
    "one of ours": (conf(1), [], PASSING),
    "a stated number follows": (conf(1, "expected_votes: 1"), ["expected_votes: 2"], ["expected_votes: 2", *PASSING]),
    "a person's wait_for_all is not set a second time": (
        conf(1, "wait_for_all: 1"),
        ["wait_for_all: 1"],
        ["wait_for_all: 1", *PASSING[:2]],
    ),
    "a person's two_node: 0 counts again afterwards": (conf(1, "two_node: 0"), ["two_node: 0"], ["two_node: 0", *PASSING]),
    "a person's two_node stays": (conf(1, "two_node: 1"), ["two_node: 1"], ["two_node: 1"]),
    "a person's two_node is set aside for a third": (conf(2, "two_node: 1", "wait_for_all: 1"), [*ASIDE, "wait_for_all: 1"], None),
    "a third of ours": (conf(2), [], None),
    "a third with a stated number": (conf(2, "expected_votes: 2"), ["expected_votes: 3"], None),
    "with a quorum device there is no two_node": (
        conf(1, "device {", "model: net", "votes: 1", "}"),
        ["device {", "model: net", "votes: 1"],
        None,
    ),
}


@pytest.mark.parametrize("case", JOINS)
def test_a_join_keeps_or_carries_on_what_a_person_set(case: str) -> None:
    before, final, staged = JOINS[case]
    joined = cc.with_node(before, N[len(before.nodes) + 1])
    assert quorum(joined) == final
    assert quorum(cc.staged(joined)) == (final if staged is None else staged)
    assert cc.with_one_vote_enough(cc.staged(joined), False) == joined, "the passing setting goes without trace"
    noted = cc.staged(joined, "n9")
    assert cc.with_one_vote_enough(noted, False) == joined and cc.joiner(cc.staged(joined)) is None
    assert cc.joiner(noted) == (None if noted == joined else "n9") and cc.joiner(cc.parse(cc.render(noted))) == cc.joiner(noted)
    left = cc.without_node(joined, N[len(before.nodes) + 1].name)
    assert quorum(left) == quorum(before), "the leave gives back what the join found"


def test_two_node_is_put_back_only_where_two_are_left() -> None:
    four = conf(4, *ASIDE)
    three = cc.without_node(four, "n4")
    assert (quorum(three), three.two_node) == (ASIDE, False)
    two = cc.without_node(three, "n3")
    assert (quorum(two), two.two_node) == (["two_node: 1"], True)


def test_a_node_s_own_votes_come_and_go_with_it() -> None:
    heavy = conf(3, "expected_votes: 4", votes={3: 2})
    left = cc.without_node(heavy, "n3")
    assert left.expected_votes == 2
    back = cc.with_node(left, cc.Node("n3", "10.99.0.23", 3, votes=2))
    assert back.nodes == heavy.nodes and back.expected_votes == 4


def test_fewer_votes_than_one_are_never_expected() -> None:
    assert quorum(cc.without_node(conf(2, "expected_votes: 1"), "n2")) == ["expected_votes: 1"]


NAMELESS = cc.parse("nodelist {\nnode {\nring0_addr: 10.99.0.21\nnodeid: 1\n}\nnode {\nring0_addr: 10.99.0.22\nname: n2\nnodeid: 2\n}\n}")


@pytest.mark.parametrize(
    ("name", "number", "entry"), [("n1", 1, "10.99.0.21"), ("n2", 2, "n2"), ("n2", 1, "n2"), ("n9", 9, "n9"), ("n9", 2, "n9")]
)
def test_an_entry_without_a_name_is_found_by_its_number(name: str, number: int, entry: str) -> None:
    assert NAMELESS.entry_of(name, number) == entry
