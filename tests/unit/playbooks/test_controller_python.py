# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""Which Python the controller's modules run with, where the inventory lists localhost as AWX's do: Ansible's own, which has the packages."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
# Whatever Ansible would find first by guessing; none of them runs a module.
GUESSED = [f"python3.{minor}" for minor in range(8, 16)] + ["python3"]
TRACE = '#!/bin/sh\necho "$0" >>%s\n%s\n'
VARS = ROOT / "playbooks" / "vars" / "file.yml"
ELSEWHERE = {"name": "elsewhere", "ansible_connection": "local"}


class Controller:
    """A machine whose PATH begins with Pythons that tell of their use and do nothing else."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.log = folder, folder / "used.log"
        (folder / "bin").mkdir()
        for name in GUESSED:
            self.python(name, "exit 1")

    def python(self, name: str, then: str) -> Path:
        path = self.folder / "bin" / name
        path.write_text(TRACE % (self.log, then))
        path.chmod(0o755)
        return path

    def play(self, playbook: Path, localhost: str = "") -> str:
        """Plays it for the demo's cluster on hosts that don't answer; `localhost`: more of its line in the inventory."""
        cluster = yaml.safe_load((ROOT / "examples" / "demo.yml").read_text())["cluster"]
        cluster["hosts"] = [{"name": "hv1", "uri": "qemu+tcp://127.0.0.1:1/system"}]
        cluster |= {"deadlines": {"connect_s": 1}, "access": {"state_dir": str(self.folder / "state")}}
        (self.folder / "shop.yml").write_text(yaml.safe_dump({"cluster": cluster}))
        (self.folder / "inventory.ini").write_text(f"localhost ansible_connection=local {localhost}\n")
        clean = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
        clean |= {"PATH": f"{self.folder}/bin:{clean['PATH']}", "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "var" / "collections")}
        program = [sys.executable, str(Path(sys.executable).with_name("ansible-playbook"))]
        command = [*program, "-i", "inventory.ini", "-e", "@shop.yml", str(playbook)]
        done = subprocess.run(command, cwd=self.folder, env=clean, capture_output=True, text=True, timeout=120, check=False)
        return done.stdout + done.stderr

    def play_tasks(self, *tasks: dict[str, Any], there: list[dict[str, Any]] | None = None, localhost: str = "") -> str:
        """Plays the beginning of every playbook, these tasks after it, and then those on another host."""
        begin = {"ansible.builtin.import_tasks": str(ROOT / "playbooks" / "tasks" / "check.yml")}
        plays = [{"hosts": "localhost", "connection": "local", "gather_facts": False, "vars_files": [str(VARS)], "tasks": [begin, *tasks]}]
        plays += [{"hosts": "elsewhere", "gather_facts": False, "tasks": there}] if there else []
        (self.folder / "play.json").write_text(json.dumps(plays))
        return self.play(self.folder / "play.json", localhost)

    @property
    def used(self) -> set[str]:
        """The Pythons of its PATH that were called."""
        return {Path(line).name for line in self.log.read_text().split()} if self.log.exists() else set()


@pytest.fixture
def controller(tmp_path: Path) -> Controller:
    return Controller(tmp_path)


def test_the_controllers_modules_run_with_ansibles_own_python(controller: Controller) -> None:
    told = controller.play(ROOT / "playbooks" / "observe.yml")
    assert "failed=0" in told, told
    assert controller.used == set()


@pytest.mark.parametrize("setting", ["auto", "auto_silent"])
def test_to_guess_is_not_to_name_one(controller: Controller, setting: str) -> None:
    told = controller.play_tasks({"ansible.builtin.ping": {}}, localhost=f"ansible_python_interpreter={setting}")
    assert "failed=0" in told, told
    assert controller.used == set()


def test_the_python_that_the_inventory_names_is_taken(controller: Controller) -> None:
    mine = controller.python("mine", f'exec {sys.executable} "$@"')
    told = controller.play_tasks({"ansible.builtin.ping": {}}, localhost=f"ansible_python_interpreter={mine}")
    assert "failed=0" in told, told
    assert controller.used == {"mine"}


def test_what_another_hosts_play_leaves_to_the_controller_runs_so_too(controller: Controller) -> None:
    there = [{"ansible.builtin.ping": {}, "delegate_to": "localhost"}]
    told = controller.play_tasks({"ansible.builtin.add_host": ELSEWHERE}, there=there)
    assert "failed=0" in told and "unreachable=1" not in told, told
    assert controller.used == set()


def test_another_host_keeps_its_own_python(controller: Controller) -> None:
    own = controller.python("own", f'exec {sys.executable} "$@"')
    add = {"ansible.builtin.add_host": {**ELSEWHERE, "ansible_python_interpreter": str(own)}}
    told = controller.play_tasks(add, {"ansible.builtin.ping": {}, "delegate_to": "elsewhere"})
    assert "failed=0" in told, told
    assert controller.used == {"own"}
