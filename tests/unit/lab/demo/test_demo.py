# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""The demo's parts apart from VMs: it waits with deadlines, tells what failed, and ends what it started."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import time

import pytest
import yaml
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.services import wanted_resources

from lab.demo import state
from lab.demo.processes import CHECKOUT, Processes, inside, playbook
from lab.demo.progress import DemoFailed, Progress
from lab.demo.steps import LOAD_AT_REST, LOAD_UP, SMALLER_MEMORY_MIB


class Clock:
    """A clock that moves when somebody sleeps."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds


@pytest.fixture
def out():
    return io.StringIO()


@pytest.fixture
def progress(out):
    clock = Clock()
    return Progress(out, clock, clock.sleep)


def test_a_wait_says_what_it_waits_for_and_how_long_it_took(progress, out):
    answers = iter([False] * 100 + [True])
    progress.wait("the second VM to join", lambda: next(answers), 60)
    lines = out.getvalue().splitlines()
    assert lines[0] == "[   0.0 s] waiting for the second VM to join"
    assert lines[1:3] == [
        "[  20.0 s] ... still waiting for the second VM to join (20 s)",
        "[  40.0 s] ... still waiting for the second VM to join (40 s)",
    ]
    assert lines[-1] == "[  50.0 s] the second VM to join: 50.0 s"


def test_a_wait_ends_at_its_deadline_with_a_sentence(progress):
    with pytest.raises(DemoFailed, match="waited 30 s for the second VM to join, in vain"):
        progress.wait("the second VM to join", lambda: False, 30)


@pytest.fixture
def processes(progress, tmp_path):
    kept = Processes(tmp_path, progress)
    yield kept
    kept.stop_all()


def test_a_program_that_fails_is_told_with_the_end_of_its_log(processes):
    with pytest.raises(DemoFailed, match=r"(?s)the build failed \(exit code 3\).*out here.*no such image"):
        processes.run("the build", "build", ["sh", "-c", "echo out here; echo no such image >&2; exit 3"], 10)


def test_a_programs_output_comes_back(processes):
    assert processes.run("a look", "look", ["echo", "{}"], 10) == "{}\n"


def test_a_program_that_takes_too_long_is_ended(processes):
    began = time.monotonic()
    with pytest.raises(DemoFailed, match=r"the build did not end within 0.3\d* s; the end of .*build.log"):
        processes.run("the build", "build", ["sleep", "30"], 0.3)
    assert time.monotonic() - began < 25


def test_a_program_that_ignores_sigterm_is_killed_with_its_children(processes, tmp_path, monkeypatch):
    monkeypatch.setattr("lab.demo.processes.END_WITHIN_S", 0.5)
    stubborn = f"trap '' TERM; sleep 30 & echo $! > {tmp_path}/child; wait; sleep 30"
    with pytest.raises(DemoFailed, match="did not end within"):
        processes.run("the build", "build", ["sh", "-c", stubborn], 0.5)
    child = int((tmp_path / "child").read_text())
    end = time.monotonic() + 5
    while time.monotonic() < end and is_running(child):
        time.sleep(0.05)
    assert not is_running(child)


def is_running(pid):
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_program_that_should_run_on_and_ended_is_noticed(processes):
    processes.start("driver", ["sh", "-c", "echo wrong file; exit 2"])
    time.sleep(0.5)
    with pytest.raises(DemoFailed, match=r"(?s)the driver ended by itself \(exit code 2\).*wrong file"):
        processes.check()


def test_a_program_is_stopped_by_sigterm_and_may_finish(processes):
    processes.start("driver", ["sh", "-c", "trap 'sleep 0.3; exit 5' TERM; echo ready; while :; do sleep 0.05; done"])
    time.sleep(0.5)
    assert processes.stop("driver", 10) == 5
    processes.check()


def test_a_tail_reads_whole_lines_only_and_each_once(tmp_path):
    path = tmp_path / "w.jsonl"
    tail = state.Tail(path)
    assert tail.look() == []
    path.write_text('{"n": 1}\n{"n"')
    assert tail.look() == [{"n": 1}]
    with path.open("a") as file:
        file.write(': 2}\n{"n": 3}\n')
    assert tail.look() == [{"n": 1}, {"n": 2}, {"n": 3}]
    assert state.read_lines(path) == tail.look()


def vm(event, uuid, memory_mib=640):
    return {"kind": "vm", "event": event, "uuid": uuid, "name": uuid, "memory_mib": memory_mib}


def test_the_vms_that_are_there_are_those_that_did_not_go():
    records = [vm("defined", "a"), vm("running", "a"), vm("defined", "b", 512), vm("gone", "a"), {"kind": "host", "ok": True}]
    assert [one["memory_mib"] for one in state.vms_present(records).values()] == [512]


def test_the_newest_read_back_tells_who_is_online():
    records = [
        {"kind": "cluster", "nodes": {"n1": "online"}},
        {"kind": "cluster", "nodes": {"n1": "standby", "n2": "online"}},
        vm("gone", "x"),
    ]
    assert state.nodes_online(records) == ["n2"]
    assert state.nodes_online([]) == []


def test_who_answers_is_asked_of_the_clients_recording(run, recording):
    client = list(run.client)
    assert state.answering(client, "ledger", 0) == {"n1", "n2"}
    assert state.answering(client, "ledger", recording.ledger_acknowledged("n2")[0]) == {"n2"}
    assert state.newest_node(client, "ledger") == "n2"
    assert state.newest_node([], "ledger") is None


def test_a_smaller_statement_changes_the_size_and_nothing_else(tmp_path):
    document = yaml.safe_load((CHECKOUT / "examples/demo.yml").read_text())
    smaller = state.with_size(document, SMALLER_MEMORY_MIB)
    assert smaller["cluster"]["requirement"].pop("size") == {"vcpus": 1, "memory_mib": 512}
    size = document["cluster"]["requirement"].pop("size")
    assert size["memory_mib"] > SMALLER_MEMORY_MIB
    assert smaller == document
    state.write_cluster_file(tmp_path / "shop.yml", document)
    assert yaml.safe_load((tmp_path / "shop.yml").read_text()) == document


def test_the_loads_cross_the_policys_thresholds():
    """The demo's load has to mean something to the policy in examples/demo.yml, whatever number of nodes there is."""
    (policy,) = yaml.safe_load((CHECKOUT / "examples/demo.yml").read_text())["cluster"]["scaling"]["policies"]
    assert policy["signal"] == "lb.rate_per_node"
    assert LOAD_UP["web"] > policy["above"] > LOAD_UP["web"] / 2 > policy["below"]
    assert LOAD_AT_REST["web"] / 2 < LOAD_AT_REST["web"] < policy["below"]


def test_commands_run_where_the_operator_is():
    words = playbook("scale_out", CHECKOUT / "var/demo/shop.yml")
    assert words[1:5] == ["-m", "lab", "run", "ctl"]
    assert words[-3:] == ["playbooks/scale_out.yml", "-e", f"@{CHECKOUT}/var/demo/shop.yml"]
    assert inside("cli", ["true"])[-3:] == ["cli", "--", "true"]


def test_the_command_line_explains_itself():
    done = subprocess.run([sys.executable, "-m", "lab.demo", "--help"], cwd=CHECKOUT, capture_output=True, text=True, check=True)
    assert "--keep" in done.stdout
    assert "--down" in done.stdout


def test_a_finished_run_is_read_back_from_its_files(run, tmp_path):
    from lab.demo import __main__ as demo

    for name, records in (("events", run.events), ("witness", run.witness), ("client", run.client)):
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    (tmp_path / "stored.out").write_text(json.dumps({"node": "n2", "ids": run.stored}))
    (tmp_path / "history.out").write_text(json.dumps(run.history))
    assert demo.load_run(tmp_path) == run


def test_the_script_is_executable():
    assert os.access(CHECKOUT / "script/demo", os.X_OK)


def test_the_report_knows_the_services_by_the_ids_that_the_collection_gives():
    cluster = yaml.safe_load((CHECKOUT / "examples/demo.yml").read_text())
    ids = [one["id"] for one in wanted_resources(cluster["cluster"])["resources"]]
    stated = state.stated_services(cluster)
    assert sorted(ids) == sorted(one for service in stated.values() for one in service["resources"])
    assert {name: (one["kind"], one["address"]) for name, one in stated.items()} == {
        "web": ("balanced", "10.99.0.10:80"),
        "ledger": ("movable", "10.99.0.11:5000"),
    }
