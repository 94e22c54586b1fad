# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""prepare_host becomes root where the login isn't, and calls no sudo where it is. In check mode, on this machine as the host."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys

import pytest
import yaml

ROOT = pathlib.Path(__file__).parents[3]


@pytest.fixture
def prepare(tmp_path):
    """Runs prepare_host with a login of this uid; its output, and what sudo was called for. This sudo lets nobody through."""
    cluster = yaml.safe_load((ROOT / "examples" / "demo.yml").read_text())
    cluster["cluster"]["hosts"] = [{"name": "hv1", "uri": "qemu:///system"}]
    cluster["cluster"]["network"]["bridge"] = "nobridge0"
    (tmp_path / "shop.yml").write_text(yaml.safe_dump(cluster))

    def run(uid, *options):
        for name, text in {"id": f"echo {uid}", "sudo": f'echo "$*" >>{tmp_path}/sudo.log; echo no >&2; exit 1'}.items():
            path = tmp_path / "bin" / name
            path.parent.mkdir(exist_ok=True)
            path.write_text("#!/bin/sh\n" + text + "\n")
            path.chmod(0o755)
        program = pathlib.Path(sys.executable).with_name("ansible-playbook")
        command = [str(program), "playbooks/prepare_host.yml", "--check", "-e", "@%s/shop.yml" % tmp_path, *options]
        # Ansible itself spares root the way to root; here it may not, so that it is seen what the playbook says.
        environment = {
            **os.environ,
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_BECOME_ALLOW_SAME_USER": "1",
            "PATH": "%s/bin:%s" % (tmp_path, os.environ["PATH"]),
        }
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False, env=environment)
        log = tmp_path / "sudo.log"
        return " ".join((done.stdout + done.stderr).split()), log.read_text() if log.exists() else ""

    return run


def test_a_login_that_is_not_root_becomes_root(prepare):
    output, called = prepare(1000)
    assert called, output


def test_who_logs_in_is_asked_of_the_login_also_where_all_is_to_become_root(prepare):
    output, called = prepare(1000, "--become")
    assert called and "id -u" not in called, output


def test_root_gets_on_without_sudo(prepare):
    output, called = prepare(0)
    assert not called, output
    assert "hv1 has no network bridge nobridge0" in output


def test_nobody_becomes_root_on_the_controller():
    plays = yaml.safe_load((ROOT / "playbooks" / "prepare_host.yml").read_text())
    own = [play for play in plays if play["hosts"] == "localhost"]
    assert len(own) == 2
    blocks = [block for play in own for block in play["tasks"]]
    tasks = [task for block in blocks for task in block["block"] + block["rescue"]]
    assert len(tasks) >= 4
    assert [thing for thing in (*own, *blocks, *tasks) if "become" in thing] == []
