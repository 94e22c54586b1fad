# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""The main job on real VMs, from a stated requirement to a report. script/demo runs it.

    script/demo           run it and take everything away again
    script/demo --keep    leave the cluster and the lab standing
    script/demo --down    take away what an earlier run left
    script/demo --kills 8 --seed 3    kill the driver, or it and its playbook, so often on the way, at times drawn from the seed,
                                      and each playbook that the demo itself plays twice before it may end

Files: var/demo/ (report.json, run.png, the recordings and the logs). The report is written whatever ended the run; until
then there is one that says that it has not ended. Exit codes: 0 the report says ok; 1 it does not, or something stayed, or
another demo is at work; 130 interrupted.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import time
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lab.ansible_home import ansible_home
from lab.checks.actions import actions_of
from lab.checks.report import build_report, render_report
from lab.checks.run import Run, vms_of
from lab.demo.alone import alone, give_back, need_room, words_of
from lab.demo.processes import CHECKOUT
from lab.demo.progress import DemoFailed, Progress
from lab.demo.state import read_lines
from lab.demo.steps import Demo

DIRECTORY = CHECKOUT / "var" / "demo"
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
NOT_ENDED = "the demo has not ended: it still runs, or it was killed before it could say how it ended"


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
    parser.add_argument("--installed", action="store_true", help="start the driver from a wheel, and the collection from an archive")
    options = parser.parse_args()
    # Each ends it like Ctrl-C: in order. SIGINT too, which a shell switches off for what it starts in the background.
    for number in SIGNALS:
        signal.signal(number, signal.default_int_handler)
    progress = Progress()
    demo = Demo(
        DIRECTORY, progress, options.kills, options.seed, keep=options.keep, containers=options.containers, installed=options.installed
    )
    try:
        with alone():
            if options.down:
                return 1 if take_down(demo, progress) else 0
            code, reasons = attempt(demo)
            return finish(demo, code, reasons)
    except DemoFailed as refused:
        progress.say(str(refused))
        return 1


def attempt(demo: Demo) -> tuple[int, list[str]]:
    """Runs the demo. Returns the exit code so far, and what ended it before its end, as sentences."""
    try:
        demo.forget()
        write_whole(demo.directory / "report.json", json.dumps({"ok": False, "problems": [NOT_ENDED]}, indent=2) + "\n")
        need_room(demo.directory)
        run(demo)
    except DemoFailed as failure:
        return 1, [str(failure)]
    except KeyboardInterrupt:
        return 130, [f"interrupted: {demo.progress.doing}"]
    except OSError as error:
        return 1, [words_of(error)]
    except Exception as error:  # noqa: BLE001 - a net: whatever breaks the demo, the report says so and the lab goes
        traceback.print_exc()
        return 1, [f"the demo itself broke ({demo.progress.doing}): {error!r}"]
    finally:
        # A second Ctrl-C would leave half of it behind; the clean-up is bounded by its own deadlines. Not SIG_IGN: that
        # would be inherited by the programs that clean up, and they have to be stoppable.
        for number in SIGNALS:
            signal.signal(number, lambda _number, _frame: None)
    return 0, []


def finish(demo: Demo, code: int, reasons: list[str]) -> int:
    """Ends what runs, writes the report and takes the lab away, whatever came before. Returns the exit code."""
    give_back(demo.directory)
    for reason in reasons:
        demo.progress.say(f"FAILED: {reason}\nThe logs are in {demo.directory}.")
    try:
        if reasons:
            demo.salvage()
    except OSError as error:
        reasons.append(words_of(error))
    demo.processes.stop_all()
    report = write_report(demo, reasons)
    demo.progress.tell(render_report(report) if "client" in report else "")
    if not demo.has_begun:
        return code  # nothing was made, so nothing is taken away, not even what an earlier run left
    if demo.keep:
        demo.progress.say("the cluster and the lab stay; remove them with: script/demo --down")
    elif stayed := take_down(demo, demo.progress):
        report = write_report(demo, [*reasons, stayed])
    demo.progress.say(f"report: {demo.directory / 'report.json'}, picture: {demo.directory / 'run.png'}")
    return code or (0 if report["ok"] else 1)


def run(demo: Demo) -> None:
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
    if not demo.keep:
        demo.destroy()
    demo.end("witness", 90)


def take_down(demo: Demo, progress: Progress) -> str | None:
    """Removes cluster and lab; returns a sentence when something stayed."""
    try:
        if demo.is_lab_up():
            demo.take_down()
            if demo.is_lab_up():
                raise DemoFailed("the lab was taken away and is still there")
    except (DemoFailed, OSError) as failure:
        told = words_of(failure) if isinstance(failure, OSError) else str(failure)
        progress.say(f"FAILED: {told}\nTry again: script/demo --down")
        return f"the lab or a part of it is left behind; try script/demo --down: {told}"
    progress.say("nothing of the demo is left but its files")
    return None


def load_run(directory: Path) -> Run:
    """Reads a run's recordings back from its files, as far as it came."""
    events = read_lines(directory / "events.jsonl")
    noted = {event["what"]: event for event in events}
    witness = read_lines(directory / "witness.jsonl")
    first = min((record["at"] for record in (*events, *witness)), default=time.time())
    return Run(
        started_at=noted["start"]["at"] if "start" in noted else first,
        witness=witness,
        client=read_lines(directory / "client.jsonl"),
        stored=read_json(directory / "stored.out", {}).get("ids", []),
        client_name=noted["client"]["name"] if "client" in noted else "",
        history=read_json(directory / "history.out", []),
        events=events,
    )


def read_json(path: Path, otherwise: Any) -> Any:
    """Returns a file's JSON; `otherwise` where there is none, or a part of one, or of another kind."""
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return otherwise
    return told if isinstance(told, type(otherwise)) else otherwise


def write_report(demo: Demo, reasons: Sequence[str] = ()) -> dict[str, Any]:
    """Builds the report from the recordings; writes the picture and it. `reasons` are what ended the demo before its end, or stayed.

    Recordings that can't be understood, or a picture that can't be drawn, are further problems, never a reason to have no report.
    """
    try:
        recorded = load_run(demo.directory)
        report = build_report(recorded, demo.movable, reasons)
        try:
            from lab.demo.picture import draw  # what draws takes a second to load, and may be what is missing

            draw(recorded, vms_of(recorded), actions_of(recorded), demo.movable, demo.directory / "run.png")
        except Exception as error:  # noqa: BLE001 - see above
            report["problems"].append(f"the picture could not be drawn: {error!r}")
    except Exception as error:  # noqa: BLE001 - see above
        report = {"problems": [*reasons, f"the recordings could not be understood: {error!r}"]}
    report["ok"] = not report["problems"]
    try:
        write_whole(demo.directory / "report.json", json.dumps(report, indent=2) + "\n")
    except OSError as error:  # what stands there says that nothing is ok
        report["ok"] = False
        demo.progress.say(f"the report could not be written: {words_of(error)}")
    return report


def write_whole(path: Path, text: str) -> None:
    """Replaces a file in one step, so that nobody reads half of it."""
    aside = path.with_suffix(".new")
    aside.write_text(text, encoding="utf-8")
    os.replace(aside, path)


if __name__ == "__main__":
    with ansible_home():
        sys.exit(main())
