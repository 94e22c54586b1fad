# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""The small programs of the role image, run as it runs them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path

TOOLS = Path(__file__).resolve().parents[3] / "roles" / "image" / "files"


def run(tool: str, *argv: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(TOOLS / tool), *argv]
    return subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=30, check=False)


def test_packed_files_have_their_destination_mode_and_roots_ownership(tmp_path):
    (tmp_path / "a").write_text("one")
    (tmp_path / "b").write_text("two")
    files = [{"src": str(tmp_path / "b"), "dest": "/usr/bin/b", "mode": "0755"}, {"src": str(tmp_path / "a"), "dest": "/etc//x/../a"}]
    done = run("pack.py", str(tmp_path / "out.tar"), stdin=json.dumps(files))
    assert done.returncode == 0, done.stderr
    with tarfile.open(tmp_path / "out.tar") as archive:
        seen = [(m.name, m.mode, m.uid, m.uname, m.isfile()) for m in archive.getmembers()]
        assert seen == [("etc/a", 0o644, 0, "root", True), ("usr/bin/b", 0o755, 0, "root", True)]
        assert archive.extractfile("usr/bin/b").read() == b"two"


def test_packing_the_same_files_twice_gives_the_same_archive(tmp_path):
    (tmp_path / "a").write_text("one")
    files = json.dumps([{"src": str(tmp_path / "a"), "dest": "/a", "mode": "0600"}])
    for name in ("1.tar", "2.tar"):
        run("pack.py", str(tmp_path / name), stdin=files)
        os.utime(tmp_path / "a", (1, 1))
    assert (tmp_path / "1.tar").read_bytes() == (tmp_path / "2.tar").read_bytes()


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
