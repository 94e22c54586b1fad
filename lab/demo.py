# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""The main job on real VMs, from a stated requirement to a report. script/demo runs it.

    script/demo           run it and take everything away again
    script/demo --keep    leave the cluster and the lab standing
    script/demo --down    take away what an earlier run left
    script/demo --kills 8 --seed 3    kill the driver, or it and its playbook, so often on the way, at times drawn from the seed,
                                      and each playbook that the demo itself plays twice before it may end

Files: var/demo/ (report.json, run.png, the recordings and the logs). Exit codes: 0 the report says ok; 1 a step failed
or the report says what was not seen; 130 interrupted.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
from pathlib import Path
from typing import Any

from lab.ansible_home import ansible_home
from lab.demo_processes import CHECKOUT
from lab.demo_progress import DemoFailed, Progress
from lab.demo_state import read_lines
from lab.demo_steps import Demo
from lab.picture import draw
from lab.report import build_report, render_report
from lab.report_actions import actions_of
from lab.report_run import Run, vms_of

DIRECTORY = CHECKOUT / "var" / "demo"


def main() -> int:
    """Does what the command line says."""
    parser = argparse.ArgumentParser(prog="script/demo", description="The main job, end to end, on real VMs.")
    parser.add_argument("--keep", action="store_true", help="leave the cluster and the lab standing")
    parser.add_argument("--down", action="store_true", help="only take away what an earlier run left")
    parser.add_argument(
        "--kills",
        type=int,
        default=0,
        metavar="N",
        help="kill the driver with kill -9 N times on the way, and each playbook of the demo twice",
    )
    parser.add_argument("--seed", type=int, default=0, help="from which the times of the kills are drawn")
    parser.add_argument("--containers", action="store_true", help="a container as the inside of each VM: minutes instead of tens of them")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends like Ctrl-C: in order
    progress = Progress()
    demo = Demo(DIRECTORY, progress, options.kills, options.seed, options.containers)
    if options.down:
        return take_down(demo, progress)
    code = 1
    try:
        run(demo, options.keep)
        report = write_report(demo)
        progress.say(f"report: {DIRECTORY / 'report.json'}, picture: {DIRECTORY / 'run.png'}")
        code = 0 if report["ok"] else 1
    except DemoFailed as failure:
        progress.say(f"FAILED: {failure}\nThe logs are in {DIRECTORY}.")
    except KeyboardInterrupt:
        progress.say("interrupted")
        code = 130
    finally:
        # A second Ctrl-C would leave half of it behind; the clean-up is bounded by its own deadlines. Not SIG_IGN: that
        # would be inherited by the programs that clean up, and they have to be stoppable.
        signal.signal(signal.SIGINT, lambda _number, _frame: None)
        signal.signal(signal.SIGTERM, lambda _number, _frame: None)
        demo.processes.stop_all()
        if options.keep:
            progress.say("the cluster and the lab stay; remove them with: script/demo --down")
        else:
            code = max(code, take_down(demo, progress))
    return code


def run(demo: Demo, keep: bool) -> None:
    """The demo's steps, in order; the last one, the end of the cluster, not where it is to be kept."""
    demo.prepare()
    demo.make_lab()
    demo.create()
    demo.start_client()
    demo.start_driver()
    demo.hold()
    demo.load_up()
    demo.load_down()
    demo.state_smaller()
    demo.stop()
    if not keep:
        demo.destroy()


def take_down(demo: Demo, progress: Progress) -> int:
    """Removes cluster and lab; returns 1 when something stayed."""
    try:
        if demo.is_lab_up():
            demo.take_down()
    except DemoFailed as failure:
        progress.say(f"FAILED: {failure}\nTry again: script/demo --down")
        return 1
    progress.say("nothing of the demo is left but its files")
    return 0


def load_run(directory: Path) -> Run:
    """Reads a finished run's recordings back from its files."""
    events = read_lines(directory / "events.jsonl")
    noted = {event["what"]: event for event in events}
    return Run(
        started_at=noted["start"]["at"],
        witness=read_lines(directory / "witness.jsonl"),
        client=read_lines(directory / "client.jsonl"),
        stored=json.loads(read_text(directory / "stored.out"))["ids"],
        client_name=noted["client"]["name"],
        history=json.loads(read_text(directory / "history.out")),
        events=events,
    )


def read_text(path: Path) -> str:
    """Returns a file's text, empty when there is none."""
    return path.read_text(encoding="utf-8") if path.exists() else ""


def write_report(demo: Demo) -> dict[str, Any]:
    """Builds the report from the recordings, writes it and the picture, and prints it."""
    recorded = load_run(demo.directory)
    report = build_report(recorded, demo.movable)
    (demo.directory / "report.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    draw(recorded, vms_of(recorded), actions_of(recorded), demo.movable, demo.directory / "run.png")
    print(render_report(report), flush=True)
    return report


if __name__ == "__main__":
    with ansible_home():
        sys.exit(main())
