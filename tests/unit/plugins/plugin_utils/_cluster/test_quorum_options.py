# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""What of a corosync.conf the arithmetic of votes does not hold for. Who refuses it: test_leave_rules.py, test_join_rules.py, test_what_if.py."""

from __future__ import annotations

import pytest
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster import corosync_conf as cc
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.quorum_options import (
    why_joiner_waits,
    why_nobody_counts,
    why_not_reckoned,
)

NODES = "nodelist {\nnode {\nring0_addr: 192.0.2.1\nname: n1\nnodeid: 1\n}\n}\n"


def quorum(*lines: str, nodes: str = NODES) -> cc.Conf:
    return cc.parse(nodes + "quorum {\n" + "".join(line + "\n" for line in lines) + "}\n")


@pytest.mark.parametrize(
    ("conf", "named"),
    [
        (quorum("provider: corosync_votequorum", "two_node: 1", "wait_for_all: 1", "expected_votes: 3"), []),
        (quorum("auto_tie_breaker: 1"), ["auto_tie_breaker, with which half of the votes may be a quorum"]),
        (quorum("last_man_standing: 1", "last_man_standing_window: 20000"), ["last_man_standing, with which Corosync lowers"]),
        (quorum("allow_downscale: 1"), ["allow_downscale, with which Corosync lowers"]),
        (quorum("auto_tie_breaker: 0", "last_man_standing_window: 20000", "auto_tie_breaker_node: lowest"), []),
        (quorum("auto_tie_breaker: 1", "auto_tie_breaker: 0"), []),
        (quorum("auto_tie_breaker: 1", "last_man_standing: 1"), ["auto_tie_breaker, ", " and has last_man_standing, "]),
        (quorum("device {", "model: net", "votes: 1", "}"), []),
        (quorum(nodes=NODES.replace("nodeid: 1\n", "")), ["no nodeid for n1, ", "give each entry of the nodelist a nodeid"]),
        (
            quorum(nodes=NODES.replace("nodeid: 1\n", "").replace("name: n1\n", "").replace("ring0", "ring1")),
            ["no nodeid for one without a name, "],
        ),
    ],
)
def test_what_is_not_reckoned_with_is_named(conf: cc.Conf, named: list[str]) -> None:
    told = why_not_reckoned(conf) or ""
    assert bool(told) == bool(named) and all(one in told for one in named)
    if named and "no nodeid" not in told:
        assert (
            told.startswith("its corosync.conf has ")
            and "take it out of corosync.conf on all members (corosync-cfgtool -R loads that)" in told
        )


def test_who_starts_waits_for_all_only_where_one_is_missing() -> None:
    conf = quorum("wait_for_all: 1")
    assert why_joiner_waits(conf, []) is None and why_joiner_waits(quorum("wait_for_all: 0"), ["n2"]) is None
    assert "wait_for_all" in (told := why_joiner_waits(conf, ["n2", "n3"]) or "") and "n2, n3 is missing; bring it back first" in told


@pytest.mark.parametrize(
    ("conf", "counted"),
    [
        (quorum("provider: corosync_votequorum"), True), (quorum("provider: other"), False), (quorum(), False), (cc.parse(NODES), False),
        (quorum("provider: other", "provider: corosync_votequorum"), True),
    ],
)  # fmt: skip
def test_without_votequorum_nobody_counts_votes(conf: cc.Conf, counted: bool) -> None:
    assert (why_nobody_counts(conf) is None) is counted
