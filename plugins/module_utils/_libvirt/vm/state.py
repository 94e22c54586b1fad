# SPDX-License-Identifier: BSD-2-Clause
# Copyright: (c) 2026, the ondemand.cluster contributors

"""From libvirt's XML and numbers to what a VM is, as a frozen value; and that value as data for people. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Dict, List, Optional, Tuple
from xml.etree import ElementTree as ET

from ansible_collections.ondemand.cluster.plugins.module_utils._libvirt.vm import metadata
from ansible_collections.ondemand.cluster.plugins.module_utils._libvirt.vm.spec import Boot, DataDisk

# virDomainState: 0 no state, 1 running, 2 blocked, 3 paused, 4 shutting down, 5 shut off, 6 crashed, 7 suspended by the VM
STATES = {0: "stopped", 1: "running", 2: "running", 3: "paused", 4: "running", 5: "stopped", 6: "crashed", 7: "paused"}
_KIB = {"b": 1 / 1024, "bytes": 1 / 1024, "KiB": 1, "k": 1, "MiB": 1024, "M": 1024, "GiB": 1024**2, "G": 1024**2}


@dataclass(frozen=True)
class VmState:
    """A domain as it is: `mark` is None if it isn't ours. Sizes are those of its definition; `vcpus_live` of the running VM.

    autostart: whether it starts with its host; its XML does not tell, so None until somebody looks.
    """

    name: str
    uuid: str
    state: str
    mark: Optional[Dict[str, Any]]
    vcpus: int
    vcpus_max: int
    memory_mib: int
    memory_max_mib: int
    bridge: str
    mac: str
    overlay_path: str
    seed_path: str
    boot: Boot
    disks: Tuple[DataDisk, ...]
    vcpus_live: Optional[int] = None
    autostart: Optional[bool] = None
    has_overlay: bool = True
    has_seed: bool = True
    # Of every card: its MAC, and the addresses that the definition itself names for it.
    macs: Tuple[str, ...] = ()
    addresses: Tuple[str, ...] = ()

    @property
    def running(self) -> bool:
        return self.state in ("running", "paused")

    @property
    def finished(self) -> bool:
        """Whether its making came to its end once."""
        return bool(self.mark and self.mark.get("created_at"))

    @property
    def missing(self) -> List[str]:
        return [what for what, there in (("overlay", self.has_overlay), ("seed", self.has_seed)) if not there]


def _mib(root: ET.Element, tag: str) -> int:
    node = root.find(tag)
    if node is None or not (node.text or "").strip():
        return 0
    return int(int(node.text or 0) * _KIB.get(node.get("unit", "KiB"), 1)) // 1024


def _source(disk: ET.Element) -> str:
    source = disk.find("source")
    if source is None:
        return ""
    return source.get("file") or source.get("dev") or ""


def _disks(root: ET.Element) -> Tuple[str, str, Tuple[DataDisk, ...]]:
    overlay = seed = ""
    data = []
    for disk in root.findall("./devices/disk"):
        target = disk.find("target")
        name = target.get("dev", "") if target is not None else ""
        if name == "vda":
            overlay = _source(disk)
        elif name == "vdb" and disk.find("readonly") is not None:
            seed = _source(disk)
        else:
            driver = disk.find("driver")
            kind = driver.get("type", "raw") if driver is not None else "raw"
            serial = disk.findtext("serial") or name
            data.append(DataDisk(serial, _source(disk), disk.find("shareable") is not None, kind))
    return overlay, seed, tuple(data)


def _claims(root: ET.Element) -> Tuple[Tuple[str, ...], Tuple[str, ...]]:
    """MACs and addresses that the cards of a domain claim. Addresses stand in few definitions: as <ip>, or for a filter."""
    macs = [mac.get("address", "").lower() for mac in root.findall("./devices/interface/mac")]
    claimed = [ip.get("address") for ip in root.findall("./devices/interface/ip")]
    claimed += [parameter.get("value") for parameter in root.findall("./devices/interface/filterref/parameter[@name='IP']")]
    return tuple(mac for mac in macs if mac), tuple(address for address in claimed if address)


def parse(xml: str, state: int, vcpus_live: Optional[int] = None) -> VmState:
    """A domain's (inactive) XML and virDomainState as a value. Volumes are taken to be there until somebody looks."""
    root = ET.fromstring(xml)
    vcpu = root.find("vcpu")
    vcpus_max = int(vcpu.text or 1) if vcpu is not None else 1
    overlay, seed, data = _disks(root)
    macs, addresses = _claims(root)
    bridge = root.find("./devices/interface/source")
    memory_max = _mib(root, "memory")
    return VmState(
        name=root.findtext("name") or "",
        uuid=root.findtext("uuid") or "",
        state=STATES.get(state, "stopped"),
        mark=metadata.read(root),
        vcpus=int(vcpu.get("current", vcpus_max)) if vcpu is not None else 1,
        vcpus_max=vcpus_max,
        memory_mib=_mib(root, "currentMemory") or memory_max,
        memory_max_mib=memory_max,
        bridge=bridge.get("bridge", "") if bridge is not None else "",
        mac=macs[0] if macs else "",
        overlay_path=overlay,
        seed_path=seed,
        boot=Boot(root.findtext("./os/kernel"), root.findtext("./os/initrd"), root.findtext("./os/cmdline")),
        disks=data,
        vcpus_live=vcpus_live,
        macs=macs,
        addresses=addresses,
    )


def as_data(state: VmState, uri: str) -> Dict[str, Any]:
    """The VM as docs/exchange-formats.md section 4 has it."""
    mark = state.mark or {}
    data: Dict[str, Any] = {"name": state.name, "uri": uri, "state": state.state, "uuid": state.uuid}
    for key in ("vcpus", "vcpus_max", "memory_mib", "memory_max_mib", "mac"):
        data[key] = getattr(state, key)
    for key in ("cluster", "host", "zone", "address", "prefix", "host_key", "generation", "image", "role", "created_at", "pool"):
        data[key] = mark.get(key)
    data["missing"] = state.missing
    data["complete"] = state.finished and not state.missing
    return data
