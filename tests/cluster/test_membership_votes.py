# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""Joins and leaves of clusters whose votes a person set, on real Corosync: weights, stated votes, two_node, entries without a name."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tests.cluster.conftest import FIRST, Cluster
from tests.cluster.test_membership_refusals import nothing_touched, refused

CONF = "/etc/corosync/corosync.conf"


def edit(cluster: Cluster, change: Callable[[str], str]) -> None:
    """The same edit by hand of every member's file, loaded."""
    members = list(cluster.nodes())
    for name in members:
        cluster.cells[name].run("sh", "-c", f"cat >{CONF}.by-hand && mv {CONF}.by-hand {CONF}", stdin=change(cluster.conf(name)))
    cluster.cells[members[0]].run("corosync-cfgtool", "-R")


@contextmanager
def by_hand(cluster: Cluster, count: int, change: Callable[[str], str], back: Callable[[str], str]) -> Iterator[None]:
    """A cluster of so many nodes with an edit by hand, which is taken back at the end."""
    cluster.be(count)
    edit(cluster, change)
    try:
        yield
    finally:
        edit(cluster, back)


def in_quorum(*lines: str) -> Callable[[str], str]:
    """An edit that puts lines below the provider."""
    return lambda text: text.replace("provider: corosync_votequorum", "\n    ".join(["provider: corosync_votequorum", *lines]))


def without(pattern: str) -> Callable[[str], str]:
    """An edit that takes lines out."""
    return lambda text: re.sub(rf"^\s*({pattern})\n", "", text, flags=re.MULTILINE)


def votes(cluster: Cluster, name: str = FIRST) -> dict[str, str]:
    """Corosync's count on a node: each line of its table by its label."""
    said = cluster.cells[name].run("corosync-quorumtool", "-s", check=False).stdout
    return {label: value.strip() for label, value in re.findall(r"^([A-Z][a-z ]+):(.*)$", said, re.MULTILINE)}


def is_sound(cluster: Cluster) -> bool:
    """Whether every member has quorum and a file that Corosync would start with."""
    return all(
        "Quorate" in votes(cluster, name)["Flags"] and cluster.cells[name].run("corosync", "-t").returncode == 0 for name in cluster.nodes()
    )


def test_a_node_of_two_votes_stays_where_the_others_would_lose_quorum_and_a_light_one_leaves(cluster: Cluster) -> None:
    heavy = lambda text: text.replace("        nodeid: 1\n", "        nodeid: 1\n        quorum_votes: 2\n")  # noqa: E731
    with by_hand(cluster, 3, heavy, without("quorum_votes: 2")):
        assert votes(cluster)["Expected votes"] == "4"
        with nothing_touched(cluster):
            said = refused(cluster.node(FIRST, "absent", members=["cell-n2", "cell-n3"]), "quorum")
        assert "without it 2 of 4 expected votes would be left, and 3 are needed" in said
        cluster.done(cluster.node("cell-n3", "absent"))
        assert "quorum_votes: 2" in cluster.conf("cell-n2") and votes(cluster)["Expected votes"] == "3"
        assert is_sound(cluster)


def test_a_stated_number_of_votes_follows_a_leave_and_a_join(cluster: Cluster) -> None:
    with by_hand(cluster, 2, in_quorum("expected_votes: 2"), without("expected_votes: [0-9]+")):
        cluster.done(cluster.node("cell-n2", "absent"))
        assert "expected_votes: 1" in cluster.conf(FIRST) and is_sound(cluster)
        cluster.done(cluster.node("cell-n2", "member", members=[FIRST]))
        assert all("expected_votes: 2" in cluster.conf(name) and "two_node" not in cluster.conf(name) for name in (FIRST, "cell-n2"))
        assert votes(cluster)["Expected votes"] == "2" and is_sound(cluster)


def test_a_person_s_two_node_is_set_aside_for_a_third_node_and_comes_back(cluster: Cluster) -> None:
    with by_hand(cluster, 2, in_quorum("two_node: 1"), without("two_node: 1")):
        assert "2Node" in votes(cluster)["Flags"]
        cluster.done(cluster.node("cell-n3", "member", members=[FIRST, "cell-n2"]))
        assert all("2Node" not in votes(cluster, name)["Flags"] for name in cluster.nodes())
        assert votes(cluster)["Quorum"].split()[0] == "2" and is_sound(cluster)
        cluster.done(cluster.node("cell-n3", "absent"))
        assert all("2Node" in votes(cluster, name)["Flags"] for name in cluster.nodes()) and is_sound(cluster)
        assert cluster.conf(FIRST) == cluster.conf("cell-n2") and "\n    two_node: 1\n" in cluster.conf(FIRST)


def test_a_node_whose_entry_has_no_name_is_known_by_its_number(cluster: Cluster) -> None:
    cluster.be(3)
    names = {node["id"]: node["name"] for node in cluster.told()["nodes"]}
    named = lambda text: re.sub(r"(        nodeid: (\d+)\n)", lambda found: f"        name: {names[int(found[2])]}\n{found[1]}", text)  # noqa: E731
    with by_hand(cluster, 3, without("name: cell-n[0-9]"), named):
        assert set(cluster.nodes()) == set(names.values())
        cluster.done(cluster.node("cell-n3", "absent"))
        assert set(cluster.nodes()) == {"cell-n1", "cell-n2"} and votes(cluster)["Expected votes"] == "2" and is_sound(cluster)


@pytest.mark.parametrize("option", ["auto_tie_breaker", "last_man_standing", "allow_downscale"])
def test_an_option_by_which_corosync_reckons_otherwise_is_refused_by_its_name_and_nothing_is_touched(cluster: Cluster, option: str) -> None:
    with by_hand(cluster, 3, in_quorum(f"{option}: 1"), without(f"{option}: 1")), nothing_touched(cluster):
        leave = refused(cluster.node("cell-n3", "absent"), "quorum")
        assert leave.startswith(f"cell-n3 must not leave: its corosync.conf has {option}, with which ")
        join = refused(cluster.node("cell-n4", "member", members=[FIRST, "cell-n2", "cell-n3"]), "join_refused")
        assert join.startswith(f"cell-n4 did not join: its corosync.conf has {option}, with which ")
        told = {node["name"]: node["may_leave"] for node in cluster.told()["nodes"]}
        assert not told["cell-n3"]["allowed"] and option in told["cell-n3"]["sentence"]
