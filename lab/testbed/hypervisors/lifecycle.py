# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""Up, down and status of the whole lab. Each step looks first, so that ``up`` after any crash finishes the rest."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from lab.testbed import archive
from lab.testbed.guests.groups import remove_groups
from lab.testbed.hypervisors import daemons, files, network, processes
from lab.testbed.hypervisors.command import LabError, run, succeeds
from lab.testbed.hypervisors.topology import ARCHIVE, HYPERVISORS, LAB, LEDGER, LEDGER_MIB, ROOT, SHARED, SPACES, space

Say = Callable[[str], None]
SSH_HOME_MADE = ROOT / "ssh-home-made"


def up(say: Say, fresh: bool = False) -> None:
    """Make the lab, or what is missing of it. ``fresh`` makes the data disk anew. LabError says what is in the way."""
    need_root()
    processes.refuse_inside()
    with _alone():
        ROOT.mkdir(parents=True, exist_ok=True)
        ROOT.chmod(0o755)
        for line in network.make_network():
            say(f"made {line}")
        _write_files()
        for one in SPACES:
            if processes.find_holder(one) is None:
                processes.end_processes(one)
                processes.start_holder(one, home_directory())
                say(f"made space {one.name}")
        for one in HYPERVISORS:
            if started := daemons.start_hypervisor(one):
                say(f"started {', '.join(started)} in {one.name}")
        if make_ledger(fresh):
            say(f"made {LEDGER}")
        if archive.is_stale(ARCHIVE):
            say("waiting for the package archive (downloaded once)")
            archive.build(ARCHIVE)
        if daemons.start_archive(space("ctl")):
            say("serving the package archive")
        say("waiting for libvirt on " + " and ".join(h.name for h in HYPERVISORS))
        daemons.wait_for_hypervisors(space("ctl"))


def down(say: Say) -> None:
    """Take everything away that ``up`` may have made, whatever state it is in. Cached images and packages stay."""
    need_root()
    processes.refuse_inside()
    with _alone():
        for one in SPACES:
            if count := processes.end_processes(one):
                say(f"ended {count} processes of {one.name}")
        for line in network.remove_network():
            say(f"removed {line}")
        if SSH_HOME_MADE.exists():
            with contextlib.suppress(OSError):  # not empty any more: somebody else's now
                (home_directory() / ".ssh").rmdir()
        # Also without ROOT: they are the kernel's, and a lab whose files are lost has them still.
        remove_groups()
        if ROOT.exists():
            shutil.rmtree(ROOT)
            say(f"removed {ROOT}")


def status() -> dict[str, Any]:
    """What is there: ``up``, the spaces with their processes, whether KVM is used, and the VMs of each hypervisor."""
    need_root()
    vms = {}
    for one in HYPERVISORS:
        with contextlib.suppress(LabError):
            vms[one.name] = processes.run_in(one, ["virsh", "-q", "list", "--all", "--name"]).split()
    return {
        "up": processes.is_up(),
        "accelerator": "kvm" if daemons.has_usable_kvm() else "tcg",
        "spaces": {name: commands for name, commands in processes.describe_processes().items() if commands},
        "vms": vms,
    }


def make_ledger(fresh: bool) -> bool:
    """The shared data disk: a raw ext4 file system. Kept if it is whole, unless ``fresh``. Returns whether made."""
    if LEDGER.exists() and not fresh:
        return False
    SHARED.mkdir(parents=True, exist_ok=True)
    aside = LEDGER.with_suffix(".new")
    aside.unlink(missing_ok=True)
    with aside.open("wb") as disk:
        disk.truncate(LEDGER_MIB * 1024 * 1024)
    run(["mke2fs", "-q", "-F", "-t", "ext4", "-L", "ledger", "-E", "lazy_itable_init=0", str(aside)])
    # In place if it exists: a VM that has the old file open would keep writing to a deleted one.
    if LEDGER.exists():
        shutil.copyfile(aside, LEDGER)
        aside.unlink()
    else:
        aside.replace(LEDGER)
    return True


def _write_files() -> None:
    for one in SPACES:
        one.directory.mkdir(exist_ok=True)
        daemons.write_common(one)
    ssh = space("ctl").directory / "ssh"
    ssh.mkdir(mode=0o700, exist_ok=True)
    operator_key = daemons.make_key(ssh / "id_ed25519", "operator of the lab")
    host_keys = {one.name: daemons.write_hypervisor(one, operator_key) for one in HYPERVISORS}
    known = ssh / "known_hosts"
    pinned = files.render_known_hosts(host_keys, HYPERVISORS)
    if not known.exists() or not known.read_text().startswith(pinned):
        known.write_text(pinned)
    home = home_directory() / ".ssh"
    if not home.exists():
        SSH_HOME_MADE.touch()
        home.mkdir(mode=0o700)


def home_directory() -> Path:
    """Root's home, over which an operator's or a hypervisor's own is laid."""
    return Path(pwd.getpwuid(0).pw_dir)


def need_root() -> None:
    """LabError where namespaces can't be made."""
    if os.geteuid() != 0:
        raise LabError("the lab makes namespaces and needs root: use sudo")


@contextlib.contextmanager
def _alone(deadline_s: float = 300.0) -> Iterator[None]:
    """One ``up`` or ``down`` at a time. An abstract socket as lock leaves nothing behind, not even after a kill."""
    lock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    end = time.monotonic() + deadline_s
    with contextlib.closing(lock):
        while True:
            try:
                lock.bind(f"\0{LAB}-lab")
                break
            except OSError:
                if time.monotonic() > end:
                    raise LabError("another `lab up` or `lab down` has been running for 5 minutes: look with ps") from None
                time.sleep(0.2)
        yield


def is_answering() -> bool:
    """True if both hypervisors answer from within their own spaces."""
    return all(processes.find_holder(h) is not None and succeeds(processes.enter(h, ["virsh", "-q", "uri"]), 20.0) for h in HYPERVISORS)
