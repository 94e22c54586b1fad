# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""The keys of the state directory: whole after a run, whatever an earlier one left when it was ended; and never made anew for VMs that exist."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.unit.playbooks.a_run import a_run

CHECKOUT = Path(__file__).resolve().parents[3]
ANSIBLE = str(Path(sys.executable).with_name("ansible-playbook"))
PRIVATE, PUBLIC = "id_ed25519", "id_ed25519.pub"


def run(state: Path, vms: list[dict[str, Any]]) -> tuple[int, int, str]:
    """Runs the tasks; exit code, how many tasks changed something, and the output."""
    play = {
        "hosts": "localhost",
        "connection": "local",
        "gather_facts": False,
        "vars": {
            "ondemand_run": a_run(vms=vms),
            "ondemand_file": {"name": "shop"},
            "ondemand_state_dir": str(state),
            "ondemand_private_key": str(state / PRIVATE),
            "ondemand_login_key": str(state / PUBLIC),
            "ondemand_stats_password": str(state / "stats_password"),
        },
        "tasks": [{"ansible.builtin.include_tasks": str(CHECKOUT / "playbooks" / "tasks" / "access.yml")}],
    }
    file = state.with_name("play.json")
    file.write_text(json.dumps([play]))
    done = subprocess.run([ANSIBLE, str(file)], cwd=CHECKOUT, capture_output=True, text=True, check=False, timeout=120)
    recap = done.stdout.split("PLAY RECAP")[-1]
    return done.returncode, sum(int(word[8:]) for word in recap.split() if word.startswith("changed=")), done.stdout


def made(folder: Path) -> None:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / PRIVATE)], check=True)


LEFT = {
    "nothing": ([], []),
    "the public half alone": ([PRIVATE], []),
    "the private half alone": ([PUBLIC], []),
    "a key that was not finished": ([PRIVATE, PUBLIC], [f"{PRIVATE}.new", f"{PRIVATE}.new.pub"]),
}


@pytest.mark.parametrize(("lacking", "odd"), LEFT.values(), ids=list(LEFT))
def test_whatever_was_left_the_keys_are_one_pair_afterwards(tmp_path: Path, lacking: list[str], odd: list[str]) -> None:
    state = tmp_path / "state"
    if lacking or odd:
        state.mkdir()
        made(state)
    kept = (state / PRIVATE).read_text() if state.is_dir() and PRIVATE not in lacking else None
    for name in lacking:
        (state / name).unlink()
    for name in odd:
        (state / name).write_text("half of a k")
    code, changes, output = run(state, [])
    assert code == 0 and changes > 0, output
    public = subprocess.run(["ssh-keygen", "-y", "-f", str(state / PRIVATE)], capture_output=True, text=True, check=True).stdout
    assert (state / PUBLIC).read_text() == public
    assert kept in (None, (state / PRIVATE).read_text()), "the key that VMs may know was made anew"
    assert {one.name: oct(one.stat().st_mode & 0o777) for one in state.iterdir()} == {
        PRIVATE: "0o600",
        PUBLIC: "0o644",
        "stats_password": "0o600",
    }
    assert run(state, [])[:2] == (0, 0)


def test_for_vms_that_exist_no_other_key_is_made(tmp_path: Path) -> None:
    code, changes, output = run(
        tmp_path / "state",
        [{"name": "shop-n1", "host": "hv1", "new": False}, {"name": "shop-n2", "host": "hv1", "new": True, "address": "10.0.0.3"}],
    )
    assert (code, changes) == (2, 0)
    assert "the key that logs in to shop-n1 is not in" in output and "shop-n2" not in output
    assert not (tmp_path / "state").exists()
