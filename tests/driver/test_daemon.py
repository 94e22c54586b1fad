# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""The driver end to end: the real command, a real child process, real ansible-runner, real playbooks that change a file."""

from __future__ import annotations

import contextlib
import itertools
import json
import signal
import sqlite3
import time

from ondemand.act import processes
from ondemand.act.runner import memory_folder
from ondemand.memory import Memory
from ondemand.model import Cause
from ondemand.record.journal import Journal
from ondemand.record.lock import is_held
from tests.driver.world import World

MIN_2 = {"requirement": {"nodes": {"min": 2}}}


def test_a_new_statement_grows_the_cluster_moves_work_and_shrinks_it_again(world: World) -> None:
    one, two = f"{world.name}-n1", f"{world.name}-n2"
    world.set(nodes=[{"name": one, "services": ["ledger"]}])
    driver = world.start()
    world.until("the driver has looked", lambda: bool(world.entries("decision")))
    world.write_file(MIN_2)
    world.until("two nodes", lambda: set(world.nodes()) == {one, two})
    world.write_file({"requirement": {"nodes": {"min": 1, "max": 1}}})
    world.until("one node again", lambda: world.vms() == [one])
    assert world.nodes() == {one: ["ledger"]}
    world.until("the journal's end", lambda: len(world.entries("outcome")) == 2)
    assert world.stop(driver) == 0
    entries = world.history()
    assert [one["step"] for one in world.entries("step")] == ["scale_out", "scale_in"]
    assert all(one["ended_at"] >= one["at"] and one["because"] for one in entries if one["kind"] == "step")
    assert all(one["ok"] and one["facts"] for one in entries if one["kind"] == "outcome")
    grown = next(one for one in entries if one["kind"] == "decision" and one["decision"] == "grow")
    assert grown["wanted"] == 2
    assert "asks for at least 2 nodes" in grown["because"]


def test_two_services_on_one_node_are_spread_over_a_new_one(world: World) -> None:
    member = {"name": "store-app", "agent": "systemd:store"}
    store = {"name": "store", "kind": "movable", "address": "10.99.0.12", "port": 1, "group": [member]}
    ledger = {"name": "ledger", "kind": "movable", "address": "10.99.0.11", "port": 1, "group": [{**member, "name": "app"}]}
    world.write_file({**MIN_2, "services": [ledger, store]})
    world.set(nodes=[{"name": f"{world.name}-n1", "services": ["ledger", "store"]}])
    done = world.call("run", "--once")
    assert done.returncode == 0, done.stderr
    assert sorted(len(services) for services in world.nodes().values()) == [1, 1]


def test_a_smaller_size_replaces_the_node_by_a_smaller_vm(world: World) -> None:
    world.write_file({"requirement": {"size": {"memory_mib": 512}}})
    done = world.call("run", "--once")
    assert done.returncode == 0, done.stderr
    assert [one["memory_mib"] for one in world.get()["vms"]] == [512]
    assert world.nodes() == {f"{world.name}-n2": ["ledger"]}


def test_without_a_cluster_it_is_created_from_the_requirement(world: World) -> None:
    world.set(vms=[], nodes=[])
    done = world.call("run", "--once")
    assert done.returncode == 0, done.stderr
    assert world.nodes() == {f"{world.name}-n1": ["ledger"]}


def test_after_kill_9_of_the_driver_its_playbook_ends_first_and_the_next_driver_converges(world: World) -> None:
    world.write_file(MIN_2)
    world.set(slow_s=6)
    driver = world.start()
    world.until("a half-made VM", lambda: len(world.vms()) == 2)
    world.kill(driver)
    assert processes.marked(f"{world.name}/"), "the playbook should have outlived its driver"
    assert len(world.nodes()) == 1
    done = world.call("run", "--once")
    assert done.returncode == 0, done.stderr
    assert len(world.nodes()) == len(world.vms()) == 2
    calls = (world.state / "calls").read_text().split("\n")
    outs = [float(one.split()[1]) for one in calls if one.startswith("scale_out")]
    assert all(later - earlier >= 6 for earlier, later in itertools.pairwise(outs)), "two playbooks ran at once"
    told = world.entries("outcome")
    assert (told[0]["ok"], told[0]["reason"]) == (False, "interrupted")
    assert [one for one in world.entries("step") if one["ended_at"] is None] == []
    assert list(memory_folder().glob(f"ondemand-{world.name}-.*")) == []


def test_after_kill_9_of_driver_and_playbook_the_next_driver_finishes_the_half_made_node(world: World) -> None:
    world.write_file(MIN_2)
    world.set(slow_s=60)
    driver = world.start()
    world.until("a half-made VM", lambda: len(world.vms()) == 2)
    world.kill(driver)
    processes.end(f"{world.name}/", 0.0)
    world.set(slow_s=0)
    done = world.call("run", "--once")
    assert done.returncode == 0, done.stderr
    assert sorted(world.nodes()) == world.vms() == [f"{world.name}-n1", f"{world.name}-n2"]


def test_after_kill_9_in_the_middle_of_leaving_the_vm_is_deleted(world: World) -> None:
    world.set(vms=[world.vm(1), world.vm(2)], nodes=[{"name": f"{world.name}-n{i}", "services": []} for i in (1, 2)], slow_s=60)
    world.write_file({"requirement": {"nodes": {"max": 1}}})
    driver = world.start()
    world.until("a node that left", lambda: len(world.nodes()) == 1)
    world.kill(driver)
    processes.end(f"{world.name}/", 0.0)
    world.set(slow_s=0)
    done = world.call("run", "--once")
    assert done.returncode == 0, done.stderr
    assert sorted(world.nodes()) == world.vms() == [f"{world.name}-n1"]


def test_signals_end_the_wait_but_never_a_step(world: World) -> None:
    world.write_file(MIN_2)
    world.set(slow_s=4)
    driver = world.start()
    world.until("a step that runs", lambda: len(world.vms()) == 2)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGTERM):
        driver.send_signal(number)
        time.sleep(0.2)
    assert driver.wait(60) == 0
    assert len(world.nodes()) == 2
    assert [one["ok"] for one in world.entries("outcome")] == [True]


def test_a_journal_that_breaks_under_a_driver_ends_it_with_a_sentence_and_its_code(world: World) -> None:
    driver = world.start()
    world.until("the driver has looked", lambda: bool(world.entries("decision")))
    with contextlib.closing(sqlite3.connect(world.state / "journal.db")) as raw:
        raw.execute("DROP TABLE state")
    world.write_file(MIN_2)
    assert driver.wait(60) == 4
    assert "can't be used: no such table: state" in world.log()
    assert "Traceback" not in world.log()
    assert not is_held(world.state)


def test_a_waiting_driver_ends_at_once(world: World) -> None:
    world.write_file({"scaling": {"every_s": 3000}})
    driver = world.start()
    world.until("the driver has looked", lambda: bool(world.entries("decision")))
    began = time.monotonic()
    assert world.stop(driver) == 0
    assert time.monotonic() - began < 60


def test_a_broken_new_file_is_told_once_and_the_old_one_stays(world: World) -> None:
    driver = world.start()
    world.until("the driver has looked", lambda: bool(world.entries("decision")))
    right = world.file.read_text()
    world.file.write_text(right.replace("min: 1", "min: 9"))
    world.until("the trouble is told", lambda: "requirement.nodes.min" in world.log())
    time.sleep(2)
    assert world.log().count("the former file stays in force") == 1
    world.file.write_text(right.replace("min: 1", "min: 2"))
    world.until("two nodes", lambda: len(world.nodes()) == 2)
    assert world.stop(driver) == 0


def test_a_dry_run_tells_and_changes_nothing(world: World) -> None:
    world.write_file(MIN_2)
    before = world.get()
    done = world.call("run", "--once", "--dry-run")
    assert done.returncode == 0, done.stderr
    assert "was not run" in done.stderr
    assert world.get() == before
    assert sorted(one.name for one in world.state.iterdir()) == ["world.json"]


def test_a_dry_run_goes_on_from_what_the_driver_remembers(world: World) -> None:
    policy = {"name": "cpu", "signal": "vm.cpu", "above": 0.6, "below": 0.2}
    world.write_file({"scaling": {"policies": [policy]}, "hosts": [{"name": "hv1", "uri": "test:///absent.xml"}]})
    assert world.call("run", "--once").returncode == 0
    journal = Journal(world.state / "journal.db")
    journal.remember(Memory(wanted=2, because="the load of this morning", cause=Cause.LOAD, known=1))
    journal.close()
    before = world.history()
    done = world.call("run", "--once", "--dry-run")
    assert done.returncode == 0, done.stderr
    assert "scale_out (wanted=2) was not run" in done.stderr
    assert world.history() == before


def test_a_dry_run_that_sees_nothing_has_failed(world: World) -> None:
    (world.state / "world.json").unlink()
    done = world.call("run", "--once", "--dry-run")
    assert done.returncode == 1, done.stderr
    assert "could not be observed" in done.stderr


def test_plan_asks_for_the_load_that_a_policy_needs(world: World) -> None:
    policy = {"name": "cpu", "signal": "vm.cpu", "above": 0.6, "below": 0.2}
    world.write_file({"scaling": {"policies": [policy]}, "hosts": [{"name": "hv1", "uri": "test:///absent.xml"}]})
    done = world.call("plan", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["load"] == {}
    assert "hv1 can't be read" in told["load_problems"][0]
    assert "policy cpu can't tell" in told["decision"]["because"]


def test_plan_tells_the_steps_and_changes_nothing(world: World) -> None:
    world.write_file(MIN_2)
    before = world.get()
    done = world.call("plan", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert [(one["playbook"], one["variables"]) for one in told["steps"]] == [("scale_out", {"wanted": 2})]
    assert world.get() == before
    assert "scale_out (wanted=2)" in world.call("plan").stdout


def test_plan_tells_that_services_which_were_edited_since_are_configured(world: World) -> None:
    world.write_file({})
    assert world.call("run", "--once").returncode == 0
    world.write_file({"pacemaker": {"properties": {"cluster-recheck-interval": "5min"}}})
    done = world.call("plan", "--json")
    assert [one["playbook"] for one in json.loads(done.stdout)["steps"]] == ["configure_services"], done.stdout + done.stderr


def test_a_failed_step_is_told_and_tried_again_after_a_pause(world: World) -> None:
    world.write_file(MIN_2)
    world.set(full=True)
    done = world.call("run", "--once")
    assert done.returncode == 1, done.stderr
    (outcome,) = world.entries("outcome")
    assert outcome["ok"] is False
    assert "the world has no room: free some, or add a host" in outcome["because"]
    world.set(full=False)
    driver = world.start()
    world.until("two nodes after the pause", lambda: len(world.nodes()) == 2)
    assert world.stop(driver) == 0


def test_nodes_that_somebody_added_by_hand_stay_and_are_told(world: World) -> None:
    assert world.call("run", "--once").returncode == 0
    names = [f"{world.name}-n{i}" for i in (1, 2, 3)]
    world.set(vms=[world.vm(1), world.vm(2), world.vm(3)], nodes=[{"name": one, "services": []} for one in names])
    done = world.call("run", "--once")
    assert done.returncode == 0, done.stderr
    assert sorted(world.nodes()) == world.vms() == names
    assert world.entries("step") == []
    told = json.loads(world.call("status", "--json").stdout)
    assert told["wanted"] == 3
    assert "the cluster has 3 nodes, 1 node had been wanted" in told["because"] and "scaled by hand" in told["because"]


def test_a_new_journal_and_a_node_that_reboots_lose_no_vm(world: World) -> None:
    one, two = f"{world.name}-n1", f"{world.name}-n2"
    world.set(vms=[world.vm(1), world.vm(2)], nodes=[{"name": one, "services": []}, {"name": two, "services": [], "online": False}])
    done = world.call("run", "--once")
    assert done.returncode == 0, done.stderr
    assert world.vms() == [one, two]
    assert world.entries("step") == []
    assert [entry["wanted"] for entry in world.entries("decision")] == [2]
    assert any(
        f"{two} is known to the cluster and not online: nothing of it is deleted" in entry["because"] for entry in world.entries("plan")
    )


def test_a_second_driver_of_a_cluster_is_refused(world: World) -> None:
    driver = world.start()
    world.until("the driver holds the lock", lambda: is_held(world.state))
    second = world.call("run", "--once")
    assert second.returncode == 4
    assert "another driver runs the cluster" in second.stderr
    assert world.stop(driver) == 0
    assert json.loads(world.call("status", "--json").stdout)["driver"] is False


def test_a_refusal_is_journaled_and_ends_once_with_its_code(world: World) -> None:
    world.write_file({"requirement": {"nodes": {"min": 1, "max": 1}, "size": {"memory_mib": 512}}})
    done = world.call("run", "--once")
    assert done.returncode == 3, done.stderr
    refused = world.entries("plan")[0]
    assert refused["refusal"]["reason"] == "maximum"
    assert len(world.vms()) == 1
