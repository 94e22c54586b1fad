# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""The journal: written before the effect, found again after a crash, the same thing said once."""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ondemand._collection.module_utils._contract.refusal import Reason
from ondemand.errors import RecordError
from ondemand.memory import Memory, Window, begun
from ondemand.model import Cause, Decision, Kind, Outcome, Plan, Refusal, Step, StepKind
from ondemand.record import journal as journal_module
from ondemand.record.journal import VERSION, Journal
from ondemand.record.lock import Lock, is_held
from tests.driver.values import node, observation
from tests.driver.world import SOURCE

NOW = 100.0
STEP = Step(StepKind.OUT, {"wanted": 2}, "load", {"members": 2}, 600.0)
MEMORY = Memory(2, "load", 5.0, {"a.above": Window(1, 2)}, 3.0, None, 1, 9.0, None, {"s@n": 7.0})


def hold(code: str, because: str = "12 s") -> Decision:
    return Decision(Kind.HOLD, 1, because, code)


def test_what_is_written_has_reached_the_disk(tmp_path: Path) -> None:
    """Without that a power cut would take the step along that is just being done."""
    journal = Journal(tmp_path / "journal.db")
    full = 2
    assert journal._db.execute("PRAGMA synchronous").fetchone() == (full,)
    journal.close()


def test_what_is_said_again_is_not_written_again(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.db")
    assert [journal.decision(float(i), hold(code)) for i, code in enumerate("aabba")] == [True, False, True, False, True]
    refusal = Refusal(Reason.QUORUM, "no")
    assert [journal.plan(9.0, one) for one in (refusal, refusal, Plan((STEP,), "x"), refusal)] == [True, False, True, True]
    assert [one["kind"] for one in journal.history()] == ["decision"] * 3 + ["plan"] * 3
    journal.close()


def test_a_step_is_there_before_its_effect_and_open_until_its_end(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    journal = Journal(path)
    step_id = journal.step_begun(10.0, STEP, 5.0, begun(MEMORY, STEP))
    other = Journal(path, readonly=True)
    (found,) = other.open_steps()
    assert (found["step"], found["breach_at"], found["deadline_s"], found["variables"]) == ("scale_out", 5.0, 600.0, {"wanted": 2})
    assert other.memory(NOW).unfinished is StepKind.OUT
    journal.step_ended(step_id, Outcome(True, {"nodes": ["a"]}, "well", 10.0, 20.0), MEMORY)
    assert other.open_steps() == []
    step, outcome = other.history()
    assert (step["ended_at"], outcome["ended_at"], outcome["facts"], outcome["ok"]) == (20.0, 20.0, {"nodes": ["a"]}, True)
    other.close()
    journal.close()


def test_the_memory_is_kept_without_its_windows(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.db")
    assert journal.memory(NOW) == Memory()
    journal.remember(MEMORY)
    journal.close()
    again = Journal(tmp_path / "journal.db")
    assert again.memory(NOW) == Memory(2, "load", 5.0, {}, 3.0, None, 1, 9.0, None, {"s@n": 7.0})
    again.close()


def test_a_wish_is_kept_with_its_cause_and_what_the_cluster_had(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.db")
    journal.remember(Memory(3, "load", cause=Cause.LOAD, known=2, asked_at=9e9, away={"n": 1.0}, held="no sample"))
    assert journal.memory(NOW) == Memory(3, "load", cause=Cause.LOAD, known=2, asked_at=NOW)
    journal.close()


def test_a_memory_of_a_driver_that_knew_no_causes_is_read(tmp_path: Path) -> None:
    old = {"wanted": 2, "because": "load", "breach_at": None, "grown_at": 3.0, "shrunk_at": None, "failures": 0, "retry_at": None}
    journal = Journal(tmp_path / "journal.db")
    with contextlib.closing(sqlite3.connect(tmp_path / "journal.db")) as raw, raw:
        raw.execute("INSERT INTO state VALUES ('memory', ?)", (json.dumps({**old, "unfinished": None, "barred": {}}),))
    assert journal.memory(NOW) == Memory(2, "load", grown_at=3.0)
    assert journal.memory(NOW).cause is None
    journal.close()


def test_times_that_were_kept_by_a_clock_ahead_block_no_longer_than_ever(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.db")
    journal.remember(Memory(2, "load", 9e9, {}, 9e9, 9e9, 1, 9e9, None, {"s@n": 9e9, "s@m": 150.0}))
    assert journal.memory(NOW) == Memory(2, "load", NOW, {}, NOW, NOW, 1, NOW + 300, None, {"s@n": NOW + 3600, "s@m": 150.0})
    journal.close()


def test_a_reader_can_not_write(tmp_path: Path) -> None:
    Journal(tmp_path / "journal.db").close()
    reader = Journal(tmp_path / "journal.db", readonly=True)
    with pytest.raises(RecordError, match="readonly"):
        reader.remember(MEMORY)
    reader.close()


def test_a_file_that_is_no_journal_or_another_version_is_told(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    path.write_text("this is no database" * 100)
    with pytest.raises(RecordError, match="can't be used"):
        Journal(path)
    path.unlink()
    (tmp_path / "journal.db.new").mkdir()
    with pytest.raises(RecordError, match="can't be used"):
        Journal(path)
    (tmp_path / "journal.db.new").rmdir()
    Journal(path).close()
    with sqlite3.connect(path) as raw:
        raw.execute("PRAGMA user_version = 99")
    with pytest.raises(RecordError, match="version 99"):
        Journal(path)


def with_rows(path: Path, sql: str) -> Journal:
    """An open journal in which somebody else changed something."""
    journal = Journal(path)
    journal.remember(MEMORY)
    journal.step_begun(1.0, STEP, None, MEMORY)
    journal.decision(1.0, hold("a"))
    journal.plan(1.0, Plan((), "x"))
    with contextlib.closing(sqlite3.connect(path)) as raw:
        raw.executescript(sql)
    return journal


USES: dict[str, Callable[[Journal], object]] = {
    "decision": lambda one: one.decision(1.0, hold("b")),
    "plan": lambda one: one.plan(1.0, Plan((STEP,), "x")),
    "step_begun": lambda one: one.step_begun(1.0, STEP, None, MEMORY),
    "step_ended": lambda one: one.step_ended(1, Outcome(True, {}, "", 1, 2), MEMORY),
    "remember": lambda one: one.remember(MEMORY),
    "observed": lambda one: one.observed(observation([node(1)])),
    "state": lambda one: one.state("memory"),
    "memory": lambda one: one.memory(NOW),
    "open_steps": lambda one: one.open_steps(),
    "history": lambda one: one.history(),
}
READS = ("decision", "plan", "step_ended", "state", "memory", "open_steps", "history")
BROKEN = {
    "tables that are gone": ("DROP TABLE entries; DROP TABLE state", tuple(USES)),
    "rows that are no JSON": ("UPDATE entries SET data = 'x'; UPDATE state SET data = 'x'", READS),
    "rows without what a step needs": ("UPDATE entries SET data = '{}' WHERE kind = 'step'", ("open_steps", "step_ended")),
    "rows of other JSON": ("UPDATE entries SET data = '5'; UPDATE state SET data = '[5]'", READS),
}


@pytest.mark.parametrize(("what", "use"), [(what, use) for what, (_sql, uses) in BROKEN.items() for use in uses])
def test_whatever_is_broken_in_an_open_journal_is_told_with_all_its_files(tmp_path: Path, what: str, use: str) -> None:
    journal = with_rows(tmp_path / "journal.db", BROKEN[what][0])
    with pytest.raises(RecordError, match=r"can't be used: .*a copy of journal\.db, journal\.db-wal, journal\.db-shm together") as caught:
        USES[use](journal)
    assert "Don't start without them" in str(caught.value)
    assert "away" not in str(caught.value)
    journal.close()


WRITES = ("decision", "plan", "step_begun", "step_ended", "remember", "observed")


@pytest.mark.parametrize("use", WRITES)
def test_a_journal_that_is_held_is_waited_for_and_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, use: str) -> None:
    monkeypatch.setattr(journal_module, "BUSY_S", 0.05)
    with_rows(tmp_path / "journal.db", "").close()
    with contextlib.closing(sqlite3.connect(tmp_path / "journal.db", isolation_level=None)) as holder:
        told: list[str] = []

        def patience(words: str) -> bool:
            told.append(words)
            if len([one for one in told if one]) > 1:  # told twice: it was waited for, and it lets go
                holder.execute("ROLLBACK")
                told.append("let go")
            return "let go" not in told[:-1]

        journal = Journal(tmp_path / "journal.db", patience=patience)
        holder.execute("BEGIN IMMEDIATE")
        USES[use](journal)
        assert "let go" in told
        assert "is held by another process, such as a backup" in told[0]
        journal.close()


def test_a_journal_that_is_held_is_no_broken_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_module, "BUSY_S", 0.05)
    journal = with_rows(tmp_path / "journal.db", "")
    with contextlib.closing(sqlite3.connect(tmp_path / "journal.db", isolation_level=None)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        with pytest.raises(RecordError, match="is held by another process, such as a backup, .* wait for its end") as caught:
            journal.remember(MEMORY)
        assert "can't be used" not in str(caught.value)
    journal.close()


def read_only(folder: Path, script: str) -> subprocess.CompletedProcess[str]:
    """Runs Python where the folder is mounted read-only."""
    mount = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec "$@"'
    command = ["unshare", "--map-root-user", "--mount", "sh", "-c", mount, str(folder), sys.executable, "-c", script, str(folder)]
    return subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(SOURCE)}, timeout=60, check=False)


READ = """
import sys
from pathlib import Path
from ondemand.record.journal import Journal
from ondemand.record.lock import is_held
journal = Journal(Path(sys.argv[1]) / "journal.db", readonly=True)
print(journal.memory(100.0).wanted, len(journal.history()), is_held(Path(sys.argv[1])))
"""


def test_a_journal_on_a_read_only_mount_can_be_read(tmp_path: Path) -> None:
    with_rows(tmp_path / "journal.db", "").close()
    Lock(tmp_path, "shop").release()
    assert sorted(one.name for one in tmp_path.iterdir()) == ["driver.lock", "journal.db"]
    done = read_only(tmp_path, READ)
    assert done.stdout == "2 3 False\n", done


def test_newest_writes_beside_a_journal_are_not_left_out(tmp_path: Path) -> None:
    kept = with_rows(tmp_path / "journal.db", "")
    for name in ("journal.db", "journal.db-wal"):  # as after a kill, without the index, which is made anew by whoever may write
        (tmp_path / "copy").mkdir(exist_ok=True)
        (tmp_path / "copy" / name).write_bytes((tmp_path / name).read_bytes())
    kept.close()
    done = read_only(tmp_path / "copy", READ)
    assert done.returncode != 0
    assert "can't be used" in done.stderr


def test_a_write_that_fails_half_way_leaves_nothing_and_the_next_one_works(tmp_path: Path) -> None:
    journal = with_rows(tmp_path / "journal.db", "ALTER TABLE state RENAME TO away")
    before = journal.history()
    with pytest.raises(RecordError):
        journal.step_begun(2.0, STEP, None, MEMORY)
    assert journal.history() == before
    with contextlib.closing(sqlite3.connect(tmp_path / "journal.db")) as raw:
        raw.execute("ALTER TABLE away RENAME TO state")
    assert journal.step_begun(3.0, STEP, None, MEMORY) > len(before)
    journal.close()


def test_a_journal_that_was_moved_away_alone_does_not_come_back(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    old = Journal(path)
    old.remember(MEMORY)
    kept = {one.name: one.read_bytes() for one in tmp_path.iterdir()}
    old.close()
    for name, content in kept.items():  # as after a kill: what was written last lies beside the database
        (tmp_path / name).write_bytes(content)
    path.rename(tmp_path / "away.db")
    fresh = Journal(path)
    assert fresh.memory(NOW) == Memory()
    fresh.close()
    assert (tmp_path / "journal.db-wal.left").read_bytes() == kept["journal.db-wal"]


def test_who_reads_while_a_journal_is_made_finds_none_or_a_whole_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, found = tmp_path / "journal.db", []

    class Watched(sqlite3.Connection):
        """A writer's connection; before each of its acts somebody looks."""

        def execute(self, *words: Any) -> sqlite3.Cursor:
            look()
            return super().execute(*words)

        def executescript(self, words: str) -> sqlite3.Cursor:
            look()
            return super().executescript(words)

    def look() -> None:
        if path.exists():
            with contextlib.closing(connect(path)) as seen:
                found.append(seen.execute("PRAGMA user_version").fetchone()[0])

    connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda *words, **more: connect(*words, factory=Watched, **more))
    (tmp_path / "journal.db.new").write_text("what a killed driver left")
    Journal(path).close()
    assert set(found) == {VERSION}


def test_asking_for_the_lock_never_keeps_a_driver_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Lock(tmp_path, "shop").release()
    close = os.close

    def closing(file: int) -> None:
        Lock(tmp_path, "shop").release()  # somebody starts a driver while the other one still asks
        close(file)

    with monkeypatch.context() as patched:
        patched.setattr("ondemand.record.lock.os", type("Os", (), {**vars(os), "close": staticmethod(closing)}))
        patched.setattr(Lock, "release", lambda self: close(self._file))
        assert not is_held(tmp_path)
    held = Lock(tmp_path, "shop")
    assert is_held(tmp_path)
    held.release()
    assert not is_held(tmp_path)


def test_the_folder_of_the_lock_is_its_owners_alone(tmp_path: Path) -> None:
    """Keys and the password of the statistics lie beside the lock."""
    before = os.umask(0)
    try:
        Lock(tmp_path / "new" / "shop", "shop").release()
    finally:
        os.umask(before)
    assert (tmp_path / "new" / "shop").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "new" / "shop" / "driver.lock").stat().st_mode & 0o777 == 0o600


def test_the_lock_is_one_drivers_and_free_when_its_process_is_gone(tmp_path: Path) -> None:
    words = """
import sys, time
from pathlib import Path
from ondemand.record.lock import Lock
Lock(Path(sys.argv[1]), "shop")
print(1, flush=True)
time.sleep(60)
"""
    command = [sys.executable, "-c", words, str(tmp_path)]
    holder = subprocess.Popen(command, stdout=subprocess.PIPE, env={"PYTHONPATH": str(SOURCE)})
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"1\n"
    assert is_held(tmp_path)
    with pytest.raises(RecordError, match="another driver runs the cluster shop"):
        Lock(tmp_path, "shop")
    holder.kill()
    holder.wait(10)
    holder.stdout.close()
    assert not is_held(tmp_path)
    Lock(tmp_path, "shop").release()
    assert not is_held(tmp_path / "absent")
