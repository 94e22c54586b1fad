# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""A run gives its lease back to those who are there: a VM that it deleted is not asked, which would wait for a broken connection."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.unit.playbooks.wall_stage import ALONE, Stage, domain, record


def meanwhile(stage: Stage, then: Callable[[], None]) -> threading.Thread:
    """Another run has the lease, until this one has asked for it; what it does last, and that it gives the lease back."""
    lease = stage.collection / "lease_theirs"
    lease.write_text(f"theirs {int(time.time()) + 300} {int(time.time())} anna scale_out")

    def other_run() -> None:
        until = time.monotonic() + 60
        while not (stage.collection / "lease_asked").exists() and time.monotonic() < until:
            time.sleep(0.1)
        then()
        lease.unlink()

    other = threading.Thread(target=other_run)
    other.start()
    return other


VOLUMES = [f"cell-n{number}{end}" for number in (1, 2, 5) for end in (".qcow2", "-seed.iso")]


def test_after_a_wait_the_vms_are_those_that_the_other_run_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It made cell-n1 after this run had looked, and gave its lease back: of three VMs one is too many, of two none was."""
    stage = Stage(tmp_path, monkeypatch.setenv)
    stage.file["cluster"]["deadlines"]["lease_s"] = 60
    stage.hosts({"hv1": [domain(2), domain(5)]}, VOLUMES)
    stage.says(1, ALONE)
    for number in (2, 5):
        stage.says(number, record().replace("cell-n1", "cell-n5"))
    other = meanwhile(stage, lambda: stage.hosts({"hv1": [domain(1), domain(2), domain(5)]}, VOLUMES))
    done = stage.play("scale_in", wanted=2)
    other.join()
    assert done.ok and [one["name"] for one in done.facts["removed"]] == ["cell-n1"], (done.because, done.facts)


def test_a_cluster_is_not_destroyed_in_part_where_a_host_went_away_during_the_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stage = Stage(tmp_path, monkeypatch.setenv)
    stage.file["cluster"]["deadlines"]["lease_s"] = 60
    stage.hosts({"hv1": [domain(2)], "hv2": [domain(5)]}, VOLUMES)
    for number in (2, 5):
        stage.says(number, record().replace("cell-n1", "cell-n5"))
    other = meanwhile(stage, (stage.folder / "hv2.xml").unlink)
    done = stage.play("destroy_cluster", confirm="cell")
    other.join()
    assert (done.ok, done.reason) == (False, "host_unreachable"), done.because
    assert (stage.state / "known_hosts").exists(), "nothing was deleted"


def test_a_cluster_is_not_destroyed_in_part_where_a_member_s_host_was_taken_out_of_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = Stage(tmp_path, monkeypatch.setenv)
    stage.hosts({"hv1": [domain(1)]}, VOLUMES)
    pair = '<nvpair id="h" name="ondemand-host" value="hv9"/>'
    node = '<node id="4" uname="cell-n2"'
    stage.says(1, record().replace(node + "/>", f'{node}><instance_attributes id="a">{pair}</instance_attributes></node>'))
    done = stage.play("destroy_cluster", confirm="cell")
    assert (done.ok, done.reason) == (False, "host_unreachable") and "hv9" in done.because, done.because
    assert (stage.state / "known_hosts").exists(), "nothing was deleted"


def test_who_made_the_cluster_takes_the_lease_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else whoever comes next waits until it ends by itself."""
    stage = Stage(tmp_path, monkeypatch.setenv)
    stage.says(1, ALONE)
    (stage.collection / "lease_of_who_is_alone").touch()
    done = stage.play("create_cluster")
    assert done.ok, done.because
    asked = (stage.collection / "lease_asked").read_text().splitlines()
    assert asked[-1] == "end cell-n1" and (stage.collection / "lease").read_text().split()[1] == "0", asked


def test_who_was_deleted_is_not_asked_to_take_the_lease_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stage = Stage(tmp_path, monkeypatch.setenv)
    stage.hosts({"hv1": [domain(1), domain(2), domain(5)]}, VOLUMES)
    stage.says(1, ALONE)
    for number in (2, 5):
        stage.says(number, record().replace("cell-n1", "cell-n5"))
    # Nobody takes it back, so that everybody who may is asked.
    (stage.collection / "lease_stays").touch()
    done = stage.play("scale_in", wanted=2)
    assert done.ok and [one["name"] for one in done.facts["removed"]] == ["cell-n1"], (done.because, done.facts)
    asked = (stage.collection / "lease_asked").read_text().splitlines()
    assert sorted(one for one in asked if one.startswith("end")) == ["end cell-n2", "end cell-n5"]
