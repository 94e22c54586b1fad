# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""Measures the collection beside the raw commands and prints JSON: python3 -m lab.bench [--turns N] [--only join|vm|grow]"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from lab.ansible_home import ansible_home
from lab.bench import grow, join, vm
from lab.bench.ratio import missed

CHECKOUT = Path(__file__).resolve().parents[2]


def main() -> int:
    """Measure what is asked for; the JSON goes to stdout and to var/bench/bench.json, progress to stderr. 1 when a goal is missed."""
    parser = argparse.ArgumentParser(prog="script/bench", description=__doc__)
    parser.add_argument("--turns", type=int, default=5, help="how often each thing is done on each side")
    parser.add_argument("--only", choices=("join", "vm", "grow"), help="one part instead of all")
    options = parser.parse_args()
    parts = [options.only] if options.only else ["join", "vm", "grow"]
    figures: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        if "join" in parts:
            _say("joins in cells")
            figures["join"] = join.measure(directory, options.turns)
        if "vm" in parts or "grow" in parts:
            _say("the lab and the node image")
            with grow.lab(directory) as cluster:
                if "vm" in parts:
                    _say("VMs")
                    figures |= vm.measure(cluster, directory, options.turns)
                if "grow" in parts:
                    _say("scale_out on VMs, and joins of VMs")
                    figures["scale_out"], figures["join_on_vms"] = grow.measure(cluster, directory, options.turns)
    text = json.dumps(figures, indent=2)
    out = CHECKOUT / "var/bench/bench.json"
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(text + "\n")
    print(text)
    sentences = missed(figures)
    for sentence in sentences:
        print(f"bench: {sentence}", file=sys.stderr)
    return 1 if sentences else 0


def _say(what: str) -> None:
    print(f"measuring {what}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    try:
        with ansible_home():
            sys.exit(main())
    except (RuntimeError, subprocess.SubprocessError) as error:
        print(f"bench: {error}", file=sys.stderr)
        sys.exit(1)
