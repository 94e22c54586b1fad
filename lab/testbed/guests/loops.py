# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""Data disks of containers: one loop device for a file, whoever uses it.

VMs read a shared disk without a cache of the host in between. A loop device has a cache, so what one container wrote another would not see
through a device of its own: it would mount the file system as it was when it had it last.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from lab.testbed.hypervisors.command import LabError, run

TRIES = 20


@contextlib.contextmanager
def loop(file: Path) -> Iterator[str]:
    """The loop device of a file. It goes when the last one who uses it closes it, also after a kill."""
    handle, device = _opened(file)
    try:
        yield device
    finally:
        os.close(handle)


def _opened(file: Path) -> tuple[int, str]:
    with file.with_name(f"{file.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for _try in range(TRIES):
            there = devices(file)
            device = there[0] if there else run(["losetup", "--find", "--show", str(file)]).strip()
            with contextlib.suppress(OSError):  # its last user has just closed it
                handle = os.open(device, os.O_RDWR | os.O_CLOEXEC)
                if device in devices(file):
                    if not there:
                        run(["losetup", "--detach", device])  # it is open, so the kernel waits for its last user
                    return handle, device
                os.close(handle)
    raise LabError(f"no loop device stays on {file}: look at them with losetup --all")


def devices(file: Path) -> list[str]:
    """The loop devices that a file has."""
    return run(["losetup", "--associated", str(file), "--noheadings", "--output", "NAME"]).split()
