# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""A driver that can't see its cluster, or whose journal somebody else holds: it says so wherever it is asked, and goes on afterwards."""

from __future__ import annotations

import contextlib
import json
import sqlite3

from tests.driver.world import PLAYBOOKS, World

MIN_2 = {"requirement": {"nodes": {"min": 2}}}


def test_a_driver_that_sees_nothing_is_told_as_blind_until_it_sees_again(world: World) -> None:
    seen = (world.state / "world.json").read_text()
    assert world.call("run", "--once").returncode == 0
    assert world.call("status").returncode == 0
    (world.state / "world.json").unlink()
    assert world.call("run", "--once").returncode == 1
    assert world.call("run", "--once").returncode == 1
    told = world.call("status")
    assert told.returncode == 1
    assert "blind since 20" in told.stderr
    assert "the cluster could not be observed: " in told.stderr
    as_data = world.call("status", "--json")
    assert as_data.returncode == 1
    assert "could not be observed" in json.loads(as_data.stdout)["blind"]["because"]
    lines = [line for line in world.call("history").stdout.splitlines() if "could not be observed" in line]
    assert len(lines) == 1, "told once, with its time"
    assert "decision blind: the cluster could not be observed" in lines[0]
    (world.state / "world.json").write_text(seen)
    assert world.call("run", "--once").returncode == 0
    told = world.call("status")
    assert (told.returncode, told.stderr) == (0, "")


def test_a_result_of_another_version_makes_the_driver_blind_and_not_mistaken(world: World) -> None:
    books = world.folder / "playbooks"
    books.mkdir()
    observe = (PLAYBOOKS / "observe.yml").read_text()
    (books / "observe.yml").write_text(observe.replace("            vms:", "            machines:"))
    done = world.call("run", "--once", "--playbooks", str(books))
    assert done.returncode == 1
    assert "the collection's observe handed back no `vms`: collection and driver of different versions?" in done.stderr
    assert world.entries("step") == []


def test_a_journal_that_a_backup_holds_is_waited_for(world: World) -> None:
    driver = world.start()
    world.until("the driver has looked", lambda: bool(world.entries("decision")))
    with contextlib.closing(sqlite3.connect(world.state / "journal.db", isolation_level=None)) as backup:
        backup.execute("BEGIN IMMEDIATE")
        world.write_file(MIN_2)
        world.until("the driver tells that it waits", lambda: "is held by another process, such as a backup" in world.log())
        assert driver.poll() is None
        backup.execute("ROLLBACK")
    world.until("two nodes", lambda: len(world.nodes()) == 2)
    assert world.stop(driver) == 0
