# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""Members and a node that boots, as folders with the files of Corosync: the gate's own program tells and asks over real sockets."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

GATE = Path(__file__).resolve().parents[3] / "roles/cluster_stack/files/gate.py"
KEY = bytes(range(256))
LET_GO = 77
WAIT_S = 1.0
"""how long a node waits for answers here, where many tests are about none"""


def address_of(number: int) -> str:
    """Where a member tells here."""
    return f"127.0.0.{10 + number}"


def conf_of(ids: Sequence[int], highest: int | None = None, cluster: str = "shop", own: int = 0) -> str:
    """A list of nodes. OWN is who reads it: of all these addresses 127.0.0.1 is the one that this machine's card has."""
    note = f"# highest node id ever given: {highest}\n" if highest else ""
    at = {one: "127.0.0.1" if one == own else address_of(one) for one in ids}
    nodes = "".join(f"    node {{\n        ring0_addr: {at[one]}\n        nodeid: {one}\n    }}\n" for one in ids)
    return f"{note}totem {{\n    version: 2\n    cluster_name: {cluster}\n}}\nnodelist {{\n{nodes}}}\n"


@dataclass
class Stage:
    """A folder for the nodes, one port for all, and what was started."""

    folder: Path
    port: int
    running: list[subprocess.Popen[str]] = field(default_factory=list)
    bound: list[socket.socket] = field(default_factory=list)

    def node(self, number: int, conf: str, key: bytes = KEY) -> Path:
        """The files of a node."""
        folder = self.folder / str(number)
        folder.mkdir(exist_ok=True)
        (folder / "corosync.conf").write_text(conf)
        (folder / "authkey").write_bytes(key)
        return folder

    def listening(self, number: int, at: str = "") -> socket.socket:
        """The socket of a node; on it nobody tells anything yet."""
        one = socket.socket(socket.AF_INET6 if ":" in at else socket.AF_INET, socket.SOCK_DGRAM)
        one.bind((at or address_of(number), self.port))
        self.bound.append(one)
        return one

    def member(self, number: int, conf: str, key: bytes = KEY, at: str = "") -> None:
        """A node that tells, started as systemd starts it: with the socket as its third file."""
        folder = self.node(number, conf, key)
        handle = self.listening(number, at).fileno()
        command = ["bash", "-c", f'exec "$@" 3<&{handle}', "bash", sys.executable, "-IS", str(GATE), "tell", str(folder)]
        self.running.append(subprocess.Popen(command, pass_fds=[handle], text=True))

    def boots(self, number: int, conf: str, key: bytes = KEY, program: Path | None = None) -> tuple[int, str, float]:
        """A node asks: the exit code, what the journal gets, and how long it took."""
        folder = self.node(number, conf, key)
        if program is None:
            program = self.folder / "gate.py"
            program.write_text(GATE.read_text().replace("WAIT_S = 3.0\n", f"WAIT_S = {WAIT_S}\n"))
        begun = time.monotonic()
        command = [sys.executable, "-IS", str(program), "ask", str(self.port), str(folder)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False, env={"PATH": os.environ["PATH"]})
        return done.returncode, done.stdout + done.stderr, time.monotonic() - begun

    def ended(self) -> None:
        """Whatever was started ends."""
        for one in self.running:
            one.kill()
            one.wait(10)
        for each in self.bound:
            each.close()


def free_port() -> int:
    """A port that nobody has on this machine now."""
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as one:
        one.bind(("::", 0))
        return int(one.getsockname()[1])
