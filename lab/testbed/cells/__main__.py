# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""python3 -m lab.testbed.cells up N | down | inventory | run NAME -- COMMAND... | ctl -- COMMAND...   (--label keeps several sets apart)"""

from __future__ import annotations

import argparse
import os
import sys

from lab.testbed.cells.cells import CellError, Cells, dump_inventory


def main() -> int:
    """Entry point; exit code 1 with a sentence when cells cannot be made or used."""
    parser = argparse.ArgumentParser(prog="lab.testbed.cells", description=__doc__)
    parser.add_argument("--label", default="cells")
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("up", help="make N cells and write their inventory").add_argument("count", type=int)
    verbs.add_parser("down", help="remove the set, also after a crash")
    verbs.add_parser("inventory", help="print the Ansible inventory of the set")
    inside = verbs.add_parser("run", help="run a command in a cell")
    inside.add_argument("name")
    inside.add_argument("command", nargs="+")
    verbs.add_parser("ctl", help="run a command in the bridge's namespace").add_argument("command", nargs="+")
    options = parser.parse_args()
    try:
        return _do(options)
    except CellError as error:
        print(f"lab.testbed.cells: {error}", file=sys.stderr)
        return 1


def _do(options: argparse.Namespace) -> int:
    cells = Cells(getattr(options, "count", 0), label=options.label)
    if options.verb == "down":
        cells.down()
        return 0
    if options.verb == "up":
        cells.up()
        (cells.directory / "inventory.json").write_text(dump_inventory(cells))
        print(
            f"{options.count} cells are up; inventory {cells.directory}/inventory.json; use: python3 -m lab.testbed.cells ctl -- ansible-playbook ..."
        )
        return 0
    cells.attach()
    if not cells.directory.is_dir():
        raise CellError(f"there are no cells with the label {cells.label}; make some with 'up N'")
    if options.verb == "inventory":
        print(dump_inventory(cells))
        return 0
    if options.verb == "run":
        if options.name not in cells.cells:
            raise CellError(f"there is no cell {options.name}; there are {', '.join(cells.cells) or 'none'}")
        done = cells[options.name].run(*options.command, check=False)
        print(done.stdout, end="")
        print(done.stderr, end="", file=sys.stderr)
        return done.returncode
    argv = cells.ctl_argv(options.command)
    os.execvpe(argv[0], argv, cells.environment())


if __name__ == "__main__":
    sys.exit(main())
