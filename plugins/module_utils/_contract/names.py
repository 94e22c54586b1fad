# SPDX-License-Identifier: BSD-2-Clause
# Copyright: (c) 2026, the ondemand.cluster contributors

"""The names of everything this collection makes (docs/exchange-formats.md, section 2). Pure."""

from __future__ import annotations

import hashlib
import ipaddress
import re
from typing import Iterable, Optional, Tuple

NAME = re.compile(r"[a-z0-9-]{1,63}\Z")
BRIDGE = re.compile(r"[A-Za-z0-9_.-]{1,15}\Z")
MAC = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}\Z")
SHA256 = re.compile(r"[0-9a-f]{64}\Z")

OVERLAY_SUFFIX = ".qcow2"
SEED_SUFFIX = "-seed.iso"
MANIFEST_SUFFIX = ".json"


def name_problem(value: object, path: str) -> Optional[str]:
    """What is wrong with a name, or None. Names reach XML, files and configurations, so they are narrow."""
    if isinstance(value, str) and NAME.match(value) and not value.startswith("-"):
        return None
    return f"{path}: {value!r} is no name; 1 to 63 of a-z, 0-9 and -, not starting with -, are right"


def text_problem(value: object, path: str) -> Optional[str]:
    """What is wrong with a value that will stand in one line of a file, or None."""
    if not isinstance(value, str) or not value:
        return f"{path}: {value!r} must be a text that is not empty"
    if any(ord(c) < 32 or ord(c) == 127 for c in value) or '"' in value or "'" in value:
        return f"{path}: {value!r} has a quote, a newline or a control character; leave those out"
    return None


def address_problem(value: object, path: str) -> Optional[str]:
    """What is wrong with an IP address, or None."""
    try:
        ipaddress.ip_address(str(value))
    except ValueError:
        return f"{path}: {value!r} is no IP address; one like 10.99.0.20 is right"
    return None


def vm_name(cluster: str, number: int) -> str:
    """Name of the VM and node with this number."""
    return f"{cluster}-n{number}"


def vm_number(cluster: str, name: str) -> Optional[int]:
    """The K of CLUSTER-nK, or None if the name is another cluster's or none of ours."""
    match = re.match(re.escape(cluster) + r"-n([1-9][0-9]{0,8})\Z", name)
    return int(match.group(1)) if match else None


def by_number(name: str) -> Tuple[int, str]:
    """What to sort names of one cluster's VMs by: n10 comes after n9, and first what has no number."""
    match = re.search(r"-n([1-9][0-9]{0,8})\Z", name)
    return int(match.group(1)) if match else 0, name


def next_number(cluster: str, names: Iterable[str]) -> int:
    """One more than the highest number among the names, 1 if there is none."""
    return 1 + max((vm_number(cluster, name) or 0 for name in names), default=0)


def mac_of(cluster: str, vm: str) -> str:
    """The VM's MAC: QEMU's prefix and three bytes of SHA-256, so that a VM made again keeps its MAC."""
    digest = hashlib.sha256(f"{cluster}/{vm}".encode()).digest()
    return "52:54:00:" + ":".join(f"{byte:02x}" for byte in digest[:3])


def overlay_of(vm: str) -> str:
    """Volume name of the VM's own disk."""
    return vm + OVERLAY_SUFFIX


def seed_of(vm: str) -> str:
    """Volume name of the VM's seed."""
    return vm + SEED_SUFFIX


def vm_of_volume(volume: str) -> str:
    """The VM that a volume of this name would be the overlay or the seed of; empty if of none."""
    for suffix in (OVERLAY_SUFFIX, SEED_SUFFIX):
        if volume.endswith(suffix):
            return volume[: -len(suffix)]
    return ""


def manifest_of(image: str) -> str:
    """Volume name of an image's manifest."""
    return image + MANIFEST_SUFFIX


def image_volume(image: str, sha256: str, suffix: str) -> str:
    """Volume of an image: its content is in its name, because libvirt can't rename and VMs may run on an older one."""
    return f"{image}-{sha256[:12]}.{suffix}"


def is_image_volume(volume: str) -> bool:
    """Whether a disk volume has the shape that image_volume() gives."""
    return bool(re.match(r"[a-z0-9-]{1,63}-[0-9a-f]{12}\.qcow2\Z", volume))


def group_of(cluster: str) -> str:
    """Inventory group of a cluster; Ansible's group names take no dash."""
    return "ondemand_" + cluster.replace("-", "_")
