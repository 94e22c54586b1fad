# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""The driver is killed so often as asked, with SIGKILL, and started anew each time; its playbooks with it or not."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time

import pytest

from lab.demo.processes import Processes
from lab.demo.progress import Progress
from lab.faults import kills as kills_module
from lab.faults.kills import Kills, interrupt, playbooks_of
from ondemand.act import processes as jobs
from ondemand.act.processes import MARK

SLEEPER = "import sys, time; time.sleep(60)"


@pytest.fixture
def stage(tmp_path, monkeypatch):
    """A driver that sleeps, a playbook of its that sleeps too, and the kills, which are due at once."""
    monkeypatch.setattr(kills_module, "LEAST_S", 0.0)
    monkeypatch.setattr(kills_module, "MOST_S", 0.0)
    processes, notes, started = Processes(tmp_path, Progress()), [], []
    words = [sys.executable, "-c", SLEEPER, "playbooks/scale_out.yml"]
    playbook = subprocess.Popen(words, env={**os.environ, MARK: "killtest/1"})

    def start():
        processes.start("driver", [sys.executable, "-c", SLEEPER])
        started.append("driver")

    def note(what, **facts):
        notes.append((what, facts))
        return 0.0

    start()
    yield lambda count: Kills(count, random.Random(3), "killtest", processes, start, note), notes, started, playbook
    processes.stop_all()
    playbook.kill()
    playbook.wait()


def test_it_kills_as_often_as_asked_and_starts_anew(stage):
    make, notes, started, _playbook = stage
    kills = make(3)
    assert kills.left == 3
    for _turn in range(20):
        kills.turn()
    assert kills.left == 0
    assert [what for what, _facts in notes] == ["kill"] * 3
    assert started == ["driver"] * 4


def test_without_a_count_nothing_is_killed(stage):
    make, notes, started, playbook = stage
    for _turn in range(5):
        make(0).turn()
    assert (notes, started, playbook.poll()) == ([], ["driver"], None)


def test_sometimes_the_playbook_is_killed_too_and_what_ran_is_noted(stage):
    make, notes, _started, playbook = stage
    kills = make(12)
    while playbook.poll() is None and len(notes) < 12:
        kills.turn()
    assert playbook.wait(5) == -signal.SIGKILL
    # It may be a moment until a killed process is seen to have ended, in which the driver is killed once more.
    assert {"whom": "the driver and its playbook", "during": ["scale_out"]} in [facts for _what, facts in notes]


def test_a_process_that_is_gone_runs_no_playbook():
    assert playbooks_of([2**22 - 1]) == []


# A shell starts its worker within milliseconds, so that it is there whenever the kill comes.
WORKER = "setsid sleep 60 & wait"


def test_an_operators_playbook_is_killed_as_often_as_it_says_sometimes_with_its_workers(tmp_path, monkeypatch):
    monkeypatch.setitem(kills_module.PLAYS_S, "create_cluster", 1.0)
    monkeypatch.setattr(kills_module, "TIMES_EACH", 6)
    argv, notes = ["env", f"{MARK}=killtest-operator/x", "sh", "-c", WORKER], []
    interrupt(
        Processes(tmp_path, Progress()), random.Random(3), "create_cluster", argv, "killtest-operator/", lambda *a, **k: notes.append(k)
    )
    left = jobs.marked("killtest-operator/")
    kills_module.kill_all(left)
    whom = [one["whom"] for one in notes]
    assert set(whom) == {"the playbook", "the playbook and its workers"} and len(whom) == 6
    # A worker outlives its playbook until somebody kills the workers.
    assert len(left) == len(whom) - 1 - max(n for n, one in enumerate(whom) if "workers" in one)


def test_a_playbook_that_ends_before_its_kill_is_no_kill(tmp_path):
    processes = Processes(tmp_path, Progress())
    began = time.monotonic()
    assert processes.killed_after("x", ["true"], 30) is False
    assert time.monotonic() - began < 25
