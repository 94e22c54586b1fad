# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""Making and starting a VM on a hypervisor of the lab: by qemu-img and virsh, and by the module vm. And a run without a change."""

from __future__ import annotations

import json
import re
import statistics
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lab.bench.grow import Cluster
from lab.bench.ratio import Goal, figure, in_turns, with_goals

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

# The operator's way: all over one URI. $1: it, $2: the pool, $3: the image's volume, $4: the domain's XML.
RAW_WHOLE = """
set -e
virsh -q -c "$1" vol-create-as "$2" bench-raw.qcow2 4G --format qcow2 --backing-vol "$3" --backing-vol-format qcow2
virsh -q -c "$1" define "$4"
virsh -q -c "$1" start bench-raw
"""
RAW_WHOLE_AWAY = """
set -e
virsh -q -c "$1" destroy bench-raw
virsh -q -c "$1" undefine bench-raw
virsh -q -c "$1" vol-delete --pool "$2" bench-raw.qcow2
"""


def measure(cluster: Cluster, directory: Path, turns: int) -> dict[str, dict[str, Any]]:
    """Figures of making and starting one VM, and of the runs after it that find nothing to do.

    `vm` is the module's own time beside the commands' on the host; `vm_whole` is one ansible-playbook beside one script, both of the
    operator and over qemu+ssh.
    """
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
    overlay = next(one for one in re.findall(r"<source file='([^']*)'", xml.read_text()) if one.endswith("bench-raw.qcow2"))
    image = max(_inside("sh", "-c", f"ls {POOL_PATH}/{IMAGE}-*.qcow2").split())

    def by_hand() -> float:
        begun, ended = (float(word) for word in _inside("sh", "-c", RAW, "raw", image, overlay, str(xml)).split())
        return ended - begun

    raw, ours = in_turns(by_hand, own, turns)
    unchanged = {"own_s": [round(one, 4) for one in idle], "own_median_s": statistics.median(idle)}
    return {
        "vm": figure(raw, ours, Goal("more_s", 0.4)),
        "vm_unchanged": with_goals(unchanged, Goal("own_median_s", 0.05)),
        "vm_whole": figure(*_whole(cluster, directory, options, xml, Path(image).name, turns)),
    }


def _whole(
    cluster: Cluster, directory: Path, options: Mapping[str, Any], xml: Path, image: str, turns: int
) -> tuple[list[float], list[float]]:
    """Seconds of whole commands of the operator, by hand and by the collection."""
    uri = f"qemu+ssh://root@{HOST}/system"
    playbook = directory / "vm.json"

    def play(state: str) -> float:
        task = {"ondemand.cluster.vm": {**options, "uri": uri, "state": state}}
        hosts = {"hosts": "localhost", "connection": "local", "gather_facts": False}
        playbook.write_text(json.dumps([{**hosts, "tasks": [task]}]))
        return cluster.seconds_of([str(Path(sys.executable).with_name("ansible-playbook")), str(playbook)])

    def own() -> float:
        seconds = play("running")
        play("absent")
        return seconds

    def by_hand() -> float:
        seconds = cluster.seconds_of(["bash", "-c", RAW_WHOLE, "raw", uri, POOL, image, str(xml)])
        cluster.run(["bash", "-c", RAW_WHOLE_AWAY, "raw", uri, POOL], {})
        return seconds

    return in_turns(by_hand, own, turns)


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
