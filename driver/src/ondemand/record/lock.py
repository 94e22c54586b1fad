# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""One driver per cluster: a lock on a file in the state folder that the kernel releases when the process is gone."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from ondemand.errors import RecordError


class Lock:
    """Held from the first look to the end of the process."""

    def __init__(self, state_dir: Path, cluster: str) -> None:
        self._path = state_dir / "driver.lock"
        try:
            state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            # Not inherited: a playbook that outlives the driver must not hold the cluster.
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise RecordError(f"another driver runs the cluster {cluster} (it holds {self._path}); stop that one first") from error
        except OSError as error:
            raise RecordError(f"the state folder {state_dir} can't be used: {error}; make it a folder of your own") from error

    def release(self) -> None:
        """Gives the cluster free."""
        os.close(self._file)


def is_held(state_dir: Path) -> bool:
    """Whether a driver runs the cluster now. Raises RecordError where that can't be told."""
    try:
        file = os.open(state_dir / "driver.lock", os.O_RDWR | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise RecordError(f"whether a driver runs can't be told: {error}; run this as the account that owns {state_dir}") from error
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(file)
    return False
