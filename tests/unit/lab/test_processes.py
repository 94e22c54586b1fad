# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
from __future__ import annotations

import subprocess
import time
from pathlib import Path

from lab.processes import descendants, kill_whole

# A process whose child has a session of its own, and a child in turn.
FAMILY = "setsid sh -c 'sleep 300 & wait' & wait"


def test_who_is_killed_whole_leaves_nobody_whatever_sessions_they_have() -> None:
    process = subprocess.Popen(["sh", "-c", FAMILY], start_new_session=True)
    end = time.monotonic() + 60
    while len(found := descendants(process.pid)) < 2 or "sleep" not in map(command_of, found):
        assert time.monotonic() < end, found
        time.sleep(0.05)
    kill_whole(process.pid)
    process.wait(30)
    while any(alive(one) for one in found):
        assert time.monotonic() < end, found
        time.sleep(0.05)


def command_of(pid: int) -> str:
    """The name of the program that a process runs."""
    return Path(f"/proc/{pid}/comm").read_text().strip()


def alive(pid: int) -> bool:
    """Whether a process is there and no zombie, which only its parent can end."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_who_is_gone_has_no_descendants() -> None:
    process = subprocess.Popen(["true"])
    process.wait()
    assert descendants(process.pid) == []
    kill_whole(process.pid)
