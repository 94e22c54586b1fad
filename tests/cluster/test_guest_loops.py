# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""Data disks of containers on the real kernel: what one wrote is what the next one reads, and nothing stays afterwards."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from lab.testbed.guests.loops import devices, loop

MIB = 1 << 20


def head(device: str) -> bytes:
    with Path(device).open("rb") as disk:
        return disk.read(3)


def test_users_of_one_file_have_one_device_and_see_what_the_other_wrote(tmp_path: Path) -> None:
    file = tmp_path / "disk.raw"
    file.write_bytes(b"old".ljust(MIB, b"\0"))
    with loop(file) as first:
        assert head(first) == b"old"
        with loop(file) as second:
            with Path(second).open("r+b") as disk:
                disk.write(b"new")
        assert head(first) == b"new"
        assert devices(file) == [first]
    assert devices(file) == []


def test_the_device_of_a_user_that_was_killed_goes(tmp_path: Path) -> None:
    file = tmp_path / "disk.raw"
    file.write_bytes(bytes(MIB))
    imports = "import sys, time\nfrom pathlib import Path\nfrom lab.testbed.guests.loops import loop\n"
    code = imports + "with loop(Path(sys.argv[1])): print(1, flush=True); time.sleep(60)"
    user = subprocess.Popen([sys.executable, "-c", code, str(file)], stdout=subprocess.PIPE, text=True)
    try:
        assert user.stdout is not None
        assert user.stdout.readline() == "1\n"
        assert len(devices(file)) == 1
    finally:
        user.kill()
        user.wait()
    assert devices(file) == []
