# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""What the hook is told about a domain, as a value. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from xml.etree import ElementTree

from lab.testbed.guests import IMAGE

MARK = "./metadata/{urn:ondemand:cluster:vm:1}vm"


@dataclass(frozen=True)
class Guest:
    """A domain whose inside is a container. `disks` are (serial, path of a file) of its data disks."""

    name: str
    uuid: str
    mac: str
    bridge: str
    seed: str
    disks: tuple[tuple[str, str], ...]


def parse_guest(xml: str) -> Guest | None:
    """The guest that a domain's XML describes; None if its inside is its own."""
    domain = ElementTree.fromstring(xml)
    mark = domain.find(MARK)
    if mark is None or mark.get("image") != IMAGE:
        return None
    sources = {disk.find("target").get("dev"): disk for disk in domain.findall("./devices/disk")}  # type: ignore[union-attr]
    card = domain.find("./devices/interface")
    return Guest(
        name=domain.findtext("name", ""),
        uuid=domain.findtext("uuid", ""),
        mac=card.find("mac").get("address"),  # type: ignore[union-attr,arg-type]
        bridge=card.find("source").get("bridge"),  # type: ignore[union-attr,arg-type]
        seed=sources["vdb"].find("source").get("file"),  # type: ignore[union-attr,arg-type]
        disks=tuple(
            (disk.findtext("serial", ""), disk.find("source").get("file", ""))  # type: ignore[union-attr]
            for disk in sources.values()
            if disk.findtext("serial")
        ),
    )
