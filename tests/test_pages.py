# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""What a newcomer is told is true: the README's cluster file is a right one, its commands fit it, and every page is found."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import yaml

from tests.shape_rules import LINK


def blocks(page: Path, kind: str) -> list[str]:
    """Fenced blocks of a page, without the indent of a list that they stand in."""
    found = re.findall(rf"^( *)```{kind}\n(.*?)^ *```$", page.read_text(), re.DOTALL | re.MULTILINE)
    return [re.sub(rf"^{indent}", "", text, flags=re.MULTILINE) for indent, text in found]


def cluster_of(checkout: Path) -> dict:
    return yaml.safe_load(blocks(checkout / "README.md", "yaml")[0])["cluster"]


def test_the_readmes_cluster_file_is_a_right_one(checkout: Path, tmp_path: Path) -> None:
    (tmp_path / "shop.yml").write_text(blocks(checkout / "README.md", "yaml")[0])
    command = [Path(sys.executable).with_name("ondemand"), "check", tmp_path / "shop.yml"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_readme_moves_a_service_that_its_file_has(checkout: Path) -> None:
    movable = {service["name"] for service in cluster_of(checkout)["services"] if service["kind"] == "movable"}
    told = set(re.findall(r"service=([a-z-]+)", (checkout / "README.md").read_text()))
    assert told and told <= movable


def test_the_worked_image_holds_the_units_that_the_readmes_cluster_runs(checkout: Path) -> None:
    image = yaml.safe_load(blocks(checkout / "docs/playbooks/build_image.md", "yaml")[0])
    parts = [part for service in cluster_of(checkout)["services"] for part in service.get("group", [service.get("resource")])]
    units = {part["agent"].removeprefix("systemd:") + ".service" for part in parts if part["agent"].startswith("systemd:")}
    assert units == set(image["image_units_disabled"])
    assert units <= {Path(file["dest"]).name for file in image["image_files"]}
    known = set()
    for role in ("image", "cluster_stack"):
        known |= set(yaml.safe_load((checkout / f"roles/{role}/defaults/main.yml").read_text()))
    assert set(image) <= known


def test_every_page_is_linked_from_the_readme(checkout: Path) -> None:
    linked = set(LINK.findall((checkout / "README.md").read_text()))
    pages = {str(path.relative_to(checkout)) for path in (checkout / "docs").rglob("*.md")}
    assert pages - {link.split("#")[0] for link in linked} == set()
