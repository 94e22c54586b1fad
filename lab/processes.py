# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""kill -9 for a process with all that descends from it. Ansible's workers have sessions of their own, so its group is not enough."""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path


def descendants(pid: int) -> list[int]:
    """The ids of a process's children, their children and so on; none where it is gone."""
    found, left = [], [pid]
    while left:
        for task in Path(f"/proc/{left.pop()}/task").glob("*/children"):
            with contextlib.suppress(OSError):
                more = [int(one) for one in task.read_text().split()]
                left += more
                found += more
    return found


def kill_whole(pid: int) -> None:
    """SIGKILL for the process, if it is there, and for all that descends from it. Who is found stands still first, so that nobody is missed."""
    whole: list[int] = []
    while more := [one for one in [pid, *descendants(pid)] if one not in whole]:
        _signal(more, signal.SIGSTOP)
        whole += more
    _signal(whole, signal.SIGKILL)


def _signal(pids: list[int], number: signal.Signals) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
