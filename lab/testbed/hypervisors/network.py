# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""Network namespaces, bridges and cables of the lab. Making is idempotent; taking away works from any half-made state."""

from __future__ import annotations

import json
import os

from lab.testbed.hypervisors.command import run
from lab.testbed.hypervisors.processes import read_netns
from lab.testbed.hypervisors.topology import CABLES, NETNS_DIR, PREFIX_LENGTH, SPACES, Space, space


def make_network() -> list[str]:
    """Make what is missing; returns a line for each thing made."""
    made = []
    for one in SPACES:
        if read_netns(one) is None:
            (NETNS_DIR / one.netns).unlink(missing_ok=True)
            run(["ip", "netns", "add", one.netns])
            made.append(f"network namespace {one.netns}")
    for one in SPACES:
        if one.is_hypervisor and "br0" not in _devices(one):
            # Without a MAC of its own a bridge has the lowest of its cards', and who knew it loses it when such a card comes or goes.
            _ip(one, "link", "add", "br0", "address", one.mac, "type", "bridge", "stp_state", "0", "forward_delay", "0")
            made.append(f"bridge br0 in {one.name}")
    for cable in CABLES:
        (a, a_device), (b, b_device) = cable.a, cable.b
        if a_device not in _devices(space(a)) or b_device not in _devices(space(b)):
            far = ["peer", "name", b_device, "netns", space(b).netns]
            _ip(space(a), "link", "add", a_device, "type", "veth", *far)
            made.append(f"cable {a} - {b}")
        _plug(space(a), a_device)
        _plug(space(b), b_device)
    for one in SPACES:
        _ip(one, "link", "set", "lo", "up")
        _ip(one, "link", "set", one.device, "up")
        _ip(one, "addr", "replace", f"{one.address}/{PREFIX_LENGTH}", "dev", one.device)
    return made


def remove_network() -> list[str]:
    """Delete the namespaces and with them every device inside; returns a line for each."""
    removed = []
    for one in SPACES:
        path = NETNS_DIR / one.netns
        if os.path.lexists(path):
            if read_netns(one) is None:
                path.unlink()
            else:
                run(["ip", "netns", "del", one.netns])
            removed.append(f"network namespace {one.netns}")
    _tidy_netns_directory()
    return removed


def _tidy_netns_directory() -> None:
    # `ip netns add` mounts /run/netns over itself; once empty it goes, and the next user's `ip` makes it anew.
    if NETNS_DIR.is_dir() and not any(NETNS_DIR.iterdir()):
        run(["umount", str(NETNS_DIR)], check=False)
        run(["rmdir", str(NETNS_DIR)], check=False)


def _ip(one: Space, *arguments: str) -> str:
    return run(["ip", "-n", one.netns, *arguments])


def _devices(one: Space) -> list[str]:
    return [link["ifname"] for link in json.loads(_ip(one, "-j", "link", "show") or "[]")]


def _plug(one: Space, device: str) -> None:
    if one.is_hypervisor:
        _ip(one, "link", "set", device, "master", "br0", "up")
