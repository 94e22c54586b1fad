# SPDX-License-Identifier: BSD-2-Clause
# Copyright: (c) 2026, the ondemand.cluster contributors

"""Publish an image into a pool, and withdraw it: what has to be done (pure), and the doing.

An image's volumes carry its checksum in their names, so a new generation lies beside the old one, and VMs go on using the
one they were made from. The manifest is the switch: it is written last. What no manifest names and no VM uses is removed: by
a look after the switch, since the sending takes minutes in which VMs are made. Who clones after that look sees the switch (vms.py).
"""

from __future__ import annotations

import hashlib
import io
import os
import re
from dataclasses import dataclass
from typing import Any, Dict, List, Mapping, Optional, Sequence, Set, Tuple

from ansible_collections.ondemand.cluster.plugins.module_utils._contract import names
from ansible_collections.ondemand.cluster.plugins.module_utils._contract.refusal import Refusal, Refused
from ansible_collections.ondemand.cluster.plugins.module_utils._libvirt.connection import refusing
from ansible_collections.ondemand.cluster.plugins.module_utils._libvirt.host import volumes
from ansible_collections.ondemand.cluster.plugins.module_utils._libvirt.image import images

CHUNK = 1 << 20


@dataclass(frozen=True)
class Source:
    """The files of an image on the controller."""

    disk: str
    kernel: Optional[str] = None
    initrd: Optional[str] = None

    def paths(self) -> Dict[str, str]:
        given = {"disk": self.disk, "kernel": self.kernel, "initrd": self.initrd}
        return {role: path for role, path in given.items() if path}


@dataclass(frozen=True)
class Pool:
    """What of an image is in a pool: the manifest, the names of volumes of the image, and which disks VMs are clones of."""

    manifest: Optional[Dict[str, Any]]
    has_manifest: bool
    volumes: Tuple[str, ...]
    users: Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Publication:
    """What is to be done: roles to upload, whether the manifest is to be written, volumes to remove."""

    upload: Tuple[str, ...] = ()
    write: bool = False
    remove: Tuple[str, ...] = ()

    @property
    def changed(self) -> bool:
        return bool(self.upload or self.write or self.remove)


def sha256_of(path: str) -> str:
    """SHA-256 of a file, in hexadecimal."""
    digest = hashlib.sha256()
    with open(path, "rb") as stream:
        for part in iter(lambda: stream.read(CHUNK), b""):
            digest.update(part)
    return digest.hexdigest()


def whole(manifest: Mapping[str, Any], source: Source) -> Dict[str, Any]:
    """The manifest as it is published: with the volumes' names, the disk's size, and checksums of kernel and initrd.

    Raises ValueError if the disk is no qcow2 file.
    """
    with open(source.disk, "rb") as stream:
        size = images.virtual_bytes(stream.read(32))
    if size is None:
        raise ValueError(f"src: {source.disk} is no qcow2 file; convert it with qemu-img")
    full = dict(manifest, virtual_bytes=size)
    full["volumes"] = images.volumes_of(manifest["name"], manifest["sha256"], manifest["boot"], bool(source.initrd))
    for role in ("kernel", "initrd"):
        if role in full["volumes"]:
            full[role + "_sha256"] = sha256_of(source.paths()[role])
    return full


def stem(volume: str, image: str) -> Optional[str]:
    """The part that the volumes of one generation of an image share; None for volumes of others."""
    match = re.match(r"(%s-[0-9a-f]{12})\.(?:%s)\Z" % (re.escape(image), "|".join(images.SUFFIXES.values())), volume)
    return match.group(1) if match else None


def _in_use(image: str, pool: Pool) -> Set[Optional[str]]:
    """The stems of the generations that VMs are clones of."""
    return {stem(volume, image) for volume, users in pool.users.items() if users}


def _unused(image: str, pool: Pool, keep: Sequence[str]) -> List[str]:
    used = _in_use(image, pool)
    return [volume for volume in pool.volumes if volume not in keep and stem(volume, image) not in used]


def plan_publish(wanted: Mapping[str, Any], pool: Pool) -> Publication:
    """What it takes until the pool has the wanted (whole) manifest and its volumes."""
    image, needed = wanted["name"], dict(wanted["volumes"])
    same = pool.manifest == dict(wanted)
    published = set((pool.manifest or {}).get("volumes", {}).values()) if same else set()
    in_use = _in_use(image, pool)
    # A volume that nobody uses and no manifest names may be half uploaded: it is sent again.
    trusted = {volume for volume in pool.volumes if volume in published or stem(volume, image) in in_use}
    upload = tuple(role for role, volume in needed.items() if volume not in trusted)
    return Publication(upload, not same, tuple(_unused(image, pool, list(needed.values()))))


def plan_withdraw(image: str, pool: Pool) -> Tuple[Publication, Optional[Refusal]]:
    """What it takes until the pool has nothing of the image; refused while VMs are clones of it."""
    users = sorted({user for clones in pool.users.values() for user in clones})
    if users:
        sentence = f"The image {image} stays: VMs are clones of it ({', '.join(users)}). Delete those VMs first."
        return Publication(), Refusal("in_use", sentence)
    gone = ((names.manifest_of(image),) if pool.has_manifest else ()) + pool.volumes
    return Publication(remove=gone), None


def look(connection: Any, pool: Any, image: str) -> Pool:
    """What of the image is in the pool."""
    there = pool.listVolumes()
    ours = tuple(sorted(volume for volume in there if stem(volume, image)))
    manifest_name = names.manifest_of(image)
    manifest = None
    if manifest_name in there:
        manifest = images.load(volumes.receive(connection, volumes.find(pool, manifest_name), 0, images.MANIFEST_BYTES))
    disks = [volume for volume in ours if names.is_image_volume(volume)]
    paths = {pool.storageVolLookupByName(volume).path(): volume for volume in disks}
    clones = volumes.users_of(pool, list(paths)) if paths else {}
    return Pool(manifest, manifest_name in there, ours, {paths[path]: found for path, found in clones.items()})


def _upload(connection: Any, pool: Any, name: str, path: str, uri: str) -> None:
    with refusing(uri, f"upload {name}", "no_room"):
        volumes.delete(pool, name)
        with open(path, "rb") as stream:
            volumes.create(connection, pool, name, stream, os.fstat(stream.fileno()).st_size)


def _write_manifest(connection: Any, pool: Any, manifest: Mapping[str, Any], uri: str) -> None:
    name, content = names.manifest_of(manifest["name"]), images.dump(manifest)
    with refusing(uri, f"write {name}", "no_room"):
        there = volumes.find(pool, name)
        if there is None:
            volumes.create(connection, pool, name, io.BytesIO(content), len(content))
        else:
            volumes.send(connection, there, io.BytesIO(content), len(content))


def _remove(connection: Any, pool: Any, image: str, unused: Sequence[str], uri: str) -> Tuple[str, ...]:
    """Remove what was unused at the first look and still is; the manifest, where it goes too, before the look. What was removed."""
    removed: List[str] = []
    used: Optional[Set[Optional[str]]] = None
    for name in unused:
        if stem(name, image) and used is None:
            used = _in_use(image, look(connection, pool, image))
        if used is None or stem(name, image) not in used:
            with refusing(uri, f"delete {name}", "in_use"):
                volumes.delete(pool, name)
            removed.append(name)
    return tuple(removed)


def apply(
    connection: Any, pool: Any, image: str, todo: Publication, manifest: Optional[Mapping[str, Any]], source: Optional[Source], uri: str
) -> Tuple[str, ...]:
    """Upload, switch, clean up, in this order; what was removed. Refused(wrong_checksum) before anything if the disk isn't what it says."""
    if manifest and source and "disk" in todo.upload:
        found = sha256_of(source.disk)
        if found != manifest["sha256"]:
            sentence = f"Nothing was published: {source.disk} has the checksum {found}, the manifest says {manifest['sha256']}. Get or build the file again."
            raise Refused(Refusal("wrong_checksum", sentence))
    if manifest and source:
        for role in todo.upload:
            _upload(connection, pool, manifest["volumes"][role], source.paths()[role], uri)
    if manifest and todo.write:
        _write_manifest(connection, pool, manifest, uri)
    return _remove(connection, pool, image, todo.remove, uri)
