# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""Several members are lost with their VMs: those who stay keep the quorum, and take the lost ones off their list one after another."""

from __future__ import annotations

import os
import signal

from tests.cluster.conftest import FIRST, Cluster, wait_until

LOST = ["cell-n4", "cell-n5"]
STAY = [FIRST, "cell-n2", "cell-n3"]


def test_two_lost_members_are_taken_out_though_neither_can_be_asked(cluster: Cluster) -> None:
    cluster.cells.add(5)
    cluster.be(5)
    before = cluster.untouched_by(FIRST)
    for name in LOST:
        os.kill(cluster.cells[name].pid, signal.SIGKILL)
    wait_until(cluster, lambda told: told["votes"]["total"] == 3 and told["stable"])
    refused = cluster.node(LOST[0], "absent", members=STAY)
    assert refused.last["refusal"]["reason"] == "host_unreachable" and LOST[1] in refused.last["msg"], "it may come back with an old list"
    assert len(cluster.told()["nodes"]) == 5
    for left, name in enumerate(LOST, start=1):
        checked = cluster.done(cluster.node(name, "absent", "--check", "--diff", members=STAY, gone=LOST)) if left == 1 else None
        done = cluster.done(cluster.node(name, "absent", "--diff", members=STAY, gone=LOST))
        assert done["changed"] and (checked is None or done["diff"] == checked["diff"])
        told = cluster.told()
        assert len(told["nodes"]) == told["votes"]["expected"] == 5 - left and told["votes"]["total"] == 3 and told["quorate"]
    assert cluster.done(cluster.node(LOST[1], "absent", members=STAY, gone=LOST))["changed"] is False
    assert len({cluster.conf(name) for name in STAY}) == 1 and cluster.untouched_by(FIRST) == before


def test_a_member_that_answers_is_asked_whoever_calls_it_gone(cluster: Cluster) -> None:
    cluster.done(cluster.node("cell-n3", "absent", members=[FIRST, "cell-n2"], gone=["cell-n2"]))
    assert cluster.conf(FIRST) == cluster.conf("cell-n2") and "cell-n3" not in cluster.conf("cell-n2")
