# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""Control groups of containers on the real kernel: made for one, and gone after it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from lab.testbed.guests.groups import ENTER, remove_groups
from lab.testbed.hypervisors.command import LabError

PREFIX = f"ondemand-test-{os.getpid()}-"


def in_group(mountpoint: Path, name: str, *command: str) -> subprocess.Popen[str]:
    argv = ["unshare", "--mount", "sh", str(ENTER), str(mountpoint), "make", name, *command]
    return subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)


def test_a_container_has_a_group_of_its_own_which_goes_after_it(tmp_path: Path) -> None:
    made = in_group(tmp_path, f"{PREFIX}a", "cat", "/proc/self/cgroup")
    assert f"0::/{PREFIX}a\n" in made.communicate(timeout=20)[0]
    remove_groups(PREFIX)
    again = in_group(
        tmp_path, f"{PREFIX}b", "sh", "-c", 'unshare --mount sh -c "mount -t cgroup2 none $1; ls $1" sh "$1"', "sh", str(tmp_path)
    )
    told = again.communicate(timeout=20)[0].split()
    remove_groups(PREFIX)
    assert f"{PREFIX}b" in told
    assert f"{PREFIX}a" not in told


def test_a_group_in_which_something_runs_is_told(tmp_path: Path) -> None:
    running = in_group(tmp_path, f"{PREFIX}c", "sh", "-c", "echo in; exec sleep 60")
    try:
        assert running.stdout is not None
        assert running.stdout.readline() == "in\n"
        with pytest.raises(LabError, match=PREFIX):
            remove_groups(PREFIX)
    finally:
        running.kill()
        running.wait()
        remove_groups(PREFIX)
