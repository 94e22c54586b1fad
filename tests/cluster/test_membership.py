# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""cluster_node and cluster_info on real Corosync and Pacemaker: create, join, leave, standby. Each test states where it starts."""

from __future__ import annotations

import pytest
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster import corosync_conf
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.membership_scripts import CONFIGURE, DEPART

from tests.cluster.conftest import FIRST, Cluster, wait_until


def test_a_created_node_is_a_cluster_of_its_own_within_a_few_seconds(cluster: Cluster) -> None:
    before = cluster.node(FIRST, "created", "--check", "--diff")
    real = cluster.node(FIRST, "created", "--diff", "-vvv")
    made = cluster.done(real)
    assert made["changed"] and made["diff"] == before.last["diff"] and made["diff"]
    assert made["timings"]["joined_at"] - made["timings"]["started_at"] < 15, "Pacemaker's 20 s dc-deadtime was waited for"
    wait_until(cluster, lambda told: told["stable"])
    told = cluster.told()
    assert (told["name"], told["dc"], told["quorate"], told["stable"]) == ("cell", FIRST, True, True)
    cell = cluster.cells[FIRST]
    assert "dc-deadtime" not in cell.run("cibadmin", "-Q").stdout
    assert cell.run("stat", "-c", "%a %s", "/etc/corosync/authkey").stdout.split() == ["400", "256"]
    key = cell.run("base64", "-w0", "/etc/corosync/authkey").stdout
    assert key[:40] not in real.output
    assert cluster.done(cluster.node(FIRST, "created"))["changed"] is False


@pytest.mark.parametrize("count", [2, 3])
def test_a_join_restarts_nothing_and_check_mode_tells_its_diff(cluster: Cluster, count: int) -> None:
    cluster.be(count - 1)
    name = f"cell-n{count}"
    before, losses = cluster.untouched_by(FIRST), cluster.quorum_losses(FIRST)
    checked = cluster.done(cluster.node(name, "member", "--check", "--diff"))
    foretold = cluster.info(what_if={"join": name})["answer"]
    assert cluster.conf(name) == "" and len(cluster.told()["nodes"]) == count - 1, "check mode touched something"
    run = cluster.node(name, "member", "--diff", "-vvvvv")
    joined = cluster.done(run)
    assert cluster.cells[FIRST].run("base64", "-w0", "/etc/corosync/authkey").stdout[:40] not in run.output
    assert joined["changed"] and joined["diff"] == checked["diff"] and joined["diff"]
    assert joined["steps"] == checked["steps"] == foretold["steps"] and foretold["allowed"]
    assert cluster.done(cluster.node(name, "member"))["changed"] is False
    assert cluster.untouched_by(FIRST) == before and before["witness"]
    assert cluster.quorum_losses(FIRST) == losses
    wait_until(cluster, lambda told: told["stable"])
    told = cluster.info()["cluster"]
    assert told == cluster.told(), "the playbook tells something else than the cluster's own tools"
    assert [node["name"] for node in told["nodes"] if node["online"]] == [f"cell-n{number}" for number in range(1, count + 1)]
    assert told["votes"] == {"expected": count, "total": count, "needed": 2} and not told["two_node"] and told["stable"]
    assert len({cluster.conf(f"cell-n{number}") for number in range(1, count + 1)}) == 1
    assert "two_node" not in cluster.conf(FIRST)


@pytest.mark.parametrize("count", [3, 2])
def test_a_leave_restarts_nothing_and_keeps_quorum_down_to_one(cluster: Cluster, count: int) -> None:
    cluster.be(count)
    name = f"cell-n{count}"
    before, losses = cluster.untouched_by(FIRST), cluster.quorum_losses(FIRST)
    checked = cluster.done(cluster.node(name, "absent", "--check", "--diff"))
    foretold = cluster.info(what_if={"leave": name})["answer"]
    assert len(cluster.told()["nodes"]) == count and cluster.cells[name].processes(), "check mode touched something"
    left = cluster.done(cluster.node(name, "absent", "--diff"))
    assert left["changed"] and left["diff"] == checked["diff"] and left["timings"]["left_at"]
    assert left["steps"] == checked["steps"] == foretold["steps"] and foretold["allowed"]
    assert cluster.done(cluster.node(name, "absent"))["changed"] is False
    assert cluster.untouched_by(FIRST) == before and before["witness"]
    assert cluster.quorum_losses(FIRST) == losses
    told = cluster.told()
    assert {**told["votes"], "quorate": told["quorate"]} == foretold["votes"]
    assert [node["name"] for node in told["nodes"]] == [f"cell-n{number}" for number in range(1, count)]
    assert told["votes"]["expected"] == told["votes"]["total"] == count - 1 and not told["two_node"] and told["quorate"]
    assert (told["votes"]["needed"], told["votes"]["expected"]) == ((count - 1) // 2 + 1, count - 1), "one vote of two is not enough"
    for stays in range(1, count):
        flags = cluster.cells[f"cell-n{stays}"].run("corosync-quorumtool", "-s").stdout
        before_last = cluster.cells[f"cell-n{stays}"].run("cat", "/etc/corosync/corosync.conf.before").stdout
        assert "2Node" not in flags and "WaitForAll" not in flags and "two_node" not in cluster.conf(f"cell-n{stays}")
        assert ("two_node" in before_last) is (count == 2), "it was never enough, but for the moment of one of two leaving"
    gone = cluster.cells[name]
    assert gone.processes() == {} and cluster.conf(name) == ""
    assert gone.run("sh", "-c", "ls /etc/corosync/authkey /var/lib/pacemaker/cib/*", check=False).returncode != 0, "it could come back"


def test_a_node_that_left_and_comes_again_gets_a_new_id(cluster: Cluster) -> None:
    cluster.be(2)
    old = max(node["id"] for node in cluster.told()["nodes"])
    cluster.be(1)
    cluster.be(2)
    assert max(node["id"] for node in cluster.told()["nodes"]) > old


def test_a_node_that_the_others_could_not_forget_may_come_again_and_lives_once(cluster: Cluster) -> None:
    """What a leave does whose request to forget a busy controller dropped, done by hand: only its memory is left."""
    cluster.be(2)
    old = cluster.told()["nodes"][1]["id"]
    cluster.cells["cell-n2"].run("sh", "-c", DEPART)
    text = corosync_conf.render(corosync_conf.without_node(corosync_conf.parse(cluster.conf(FIRST)), "cell-n2"))
    cluster.cells[FIRST].run("sh", "-c", CONFIGURE, "sh", "reload", stdin=text)
    cluster.cells[FIRST].run("cibadmin", "--delete", "--force", "--xpath", "//node[@uname='cell-n2']")
    cluster.cells[FIRST].run("cibadmin", "--delete", "--force", "--xpath", "//node_state[@uname='cell-n2']")
    assert "cell-n2 lost" in cluster.cells[FIRST].run("crm_node", "-l").stdout, "the memory is gone, nothing is tried here"
    cluster.done(cluster.node("cell-n2", "member", members=[FIRST]))
    told = cluster.told()
    assert [(node["name"], node["online"]) for node in told["nodes"]] == [(FIRST, True), ("cell-n2", True)]
    assert told["nodes"][1]["id"] > old
    peers = cluster.cells[FIRST].run("crm_node", "-l").stdout
    assert peers.count("cell-n2") == 1 and "lost" not in peers
    assert cluster.done(cluster.node("cell-n2", "member", members=[FIRST]))["changed"] is False
    cluster.be(1)


def test_who_left_does_not_come_back_as_a_ghost_when_another_one_joins(cluster: Cluster) -> None:
    """A controller that was left alone remembers the leaver, and writes it into the CIB when the membership changes."""
    cluster.be(3)
    cluster.be(1)
    cluster.done(cluster.node("cell-n4", "member", members=[FIRST]))
    assert [node["name"] for node in cluster.told()["nodes"]] == [FIRST, "cell-n4"]
    cluster.done(cluster.node("cell-n4", "absent", members=[FIRST]))
    assert [node["name"] for node in cluster.told()["nodes"]] == [FIRST]


def test_work_leaves_a_node_in_standby_and_may_come_back(cluster: Cluster) -> None:
    cluster.be(2)
    checked = cluster.done(cluster.node(FIRST, "standby", "--check", "--diff"))
    emptied = cluster.done(cluster.node(FIRST, "standby", "--diff"))
    assert checked["changed"] and emptied["changed"] and checked["diff"] == emptied["diff"] and emptied["diff"]
    told = cluster.told()
    assert told["nodes"][0]["standby"] and told["nodes"][0]["resources"] == []
    assert [(service["name"], service["node"], service["state"]) for service in told["services"]] == [("witness", "cell-n2", "started")]
    assert told["leave_order"] == ["cell-n2", FIRST], "a person's standby had a reason, so it is the last to leave"
    assert not told["nodes"][0]["leaving"]
    assert cluster.done(cluster.node(FIRST, "member", members=["cell-n2"]))["changed"] is False, "a person's standby was taken back"
    assert cluster.done(cluster.node(FIRST, "standby"))["changed"] is False
    assert cluster.done(cluster.node(FIRST, "active"))["changed"] is True
    assert cluster.done(cluster.node(FIRST, "active"))["changed"] is False
    assert not cluster.told()["nodes"][0]["standby"]


def test_a_leaver_hands_its_work_over_before_it_stops(cluster: Cluster) -> None:
    cluster.be(2)
    cluster.done(cluster.node(FIRST, "active"))
    cluster.cells[FIRST].run("crm_resource", "--move", "--resource", "witness", "--node", "cell-n2")
    cluster.done(cluster.node("cell-n2", "absent"))
    assert cluster.told()["services"][0]["node"] == FIRST
    log = cluster.cells["cell-n2"].run("cat", "/var/log/pacemaker/pacemaker.log").stdout
    stopped, asked = log.rfind("witness_stop_0"), log.rfind("Caught 'Terminated' signal")
    assert 0 < stopped < asked, "the resource was still there when Pacemaker was told to end"
    cluster.cells[FIRST].run("crm_resource", "--clear", "--resource", "witness")
