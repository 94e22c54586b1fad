# SPDX-License-Identifier: BSD-2-Clause
# Copyright: (c) 2026, the ondemand.cluster contributors

"""Wait until a VM answers, and ask whether an address is taken: TCP from the controller, gently."""

from __future__ import annotations

import errno
import socket
import threading
import time
from typing import Callable, Dict, List, Optional, Sequence

SSH_PORT = 22
POLL_S = 0.3
CONNECT_S = 2.0
BANNER_S = 10.0
LOOK_EVERY_S = 5.0


def banner(address: str, port: int, connect_s: float, banner_s: float) -> Optional[str]:
    """The SSH banner of an address, None if there is none within the times."""
    try:
        with socket.create_connection((address, port), timeout=connect_s) as connection:
            # A connection that was taken is waited for and not tried again: each one costs the VM a fork.
            connection.settimeout(banner_s)
            text = connection.recv(64).decode("ascii", "replace")
    except OSError:
        return None
    return text.strip() if text.startswith("SSH-") else None


def reachable(address: str, wait_s: float, still_runs: Callable[[], bool], port: int = SSH_PORT) -> str:
    """Wait for the SSH banner. Gives "reachable", "deadline", or "stopped" when the VM doesn't run any more."""
    end = time.monotonic() + wait_s
    look = time.monotonic() + LOOK_EVERY_S
    while True:
        left = end - time.monotonic()
        begun = time.monotonic()
        if banner(address, port, min(CONNECT_S, max(0.1, left)), min(BANNER_S, max(0.1, left))):
            return "reachable"
        if time.monotonic() >= end:
            return "deadline"
        if time.monotonic() >= look:
            if not still_runs():
                return "stopped"
            look = time.monotonic() + LOOK_EVERY_S
        time.sleep(max(0.0, min(POLL_S - (time.monotonic() - begun), end - time.monotonic())))


def taken(address: str, probe_s: float, port: int = SSH_PORT) -> bool:
    """Whether somebody has the address: a connection is taken or refused. Silence or "no route" means free."""
    with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.settimeout(probe_s)
        try:
            code = probe.connect_ex((address, port))
        except OSError:
            return False
    return code in (0, errno.ECONNREFUSED, errno.ECONNRESET)


def all_taken(addresses: Sequence[str], probe_s: float) -> List[str]:
    """Those of the addresses that somebody has; all are probed at once."""
    answers: Dict[str, bool] = {}

    def ask(address: str) -> None:
        answers[address] = taken(address, probe_s)

    threads = [threading.Thread(target=ask, args=(address,), daemon=True) for address in addresses]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(probe_s + 1)
    return [address for address in addresses if answers.get(address)]
