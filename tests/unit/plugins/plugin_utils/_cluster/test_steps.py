# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""Lists of steps as values: the diff that comes of one, the way back, what a person is told, and where the quorum would be lost."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster import corosync_conf
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.quorum import Count
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.seen import Loaded, Seen
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.steps import (
    BEGUN,
    OFF,
    ON,
    WORDS,
    Making,
    Step,
    diff,
    first_without_quorum,
    way_back,
)

TWO = Count(2, {1: 1, 2: 1}, least=2)
ONE = Count(2, {1: 1}, least=2)
NONE = Count(3, {1: 1}, least=2)


def step(what: str, host: str = "n1", count: Count = TWO, **more: Any) -> Step:
    """A step with a reason."""
    return Step(what, host, "so it is wanted", count, **more)


def write(host: str, before: str, text: str) -> Step:
    """A file that is written."""
    return step("write", host, text=text, before=before)


def load(host: str, before: str, text: str) -> Step:
    """A file that is written, and loaded by all."""
    return step("load", host, text=text, before=before)


STANDBY = step("standby", node="n2", before=OFF, text=ON, how="leave")
DIFFS: dict[str, tuple[list[Step], list[tuple[str, str, str]]]] = {
    "nothing": ([], []),
    "equal changes are shown once": (
        [write("n1", "a", "b"), write("n2", "a", "b"), load("n3", "", "b"), write("n4", "b", "b")],
        [("corosync.conf on n1, n2", "a", "b"), ("corosync.conf on n3", "", "b")],
    ),
    "what stands there in passing is not shown": ([load("n1", "a", "b"), load("n1", "b", "c")], [("corosync.conf on n1", "a", "c")]),
    "nor what is there again": ([load("n1", "a", "b"), load("n1", "b", "a")], []),
    "the file of a leaver goes": ([step("stop", "n2", before="a")], [("corosync.conf on n2", "a", "")]),
    "the file of a newcomer comes": ([step("install", "n2", text="a")], [("corosync.conf on n2", "", "a")]),
    "a standby": ([STANDBY], [("standby of n2", OFF, ON)]),
    "the standby of who leaves then": ([STANDBY, step("forget", node="n2")], []),
    "the standby while another one is forgotten": ([STANDBY, step("forget", node="n3")], [("standby of n2", OFF, ON)]),
    "a leave that is taken back": ([step("active", node="n2", before=BEGUN, text=OFF)], [("standby of n2", BEGUN, OFF)]),
    "what has no content": ([step("start"), step("forget", node="n3"), step("settle")], []),
}  # fmt: skip


@pytest.mark.parametrize("case", DIFFS)
def test_a_diff_shows_what_is_before_the_first_and_after_the_last_step(case: str) -> None:
    steps, shown = DIFFS[case]
    assert [(one["before_header"], one["before"], one["after"]) for one in diff(steps)] == shown
    assert all(one["before_header"] == one["after_header"] for one in diff(steps))


FIRST = step("install", "n2", text="b", how="first")
KEPT = step("install", "n2", before="a", text="b", how="keep")
BACKS: dict[str, tuple[list[Step], list[tuple[str, str, str]]]] = {
    "nothing": ([], []),
    "files go back in the order in which they came, with one reload at the end": (
        [write("n1", "a", "b"), write("n2", "x", "b"), load("n3", "a", "b")],
        [("write", "n1", "a"), ("write", "n2", "x"), ("load", "n3", "a")],
    ),
    "without a reload there is none": ([write("n1", "a", "b"), write("n2", "a", "b")], [("write", "n1", "a"), ("write", "n2", "a")]),
    "the later change goes first": (
        [write("n1", "a", "b"), load("n2", "a", "b"), write("n1", "b", "c")], [("write", "n1", "b"), ("write", "n1", "a"), ("load", "n2", "a")],
    ),
    "who was in no cluster is stopped": ([FIRST, load("n1", "a", "b")], [("load", "n1", "a"), ("stop", "n2", "")]),
    "who had an older file has it again": ([KEPT], [("install", "n2", "a")]),
    "a leaver comes out of standby": ([STANDBY, load("n1", "a", "b")], [("load", "n1", "a"), ("active", "n1", OFF)]),
    "a standby that somebody wanted stays": ([step("standby", node="n2", how="on")], []),
    "what can't be undone ends the way": ([STANDBY, step("stop", "n2"), load("n1", "a", "b")], [("load", "n1", "a")]),
    "nor is a start": ([FIRST, step("start", "n2")], []),
}  # fmt: skip


@pytest.mark.parametrize("case", BACKS)
def test_the_way_back_undoes_what_was_done_as_far_as_that_goes(case: str) -> None:
    done, back = BACKS[case]
    assert [(one.what, one.host, one.text) for one in way_back(done)] == back


LOSSES: dict[str, tuple[list[Count], Count, bool, int | None]] = {
    "no step": ([], TWO, True, None),
    "nothing changes": ([TWO, TWO], TWO, True, None),
    "nothing changes, and Corosync has its reasons": ([ONE, ONE], ONE, True, None),
    "it is lost at once": ([ONE], TWO, True, 0),
    "it is lost later, and comes again": ([TWO, ONE, TWO], TWO, True, 1),
    "it was not there, and comes": ([ONE, TWO], ONE, False, None),
    "it comes, and goes again": ([ONE, TWO, ONE], ONE, False, 2),
    "it was not there, and does not come": ([NONE], ONE, False, None),
}  # fmt: skip


@pytest.mark.parametrize("case", LOSSES)
def test_the_first_step_that_costs_the_quorum_is_found(case: str) -> None:
    counts, before, had, number = LOSSES[case]
    steps = [step("write", f"n{at}", count=count) for at, count in enumerate(counts)]
    found = first_without_quorum(steps, before, had)
    assert found == (None if number is None else steps[number])


def test_a_step_tells_what_it_does_and_how_it_is_undone() -> None:
    assert STANDBY.data() == {
        "step": "standby", "host": "n1", "node": "n2", "service": "", "why": "so it is wanted", "words": "put n2 in standby",
        "votes": {"expected": 2, "total": 2, "needed": 2, "quorate": True}, "undo": "take n2 out of standby",
    }  # fmt: skip
    moved = step("stop service", service="ledger").data()
    assert (moved["service"], moved["words"], moved["undo"], moved["node"]) == ("ledger", "stop ledger on n1", None, "")


TOLD = {
    "install": "install the key and corosync.conf on n7",
    "write": "write corosync.conf on n7",
    "load": "write corosync.conf on n7 and have every member load it",
    "start": "start the cluster on n7",
    "standby": "put n8 in standby",
    "active": "take n8 out of standby",
    "stop": "stop the cluster on n7",
    "forget": "have n7 forget n8",
    "settle": "take back the short wait of the first start on n7",
    "lose": "lose n8",
    "stop service": "stop ledger on n7",
    "start service": "start ledger on n7",
}


def test_every_kind_of_step_has_words() -> None:
    assert {what: step(what, "n7", node="n8", service="ledger").words for what in WORDS} == TOLD


def test_the_way_back_says_what_is_there_before_and_why() -> None:
    (back,) = way_back([load("n1", "a", "b")])
    assert (back.text, back.before, back.why) == ("a", "b", "it was not ended")


def test_a_diff_is_of_files_and_standbys_alone() -> None:
    assert diff([step("start", text="b", before="a"), step("forget", node="n3", text="b", before="a")]) == []


FILE = corosync_conf.render(corosync_conf.first_conf("shop", corosync_conf.Node("n1", "10.99.0.21", 1), 3000))
SYNCED = Seen("n1", FILE, corosync_conf.parse(FILE), "k", False, True, Loaded((1,), False))


@pytest.mark.parametrize(
    ("hosts", "steps"),
    [
        ([SYNCED, replace(SYNCED, host="n2")], []),
        ([replace(SYNCED, text=""), replace(SYNCED, host="n2", text="")], ["write n1", "load n2"]),
        ([SYNCED, replace(SYNCED, host="n2", text="")], ["load n2"]),
        ([replace(SYNCED, loaded=Loaded((1, 2), False)), SYNCED], ["load n1"]),
        ([replace(SYNCED, loaded=None), replace(SYNCED, host="n2", loaded=None)], ["load n2"]),
        ([replace(SYNCED, text=""), replace(SYNCED, host="n2", text="", active=False)], ["write n2", "load n1"]),
        ([SYNCED, replace(SYNCED, host="n2", text="", active=False)], ["write n2", "load n1"]),
        ([replace(SYNCED, text="", active=False), replace(SYNCED, host="n2", text="", active=False)], ["write n1", "load n2"]),
    ],
    ids=[
        *("all have it", "none has it", "one lacks it", "one did not load it", "none tells"),
        *("Corosync does not run on the last one", "nor on the only one that lacks it", "nor anywhere"),
    ],
)
def test_a_file_is_written_where_it_differs_and_loaded_once(hosts: list[Seen], steps: list[str]) -> None:
    making = Making(hosts, ONE)
    making.configure(FILE, "so it is wanted")
    assert [f"{one.what} {one.host}" for one in making.steps] == steps
    assert all(one.text == FILE and not one.stale for one in making.files)
    assert [one.count for one in making.steps][-1:] == ([ONE.reloaded(1, False)] if steps else [])
    making.configure(FILE, "again")
    assert len(making.steps) == len(steps), "what was loaded is loaded"
