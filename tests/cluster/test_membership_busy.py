# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""Who joins, stands by or comes back waits for what is theirs, however busy the cluster is with something else."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cluster.conftest import FIRST, Cluster, wait_until

SLOW = """#!/bin/sh
# Starts in so many seconds, and with flaps=1 it is never running when it is looked at.
state=/run/slow-$OCF_RESOURCE_INSTANCE
case $1 in
start) i=0; until [ -e /run/slow-go ] || [ "$i" -ge "${OCF_RESKEY_start_s:-0}" ]; do sleep 1; i=$((i + 1)); done; touch "$state" ;;
stop) rm -f "$state" ;;
monitor) [ -e "$state" ] || exit 7; [ "${OCF_RESKEY_flaps:-0}" = 0 ] || { rm -f "$state"; exit 7; } ;;
meta-data) cat <<X
<?xml version="1.0"?>
<resource-agent name="slow"><version>1.0</version><longdesc lang="en">starts slowly</longdesc><shortdesc lang="en">slow</shortdesc>
<parameters><parameter name="start_s"><longdesc lang="en">seconds of a start</longdesc><shortdesc lang="en">start</shortdesc>
<content type="integer" default="0"/></parameter><parameter name="flaps"><longdesc lang="en">whether it fails</longdesc>
<shortdesc lang="en">fails</shortdesc><content type="integer" default="0"/></parameter></parameters>
<actions><action name="start" timeout="300s"/><action name="stop" timeout="20s"/><action name="monitor" timeout="20s" interval="1s"/>
<action name="meta-data" timeout="5s"/></actions></resource-agent>
X
;;
*) exit 3 ;;
esac
"""
RESOURCE = """
<primitive id="{id}" class="ocf" provider="ondemandtest" type="slow">
  <instance_attributes id="{id}-options"><nvpair id="{id}-option" name="{option}" value="{value}"/></instance_attributes>
  <operations><op id="{id}-start" name="start" interval="0" timeout="300s"/><op id="{id}-look" name="monitor" interval="1s" timeout="20s"/></operations>
</primitive>"""


def add(cluster: Cluster, text: str, name: str, *, only: str) -> None:
    """A resource, or a clone, that may run on one node alone, in one change of the CIB."""
    bans = [
        f'<rsc_location id="{name}-not-{node}" rsc="{name}" node="{node}" score="-INFINITY"/>'
        for node in (FIRST, "cell-n2", "cell-n3")
        if node != only
    ]
    whole = f"<configuration><resources>{text}</resources><constraints>{''.join(bans)}</constraints></configuration>"
    cluster.cells[FIRST].run("cibadmin", "--modify", "--allow-create", "--scope", "configuration", "--xml-text", whole)


@pytest.fixture
def two(cluster: Cluster) -> Iterator[Cluster]:
    """Two nodes and the slow agent; whatever a test added goes again."""
    cluster.be(2)
    for cell in cluster.cells.cells.values():
        (cell.directory / "slow").write_text(SLOW)
        cell.run("rm", "-f", "/run/slow-go")
        cell.run("install", "-m", "755", "/mnt/slow", "/mnt/agents/ondemandtest/slow")
    yield cluster
    for cell in cluster.cells.cells.values():
        cell.run("touch", "/run/slow-go")
    first = cluster.cells[FIRST]
    for one in ("busy", "flap", "late"):
        for kind in ("clone", "primitive"):
            first.run("cibadmin", "-d", "--force", "--xpath", f"//rsc_location[starts-with(@id,'{one}-')]", check=False)
            first.run("cibadmin", "-d", "--force", "--xpath", f"//{kind}[starts-with(@id,'{one}')]", check=False)
    wait_until(cluster, lambda told: told["stable"])


def state(cluster: Cluster, name: str) -> str:
    """What the cluster says of a service."""
    return str({one["name"]: one["state"] for one in cluster.told()["services"]}[name])


def test_something_else_that_fails_for_ever_keeps_nobody_waiting(two: Cluster) -> None:
    add(two, RESOURCE.format(id="flap", option="flaps", value=1), "flap", only=FIRST)
    before = two.untouched_by(FIRST)
    joined = two.done(two.node("cell-n3", "member", members=[FIRST, "cell-n2"]))
    assert joined["unready"] == [] and two.untouched_by(FIRST) == before
    assert "flap" in [failure["resource"] for failure in two.told()["failures"]], "nothing failed, nothing was tried"


def test_something_else_that_takes_for_ever_keeps_nobody_from_being_a_member(two: Cluster) -> None:
    """Pacemaker carries out one change at a time, so what is to run on the new node has to wait. Its membership has not."""
    add(two, RESOURCE.format(id="busy", option="start_s", value=280), "busy", only=FIRST)
    joined = two.done(two.node("cell-n3", "member", members=[FIRST, "cell-n2"]))
    assert joined["timings"]["joined_at"] and "is kept from it by something else" in joined["unready"][0]
    assert two.done(two.node("cell-n3", "standby"))["changed"] and two.done(two.node("cell-n3", "active"))["changed"]
    assert state(two, "busy") != "started" and not two.told()["stable"], "the cluster had come to rest, nothing was tried"
    assert [node["online"] for node in two.told()["nodes"]] == [True, True, True]


def test_a_member_on_which_not_everything_runs_yet_stays_and_tells_what(two: Cluster) -> None:
    late = RESOURCE.format(id="late", option="start_s", value=200)
    add(two, f'<clone id="late-clone">{late}</clone>', "late-clone", only="cell-n3")
    run = two.node("cell-n3", "member", members=[FIRST, "cell-n2"], deadline_s=15)
    joined = two.done(run)
    assert joined["changed"] and joined["timings"]["joined_at"]
    assert len(joined["unready"]) == 1 and "late on cell-n3" in joined["unready"][0]
    assert "late on cell-n3" in run.output, "a person sees the warning"
    told = two.told()
    assert [node["name"] for node in told["nodes"] if node["online"] and not node["pending"]] == [FIRST, "cell-n2", "cell-n3"]
    assert told["votes"]["total"] == 3 and two.conf(FIRST) == two.conf("cell-n3")
