# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""The lab's own life, with a second lab beside whatever runs: up, down, killed at any moment, and nothing left behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
NAME = "labtest"
ROOT = Path(f"/var/lib/{NAME}-lab")
ENVIRONMENT = {**os.environ, "ONDEMAND_LAB": NAME}


def lab(*argv: str, deadline_s: float = 300.0) -> subprocess.CompletedProcess[str]:
    """Run ``python3 -m lab`` for the test's own lab."""
    command = [sys.executable, "-m", "lab", *argv]
    return subprocess.run(command, cwd=CHECKOUT, env=ENVIRONMENT, capture_output=True, text=True, timeout=deadline_s, check=False)


def left_behind() -> list[str]:
    """Every trace of the test's lab on the machine: namespaces, mounts, devices, directories, processes."""
    traces = [f"netns {p.name}" for p in Path("/run/netns").glob(f"{NAME}-*")] if Path("/run/netns").exists() else []
    traces += [f"mount {line}" for line in Path("/proc/self/mounts").read_text().splitlines() if NAME in line]
    links = json.loads(subprocess.run(["ip", "-j", "link"], capture_output=True, text=True, check=True).stdout)
    traces += [f"device {link['ifname']}" for link in links if link["ifname"].startswith(("to-hv", "to-c", "br0"))]
    traces += [f"directory {ROOT}"] if ROOT.exists() else []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_text()
            mounts = (process / "mountinfo").read_text()
        except OSError:
            continue
        if f"/{NAME}-lab/" in words or f"/{NAME}-lab/" in mounts:
            traces.append(f"process {process.name} {words!r}")
    return traces


@pytest.fixture(autouse=True)
def gone() -> Iterator[None]:
    """Each test begins and ends without the test's lab."""
    lab("down")
    yield
    assert lab("down").returncode == 0


def test_up_gives_two_hypervisors_that_the_operator_reaches_by_their_names():
    assert lab("up").returncode == 0
    for host in ("hv1", "hv2"):
        read = lab("run", "ctl", "--", "virsh", "-c", f"qemu+ssh://root@{host}/system", "hostname")
        assert read.stdout.strip() == host, read.stderr
    identities = {lab("run", h, "--", "sh", "-c", "virsh -q capabilities | grep -m1 uuid").stdout for h in ("hv1", "hv2")}
    assert len(identities) == 2
    assert lab("run", "cli", "--", "ping", "-c", "1", "-W", "2", "10.99.0.1").returncode == 0
    status = json.loads(lab("status").stdout)
    assert status["up"]
    assert status["vms"] == {"hv1": [], "hv2": []}


def test_a_hypervisor_s_bridge_keeps_its_mac_whoever_is_plugged_in_so_nobody_loses_it():
    lab("up")

    def bridge_mac() -> str:
        return json.loads(lab("run", "hv1", "--", "ip", "-j", "link", "show", "br0").stdout)[0]["address"]

    before = bridge_mac()
    lab("run", "hv1", "--", "ip", "link", "add", "low", "address", "02:00:00:00:00:01", "type", "veth", "peer", "name", "far")
    assert lab("run", "hv1", "--", "ip", "link", "set", "low", "master", "br0").returncode == 0
    assert bridge_mac() == before
    lab("run", "hv1", "--", "ip", "link", "del", "low")
    assert bridge_mac() == before


def test_a_second_up_changes_nothing_and_keeps_the_ledger():
    lab("up")
    before = json.loads(lab("status").stdout)
    ledger = ROOT / "shared" / "ledger.raw"
    written = ledger.stat().st_mtime_ns
    again = lab("up")
    assert again.returncode == 0
    assert not [line for line in again.stderr.splitlines() if " made " in line or " started " in line]
    assert json.loads(lab("status").stdout) == before
    assert ledger.stat().st_mtime_ns == written
    assert lab("up", "--fresh").returncode == 0
    assert ledger.stat().st_mtime_ns > written


def test_down_leaves_nothing_and_can_be_repeated():
    lab("up")
    assert left_behind()
    assert lab("down").returncode == 0
    assert left_behind() == []
    assert lab("down").returncode == 0


@pytest.mark.parametrize("after_s", [0.15, 0.4, 0.7, 1.0, 1.4, 2.0, 3.5])
def test_after_a_kill_of_up_at_any_moment_down_leaves_nothing(after_s):
    process = subprocess.Popen([sys.executable, "-m", "lab", "up"], cwd=CHECKOUT, env=ENVIRONMENT, stderr=subprocess.DEVNULL)
    time.sleep(after_s)
    process.send_signal(signal.SIGKILL)
    process.wait()
    down = lab("down")
    assert down.returncode == 0, down.stderr
    assert left_behind() == []


def test_after_a_kill_of_up_the_next_up_finishes_the_rest():
    for after_s in (0.3, 0.9, 1.5):
        process = subprocess.Popen([sys.executable, "-m", "lab", "up"], cwd=CHECKOUT, env=ENVIRONMENT, stderr=subprocess.DEVNULL)
        time.sleep(after_s)
        process.send_signal(signal.SIGKILL)
        process.wait()
    done = lab("up")
    assert done.returncode == 0, done.stderr
    assert json.loads(lab("status").stdout)["up"]


def test_down_refuses_to_saw_off_the_branch_it_sits_on():
    lab("up")
    inside = lab("run", "ctl", "--", sys.executable, "-m", "lab", "down")
    assert inside.returncode == 1
    assert "run it outside" in inside.stderr
    assert json.loads(lab("status").stdout)["up"]


def test_a_command_in_a_space_is_the_command_itself():
    lab("up")
    assert lab("run", "ctl", "--", "sh", "-c", "exit 7").returncode == 7
    process = subprocess.Popen([sys.executable, "-m", "lab", "run", "ctl", "--", "sleep", "60"], cwd=CHECKOUT, env=ENVIRONMENT)
    time.sleep(1.0)
    process.send_signal(signal.SIGTERM)
    assert process.wait(5) == -signal.SIGTERM


def test_a_space_that_is_not_up_is_refused_with_what_to_do():
    refused = lab("run", "ctl", "--", "true")
    assert refused.returncode == 1
    assert "run `python3 -m lab up`" in refused.stderr
