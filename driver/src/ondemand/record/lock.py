# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""One driver per cluster: a lock on a file in the state folder that the kernel releases when the process is gone."""

from __future__ import annotations

import fcntl
import os
import struct
from pathlib import Path

from ondemand.errors import RecordError

FLOCK = "hhqqi4x"
"""the kernel's struct flock: kind, whence, start, length, process"""


def _whole(kind: int) -> bytes:
    """A lock of this kind on the whole file."""
    return struct.pack(FLOCK, kind, os.SEEK_SET, 0, 0, 0)


class Lock:
    """Held from the first look to the end of the process."""

    def __init__(self, state_dir: Path, cluster: str) -> None:
        self._path = state_dir / "driver.lock"
        try:
            state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            # Not inherited: a playbook that outlives the driver must not hold the cluster.
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Of the other kind too: whether this one is held can be asked without taking it.
            fcntl.fcntl(self._file, fcntl.F_OFD_SETLK, _whole(fcntl.F_WRLCK))
        except BlockingIOError as error:
            raise RecordError(f"another driver runs the cluster {cluster} (it holds {self._path}); stop that one first") from error
        except OSError as error:
            raise RecordError(f"the state folder {state_dir} can't be used: {error}; make it a folder of your own") from error

    def release(self) -> None:
        """Gives the cluster free."""
        os.close(self._file)


def is_held(state_dir: Path) -> bool:
    """Whether a driver runs the cluster now. Only asks, so that no driver that starts meanwhile is kept out. Raises RecordError."""
    try:
        file = os.open(state_dir / "driver.lock", os.O_RDONLY | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise RecordError(f"whether a driver runs can't be told: {error}; run this as the account that owns {state_dir}") from error
    try:
        told = fcntl.fcntl(file, fcntl.F_OFD_GETLK, _whole(fcntl.F_RDLCK))
    finally:
        os.close(file)
    kind: int = struct.unpack(FLOCK, told)[0]
    return kind != fcntl.F_UNLCK
