# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""The journal: every decision, plan, step and outcome, in SQLite, written before the effect. It tells intentions, never what is.

One table of entries in the order of their writing; `state` keeps the memory and the newest observation for the next start and
for `ondemand status`. Only the driver that holds the lock writes.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from ondemand.errors import RecordError
from ondemand.memory import Memory, capped
from ondemand.model import Cause, Decision, Observation, Outcome, Plan, Refusal, Step, StepKind

P = ParamSpec("P")
T = TypeVar("T")
Patience = Callable[[str], bool]

VERSION = 1
TABLES = """
CREATE TABLE entries (
  id INTEGER PRIMARY KEY,
  at REAL NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('decision', 'plan', 'step', 'outcome')),
  ended_at REAL,
  data TEXT NOT NULL
) STRICT;
CREATE INDEX entries_by_kind ON entries (kind, id);
CREATE TABLE state (name TEXT PRIMARY KEY, data TEXT NOT NULL) STRICT;
"""
FIRST = f"BEGIN; {TABLES} PRAGMA user_version = {VERSION}; COMMIT;"
BLIND = "blind"
"""the code of a hold that no look stands behind"""
BESIDE = ("-wal", "-shm")
"""SQLite keeps newest writes in files beside the database that are called so, and takes them for whatever file has its name"""
# A row that is no JSON, or other JSON than ours, says as much of the file as an error of SQLite does.
UNUSABLE = (sqlite3.Error, ValueError, TypeError, KeyError)


BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
BUSY_S = 5.0
"""so long SQLite itself waits for whoever holds the file, before anybody is told"""
AGAIN_S = 0.1
"""the pause where SQLite doesn't wait by itself"""


def _unusable(path: Path | None, error: Exception) -> RecordError:
    """The error that every use of a broken journal ends in. It never advises to begin without: what is wanted, and what was begun, stands there."""
    told = f"the journal {path or 'in memory'} can't be used: {error}"
    if path is None:
        return RecordError(f"{told}; start the command again")
    files = ", ".join([path.name, *(path.name + end for end in BESIDE)])
    return RecordError(
        f"{told}; see to the space and the rights of its folder. If that is not it, stop the driver, keep a copy of {files} together, and bring "
        "them back from a backup, or mend them (sqlite3 FILE .recover). Don't start without them: a driver with an empty journal doesn't know "
        "how many nodes are wanted, nor which steps were begun"
    )


def _held(path: Path | None, waited_s: float) -> str:
    """What is told while another process holds the journal."""
    return f"the journal {path} is held by another process, such as a backup, for {waited_s:.0f} s now; nothing is done until it lets go"


def _is_busy(error: Exception) -> bool:
    return isinstance(error, sqlite3.Error) and getattr(error, "sqlite_errorcode", 0) & 0xFF in BUSY


def _patiently(path: Path | None, patience: Patience, act: Callable[[], T]) -> T:
    """Does it, and again as long as another process holds the file and whoever is asked wants to wait. Raises RecordError."""
    began, tell_at = time.monotonic(), 0.0
    while True:
        try:
            return act()
        except (*UNUSABLE, OSError) as error:
            if not _is_busy(error):
                raise _unusable(path, error) from error
            waited = time.monotonic() - began
            told = _held(path, waited) if waited >= tell_at else ""
            tell_at = 2 * waited if told else tell_at
            if not patience(told):
                raise RecordError(f"{_held(path, waited)}; wait for its end, or end it, and call this again") from error
            time.sleep(AGAIN_S)


def _guarded(method: Callable[Concatenate[Journal, P], T]) -> Callable[Concatenate[Journal, P], T]:
    """A method whose errors are RecordErrors: a full disk or a broken file ends the driver with a sentence, a file that is held doesn't."""

    @functools.wraps(method)
    def guarded(self: Journal, /, *given: P.args, **named: P.kwargs) -> T:
        return _patiently(self.path, self._patience, lambda: method(self, *given, **named))

    return guarded


def _for_reading(path: Path) -> sqlite3.Connection:
    """A connection that can't write. SQLite wants to make files even for that; where the mount is read-only it is told not to."""
    uri = f"{path.resolve().as_uri()}?mode=ro"
    made = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=BUSY_S)
    try:
        made.execute("PRAGMA schema_version").fetchone()
    except sqlite3.OperationalError as error:
        made.close()
        if _is_busy(error) or not os.statvfs(path).f_flag & os.ST_RDONLY or _has_newer(path):
            raise
        return sqlite3.connect(f"{uri}&immutable=1", uri=True, isolation_level=None)
    return made


def _has_newer(path: Path) -> bool:
    """Whether newest writes lie beside the file, which nobody would see who takes the file alone for the whole."""
    beside = path.with_name(path.name + BESIDE[0])
    return beside.exists() and beside.stat().st_size > 0


def _make_whole(path: Path) -> None:
    """Makes an empty journal beside its place and puts it there at once: nobody who reads meets one that is half made."""
    new = path.with_name(path.name + ".new")
    for left in (new, *(new.with_name(new.name + end) for end in ("-wal", "-shm", "-journal"))):
        left.unlink(missing_ok=True)  # of a driver that was killed here
    for end in BESIDE:
        # Of a journal that was moved away without them: beside the new one they would bring the old one's content back.
        stray = path.with_name(path.name + end)
        if stray.exists():
            stray.replace(stray.with_name(stray.name + ".left"))
    with contextlib.closing(sqlite3.connect(new, isolation_level=None, timeout=5)) as made:
        made.execute("PRAGMA journal_mode = WAL")
        made.executescript(FIRST)
    new.rename(path)


class Journal:
    """An open journal. `path` None: one in memory, for a dry run, which leaves no trace."""

    def __init__(self, path: Path | None, readonly: bool = False, patience: Patience = lambda _told: False) -> None:
        """`patience` is asked while another process holds the file, with a sentence where there is something new to tell: whether to wait."""
        self.path, self._patience = path, patience
        _patiently(path, patience, lambda: self._open(readonly))

    def _open(self, readonly: bool) -> None:
        path = self.path
        if readonly and path is not None:
            self._db = _for_reading(path)
        else:
            if path is not None and not path.exists():
                _make_whole(path)
            self._db = sqlite3.connect(path or ":memory:", isolation_level=None, timeout=BUSY_S)
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = FULL")
        self._prepare(readonly)

    def _prepare(self, readonly: bool) -> None:
        version = self._db.execute("PRAGMA user_version").fetchone()[0]
        if version == 0 and not readonly:
            self._db.executescript(FIRST)
        elif version != VERSION:
            raise RecordError(f"the journal has version {version} and this driver knows {VERSION}; use the driver that wrote it")

    def close(self) -> None:
        """Closes the file."""
        self._db.close()

    # ------------------------------------------------------------ writing

    @contextlib.contextmanager
    def _together(self) -> Iterator[None]:
        """Writes all or nothing: an error takes back what was written since the beginning, so that the next write begins anew."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            # Some errors (a full disk) have SQLite roll back by itself.
            if self._db.in_transaction:
                with contextlib.suppress(sqlite3.Error):
                    self._db.execute("ROLLBACK")
            raise

    def _write(self, at: float, kind: str, data: Mapping[str, Any]) -> int:
        made = self._db.execute("INSERT INTO entries (at, kind, data) VALUES (?, ?, ?)", (at, kind, json.dumps(data)))
        return int(made.lastrowid or 0)

    def _newest(self, kind: str) -> dict[str, Any]:
        row = self._db.execute("SELECT data FROM entries WHERE kind = ? ORDER BY id DESC LIMIT 1", (kind,)).fetchone()
        return dict(json.loads(row[0])) if row else {}

    @_guarded
    def decision(self, at: float, made: Decision) -> bool:
        """Writes a decision; one that says the same as the one before is not written again. Whether it was written."""
        before = self._newest("decision")
        if (before.get("code"), before.get("wanted")) == (made.code, made.wanted):
            return False
        data = {"decision": made.kind.value, "wanted": made.wanted, "because": made.because, "breach_at": made.breach_at, "code": made.code}
        self._write(at, "decision", data)
        return True

    @_guarded
    def plan(self, at: float, made: Plan | Refusal) -> bool:
        """Writes a plan or a refusal, unless it is the one before. Whether it was written."""
        if isinstance(made, Refusal):
            data: dict[str, Any] = {
                "steps": [],
                "because": made.sentence,
                "refusal": {"reason": made.reason.value, "sentence": made.sentence},
            }
        else:
            data = {"steps": [one.as_data() for one in made.steps], "because": made.because, "refusal": None}
        if self._newest("plan") == data:
            return False
        self._write(at, "plan", data)
        return True

    @_guarded
    def step_begun(self, at: float, step: Step, breach_at: float | None, memory: Memory) -> int:
        """Writes, in one transaction, that a step is about to run and that it has no known end. Its id."""
        told = step.as_data()
        data = {"step": told.pop("kind"), **told, "breach_at": breach_at}
        with self._together():
            made = self._write(at, "step", data)
            self.remember(memory)
        return made

    @_guarded
    def step_ended(self, step_id: int, outcome: Outcome, memory: Memory) -> None:
        """Writes a step's outcome and the memory after it."""
        step = json.loads(self._db.execute("SELECT data FROM entries WHERE id = ?", (step_id,)).fetchone()[0])
        data = {
            "step": step["step"],
            "step_id": step_id,
            "ok": outcome.ok,
            "because": outcome.because,
            "reason": outcome.reason,
            "facts": dict(outcome.facts),
            "began_at": outcome.started_at,
            "ended_at": outcome.ended_at,
        }
        with self._together():
            self._db.execute("UPDATE entries SET ended_at = ? WHERE id = ?", (outcome.ended_at, step_id))
            self._write(outcome.ended_at, "outcome", data)
            self.remember(memory)

    @_guarded
    def remember(self, memory: Memory) -> None:
        """Keeps what the next start needs. Windows are not kept: samples from before a pause prove nothing."""
        data = {
            "wanted": memory.wanted,
            "because": memory.because,
            "breach_at": memory.breach_at,
            "grown_at": memory.grown_at,
            "shrunk_at": memory.shrunk_at,
            "failures": memory.failures,
            "retry_at": memory.retry_at,
            "unfinished": memory.unfinished.value if memory.unfinished else None,
            "barred": dict(memory.barred),
            "cause": memory.cause.value if memory.cause else None,
            "known": memory.known,
            "asked_at": memory.asked_at,
            "services": memory.services,
        }
        self._put("memory", data)

    @_guarded
    def observed(self, seen: Observation) -> None:
        """Keeps the newest observation for `ondemand status`; nobody decides on it."""
        data = {
            "at": seen.at,
            "members": list(seen.members),
            "vms": [
                {"name": one.name, "host": one.host, "state": one.state, "vcpus": one.vcpus, "memory_mib": one.memory_mib}
                for one in seen.vms
            ],
            "unreachable": list(seen.unreachable),
            "seen_twice": list(seen.seen_twice),
            "quorate": seen.cluster.quorate if seen.cluster else None,
            "services": {name: one.name for one in (seen.cluster.nodes if seen.cluster else ()) for name in one.services},
        }
        self._put("observation", data)

    def _put(self, name: str, data: Mapping[str, Any]) -> None:
        self._db.execute("INSERT INTO state VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET data = excluded.data", (name, json.dumps(data)))

    # ------------------------------------------------------------ reading

    @_guarded
    def state(self, name: str) -> dict[str, Any]:
        """A kept value: `memory` or `observation`; empty if there is none."""
        row = self._db.execute("SELECT data FROM state WHERE name = ?", (name,)).fetchone()
        return dict(json.loads(row[0])) if row else {}

    @_guarded
    def memory(self, now: float) -> Memory:
        """The memory that was kept, with no time in it that lies further ahead than the driver ever sets one."""
        kept = self.state("memory")
        unfinished, cause = kept.pop("unfinished", None), kept.pop("cause", None)
        made = Memory(**kept, unfinished=StepKind(unfinished) if unfinished else None, cause=Cause(cause) if cause else None)
        return capped(made, now)

    @_guarded
    def blind(self) -> dict[str, Any]:
        """Since when (`at`) and why (`because`) the cluster could not be observed; empty where the newest decision was made on a look."""
        row = self._db.execute("SELECT at, data FROM entries WHERE kind = 'decision' ORDER BY id DESC LIMIT 1").fetchone()
        told = json.loads(row[1]) if row else {}
        return {"at": row[0], "because": told["because"]} if told.get("code") == BLIND else {}

    @_guarded
    def open_steps(self) -> list[dict[str, Any]]:
        """Steps that began and have no end: their driver died. Each with `id`, `at`, `step`, `because` and `deadline_s` at least."""
        rows = self._db.execute("SELECT id, at, data FROM entries WHERE kind = 'step' AND ended_at IS NULL ORDER BY id")
        found = [{"id": row[0], "at": row[1], **json.loads(row[2])} for row in rows]
        return [{**one, "step": one["step"], "because": one["because"], "deadline_s": float(one["deadline_s"])} for one in found]

    @_guarded
    def history(self, most: int = 0) -> list[dict[str, Any]]:
        """The entries, oldest first; only the newest `most` if that is not 0."""
        rows = self._db.execute("SELECT at, kind, ended_at, data FROM entries ORDER BY id DESC LIMIT ?", (most or -1,)).fetchall()
        return [{"at": at, "kind": kind, "ended_at": ended_at, **json.loads(data)} for at, kind, ended_at, data in reversed(rows)]
