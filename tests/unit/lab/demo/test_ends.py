# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""Whatever ends the demo, its report says so, its exit code follows, and nothing stays; each time the real command, in a process of its own.

The lab has a name that no other one has, and the steps are replaced by what ends them: the way to the end is what is tried.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lab.demo import __main__ as demo
from lab.demo import alone
from lab.demo.progress import DemoFailed, Progress
from lab.demo.steps import Demo

CHECKOUT = Path(demo.__file__).resolve().parents[2]
# The body stands for the demo's steps; it gets the demo as `one`.
COMMAND = """
import sys, time
from pathlib import Path
from lab.demo import __main__ as demo
demo.DIRECTORY = Path(sys.argv.pop(1))
def steps(one):
    one.prepare()
{body}
demo.run = steps
sys.exit(demo.main())
"""


@pytest.fixture
def started(tmp_path):
    """Starts the command with a body in place of the steps: `started(body, *words)`."""
    running = []

    def start(body: str, *words: str, before: str = "") -> subprocess.Popen[str]:
        code = before + COMMAND.format(body="\n".join(f"    {line}" for line in body.splitlines()))
        argv = [sys.executable, "-c", code, str(tmp_path / "var/demo"), *words]
        environment = {**os.environ, "ONDEMAND_LAB": f"t{os.getpid()}", "PYTHONUNBUFFERED": "1"}
        running.append(subprocess.Popen(argv, cwd=CHECKOUT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True))
        return running[-1]

    yield start
    for process in running:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def wait_for_line(process: subprocess.Popen[str], words: str) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        if words in line:
            return
    raise AssertionError(f"it ended without saying {words!r}")


def report_of(tmp_path: Path) -> dict:
    return json.loads((tmp_path / "var/demo/report.json").read_text())


ENDS = {
    "a deadline": ('one.wait("the second VM to join", lambda: False, 0.5)', 1, "waited 0.5"),
    "a step that failed": (
        'one.processes.run("the build", "build", ["sh", "-c", "echo no image >&2; exit 3"], 9)',
        1,
        "the build failed (exit code 3)",
    ),
    "an exception": ("raise KeyError('reason')", 1, "the demo itself broke (waiting for a look at the lab): KeyError('reason')"),
    "a full disk": (
        'raise OSError(28, "No space left on device", "witness.jsonl")',
        1,
        "the disk is full, so that witness.jsonl could not be written",
    ),
    "nothing, yet nothing was seen": ("pass", 1, "P1 not seen"),
}


@pytest.mark.parametrize("name", ENDS)
def test_the_report_is_written_with_its_reason_whatever_ended_the_demo(started, tmp_path, name):
    body, code, reason = ENDS[name]
    process = started(body)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == code, output
    report = report_of(tmp_path)
    assert not report["ok"]
    assert report["problems"][0].startswith(reason), report["problems"][0]
    assert (tmp_path / "var/demo/run.png").stat().st_size > 1000
    assert "nothing of the demo is left but its files" in output
    assert not (tmp_path / "var/demo/put-by").exists()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 130), (signal.SIGHUP, 130)])
def test_an_interrupt_is_the_reason_and_what_was_waited_for_is_told(started, tmp_path, number, code):
    process = started('one.processes.start("driver", ["sleep", "60"])\none.wait("the second VM to join", lambda: False, 60)')
    wait_for_line(process, "waiting for the second VM to join")
    process.send_signal(number)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == code, output
    assert report_of(tmp_path)["problems"][0] == "interrupted: waiting for the second VM to join"
    notes = [json.loads(line) for line in (tmp_path / "var/demo/events.jsonl").read_text().splitlines()]
    assert [(one["name"], one["code"]) for one in notes if one["what"] == "ended"] == [("driver", -signal.SIGTERM)]


def test_a_demo_that_was_killed_has_not_ended_and_an_older_report_does_not_speak_for_it(started, tmp_path):
    (tmp_path / "var/demo").mkdir(parents=True)
    (tmp_path / "var/demo/report.json").write_text('{"ok": true, "problems": []}')
    (tmp_path / "var/demo/events.jsonl").write_text('{"what": "destroyed", "at": 1, "found": []}\n')
    process = started('one.wait("the second VM to join", lambda: False, 60)')
    wait_for_line(process, "waiting for the second VM to join")
    process.kill()
    process.communicate()
    assert report_of(tmp_path) == {"ok": False, "problems": [demo.NOT_ENDED]}
    assert "destroyed" not in (tmp_path / "var/demo/events.jsonl").read_text()


def test_a_second_demo_is_refused_and_leaves_the_first_ones_files(started, tmp_path):
    first = started('one.notes.add("mine")\none.wait("the second VM to join", lambda: False, 60)')
    wait_for_line(first, "waiting for the second VM to join")
    for words in ([], ["--down"]):
        second = started("pass", *words)
        output, _ = second.communicate(timeout=60)
        assert second.returncode == 1
        assert f"another demo is at work on this machine (process {first.pid}), and there is one lab for both: wait for its end" in output
    assert "mine" in (tmp_path / "var/demo/events.jsonl").read_text()
    assert first.poll() is None
    first.kill()
    first.communicate()
    third = started("pass")
    output, _ = third.communicate(timeout=60)
    assert "another demo" not in output  # a killed one holds no place


@pytest.mark.parametrize("ends", ["pass", "raise KeyError('x')"], ids=["in order", "early"])
def test_what_was_read_back_is_not_read_again_when_its_cluster_is_gone(started, tmp_path, ends):
    back = "(one.directory / 'stored.out').write_text('{\"ids\": [\"c1/1\"]}')"
    process = started(f'one.notes.add("client", name="c1")\n{back}\n{ends}')
    process.communicate(timeout=60)
    assert demo.load_run(tmp_path / "var/demo").stored == ["c1/1"]


def test_a_lab_that_stays_makes_a_good_run_not_ok(started, tmp_path):
    process = started("one.is_lab_up = lambda: True\none.take_down = lambda: None")
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert (
        "the lab or a part of it is left behind; try script/demo --down: the lab was taken away and is still there"
        in report_of(tmp_path)["problems"]
    )
    assert "Try again: script/demo --down" in output


ON_A_SMALL_DISK = [
    "unshare",
    "-m",
    "sh",
    "-c",
    'mkdir -p "$0" && mount -t tmpfs -o "size=$1" tmpfs "$0" && shift && "$@"; code=$?; cat "$0/demo/report.json"; ls "$0/demo"; exit $code',
]


@pytest.mark.parametrize(
    ("size", "needs", "steps", "reason"),
    [
        pytest.param("64k", 200, "pass", "MiB free and a", id="full at the start"),
        pytest.param("16m", 9, 'one.notes.add("x", text="x" * 9_000_000)', "the disk is full", id="full on the way"),
    ],
)
def test_a_full_disk_is_told_with_what_to_do_and_the_report_is_there(tmp_path, size, needs, steps, reason):
    code = f"from lab.demo import alone\nalone.NEEDS_MIB = alone.NEEDS_FIRST_MIB = {needs}\n" + COMMAND.format(body=f"    {steps}")
    var = tmp_path / "var"
    argv = [*ON_A_SMALL_DISK, str(var), size, sys.executable, "-c", code, str(var / "demo")]
    environment = {**os.environ, "ONDEMAND_LAB": f"t{os.getpid()}"}
    done = subprocess.run(argv, cwd=CHECKOUT, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "make room there (script/clean removes caches), then run script/demo again" in done.stdout, done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    report = json.loads("{" + done.stdout.split("\n{", 1)[1].rsplit("}", 1)[0] + "}")
    assert not report["ok"]
    assert reason in report["problems"][0]


def test_room_is_put_by_and_given_back(tmp_path, monkeypatch):
    monkeypatch.setattr(alone, "NEEDS_FIRST_MIB", 1)
    directory = tmp_path / "var/demo"
    directory.mkdir(parents=True)
    alone.need_room(directory)
    assert (directory / "put-by").stat().st_blocks * 512 >= alone.PUT_BY_MIB * alone.MIB
    alone.give_back(directory)
    assert not (directory / "put-by").exists()
    monkeypatch.setattr(alone, "NEEDS_FIRST_MIB", 2**40)
    with pytest.raises(DemoFailed, match=r"the disk that holds .*var has \d+ MiB free and a first run needs \d+: make room"):
        alone.need_room(directory)


def test_recordings_that_make_no_sense_are_a_problem_and_no_crash(tmp_path):
    one = Demo(tmp_path, Progress())
    (tmp_path / "witness.jsonl").write_text('{"kind": "vm", "event": "gone"}\n{"half": \n')
    report = demo.write_report(one, ["it broke"])
    assert report["problems"][0] == "it broke"
    assert report["problems"][1].startswith("the recordings could not be understood: KeyError")
    assert json.loads((tmp_path / "report.json").read_text())["ok"] is False


def test_half_a_readback_is_none(tmp_path):
    (tmp_path / "stored.out").write_text('{"node": "n1", "ids": ["c1/1"')
    (tmp_path / "history.out").write_text("the journal can't be read")
    (tmp_path / "events.jsonl").write_text('{"what": "start", "at": 3.0, "keep": false}\n{"what": "cre\n')
    recorded = demo.load_run(tmp_path)
    assert (recorded.started_at, recorded.stored, recorded.history, len(recorded.events)) == (3.0, [], [], 1)


def test_a_wait_outlasts_a_terminal_that_is_gone(started, tmp_path):
    process = started('one.wait("two seconds", lambda end=time.monotonic() + 2: time.monotonic() > end, 60)')
    wait_for_line(process, "waiting for")
    assert process.stdout is not None
    process.stdout.close()
    assert process.wait(60) == 1
    deadline = time.monotonic() + 5
    while "P1" not in report_of(tmp_path)["problems"][0] and time.monotonic() < deadline:
        time.sleep(0.05)
    assert report_of(tmp_path)["problems"][0].startswith("P1 not seen")
