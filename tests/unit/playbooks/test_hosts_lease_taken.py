# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""While no member can tell who may change a cluster its runs hold a lease on the hosts, and give it back; else they need none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.ondemand.cluster.plugins.module_utils._libvirt.host.hosts_lease import Claim, domain_xml
from ansible_collections.ondemand.cluster.plugins.module_utils._libvirt.vm.render import Machine

from tests.unit.playbooks.wall_stage import ALONE, Stage, domain, record

VOLUMES = [f"cell-n{number}{end}" for number in (1, 2) for end in (".qcow2", "-seed.iso")]


def staged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """A stage on which each VM that is made, started or deleted is noted too."""
    stage = Stage(tmp_path, monkeypatch.setenv)
    module = stage.collection / "plugins/modules/vm.py"
    noted = "def main():\n    open(%r, 'a').write('vm\\n')\n" % str(stage.collection / "vms_touched")
    module.write_text(module.read_text().replace("def main():\n", noted))
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
    assert told[0] == "held" and set(told[1:-1]) <= {"kept"} and told[-1] == "free"
    assert not (stage.collection / "hosts_lease").exists()


@pytest.mark.parametrize(
    ("playbook", "variables"), [("create_cluster", {}), ("destroy_cluster", {"confirm": "cell"}), ("recover_cluster", {})]
)
def test_who_comes_second_touches_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, playbook: str, variables: dict[str, Any]
) -> None:
    stage = staged(tmp_path, monkeypatch)
    stage.hosts({"hv1": [domain(1, running=False), domain(2, running=False)]}, VOLUMES)
    (stage.collection / "hosts_lease").write_text("theirs")
    done = stage.play(playbook, **variables)
    assert (done.ok, done.reason) == (False, "held"), done.because
    assert set(asked(stage)) == {"held"}, "what it does not hold it does not give back"
    assert not (stage.collection / "vms_touched").exists()


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
    (stage.collection / "hosts_lease").write_text("theirs")
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
    assert told[0] == "held" and set(told[1:-1]) == {"kept"} and told[-1] == "free"
    assert "take cell-n1" in (stage.collection / "lease_asked").read_text()


@pytest.mark.parametrize("still_there", [True, False], ids=["it is still at work", "it has ended"])
def test_a_cluster_that_another_run_is_still_making_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, still_there: bool
) -> None:
    """Its first member tells of a cluster already, whose lease is free."""
    stage = staged(tmp_path, monkeypatch)
    claim = Claim("theirs", "anna", "create the cluster", 1, 2)
    stands = domain_xml(Machine("test", "i686"), "cell", claim, "00000000-0000-0000-0000-0000000000aa")
    stage.hosts({"hv1": [domain(1), domain(2), stands]}, VOLUMES)
    for number in (1, 2):
        stage.says(number, record())
    if still_there:
        (stage.collection / "hosts_lease").write_text("theirs")
    done = stage.play("move_service", service="ledger")
    assert done.ok is not still_there, done.because
    assert done.reason == ("held" if still_there else "")
    assert asked(stage)[-1] == ("held" if still_there else "free")
    lease = stage.collection / "lease_asked"
    assert lease.exists() is not still_there, "the cluster's own lease is not taken from whoever makes it"
