# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""The processes of a job, found by a mark in their environment: Ansible starts sessions of its own, so a group is not enough.

Connections that ssh keeps open for the next job (`[mux]`) carry the mark of the job that opened them and are left alone.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

MARK = "ONDEMAND_JOB"
AGAIN_S = 0.05
"""much longer than the kernel needs to start a program"""


def marked(prefix: str) -> list[int]:
    """Ids of the processes whose mark begins so, without this one."""
    found = []
    wanted = f"{MARK}={prefix}".encode()
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            environment = (entry / "environ").read_bytes().split(b"\0")
            words = (entry / "cmdline").read_bytes()
        except OSError:
            continue
        if any(one.startswith(wanted) for one in environment) and b"[mux]" not in words:
            found.append(int(entry.name))
    return found


def gone(prefix: str) -> bool:
    """No process has the mark. One that is only just becoming another program shows no environment, so it is looked twice."""
    if marked(prefix):
        return False
    time.sleep(AGAIN_S)
    return not marked(prefix)


def end(prefix: str, grace_s: float = 5.0) -> int:
    """Ends a job's processes, politely first; how many there were. Each id is looked up anew, so no stranger is hit."""
    count = len(marked(prefix))
    for sign, wait_s in ((signal.SIGTERM, grace_s), (signal.SIGKILL, 5.0)):
        for pid in marked(prefix):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, sign)
        until = time.monotonic() + wait_s
        while not gone(prefix) and time.monotonic() < until:
            time.sleep(0.1)
    return count


def wait_for(prefix: str, longest_s: float, stop: Callable[[], bool]) -> bool:
    """Waits until no process of the job is left; False if some still run after so long, or when `stop` says so."""
    until = time.monotonic() + longest_s
    while not gone(prefix):
        if time.monotonic() >= until or stop():
            return False
        time.sleep(0.2)
    return True
