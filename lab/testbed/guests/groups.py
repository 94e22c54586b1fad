# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""The control groups of the containers, one for each: a systemd wants a tree of its own."""

from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path

from lab.testbed.hypervisors.command import LabError, run
from lab.testbed.hypervisors.topology import LAB

ENTER = Path(__file__).with_name("enter.sh")
GROUP = f"{LAB}-guest-"


def remove_groups(prefix: str = GROUP) -> None:
    """Remove the groups of containers that have ended. LabError when something still runs in one."""
    with tempfile.TemporaryDirectory() as mountpoint:
        run(["unshare", "--mount", "sh", str(ENTER), mountpoint, "remove", prefix])


def is_removed(group: str) -> bool:
    """Remove a group, if nothing runs in it any more; whether it is gone."""
    with contextlib.suppress(LabError):
        remove_groups(group)
        return True
    return False
