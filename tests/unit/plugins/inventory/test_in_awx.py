# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""The inventory plugin where AWX calls it: in a project folder, with what AWX installed beside it, and AWX's environment."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.unit.ssh_seen import LOOSE, ROOT, call, environment_of_awx, seen


@pytest.fixture
def runner(cluster, tmp_path) -> Path:
    """The folder of a job: the project with its two files, the collection beside it, and no other."""
    project, beside = tmp_path / "project", tmp_path / "requirements_collections" / "ansible_collections" / "ondemand"
    project.mkdir()
    beside.mkdir(parents=True)
    (beside / "cluster").symlink_to(ROOT)
    cluster["access"] = {"state_dir": str(tmp_path / "state")}
    (project / "shop.yml").write_text(yaml.safe_dump({"cluster": cluster}))
    (project / "vms.yml").write_text(yaml.safe_dump({"plugin": "ondemand.cluster.vms", "cluster_file": "shop.yml"}))
    return tmp_path


def update(runner: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """An inventory update as AWX calls it, with what is in the environment of its own accord left out."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
    clean |= {"HOME": str(runner), "ANSIBLE_INVENTORY_UNPARSED_FAILED": "True", **environment}
    program, source = Path(sys.executable).with_name("ansible-inventory"), runner / "project" / "vms.yml"
    command = [str(program), "--list", "--export", "-i", str(source), "--playbook-dir", str(source.parent)]
    return subprocess.run(command, cwd=source.parent, env=clean, capture_output=True, text=True, timeout=120, check=False)


def test_an_inventory_source_of_awx_finds_the_collection(runner: Path) -> None:
    shutil.copy(ROOT / "ansible.cfg", runner / "project")
    # Its old name: the only one that AWX sets for a source, and ansible-core no longer reads it.
    installed = str(runner / "requirements_collections")
    done = update(runner, ANSIBLE_COLLECTIONS_PATHS=f"{installed}:~/.ansible/collections:/usr/share/ansible/collections")
    assert done.returncode == 0, done.stderr
    assert set(json.loads(done.stdout)["_meta"]["hostvars"]) == {"my-shop-n1"}


def test_the_checkout_comes_before_what_is_installed(runner: Path) -> None:
    # Beside the project, and in the user's folder, lie collections of the name that have no such plugin.
    project = runner / "project"
    shutil.copy(ROOT / "ansible.cfg", project)
    own = project / "var" / "collections"
    (runner / "requirements_collections").rename(runner / "own")
    own.parent.mkdir()
    (runner / "own").rename(own)
    for other in (runner / "requirements_collections", runner / ".ansible" / "collections"):
        folder = other / "ansible_collections" / "ondemand" / "cluster"
        folder.mkdir(parents=True)
        (folder / "galaxy.yml").write_text("{namespace: ondemand, name: cluster, version: 0.0.1}\n")
    done = update(runner)
    assert done.returncode == 0, done.stderr
    assert set(json.loads(done.stdout)["_meta"]["hostvars"]) == {"my-shop-n1"}


@pytest.mark.parametrize("loose", LOOSE)
@pytest.mark.parametrize("pin", ["command", "file"])
def test_the_vms_of_the_inventory_are_checked_strictly(pin: str, loose: str, runner: Path) -> None:
    project = runner / "project"
    (project / "ansible.cfg").write_text(LOOSE[loose])
    (project / "vms.yml").write_text(yaml.safe_dump({"plugin": "ondemand.cluster.vms", "cluster_file": "shop.yml", "pin": pin}))
    assert environment_of_awx(project)["ANSIBLE_HOST_KEY_CHECKING"] == "False"
    told = call("ansible", "-i", project / "vms.yml", "all", "-m", "ansible.builtin.raw", "-a", "true", folder=project)
    assert "UNREACHABLE" in told, told
    calls = seen(project)
    assert {options["hostname"] for options in calls} == {"10.0.0.2"}
    for options in calls:
        assert options["stricthostkeychecking"] in ("true", "yes")
        named = options["userknownhostsfile"].strip('"'), "knownhostscommand" in options
        assert named == (("/dev/null", True) if pin == "command" else (f"{runner}/state/known_hosts", False))
