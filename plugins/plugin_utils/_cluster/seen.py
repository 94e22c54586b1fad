# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors

"""What one host has of a cluster: its files, its daemons, and what these hold in memory. Pure."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import Dict, Optional, Tuple

from . import corosync_conf
from .corosync_conf import Conf

# corosync-cmapctl tells a key as "nodelist.node.0.nodeid (u32) = 1".
LOADED_ID = re.compile(r"^nodelist\.node\.\d+\.nodeid \(\w+\) = (\d+)$", re.MULTILINE)
LOADED_TWO_NODE = re.compile(r"^quorum\.two_node \(\w+\) = 1$", re.MULTILINE)


@dataclass(frozen=True)
class Loaded:
    """What of its corosync.conf a running Corosync has taken over: the numbers of the nodes, and two_node."""

    ids: Tuple[int, ...]
    two_node: bool


@dataclass(frozen=True)
class Seen:
    """One host. text is empty and conf None where it has no corosync.conf; key is a SHA-256 or empty.

    active: Corosync and Pacemaker run. loaded: None where Corosync does not run, or did not tell. remembers: nodes that its Pacemaker has in
    memory as lost, also such that are on no list any more.
    """

    host: str
    text: str
    conf: Optional[Conf]
    key: str
    seeded: bool
    active: bool
    loaded: Optional[Loaded] = None
    remembers: Tuple[str, ...] = ()

    @property
    def in_no_cluster(self) -> bool:
        """No configuration, or the distribution's example, whose nodes all are loopback addresses."""
        return self.conf is None or all(_loopback(node.address) for node in self.conf.nodes)

    @property
    def stale(self) -> bool:
        """Does Corosync run here with something else than its file says, because nobody had it read that again?

        Where it did not tell, that is not certain, so it is to read it once more.
        """
        if self.conf is None:
            return False
        if self.loaded is None:
            return self.active
        numbers = tuple(sorted(node.id for node in self.conf.nodes))
        # Numbers that no entry states Corosync makes itself, and of several lists it keeps the last: these can't be compared.
        compared = all(numbers) and len(self.conf.root.sections("nodelist")) == 1
        return self.loaded.two_node != self.conf.two_node or (compared and self.loaded.ids != numbers)


def seen(host: str, parts: Dict[str, Tuple[int, str]]) -> Seen:
    """Read the part about one host of an observation (membership_scripts.OBSERVE). Raises ConfError where its corosync.conf cannot be read."""
    rc, text = parts.get("conf", (1, ""))
    key_rc, key = parts.get("key", (1, ""))
    return Seen(
        host=host,
        text=text if rc == 0 else "",
        conf=corosync_conf.parse(text) if rc == 0 else None,
        key=key.split()[0] if key_rc == 0 and key.split() else "",
        seeded=parts.get("seed", (1, ""))[0] == 0,
        active=parts.get("corosync", (3, ""))[0] == 0 and parts.get("pacemaker", (3, ""))[0] == 0,
        loaded=loaded(*parts.get("loaded", (1, ""))),
        remembers=_lost(parts.get("peers", (1, ""))[1]),
    )


def loaded(rc: int, text: str) -> Optional[Loaded]:
    """Read `corosync-cmapctl nodelist. quorum.`."""
    numbers = LOADED_ID.findall(text)
    return Loaded(tuple(sorted(map(int, numbers))), LOADED_TWO_NODE.search(text) is not None) if rc == 0 and numbers else None


def _lost(text: str) -> Tuple[str, ...]:
    """Read `crm_node -l`: a line is id, name and state."""
    lines = [line.split() for line in text.splitlines()]
    return tuple(line[1] for line in lines if len(line) == 3 and line[0].isdigit() and line[2] == "lost")


def _loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False
