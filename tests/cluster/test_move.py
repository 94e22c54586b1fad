# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""service_move on a running cluster: there, back, refused, failed and killed, and never a constraint left behind."""

from __future__ import annotations

import re
import signal
import time
from typing import Any
from xml.etree import ElementTree

import pytest

from lab.processes import kill_whole
from tests.cluster.conftest import FIRST, Cluster, Playbook

SECOND = "cell-n2"
ADDRESS = "10.98.0.91"
RESOURCES = ("note-data", "note-address", "note-app")


def config(**app: Any) -> dict[str, Any]:
    """A group of data, address and application; app: options of the last one."""
    slow = [{"name": name, "interval_s": 0, "timeout_s": 60} for name in ("start", "stop")]
    return {
        "resource_defaults": {"resource-stickiness": 100},
        "resources": [
            {"id": "note-data", "agent": "ocf:pacemaker:Dummy"},
            {"id": "note-address", "agent": "ocf:heartbeat:IPaddr2", "options": {"ip": ADDRESS, "cidr_netmask": 24}},
            {"id": "note-app", "agent": "ocf:pacemaker:Dummy", "options": app, "operations": slow},
            {"id": "agent", "agent": "ocf:pacemaker:Dummy"},
        ],
        "groups": [{"id": "note", "members": list(RESOURCES)}],
        "clones": [{"resource": "agent"}],
    }


def task(**more: Any) -> dict[str, Any]:
    """A move of the service."""
    return {"ondemand.cluster.service_move": {"service": "note", "members": [FIRST, SECOND], "deadline_s": 40, **more}}


def move(cluster: Cluster, *options: str, **more: Any) -> Playbook:
    return cluster.play([task(**more)], *options)


def where(cluster: Cluster) -> str:
    """The node of the whole service."""
    seen = ElementTree.fromstring(cluster.cells[FIRST].run("crm_mon", "--one-shot", "--output-as=xml").stdout)
    places = {
        one: [node.get("name") for node in seen.iterfind(f"resources//resource[@id='{one}'][@role='Started'][@failed='false']/node")]
        for one in RESOURCES
    }
    nodes = {node for found in places.values() for node in found}
    assert len(nodes) == 1 and all(len(found) == 1 for found in places.values()), places
    return str(nodes.pop())


def wishes(cluster: Cluster) -> list[str]:
    """Constraints of moves, ours and those of crm_resource."""
    return re.findall(r'<rsc_location id="((?:ondemand-move|cli)-[^"]*)"', cluster.cells[FIRST].run("cibadmin", "--query").stdout)


def failures(cluster: Cluster) -> list[str]:
    """The failed operations that Pacemaker remembers."""
    return re.findall(r'<failure op_key="([^"]*)"', cluster.cells[FIRST].run("crm_mon", "--one-shot", "--output-as=xml").stdout)


def configure(cluster: Cluster, wanted: dict[str, Any]) -> None:
    cluster.done(cluster.play([{"ondemand.cluster.cluster_config": {"config": wanted, "wait_s": 60}}]))


@pytest.fixture(scope="module")
def formed(cluster: Cluster) -> tuple[Cluster, str]:
    """A cluster of two nodes with the service, made once, and its configuration."""
    cluster.be(2)
    configure(cluster, config())
    return cluster, cluster.cells[FIRST].run("cibadmin", "--query", "--scope", "configuration").stdout


# By Pacemaker's own tools, so that a fault of ours cannot hide here. stdin: the configuration to go back to.
RESET = """
cat >/run/configuration.xml
crm_standby --node cell-n2 --delete 2>/dev/null
cibadmin --replace --scope configuration --xml-file /run/configuration.xml || exit 1
crm_resource --wait; crm_resource --cleanup; crm_resource --wait
crm_resource --resource note --locate | grep -q cell-n1 && exit 0
crm_resource --resource note --move --node cell-n1 && crm_resource --wait && crm_resource --resource note --clear
"""


@pytest.fixture
def two(formed: tuple[Cluster, str]) -> Cluster:
    """The cluster, the service on the first node, all healthy."""
    cluster, configuration = formed
    cluster.cells[FIRST].run("sh", "-c", RESET, stdin=configuration, timeout_s=120)
    assert (where(cluster), wishes(cluster), failures(cluster)) == (FIRST, [], [])
    return cluster


def test_a_move_ends_when_the_service_runs_there_stays_and_leaves_no_constraint(two: Cluster) -> None:
    before = two.untouched_by(FIRST)
    checked = two.done(move(two, "--check", "--diff", to=SECOND))
    assert where(two) == FIRST, "check mode touched something"
    began = time.time()
    moved = two.done(move(two, "--diff", to=SECOND))
    ended = time.time()
    assert checked["changed"] and moved["changed"] and checked["diff"] == moved["diff"]
    assert (moved["from"], moved["to"]) == (FIRST, SECOND)
    assert began < moved["stopped_at"] <= moved["started_at"] < ended
    assert where(two) == SECOND and wishes(two) == []
    assert not two.done(move(two, to=SECOND))["changed"]
    back = two.done(move(two))
    assert (back["from"], back["to"]) == (SECOND, FIRST) and where(two) == FIRST
    assert two.untouched_by(FIRST) == before, "another resource was disturbed"


def test_a_service_that_does_not_start_there_goes_back_and_the_failure_is_forgotten(two: Cluster) -> None:
    configure(two, config(fail_start_on=SECOND))
    assert where(two) == FIRST
    refused = move(two, to=SECOND)
    assert refused.rc != 0 and refused.last["refusal"]["reason"] == "start_failed", refused.output
    assert "note-app" in refused.last["msg"] and f"back on {FIRST}" in refused.last["msg"]
    assert not refused.last["changed"]
    assert where(two) == FIRST and wishes(two) == []
    assert failures(two) == []


def test_an_old_failure_on_the_target_does_not_stand_in_the_way(two: Cluster) -> None:
    two.cells[FIRST].run("mkdir", "-p", "/run/note")
    configure(two, config(state="/run/note/app"))
    two.cells[FIRST].run("crm_resource", "--resource", "note", "--move", "--node", SECOND)
    two.cells[FIRST].run("crm_resource", "--wait")
    two.cells[FIRST].run("crm_resource", "--resource", "note", "--clear")
    assert where(two) == FIRST and [one for one in failures(two) if one.startswith("note-app_start")]
    two.cells[SECOND].run("mkdir", "-p", "/run/note")
    two.done(move(two, to=SECOND))
    assert where(two) == SECOND and failures(two) == []


def test_a_service_that_takes_too_long_is_told_and_comes_back(two: Cluster) -> None:
    configure(two, config(op_sleep=4))
    refused = move(two, to=SECOND, deadline_s=2)
    assert refused.rc != 0 and refused.last["refusal"]["reason"] == "deadline"
    assert wishes(two) == []
    configure(two, config())
    where(two)


def test_what_a_killed_run_left_is_removed_and_its_move_ends_by_itself(two: Cluster) -> None:
    wish = '<rsc_location id="ondemand-move-note" rsc="note" node="cell-n1" score="INFINITY"/>'
    two.cells[FIRST].run("cibadmin", "--create", "--scope", "constraints", "--xml-text", wish)
    expired = (
        '<rsc_location id="ondemand-move-other" rsc="agent-clone"><rule id="r" score="INFINITY">'
        '<expression id="e" attribute="#uname" operation="eq" value="x"/>'
        '<date_expression id="d" operation="lt" end="2020-01-01 00:00:00Z"/></rule></rsc_location>'
    )
    two.cells[FIRST].run("cibadmin", "--create", "--scope", "constraints", "--xml-text", expired)
    assert two.done(move(two, to=FIRST))["changed"], "removing what was left is a change"
    assert wishes(two) == []
    two.done(move(two, to=SECOND))
    assert where(two) == SECOND


@pytest.mark.parametrize("moment", ["wished", "stopped"])
def test_a_killed_run_leaves_no_constraint_and_the_next_one_converges(two: Cluster, moment: str) -> None:
    configure(two, config(op_sleep=1))
    come = {"wished": lambda: bool(wishes(two)), "stopped": lambda: bool(wishes(two)) and not runs(two, "note-app")}[moment]
    run = two.begin([{"hosts": FIRST, "gather_facts": False, "tasks": [task(to=SECOND)]}])
    until = time.monotonic() + 60
    while not come():
        assert run.poll() is None and time.monotonic() < until, "the moment to kill never came"
        time.sleep(0.05)
    kill_whole(run.pid)
    assert run.wait(30) == -signal.SIGKILL
    until = time.monotonic() + 60
    while wishes(two):
        assert time.monotonic() < until, "the script on the node removes its wish also when nobody listens any more"
        time.sleep(0.2)
    two.done(move(two, to=SECOND))
    assert where(two) == SECOND and wishes(two) == []


def runs(cluster: Cluster, resource: str) -> bool:
    """Does the resource run anywhere?"""
    return "is running on" in cluster.cells[FIRST].run("crm_resource", "--resource", resource, "--locate", check=False).stdout


def test_a_service_without_stickiness_that_goes_back_is_told(two: Cluster) -> None:
    loose = config()
    loose["resource_defaults"] = {"resource-stickiness": 0}
    loose["constraints"] = {"location": [{"id": "ondemand-note-first", "resource": "note", "node": FIRST, "score": 50}]}
    configure(two, loose)
    refused = move(two, to=SECOND)
    two.done(two.play([{"ondemand.cluster.cluster_config": {"config": {"absent": ["ondemand-note-first"]}}}]))
    assert refused.rc != 0 and refused.last["refusal"]["reason"] == "unstable"
    assert "stickiness" in refused.last["msg"] and wishes(two) == []


@pytest.mark.parametrize(
    "arguments, reason, named",
    [
        ({"service": "nobody"}, "not_found", "note"),
        ({"service": "a b; reboot"}, "not_found", "note"),
        ({"service": "agent-clone"}, "bad_input", "every node"),
        ({"to": "cell-n9"}, "not_found", SECOND),
        ({"to": "cell-n3"}, "not_found", SECOND),
        ({"members": ["cell-n4"]}, "not_found", "cell-n4"),
    ],
)
def test_a_move_that_cannot_be_is_refused_before_anything_is_touched(
    two: Cluster, arguments: dict[str, Any], reason: str, named: str
) -> None:
    refused = move(two, **arguments)
    assert refused.rc != 0 and refused.last["refusal"]["reason"] == reason, refused.output
    assert named in refused.last["msg"]
    assert where(two) == FIRST and wishes(two) == []


def test_a_node_in_standby_takes_nothing(two: Cluster) -> None:
    two.cells[FIRST].run("crm_standby", "--node", SECOND, "-v", "on")
    try:
        named, best = move(two, to=SECOND), move(two)
    finally:
        two.cells[FIRST].run("crm_standby", "--node", SECOND, "--delete")
    assert (named.last["refusal"]["reason"], best.last["refusal"]["reason"]) == ("unstable", "last_node")
    assert "standby" in named.last["msg"] and "standby" in best.last["msg"]
    assert where(two) == FIRST
