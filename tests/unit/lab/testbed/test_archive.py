# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""The lab's package archive: what it is made of, and when it is made anew."""

from __future__ import annotations

from pathlib import Path

import yaml

from lab.testbed import archive

ROLES = Path(__file__).resolve().parents[4] / "roles"
TARGETS = """Debian|Debian|http://mirror.example/debian/
Debian|Debian|http://mirror.example/debian/
Debian|Debian-Security|http://mirror.example/debian-security/
Somebody|Somebody|http://elsewhere.example/apt/
|
"""


def test_only_debians_own_mirrors_are_used_security_last():
    assert archive.pick_mirrors(TARGETS) == ["http://mirror.example/debian", "http://mirror.example/debian-security"]


def test_without_a_debian_mirror_there_is_none():
    assert archive.pick_mirrors("Somebody|Somebody|http://elsewhere.example/apt/\n") == []


def test_each_mirror_gives_the_suites_that_it_has():
    lines = archive.render_sources(archive.pick_mirrors(TARGETS)).splitlines()
    assert [line.split()[2:] for line in lines] == [
        ["http://mirror.example/debian", "bookworm", "main"],
        ["http://mirror.example/debian", "bookworm-updates", "main"],
        ["http://mirror.example/debian-security", "bookworm-security", "main"],
    ]
    assert all(f"signed-by={archive.KEYRING}" in line for line in lines)


def test_the_archive_holds_every_package_of_the_roles_image_and_cluster_stack():
    held = {*archive.STOCK, *archive.STACK}
    image = yaml.safe_load((ROLES / "image" / "defaults" / "main.yml").read_text())
    stack = (ROLES / "cluster_stack" / "vars" / "main.yml").read_text()
    assert set(image["image_packages"]) <= held
    debian = yaml.safe_load(stack)["__cluster_stack_family_packages"]["debian"]
    assert set(debian) <= held


def test_an_archive_of_another_package_list_is_stale(tmp_path):
    assert archive.is_stale(tmp_path)
    (tmp_path / "stamp").write_text(archive.inputs_hash(["something"]))
    assert archive.is_stale(tmp_path)
    (tmp_path / "stamp").write_text(archive.inputs_hash([*archive.STACK, *archive.STOCK]))
    assert not archive.is_stale(tmp_path)
