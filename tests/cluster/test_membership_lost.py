# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""Members are lost with their VMs: those who stay take the lost ones off their list at once, also where they have no quorum any more."""

from __future__ import annotations

import os
import signal

from tests.cluster.conftest import FIRST, Cluster, wait_until

LOST = ["cell-n4", "cell-n5"]
STAY = [FIRST, "cell-n2", "cell-n3"]


def test_a_member_that_answers_is_asked_whoever_calls_it_gone(cluster: Cluster) -> None:
    cluster.be(3)
    cluster.done(cluster.node("cell-n3", "absent", members=[FIRST, "cell-n2"], gone=["cell-n2"]))
    assert cluster.conf(FIRST) == cluster.conf("cell-n2") and "cell-n3" not in cluster.conf("cell-n2")


def lose(cluster: Cluster, *names: str) -> None:
    """These cells end at once, as a VM does that is destroyed, and the others miss them."""
    for name in names:
        os.kill(cluster.cells[name].pid, signal.SIGKILL)
    wait_until(cluster, lambda told: told["votes"]["total"] == len(told["nodes"]) - len(names))


def test_two_lost_members_are_taken_out_though_neither_can_be_asked(cluster: Cluster) -> None:
    cluster.cells.add(5)
    cluster.be(5)
    before = cluster.untouched_by(FIRST)
    lose(cluster, *LOST)
    wait_until(cluster, lambda told: told["stable"])
    refused = cluster.node(LOST[0], "absent", members=STAY)
    assert refused.last["refusal"]["reason"] == "host_unreachable" and "nobody knows whether it still runs" in refused.last["msg"]
    refused = cluster.node(LOST[0], "absent", members=STAY, gone=LOST[:1])
    assert refused.last["refusal"]["reason"] == "host_unreachable" and LOST[1] in refused.last["msg"], "it may come back with an old list"
    assert len(cluster.told()["nodes"]) == 5
    checked = cluster.done(cluster.node(LOST[0], "absent", "--check", "--diff", members=STAY, gone=LOST))
    done = cluster.done(cluster.node(LOST[0], "absent", "--diff", members=STAY, gone=LOST))
    assert done["changed"] and done["diff"] == checked["diff"]
    told = cluster.told()
    assert len(told["nodes"]) == told["votes"]["expected"] == told["votes"]["total"] == 3 and told["quorate"]
    assert [cluster.done(cluster.node(name, "absent", members=STAY, gone=LOST))["changed"] for name in LOST] == [False, False]
    assert len({cluster.conf(name) for name in STAY}) == 1 and cluster.untouched_by(FIRST) == before


def test_the_last_of_three_goes_on_alone_once_it_is_certain_that_the_others_do_not_run(cluster: Cluster) -> None:
    lose(cluster, "cell-n2", "cell-n3")
    wait_until(cluster, lambda told: not told["quorate"] and told["services"][0]["state"] == "stopped")
    refused = cluster.node("cell-n2", "absent", members=[FIRST], gone=["cell-n2"])
    assert refused.rc != 0 and refused.last["changed"] is False and "cell-n3" in refused.last["msg"]
    done = cluster.done(cluster.node("cell-n2", "absent", members=[FIRST], gone=["cell-n2", "cell-n3"]))
    assert done["changed"] and done["timings"]["left_at"]
    wait_until(cluster, lambda told: told["quorate"] and told["services"][0]["state"] == "started")
    told = cluster.told()
    assert [node["name"] for node in told["nodes"]] == [FIRST] and told["votes"] == {"expected": 1, "total": 1, "needed": 1}
    assert "two_node" not in cluster.conf(FIRST)
