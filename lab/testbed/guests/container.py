# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""The life of one container beside its domain. Its files lie below the hypervisor's directory, one folder for each domain's UUID.

`wanted` in that folder says that the domain runs, and holds a word for this run of it: libvirt's hook makes and removes it, and the keeper,
one process for each run, does what it says. So a domain that is stopped while its container begins gets none.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path

from lab.testbed.guests.domain import Guest
from lab.testbed.guests.groups import ENTER, GROUP, is_removed
from lab.testbed.guests.loops import loop
from lab.testbed.guests.seed import install_seed, read_seed
from lab.testbed.hypervisors.command import LabError, run, wait_until
from lab.testbed.hypervisors.topology import CHECKOUT, ROOT

HERE = Path(__file__).parent
ROOT_DISK = ROOT / "node-in-container.raw"
NAMESPACES = ("--net", "--pid", "--mount", "--uts", "--ipc", "--cgroup")
END_WITHIN_S = 20.0


def folder_of(space: str, domain: str) -> Path:
    """Where a container of a hypervisor keeps its files."""
    return ROOT / space / "guests" / domain


def begin(folder: Path, xml: str) -> None:
    """The domain has started: leave word, and a keeper that does the rest. Called by the hook, for which libvirt waits."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "domain.xml").write_text(xml)
    word = uuid.uuid4().hex
    (folder / "wanted").write_text(word)
    with (folder / "keeper.log").open("a") as log:
        argv = [sys.executable, "-m", "lab.testbed.guests", "keep", str(folder), word]
        subprocess.Popen(argv, cwd=CHECKOUT, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)


def end(folder: Path) -> None:
    """The domain has ended: so does its container, at once, as a VM would. Returns when nothing of it runs."""
    (folder / "wanted").unlink(missing_ok=True)
    deadline = time.monotonic() + END_WITHIN_S
    while (folder / "pid").exists() and time.monotonic() < deadline:
        with contextlib.suppress(OSError, ValueError):
            os.kill(int((folder / "pid").read_text()), signal.SIGKILL)
        time.sleep(0.02)


def keep(folder: Path, word: str, guest: Guest) -> None:
    """Run the container as long as this run of the domain lasts: anew when it reboots, and when it powers off the domain goes too."""

    def is_wanted() -> bool:
        with contextlib.suppress(FileNotFoundError):
            return (folder / "wanted").read_text() == word
        return False

    for name in ("lower", "upper", "work", "root", "groups"):
        (folder / name).mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # a domain that is stopped and started at once may still have its former keeper
        install_seed(read_seed(Path(guest.seed)), folder / "upper")
        try:
            while is_wanted() and _run_once(folder, guest, is_wanted) == -signal.SIGHUP:
                pass
        finally:
            if is_wanted():  # no reboot: it powered itself off, or could not start
                with contextlib.suppress(LabError):
                    run(["virsh", "-q", "destroy", guest.uuid])


def _run_once(folder: Path, guest: Guest, is_wanted: Callable[[], bool]) -> int:
    """The container from its start to its end; minus the number of the signal that ended it, which for systemd's own ends tells which."""
    group = GROUP + guest.uuid
    with contextlib.ExitStack() as stack:
        loops = [(serial, stack.enter_context(loop(Path(path)))) for serial, path in guest.disks]
        init = ["sh", str(HERE / "init.sh"), str(folder), str(ROOT_DISK), guest.uuid, *(word for loop in loops for word in loop)]
        inner = ["unshare", *NAMESPACES, "--fork", "--kill-child", "--", *init]
        argv = ["unshare", "--mount", "sh", str(ENTER), str(folder / "groups"), "make", group, *inner]
        process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, start_new_session=True)
        try:
            (folder / "pid").write_text(str(process.pid))
            if is_wanted():
                _plug(process, guest)
            else:
                process.kill()
            return process.wait()
        finally:
            process.kill()
            process.wait()
            # Its first process dies with it, and with that one all others, each in its time.
            wait_until("the end of all of the container", lambda: is_removed(group), END_WITHIN_S, 0.02)
            (folder / "pid").unlink()


def _plug(process: subprocess.Popen[bytes], guest: Guest) -> None:
    """Give the container its card, on the domain's bridge."""
    pid = _child_of(process)
    card = f"g{guest.mac.replace(':', '')[4:]}"
    run(["ip", "link", "add", card, "type", "veth", "peer", "name", "eth0", "address", guest.mac, "netns", str(pid)])
    run(["ip", "link", "set", card, "master", guest.bridge, "up"])


def _child_of(process: subprocess.Popen[bytes]) -> int:
    """The first process of the container, once it is in its own network namespace."""

    def child() -> int | None:
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        own = [pid for pid in children if os.stat(f"/proc/{pid}/ns/net").st_ino != os.stat("/proc/self/ns/net").st_ino]
        return int(own[0]) if own else None

    def is_there() -> bool:
        if process.poll() is not None:
            raise LabError(f"the container ended while it began (exit code {process.returncode})")
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            return child() is not None
        return False

    wait_until("the container's first process", is_there, 20.0, 0.02)
    found = child()
    assert found is not None
    return found
