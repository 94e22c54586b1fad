# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""What the daemon makes of a wish over time: it is judged anew before each step, ends with its cause, and gives way to people's hands."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from ondemand.daemon import Daemon, Tick
from ondemand.memory import Memory
from ondemand.model import Cause, StepKind
from ondemand.record.journal import Journal
from tests.driver.ticks import World

ONE, TWO, THREE = (tuple(f"demo-n{i + 1}" for i in range(count)) for count in (1, 2, 3))
BY_CPU: dict[str, Any] = {
    "scaling": {
        "every_s": 2,
        "policies": [{"name": "cpu", "signal": "vm.cpu", "above": 0.6, "below": 0.2}],
        "scale_out": {"after_s": 4, "cooldown_s": 0},
        "scale_in": {"after_s": 10, "cooldown_s": 0},
    }
}


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def ticks(world: World, daemon: Daemon, seconds: float) -> list[Tick]:
    """Ticks every two seconds for so long."""
    until, made = world.now + seconds, []
    while world.now < until:
        made.append(daemon.tick())
        world.now += 2
    return made


def kinds(world: World) -> list[StepKind]:
    return [one.kind for one in world.performed]


def told(journal: Journal) -> str:
    return "\n".join(one["because"] for one in journal.history())


# ---------------------------------------------------------------- nodes that are away


def test_a_new_journal_and_a_node_that_reboots_lose_no_vm(world: World) -> None:
    world.names, world.away = TWO, ("demo-n2",)
    journal = Journal(None)
    daemon = world.daemon(journal=journal)
    assert set(ticks(world, daemon, 118)) == {Tick.IDLE}
    assert world.performed == []
    assert "no wish is remembered, and the cluster has 2 nodes" in told(journal)
    assert "demo-n2 is known to the cluster and not online: nothing of it is deleted" in told(journal)
    world.away = ()
    assert set(ticks(world, daemon, 200)) == {Tick.IDLE}
    assert (world.performed, journal.memory(world.now).wanted) == ([], 2)


def test_a_node_that_stays_away_is_brought_back_and_not_deleted(world: World) -> None:
    world.names, world.away, world.ends = TWO, ("demo-n2",), "badly"
    ticks(world, world.daemon(), 300)
    assert set(kinds(world)) == {StepKind.OUT}


# ---------------------------------------------------------------- wishes to shrink


def test_a_shrinking_that_was_refused_is_not_done_later_under_load_or_without_a_sample(world: World) -> None:
    world.names, world.cpu, world.may_leave = TWO, 0.05, False
    journal = Journal(None)
    daemon = world.daemon(BY_CPU, journal)
    assert Tick.REFUSED in ticks(world, daemon, 40)
    world.may_leave, world.cpu = True, 0.5
    ticks(world, daemon, 300)
    world.cpu = None
    ticks(world, daemon, 300)
    assert world.performed == []
    assert "that 1 node would do is no longer so" in told(journal)
    world.cpu = 0.05
    ticks(world, daemon, 20)
    assert kinds(world) == [StepKind.IN]


@pytest.mark.parametrize("cpu", [None, 0.5, 0.05])
def test_a_shrinking_that_a_former_driver_wished_for_needs_its_samples_again(world: World, cpu: float | None) -> None:
    world.names, world.cpu = TWO, cpu
    journal = Journal(None)
    journal.remember(Memory(wanted=1, because="the load of last night", cause=Cause.LOAD, known=2))
    ticks(world, world.daemon(BY_CPU, journal), 8)
    assert world.performed == []
    assert journal.memory(world.now).wanted == 2


def test_the_load_is_asked_again_after_the_second_look(world: World) -> None:
    world.names, world.cpu = TWO, 0.05
    daemon = world.daemon(BY_CPU)

    def rises() -> None:
        if world.now > 1006:
            world.cpu = 0.5

    world.during_look = rises
    ticks(world, daemon, 40)
    assert world.cpu == 0.5, "there was a second look"
    assert world.performed == []


def test_a_node_is_emptied_before_it_leaves_and_leaves_right_after(world: World) -> None:
    world.names, world.cpu, world.services = TWO, 0.05, {"ledger": "demo-n2"}
    ticks(world, world.daemon(BY_CPU), 20)
    assert kinds(world) == [StepKind.MOVE, StepKind.IN]
    assert world.performed[1].variables == {"wanted": 1, "leavers": ["demo-n2"]}
    assert world.forgotten == 1, "what was measured before a change of nodes is forgotten, not what was before a move"


# ---------------------------------------------------------------- wishes to grow


def test_a_growth_that_fails_is_given_up_when_the_load_is_gone(world: World) -> None:
    world.cpu, world.ends = 0.9, "badly"
    journal = Journal(None)
    daemon = world.daemon(BY_CPU, journal)
    ticks(world, daemon, 60)
    failed = len(world.performed)
    assert failed >= 2
    world.cpu = 0.3
    ticks(world, daemon, 600)
    assert len(world.performed) == failed
    assert "a growth to 2 nodes is given up" in told(journal)
    assert (journal.memory(world.now).wanted, journal.memory(world.now).failures) == (1, 0)


def test_a_growth_that_was_decided_is_wanted_by_the_next_driver_too(world: World) -> None:
    world.cpu, world.ends = 0.9, "badly"
    journal = Journal(None)
    ticks(world, world.daemon(BY_CPU, journal), 6)
    world.cpu, world.ends, world.now = None, "well", world.now + 10
    ticks(world, world.daemon(BY_CPU, journal), 4)
    assert world.names == TWO


# ---------------------------------------------------------------- scaled by hand


@pytest.mark.parametrize(("before", "after"), [(ONE, THREE), (THREE, ONE)], ids=["out", "in"])
@pytest.mark.parametrize("runs", [True, False], ids=["beside the driver", "while none runs"])
def test_what_is_scaled_by_hand_becomes_the_wish(world: World, before: tuple[str, ...], after: tuple[str, ...], runs: bool) -> None:
    world.names, world.cpu = before, 0.3
    journal = Journal(None)
    daemon = world.daemon(BY_CPU, journal)
    ticks(world, daemon, 10)
    world.names, world.now = after, world.now + 60
    daemon = daemon if runs else world.daemon(BY_CPU, journal)
    ticks(world, daemon, 120)
    assert world.performed == []
    kept = journal.memory(world.now)
    assert (kept.wanted, "scaled by hand" in kept.because) == (len(after), True)
    assert kept.because in told(journal)


def test_what_was_added_by_hand_is_removed_by_the_load_in_its_own_time(world: World) -> None:
    world.cpu = 0.05
    daemon = world.daemon(BY_CPU)
    ticks(world, daemon, 100)
    world.names, world.now = TWO, world.now + 60
    began = world.now
    while not world.performed and world.now < began + 60:
        ticks(world, daemon, 2)
    assert kinds(world) == [StepKind.IN]
    assert world.now - began >= 10


# ---------------------------------------------------------------- the order of a tick


def test_a_step_whose_reason_is_gone_at_the_second_look_is_dropped(world: World) -> None:
    daemon = world.daemon()
    assert daemon.tick() is Tick.IDLE
    world.now += 30
    world.names = TWO  # somebody was faster
    world.write({"requirement": {"nodes": {"min": 2}}})
    assert daemon.tick() is Tick.IDLE
    assert (world.performed, world.looks) == ([], 2)


def test_a_step_that_ends_well_in_name_only_has_failed(world: World) -> None:
    world.ends = "well in name only"
    journal = Journal(None)
    daemon = world.daemon({"requirement": {"nodes": {"min": 2}}}, journal)
    assert daemon.tick() is Tick.FAILED
    (outcome,) = [one for one in journal.history() if one["kind"] == "outcome"]
    assert (outcome["ok"], outcome["because"]) == (False, "scale_out ended well, yet 1 of 2 nodes are members")


def test_a_failed_step_is_tried_again_after_its_pause_and_not_before(world: World) -> None:
    world.ends = "badly"
    daemon = world.daemon({"requirement": {"nodes": {"min": 2}}})
    assert daemon.tick() is Tick.FAILED
    world.now += 9
    assert daemon.tick() is Tick.WAITING
    world.now += 1
    assert daemon.tick() is Tick.FAILED
    world.now += 19
    assert daemon.tick() is Tick.WAITING
    assert len(world.performed) == 2


def test_nothing_is_decided_on_an_observation_that_could_not_be_renewed(world: World) -> None:
    daemon = world.daemon()
    assert daemon.tick() is Tick.IDLE
    world.unseen, world.now = True, world.now + 100
    world.write({"requirement": {"nodes": {"min": 2}}})
    assert daemon.tick() is Tick.BLIND
    assert world.performed == []


def test_a_second_look_that_fails_lets_no_step_begin(world: World) -> None:
    daemon = world.daemon()
    assert daemon.tick() is Tick.IDLE
    world.unseen, world.now = True, world.now + 30
    world.write({"requirement": {"nodes": {"min": 2}}})
    assert daemon.tick() is Tick.BLIND
    assert world.performed == []


# ---------------------------------------------------------------- services that are edited


def edited(world: World, **more: Any) -> None:
    """Another address of the demo's first service, and what a test adds."""
    data = yaml.safe_load((world.folder / "shop.yml").read_text())
    data["cluster"]["services"][0]["address"] = "10.99.0.12"
    data["cluster"].update(more)
    (world.folder / "shop.yml").write_text(yaml.safe_dump(data))


def test_services_that_are_edited_are_configured_once_and_before_anything_else(world: World) -> None:
    journal = Journal(None)
    daemon = world.daemon(journal=journal)
    ticks(world, daemon, 10)
    assert world.performed == [], "what was there when the driver came is nobody's edit"
    edited(world, requirement={"nodes": {"min": 2, "max": 3}, "size": {"vcpus": 1, "memory_mib": 640}})
    ticks(world, daemon, 30)
    assert kinds(world) == [StepKind.CONFIGURE, StepKind.OUT]
    assert world.performed[0].variables == {} and "edited" in world.performed[0].because


def test_an_edit_that_the_driver_slept_through_is_carried_out_when_it_wakes(world: World) -> None:
    journal = Journal(None)
    ticks(world, world.daemon(journal=journal), 4)
    stated = {"constraints": {"order": [{"name": "a", "first": "web", "then": "ledger"}]}}
    ticks(world, world.daemon(stated, journal=journal), 10)
    assert kinds(world) == [StepKind.CONFIGURE]


def test_an_edit_of_something_else_configures_no_services(world: World) -> None:
    daemon = world.daemon()
    ticks(world, daemon, 4)
    data = yaml.safe_load((world.folder / "shop.yml").read_text())
    data["cluster"]["deadlines"] = {"move_s": 77}
    (world.folder / "shop.yml").write_text(yaml.safe_dump(data))
    ticks(world, daemon, 10)
    assert world.performed == []


def test_services_that_cannot_be_configured_keep_nothing_else_waiting_and_are_tried_again_when_edited_again(world: World) -> None:
    daemon = world.daemon()
    ticks(world, daemon, 4)
    world.ends = "badly"
    edited(world)
    ticks(world, daemon, 120)
    assert kinds(world) == [StepKind.CONFIGURE]
    world.ends = "well"
    edited(world, requirement={"nodes": {"min": 2, "max": 3}, "size": {"vcpus": 1, "memory_mib": 640}})
    ticks(world, daemon, 60)
    assert kinds(world) == [StepKind.CONFIGURE, StepKind.OUT]
    edited(world, constraints={"order": [{"name": "a", "first": "web", "then": "ledger"}]})
    ticks(world, daemon, 60)
    assert kinds(world) == [StepKind.CONFIGURE, StepKind.OUT, StepKind.CONFIGURE]


def test_a_failed_edit_that_is_taken_back_is_brought_back(world: World) -> None:
    daemon = world.daemon()
    ticks(world, daemon, 4)
    former = (world.folder / "shop.yml").read_text()
    world.ends = "badly"
    edited(world)
    ticks(world, daemon, 120)
    world.ends = "well"
    (world.folder / "shop.yml").write_text(former)
    ticks(world, daemon, 400)
    assert kinds(world) == [StepKind.CONFIGURE, StepKind.CONFIGURE]


def test_an_edit_that_failed_once_is_tried_anew_after_another_one_went_well(world: World) -> None:
    daemon = world.daemon()
    ticks(world, daemon, 4)
    for ends, constraints in (("badly", {}), ("well", {"order": [{"name": "a", "first": "web", "then": "ledger"}]}), ("well", {})):
        world.ends = ends
        edited(world, constraints=constraints)
        ticks(world, daemon, 400)
    assert kinds(world) == [StepKind.CONFIGURE] * 3


def test_an_edit_while_the_cluster_is_created_is_one(world: World) -> None:
    daemon = world.daemon()
    world.names = ()
    world.during_step = lambda: edited(world)
    ticks(world, daemon, 60)
    assert kinds(world) == [StepKind.CREATE, StepKind.CONFIGURE]
