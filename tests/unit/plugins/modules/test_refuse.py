# Copyright: (c) 2026, the ondemand.cluster contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action refuse, in a real run of ansible-playbook."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[4]


def told(tmp_path, refusals):
    """The result of one task that refuses these."""
    play = [
        {
            "hosts": "localhost",
            "gather_facts": False,
            "tasks": [
                {"ondemand.cluster.refuse": {"refusals": refusals}, "register": "told", "ignore_errors": True},
                {"ansible.builtin.copy": {"content": "{{ told | to_json }}", "dest": str(tmp_path / "told.json"), "mode": "0600"}},
            ],
        }
    ]
    (tmp_path / "play.yml").write_text(json.dumps(play))
    command = [str(pathlib.Path(sys.executable).with_name("ansible-playbook")), str(tmp_path / "play.yml")]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, check=False, text=True, timeout=60, env={**os.environ, "ANSIBLE_LOCALHOST_WARNING": "0"}
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads((tmp_path / "told.json").read_text())


def test_nothing_to_refuse_is_fine(tmp_path):
    result = told(tmp_path, [])
    assert (result["failed"], result["changed"]) == (False, False)


def test_every_sentence_is_told_and_the_first_reason_counts(tmp_path):
    result = told(tmp_path, [{"reason": "maximum", "sentence": "too many"}, {"reason": "no_room", "sentence": "no room"}])
    assert result["failed"] is True
    assert result["refusal"] == {"reason": "maximum", "sentence": "too many; no room"}
    assert result["msg"] == "too many; no room"


@pytest.mark.parametrize("refusals", [[{"reason": "whim", "sentence": "no"}], [{"reason": "maximum"}]])
def test_a_reason_that_nobody_knows_or_a_missing_sentence_is_told(tmp_path, refusals):
    assert "refusal" not in told(tmp_path, refusals)
    assert told(tmp_path, refusals)["failed"] is True
