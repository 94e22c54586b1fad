# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""``python3 -m lab up|down|status|off NAME|on NAME|run NAME -- COMMAND...``"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Sequence

from lab.faults import power
from lab.testbed.hypervisors import lifecycle, processes
from lab.testbed.hypervisors.command import LabError
from lab.testbed.hypervisors.topology import HYPERVISORS, SPACES, space


def main(argv: Sequence[str]) -> int:
    """Do what the command line says; 1 and a sentence on standard error if that fails."""
    options = _parser().parse_args(argv)
    started = time.monotonic()

    def say(line: str) -> None:
        print(f"[{time.monotonic() - started:6.1f} s] {line}", file=sys.stderr, flush=True)

    try:
        if options.what == "up":
            lifecycle.up(say, options.fresh)
            say("the lab is up")
        elif options.what == "down":
            lifecycle.down(say)
            say("the lab is down")
        elif options.what == "off":
            say(f"{options.name} is off, {power.off(options.name)} processes ended")
        elif options.what == "on":
            say(f"{options.name} is on, {', '.join(power.on(options.name)) or 'as it was'}")
        elif options.what == "status":
            print(json.dumps(lifecycle.status(), indent=2))
        else:
            command = options.command[1:] if options.command[:1] == ["--"] else options.command
            # Replaces this process: signals, exit status and terminal are the command's own.
            entered = processes.enter(space(options.name), command or ["bash"], os.getcwd())
            os.execvp(entered[0], entered)
    except LabError as error:
        print(f"lab: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python3 -m lab", description="Two hypervisors on one machine.")
    commands = parser.add_subparsers(dest="what", required=True)
    up = commands.add_parser("up", help="make the lab, or what is missing of it")
    up.add_argument("--fresh", action="store_true", help="make the shared data disk anew")
    commands.add_parser("down", help="take everything away")
    commands.add_parser("status", help="what is there, as JSON")
    for what, why in (("off", "pull the plug of a hypervisor, with all its VMs"), ("on", "boot a hypervisor")):
        commands.add_parser(what, help=why).add_argument("name", choices=[s.name for s in HYPERVISORS])
    run = commands.add_parser("run", help="run a command inside a space")
    run.add_argument("name", choices=[s.name for s in SPACES])
    run.add_argument("command", nargs=argparse.REMAINDER)
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
