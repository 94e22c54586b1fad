# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""A libvirtd of a test's own: libvirt's real QEMU and storage drivers, for an ordinary user, below one folder.

It runs as an ordinary user (as `nobody` if the tests are root's), so it touches nothing of the machine. What it can't do is start a VM
with a bridge; defining, disks, snapshots and pools are the real thing.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

NOBODY = 65534
START_S = 60


@dataclass(frozen=True)
class Daemon:
    """A libvirtd that answers at `uri`; `pool` is the path of its running pool `ondemand`."""

    uri: str
    pid: int
    pool: Path

    @contextlib.contextmanager
    def frozen(self) -> Iterator[None]:
        """Within, it keeps its connections and says nothing, like a host that hangs."""
        os.kill(self.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self.pid, signal.SIGCONT)


def _start(folder: Path) -> subprocess.Popen[bytes]:
    where = {"HOME": "home", "XDG_RUNTIME_DIR": "run", "XDG_CONFIG_HOME": "conf", "XDG_CACHE_HOME": "cache"}
    for name in (*where.values(), "pool"):
        (folder / name).mkdir(mode=0o700)
    environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", **{key: str(folder / name) for key, name in where.items()}}
    command = ["libvirtd"]
    if os.geteuid() == 0:
        for path in (folder, *folder.iterdir()):
            os.chown(path, NOBODY, NOBODY)
        command = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--pdeathsig=KILL", *command]
    with open(os.devnull, "wb") as nothing:
        return subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=nothing, stderr=nothing)


def _make_pool(uri: str, path: Path) -> None:
    virsh = ["virsh", "-q", "-c", uri]
    subprocess.run([*virsh, "pool-create-as", "ondemand", "dir", "--target", str(path)], check=True, capture_output=True, timeout=START_S)


def _end_log_daemon(folder: Path) -> None:
    """libvirtd starts a virtlogd for the first VM with a console, and doesn't end it."""
    pidfile = folder / "run" / "libvirt" / "virtlogd.pid"
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        os.kill(int(pidfile.read_text()), signal.SIGTERM)


@contextlib.contextmanager
def _sockets_allowed() -> Iterator[None]:
    """A URI may name a socket, which is refused to users: root's libvirt finds a daemon in no other place by anything else."""
    from ansible_collections.ondemand.cluster.plugins.module_utils._contract import config_uris as uris

    from ondemand._collection.module_utils._contract import config_uris

    allowed = {"socket": "/tmp/libvirtd[.].*"}
    with mock.patch.dict(uris.PARAMETERS, allowed), mock.patch.dict(config_uris.PARAMETERS, allowed):
        yield


@contextlib.contextmanager
def running() -> Iterator[Daemon]:
    """Start one, wait until it answers, and end it."""
    # Not below pytest's folders: they are closed to other users, and a socket's path must be short.
    folder = Path(tempfile.mkdtemp(prefix="libvirtd."))
    process = _start(folder)
    socket = folder / "run" / "libvirt" / "libvirt-sock"
    uri = f"qemu+unix:///session?socket={socket}"
    try:
        end = time.monotonic() + START_S
        while not socket.exists():
            assert process.poll() is None, "libvirtd ended at once; run it by hand in this environment and read what it says"
            assert time.monotonic() < end, f"libvirtd made no socket within {START_S} s"
            time.sleep(0.05)
        _make_pool(uri, folder / "pool")
        with _sockets_allowed():
            yield Daemon(uri, process.pid, folder / "pool")
    finally:
        process.terminate()
        process.wait()
        _end_log_daemon(folder)
        shutil.rmtree(folder, ignore_errors=True)
