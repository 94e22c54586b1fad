# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""What must not happen does not: refusals on a real cluster, each of which leaves everything as it was."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tests.cluster.conftest import FIRST, Cluster, Playbook, wait_until


@contextmanager
def nothing_touched(cluster: Cluster) -> Iterator[None]:
    """No file, daemon or resource of any cell changes in the block."""

    def picture() -> object:
        return [(name, cluster.conf(name), cluster.untouched_by(name)) for name in cluster.cells.cells]

    before = picture()
    yield
    assert picture() == before


def refused(run: Playbook, reason: str) -> str:
    """The sentence of a run that was refused for this reason."""
    assert run.rc != 0 and run.last.get("refusal", {}).get("reason") == reason, run.output
    assert run.last["msg"] == run.last["refusal"]["sentence"]
    return str(run.last["msg"])


CASES: dict[str, tuple[int, Callable[[Cluster], Playbook], str, str]] = {
    "the last node must not leave": (1, lambda c: c.node(FIRST, "absent", members=[]), "last_node", "no other member"),
    "no node leaves below the minimum": (2, lambda c: c.node("cell-n2", "absent", min_nodes=2), "minimum", "at least 2"),
    "an unknown node cannot go to standby": (2, lambda c: c.node("cell-n4", "standby", members=[FIRST]), "not_found", "cell-n4 is no member"),
    "a node cannot join what is not there": (2, lambda c: c.node("cell-n4", "member", members=["cell-n3"]), "not_found", "no member of a running cluster"),
    "a member that is not in the inventory cannot be asked": (
        2, lambda c: c.node("cell-n3", "member", members=["cell-n77"]), "host_unreachable", "cell-n77",
    ),
    "an address that is taken is not given again": (2, lambda c: c.node("cell-n3", "member", address="10.98.0.12"), "join_refused", "that of cell-n2"),
    "a member of a cluster is not made the first of another": (
        2, lambda c: c.node("cell-n2", "created", cluster="other"), "join_refused", "belongs to the cluster cell",
    ),
    "all problems of the input are told at once": (
        2, lambda c: c.node("Cell {", "created", address="no\nwhere", cluster="a b", members=["x y"], token_ms=1), "bad_input", "members[0]",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_refused(cluster: Cluster, case: str) -> None:
    count, ask, reason, said = CASES[case]
    cluster.be(count)
    with nothing_touched(cluster):
        sentence = refused(ask(cluster), reason)
    assert said in sentence
    if reason == "bad_input":
        assert all(field in sentence for field in ("name:", "address:", "cluster:", "members[0]:", "token_ms:"))


def test_a_join_is_refused_while_the_members_files_differ(cluster: Cluster) -> None:
    cluster.be(2)
    other = cluster.cells["cell-n2"]
    other.run("sed", "-i", "s/token: 3000/token: 4000/", "/etc/corosync/corosync.conf")
    try:
        with nothing_touched(cluster):
            assert "cell-n2 differs" in refused(cluster.node("cell-n3", "member", members=[FIRST, "cell-n2"]), "join_refused")
    finally:
        other.run("sed", "-i", "s/token: 4000/token: 3000/", "/etc/corosync/corosync.conf")


ONCE = """#!/bin/sh
# Refuses the first reload, as Corosync does with a configuration that it cannot take over.
[ "$1" != -R ] || [ -e /run/refused ] || { touch /run/refused; echo "Could not reload configuration. Error CS_ERR_INVALID_PARAM" >&2; exit 7; }
exec /usr/sbin/corosync-cfgtool "$@"
"""


def edit(cluster: Cluster, sed: str) -> None:
    """The same edit by hand on both members, not loaded."""
    for name in (FIRST, "cell-n2"):
        cluster.cells[name].run("sed", "-i", sed, "/etc/corosync/corosync.conf")


@pytest.mark.parametrize(
    ("there", "back", "said"),
    [
        ("s/name: cell-n\\(.\\)/ring1_addr: 10.97.0.1\\1\\n        &/", "/ring1_addr/d", "its nodes have the links 0, 1"),
        ("/name: cell-n2/s/^/        ring1_addr: 10.97.0.12\\n/", "/ring1_addr/d", "its nodes have the links 0, 1"),
        ("s/version: 2/version: 7/", "s/version: 7/version: 2/", "Corosync on cell-n3 refuses the new corosync.conf: This totem parser"),
        ("s/crypto_hash: sha256/crypto_hash: rot13/", "s/rot13/sha256/", "Invalid hash type"),
    ],
    ids=["two links", "unequal links", "a version that is none", "a hash that is none"],
)
def test_what_corosync_would_refuse_is_refused_in_its_words_and_gets_nowhere(cluster: Cluster, there: str, back: str, said: str) -> None:
    cluster.be(2)
    edit(cluster, there)
    try:
        with nothing_touched(cluster):
            run = cluster.node("cell-n3", "member", members=[FIRST, "cell-n2"])
            assert said in refused(run, "join_refused") and run.last["changed"] is False
    finally:
        edit(cluster, back)


def test_after_a_refused_reload_every_member_has_its_old_file_and_the_next_join_works(cluster: Cluster) -> None:
    cluster.be(2)
    other = cluster.cells["cell-n2"]
    (other.directory / "sbin").mkdir()
    (other.directory / "sbin" / "corosync-cfgtool").write_text(ONCE)
    (other.directory / "sbin" / "corosync-cfgtool").chmod(0o755)
    other.run("mount", "--bind", "/mnt/sbin", "/usr/local/sbin")
    try:
        with nothing_touched(cluster):
            run = cluster.node("cell-n3", "member", members=[FIRST, "cell-n2"])
        sentence = refused(run, "join_refused")
        assert "Corosync on cell-n2 refuses to load the new corosync.conf" in sentence and "CS_ERR_INVALID_PARAM" in sentence
        assert "Every member has its old file again" in sentence and run.last["changed"] is True
        assert cluster.cells["cell-n3"].run("ls", "/etc/corosync/authkey", check=False).returncode != 0, "it could come with its next boot"
        cluster.done(cluster.node("cell-n3", "member", members=[FIRST, "cell-n2"]))
    finally:
        other.run("umount", "/usr/local/sbin")


def test_a_failure_after_the_first_file_was_written_tells_that_something_changed(cluster: Cluster) -> None:
    """The second member's disk is full, so to say: its folder is read-only."""
    cluster.be(2)
    before = {name: cluster.conf(name) for name in (FIRST, "cell-n2")}
    other = cluster.cells["cell-n2"]
    other.run("mount", "--bind", "-o", "ro", "/etc/corosync", "/etc/corosync")
    other.run("mount", "-o", "remount,bind,ro", "/etc/corosync")
    try:
        run = cluster.node("cell-n3", "member", members=[FIRST, "cell-n2"])
        assert run.rc != 0 and run.last["changed"] is True and "cell-n2" in run.last["msg"], run.output
        assert "Every member has its old file again" in run.last["msg"]
        assert {name: cluster.conf(name) for name in before} == before
    finally:
        other.run("umount", "/etc/corosync")
    assert cluster.done(cluster.node("cell-n3", "member", members=[FIRST, "cell-n2"]))["changed"]


REFUSES_ONCE = """#!/bin/sh
# Refuses the first configuration that is tried.
case " $* " in *" -t "*) ;; *) exec /usr/sbin/corosync "$@" ;; esac
[ -e /run/refused ] || { touch /run/refused; echo "parse error in config: somebody said no" >&2; exit 8; }
exec /usr/sbin/corosync "$@"
"""
ALL = (FIRST, "cell-n2", "cell-n3")


@pytest.mark.parametrize("who", ALL)
@pytest.mark.parametrize("state", ["member", "absent"])
def test_wherever_a_new_corosync_conf_is_refused_every_member_has_its_old_one_and_runs(cluster: Cluster, state: str, who: str) -> None:
    joins = state == "member"
    cluster.be(3 if joins else 4)
    cell = cluster.cells[who]
    (cell.directory / "once").mkdir(exist_ok=True)
    (cell.directory / "once" / "corosync").write_text(REFUSES_ONCE)
    (cell.directory / "once" / "corosync").chmod(0o755)
    before = {name: (cluster.conf(name), cluster.cells[name].processes()) for name in ALL}
    cell.run("rm", "-f", "/run/refused")
    cell.run("mount", "--bind", "/mnt/once", "/usr/local/sbin")
    try:
        run = cluster.node("cell-n4", state, members=list(ALL))
        assert "somebody said no" in refused(run, "join_refused"), run.output
        assert {name: (cluster.conf(name), cluster.cells[name].processes()) for name in ALL} == before
        cluster.done(cluster.node("cell-n4", state, members=list(ALL)))
    finally:
        cell.run("umount", "/usr/local/sbin")


def test_a_node_that_cannot_be_emptied_in_time_stays_and_works_on(cluster: Cluster) -> None:
    cluster.be(2)
    first = cluster.cells[FIRST]
    first.run("crm_resource", "--resource", "witness", "--set-parameter", "stop_s", "--parameter-value", "18")
    first.run("crm_resource", "--move", "--resource", "witness", "--node", "cell-n2")
    wait_until(cluster, lambda told: told["stable"] and told["services"][0]["node"] == "cell-n2")
    sentence = refused(cluster.node("cell-n2", "absent", deadline_s=8), "deadline")
    assert "not empty" in sentence
    first.run("crm_resource", "--resource", "witness", "--delete-parameter", "stop_s")
    wait_until(cluster, lambda told: told["stable"])
    told = cluster.told()
    assert len(told["nodes"]) == 2 and not told["nodes"][1]["standby"] and told["nodes"][1]["online"]


def test_a_lost_node_may_be_taken_out_and_nobody_else_before(cluster: Cluster) -> None:
    """The third one dies with its VM: without fencing Pacemaker holds it for offline once Corosync has lost it. It takes a cell
    away, so it is the last one of this file."""
    cluster.be(3)
    before = cluster.untouched_by(FIRST)
    os.kill(cluster.cells["cell-n3"].pid, signal.SIGKILL)
    wait_until(cluster, lambda told: not told["nodes"][2]["online"] and told["stable"])
    told = cluster.told()
    assert [node["may_leave"]["reason"] for node in told["nodes"]] == ["quorum", "quorum", None]
    assert told["leave_order"][0] == "cell-n3"
    conf = cluster.conf(FIRST)
    refused(cluster.node("cell-n2", "absent"), "quorum")
    refused(cluster.node("cell-n4", "member"), "quorum")
    assert cluster.conf(FIRST) == conf and cluster.conf("cell-n4") == ""
    refused(cluster.node("cell-n3", "absent", members=[FIRST, "cell-n2"]), "host_unreachable")
    left = cluster.done(cluster.node("cell-n3", "absent", members=[FIRST, "cell-n2"], gone=["cell-n3"]))
    assert left["changed"] and [node["name"] for node in cluster.told()["nodes"]] == [FIRST, "cell-n2"]
    assert cluster.untouched_by(FIRST) == before
