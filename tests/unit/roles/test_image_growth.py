# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""The program that grows a VM's root file system, on a real one in a file; resize2fs works there too, only unmounted."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

STOCK = Path(__file__).resolve().parents[3] / "roles" / "image" / "files" / "stock"
GROW = STOCK / "usr" / "lib" / "ondemand" / "grow"
MIB = 1 << 20
TOOLS = "/usr/sbin:/sbin:/usr/bin:/bin"


def size_mib(disk: Path) -> float:
    """Size of the file system, as its own tools see it."""
    done = subprocess.run(["dumpe2fs", "-h", str(disk)], capture_output=True, text=True, check=True, env={"PATH": TOOLS})
    told = dict(line.split(":", 1) for line in done.stdout.splitlines() if ":" in line)
    return int(told["Block count"]) * int(told["Block size"]) / MIB


@pytest.fixture
def grow(tmp_path):
    """Makes a file system of some MiB on a device of some MiB (plus bytes), runs the program; the size afterwards and what was called."""

    def run(system: int, device: int, *options: str, more: int = 0, kind: str = "ext4", tools: str = TOOLS):
        disk = tmp_path / "vda"
        subprocess.run(["mke2fs", "-q", "-t", "ext4", *options, str(disk), f"{system}M"], check=True, env={"PATH": TOOLS})
        os.truncate(disk, device * MIB + more)
        (tmp_path / "vda.d").mkdir()
        (tmp_path / "block").mkdir()
        (tmp_path / "block" / "vda").symlink_to("../vda.d")
        (tmp_path / "vda.d" / "size").write_text(f"{(device * MIB + more) // 512}\n")
        (tmp_path / "mounts").write_text(f"proc /proc proc rw 0 0\n{disk} / {kind} rw,noatime 0 0\ntmpfs /run tmpfs rw 0 0\n")
        command = ["sh", str(GROW), str(tmp_path / "mounts"), str(tmp_path / "block")]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env={"PATH": tools})
        return done, size_mib(disk)

    return run


@pytest.fixture
def no_resize2fs(tmp_path):
    """A PATH whose resize2fs ends with 99: whoever calls it is seen."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "resize2fs").write_text("#!/bin/sh\nexit 99\n")
    (tmp_path / "bin" / "resize2fs").chmod(0o755)
    return f"{tmp_path}/bin:{TOOLS}"


@pytest.mark.parametrize("options", [(), ("-b", "1024"), ("-b", "4096", "-O", "64bit"), ("-b", "4096", "-O", "^64bit")], ids=" ".join)
def test_a_file_system_grows_to_its_larger_device(grow, options):
    done, size = grow(16, 64, *options)
    assert (done.returncode, size) == (0, 64), done.stderr


IDLE = {
    "on a device of its own size": {"device": 16},
    "on a device larger by less than a block": {"device": 16, "more": 2048, "options": ("-b", "4096")},
    "when the root is of another kind": {"device": 64, "kind": "btrfs"},
}


@pytest.mark.parametrize("case", IDLE.values(), ids=IDLE.keys())
def test_nothing_is_called_without_need(grow, no_resize2fs, case):
    done, size = grow(
        16, case["device"], *case.get("options", ()), more=case.get("more", 0), kind=case.get("kind", "ext4"), tools=no_resize2fs
    )
    assert (done.returncode, size) == (0, 16), done.stderr


def test_a_growth_that_failed_is_a_failed_unit(grow, no_resize2fs):
    assert grow(16, 64, tools=no_resize2fs)[0].returncode == 99


def test_the_unit_starts_at_boot_and_ssh_does_not_wait_for_it():
    unit = (STOCK / "etc/systemd/system/ondemand-grow.service").read_text().splitlines()
    assert "After=ssh.service" in unit
    assert "ExecStart=/usr/lib/ondemand/grow" in unit
    furnish = (STOCK / "usr/lib/ondemand/furnish").read_text().splitlines()
    assert any(line.startswith("systemctl enable ") and "ondemand-grow.service" in line for line in furnish)
