# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""corosync.conf as a value: what is not ours is kept, what cannot stand in a line is refused."""

from __future__ import annotations

import pytest
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster import corosync_conf as cc

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


WRITTEN = """\
# highest node id ever given: 1
totem {
    version: 2
    cluster_name: shop
    transport: knet
    crypto_cipher: aes256
    crypto_hash: sha256
    token: 3000
}
nodelist {
    node {
        ring0_addr: 10.99.0.20
        name: shop-n1
        nodeid: 1
    }
}
quorum {
    provider: corosync_votequorum
}
logging {
    to_stderr: no
    to_logfile: no
    to_syslog: yes
}
"""


def test_the_file_of_a_new_cluster() -> None:
    assert cc.render(FIRST) == WRITTEN


def conf(*lines: str) -> cc.Conf:
    """A file of these lines."""
    return cc.parse("\n".join(lines))


def listed(*entries: str) -> cc.Conf:
    """A file with these entries in its nodelist."""
    return conf("nodelist {", *(line for entry in entries for line in ("node {", *entry.split("; "), "}")), "}")


@pytest.mark.parametrize(
    ("lines", "cluster"),
    [
        (("totem {", "cluster_name: shop", "}"), "shop"),
        (("totem {", "cluster_name: old", "cluster_name: shop", "}"), "shop"),
        (("totem {", "cluster_name: old", "}", "totem {", "cluster_name: shop", "}"), "shop"),
        (("totem {", "version: 2", "}"), ""),
        (("quorum {", "cluster_name: shop", "}"), ""),
        ((), ""),
    ],
)
def test_the_cluster_has_the_name_that_stands_last(lines: tuple[str, ...], cluster: str) -> None:
    assert conf(*lines).cluster == cluster


@pytest.mark.parametrize(
    ("lines", "is_set"),
    [
        (("quorum {", "two_node: 1", "}"), True),
        (("quorum {", "two_node: 0", "}"), False),
        (("quorum {", "two_node: 1", "two_node: 0", "}"), False),
        (("quorum {", "provider: x", "}"), False),
        (("totem {", "two_node: 1", "}"), False),
        (("quorum {", "two_node: 1", "}", "quorum {", "provider: x", "}"), True),
    ],
)
def test_two_node_is_read_where_corosync_reads_it(lines: tuple[str, ...], is_set: bool) -> None:
    assert conf(*lines).two_node is is_set


@pytest.mark.parametrize(
    ("entry", "node"),
    [
        ("ring0_addr: 10.99.0.20; name: shop-n1; nodeid: 7", cc.Node("shop-n1", "10.99.0.20", 7)),
        ("ring0_addr: 10.99.0.20; nodeid: 7", cc.Node("10.99.0.20", "10.99.0.20", 7)),
        ("ring0_addr: 10.99.0.20; name: shop-n1", cc.Node("shop-n1", "10.99.0.20", 0)),
        ("name: shop-n1; nodeid: 7", cc.Node("shop-n1", "", 7)),
    ],
)
def test_an_entry_that_says_less_is_read_as_corosync_reads_it(entry: str, node: cc.Node) -> None:
    assert listed(entry).nodes == (node,)


def test_a_node_id_that_is_no_number_is_told_with_its_address() -> None:
    with pytest.raises(cc.ConfError, match="nodeid 'one' of 10.99.0.20"):
        _nodes = listed("ring0_addr: 10.99.0.20; nodeid: one").nodes


def test_entries_of_all_nodelists_count_and_nothing_else_in_them() -> None:
    text = conf(
        "nodelist {", "node {", "name: a", "nodeid: 1", "}", "other {", "name: b", "}", "}", "nodelist {", "node {", "name: c", "}", "}"
    )
    assert [node.name for node in text.nodes] == ["a", "c"]
    assert text.node("c") == cc.Node("c", "", 0) and text.node("b") is None


@pytest.mark.parametrize(
    ("lines", "highest"),
    [
        (("# highest node id ever given: 9",), 9),
        (("# highest node id ever given: 1", "# a note", "nodelist {", "node {", "nodeid: 4", "}", "}"), 4),
        (("totem {", "# highest node id ever given: 9", "}"), 0),
        ((), 0),
    ],
)
def test_the_highest_id_is_that_of_the_note_or_of_the_list(lines: tuple[str, ...], highest: int) -> None:
    assert conf(*lines).highest_id == highest


def test_only_the_node_that_leaves_is_dropped_and_the_note_stands_once_at_the_top() -> None:
    three = cc.with_node(cc.with_node(FIRST, N2), N3)
    assert [node.name for node in cc.without_node(three, "shop-n2").nodes] == ["shop-n1", "shop-n3"]
    assert cc.render(cc.without_node(three, "shop-n2")).startswith("# highest node id ever given: 3\ntotem {\n")
    assert cc.render(cc.without_node(three, "shop-n2")).count("highest node id") == 1


def test_a_node_with_another_id_takes_the_place_of_its_former_entry() -> None:
    again = cc.with_node(cc.with_node(FIRST, N2), cc.Node("shop-n2", "10.99.0.21", 5))
    assert [(node.name, node.id) for node in again.nodes] == [("shop-n1", 1), ("shop-n2", 5)] and again.highest_id == 5


def test_what_stands_in_the_nodelist_beside_the_nodes_outlives_a_join_and_a_leave() -> None:
    kept = conf("nodelist {", "# by hand", "weight: 3", "other {", "name: shop-n2", "}", "}")
    after = cc.without_node(cc.with_node(kept, N2), "shop-n2")
    assert after.root.sections("nodelist") == kept.root.sections("nodelist")


def test_of_two_sections_the_last_is_edited_and_a_missing_one_is_made() -> None:
    two = cc.with_node(conf("nodelist {", "}", "nodelist {", "}"), N1)
    assert [len(section.items) for section in two.root.sections("nodelist")] == [0, 1]
    assert [section.name for section in cc.with_one_vote_enough(conf("totem {", "}"), True).root.items] == ["totem", "quorum"]


@pytest.mark.parametrize(("number", "right"), [(0, False), (1, True), (0xFFFFFFFF, True), (0x100000000, False)])
def test_a_node_id_is_a_number_that_corosync_takes(number: int, right: bool) -> None:
    node = cc.Node("shop-n1", "10.99.0.20", number)
    if right:
        cc.check_node(node)
    else:
        with pytest.raises(cc.ConfError, match=r"\Aid: "):
            cc.check_node(node)


@pytest.mark.parametrize(
    ("name", "value", "right"),
    [
        ("a", "b c: d#~", True),
        ("a", "\x1f", False),
        ("a", "\x7f", False),
        ("a", "{", False),
        ("a", "}", False),
        ("a{", "b", False),
        ("a\n", "b", False),
    ],
)
def test_what_can_stand_in_a_line(name: str, value: str, right: bool) -> None:
    made = cc.Conf(cc.Section("", (cc.Section("totem", ((name, value),)),)))
    if right:
        assert cc.render(made) == f"totem {{\n    {name}: {value}\n}}\n"
    else:
        with pytest.raises(cc.ConfError, match="cannot stand in corosync.conf"):
            cc.render(made)


def test_a_section_s_name_can_not_open_another_one_and_a_comment_may_have_braces() -> None:
    with pytest.raises(cc.ConfError):
        cc.render(cc.Conf(cc.Section("", (cc.Section("a {\nb", ()),))))
    with pytest.raises(cc.ConfError):
        cc.render(cc.Conf(cc.Section("", ("# a\nb: c",))))
    assert cc.render(cc.parse("# {a}\n")) == "# {a}\n"


def test_lines_are_read_with_their_blanks_colons_and_comments() -> None:
    text = "  # note\n\n  totem   {  \n\n key :  a:b  \n\tinner {\n\t}\n }\n"
    assert cc.parse(text).root.items == ("# note", cc.Section("totem", (("key", "a:b"), cc.Section("inner", ()))))


@pytest.mark.parametrize(
    ("text", "said"),
    [("a: b\n}\n", "line 2 closes"), ("a: b\n\nodd\n", "line 3 is neither.*'odd'"), ("a {\nb {\n}\n", "'a' is not closed")],
)
def test_a_broken_file_is_told_with_the_line_or_the_section(text: str, said: str) -> None:
    with pytest.raises(cc.ConfError, match=said):
        cc.parse(text)


def test_the_options_are_those_of_the_totem_sections_alone() -> None:
    text = conf("totem {", "# note", "token: 3000", "interface {", "x: y", "}", "}", "quorum {", "provider: p", "}")
    assert cc.options_of(text) == {"token": "3000"}


def test_sections_inside_and_comments_are_no_values() -> None:
    assert conf("totem {", "interface {", "}", "# note", "cluster_name: shop", "}").cluster == "shop"
    device = conf("quorum {", "# note", "device {", "model: net", "}", "two_node: 1", "}")
    assert device.two_node


def test_who_is_listed_keeps_the_place_and_who_is_not_leaves_no_note() -> None:
    two = cc.with_node(FIRST, N2)
    assert cc.with_node(two, N1) == two
    assert cc.without_node(cc.parse(BY_HAND), "shop-n9") == cc.parse(BY_HAND)


@pytest.mark.parametrize(
    ("node", "said"),
    [(cc.Node("B A D", "10.99.0.20", 1), "name: 'B A D'"), (cc.Node("shop-n1", "nowhere", 1), "address: 'nowhere'")],
)
def test_a_problem_of_a_node_begins_with_its_field(node: cc.Node, said: str) -> None:
    with pytest.raises(cc.ConfError, match=rf"\A{said}"):
        cc.check_node(node)


def test_of_several_open_sections_the_innermost_is_told() -> None:
    with pytest.raises(cc.ConfError, match="'c' is not closed"):
        cc.parse("a {\nb {\nc {\n")


def test_a_section_may_open_without_a_blank() -> None:
    assert cc.parse("totem{\n}\n").root.items == (cc.Section("totem"),)
