# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""Making and starting a VM on a hypervisor of the lab: by qemu-img and virsh, and by the module vm. And a run without a change."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from lab.bench.ratio import figure, in_turns

CHECKOUT = Path(__file__).resolve().parents[2]
HOST, POOL, IMAGE, VM = "hv1", "ondemand", "debian-12-node", "bench-n1"
POOL_PATH = Path("/var/lib/libvirt/ondemand")
OPTIONS: dict[str, Any] = {
    "uri": "qemu:///system",
    "name": VM,
    "cluster": "bench",
    "pool": POOL,
    "image": IMAGE,
    "vcpus": 1,
    "memory_mib": 512,
    "network": {"bridge": "br0", "address": "10.99.0.249", "prefix": 24},
    "wait_s": 0,
}
RAW = """
set -e
begun=$(date +%s.%N)
qemu-img create -q -f qcow2 -F qcow2 -b "$1" "$2"
virsh -q define "$3"
virsh -q start bench-raw
ended=$(date +%s.%N)
virsh -q destroy bench-raw
virsh -q undefine bench-raw
rm "$2"
echo "$begun $ended"
"""


def measure(directory: Path, turns: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """Figures of making and starting one VM, and of the runs after it that find nothing to do."""
    options = {**OPTIONS, "authorized_keys": [], "known_hosts": str(directory / "known_hosts")}
    idle: list[float] = []
    _run({**options, "state": "absent"})
    xml = directory / "raw.xml"

    def own() -> float:
        made = _run(options)
        idle.append(_run(options)["elapsed_s"])
        xml.write_text(_raw_xml(_inside("virsh", "-q", "dumpxml", "--inactive", VM)))
        _run({**options, "state": "absent"})
        return float(made["elapsed_s"])

    own()  # gives the domain XML for the raw one, and warms both up

    def by_hand() -> float:
        base = re.findall(r"<source file='([^']*)'", _inside("cat", str(xml)))
        overlay = next(one for one in base if one.endswith("bench-raw.qcow2"))
        image = max(_inside("sh", "-c", f"ls {POOL_PATH}/{IMAGE}-*.qcow2").split())
        begun, ended = (float(word) for word in _inside("sh", "-c", RAW, "raw", image, overlay, str(xml)).split())
        return ended - begun

    raw, ours = in_turns(by_hand, own, turns)
    unchanged = {
        "own_s": [round(one, 4) for one in idle],
        "own_median_s": sorted(idle)[len(idle) // 2],
        "goal": "at most 0.05 s in the module",
    }
    return figure(raw, ours, "at most 0.4 s more than by hand"), unchanged


def _raw_xml(own: str) -> str:
    """The domain of ours under another name, with a disk of its own and without the seed (a raw VM has none to make)."""
    xml = own.replace(f"<name>{VM}</name>", "<name>bench-raw</name>").replace(f"/{VM}.qcow2", "/bench-raw.qcow2")
    xml = re.sub(r"<disk (?:(?!</disk>).)*-seed\.iso.*?</disk>", "", xml, flags=re.DOTALL)
    return "\n".join(line for line in xml.splitlines() if "<uuid>" not in line)


def _inside(*argv: str, stdin: str | None = None) -> str:
    command = [sys.executable, "-m", "lab", "run", HOST, "--", *argv]
    done = subprocess.run(command, cwd=CHECKOUT, input=stdin, capture_output=True, text=True, timeout=180, check=False)
    if done.returncode:
        raise RuntimeError(f"{argv[0]} on {HOST} failed: {done.stderr or done.stdout}")
    return done.stdout


def _run(options: dict[str, Any]) -> dict[str, Any]:
    job = {"module": "vm", "options": options, "check": False, "die_after": None}
    told: dict[str, Any] = json.loads(_inside(sys.executable, "tests/vm/run_module.py", stdin=json.dumps(job)))
    if told.get("failed"):
        raise RuntimeError(f"module vm failed: {told['msg']}")
    return told
