# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""What is read of one host: its files, its daemons, and what these hold in memory."""

from __future__ import annotations

import pytest
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster import corosync_conf as cc
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.seen import Loaded, Seen
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.seen import seen as read

from tests.unit.plugins.plugin_utils._cluster.test_membership import KEY, conf, seen

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
    found = read("n1", {**FILES, **changed})
    assert (found.host, found.key, found.seeded, found.active) == ("n1", key, seeded, active)
    assert found.conf == (conf(1) if has_conf else None) and found.text == (FILES["conf"][1] if has_conf else "")


def test_a_host_that_answered_nothing_has_nothing() -> None:
    assert read("n1", {}) == Seen("n1", "", None, "", False, False)


@pytest.mark.parametrize(
    ("addresses", "in_none"),
    [(("127.0.0.1",), True), (("127.0.0.1", "::1"), True), (("127.0.0.1", "10.99.0.21"), False), (("node1.example",), False), ((), True)],
)
def test_only_a_list_of_loopback_addresses_is_no_cluster(addresses: tuple[str, ...], in_none: bool) -> None:
    nodes = "".join(f"node {{\nname: a{i}\nnodeid: {i + 1}\nring0_addr: {address}\n}}\n" for i, address in enumerate(addresses))
    value = cc.parse("totem {\n}\nnodelist {\n" + nodes + "}\n")
    assert seen("n1", value).in_no_cluster is in_none


MAPPED = """nodelist.local_node_pos (u32) = 1
nodelist.node.0.name (str) = n1
nodelist.node.0.nodeid (u32) = 1
nodelist.node.1.nodeid (u32) = %s
quorum.provider (str) = corosync_votequorum
%s
"""
LOADED = {
    "two nodes": (MAPPED % (2, ""), Loaded((1, 2), False)),
    "numbers in their order": (MAPPED % (0, ""), Loaded((0, 1), False)),
    "two_node": (MAPPED % (2, "quorum.two_node (u8) = 1"), Loaded((1, 2), True)),
    "no two_node": (MAPPED % (2, "quorum.two_node (u8) = 0"), Loaded((1, 2), False)),
    "two_node in another place": (MAPPED % (2, "x.quorum.two_node (u8) = 1"), Loaded((1, 2), False)),
    "nothing that is understood": ("Failed to initialize the cmap API\n", None),
}  # fmt: skip


@pytest.mark.parametrize("case", LOADED)
def test_what_a_running_corosync_has_taken_over_is_read(case: str) -> None:
    text, loaded = LOADED[case]
    assert read("n1", {**FILES, "loaded": (0, text)}).loaded == loaded
    assert read("n1", {**FILES, "loaded": (1, text)}).loaded is None and read("n1", FILES).loaded is None


STALE = {
    "it has what its file says": (conf(2), Loaded((1, 2), False), False),
    "its file lists one more": (conf(3), Loaded((1, 2), False), True),
    "its file lists one less": (conf(1), Loaded((1, 2), False), True),
    "its file has two_node": (conf(2, passing=True), Loaded((1, 2), False), True),
    "its file has two_node no longer": (conf(2), Loaded((1, 2), True), True),
    "it does not tell": (conf(2), None, True),
    "numbers that Corosync made itself": (cc.parse(cc.render(conf(2)).replace("        nodeid: 2\n", "")), Loaded((1, 77), False), False),
    "of two lists it keeps the last": (cc.parse(cc.render(conf(2)) + "nodelist {\n}\n"), Loaded((9,), False), False),
    "it has no file": (None, Loaded((1,), False), False),
}  # fmt: skip


@pytest.mark.parametrize("case", STALE)
def test_who_runs_with_something_else_than_its_file_says_is_stale(case: str) -> None:
    value, loaded, stale = STALE[case]
    assert Seen("n1", "", value, KEY, False, True, loaded).stale is stale


def test_who_does_not_run_is_not_stale() -> None:
    assert not Seen("n1", "", conf(2), KEY, False, False).stale


def test_entries_without_a_number_are_not_compared() -> None:
    value = cc.parse("nodelist {\nnode {\nring0_addr: 10.99.0.21\n}\nnode {\nring0_addr: 10.99.0.22\nnodeid: 4\n}\n}\n")
    assert not Seen("n1", "", value, KEY, False, True, Loaded((4,), False)).stale


PEERS = "1 a member\n2 b lost\n3 c lost\n4 d member\nx e lost\n5 f lost now\n6 g\n"


def test_whom_pacemaker_has_in_memory_as_lost_is_read() -> None:
    assert read("n1", {**FILES, "peers": (0, PEERS)}).remembers == ("b", "c") and read("n1", FILES).remembers == ()
