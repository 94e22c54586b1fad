# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""Services that cannot be brought keep no member from the load balancer, and are told at the end. The tasks of growth, on this machine without a cluster."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import yaml

from tests.unit.playbooks.a_run import a_run

CHECKOUT = Path(__file__).resolve().parents[3]
TASKS = CHECKOUT / "playbooks" / "tasks"
ANSIBLE = str(Path(sys.executable).with_name("ansible-playbook"))
FACTS = {"ondemand_run": a_run(plan={"joining": [], "expendable": [], "back": []}, members=["shop-n1"])}


def test_services_that_fail_keep_no_member_from_the_load_balancer_and_are_told_at_the_end(tmp_path: Path) -> None:
    demo = yaml.safe_load((CHECKOUT / "examples" / "demo.yml").read_text())
    play = {
        "hosts": "localhost",
        "connection": "local",
        "gather_facts": False,
        "vars_files": [str(CHECKOUT / "playbooks" / "vars" / "file.yml")],
        "tasks": [
            {"ansible.builtin.set_fact": FACTS},
            {"ansible.builtin.add_host": {"name": "shop-n1", "ansible_connection": "local"}},
            {"ansible.builtin.import_tasks": str(TASKS / "join.yml")},
            {
                "ansible.builtin.debug": {
                    "msg": "balancing {{ groups['ondemand_BALANCING'] | to_json }} with {{ ondemand_run.servers | to_json }}"
                }
            },
            {"ansible.builtin.import_tasks": str(TASKS / "tell_growth.yml"), "vars": {"ondemand_result": {"wanted": 1}}},
        ],
    }
    (tmp_path / "play.json").write_text(json.dumps([play]))
    (tmp_path / "cluster.json").write_text(json.dumps(demo))
    command = [ANSIBLE, str(tmp_path / "play.json"), "-e", f"@{tmp_path}/cluster.json"]
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False, timeout=120)
    output = " ".join(done.stdout.split())
    assert 'balancing [\\"shop-n1\\"] with [\\"shop-n1\\"]' in output, done.stdout + done.stderr
    told = output[output.index("Refuse what did not join") :]
    assert done.returncode == 2 and '"reason": "not_found"' in told and "No cluster answers" in told
    assert "; No cluster answers" not in told, "the same refusal was told twice"
