# SPDX-License-Identifier: BSD-2-Clause
# Copyright: (c) 2026, the ondemand.cluster contributors

"""The manifest of a published image: what it says, and whether it is the image that was asked for. Pure.

The manifest's volume is the image's switch: it names the volumes that belong to it and is written last. It has a fixed
size and is overwritten in place, because libvirt can neither rename a volume nor write one as a whole.
"""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass
from typing import Any, Dict, List, Mapping, Optional, Union

from ansible_collections.ondemand.cluster.plugins.module_utils._contract import names
from ansible_collections.ondemand.cluster.plugins.module_utils._contract.refusal import Refusal

MANIFEST_BYTES = 65536
SUFFIXES = {"disk": "qcow2", "kernel": "vmlinuz", "initrd": "initrd"}


@dataclass(frozen=True)
class Image:
    """A published image. `volumes` maps disk, kernel and initrd to names of volumes; `virtual_bytes` is the disk's size."""

    name: str
    sha256: str
    generation: int
    boot: str
    cmdline: str
    virtual_bytes: int
    volumes: Dict[str, str]

    def as_data(self) -> Dict[str, Any]:
        return {"name": self.name, "sha256": self.sha256, "generation": self.generation}


def problems(manifest: Mapping[str, Any]) -> List[str]:
    """Everything wrong with a manifest as its publisher gives it."""
    found = [names.name_problem(manifest.get("name"), "manifest.name")]
    if not names.SHA256.match(str(manifest.get("sha256"))):
        found.append(f"manifest.sha256: {manifest.get('sha256')!r}; 64 hexadecimal digits in lower case are right")
    generation = manifest.get("generation")
    if not isinstance(generation, int) or isinstance(generation, bool) or generation < 1:
        found.append(f"manifest.generation: {generation!r}; a whole number from 1 on is right")
    if manifest.get("boot") not in ("kernel", "firmware"):
        found.append(f"manifest.boot: {manifest.get('boot')!r}; kernel or firmware is right")
    if manifest.get("cmdline"):
        found.append(names.text_problem(manifest.get("cmdline"), "manifest.cmdline"))
    return [problem for problem in found if problem]


def volumes_of(name: str, sha256: str, boot: str, initrd: bool) -> Dict[str, str]:
    """Names of the volumes of an image, by role."""
    roles = ["disk"] + (["kernel"] if boot == "kernel" else []) + (["initrd"] if boot == "kernel" and initrd else [])
    return {role: names.image_volume(name, sha256, SUFFIXES[role]) for role in roles}


def dump(manifest: Mapping[str, Any]) -> bytes:
    """The manifest's volume, filled up with spaces. Raises ValueError if it is too large."""
    text = json.dumps(dict(manifest), indent=1, sort_keys=True).encode() + b"\n"
    if len(text) > MANIFEST_BYTES:
        raise ValueError(f"a manifest has at most {MANIFEST_BYTES} bytes, this one has {len(text)}")
    return text.ljust(MANIFEST_BYTES, b" ")


def load(raw: bytes) -> Optional[Dict[str, Any]]:
    """The manifest in a volume, None if there is no whole one (the image is just being published, or that broke off)."""
    try:
        manifest = json.loads(raw.decode("utf-8"))
    except ValueError:
        return None
    if not isinstance(manifest, dict) or problems(manifest) or not isinstance(manifest.get("volumes"), dict):
        return None
    return manifest


def from_manifest(manifest: Mapping[str, Any]) -> Image:
    """A manifest that load() gave, as a value."""
    return Image(
        name=manifest["name"],
        sha256=manifest["sha256"],
        generation=manifest["generation"],
        boot=manifest["boot"],
        cmdline=manifest.get("cmdline") or "",
        virtual_bytes=int(manifest.get("virtual_bytes") or 0),
        volumes={str(role): str(volume) for role, volume in manifest["volumes"].items()},
    )


def choose(name: str, image: Optional[Image], sha256: Optional[str], where: str) -> Union[Image, Refusal]:
    """The image if it is the wanted one, else why not. `where` names pool and host."""
    if image is None:
        return Refusal("no_image", f"The image {name} isn't published in {where}. Run the playbook build_image first.")
    if sha256 and image.sha256 != sha256:
        return Refusal(
            "wrong_checksum",
            f"The image {name} in {where} has the checksum {image.sha256}, wanted is {sha256}. "
            "Publish the wanted one, or change image.sha256 in the cluster file.",
        )
    return image


def virtual_bytes(head: bytes) -> Optional[int]:
    """The size that a qcow2 file's disk has, from its first 32 bytes (QEMU, docs/interop/qcow2.txt); None: no qcow2."""
    if len(head) < 32 or head[:4] != b"QFI\xfb":
        return None
    return int(struct.unpack(">Q", head[24:32])[0])
