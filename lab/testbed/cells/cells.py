# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""Make, enter and remove a set of cells. Needs root; every set has a label, and sets with different labels don't meet."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import time
import types
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lab.testbed.cells.cleanup import end_namespace, namespace_of

HERE = Path(__file__).parent
STATE = Path("/run/ondemand-cells")
NETWORK = "10.98.0"
PREFIX = 24
BRIDGE_MAC = "02:00:0a:62:00:01"  # locally administered; the rest is the IP address
OWN_DIRECTORIES = (
    ("/etc/corosync", "root:root", 0o755),
    ("/var/lib/corosync", "root:root", 0o755),
    ("/var/lib/pacemaker", "hacluster:haclient", 0o750),
    ("/var/lib/pacemaker/blackbox", "hacluster:haclient", 0o750),
    ("/var/lib/pacemaker/cib", "hacluster:haclient", 0o750),
    ("/var/lib/pacemaker/cores", "hacluster:haclient", 0o750),
    ("/var/lib/pacemaker/pengine", "hacluster:haclient", 0o750),
    ("/var/log", "root:root", 0o755),
    ("/var/log/pacemaker", "hacluster:haclient", 0o770),
)
SSHD_CONFIG = """\
HostKey /mnt/host_key
AuthorizedKeysFile /mnt/authorized_keys
StrictModes no
UsePAM no
UseDNS no
PermitRootLogin prohibit-password
PasswordAuthentication no
MaxSessions 100
MaxStartups 100
Subsystem sftp internal-sftp
"""


class CellError(RuntimeError):
    """Cells could not be made or used; says what failed."""


@dataclass(frozen=True)
class Cell:
    """One node: its name (also its host name), its address, and its first process as this machine sees it."""

    name: str
    address: str
    pid: int
    directory: Path

    def run(self, *argv: str, stdin: str | None = None, check: bool = True, timeout_s: float = 60) -> subprocess.CompletedProcess[str]:
        """Run a command inside the cell."""
        command = ["nsenter", "-t", str(self.pid), "--mount", "--uts", "--ipc", "--net", "--pid", "--", *argv]
        return _run(*command, stdin=stdin, check=check, timeout_s=timeout_s)

    def processes(self) -> dict[str, tuple[int, int]]:
        """Command name to (pid, start time in clock ticks) of everything but sshd and shells: what must not restart.

        Of equal names the oldest counts: `pacemaker-based` forks a child for each write of the CIB, which lives for a moment.
        """
        found: dict[str, tuple[int, int]] = {}
        mine = namespace_of(self.pid, "pid")
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit() or namespace_of(entry.name, "pid") != mine:
                continue
            try:
                stat = (entry / "stat").read_text()
            except (FileNotFoundError, ProcessLookupError):
                continue
            name = stat[stat.index("(") + 1 : stat.rindex(")")]
            if name.startswith(("corosync", "pacemaker")) and "cfgtool" not in name and "cmapctl" not in name:
                process = (int(entry.name), int(stat[stat.rindex(")") :].split()[20]))
                found[name] = min(process, found.get(name, process), key=lambda one: (one[1], one[0]))
        return found


class Cells:
    """So many cells named PREFIX-n1, PREFIX-n2, ...: a context manager. The label keeps sets of different users apart."""

    def __init__(self, count: int, label: str = "cells", names: str = "cell") -> None:
        if not re.fullmatch(r"[a-z0-9-]{1,20}", label) or not re.fullmatch(r"[a-z0-9-]{1,20}", names) or not 0 <= count <= 40:
            raise CellError("a label and a name are 1 to 20 of a-z, 0-9 and '-', and there are at most 40 cells")
        self.label = label
        self.names = names
        self.count = count
        self.directory = STATE / label
        self.namespace = f"ondemand-cells-{label}"
        self.cells: dict[str, Cell] = {}

    def __enter__(self) -> Cells:
        self.up()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: types.TracebackType | None) -> None:
        self.down()

    def __getitem__(self, name: str) -> Cell:
        return self.cells[name]

    def up(self) -> None:
        """Make the bridge's namespace and all cells; what an earlier set of this label left behind goes first."""
        self.down()
        try:
            self._make_ctl()
            for number in range(1, self.count + 1):
                self.add(number)
        except BaseException:
            self.down()
            raise

    def down(self) -> None:
        """End every process of the set and remove all it made. Finds them by namespace, so also after a crash of the maker."""
        inodes = self._remembered_cells()
        for pid in self._starters():
            # Killed first: its cell's first process dies with it, also one that was never noted.
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for inode in inodes:
            end_namespace("pid", inode)
        mount = Path("/run/netns") / self.namespace
        if mount.exists():
            inode = mount.stat().st_ino
            if inode != namespace_of("self", "net"):
                end_namespace("net", inode)
            _run("ip", "netns", "delete", self.namespace)
        shutil.rmtree(self.directory, ignore_errors=True)
        if STATE.is_dir() and not any(STATE.iterdir()):
            STATE.rmdir()
        self.cells = {}

    def add(self, number: int) -> Cell:
        """Make one more cell and wait until its sshd answers."""
        name, address = f"{self.names}-n{number}", f"{NETWORK}.{10 + number}"
        directory = self.directory / name
        self._fill(directory, name, address)
        init = ["sh", str(directory / "init"), str(directory), name, f"{address}/{PREFIX}"]
        starter = subprocess.Popen(
            ["unshare", "--net", "--pid", "--fork", "--kill-child", "--mount", "--uts", "--ipc", "--", *init],
            stdin=subprocess.DEVNULL,
            stdout=(directory / "init.log").open("wb"),
            stderr=subprocess.STDOUT,
            start_new_session=True,
            close_fds=True,
        )
        pid = _child_of(starter.pid)
        (directory / "pidns").write_text(str(namespace_of(pid, "pid")))
        port = f"c{number}"
        self.ctl("ip", "link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", str(pid))
        self.ctl("ip", "link", "set", port, "master", "br0", "up")
        cell = Cell(name, address, pid, directory)
        self._wait_for_ssh(cell)
        self.cells[name] = cell
        return cell

    def attach(self) -> Cells:
        """Use a set that another process made."""
        for number in range(1, 41):
            directory = self.directory / f"{self.names}-n{number}"
            if (directory / "pid").exists():
                self.cells[directory.name] = Cell(
                    directory.name, f"{NETWORK}.{10 + number}", int((directory / "pid").read_text()), directory
                )
        return self

    def ctl(
        self, *argv: str, check: bool = True, timeout_s: float = 60, environment: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a command in the network namespace that owns the bridge (where Ansible runs)."""
        return _run(*self.ctl_argv(argv), check=check, timeout_s=timeout_s, environment=environment)

    def ctl_argv(self, argv: Sequence[str]) -> list[str]:
        """The command line that runs argv in the bridge's namespace: only the network differs there."""
        return ["nsenter", f"--net=/run/netns/{self.namespace}", "--", *argv]

    def inventory(self) -> dict[str, object]:
        """The cells as an Ansible inventory, with pinned host keys."""
        options = f"-o UserKnownHostsFile={self.directory}/known_hosts -o IdentitiesOnly=yes"
        hosts = {
            cell.name: {
                "ansible_host": cell.address,
                "ansible_user": "root",
                "ansible_ssh_private_key_file": f"{self.directory}/login_key",
                "ansible_ssh_common_args": options,
                "ansible_python_interpreter": "/usr/bin/python3",
                "ansible_remote_tmp": "/run/ansible",  # the cell's own; its home is the machine's
            }
            for cell in self.cells.values()
        }
        return {"all": {"hosts": hosts}}

    def environment(self) -> dict[str, str]:
        """Variables for ansible-playbook: another set's cells have the same addresses, so ssh's sockets are kept apart."""
        return {**os.environ, "ANSIBLE_SSH_CONTROL_PATH_DIR": str(self.directory / "cp")}

    def _make_ctl(self) -> None:
        self.directory.mkdir(parents=True, mode=0o700)
        (self.directory / "checkout").write_text(str(HERE.parents[2]))  # whose they are: see lab.clean
        for name in ("login_key", "host_key"):
            _run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(self.directory / name))
        _run("ip", "netns", "add", self.namespace)
        # A MAC of its own: else the bridge has the lowest of its cards', and the nodes lose it whenever such a card comes or goes.
        for command in (
            "link set lo up",
            f"link add br0 address {BRIDGE_MAC} type bridge",
            f"address add {NETWORK}.1/{PREFIX} dev br0",
            "link set br0 up",
        ):
            self.ctl("ip", *command.split())

    def _fill(self, directory: Path, name: str, address: str) -> None:
        directory.mkdir(mode=0o755)
        for path, owner, mode in OWN_DIRECTORIES:
            own = directory / "root" / path.lstrip("/")
            own.mkdir(parents=True)
            user, group = owner.split(":")
            shutil.chown(own, user, group)
            own.chmod(mode)
        shutil.copy(HERE / "init.sh", directory / "init")
        shutil.copy(HERE / "systemctl.sh", directory / "systemctl")
        (directory / "systemctl").chmod(0o755)
        shutil.copy(self.directory / "host_key", directory / "host_key")
        (directory / "host_key").chmod(0o600)
        shutil.copy(self.directory / "login_key.pub", directory / "authorized_keys")
        (directory / "sshd_config").write_text(SSHD_CONFIG)
        # sshd without PAM lets nobody into a locked account.
        (directory / "shadow").touch(mode=0o600)
        (directory / "shadow").write_text("root:*:19000:0:99999:7:::\nsshd:!:19000::::::\n")
        # The home of who logs in is empty: bash, started by sshd, would run the settings of the person at this machine for each command.
        (directory / "passwd").write_text(re.sub("(?m)^(root:.*):[^:]*:([^:]*)$", r"\1:/run:\2", Path("/etc/passwd").read_text()))
        key = " ".join((self.directory / "host_key.pub").read_text().split()[:2])
        with (self.directory / "known_hosts").open("a") as known:
            known.write(f"{address} {key}\n")

    def _wait_for_ssh(self, cell: Cell, deadline_s: float = 20.0) -> None:
        (cell.directory / "pid").write_text(str(cell.pid))
        probe = f"exec 3<>/dev/tcp/{cell.address}/22 && read -t 2 -u 3 line && [[ $line == SSH-* ]]"
        end = time.monotonic() + deadline_s
        while self.ctl("bash", "-c", probe, check=False).returncode != 0:
            if time.monotonic() > end or namespace_of(cell.pid, "pid") is None:
                raise CellError(f"{cell.name} does not answer: {(cell.directory / 'init.log').read_text().strip()}")
            time.sleep(0.05)

    def _starters(self) -> list[int]:
        """The unshare processes that hold this set's cells, known by the set's directory on their command line."""
        found = []
        for entry in Path("/proc").iterdir():
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0") if entry.name.isdigit() else []
            except (FileNotFoundError, ProcessLookupError):
                continue
            if words[:1] == [b"unshare"] and any(word.startswith(bytes(self.directory) + b"/") for word in words):
                found.append(int(entry.name))
        return found

    def _remembered_cells(self) -> list[int]:
        """Process id namespaces of this set that still belong to it: inode numbers are used again, so the first process is asked."""
        inodes = []
        for note in self.directory.glob("*/pidns"):
            inode, directory = int(note.read_text() or 0), str(note.parent)
            for entry in Path("/proc").iterdir():
                if entry.name.isdigit() and inode and namespace_of(entry.name, "pid") == inode and _belongs(entry.name, directory):
                    inodes.append(inode)
                    break
        return inodes


def _belongs(pid: str, directory: str) -> bool:
    """Has this process, in its own view of the file system, the cell's directory bound at /mnt (or is it still starting)?"""
    try:
        return os.path.samefile(f"/proc/{pid}/root/mnt", directory) or directory in Path(f"/proc/{pid}/cmdline").read_text()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return False


def _child_of(pid: int, deadline_s: float = 5.0) -> int:
    """The only child of a process, once it has a process id namespace of its own."""
    end = time.monotonic() + deadline_s
    while time.monotonic() < end:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        if children and namespace_of(children[0], "pid") not in (None, namespace_of("self", "pid")):
            return int(children[0])
        time.sleep(0.01)
    raise CellError("unshare made no new process; are we root?")


def _run(
    *argv: str, stdin: str | None = None, check: bool = True, timeout_s: float = 60, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        argv, input=stdin, stdin=subprocess.DEVNULL if stdin is None else None,
        capture_output=True, text=True, timeout=timeout_s, env=environment,
    )  # fmt: skip
    if check and done.returncode != 0:
        raise CellError(f"{' '.join(argv)} failed with code {done.returncode}: {(done.stderr or done.stdout).strip()}")
    return done


def dump_inventory(cells: Cells) -> str:
    """The inventory as JSON text (which is also YAML: Ansible reads it from a file named .yml or .json)."""
    return json.dumps(cells.inventory(), indent=1)
