# SPDX-License-Identifier: BSD-2-Clause
# Copyright: (c) 2026, the ondemand.cluster contributors

"""Wait until a VM answers, and ask whether an address is taken: TCP from the controller, gently."""

from __future__ import annotations

import errno
import socket
import sys
import threading
import time
from typing import Callable, Dict, List, Optional, Sequence, Tuple

SSH_PORT = 22
POLL_S = 0.3
PROBE_S = 2.0
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
        if banner(address, port, min(PROBE_S, max(0.1, left)), min(BANNER_S, max(0.1, left))):
            return "reachable"
        if time.monotonic() >= end:
            return "deadline"
        if time.monotonic() >= look:
            if not still_runs():
                return "stopped"
            look = time.monotonic() + LOOK_EVERY_S
        time.sleep(max(0.0, min(POLL_S - (time.monotonic() - begun), end - time.monotonic())))


def on_link(address: str, routes: str) -> bool:
    """Whether the address is on a network of the controller's own, by the text of /proc/net/route (IPv4; hex, host order)."""
    best: Tuple[int, int] = (-1, -1)
    try:
        wanted = int.from_bytes(socket.inet_aton(address), sys.byteorder)
        for row in routes.splitlines()[1:]:
            fields = row.split()
            network, gateway, mask = (int(fields[i], 16) for i in (1, 2, 7))
            if wanted & mask == network:
                best = max(best, (bin(mask).count("1"), 1 if gateway == 0 else 0))
    except (OSError, ValueError, IndexError):
        return False
    return best[1] == 1


def taken(address: str, probe_s: float, routes: str, port: int = SSH_PORT) -> bool:
    """Whether somebody has the address. Silence or "no route" means free.

    On an own network a connection that is taken or refused tells. Farther away a firewall or proxy may do either in the
    name of addresses that nobody has, so there only an SSH banner tells.
    """
    if not on_link(address, routes):
        return banner(address, port, probe_s, probe_s) is not None
    with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.settimeout(probe_s)
        try:
            return probe.connect_ex((address, port)) in (0, errno.ECONNREFUSED)
        except OSError:
            return False


def routes_now() -> str:
    """The controller's IPv4 routes, empty where the kernel doesn't tell."""
    try:
        with open("/proc/net/route", encoding="ascii") as stream:
            return stream.read()
    except OSError:
        return ""


def all_taken(addresses: Sequence[str], probe_s: float) -> List[str]:
    """Those of the addresses that somebody has; all are probed at once."""
    answers: Dict[str, bool] = {}
    routes = routes_now()

    def ask(address: str) -> None:
        answers[address] = taken(address, probe_s, routes)

    threads = [threading.Thread(target=ask, args=(address,), daemon=True) for address in addresses]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(2 * probe_s + 1)
    return [address for address in addresses if answers.get(address)]
