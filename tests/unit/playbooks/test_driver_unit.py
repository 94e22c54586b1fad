# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""The driver's systemd unit, as the role writes it, read by systemd's own checker."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[3]
ROLE = ROOT / "roles" / "driver"


@pytest.fixture(scope="module")
def unit(tmp_path_factory):
    """The unit with the role's defaults, but for programs and users that exist here."""
    directory = tmp_path_factory.mktemp("unit")
    program = directory / "venv" / "bin" / "ondemand"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    path = directory / "ondemand-driver@.service"
    play = [
        {
            "hosts": "localhost",
            "gather_facts": False,
            "vars_files": [str(ROLE / "defaults" / "main.yml")],
            "tasks": [
                {
                    "ansible.builtin.template": {
                        "src": str(ROLE / "templates" / "ondemand-driver@.service.j2"),
                        "dest": str(path),
                        "mode": "0600",
                    }
                }
            ],
        }
    ]
    (directory / "play.yml").write_text(json.dumps(play))
    command = [str(pathlib.Path(sys.executable).with_name("ansible-playbook")), str(directory / "play.yml")]
    command += ["-e", json.dumps({"driver_directory": str(directory), "driver_user": "root"})]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, env={**os.environ, "ANSIBLE_NOCOLOR": "1"})
    assert done.returncode == 0, done.stdout + done.stderr
    return path


def settings(unit):
    return dict(line.split("=", 1) for line in unit.read_text().splitlines() if "=" in line and not line.startswith("#"))


def test_systemd_understands_the_whole_unit(unit):
    instance = unit.with_name("ondemand-driver@shop.service")
    instance.write_text(unit.read_text())
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", str(instance)], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr.strip()) == (0, "")


def test_a_stop_ends_the_waiting_and_never_a_step(unit):
    told = settings(unit)
    assert (told["KillMode"], told["TimeoutStopSec"]) == ("mixed", "900")


def test_the_driver_can_write_to_its_home_alone(unit):
    told = settings(unit)
    assert (told["ProtectSystem"], told["ReadWritePaths"], told["NoNewPrivileges"]) == ("strict", "/var/lib/ondemand", "yes")
