# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""The collection's check of a cluster file: the shared table of files, and the action as Ansible runs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.ondemand.cluster.plugins.action.cluster_check import check

from tests.cluster_files import bad_files, good_files

CHECKOUT = Path(__file__).resolve().parents[4]


@pytest.mark.parametrize(("name", "data"), good_files().items(), ids=list(good_files()))
def test_a_right_file_has_no_problem(name: str, data: Any) -> None:
    assert check(data) == []


@pytest.mark.parametrize(("name", "case"), bad_files().items(), ids=list(bad_files()))
def test_every_problem_is_told_with_its_path_and_what_would_be_right(name: str, case: tuple[Any, list[str]]) -> None:
    data, paths = case
    problems = check(data)
    assert [one["path"] for one in problems] == sorted(paths)
    assert all(one["problem"] and one["should_be"] and "\n" not in one["problem"] for one in problems)


def test_aliases_that_multiply_are_one_problem_and_are_not_copied() -> None:
    many: Any = "x"
    for _level in range(12):
        many = [many] * 10
    told = check({"cluster": {"name": many}})
    assert [one["path"] for one in told] == ["cluster"] and "aliases" in told[0]["should_be"]


def run_play(folder: Path, data: Any, env: dict[str, str] | None = None) -> tuple[int, dict[str, Any], str]:
    """Runs the action in a real ansible-playbook; its result comes back through a file."""
    play = [
        {
            "hosts": "localhost",
            "gather_facts": False,
            "tasks": [
                {"ondemand.cluster.cluster_check": {"cluster": "{{ cluster }}"}, "register": "told", "ignore_errors": True},
                {"ansible.builtin.copy": {"content": "{{ told | to_json }}", "dest": str(folder / "told.json"), "mode": "0600"}},
            ],
        }
    ]
    (folder / "play.yml").write_text(yaml.safe_dump(play))
    (folder / "shop.yml").write_text(yaml.safe_dump(data))
    command = [sys.executable, "-m", "ansible", "playbook", "-e", f"@{folder / 'shop.yml'}", str(folder / "play.yml")]
    full = {**os.environ, "ANSIBLE_CONFIG": str(CHECKOUT / "ansible.cfg"), **(env or {})}
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, env=full, check=False)
    return done.returncode, json.loads((folder / "told.json").read_text()), done.stdout + done.stderr


def test_a_task_with_a_wrong_file_fails_with_all_problems(tmp_path: Path) -> None:
    data, paths = bad_files()["everything_at_once"]
    code, told, output = run_play(tmp_path, data)
    assert code == 0, output
    assert told["failed"] is True
    assert [one["path"] for one in told["problems"]] == sorted(paths)
    assert told["refusal"]["reason"] == "bad_input"
    assert all(path in told["msg"] for path in paths)


def test_a_task_with_the_demo_file_passes_without_change(tmp_path: Path) -> None:
    code, told, output = run_play(tmp_path, good_files()["demo"])
    assert code == 0, output
    assert (told["failed"], told["changed"], told["problems"]) == (False, False, [])


def test_a_missing_library_is_told_in_words(tmp_path: Path) -> None:
    """A folder earlier on the path holds a jsonschema that can't be imported, as on a controller without the library."""
    (tmp_path / "jsonschema.py").write_text("raise ImportError('No module named jsonschema')\n")
    code, told, output = run_play(tmp_path, good_files()["demo"], {"PYTHONPATH": str(tmp_path)})
    assert code == 0, output
    assert told["failed"] is True
    assert "needs the Python library jsonschema" in told["msg"]
