# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""The demo waits so long as things go on: a machine five times slower passes, one where nothing happens or goes in circles does not."""

from __future__ import annotations

import io
import itertools
import json

import pytest

from lab.demo.progress import CAP, DemoFailed, Progress
from lab.demo.signs import Signs
from lab.demo.state import Tail, nodes_online, vms_present
from lab.demo.steps import CHANGE_S
from ondemand.memory import Memory
from ondemand.model import Kind, Outcome, Step, StepKind
from ondemand.record.journal import Journal
from tests.unit.lab import world
from tests.unit.lab.world import Diary


class Clock:
    """A clock that moves when somebody sleeps."""

    def __init__(self, now=0.0):
        self.now = now

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds


class Replay:
    """A recording that appears as time goes on, so many times slower than it was made."""

    def __init__(self, records, clock, slower):
        self.records, self.clock, self.slower = sorted(records, key=lambda r: r.get("at") or r["ended_at"]), clock, slower

    def look(self):
        until = world.ZERO + self.clock() / self.slower
        return list(itertools.takewhile(lambda r: (r.get("at") or r["ended_at"]) <= until, self.records))


@pytest.fixture(scope="module")
def whole():
    run = world.good_world()
    return list(run.witness), [r for r in run.client if r["kind"] != "end"]


@pytest.fixture
def replay(whole, tmp_path):
    """`replay(since, slower)` gives the witness and a wait, beginning at that second of the run."""

    def begin(since, slower):
        clock = Clock(since * slower)
        witness, client = (Replay(records, clock, slower) for records in whole)
        signs = Signs(witness, client, tmp_path / "none.db", "ledger")
        progress = Progress(io.StringIO(), clock, clock.sleep)

        def wait(is_so):
            progress.wait("it", is_so, CHANGE_S, sign=signs.newest, told=signs.told, every_s=5.0)

        return witness, wait

    return begin


@pytest.mark.parametrize("slower", [1, 5])
def test_a_slow_machine_has_its_time(replay, slower):
    witness, wait = replay(85, slower)
    wait(lambda: len(vms_present(witness.look())) == 2)
    wait(lambda: len(nodes_online(witness.look())) == 2)
    witness, wait = replay(202, slower)
    wait(lambda: len(nodes_online(witness.look())) == 1)
    wait(lambda: len(vms_present(witness.look())) == 1)
    witness, wait = replay(286, slower)
    wait(lambda: len(nodes_online(witness.look())) == 2)
    wait(lambda: [vm["memory_mib"] for vm in vms_present(witness.look()).values()] == [512])


def test_where_nothing_happens_a_wait_ends_and_tells_what_was_seen_last(replay):
    _witness, wait = replay(84, 1_000_000)
    with pytest.raises(DemoFailed) as told:
        wait(lambda: False)
    assert str(told.value) == (
        "waited 420 s for it, in vain; last seen: VMs shop-n1 (reachable on hv1); nodes online shop-n1; ledger answered from shop-n1; "
        "the driver's newest step: none"
    )


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def progress(clock):
    return Progress(io.StringIO(), clock, clock.sleep)


def test_the_deadline_counts_from_the_last_sign(progress, clock):
    with pytest.raises(DemoFailed, match=r"waited 80 s, the last 30 s without a sign of progress for it, in vain; last seen: 5"):
        progress.wait("it", lambda: False, 30, sign=lambda: min(5, int(clock() // 10)), told=lambda: "5")


def test_a_wait_in_which_things_go_in_circles_ends_at_its_cap(progress, clock):
    with pytest.raises(DemoFailed, match=r"waited 120 s, which is the most, although things went on for it, in vain"):
        progress.wait("it", lambda: False, 30, sign=lambda: int(clock() // 10) % 2)
    assert CAP == 4.0


@pytest.fixture
def signs(tmp_path):
    (tmp_path / "state").mkdir()
    journal = Journal(tmp_path / "state/journal.db")
    yield Signs(Tail(tmp_path / "w"), Tail(tmp_path / "c"), tmp_path / "state/journal.db", "ledger"), journal, tmp_path
    journal.close()


def write(path, *records):
    with path.open("a") as file:
        file.writelines(json.dumps(record) + "\n" for record in records)


def test_each_thing_that_happens_is_a_sign(signs):
    seen, journal, directory = signs
    view = {"kind": "cluster", "at": 1.0, "dc": "n1", "quorate": True, "nodes": {"n1": "online"}, "resources": {"web": ["n1"]}}
    answer = {"kind": "transaction", "service": "ledger", "acknowledged_at": 1.0, "node": "n1"}
    step = Step(StepKind.OUT, {"wanted": 2}, "more load", {}, 300.0)
    numbers = []
    happenings = [
        lambda: write(directory / "w", {"kind": "vm", "event": "defined", "uuid": "a", "name": "n1", "host": "hv1"}),
        lambda: write(directory / "w", {"kind": "vm", "event": "running", "uuid": "a", "name": "n1", "host": "hv1"}),
        lambda: write(directory / "w", view),
        lambda: write(directory / "w", {**view, "nodes": {"n1": "online", "n2": "pending"}}),
        lambda: write(directory / "w", {**view, "resources": {"web": ["n1", "n2"]}}),
        lambda: write(directory / "c", answer),
        lambda: write(directory / "c", {**answer, "acknowledged_at": 2.0, "node": "n2"}),
        lambda: numbers.append(journal.step_begun(1.0, step, 0.5, Memory())),
        lambda: journal.step_ended(numbers[0], Outcome(False, {}, "no room", 1.0, 2.0), Memory()),
    ]
    known = [seen.newest()]
    for happen in happenings:
        happen()
        known.append(seen.newest())
    assert len(set(known)) == len(known)
    assert "the driver's newest step: scale_out failed" in seen.told()
    assert seen.told().endswith("no room")


def test_looks_that_show_nothing_new_and_decisions_to_wait_are_none(signs):
    seen, journal, directory = signs
    view = {"kind": "cluster", "at": 1.0, "dc": "n1", "quorate": True, "nodes": {"n1": "online"}, "resources": {"web": ["n1"]}}
    write(directory / "w", view)
    before = seen.newest()
    write(
        directory / "w", {**view, "at": 7.0}, {"kind": "host", "host": "hv1", "ok": True}, {"kind": "trouble", "eye": "x", "because": "y"}
    )
    write(directory / "w", {"kind": "member", "node": "n1"}, {"kind": "balancer", "service": "web"})
    diary = Diary()
    diary.journal = journal
    diary.decision(8.0, Kind.HOLD, 1, "the load is in between")
    assert seen.newest() == before


def test_a_journal_that_cannot_be_read_just_now_is_no_end(tmp_path):
    (tmp_path / "journal.db").write_text("not a database")
    seen = Signs(Tail(tmp_path / "w"), Tail(tmp_path / "c"), tmp_path / "journal.db", "ledger")
    assert seen.told() == "VMs none; nodes online none; ledger answered from nowhere; the driver's newest step: none"
