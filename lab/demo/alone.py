# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""What the demo needs for itself: that no other one is at work on the machine, and room on the disk, some of it put by for the end."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import socket
import struct
from collections.abc import Iterator
from pathlib import Path

from lab.demo.progress import DemoFailed
from lab.testbed.hypervisors.topology import LAB

MIB = 1024 * 1024
NEEDS_MIB, NEEDS_FIRST_MIB = 200, 1500
"""What recordings and logs take, and what the package archive and the image take beside them, when there is none yet."""
PUT_BY_MIB = 8
"""Given back before the end, so that report, picture and the logs of the clean-up find room on a disk that is full by then."""
MAKE_ROOM = "make room there (script/clean removes caches), then run script/demo again"


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Holds the machine's one place for a demo; DemoFailed says who has it. An abstract socket leaves nothing behind, not even after a kill."""
    name = f"\0{LAB}-demo"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as place:
        try:
            place.bind(name)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            raise DemoFailed(
                f"another demo is at work on this machine{_holder(name)}, and there is one lab for both: wait for its end, "
                "or end it by Ctrl-C or kill (it cleans up after itself), then try again"
            ) from None
        place.listen()
        yield


def _holder(name: str) -> str:
    """The process that has the place, for a sentence; empty where it can't be asked."""
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asking:
        asking.connect(name)
        pid, _uid, _gid = struct.unpack("3i", asking.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i")))
        return f" (process {pid})"
    return ""


def need_room(directory: Path) -> None:
    """DemoFailed when the disk below `directory`, which is var/demo, has too little room for a run. Puts some by."""
    var = directory.parent
    first = not any(any((var / one).glob("*")) for one in ("images",))
    needed, free = NEEDS_FIRST_MIB if first else NEEDS_MIB, shutil.disk_usage(directory).free // MIB
    if free < needed:
        raise DemoFailed(f"the disk that holds {var} has {free} MiB free and a {'first ' if first else ''}run needs {needed}: {MAKE_ROOM}")
    with (directory / "put-by").open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, PUT_BY_MIB * MIB)


def give_back(directory: Path) -> None:
    """Gives the room back that was put by."""
    (directory / "put-by").unlink(missing_ok=True)


def words_of(error: OSError) -> str:
    """Returns what a failed call of the system means for the demo, and what to do, as a sentence."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"the disk is full{f', so that {error.filename} could not be written' if error.filename else ''}: {MAKE_ROOM}"
    return f"the demo could not go on: {error}"
