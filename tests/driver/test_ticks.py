# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""The order of calls in a tick, with an actor, a reader and a clock made of values: what no real playbook can be timed to show."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ondemand.config.load import Loaded
from ondemand.daemon import Tick
from ondemand.memory import Memory
from ondemand.model import Step, StepKind
from ondemand.record.journal import Journal
from tests.driver.ticks import World


@pytest.fixture
def quiet(tmp_path: Path) -> World:
    return World(tmp_path)


def breaking(path: Path) -> Loaded:
    raise RuntimeError("a reader that trips")


def test_a_file_that_its_reader_trips_over_is_told_and_the_former_one_stays(quiet: World) -> None:
    daemon = quiet.daemon(load_file=breaking)
    assert daemon.tick() is Tick.IDLE
    assert daemon.tick() is Tick.IDLE
    assert len([one for one in quiet.lines if "a reader that trips" in one and "former file stays" in one]) == 1


MOVED = {
    "another cluster": ({"name": "other"}, "names the cluster other"),
    "another state folder": ({"access": {"state_dir": "/var/lib/elsewhere"}}, "state folder /var/lib/elsewhere"),
}


@pytest.mark.parametrize(("over", "told"), MOVED.values(), ids=list(MOVED))
def test_a_file_that_means_something_else_is_told_and_the_former_one_stays(quiet: World, over: dict[str, Any], told: str) -> None:
    texts: list[str] = []
    daemon = quiet.daemon(set_text=texts.append)
    quiet.write({**over, "requirement": {"nodes": {"min": 2}}})
    assert daemon.tick() is Tick.IDLE
    assert any(told in one and "former file stays" in one for one in quiet.lines)
    assert texts == []


def test_load_is_read_of_the_serving_nodes_and_who_is_in_standby_is_told_once(quiet: World) -> None:
    quiet.names, quiet.standby = ("demo-n1", "demo-n2"), ("demo-n2",)
    daemon = quiet.daemon()
    assert daemon.tick() is Tick.IDLE
    quiet.now += 100
    assert daemon.tick() is Tick.IDLE
    assert quiet.read_of == [["demo-n1"]] * 2
    assert len([one for one in quiet.lines if "demo-n2 is in standby by somebody's hand" in one]) == 1


def test_a_vm_that_several_hosts_show_is_told_once_kept_for_status_and_its_end_too(quiet: World) -> None:
    quiet.twice = ("demo-n1 is one VM and was seen on hv1 and on hv2",)
    journal = Journal(None)
    daemon = quiet.daemon(journal=journal)
    for _turn in range(2):
        assert daemon.tick() is Tick.IDLE
        quiet.now += 100
    assert len([one for one in quiet.lines if "demo-n1 is one VM" in one]) == 1
    assert journal.state("observation")["seen_twice"] == list(quiet.twice)
    quiet.twice = ()
    daemon.tick()
    assert [one for one in quiet.lines if "trouble over" in one and "seen twice" in one]


def test_who_no_longer_answers_is_looked_at_at_once_and_then_no_oftener_than_before(quiet: World) -> None:
    daemon = quiet.daemon()
    daemon.tick()
    looks = quiet.looks
    quiet.now, quiet.silent = quiet.now + 1, ("the load balancer of web can't be asked: timed out",)
    daemon.tick()
    assert quiet.looks == looks, "a moment is given to what only stumbles"
    quiet.now += 4
    daemon.tick()
    assert quiet.looks == looks + 1
    for _tick in range(5):
        quiet.now += 4
        daemon.tick()
    assert quiet.looks == looks + 1, "the same trouble, told already"


STEP = Step(StepKind.OUT, {"wanted": 2}, "load", {"members": 2}, 600.0)


@pytest.mark.parametrize(("began_at", "longest_s"), [(900.0, 500.0), (100.0, 1.0), (9e9, 600.0)], ids=["rest", "over", "from the future"])
def test_an_orphan_is_waited_for_to_its_deadline_and_never_longer(quiet: World, began_at: float, longest_s: float) -> None:
    journal = Journal(None)
    journal.step_begun(began_at, STEP, None, Memory())
    quiet.daemon(journal=journal).recover()
    assert quiet.waited_s == longest_s
    assert journal.open_steps() == []


def test_looks_that_take_long_do_not_keep_a_cluster_from_shrinking(quiet: World) -> None:
    policy = {"name": "cpu", "signal": "vm.cpu", "above": 0.6, "below": 0.2}
    quiet.names, quiet.look_s, quiet.cpu = ("demo-n1", "demo-n2"), 30.0, 0.01
    paced = {"policies": [policy], "every_s": 2, "scale_in": {"after_s": 150, "cooldown_s": 0}}
    daemon = quiet.daemon({"scaling": paced})
    while quiet.now < 1400 and not quiet.performed:
        daemon.tick()
        quiet.now += 2
    assert [one.kind for one in quiet.performed] == [StepKind.IN]
    assert quiet.now >= 1150


def test_a_wish_to_stop_ends_the_wait_for_orphans_and_their_steps_stay_open(quiet: World) -> None:
    journal = Journal(None)
    journal.step_begun(900.0, STEP, None, Memory())
    quiet.stop_after = 0
    quiet.daemon(journal=journal).recover()
    assert [one["step"] for one in journal.open_steps()] == ["scale_out"]


@pytest.mark.parametrize(("stop_after", "performed"), [(1_000_000, 1), (2, 0)], ids=["nobody wishes it", "during the second look"])
def test_after_a_wish_to_stop_no_step_begins(quiet: World, stop_after: int, performed: int) -> None:
    quiet.look_s, quiet.stop_after = 10.0, stop_after
    daemon = quiet.daemon()
    assert daemon.tick() is Tick.IDLE  # so that the next tick's plan rests on a look that is no longer fresh
    quiet.looks = 1
    quiet.now += 30
    quiet.write({"requirement": {"nodes": {"min": 2}}})
    result = daemon.tick()
    assert len(quiet.performed) == performed
    assert result is (Tick.DONE if performed else Tick.WAITING)


def test_who_comes_second_has_not_failed_and_keeps_what_it_knew(quiet: World) -> None:
    daemon = quiet.daemon({"requirement": {"nodes": {"min": 2, "max": 3}}})
    quiet.ends = "second"
    ticks = [daemon.tick() for _number in range(3)]
    assert Tick.WAITING in ticks and Tick.FAILED not in ticks
    assert len(quiet.performed) == 1  # the next try is not at once
    quiet.ends = "well"
    quiet.now += 11
    assert daemon.tick() is Tick.DONE and len(quiet.names) == 2
    assert not any("failed in a row" in line for line in quiet.lines)
