# SPDX-License-Identifier: BSD-2-Clause
# Copyright: (c) 2026, the ondemand.cluster contributors

"""What a VM shall be, as a frozen value, and the check of the input that it is made from. Pure."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Any, FrozenSet, List, Mapping, Optional, Tuple

from ansible_collections.ondemand.cluster.plugins.module_utils._contract import names
from ansible_collections.ondemand.cluster.plugins.module_utils._contract.config_defaults import RECOVERY

MOST_VCPUS = 512
LEAST_MEMORY_MIB = 64
MOST_DISKS = 24  # vdc to vdz
OPTIONS = ("role", "host", "zone", "generation", "image", "vcpus", "vcpus_max", "memory_mib", "memory_max_mib", "disks", "autostart")
NETWORK = frozenset({"bridge", "address", "prefix", "mac"})


@dataclass(frozen=True)
class DataDisk:
    """A disk beside the VM's own; `name` is its serial (at most 20 characters reach the VM), `path` is on the host."""

    name: str
    path: str
    shareable: bool
    format: str


@dataclass(frozen=True)
class VmSpec:
    """A wanted VM. Memory in MiB, disk in GiB (None: as large as the image's). autostart: it starts with its host."""

    name: str
    cluster: str
    pool: str
    role: str = "member"
    generation: Optional[int] = None
    host: str = ""
    zone: str = ""
    image: str = ""
    image_sha256: Optional[str] = None
    vcpus: int = 1
    vcpus_max: int = 1
    memory_mib: int = 512
    memory_max_mib: int = 512
    disk_gib: Optional[int] = None
    disk_cache: str = "writeback"
    autostart: bool = RECOVERY["autostart"]
    bridge: str = ""
    address: str = ""
    prefix: int = 24
    gateway: Optional[str] = None
    dns: Tuple[str, ...] = ()
    mac: str = ""
    disks: Tuple[DataDisk, ...] = ()
    authorized_keys: Tuple[str, ...] = ()
    # Names of the fields that somebody asked for; a VM that exists is compared in these only.
    given: FrozenSet[str] = frozenset()


@dataclass(frozen=True)
class Boot:
    """How a VM boots: its disk's own way, or a kernel (paths on the host) that QEMU loads."""

    kernel: Optional[str] = None
    initrd: Optional[str] = None
    cmdline: Optional[str] = None


def _or(value: Any, default: Any) -> Any:
    """The value, or the default where nothing was given; a nought was given."""
    return default if value is None else value


def _given(params: Mapping[str, Any]) -> FrozenSet[str]:
    network = params.get("network") or {}
    found = [key for key in OPTIONS if params.get(key) is not None]
    return frozenset(found + [key for key in NETWORK if network.get(key) is not None])


def from_params(params: Mapping[str, Any]) -> VmSpec:
    """The spec of a module's parameters, with what follows from others filled in (maxima, MAC)."""
    network = params.get("network") or {}
    vcpus = _or(params.get("vcpus"), 1)
    memory = _or(params.get("memory_mib"), 512)
    disks = [DataDisk(d["name"], d["path"], bool(d.get("shareable")), d.get("format") or "raw") for d in params.get("disks") or []]
    return VmSpec(
        name=params["name"],
        cluster=params["cluster"],
        role=params.get("role") or "member",
        generation=params.get("generation"),
        host=params.get("host") or "",
        zone=params.get("zone") or params.get("host") or "",
        pool=params["pool"],
        image=params.get("image") or "",
        image_sha256=params.get("image_sha256"),
        vcpus=vcpus,
        vcpus_max=_or(params.get("vcpus_max"), vcpus),
        memory_mib=memory,
        memory_max_mib=_or(params.get("memory_max_mib"), memory),
        disk_gib=params.get("disk_gib"),
        disk_cache=params.get("disk_cache") or "writeback",
        autostart=bool(_or(params.get("autostart"), True)),
        bridge=network.get("bridge") or "",
        address=network.get("address") or "",
        prefix=_or(network.get("prefix"), 24),
        gateway=network.get("gateway"),
        dns=tuple(network.get("dns") or ()),
        mac=(network.get("mac") or names.mac_of(params["cluster"], params["name"])).lower(),
        disks=tuple(disks),
        authorized_keys=tuple(params.get("authorized_keys") or ()),
        given=_given(params),
    )


def _size_problems(spec: VmSpec) -> List[str]:
    found = []
    if not 1 <= spec.vcpus <= spec.vcpus_max <= MOST_VCPUS:
        found.append(f"vcpus: {spec.vcpus} of at most {spec.vcpus_max}; 1 <= vcpus <= vcpus_max <= {MOST_VCPUS} is right")
    if not LEAST_MEMORY_MIB <= spec.memory_mib <= spec.memory_max_mib:
        found.append(
            f"memory_mib: {spec.memory_mib} of at most {spec.memory_max_mib}; {LEAST_MEMORY_MIB} <= memory_mib <= memory_max_mib is right"
        )
    if spec.disk_gib is not None and spec.disk_gib < 1:
        found.append(f"disk_gib: {spec.disk_gib}; 1 or more is right, or leave it out")
    return found


def _network_problems(spec: VmSpec) -> List[Optional[str]]:
    found: List[Optional[str]] = [names.address_problem(spec.address, "network.address")]
    if not names.BRIDGE.match(spec.bridge):
        found.append(f"network.bridge: {spec.bridge!r} is no name of a bridge; up to 15 of A-Z a-z 0-9 . _ - are right")
    if not names.MAC.match(spec.mac) or int(spec.mac[:2], 16) & 1:
        found.append(f"network.mac: {spec.mac!r} is no MAC of one card; one like 52:54:00:12:34:56 is right")
    if spec.gateway is not None:
        found.append(names.address_problem(spec.gateway, "network.gateway"))
    found += [names.address_problem(dns, f"network.dns[{i}]") for i, dns in enumerate(spec.dns)]
    try:
        net = ipaddress.ip_interface(f"{spec.address}/{spec.prefix}").network
    except ValueError:
        found.append(f"network.prefix: {spec.prefix} doesn't fit the address {spec.address}; 24 is usual")
    else:
        if not names.address_problem(spec.gateway, "") and ipaddress.ip_address(spec.gateway) not in net:
            found.append(f"network.gateway: {spec.gateway} isn't in {net}; a gateway of the VM's own network is right")
    return found


def _disk_problems(spec: VmSpec) -> List[Optional[str]]:
    found: List[Optional[str]] = []
    for i, disk in enumerate(spec.disks):
        path = f"disks[{i}]"
        found.append(names.name_problem(disk.name, path + ".name"))
        if len(disk.name) > 20:
            found.append(f"{path}.name: {disk.name!r} is longer than the 20 characters that a serial may have")
        found.append(names.text_problem(disk.path, path + ".path"))
        if not disk.path.startswith("/"):
            found.append(f"{path}.path: {disk.path!r} must be an absolute path on the host")
        if disk.shareable and disk.format != "raw":
            found.append(f"{path}.format: a shareable disk must be raw, two QEMUs can't write one {disk.format}")
    if len(spec.disks) > MOST_DISKS:
        found.append(f"disks: {len(spec.disks)} of at most {MOST_DISKS}; a VM's disks are called vda to vdz")
    serials = [disk.name for disk in spec.disks]
    if len(set(serials)) != len(serials):
        found.append("disks: two have one name; names must differ")
    return found


def problems(spec: VmSpec, building: bool) -> List[str]:
    """Everything wrong with a spec, each with its path. `building`: also what only a VM that is made needs to have."""
    found: List[Optional[str]] = [
        names.name_problem(spec.name, "name"),
        names.name_problem(spec.cluster, "cluster"),
        names.name_problem(spec.pool, "pool"),
        names.name_problem(spec.role, "role"),
    ]
    for path, value in (("host", spec.host), ("zone", spec.zone)):
        found.append(names.name_problem(value, path) if value else None)
    if building or "image" in spec.given:
        found.append(names.name_problem(spec.image, "image"))
    if spec.image_sha256 and not names.SHA256.match(spec.image_sha256):
        found.append("image_sha256: 64 hexadecimal digits in lower case are right")
    found += _size_problems(spec)
    if building or spec.given & NETWORK:
        found += _network_problems(spec)
    found += _disk_problems(spec)
    for i, key in enumerate(spec.authorized_keys):
        found.append(names.text_problem(key, f"authorized_keys[{i}]"))
    return [problem for problem in found if problem]
