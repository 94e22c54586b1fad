# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""Nobody leaves, stands by or moves where Pacemaker itself would then not run what runs now: on a real cluster."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.cluster.conftest import DUMMY, FIRST, Cluster, wait_until
from tests.cluster.test_membership_refusals import nothing_touched, refused

CASES = {
    "a ban that somebody forgot": (
        ("crm_resource", "--ban", "--resource", DUMMY, "--node", "cell-n2"),
        ("crm_resource", "--clear", "--resource", DUMMY, "--node", "cell-n2"),
        "no_place", f"{DUMMY} would run nowhere",
    ),
    "a service that nobody manages": (
        ("crm_resource", "--resource", DUMMY, "--meta", "--set-parameter", "is-managed", "--parameter-value", "false"),
        ("crm_resource", "--resource", DUMMY, "--meta", "--delete-parameter", "is-managed"),
        "unmanaged", f"{DUMMY} is not managed by Pacemaker",
    ),
    "the other node in maintenance": (
        ("crm_attribute", "--node", "cell-n2", "--name", "maintenance", "--update", "on"),
        ("crm_attribute", "--node", "cell-n2", "--name", "maintenance", "--delete"),
        "no_place", f"{DUMMY} would run nowhere",
    ),
}  # fmt: skip


@contextmanager
def by_hand(cluster: Cluster, do: tuple[str, ...], undo: tuple[str, ...]) -> Iterator[None]:
    """Something that a person does to the cluster, for the block."""
    cluster.cells[FIRST].run(*do)
    try:
        wait_until(cluster, lambda told: told["stable"])
        yield
    finally:
        cluster.cells[FIRST].run(*undo)
        wait_until(cluster, lambda told: told["stable"])


@pytest.mark.parametrize("case", CASES)
def test_a_node_whose_service_has_no_other_place_neither_leaves_nor_stands_by(cluster: Cluster, case: str) -> None:
    do, undo, reason, said = CASES[case]
    cluster.be(2)
    with by_hand(cluster, do, undo), nothing_touched(cluster):
        leave = refused(cluster.node(FIRST, "absent", members=["cell-n2"]), reason)
        assert leave.startswith(f"{FIRST} must not leave: {said}")
        standby = refused(cluster.node(FIRST, "standby", members=["cell-n2"]), reason)
        assert standby.startswith(f"{FIRST} must not go to standby: {said}")


def test_cluster_info_tells_of_the_first_who_may_leave_what_pacemaker_says(cluster: Cluster) -> None:
    cluster.be(2)
    do, undo, _reason, _said = CASES["a ban that somebody forgot"]
    empty = ("crm_attribute", "--node", FIRST, "--name", "standby", "--delete")
    with by_hand(cluster, do, undo), by_hand(cluster, ("crm_attribute", "--node", "cell-n2", "--name", "standby", "--update", "on"),
                                             ("crm_attribute", "--node", "cell-n2", "--name", "standby", "--delete")):  # fmt: skip
        cluster.cells[FIRST].run(*empty, check=False)
        told = {node["name"]: node["may_leave"] for node in cluster.info()["cluster"]["nodes"]}
        assert told["cell-n2"]["allowed"] and not told[FIRST]["allowed"]


def move(cluster: Cluster, **more: str) -> dict[str, object]:
    """One move of the resource; the task's result."""
    return cluster.play([{"ondemand.cluster.service_move": {"service": DUMMY, "members": list(cluster.nodes()), **more}}]).last


def test_a_service_moves_to_a_node_that_pacemaker_takes_not_to_the_emptiest(cluster: Cluster) -> None:
    cluster.be(3)
    do, undo, _reason, _said = CASES["a ban that somebody forgot"]
    with by_hand(cluster, do, undo):
        told = move(cluster, to="cell-n2")
        assert told["refusal"]["reason"] == "no_place" and "would not run witness there" in told["msg"]  # type: ignore[index,operator]
        cluster.cells[FIRST].run("crm_resource", "--ban", "--resource", DUMMY, "--node", "cell-n3")
        none = move(cluster)
        assert none["refusal"]["reason"] == "no_place"  # type: ignore[index]
        assert "No other node can take witness: cell-n2: Pacemaker would not run" in str(none["msg"]) and "; cell-n3: " in str(none["msg"])
        cluster.cells[FIRST].run("crm_resource", "--clear", "--resource", DUMMY, "--node", "cell-n3")
        plays = [{"ondemand.cluster.service_move": {"service": DUMMY, "members": list(cluster.nodes())}}]
        assert cluster.play(plays, "--check").last["to"] == "cell-n3"
