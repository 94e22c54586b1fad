# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""While a host doesn't answer only the cluster knows who there is: scaling goes on over the hosts that answer, and nothing is given twice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.unit.playbooks.wall_stage import ALONE, Stage, domain, record, with_lost

VOLUMES = [f"cell-n{number}{end}" for number in (1, 2) for end in (".qcow2", "-seed.iso")]


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """Two members on the first host; the second one doesn't answer."""
    made = Stage(tmp_path, monkeypatch.setenv)
    made.hosts({"hv1": [domain(1), domain(2)]}, VOLUMES, away=True)
    for number in (1, 2):
        made.says(number, record())
    return made


def test_a_cluster_grows_on_the_host_that_answers(stage: Stage) -> None:
    stage.says(3, ALONE)
    done = stage.play("scale_out", wanted=3)
    assert done.ok, done.because
    assert done.facts["nodes"] == ["cell-n1", "cell-n2", "cell-n3"] and [one["host"] for one in done.facts["vms"]] == ["hv1"]


def test_no_new_vm_is_called_like_a_member_whose_host_is_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stage = Stage(tmp_path, monkeypatch.setenv)
    stage.hosts({"hv1": [domain(1)]}, VOLUMES[:2], away=True)
    stage.says(1, record())
    stage.says(2, record())
    stage.says(3, ALONE)
    done = stage.play("scale_out", wanted=3)
    assert done.ok, done.because
    assert done.facts["nodes"] == ["cell-n1", "cell-n2", "cell-n3"], "cell-n2 is online and counts"
    assert [(one["name"], one["address"]) for one in done.facts["vms"]] == [("cell-n3", "10.98.0.13")]


@pytest.mark.parametrize("lost", [False, True], ids=["online", "away"])
def test_no_new_vm_is_called_like_a_member_whose_host_was_taken_out_of_the_file(
    lost: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = Stage(tmp_path, monkeypatch.setenv)
    stage.hosts({"hv1": [domain(1)]}, VOLUMES[:2])
    stage.says(1, with_lost(record(), "cell-n2") if lost else record())
    stage.says(2, ALONE if lost else record())
    stage.says(3, ALONE)
    done = stage.play("scale_out", wanted=2)
    assert done.ok or lost, done.because
    assert "cell-n2" not in [one["name"] for one in done.facts.get("vms", [])]
    if not lost:
        assert done.ok, done.because
        assert [(one["name"], one["address"]) for one in done.facts["vms"]] == [("cell-n3", "10.98.0.13")]


def test_a_cluster_shrinks_on_the_host_that_answers(stage: Stage) -> None:
    stage.file["cluster"]["scaling"]["scale_in"]["drain_end"] = "cut"
    done = stage.play("scale_in", wanted=1)
    assert done.ok, done.because
    assert [one["host"] for one in done.facts["removed"]] == ["hv1"]


ASKED: dict[str, dict[str, Any]] = {"create_cluster": {}, "scale_out": {"wanted": 3}, "scale_in": {"wanted": 1}, "recover_cluster": {}}


@pytest.mark.parametrize("playbook", ASKED)
def test_no_vm_comes_or_goes_where_no_cluster_tells_who_there_is(playbook: str, stage: Stage) -> None:
    for number in (1, 2, 3):
        stage.says(number, ALONE)
    done = stage.play(playbook, **ASKED[playbook])
    assert (done.ok, done.reason) == (False, "host_unreachable"), done.because
    assert "hv2" in done.because
    assert set(done.facts) == {"refusal"}


def test_a_cluster_is_not_destroyed_in_part(stage: Stage) -> None:
    done = stage.play("destroy_cluster", confirm="cell")
    assert (done.ok, done.reason) == (False, "host_unreachable"), done.because
