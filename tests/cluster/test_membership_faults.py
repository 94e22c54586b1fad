# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""Each trial and each reload of a corosync.conf is refused once: every member has one good file, runs on, and the next run finishes.

The way from one node to two and back is walked, on which there are most of them: the members' file is changed twice.
"""

from __future__ import annotations

import pytest

from tests.cluster.conftest import FIRST, Cluster, wait_until

OTHER = "cell-n2"
NTH = """#!/bin/sh
# Counts the calls that try or load a configuration, and refuses the one whose number stands in /run/refuse.
case "${0##*/} $*" in
"corosync "*" -t"* | "corosync -t"* | "corosync-cfgtool -R"*) ;;
*) exec /usr/sbin/"${0##*/}" "$@" ;;
esac
n=$(($(cat /run/tried 2>/dev/null || echo 0) + 1))
echo "$n" >/run/tried
[ "$n" != "$(cat /run/refuse 2>/dev/null)" ] || { echo "somebody said no" >&2; exit 8; }
exec /usr/sbin/"${0##*/}" "$@"
"""
# On the member that stays, joining and leaving alike: the passing file is tried and loaded, and the last one. On the one that comes: its own file is tried.
TRIALS = [(FIRST, 1), (FIRST, 2), (FIRST, 3), (FIRST, 4), (OTHER, 1)]
LAST = {FIRST: 4, OTHER: 1}


def counting(cluster: Cluster) -> None:
    """Have both cells count, and refuse what they are told to."""
    for name in (FIRST, OTHER):
        cell = cluster.cells[name]
        if (cell.directory / "nth").exists():
            continue
        (cell.directory / "nth").mkdir()
        for tool in ("corosync", "corosync-cfgtool"):
            (cell.directory / "nth" / tool).write_text(NTH)
            (cell.directory / "nth" / tool).chmod(0o755)
        cell.run("mount", "--bind", "/mnt/nth", "/usr/local/sbin")


def refusing(cluster: Cluster, who: str, number: int) -> None:
    """Begin to count anew; this cell refuses the call of this number, 0 for none."""
    for name in (FIRST, OTHER):
        cluster.cells[name].run("sh", "-c", 'echo 0 >/run/tried; echo "$1" >/run/refuse', "sh", str(number if name == who else 0))


def tried(cluster: Cluster, name: str) -> int:
    """How many calls a cell has counted."""
    return int(cluster.cells[name].run("cat", "/run/tried").stdout)


def agreed(text: str) -> str:
    """What every member's file has to have alike."""
    passing = ("two_node", "wait_for_all: 0", "#")
    return "".join(line for line in text.splitlines(keepends=True) if not any(word in line for word in passing))


def assert_refused_and_whole(cluster: Cluster, state: str, who: str, number: int) -> None:
    """The run is refused at that call; the members have one list, which Corosync has loaded, and there is a quorum."""
    refusing(cluster, who, number)
    run = cluster.node(OTHER, state, members=[FIRST])
    assert run.rc != 0 and tried(cluster, who) >= number, run.output
    assert run.last["refusal"]["reason"] == "join_refused" and "somebody said no" in run.last["msg"], run.output
    if state == "member" and (who, number) == (FIRST, 3):
        assert "The members go on with the files that they had before it" in run.last["msg"], "the passing file was put, and stays"
    refusing(cluster, who, 0)
    told = cluster.told()
    # The passing two_node stands with the one that was there first alone, until the next change takes it out.
    files = {agreed(cluster.conf(node["name"])) for node in told["nodes"] if node["online"]}
    assert len(files) == 1 and "" not in files and told["quorate"], files
    assert told["votes"]["expected"] == len(told["nodes"]) == files.pop().count("nodeid:"), "what is listed is what is loaded"
    unended = [node["name"] for node in told["nodes"] if node["joining"]]
    assert unended == ([OTHER] if state == "member" and who == FIRST and number > 2 else []), "it has started, and a growth ends its join"


@pytest.mark.parametrize(("who", "number"), TRIALS)
def test_wherever_a_file_is_refused_the_members_have_one_and_the_next_run_finishes(cluster: Cluster, who: str, number: int) -> None:
    counting(cluster)
    cluster.be(1)
    before, losses = cluster.untouched_by(FIRST), cluster.quorum_losses(FIRST)
    assert_refused_and_whole(cluster, "member", who, number)
    cluster.done(cluster.node(OTHER, "member", members=[FIRST]))
    wait_until(cluster, lambda told: told["stable"])
    assert cluster.conf(FIRST) == cluster.conf(OTHER) and not cluster.told()["two_node"]

    if who == FIRST:
        assert_refused_and_whole(cluster, "absent", who, number)
    refusing(cluster, who, 0)
    cluster.done(cluster.node(OTHER, "absent", members=[FIRST]))
    told = cluster.told()
    assert [node["name"] for node in told["nodes"]] == [FIRST] and told["votes"]["expected"] == 1 and not told["two_node"]
    assert cluster.conf(OTHER) == "" and cluster.cells[OTHER].processes() == {}
    assert cluster.untouched_by(FIRST) == before, "a daemon or a resource of the member that stays was restarted"
    assert cluster.quorum_losses(FIRST) == losses


def test_there_are_no_more_calls_than_those(cluster: Cluster) -> None:
    counting(cluster)
    cluster.be(1)
    for state, calls in (("member", LAST), ("absent", {**LAST, OTHER: 0})):
        refusing(cluster, FIRST, 0)
        cluster.done(cluster.node(OTHER, state, members=[FIRST]))
        assert {name: tried(cluster, name) for name in (FIRST, OTHER)} == calls
