# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""What script/clean takes away, and when it refuses to."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

from lab import clean
from lab.ansible_home import ansible_home


def planted(root: Path, **files: str) -> Path:
    for name, text in files.items():
        path = root / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def test_labs_are_found_by_their_folder_or_by_what_is_left_of_their_network(tmp_path: Path) -> None:
    (tmp_path / "lib/one-lab/hv1").mkdir(parents=True)
    (tmp_path / "lib/half-lab/shared").mkdir(parents=True)
    (tmp_path / "lib/chemistry-lab/notes").mkdir(parents=True)
    planted(tmp_path / "netns", **{"one-hv1": "", "gone-hv1": "", "gone-hv2": "", "ondemand-cells-x": ""})
    assert clean.lab_names(tmp_path / "lib", tmp_path / "netns") == ["gone", "half", "one"]


def test_cells_of_another_checkout_stay_unless_it_is_gone(tmp_path: Path) -> None:
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    theirs.mkdir()
    state = tmp_path / "state"
    planted(state, a__checkout=str(ours), b__checkout=str(theirs), c__checkout=str(tmp_path / "gone"), d__host_key="half made")
    assert clean.cell_labels(state, ours) == ["a", "c", "d"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["python", "-m", "lab.demo", "--keep"], ["lab.demo (process 7)"]),
        (["/x/.venv/bin/python", "-m", "pytest", "tests/vm"], ["pytest (process 7)"]),
        (["python", "-m", "lab", "down"], []),
        (["vi", "-m", "lab.demo"], ["lab.demo (process 7)"]),
        (["bash"], []),
    ],
)
def test_what_runs_in_the_checkout_is_told_and_nothing_else(tmp_path: Path, words: list[str], told: list[str]) -> None:
    checkout, elsewhere = tmp_path / "checkout", tmp_path / "elsewhere"
    checkout.mkdir()
    elsewhere.mkdir()
    for pid, cwd in (("7", checkout), ("8", elsewhere), ("9", checkout)):
        planted(tmp_path / "proc" / pid, cmdline="".join(f"{word}\0" for word in words))
        (tmp_path / "proc" / pid / "cwd").symlink_to(cwd)
    assert clean.running_users(tmp_path / "proc", checkout, own=9) == told


def test_ansible_keeps_its_files_in_a_folder_that_goes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("ANSIBLE_HOME", raising=False)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with ansible_home():
        home = Path(os.environ["ANSIBLE_HOME"])
        (home / "cp").mkdir()
        assert home.parent == tmp_path
    assert not home.exists()
    assert "ANSIBLE_HOME" not in os.environ


def test_a_folder_that_is_given_to_ansible_stays(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ANSIBLE_HOME", str(tmp_path))
    with ansible_home():
        assert os.environ["ANSIBLE_HOME"] == str(tmp_path)
    assert tmp_path.exists()
