# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""Nodes that are lost on their own: cut off, frozen, on a bad link. What cluster_info tells meanwhile, and what comes of it afterwards."""

from __future__ import annotations

from lab.faults.cells import cut_off, frozen
from tests.cluster.conftest import FIRST, Cluster, wait_until

OTHERS = [FIRST, "cell-n2"]
LAST = "cell-n3"


def online(told: dict) -> list[str]:
    return sorted(node["name"] for node in told["nodes"] if node["online"])


def test_a_node_that_was_cut_off_comes_back_and_nothing_is_restarted(cluster: Cluster) -> None:
    cluster.be(3)
    before = cluster.untouched_by(FIRST)
    cells = cluster.cells
    with cut_off(cells[LAST], *(cells[name] for name in OTHERS)):
        wait_until(cluster, lambda told: online(told) == OTHERS and told["quorate"])
        alone = cells[LAST].run("corosync-quorumtool", "-s", check=False).stdout
        assert "Quorate:          No" in alone, alone
    wait_until(cluster, lambda told: online(told) == [*OTHERS, LAST] and told["quorate"] and told["stable"])
    assert cluster.untouched_by(FIRST) == before


def test_a_frozen_node_is_offline_until_it_goes_on(cluster: Cluster) -> None:
    cluster.be(3)
    before = cluster.untouched_by(FIRST)
    with frozen(cluster.cells[LAST]):
        wait_until(cluster, lambda told: online(told) == OTHERS and told["quorate"])
    wait_until(cluster, lambda told: online(told) == [*OTHERS, LAST] and told["stable"])
    assert cluster.untouched_by(FIRST) == before


def test_a_member_that_returns_after_it_was_taken_out_is_none_any_more(cluster: Cluster) -> None:
    cluster.be(3)
    cells = cluster.cells
    with cut_off(cells[LAST], *(cells[name] for name in OTHERS)):
        wait_until(cluster, lambda told: online(told) == OTHERS and told["quorate"])
        cluster.done(cluster.node(LAST, "absent", members=OTHERS, gone=[LAST]))
    # It is heard again, with its old list and the old key.
    cells[LAST].run("ping", "-c1", "-W5", cells[FIRST].address)
    wait_until(cluster, lambda told: told["stable"])
    told = cluster.told()
    assert (online(told), told["votes"]["expected"], told["votes"]["total"]) == (OTHERS, 2, 2)
    alone = cells[LAST].run("corosync-quorumtool", "-s", check=False).stdout
    assert "Quorate:          Yes" not in alone, "it carries nothing beside the cluster"


def test_a_join_over_a_link_that_loses_packets_succeeds(cluster: Cluster) -> None:
    cluster.be(2)
    cells = cluster.cells
    with cut_off(cells[LAST], *(cells[name] for name in OTHERS), lost_percent=3):
        cluster.done(cluster.node(LAST, "member", members=OTHERS))
    wait_until(cluster, lambda told: online(told) == [*OTHERS, LAST])
