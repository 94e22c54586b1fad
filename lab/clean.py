# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""python3 -m lab.clean: takes away every lab, and the cells of this checkout, whatever state they were left in. script/clean runs it.

It needs root and the standard library only, for what was killed may have left no environment. Refused while a demo or a test of this
checkout runs. Cells of other checkouts stay, unless that checkout is gone.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from lab.testbed.cells.cells import STATE, Cells
from lab.testbed.hypervisors.topology import CHECKOUT, NETNS_DIR

LABS = Path("/var/lib")
USERS = ("lab.demo", "lab.bench", "pytest")


def main() -> int:
    """0 when nothing is left; 1 with a sentence otherwise."""
    if os.geteuid() != 0:
        print("clean: labs and cells are root's: run it by script/clean, which asks sudo", file=sys.stderr)
        return 1
    if users := running_users(Path("/proc"), CHECKOUT, os.getpid()):
        print(f"clean: in use by {', '.join(users)}: wait for its end, or end it, and run this again", file=sys.stderr)
        return 1
    code = 0
    for name in lab_names(LABS, NETNS_DIR):
        command = [sys.executable, "-m", "lab", "down"]
        code |= subprocess.run(command, cwd=CHECKOUT, env={**os.environ, "ONDEMAND_LAB": name}, check=False).returncode
    for label in cell_labels(STATE, CHECKOUT):
        Cells(0, label=label).down()
        print(f"removed the cells {label}", file=sys.stderr)
    return code


def running_users(proc: Path, checkout: Path, own: int) -> list[str]:
    """Demos, benches and tests of the checkout that run, each as `words (process N)`, but for this process."""
    found = []
    for entry in sorted(proc.iterdir()):
        if not entry.name.isdigit() or int(entry.name) == own:
            continue
        try:
            words = (entry / "cmdline").read_text().split("\0")[:-1]
            here = (entry / "cwd").resolve() == checkout
        except OSError:
            continue  # it has ended meanwhile
        if here and len(words) > 2 and words[1] == "-m" and words[2] in USERS:
            found.append(f"{words[2]} (process {entry.name})")
    return found


def lab_names(labs: Path, netns: Path) -> list[str]:
    """The labs that there are, by their folder or by what is left of their network."""
    folders = {path.name.removesuffix("-lab") for path in labs.glob("*-lab") if (path / "hv1").is_dir() or (path / "shared").is_dir()}
    return sorted(folders | {path.name.removesuffix("-hv1") for path in netns.glob("*-hv1")})


def cell_labels(state: Path, checkout: Path) -> list[str]:
    """The sets of cells that this checkout made, or one that is not there any more."""

    def is_ours(folder: Path) -> bool:
        note = folder / "checkout"
        maker = Path(note.read_text()) if note.exists() else checkout
        return maker == checkout or not maker.exists()

    return sorted(folder.name for folder in state.glob("*") if folder.is_dir() and is_ours(folder))


if __name__ == "__main__":
    sys.exit(main())
