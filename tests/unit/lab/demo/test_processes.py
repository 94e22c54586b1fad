# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""A playbook's process that is just ending is no leftover; one that runs on is told by its command line."""

from __future__ import annotations

import os
import subprocess

import pytest

from lab.demo.processes import running_on
from ondemand.act.processes import MARK


@pytest.fixture
def mark() -> str:
    return f"test-{os.getpid()}/"


def start(mark: str, seconds: float) -> subprocess.Popen[bytes]:
    return subprocess.Popen(["sleep", str(seconds)], env={**os.environ, MARK: f"{mark}observe"})


def test_a_process_that_ends_by_itself_soon_is_not_told(mark):
    process = start(mark, 0.5)
    assert running_on([mark], within_s=30) == []
    assert process.wait(30) == 0


def test_a_process_that_runs_on_is_told_by_its_command_line(mark):
    process = start(mark, 60)
    try:
        assert running_on(["another/", mark], within_s=0.3) == [f"{process.pid}: sleep 60"]
    finally:
        process.kill()
        process.wait(30)
