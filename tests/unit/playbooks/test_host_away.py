# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""While a host doesn't answer nobody knows how many VMs there are, so none is made and none goes, though all else would be possible."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.unit.playbooks.wall_stage import ALONE, Stage, domain, record

ASKED: dict[str, dict[str, Any]] = {
    "create_cluster": {},
    "scale_out": {"wanted": 3},
    "scale_in": {"wanted": 1},
    "destroy_cluster": {"confirm": "cell"},
}


@pytest.mark.parametrize("playbook", ASKED)
def test_no_vm_comes_or_goes_while_one_of_the_hosts_is_away(playbook: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stage = Stage(tmp_path, monkeypatch.setenv)
    volumes = [f"cell-n{number}{end}" for number in (1, 2) for end in (".qcow2", "-seed.iso")]
    stage.hosts({"hv1": [domain(1), domain(2)]}, volumes, away=True)
    for number in (1, 2):
        stage.says(number, record())
    stage.says(3, ALONE)
    done = stage.play(playbook, **ASKED[playbook])
    assert (done.ok, done.reason) == (False, "host_unreachable"), done.because
    assert "hv2" in done.because
    assert set(done.facts) == {"refusal"}
