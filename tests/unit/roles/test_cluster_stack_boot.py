# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""What the role cluster_stack puts before Corosync at boot: its own scripts, run on a folder that stands for a node's root."""

from __future__ import annotations

import configparser
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.roles.gates import GATE

CHECKOUT = Path(__file__).resolve().parents[3]
VARIABLES = ("look", "settle", "boot_files", "wanted")
# Tells of every unit what `enable` and `disable` left of it.
SYSTEMCTL = """\
#!/bin/sh
echo "$*" >>"$0.calls"
[ "$1" != list-unit-files ] || cat "$0.units" 2>/dev/null || :
"""


@pytest.fixture(scope="module")
def role(tmp_path_factory: pytest.TempPathFactory) -> dict:
    """The role's variables as its tasks see them."""
    room = tmp_path_factory.mktemp("role")
    shutil.copytree(CHECKOUT / "roles/cluster_stack", room / "roles/cluster_stack")
    values = "{{ {%s} | to_json }}" % ", ".join("'%s': __cluster_stack_%s" % (name, name) for name in VARIABLES)
    task = {"name": "Tell", "ansible.builtin.copy": {"content": values, "dest": str(room / "told"), "mode": "0600"}}
    (room / "roles/cluster_stack/tasks/main.yml").write_text(json.dumps([task]))
    answer = {"__cluster_stack_answer": {"stdout_lines": ["family=debian"]}, "ansible_python_interpreter": sys.executable}
    play = {"name": "Tell", "hosts": "localhost", "connection": "local", "gather_facts": False, "vars": answer, "roles": ["cluster_stack"]}
    (room / "play.yml").write_text(json.dumps([play]))
    command = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", "localhost,", str(room / "play.yml")]
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads((room / "told").read_text())


@pytest.fixture
def node(tmp_path: Path, role: dict):
    """Runs one of the role's scripts on a folder as the node's root."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/systemctl").write_text(SYSTEMCTL)
    (tmp_path / "bin/systemctl").chmod(0o755)
    (tmp_path / "etc/corosync").mkdir(parents=True)
    (tmp_path / "etc/os-release").write_text("ID=debian\n")

    def run(name: str, *arguments: str) -> list[str]:
        text = re.sub(r"(?<![\w}])/(etc|usr/lib/ondemand)/", rf"{tmp_path}/\1/", role[name])
        environment = {**os.environ, "PATH": f"{tmp_path}/bin:{os.environ['PATH']}"}
        done = subprocess.run(
            ["sh", "-c", text, "sh", *arguments], capture_output=True, text=True, timeout=30, check=False, env=environment
        )
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout.replace(str(tmp_path), "").splitlines()

    return run


def settled(node, role: dict, root: Path) -> None:
    """What is to be at boot is brought to the node."""
    node("settle", *(word for path, text in role["boot_files"].items() for word in (f"{root}{path}", text)))


def lacking(node, role: dict) -> set[str]:
    """The files of the boot that a look does not find as they are to be."""
    return {line.split("  ")[1] for line in set(role["wanted"]) - set(node("look")) if line.startswith("boot=")}


def test_a_node_that_was_settled_lacks_nothing_and_one_changed_file_is_seen(node, role, tmp_path):
    assert lacking(node, role) == set(role["boot_files"])
    settled(node, role, tmp_path)
    assert lacking(node, role) == set()
    for path in role["boot_files"]:
        with (tmp_path / path[1:]).open("a") as file:
            file.write("#\n")
        assert lacking(node, role) == {path}
        settled(node, role, tmp_path)
        assert lacking(node, role) == set()


def test_the_telling_starts_at_boot_and_at_once_and_by_the_new_text(node, role, tmp_path):
    settled(node, role, tmp_path)
    calls = (tmp_path / "bin/systemctl.calls").read_text().splitlines()
    assert "--quiet enable corosync.service pacemaker.service ondemand-tell.socket" in calls
    assert calls[0] == "daemon-reload" and calls[-2:] == ["stop ondemand-tell.socket ondemand-tell.service", "start ondemand-tell.socket"]
    units = "corosync.service enabled enabled\nondemand-tell.socket enabled enabled\nhaproxy.service disabled enabled\n"
    (tmp_path / "bin/systemctl.units").write_text(units)
    told = set(role["wanted"]) - set(node("look"))
    assert {one for one in told if one.startswith("unit=")} == {"unit=pacemaker.service enabled"}


def test_a_sample_of_the_package_goes_and_a_member_s_list_stays(node, role, tmp_path):
    conf = tmp_path / "etc/corosync/corosync.conf"
    for key, stays in ((True, True), (False, False)):
        conf.write_text("totem {\n}\n")
        (tmp_path / "etc/corosync/authkey").write_text("") if key else (tmp_path / "etc/corosync/authkey").unlink()
        assert ("sample=/etc/corosync/corosync.conf" in node("look")) == (not stays)
        settled(node, role, tmp_path)
        assert conf.exists() == stays


def test_what_travels_is_the_program_that_the_tests_run(role):
    assert role["boot_files"]["/usr/lib/ondemand/gate.py"] == GATE.read_text()


def unit(role: dict, name: str) -> dict[str, dict[str, str]]:
    """A unit's sections; of a key that stands twice the last value."""
    read = configparser.RawConfigParser(strict=False)
    read.optionxform = str
    read.read_string(role["boot_files"][f"/etc/systemd/system/{name}"])
    return {section: dict(read[section]) for section in read.sections()}


def test_corosync_waits_for_the_gate_and_needs_its_word(role):
    condition = {"ConditionPathExists": "/etc/corosync/authkey"}
    needs = {"Requires": "ondemand-gate.service", "After": "ondemand-gate.service"}
    assert unit(role, "corosync.service.d/ondemand.conf") == {"Unit": {**condition, **needs}}
    assert unit(role, "pacemaker.service.d/ondemand.conf") == {"Unit": condition}
    gate = unit(role, "ondemand-gate.service")
    assert gate["Unit"].items() >= condition.items()
    assert gate["Service"]["Type"] == "oneshot" and "RemainAfterExit" not in gate["Service"], "each start asks anew"
    port = unit(role, "ondemand-tell.socket")["Socket"]["ListenDatagram"]
    assert f"/usr/bin/python3 -IS /usr/lib/ondemand/gate.py ask {port}" in gate["Service"]["ExecStart"]
    assert gate["Unit"]["RefuseManualStop"] == "yes", "it would take Corosync with it"


@pytest.mark.parametrize(
    ("end", "stands"),
    [
        ("exit 0", True),
        ("exit 77", False),
        ("exit 1", True),
        ("kill -9 $$", True),
        ("kill -15 $$", True),
        ("exec /nowhere 2>/dev/null", True),
    ],
)
def test_only_the_gate_s_verdict_keeps_corosync_from_starting(role, end, stands):
    shell, _program, script = unit(role, "ondemand-gate.service")["Service"]["ExecStart"].partition(" -c ")
    program = re.search("/usr/bin/python3 [^;]*", script).group(0)
    # As systemd reads it: two dollars are one.
    text = script.strip("'").replace("$$", "$").replace(program, "sh -c '%s'" % end)
    done = subprocess.run([shell, "-c", text], check=False, timeout=30)
    assert (done.returncode == 0) == stands


def test_what_is_required_is_there_before_what_requires_it(role):
    order = [path.rpartition("/")[2] for path in role["boot_files"]]
    assert order.index("gate.py") < order.index("ondemand-gate.service") < order.index("ondemand.conf") and order[-1] == "ondemand.conf"
    assert list(role["boot_files"])[-1].endswith("corosync.service.d/ondemand.conf")


def test_systemd_takes_the_units(role, tmp_path):
    paths = []
    for name in ("ondemand-gate.service", "ondemand-tell.service", "ondemand-tell.socket"):
        paths.append(tmp_path / name)
        paths[-1].write_text(role["boot_files"][f"/etc/systemd/system/{name}"])
    done = subprocess.run(["systemd-analyze", "verify", *map(str, paths)], capture_output=True, text=True, timeout=60, check=False)
    own = [line for line in done.stderr.splitlines() if "ondemand-" in line]
    assert (done.returncode, own) == (0, []), done.stderr
