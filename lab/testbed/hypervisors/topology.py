# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""What the lab consists of, as values: spaces (namespaces with a name), the cables between them, and where files lie."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path


def lab_name(environment: str | None) -> str:
    """The lab's name: ``ondemand``, or what ONDEMAND_LAB says. Another name is another lab beside it, for its own tests."""
    name = environment or "ondemand"
    if not re.fullmatch(r"[a-z0-9]{1,16}", name):
        raise ValueError(f"ONDEMAND_LAB is {name!r}: use 1 to 16 of a-z and 0-9")
    return name


LAB = lab_name(os.environ.get("ONDEMAND_LAB"))
ROOT = Path(f"/var/lib/{LAB}-lab")
CHECKOUT = Path(__file__).resolve().parents[3]
NETNS_DIR = Path("/run/netns")
PREFIX_LENGTH = 24
ARCHIVE_PORT = 8000
LEDGER_MIB = 64


@dataclass(frozen=True)
class Space:
    """One namespace set. A hypervisor has a bridge, a libvirtd and an sshd; the others have one plain network card."""

    name: str
    address: str
    kind: str  # hypervisor | operator | plain

    @property
    def netns(self) -> str:
        """Name for ``ip netns``; the prefix keeps us from touching namespaces of anybody else."""
        return f"{LAB}-{self.name}"

    @property
    def directory(self) -> Path:
        """Everything that this space writes."""
        return ROOT / self.name

    @property
    def is_hypervisor(self) -> bool:
        """True where VMs run."""
        return self.kind == "hypervisor"

    @property
    def device(self) -> str:
        """The network device that carries the space's address."""
        return "br0" if self.is_hypervisor else "eth0"

    @property
    def mac(self) -> str:
        """The card's own address, reckoned from the IP address: unique in the lab, and locally administered (its first byte is 02)."""
        return ":".join(f"{byte:02x}" for byte in (2, 0, *map(int, self.address.split("."))))


@dataclass(frozen=True)
class Cable:
    """A veth pair: ``(space, device)`` at both ends. An end in a hypervisor is plugged into its bridge."""

    a: tuple[str, str]
    b: tuple[str, str]


SPACES = (
    Space("hv1", "10.99.0.1", "hypervisor"),
    Space("hv2", "10.99.0.2", "hypervisor"),
    Space("ctl", "10.99.0.3", "operator"),
    Space("cli", "10.99.0.4", "plain"),
)
CABLES = (
    Cable(("hv1", "to-hv2"), ("hv2", "to-hv1")),
    Cable(("hv1", "to-ctl"), ("ctl", "eth0")),
    Cable(("hv2", "to-cli"), ("cli", "eth0")),
)


def space(name: str) -> Space:
    """The space of that name; KeyError names the ones that exist."""
    for one in SPACES:
        if one.name == name:
            return one
    raise KeyError(f"no space {name!r}; there are {', '.join(s.name for s in SPACES)}")


HYPERVISORS = tuple(s for s in SPACES if s.is_hypervisor)
SHARED = ROOT / "shared"
LEDGER = SHARED / "ledger.raw"
ARCHIVE = CHECKOUT / "var" / "archive"
