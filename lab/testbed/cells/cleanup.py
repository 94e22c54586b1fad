# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""Find and end what runs in a namespace, whoever started it and whether or not its starter still lives."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path


def namespace_of(pid: int | str, kind: str) -> int | None:
    """Inode of a process's namespace (kind: net, pid, mnt, ...), None when the process is gone."""
    try:
        return os.stat(f"/proc/{pid}/ns/{kind}").st_ino
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return None


def processes_in(kind: str, inode: int) -> list[int]:
    """Process ids (of the reader's own view) whose namespace of that kind is the given one."""
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit() and namespace_of(entry.name, kind) == inode]


def end_namespace(kind: str, inode: int, deadline_s: float = 10.0) -> None:
    """Kill every process of a namespace and wait until none is left; the namespace is looked at again before each kill.

    Raises TimeoutError with the ids that are left. The machine's own namespace is refused with ValueError.
    """
    if inode == namespace_of("self", kind):
        raise ValueError(f"the {kind} namespace {inode} is our own")
    end = time.monotonic() + deadline_s
    while left := processes_in(kind, inode):
        if time.monotonic() > end:
            raise TimeoutError(f"processes {left} in the {kind} namespace {inode} do not end")
        for pid in left:
            if namespace_of(pid, kind) == inode:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    continue
        time.sleep(0.05)
