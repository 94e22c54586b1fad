# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""While no member can tell who may change a cluster its runs hold a lease on the hosts, and give it back; else they need none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.unit.playbooks.wall_stage import ALONE, Stage, domain, record

# In the place of the module, whose hosts here keep nothing: writes down what was asked; `other_holds`, if it is there, holds the lease.
NOTED = """
import pathlib
_FOLDER = pathlib.Path(__file__).parents[2]


def _execute(self, module_name=None, module_args=None, task_vars=None):
    with (_FOLDER / "hosts_lease_asked").open("a") as asked:
        asked.write("%s %s\\n" % (module_args["state"], module_args.get("token")))
    if (_FOLDER / "other_holds").is_file() and module_args["state"] == "held":
        refusal = {"reason": "held", "sentence": "anna creates it."}
        return {"failed": True, "changed": False, "msg": "anna creates it.", "refusal": refusal, "lease": {"token": "theirs"}}
    return {"changed": False, "lease": {"token": module_args["token"]} if module_args["state"] == "held" else None}


ActionModule._execute_module = _execute
"""
VOLUMES = [f"cell-n{number}{end}" for number in (1, 2) for end in (".qcow2", "-seed.iso")]


def staged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """A stage on which the hosts' lease is noted."""
    stage = Stage(tmp_path, monkeypatch.setenv)
    action = stage.collection / "plugins/action/hosts_lease.py"
    action.write_text(action.read_text() + NOTED)
    stage.file["cluster"]["deadlines"]["lease_s"] = 1
    for number in (1, 2, 3):
        stage.says(number, ALONE)
    return stage


def asked(stage: Stage) -> list[str]:
    """What was asked of the hosts' lease, and that it was always one token."""
    noted = stage.collection / "hosts_lease_asked"
    lines = [line.split() for line in noted.read_text().splitlines()] if noted.exists() else []
    assert len({token for _state, token in lines}) <= 1
    return [state for state, _token in lines]


def test_a_creation_holds_it_from_before_the_first_vm_until_there_is_a_member(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stage = staged(tmp_path, monkeypatch)
    stage.says(1, record())
    done = stage.play("create_cluster")
    assert done.ok, done.because
    told = asked(stage)
    assert told[0] == "held" and told[-1] == "free" and "free" not in told[:-1]


@pytest.mark.parametrize(
    ("playbook", "variables"), [("create_cluster", {}), ("destroy_cluster", {"confirm": "cell"}), ("recover_cluster", {})]
)
def test_who_comes_second_touches_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, playbook: str, variables: dict[str, Any]
) -> None:
    stage = staged(tmp_path, monkeypatch)
    stage.hosts({"hv1": [domain(1, running=False), domain(2, running=False)]}, VOLUMES)
    (stage.collection / "other_holds").touch()
    done = stage.play(playbook, **variables)
    assert (done.ok, done.reason) == (False, "held"), done.because
    assert set(asked(stage)) == {"held"}, "what it does not hold it does not give back"


@pytest.mark.parametrize(
    ("playbook", "variables"), [("scale_out", {"wanted": 3}), ("scale_in", {"wanted": 1}), ("move_service", {"service": "ledger"})]
)
def test_where_a_member_tells_none_is_needed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, playbook: str, variables: dict[str, Any]
) -> None:
    stage = staged(tmp_path, monkeypatch)
    stage.hosts({"hv1": [domain(1), domain(2)]}, VOLUMES)
    for number in (1, 2):
        stage.says(number, record())
    (stage.collection / "other_holds").touch()
    stage.file["cluster"]["scaling"]["scale_in"]["drain_end"] = "cut"
    done = stage.play(playbook, **variables)
    assert done.ok, done.because
    assert asked(stage) == []


def test_a_destruction_holds_it_beside_the_cluster_s_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stage = staged(tmp_path, monkeypatch)
    stage.hosts({"hv1": [domain(1), domain(2)]}, VOLUMES)
    for number in (1, 2):
        stage.says(number, record())
    done = stage.play("destroy_cluster", confirm="cell")
    assert done.ok, done.because
    told = asked(stage)
    assert told[0] == "held" and told[-1] == "free"
    assert "take cell-n1" in (stage.collection / "lease_asked").read_text()
