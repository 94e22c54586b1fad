# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""Two runs of the role hypervisor on one host: whoever finds that the other was faster has what it wants, and no failure.

The role's own tasks in real runs, with programs in the place of libvirt's and the kernel's that tell what those tell the slower one.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[3]
FASTER = {
    "virsh": """#!/bin/sh
case "$*" in
  *pool-define-as*) echo "error: operation failed: pool 'ondemand' already exists with uuid 1" >&2; exit 1 ;;
  *pool-start*) echo "error: Requested operation is not valid: pool 'ondemand' is already active" >&2; exit 1 ;;
  *pool-uuid*) echo 1 ;;
  *pool-info*) printf 'Name:           ondemand\\nState:          running\\n' ;;
esac
""",
    "ip": """#!/bin/sh
case "$*" in *"link add"*) echo "RTNETLINK answers: File exists" >&2; exit 2 ;; esac
""",
}
NOBODY = {
    "virsh": "#!/bin/sh\ncase \"$*\" in *pool-info*) echo 'State:          inactive' ;; *) exit 1 ;; esac\n",
    "ip": "#!/bin/sh\nexit 1\n",
}
# The package manager of the test, which writes down what it is asked for.
MANAGER = """#!/usr/bin/python
import json
from ansible.module_utils.basic import AnsibleModule

module = AnsibleModule(argument_spec={key: {"type": "raw"} for key in ("name", "state", "lock_timeout")})
with open(%r, "w") as told:
    json.dump(module.params, told)
module.exit_json(changed=True)
"""


def play(folder: Path, part: str, looked: list[str], path: str = "", **variables: Any) -> subprocess.CompletedProcess[str]:
    """Runs a part of the role on this machine, after a look that found this."""
    role = {"name": "ondemand.cluster.hypervisor", "tasks_from": part}
    given = {"__hypervisor_answer": {"stdout_lines": looked}, "__hypervisor_look": "printf '%s\\n' " + " ".join(looked), **variables}
    (folder / "play.yml").write_text(
        json.dumps([{"hosts": "localhost", "connection": "local", "gather_facts": False, "tasks": [{"import_role": role}]}])
    )
    command = [str(Path(sys.executable).with_name("ansible-playbook")), "play.yml", "-e", json.dumps(given)]
    environment = {**os.environ, "ANSIBLE_NOCOLOR": "1", "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "var/collections")}
    environment["PATH"] = f"{path}:{os.environ['PATH']}" if path else os.environ["PATH"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False, env=environment)


def programs(folder: Path, texts: dict[str, str]) -> str:
    """A folder of these programs."""
    made = folder / "bin"
    made.mkdir()
    for name, text in texts.items():
        (made / name).write_text(text)
        (made / name).chmod(0o755)
    return str(made)


@pytest.mark.skipif(os.getuid() != 0, reason="the pool's directory becomes root's")
@pytest.mark.parametrize(("texts", "code"), [(FASTER, 0), (NOBODY, 2)], ids=["another run was faster", "it really fails"])
@pytest.mark.parametrize("lacks", ["pool", "started"])
def test_a_pool_that_another_run_made_meanwhile_is_there(tmp_path: Path, texts: dict[str, str], code: int, lacks: str) -> None:
    done = play(tmp_path, "pool", [f"lacks={lacks}"], programs(tmp_path, texts), hypervisor_pool_path=str(tmp_path / "pool"))
    assert done.returncode == code, done.stdout


@pytest.mark.parametrize(("texts", "code"), [(FASTER, 0), (NOBODY, 2)], ids=["another run was faster", "it really fails"])
def test_a_bridge_that_another_run_made_meanwhile_is_there(tmp_path: Path, texts: dict[str, str], code: int) -> None:
    done = play(tmp_path, "bridge", ["lacks=bridge"], programs(tmp_path, texts), hypervisor_bridge_create=True)
    assert done.returncode == code, done.stdout


@pytest.mark.parametrize(("family", "waits"), [("family=Debian", True), ("family=RedHat", True), ("other", False)])
def test_an_installation_of_another_run_is_waited_for_where_the_package_manager_can(tmp_path: Path, family: str, waits: bool) -> None:
    (tmp_path / "library").mkdir()
    (tmp_path / "library/apt.py").write_text(MANAGER % str(tmp_path / "told.json"))
    done = play(tmp_path, "packages", [family, "lacks=packages"], hypervisor_packages=["qemu"], ansible_package_use="apt")
    assert done.returncode == 0, done.stdout
    told = json.loads((tmp_path / "told.json").read_text())
    assert (told["name"], (told["lock_timeout"] or 0) > 300) == (["qemu"], waits), told
