# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""The action image_plan, in a real run of ansible-playbook. What it decides: tests/unit/plugins/plugin_utils/test_image_plan.py."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.ondemand.cluster.plugins.modules import image_plan
from ansible_collections.ondemand.cluster.plugins.plugin_utils import lease_holder, work_dir

ROOT = Path(__file__).resolve().parents[4]


@pytest.fixture
def told(tmp_path: Path) -> Any:
    """Runs the module's own example with some options in the place of its own, in check mode; gives the result."""
    example = yaml.safe_load(image_plan.EXAMPLES)[0]["ondemand.cluster.image_plan"]
    own = {
        "name": "node",
        "hosts": [{"name": "hv1"}],
        "network": {"bridge": "br0"},
        "work_dir": "work",
        "role_path": str(ROOT / "roles/image"),
    }

    def run(checking: bool = True, **options: Any) -> dict[str, Any]:
        task = {"ondemand.cluster.image_plan": {**example, **own, **options}, "register": "told", "ignore_errors": True}
        keep = {"ansible.builtin.copy": {"content": "{{ told | to_json }}", "dest": "{{ playbook_dir }}/told.json"}, "check_mode": False}
        (tmp_path / "play.yml").write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": [task, keep]}]))
        done = subprocess.run(
            [str(Path(sys.executable).with_name("ansible-playbook")), "play.yml", *(["--check"] if checking else [])],
            cwd=tmp_path, capture_output=True, check=False, text=True, timeout=120,
            env={**os.environ, "ANSIBLE_LOCALHOST_WARNING": "0", "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "var" / "collections")},
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        result: dict[str, Any] = json.loads((tmp_path / "told.json").read_text())
        return result

    return run


def test_it_tells_what_there_is_to_do_and_makes_nothing(told: Any, tmp_path: Path) -> None:
    (tmp_path / "disk.qcow2").write_text("")
    result = told()
    assert (result["changed"], result["plan"]["due"]) == (False, True)
    assert result["plan"]["stock"]["disk"] == str(tmp_path / "disk.qcow2"), "a relative path counts from where the operator stands"
    assert not (tmp_path / "work").exists()


def test_a_folder_that_another_run_builds_in_is_waited_for_and_refused(told: Any, tmp_path: Path) -> None:
    (tmp_path / "disk.qcow2").write_text("")
    mine = f"{lease_holder._machine()}.{os.getpid()}.{lease_holder._start(os.getpid())}.a"
    claim = {"token": mine, "holder": "anna@here", "purpose": "the image other", "since": time.time()}
    assert work_dir.take(str(tmp_path / "work"), claim) == {}
    assert told()["plan"]["due"] is True, "check mode builds nothing"
    begun = time.monotonic()
    refused = told(checking=False, wait_s=3)
    assert (refused["refusal"]["reason"], time.monotonic() - begun > 3) == ("held", True), refused
    assert f"in {tmp_path}/work by anna@here: the image other, begun" in refused["msg"]
    (tmp_path / "work" / work_dir.FILE).unlink()
    assert told(checking=False)["plan"]["due"] is True
    kept = json.loads((tmp_path / "work" / work_dir.FILE).read_text())
    assert kept["purpose"] == "the image node" and lease_holder.is_dead(kept["token"]), "it is the run's of ansible-playbook, which is over"


def test_it_refuses_with_every_problem_at_once(told: Any) -> None:
    result = told(hosts=[], controller=["1000", "virsh"], files=[{"src": "a", "dest": "/a"}])
    assert result["failed"] and result["refusal"]["reason"] == "bad_input" and "plan" not in result
    assert [one for one in ("image_hosts", "image_path", "image_files", "virsh") if one not in result["msg"]] == []
    assert result["msg"].startswith("The node image can't be built: ")


def test_an_image_of_another_source_is_not_published_where_nothing_is_built(told: Any, tmp_path: Path) -> None:
    (tmp_path / "disk.qcow2").write_text("")
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "node.json").write_text('{"inputs": "of others", "generation": 1}')
    assert told()["plan"]["publish"] is False


def test_who_names_no_user_of_the_controller_is_told_so_for_bootstrap(told: Any) -> None:
    assert "needs root" in told(controller=[], source="bootstrap")["msg"]


def test_a_file_that_cannot_be_read_is_a_problem_too(told: Any, tmp_path: Path) -> None:
    (tmp_path / "disk.qcow2").write_text("")
    result = told(role_path=str(tmp_path / "nowhere" / "image"))
    assert (result["refusal"]["reason"], f"{tmp_path}/nowhere/image/files/seal: No such file" in result["msg"]) == ("bad_input", True)
