# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""Cells come up apart from the machine and from each other, and leave nothing behind, also when their maker is killed."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from lab.testbed.cells import CellError, Cells
from lab.testbed.cells.cells import STATE
from lab.testbed.cells.cleanup import end_namespace, namespace_of, processes_in

ROOT = Path(__file__).resolve().parents[2]


def test_a_cell_has_its_own_name_network_processes_and_files() -> None:
    with Cells(2, label="t-own") as cells:
        one, two = cells["cell-n1"], cells["cell-n2"]
        assert one.run("uname", "-n").stdout == "cell-n1\n"
        one.run(
            "sh", "-c", "echo one >/etc/corosync/mark; echo one >/run/mark; echo one >/dev/shm/mark; echo one >/var/lib/pacemaker/cib/mark"
        )
        for place in ("/etc/corosync", "/run", "/dev/shm", "/var/lib/pacemaker/cib"):
            assert two.run("test", "-e", f"{place}/mark", check=False).returncode == 1
            assert not Path(f"{place}/mark").exists()
        assert one.run("ping", "-c1", "-W2", two.address, check=False).returncode == 0 or ssh_port_open(cells, two.address)
        assert "10.98.0." not in subprocess.run(["ip", "-4", "address"], capture_output=True, text=True, check=True).stdout
        assert len(one.run("sh", "-c", "ls -d /proc/[0-9]*").stdout.split()) < 6


FORKS = """
import os, pathlib, time
pathlib.Path("/proc/self/comm").write_text("pacemaker-forks")
pathlib.Path("/run/one").touch()
while not pathlib.Path("/run/fork").exists():
    time.sleep(0.05)
if os.fork() == 0:
    pathlib.Path("/run/two").touch()
time.sleep(60)
"""


def test_a_daemon_that_forks_is_still_the_same_process() -> None:
    with Cells(1, label="t-forks") as cells:
        cell = cells["cell-n1"]
        cell.run("sh", "-c", f"setsid python3 -c '{FORKS}' </dev/null >/run/forks 2>&1 &")
        until = 'n=0; until [ -e "$0" ]; do n=$((n + 1)); [ $n -lt 400 ]; sleep 0.05; done'
        cell.run("sh", "-ec", until, "/run/one")
        before = cell.processes()
        cell.run("touch", "/run/fork")
        cell.run("sh", "-ec", until, "/run/two")
        assert "pacemaker-forks" in before and cell.processes() == before


def ssh_port_open(cells: Cells, address: str) -> bool:
    """Does the address answer from the bridge's namespace?"""
    return cells.ctl("bash", "-c", f"exec 3<>/dev/tcp/{address}/22", check=False).returncode == 0


def test_the_bridge_keeps_its_mac_whoever_is_plugged_in_so_no_node_loses_it() -> None:
    with Cells(1, label="t-mac") as cells:

        def bridge_mac() -> str:
            return str(json.loads(cells.ctl("ip", "-j", "link", "show", "br0").stdout)[0]["address"])

        before = bridge_mac()
        cells.ctl("ip", "link", "add", "low", "address", "02:00:00:00:00:01", "type", "veth", "peer", "name", "far")
        cells.ctl("ip", "link", "set", "low", "master", "br0")
        assert bridge_mac() == before
        cells.ctl("ip", "link", "del", "low")
        assert bridge_mac() == before


def test_two_sets_with_the_same_addresses_do_not_meet() -> None:
    with Cells(1, label="t-set-a") as a, Cells(1, label="t-set-b") as b:
        a["cell-n1"].run("touch", "/run/mark")
        assert a["cell-n1"].address == b["cell-n1"].address
        assert b["cell-n1"].run("test", "-e", "/run/mark", check=False).returncode == 1


def test_down_leaves_nothing() -> None:
    cells = Cells(2, label="t-down")
    cells.up()
    inodes = [namespace_of(cell.pid, "pid") for cell in cells.cells.values()]
    cells["cell-n1"].run("sh", "-c", "setsid sleep 300 </dev/null >/dev/null 2>&1 &")
    cells.down()
    assert all(inode and not processes_in("pid", inode) for inode in inodes)
    assert not (STATE / "t-down").exists() and not (Path("/run/netns") / cells.namespace).exists()
    cells.down()


def test_down_cleans_up_after_a_maker_that_was_killed_half_way() -> None:
    code = "from lab.testbed.cells import Cells\nimport time\nc = Cells(3, label='t-kill')\nc.up()\nprint('up', flush=True)\ntime.sleep(60)"
    for moment in ("making", "made"):
        maker = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert maker.stdout is not None
        if moment == "made":
            assert maker.stdout.readline() == "up\n"
        else:
            wait_for(STATE / "t-kill" / "cell-n2")
        maker.send_signal(signal.SIGKILL)
        maker.wait()
        inodes = [int(note.read_text() or 0) for note in (STATE / "t-kill").glob("*/pidns")]
        cells = Cells(0, label="t-kill")
        cells.down()
        assert inodes and not any(processes_in("pid", inode) for inode in inodes if inode)
        assert not cells.directory.exists() and not (Path("/run/netns") / cells.namespace).exists()
        left = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
        assert "ondemand-cells/t-kill" not in left


def wait_for(path: Path) -> None:
    """Until the path is there, for at most 20 s."""
    for _try in range(400):
        if path.exists():
            return
        signal.sigtimedwait([], 0.05)
    raise AssertionError(f"{path} never came")


def test_the_machines_own_namespace_is_never_ended() -> None:
    own = namespace_of("self", "pid")
    assert own is not None
    with pytest.raises(ValueError, match="our own"):
        end_namespace("pid", own)


@pytest.mark.parametrize(("count", "label"), [(-1, "a"), (41, "a"), (1, "A b"), (1, "../x"), (1, "")])
def test_a_wrong_label_or_number_is_refused(count: int, label: str) -> None:
    with pytest.raises(CellError):
        Cells(count, label=label)
