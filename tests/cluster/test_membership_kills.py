# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""kill -9 of ansible-playbook after each of its trips to nodes, and during the long ones: the next run finishes, at no cost.

The hardest ways are walked: from one node to two and back, where a wrong order would cost the quorum.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cluster.conftest import FIRST, Cluster, wait_until

BIN = Path(__file__).parent / "bin"
# The trips of a join: look at the cluster, look at the node, read the key, install, members now, start, members then.
JOIN_TRIPS = 7
# The trips of a leave: look at the cluster, look at the node, ask the scheduler, standby, members now, depart, members then, forget.
LEAVE_TRIPS = 8
STANDBY_TRIP = 4
LONG = {"member": 6, "absent": 6}
POINTS = [("after", number) for number in range(1, LEAVE_TRIPS + 1)] + [("during", 0)]


def killed(cluster: Cluster, state: str, when: str, trip: int) -> bool:
    """Run it on the second node and kill Ansible at that trip; says whether it came so far."""
    directory = cluster.directory / f"kill-{state}-{when}-{trip}-{next(cluster.numbers)}"
    directory.mkdir()
    run = cluster.node(
        "cell-n2",
        state,
        members=[FIRST],
        environment={
            "ANSIBLE_SSH_EXECUTABLE": str(BIN / "ssh-then-kill"),
            "ONDEMAND_KILL_DIR": str(directory),
            "ONDEMAND_KILL_AFTER": str(trip),
            "ONDEMAND_KILL_WHEN": when,
        },
    )
    was = (directory / "killed").exists()
    assert run.rc != 0 if was else run.rc == 0, run.output
    return was


@pytest.mark.parametrize(("when", "trip"), POINTS)
def test_after_a_kill_the_next_run_finishes(cluster: Cluster, when: str, trip: int) -> None:
    cluster.be(1)
    before, losses = cluster.untouched_by(FIRST), cluster.quorum_losses(FIRST)
    assert killed(cluster, "member", when, trip or LONG["member"]) or trip > JOIN_TRIPS
    cluster.done(cluster.node("cell-n2", "member", members=[FIRST]))
    wait_until(cluster, lambda told: told["stable"])
    told = cluster.told()
    assert [node["name"] for node in told["nodes"] if node["online"]] == [FIRST, "cell-n2"] and told["votes"]["total"] == 2
    assert cluster.conf(FIRST) == cluster.conf("cell-n2") and "two_node" not in cluster.conf(FIRST) and not told["two_node"]

    assert killed(cluster, "absent", when, trip or LONG["absent"]) or trip > LEAVE_TRIPS
    cluster.done(cluster.node("cell-n2", "absent", members=[FIRST]))
    told = cluster.told()
    assert [node["name"] for node in told["nodes"]] == [FIRST] and told["votes"]["expected"] == 1 and not told["two_node"]
    assert cluster.conf("cell-n2") == "" and cluster.cells["cell-n2"].processes() == {}
    assert cluster.untouched_by(FIRST) == before, "a daemon or a resource of the member that stays was restarted"
    assert cluster.quorum_losses(FIRST) == losses
    assert told["constraints"] == [{"id": "witness-first", "temporary": False}]


def test_a_leave_that_was_cut_off_after_standby_is_taken_back_by_whoever_wants_the_node(cluster: Cluster) -> None:
    cluster.be(2)
    before = cluster.untouched_by(FIRST)
    assert killed(cluster, "absent", "after", STANDBY_TRIP)
    node = cluster.told()["nodes"][1]
    assert node["online"] and node["standby"] and node["leaving"]
    asked = cluster.done(cluster.node("cell-n2", "standby", members=[FIRST]))
    node = cluster.told()["nodes"][1]
    assert asked["changed"] and node["standby"] and not node["leaving"], "who asks for a standby has it for themselves"
    assert cluster.done(cluster.node("cell-n2", "member", members=[FIRST]))["changed"] is False
    assert killed(cluster, "absent", "after", STANDBY_TRIP) and not cluster.told()["nodes"][1]["leaving"]
    by_hand = ["crm_attribute", "--node", "cell-n2", "--lifetime", "forever", "--name", "standby"]
    cluster.done(cluster.node("cell-n2", "active", members=[FIRST]))
    assert killed(cluster, "absent", "after", STANDBY_TRIP) and cluster.told()["nodes"][1]["leaving"]
    cluster.cells[FIRST].run(*by_hand, "--delete")
    cluster.cells[FIRST].run(*by_hand, "--update", "on")
    assert not cluster.told()["nodes"][1]["leaving"], "whoever ended the standby ended the mark with it"
    cluster.done(cluster.node("cell-n2", "active", members=[FIRST]))
    assert killed(cluster, "absent", "after", STANDBY_TRIP)
    checked = cluster.done(cluster.node("cell-n2", "member", "--check", "--diff", members=[FIRST]))
    back = cluster.done(cluster.node("cell-n2", "member", "--diff", members=[FIRST]))
    assert back["changed"] and back["diff"] == checked["diff"] and back["diff"][0]["before_header"] == "standby of cell-n2"
    node = cluster.told()["nodes"][1]
    assert node["online"] and not node["standby"] and not node["leaving"]
    assert "ondemand-leaving" not in cluster.cells[FIRST].run("cibadmin", "-Q").stdout
    assert cluster.done(cluster.node("cell-n2", "member", members=[FIRST]))["changed"] is False
    assert cluster.untouched_by(FIRST) == before
    cluster.be(1)


@pytest.mark.parametrize("trip", range(1, 5))
def test_a_create_that_was_killed_is_finished_by_the_next_run(cluster: Cluster, trip: int) -> None:
    """The trips of a create: look at the node, install, start, drop the first start's short wait. On a cell without a cluster."""
    name = f"cell-n{2 + trip % 2}"
    directory = cluster.directory / f"kill-created-{trip}"
    directory.mkdir()
    environment = {
        "ANSIBLE_SSH_EXECUTABLE": str(BIN / "ssh-then-kill"),
        "ONDEMAND_KILL_DIR": str(directory),
        "ONDEMAND_KILL_AFTER": str(trip),
        "ONDEMAND_KILL_WHEN": "after",
    }
    assert cluster.node(name, "created", cluster="alone", environment=environment).rc != 0 and (directory / "killed").exists()
    cluster.done(cluster.node(name, "created", cluster="alone"))
    assert cluster.done(cluster.node(name, "created", cluster="alone"))["changed"] is False
    told = cluster.told(name)
    assert (told["name"], told["dc"], told["quorate"]) == ("alone", name, True)
    cell = cluster.cells[name]
    assert "dc-deadtime" not in cell.run("cibadmin", "-Q").stdout
    cell.run("sh", "-c", "systemctl stop pacemaker corosync; rm -f /etc/corosync/corosync.conf /etc/corosync/authkey")
