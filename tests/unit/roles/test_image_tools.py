# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""The small programs of the role image, run as it runs them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

TOOLS = Path(__file__).resolve().parents[3] / "roles" / "image" / "files"


def run(tool: str, *argv: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(TOOLS / tool), *argv]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)


def test_the_newest_kernel_with_an_initial_ram_disk_is_taken(tmp_path):
    boot = tmp_path / "boot"
    boot.mkdir()
    for age, release in enumerate(["6.1.0-3", "6.1.0-2", "6.1.0-1"]):
        (boot / f"vmlinuz-{release}").write_text(release)
        os.utime(boot / f"vmlinuz-{release}", (1000 - age, 1000 - age))
    (boot / "initrd.img-6.1.0-2").write_text("disk of 2")
    (boot / "initrd.img-6.1.0-1").write_text("disk of 1")
    assert run("take_kernel.py", str(boot), str(tmp_path / "x")).returncode == 0
    assert (tmp_path / "x.vmlinuz").read_text() == "6.1.0-2"
    assert (tmp_path / "x.initrd").read_text() == "disk of 2"
    assert not (boot / "vmlinuz-6.1.0-2").exists()


def test_a_file_system_without_a_kernel_is_refused_with_what_to_do(tmp_path):
    (tmp_path / "boot").mkdir()
    done = run("take_kernel.py", str(tmp_path / "boot"), str(tmp_path / "x"))
    assert done.returncode == 1
    assert "image_packages" in done.stderr


def test_the_programs_for_the_vm_are_correct_shell():
    for script in [TOOLS / "seal", *(TOOLS / "stock" / "usr" / "lib" / "ondemand").iterdir()]:
        assert subprocess.run(["sh", "-n", str(script)], check=False).returncode == 0, script
