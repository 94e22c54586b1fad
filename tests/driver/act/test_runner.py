# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""Playbooks in a child process: deadlines, refusals, what a job's files and processes hold, and what is left of it."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from ondemand.act import processes
from ondemand.act.child import result_of
from ondemand.act.dry import DryActor
from ondemand.act.runner import LOOK, PlaybookActor, Where, find_playbooks, holder_of, memory_folder
from ondemand.errors import ActError
from ondemand.model import Outcome, Step, StepKind
from tests.driver.world import PLAYBOOKS, World


def actor(world: World, holder: str | None = None) -> PlaybookActor:
    return PlaybookActor(world.name, world.file.read_text(), Where(PLAYBOOKS), time.monotonic, holder or holder_of(world.state))


def never() -> bool:
    return False


def left(world: World) -> list[str]:
    return [one.name for one in memory_folder().glob(f"ondemand-{world.name}-.*")]


def test_facts_come_back_from_set_stats_and_nothing_is_left(world: World) -> None:
    done = actor(world).run("observe", {}, 120)
    assert done.ok, done.because
    assert [one["name"] for one in done.facts["vms"]] == [f"{world.name}-n1"]
    assert left(world) == []
    assert processes.marked(f"{world.name}/") == []


def test_at_the_deadline_everything_the_job_started_is_ended(world: World) -> None:
    began = time.monotonic()
    done = actor(world).run("hang", {}, 25)
    assert (done.ok, done.reason) == (False, "deadline")
    assert "did not end within 25 s" in done.because
    assert time.monotonic() - began < 60
    assert (world.state / "calls").exists(), "the playbook had begun"
    assert processes.marked(f"{world.name}/") == []
    assert left(world) == []


@pytest.mark.parametrize("whose", [LOOK, "another folder"])
def test_recovery_ends_nobody_elses_playbooks(world: World, tmp_path: Path, whose: str) -> None:
    other = actor(world, LOOK if whose == LOOK else holder_of(tmp_path / "elsewhere"))
    done: list[Outcome] = []
    running = threading.Thread(target=lambda: done.append(other.run("hang", {}, 12)), daemon=True)
    running.start()
    until = time.monotonic() + 20
    while time.monotonic() < until and not processes.marked(f"{world.name}/"):
        time.sleep(0.1)
    before = left(world)
    assert before
    assert actor(world).wait_for_orphans(0.0, never) == 0
    assert left(world) == before
    running.join(60)
    assert [one.reason for one in done] == ["deadline"], "it ran to its own deadline"


def test_a_wish_to_stop_ends_the_wait_and_leaves_the_playbook_running(world: World) -> None:
    made, done = actor(world), []
    running = threading.Thread(target=lambda: done.append(made.run("hang", {}, 8)), daemon=True)
    running.start()
    until = time.monotonic() + 20
    while time.monotonic() < until and not processes.marked(f"{world.name}/"):
        time.sleep(0.1)
    began = time.monotonic()
    assert made.wait_for_orphans(60.0, lambda: True) is None
    assert time.monotonic() - began < 30
    assert left(world)
    assert processes.marked(f"{world.name}/")
    running.join(60)
    assert [one.reason for one in done] == ["deadline"]


def test_recovery_removes_its_own_folders_and_those_of_looks_that_are_long_over(world: World) -> None:
    folders = {name: memory_folder() / f"ondemand-{world.name}-.{name}" for name in (f"{holder_of(world.state)}-x", "look-new", "look-old")}
    for one in folders.values():
        one.mkdir(mode=0o700)
    os.utime(folders["look-old"], (1, 1))
    try:
        actor(world).wait_for_orphans(0.0, never)
        assert left(world) == [folders["look-new"].name]
    finally:
        folders["look-new"].rmdir()


def test_one_state_folder_has_one_holder_by_whatever_path(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "link").symlink_to("state")
    assert holder_of(tmp_path / "link") == holder_of(tmp_path / "state") == holder_of(tmp_path / "x" / ".." / "state")
    assert holder_of(tmp_path) != holder_of(tmp_path / "state")


def test_a_failed_task_is_told_in_its_own_words(world: World) -> None:
    done = actor(world).run("refuse", {}, 120)
    assert (done.ok, done.because) == (False, "refuse: what, why, what to do")


def test_a_playbook_that_is_not_there_is_told_with_its_name(world: World) -> None:
    done = actor(world).run("no_such_book", {}, 120)
    assert not done.ok
    assert "no_such_book" in done.because


CHILDREN = {
    "that removes its folder": 'rm -rf "$PWD"; exit 1',
    "that answers no JSON": "cat >/dev/null; echo no-json",
    "that answers other JSON": "cat >/dev/null; echo '[5]'",
}


@pytest.mark.parametrize("script", CHILDREN.values(), ids=list(CHILDREN))
def test_a_job_that_breaks_is_a_failed_outcome_with_a_sentence(world: World, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    child = world.folder / "child"
    child.write_text(f"#!/bin/sh\n{script}\n")
    child.chmod(0o700)
    monkeypatch.setattr("sys.executable", str(child))
    done = actor(world).run("observe", {}, 20)
    assert not done.ok
    assert "observe could not be run" in done.because
    assert left(world) == []


def test_without_room_for_its_files_a_job_is_a_failed_outcome(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    (world.folder / "memory").mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(world.folder / "memory"))
    made = actor(world)
    (world.folder / "memory").rmdir()
    done = made.run("observe", {}, 20)
    assert (done.ok, done.reason) == (False, "")
    assert "see to the space" in done.because


FULL = """
import pathlib, sys, time
from ondemand.act.runner import LOOK, PlaybookActor, Where
done = PlaybookActor(sys.argv[1], "a: 1", Where(pathlib.Path(sys.argv[2])), time.monotonic, LOOK).run("noisy", {}, 300)
print(done.ok, done.because)
"""
NOISY = [{"hosts": "localhost", "connection": "local", "gather_facts": False, "tasks": [{"debug": {"msg": "{{ 'x' * 20000000 }}"}}]}]
ROOM = 'mount -t tmpfs -o size=8m none "$0" && exec "$@"'


def test_a_job_that_fills_its_folder_says_so_and_what_to_do(world: World) -> None:
    (world.folder / "noisy.yml").write_text(json.dumps(NOISY))
    (world.folder / "small").mkdir()
    small = str(world.folder / "small")
    command = ["unshare", "--map-root-user", "--mount", "sh", "-c", ROOM, small, sys.executable, "-c", FULL, world.name, str(world.folder)]
    environment = {**world.environment, "XDG_RUNTIME_DIR": small}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=400, check=False)
    assert done.stdout.startswith("False noisy did not come to its end: the folder "), done
    assert "is full (" in done.stdout
    assert "name a larger one in XDG_RUNTIME_DIR" in done.stdout


def test_variables_and_the_cluster_file_are_private_files_and_never_arguments(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_OF_THE_DRIVER", "not-for-jobs")
    seen: list[str] = []
    running = threading.Thread(target=actor(world).run, args=("hang", {"word": "hidden-word"}, 20), daemon=True)
    running.start()
    until = time.monotonic() + 20
    while time.monotonic() < until and not (world.state / "calls").exists():
        time.sleep(0.1)
    (folder,) = memory_folder().glob(f"ondemand-{world.name}-.*")
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / "variables.json").stat().st_mode & 0o777 == 0o600
    assert json.loads((folder / "variables.json").read_text()) == {"word": "hidden-word"}
    for pid in processes.marked(f"{world.name}/"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # a short-lived child may be gone by now
            seen.append(Path(f"/proc/{pid}/cmdline").read_bytes().decode())
            seen.append(Path(f"/proc/{pid}/environ").read_bytes().decode())
    running.join(60)
    assert any("ansible-playbook" in one for one in seen)
    assert not [one for one in seen if "hidden-word" in one or "not-for-jobs" in one]


KEYS = "{{ lookup('ansible.builtin.config', 'host_key_checking', plugin_type='connection', plugin_name='ssh') }}"
ASKING = [{"hosts": "localhost", "connection": "local", "gather_facts": False, "tasks": [{"ansible.builtin.fail": {"msg": KEYS}}]}]


def test_host_keys_are_checked_whatever_the_drivers_environment_says(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANSIBLE_HOST_KEY_CHECKING", "False")
    (world.folder / "asking.yml").write_text(json.dumps(ASKING))
    made = PlaybookActor(world.name, world.file.read_text(), Where(world.folder), time.monotonic, holder_of(world.state))
    assert made.run("asking", {}, 120).because == "asking: True"


def test_a_refusal_tells_more_than_a_plain_failure() -> None:
    def failed(**result: object) -> dict[str, object]:
        return {"event": "runner_on_failed", "event_data": {"task": "t", "host": "h", "res": result}}

    refusal = {"reason": "no_room", "sentence": "no host has room"}
    told = result_of([failed(msg="first"), failed(msg="second", refusal=refusal)])
    assert told["failure"]["because"] == "no host has room"
    assert told["failure"]["reason"] == "no_room"
    assert result_of([failed(msg="first"), failed(msg="second")])["failure"]["because"] == "first"
    ignored = {"event": "runner_on_failed", "event_data": {"ignore_errors": True, "res": {"msg": "ignored"}}}
    assert result_of([ignored])["failure"] is None


@pytest.mark.parametrize("refusal", [{"reason": "no_room", "message": "x"}, {"sentence": "x"}, {}, "no_room"], ids=str)
def test_a_refusal_of_another_shape_is_told_as_such(refusal: object) -> None:
    event = {"event": "runner_on_failed", "event_data": {"task": "t", "host": "h", "res": {"msg": "no host", "refusal": refusal}}}
    failure = result_of([event])["failure"]
    assert failure["reason"] is None
    assert failure["because"].startswith("no host (the collection's refusal handed back ")
    assert "`refusal" in failure["because"]


def test_a_result_that_does_not_fit_is_no_good_end(world: World) -> None:
    (world.folder / "playbooks").mkdir()
    book = (PLAYBOOKS / "move_service.yml").read_text().replace("'stopped_at'", "'ended_at'")
    (world.folder / "playbooks" / "move_service.yml").write_text(book)
    made = PlaybookActor(world.name, world.file.read_text(), Where(world.folder / "playbooks"), time.monotonic, holder_of(world.state))
    done = made.run("move_service", {"service": "ledger", "to": f"{world.name}-n1"}, 120)
    assert not done.ok
    assert done.because.startswith(
        "the collection's move_service handed back no `stopped_at`: collection and driver of different versions?"
    )


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ActError, match="does not exist"):
        find_playbooks(tmp_path / "absent")


def test_outside_a_checkout_playbooks_are_called_by_the_collections_names() -> None:
    assert Where(None).playbook("scale_out") == "ondemand.cluster.scale_out"
    assert find_playbooks(PLAYBOOKS).playbook("scale_out") == str(PLAYBOOKS / "scale_out.yml")


class Recorder:
    """The real actor's place in a dry run: remembers what it was asked."""

    def __init__(self) -> None:
        self.ran: list[str] = []

    def run(self, playbook: str, variables: object, deadline_s: float) -> Outcome:
        self.ran.append(playbook)
        return Outcome(True, {}, "", 0, 0)

    def perform(self, step: Step) -> Outcome:
        raise AssertionError("a dry run performs nothing")

    def wait_for_orphans(self, longest_s: float, stop: object) -> int:
        raise AssertionError("a dry run ends nobody's playbook")


def test_a_dry_run_looks_and_tells_what_it_would_run() -> None:
    real = Recorder()
    dry = DryActor(real, lambda: 5.0)
    dry.run("observe", {}, 1)
    assert real.ran == ["observe"]
    done = dry.perform(Step(StepKind.OUT, {"wanted": 2}, "", {}, 1.0))
    assert (done.ok, done.because) == (False, "dry run: scale_out (wanted=2) was not run")
    assert dry.wait_for_orphans(1, never) == 0
