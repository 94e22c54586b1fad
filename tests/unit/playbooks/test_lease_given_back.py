# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""A run gives its lease back to those who are there: a VM that it deleted is not asked, which would wait for a broken connection."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.playbooks.wall_stage import ALONE, Stage, domain, record


def test_who_was_deleted_is_not_asked_to_take_the_lease_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stage = Stage(tmp_path, monkeypatch.setenv)
    volumes = [f"cell-n{number}{end}" for number in (1, 2, 5) for end in (".qcow2", "-seed.iso")]
    stage.hosts({"hv1": [domain(1), domain(2), domain(5)]}, volumes)
    stage.says(1, ALONE)
    for number in (2, 5):
        stage.says(number, record().replace("cell-n1", "cell-n5"))
    # Nobody takes it back, so that everybody who may is asked.
    (stage.collection / "lease_stays").touch()
    done = stage.play("scale_in", wanted=2)
    assert done.ok and [one["name"] for one in done.facts["removed"]] == ["cell-n1"], (done.because, done.facts)
    asked = (stage.collection / "lease_asked").read_text().splitlines()
    assert sorted(one for one in asked if one.startswith("end")) == ["end cell-n2", "end cell-n5"]
