# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""What the playbooks say to wrong input, in real runs of ansible-playbook. No host is reachable here: nothing may even try one."""

from __future__ import annotations

import os
import pathlib
import re
import subprocess
import sys

import pytest
import yaml

ROOT = pathlib.Path(__file__).parents[3]
DEMO = ROOT / "examples" / "demo.yml"


def run(playbook, tmp_path, change=None, **variables):
    """Run a playbook with the demo's cluster file, changed; its code, its output, and what it left in the state directory."""
    file = yaml.safe_load(DEMO.read_text())
    # Nobody listens there, so a run that gets as far as its hosts fails differently.
    for port, host in enumerate(file["cluster"]["hosts"], start=1):
        host["uri"] = "qemu+tcp://127.0.0.1:%d/system" % port
    file["cluster"]["deadlines"] = {"connect_s": 1}
    file["cluster"]["access"] = {"state_dir": str(tmp_path / "state")}
    if change:
        change(file)
    path = tmp_path / "cluster.yml"
    path.write_text(yaml.safe_dump(file))
    program = pathlib.Path(sys.executable).with_name("ansible-playbook")
    command = [str(program), "playbooks/%s.yml" % playbook, "-e", "@%s" % path]
    for name, value in variables.items():
        command += ["-e", "%s=%s" % (name, value)]
    environment = {**os.environ, "ANSIBLE_LOCALHOST_WARNING": "0", "ANSIBLE_NOCOLOR": "1"}
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, env=environment)
    return done.returncode, done.stdout + done.stderr, (tmp_path / "state").exists()


def reasons(output):
    """Reasons of the refusals in the output of a run."""
    return set(re.findall(r'"reason": "(\w+)"', output))


def wrong_in_three_places(file):
    file["cluster"]["name"] = "Shop"
    file["cluster"]["network"]["prefix"] = 99
    file["cluster"]["services"][0]["kind"] = "odd"


PLAYBOOKS = [
    "create_cluster",
    "scale_out",
    "scale_in",
    "move_service",
    "configure_services",
    "observe",
    "recover_cluster",
    "what_if",
    "destroy_cluster",
]
NEEDED = {
    "what_if": {"leave": "shop-n1"},
    "scale_out": {"wanted": 2},
    "scale_in": {"wanted": 1},
    "move_service": {"service": "ledger"},
    "destroy_cluster": {"confirm": "shop"},
}


@pytest.mark.parametrize("playbook", PLAYBOOKS)
def test_a_wrong_file_is_told_whole_and_nothing_is_touched(playbook, tmp_path):
    code, output, touched = run(playbook, tmp_path, wrong_in_three_places, **NEEDED.get(playbook, {}))
    assert code == 2, output
    assert all(path in output for path in ("cluster.name", "cluster.network.prefix", "cluster.services[0].kind")), output
    assert reasons(output) == {"bad_input"}
    assert not touched


REFUSED = {
    "more than the most is refused": ("scale_out", {"wanted": 4}, "maximum", "raise requirement.nodes.max"),
    "growing without a number is refused": ("scale_out", {}, "bad_input", "wanted"),
    "growing by a word is refused": ("scale_out", {"wanted": "lots"}, "bad_input", "lots"),
    "less than the least is refused": ("scale_in", {"wanted": 0}, "minimum", "lower requirement.nodes.min"),
    "shrinking without a number is refused": ("scale_in", {}, "bad_input", "wanted"),
    "a service that the file does not have is refused": ("move_service", {"service": "mail"}, "not_found", "ledger"),
    "a balanced service is not moved": ("move_service", {"service": "web"}, "not_found", "ledger"),
    "moving nothing is refused": ("move_service", {}, "not_found", "missing"),
    "deleting without the name is refused": ("destroy_cluster", {}, "bad_input", "confirm must be shop"),
    "deleting by another name is refused": ("destroy_cluster", {"confirm": "ship"}, "bad_input", "confirm must be shop"),
}


@pytest.mark.parametrize("playbook, variables, reason, words", REFUSED.values(), ids=REFUSED.keys())
def test_a_wrong_wish_is_refused_before_anything_is_touched(playbook, variables, reason, words, tmp_path):
    code, output, touched = run(playbook, tmp_path, **variables)
    assert code == 2, output
    assert reasons(output) == {reason}, output
    assert words in " ".join(output.split())
    assert not touched


@pytest.mark.parametrize("playbook", ["scale_in", "what_if", "destroy_cluster"])
def test_a_host_that_does_not_answer_is_refused_where_its_vms_count(playbook, tmp_path):
    code, output, _touched = run(playbook, tmp_path, **NEEDED[playbook])
    assert code == 2, output
    assert reasons(output) == {"host_unreachable"}, output
    assert "hv1" in output and "hv2" in output


def test_observing_goes_on_without_any_host(tmp_path):
    code, output, _touched = run("observe", tmp_path)
    assert code == 0, output
    assert not reasons(output)
