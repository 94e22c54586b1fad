# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""The programs of the role image and /etc/resolv.conf: a VM has the name servers of its seed, and nobody else's."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

FILES = Path(__file__).resolve().parents[3] / "roles" / "image" / "files"
STOCK = FILES / "stock" / "usr" / "lib" / "ondemand"


def below(root: Path, text: str) -> str:
    """A program's text with the folders that it writes to moved below a directory."""
    return re.sub(r"(?<![\w$\"./}])/(?=(etc|run|root|proc)\b)", f"{root}/", text)


@pytest.fixture
def boot(tmp_path):
    """Runs the seed reader on a tree of files, with a seed volume that is a folder; returns the tree."""
    root, volume, bin_ = tmp_path / "root", tmp_path / "volume", tmp_path / "bin"
    for folder in (root / "etc", root / "run", root / "root", root / "proc/sys/kernel", volume, bin_):
        folder.mkdir(parents=True)
    fakes = {"blkid": "echo /dev/vdb", "mount": f'for last; do :; done; cp {volume}/* "$last"', "umount": 'rm -f "$1"/*'}
    for name, text in fakes.items():
        (bin_ / name).write_text(f"#!/bin/sh\n{text}\n")
        (bin_ / name).chmod(0o755)
    program = tmp_path / "seed"
    program.write_text(below(root, (STOCK / "seed").read_text()))

    def run(**content: str) -> Path:
        (volume / "hostname").write_text("shop-n1\n")
        for name, text in content.items():
            (volume / name.replace("_", ".")).write_text(text)
        environment = {**os.environ, "PATH": f"{bin_}:{os.environ['PATH']}"}
        done = subprocess.run(["sh", str(program)], capture_output=True, text=True, timeout=30, check=False, env=environment)
        assert (done.returncode, done.stderr) == (0, "")
        assert (root / "etc/hostname").read_text() == "shop-n1\n"
        return root

    return run


def test_the_name_servers_of_the_seed_are_written(boot):
    root = boot(resolv_conf="nameserver 192.0.2.53\n")
    assert (root / "etc/resolv.conf").read_text() == "nameserver 192.0.2.53\n"


def test_a_seed_without_name_servers_leaves_the_file_alone(boot, tmp_path):
    (tmp_path / "root/etc/resolv.conf").write_text("of the image\n")
    assert (boot() / "etc/resolv.conf").read_text() == "of the image\n"


def test_the_link_of_a_resolver_stays(boot, tmp_path):
    (tmp_path / "root/etc/resolv.conf").symlink_to("../run/systemd/resolve/stub-resolv.conf")
    assert (boot(resolv_conf="nameserver 192.0.2.53\n") / "etc/resolv.conf").is_symlink()


@pytest.mark.parametrize("program", [STOCK / "furnish", FILES / "seal"], ids=lambda path: path.name)
@pytest.mark.parametrize("link", [False, True], ids=["a file", "a link"])
def test_no_image_keeps_the_name_servers_of_where_it_was_made(program, link, tmp_path):
    # One line of each alone: the rest of these programs is for a whole system only.
    lines = [line for line in program.read_text().splitlines() if "/etc/resolv.conf" in line and not line.startswith("#")]
    assert len(lines) == 1
    path = tmp_path / "etc" / "resolv.conf"
    path.parent.mkdir()
    if link:
        path.symlink_to("../run/systemd/resolve/stub-resolv.conf")
    else:
        path.write_text("nameserver 127.0.0.53\n")
    subprocess.run(["sh", "-euc", below(tmp_path, lines[0])], check=True, timeout=30)
    assert path.is_symlink() == link
    assert path.exists() is False
