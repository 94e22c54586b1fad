# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""The lab's processes: found by looking at their namespaces, entered, started and ended. No pid file is trusted."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from lab.testbed.hypervisors.command import LabError, run, wait_until
from lab.testbed.hypervisors.files import is_marked
from lab.testbed.hypervisors.topology import CHECKOUT, NETNS_DIR, ROOT, SPACES, Space


def read_netns(space: Space) -> tuple[int, int] | None:
    """Identity (device, inode) of the space's network namespace; None while there is none."""
    try:
        stat = os.stat(NETNS_DIR / space.netns)
        below = os.stat(NETNS_DIR)
    except FileNotFoundError:
        return None
    # A leftover plain file (killed between creating and mounting it) lies on the directory's own file system.
    return None if stat.st_dev == below.st_dev else (stat.st_dev, stat.st_ino)


def _is_in(pid: int, network: tuple[int, int] | None, root: Path) -> bool:
    try:
        stat = os.stat(f"/proc/{pid}/ns/net")
        if network is not None and (stat.st_dev, stat.st_ino) == network:
            return True
        return is_marked(Path(f"/proc/{pid}/mountinfo").read_text(), root)
    except (FileNotFoundError, ProcessLookupError, PermissionError, OSError):
        return False


def _pids() -> list[int]:
    return [int(p.name) for p in Path("/proc").iterdir() if p.name.isdigit()]


def find_processes(space: Space) -> list[int]:
    """Every process in the space's network namespace or with one of its directories mounted."""
    network = read_netns(space)
    return [pid for pid in _pids() if _is_in(pid, network, space.directory)]


def read_command(pid: int) -> list[str]:
    """The command line of a process, empty if it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().split("\0")[:-1]
    except OSError:
        return []


def find_holder(space: Space) -> int | None:
    """The process that holds a completely furnished space; None if there is none."""
    if not (space.directory / "ready").exists():
        return None
    held = [pid for pid in find_processes(space) if read_command(pid) == ["sleep", "infinity"] and _is_in(pid, None, space.directory)]
    return min(held) if held else None


def refuse_inside() -> None:
    """LabError if this process is in any space: before the first of them is touched, not when its own turn comes."""
    for one in SPACES:
        if _is_in(os.getpid(), read_netns(one), one.directory):
            raise LabError(f"this command runs inside the space {one.name}: run it outside the lab")


def end_processes(space: Space, patience_s: float = 2.0) -> int:
    """End every process of the space: politely at first where that may matter, then at once. Returns how many.

    A pidfd is taken before the last look, so a reused pid can't be hit.
    """
    first = find_processes(space)
    if first and not space.is_hypervisor:
        _signal(space, first, signal.SIGTERM)
        _gone(space, patience_s)
    end = time.monotonic() + 20.0
    while left := find_processes(space):
        if time.monotonic() > end:
            raise LabError(f"processes {left} of the space {space.name} don't end; look at them with ps")
        _signal(space, left, signal.SIGKILL)
        time.sleep(0.05)
    return len(first)


def _gone(space: Space, patience_s: float) -> None:
    end = time.monotonic() + patience_s
    while find_processes(space) and time.monotonic() < end:
        time.sleep(0.05)


def _signal(space: Space, pids: Sequence[int], number: signal.Signals) -> None:
    network = read_netns(space)
    for pid in pids:
        try:
            handle = os.pidfd_open(pid)
        except ProcessLookupError:
            continue
        try:
            if _is_in(pid, network, space.directory):
                signal.pidfd_send_signal(handle, number)
        except ProcessLookupError:
            pass
        finally:
            os.close(handle)


def start_holder(space: Space, home: Path) -> None:
    """Make the space's mount, host name and (hypervisors) process namespace, and wait until it is furnished."""
    (space.directory / "ready").unlink(missing_ok=True)
    own = ["--pid", "--fork", "--kill-child", "--mount-proc"] if space.is_hypervisor else []
    script = CHECKOUT / "lab" / "testbed" / "hypervisors" / "space.sh"
    argv = ["nsenter", f"--net={NETNS_DIR / space.netns}", "unshare", "--mount", "--uts", "--propagation", "slave", *own,
            "bash", str(script), space.name, str(space.directory), space.kind, str(home)]  # fmt: skip
    log = space.directory / "holder.log"
    with log.open("w") as output:
        subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd="/", start_new_session=True)
    try:
        wait_until(f"the space {space.name}", lambda: find_holder(space) is not None, 20.0)
    except LabError as error:
        raise LabError(f"{error}: {log.read_text().strip()[-500:]}") from error


def enter(space: Space, argv: Sequence[str], directory: str = "/") -> list[str]:
    """The command line that runs ``argv`` inside the space, in ``directory``. LabError if the space isn't there."""
    holder = find_holder(space)
    if holder is None:
        raise LabError(f"the space {space.name} is not up: run `python3 -m lab up`")
    own = ["--pid"] if space.is_hypervisor else []
    return ["nsenter", "--target", str(holder), "--mount", "--uts", "--net", *own, f"--wdns={directory}", "--", *argv]


def run_in(space: Space, argv: Sequence[str], deadline_s: float = 60.0) -> str:
    """Run ``argv`` inside the space and return its output; LabError as ``run``."""
    return run(enter(space, argv), deadline_s)


def start_in(space: Space, argv: Sequence[str], log: Path) -> None:
    """Start a lasting process inside the space; its output goes to ``log``."""
    with log.open("a") as output:
        subprocess.Popen(
            enter(space, argv, str(CHECKOUT)),
            stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True,
        )  # fmt: skip


def describe_processes() -> dict[str, list[str]]:
    """Command lines by space, for ``status``."""
    return {s.name: [" ".join(read_command(pid))[:100] for pid in find_processes(s)] for s in SPACES}


def is_up() -> bool:
    """True if all spaces are furnished."""
    return ROOT.exists() and all(find_holder(s) is not None for s in SPACES)
