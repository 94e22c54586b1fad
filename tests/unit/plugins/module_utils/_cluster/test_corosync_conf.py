# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""corosync.conf as a value: what is not ours is kept, what cannot stand in a line is refused."""

from __future__ import annotations

import pytest
from ansible_collections.ondemand.cluster.plugins.module_utils._cluster import corosync_conf as cc

N1, N2, N3 = cc.Node("shop-n1", "10.99.0.20", 1), cc.Node("shop-n2", "10.99.0.21", 2), cc.Node("shop-n3", "10.99.0.22", 3)
FIRST = cc.first_conf("shop", N1, 3000)
BY_HAND = """\
# by hand
totem {
  version: 2
  cluster_name: shop
  interface {
    linknumber: 0
    knet_link_priority: 3
  }
}

nodelist {
  node {
    ring0_addr: 10.99.0.20
    name: shop-n1
    nodeid: 1
  }
}
quorum { \n  provider: corosync_votequorum
}
"""


def test_a_new_cluster_is_encrypted_and_each_node_has_a_vote() -> None:
    text = cc.render(FIRST)
    assert cc.options_of(FIRST) == {
        "version": "2", "cluster_name": "shop", "transport": "knet", "crypto_cipher": "aes256", "crypto_hash": "sha256", "token": "3000",
    }  # fmt: skip
    assert "provider: corosync_votequorum" in text and "two_node" not in text


def test_reading_what_was_written_gives_the_same() -> None:
    conf = cc.with_one_vote_enough(cc.with_node(FIRST, N2), True)
    assert cc.parse(cc.render(conf)) == conf
    assert cc.render(cc.parse(cc.render(conf))) == cc.render(conf)


def test_a_join_keeps_what_a_person_wrote() -> None:
    conf = cc.with_node(cc.parse(BY_HAND), N2)
    text = cc.render(conf)
    for kept in ("# by hand", "knet_link_priority: 3"):
        assert kept in text
    assert [node.name for node in conf.nodes] == ["shop-n1", "shop-n2"]
    assert cc.render(cc.without_node(conf, "shop-n2")).replace("# highest node id ever given: 2\n", "") == cc.render(cc.parse(BY_HAND))


def test_a_leave_keeps_the_links_of_those_who_stay() -> None:
    text = cc.render(cc.with_node(cc.parse(BY_HAND), N2)).replace("        name", "        ring1_addr: 10.98.0.20\n        name")
    left = cc.without_node(cc.parse(text), "shop-n2")
    assert [node.name for node in left.nodes] == ["shop-n1"] and cc.render(left).count("ring1_addr: 10.98.0.20") == 1


@pytest.mark.parametrize("number", ["one", "\u00b2", "-1"])
def test_a_node_id_that_is_no_number_is_told_with_its_node(number: str) -> None:
    with pytest.raises(cc.ConfError, match="10.99.0.20 is no number"):
        _nodes = cc.parse(BY_HAND.replace("nodeid: 1", "nodeid: " + number)).nodes


def test_the_highest_id_outlives_its_node() -> None:
    conf = cc.without_node(cc.with_node(cc.with_node(FIRST, N2), N3), "shop-n3")
    assert conf.highest_id == 3 and [node.id for node in conf.nodes] == [1, 2]


def test_adding_what_is_there_and_removing_what_is_not_changes_nothing() -> None:
    assert cc.with_node(FIRST, N1) == FIRST
    assert cc.without_node(FIRST, "shop-n9") == FIRST
    assert cc.with_one_vote_enough(FIRST, False) == FIRST


def test_the_passing_two_node_comes_and_goes_without_trace() -> None:
    two = cc.with_node(FIRST, N2)
    passing = cc.with_one_vote_enough(two, True)
    assert passing.two_node and "wait_for_all: 0" in cc.render(passing)
    assert cc.with_one_vote_enough(passing, False) == two


@pytest.mark.parametrize(
    "node",
    [
        cc.Node("shop\nn2", "10.99.0.21", 2),
        cc.Node("shop {", "10.99.0.21", 2),
        cc.Node("Shop", "10.99.0.21", 2),
        cc.Node("shop-n2", "10.99.0.21\n}", 2),
        cc.Node("shop-n2", "host.example", 2),
        cc.Node("shop-n2", "10.99.0.21", 0),
    ],
)
def test_a_node_that_would_break_the_file_is_refused(node: cc.Node) -> None:
    with pytest.raises(cc.ConfError):
        cc.with_node(FIRST, node)


@pytest.mark.parametrize("name", ["shop\nevil: 1", "shop {", "shop}", "sh\top"])
def test_no_value_can_open_a_line_or_a_section(name: str) -> None:
    with pytest.raises(cc.ConfError):
        cc.render(cc.first_conf(name, N1, 3000))


def test_all_problems_of_a_node_are_told_at_once() -> None:
    with pytest.raises(cc.ConfError, match="name.*address.*id"):
        cc.check_node(cc.Node("B A D", "nowhere", -1))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("totem {\n", "not closed"),
        ("}\n", "line 1 closes"),
        ("totem {\nversion 2\n}\n", "line 2"),
        ("totem { version: 2\n}\n", "line 2 closes"),
    ],
)
def test_a_broken_file_is_told_with_its_place(text: str, said: str) -> None:
    with pytest.raises(cc.ConfError, match=said):
        cc.parse(text)
