# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""Runs mutants: forks a process for each from this one, where everything heavy is imported already and nothing of the project is."""

from __future__ import annotations

import contextlib
import enum
import importlib
import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import CodeType

from _pytest.config import default_plugins

from tests.mutation.child import Coverage, Order, Recorder, plant, run_tests
from tests.mutation.mutants import Mutant
from tests.mutation.rooms import Room

FIRST_CPU_LIMIT_S = 300
LEAST_CPU_S = 4
# Wall time is only a net under a process that sleeps: on a busy machine CPU time is the fairer measure.
WALL_PER_CPU = 10
HEAVY = ("yaml", "jsonschema", "hypothesis.strategies", "xml.dom.minidom", "sqlite3", "logging.config", "unittest.mock")


class Fate(enum.Enum):
    """What became of a mutant."""

    KILLED = "killed"
    SURVIVED = "survived"


class Unjudgeable(Exception):
    """A room whose tests can't judge mutants: they fail without one, or never import the file."""


@dataclass(frozen=True)
class Job:
    """One process to be. mutant: None runs the sound code, and records; a CodeType stands for the whole file."""

    room: Room
    mutant: Mutant | CodeType | None
    cpu_limit_s: int
    coverage: Coverage


@dataclass(frozen=True)
class Lab:
    """Where the processes run: the checkout, a folder for what they write, and how many at once."""

    checkout: Path
    scratch: Path
    workers: int

    def prepare(self) -> None:
        """Imports what is heavy once, and keeps what processes write out of the checkout."""
        sys.pycache_prefix = str(self.scratch / "pycache")
        sys.dont_write_bytecode = False
        os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
        os.environ["HYPOTHESIS_STORAGE_DIRECTORY"] = str(self.scratch / "hypothesis")
        for name in (*HEAVY, *(f"_pytest.{plugin}" for plugin in default_plugins)):
            importlib.import_module(name)

    def run(self, jobs: Iterable[Job]) -> Iterator[tuple[Job, int, Path]]:
        """Each job with its exit code (negative: the signal that ended it) and the path its files begin with, as they end."""
        running: dict[int, tuple[Job, Path, float]] = {}
        waiting = enumerate(jobs)
        try:
            while True:
                while len(running) < self.workers and (entry := next(waiting, None)):
                    number, job = entry
                    scratch = self.scratch / f"job{number}"
                    running[self.fork(job, scratch)] = (job, scratch, time.monotonic() + job.cpu_limit_s * WALL_PER_CPU)
                if not running:
                    return
                pid, status = os.waitpid(-1, os.WNOHANG)
                if pid:
                    job, scratch, _deadline = running.pop(pid)
                    yield job, os.waitstatus_to_exitcode(status), scratch
                    shutil.rmtree(scratch, ignore_errors=True)
                    continue
                for late in [pid for pid, (_job, _scratch, deadline) in running.items() if time.monotonic() > deadline]:
                    end(late)
                time.sleep(0.005)
        finally:
            for pid in running:
                end(pid)

    def fork(self, job: Job, scratch: Path) -> int:
        """Starts a job's process."""
        pid = os.fork()
        if pid:
            return pid
        code = 70
        try:
            os.setsid()
            source = str((self.checkout / job.room.name).resolve())
            mutant = job.mutant
            if mutant is None:
                plugin: object = Recorder(source, scratch.with_suffix(".json"))
            elif isinstance(mutant, CodeType):
                plugin = object()
                plant(source, lambda _path: mutant)
            else:
                plugin = Order(job.coverage.order(mutant.line, mutant.last_line))
                plant(source, mutant.code)
            code = run_tests(self.checkout, job.room.tests, scratch, job.cpu_limit_s, plugin)
        finally:
            os._exit(code)

    def coverage(self, rooms: list[Room]) -> dict[str, Coverage]:
        """What each room's tests run, without a mutant; that they fail is refused, and that they don't see a file that can't be imported."""
        found: dict[str, Coverage] = {}
        broken = compile("raise RuntimeError('the file of this room is out of order')", "broken", "exec")
        for job, code, scratch in self.run(Job(room, None, FIRST_CPU_LIMIT_S, Coverage()) for room in rooms):
            if code:
                raise Unjudgeable(f"the tests of {job.room.name} fail without a mutant:\n{scratch.with_suffix('.out').read_text()}")
            seen = json.loads(scratch.with_suffix(".json").read_text())
            found[job.room.name] = Coverage(
                sum(test["cpu_s"] for test in seen.values()),
                {name: test["cpu_s"] for name, test in seen.items()},
                {name: set(test["lines"]) for name, test in seen.items()},
            )
        for job, code, _scratch in self.run(Job(room, broken, FIRST_CPU_LIMIT_S, Coverage()) for room in rooms):
            if not code:
                raise Unjudgeable(
                    f"no test of {job.room.name} imports it ({', '.join(job.room.tests)}); name its tests in tests/mutation/rooms.py"
                )
        return found

    def fates(self, mutants: list[tuple[Room, Mutant]], coverage: dict[str, Coverage]) -> Iterator[tuple[Mutant, Fate]]:
        """What becomes of each mutant, as it is known. One that runs without end is killed too."""
        jobs = (
            Job(
                room, mutant, LEAST_CPU_S + round(5 * coverage[room.name].cpu_s), coverage[room.name]
            )  # several times what the sound code takes
            for room, mutant in mutants
        )
        for job, code, scratch in self.run(jobs):
            scratch.with_suffix(".out").unlink(missing_ok=True)
            assert isinstance(job.mutant, Mutant)
            yield job.mutant, Fate.KILLED if code else Fate.SURVIVED


def end(pid: int) -> None:
    """Ends a process of ours with all that it started."""
    for send in (os.killpg, os.kill):
        with contextlib.suppress(ProcessLookupError):
            send(pid, signal.SIGKILL)
