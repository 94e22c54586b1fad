# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""Power goes and comes: a whole cluster comes back by itself, and who was let go meanwhile never serves again."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import time

from tests.cluster.conftest import FIRST, Cluster, wait_until

OTHERS = ["cell-n2", "cell-n3"]
ALL = [FIRST, *OTHERS]


def cut(cluster: Cluster, *names: str) -> None:
    """The daemons of these cells end at once, as with their power; their files stay."""
    for name in names:
        for pid, _started in cluster.cells[name].processes().values():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        cluster.cells[name].run("systemctl", "stop", "pacemaker", "corosync", check=False)
        cluster.cells[name].run("rm", "-f", "/run/witness")


def start(cluster: Cluster, *names: str) -> None:
    """They boot: both daemons start."""
    for name in names:
        cluster.cells[name].run("systemctl", "start", "corosync", "pacemaker")


def votes(cluster: Cluster, name: str) -> tuple[int, bool]:
    """How many votes a cell sees, and whether that is quorum to it, by Corosync's own word."""
    said = cluster.cells[name].run("corosync-quorumtool", "-s", check=False).stdout
    found = re.search(r"^Total votes:\s+(\d+)", said, re.MULTILINE)
    return int(found.group(1)) if found else 0, re.search(r"^Quorate:\s+Yes", said, re.MULTILINE) is not None


def see(cluster: Cluster, name: str, total: int) -> None:
    """Wait until a cell sees so many votes."""
    for _try in range(120):
        if votes(cluster, name)[0] == total:
            return
        time.sleep(0.5)
    raise AssertionError(f"{name} sees {votes(cluster, name)}")


def test_a_whole_cluster_comes_back_with_its_services(cluster: Cluster) -> None:
    cluster.be(3)
    cut(cluster, *ALL)
    start(cluster, *ALL)
    see(cluster, FIRST, 3)
    cluster.cells[FIRST].run("sh", "-c", "i=0; until cibadmin -Q >/dev/null 2>&1; do i=$((i + 1)); [ $i -lt 200 ]; sleep 0.2; done")
    wait_until(cluster, lambda told: told["quorate"] and told["services"][0]["state"] == "started" and told["stable"], tries=240)
    assert all(node["online"] for node in cluster.told()["nodes"])


def test_one_that_is_listed_starts_again_without_quorum_and_brings_it(cluster: Cluster) -> None:
    cluster.be(3)
    cut(cluster, *OTHERS)
    wait_until(cluster, lambda told: not told["quorate"])
    before = cluster.conf(FIRST)
    done = cluster.done(cluster.node("cell-n3", "member", "--check", members=[FIRST, "cell-n2"]))
    assert done["changed"] and done["diff"] == []
    done = cluster.done(cluster.node("cell-n3", "member", members=[FIRST, "cell-n2"]))
    assert done["timings"]["joined_at"] and votes(cluster, FIRST) == (2, True) and cluster.conf(FIRST) == before
    cluster.done(cluster.node("cell-n2", "member", members=[FIRST, "cell-n3"]))
    wait_until(cluster, lambda told: told["votes"]["total"] == 3 and told["stable"] and told["services"][0]["state"] == "started")


def test_two_that_come_back_together_are_not_taken_for_the_cluster_that_let_them_go(cluster: Cluster) -> None:
    cluster.be(3)
    cut(cluster, *OTHERS)
    wait_until(cluster, lambda told: not told["quorate"] and told["services"][0]["state"] == "stopped")
    cluster.done(cluster.node("cell-n2", "absent", members=[FIRST], gone=OTHERS, may_return=OTHERS))
    wait_until(cluster, lambda told: told["quorate"])
    start(cluster, *OTHERS)
    for name in OTHERS:
        see(cluster, name, 2)
    assert votes(cluster, "cell-n2") == (2, True), "more than half of their old list, so it has to be told apart"
    told = "crm_mon -1 2>/dev/null | grep -q 'partition with quorum' && cibadmin -Q >/dev/null 2>&1"
    ready = f"i=0; until {told}; do i=$((i + 1)); [ $i -lt 200 ]; sleep 0.2; done"
    cluster.cells["cell-n2"].run("sh", "-c", ready)
    told = cluster.info(members=[*OTHERS, FIRST])
    assert (told["asked"], [node["name"] for node in told["cluster"]["nodes"]]) == (FIRST, [FIRST])
    told = cluster.info(members=[FIRST, *OTHERS])
    assert told["asked"] == FIRST
    text = cluster.conf(FIRST)
    cluster.cells[FIRST].run("sed", "-i", "/withheld/d", "/etc/corosync/corosync.conf")
    doubt = cluster.info(members=[*OTHERS, FIRST])
    assert doubt["refusal"]["reason"] == "unstable" and "neither let the other one go" in doubt["msg"]
    cluster.cells[FIRST].run("tee", "/etc/corosync/corosync.conf", stdin=text)
    cut(cluster, *OTHERS)
    for name in OTHERS:
        cluster.done(cluster.node(name, "absent", members=[FIRST], gone=[name]))


def test_who_was_let_go_by_a_person_s_word_comes_back_to_nothing_and_what_it_was_called_is_withheld(cluster: Cluster) -> None:
    cluster.be(2)
    cut(cluster, "cell-n2")
    wait_until(cluster, lambda told: not told["quorate"] and told["services"][0]["state"] == "stopped")
    lost = {"gone": ["cell-n2"], "may_return": ["cell-n2"]}
    checked = cluster.done(cluster.node("cell-n2", "absent", "--check", "--diff", members=[FIRST], **lost))
    done = cluster.done(cluster.node("cell-n2", "absent", "--diff", members=[FIRST], **lost))
    assert done["diff"] == checked["diff"] != []
    wait_until(cluster, lambda told: told["quorate"] and told["services"][0]["state"] == "started")
    withheld = [{"name": "cell-n2", "address": cluster.cells["cell-n2"].address}]
    assert cluster.told()["withheld"] == withheld
    start(cluster, "cell-n2")
    see(cluster, "cell-n2", 1)
    assert votes(cluster, "cell-n2") == (1, False) and votes(cluster, FIRST) == (1, True)
    cluster.done(cluster.node("cell-n3", "member", members=[FIRST]))
    assert cluster.told("cell-n3")["withheld"] == withheld, "whoever joins knows it too"
    assert cluster.done(cluster.node("cell-n2", "absent", members=[FIRST, "cell-n3"], gone=["cell-n2"]))["changed"]
    assert cluster.told()["withheld"] == [] and cluster.conf(FIRST) == cluster.conf("cell-n3")
    cluster.done(cluster.node("cell-n2", "member", members=[FIRST, "cell-n3"]))
    assert 2 not in [node["id"] for node in cluster.told()["nodes"]], "no node id is given twice"
