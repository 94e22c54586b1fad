# SPDX-License-Identifier: BSD-2-Clause
# Copyright: (c) 2026, the ondemand.cluster contributors

"""Volumes of a storage pool over libvirt's API alone: nothing is installed on the host, no file is opened there."""

from __future__ import annotations

import contextlib
from typing import Any, BinaryIO, Dict, List, Optional
from xml.etree import ElementTree as ET

from ansible_collections.ondemand.cluster.plugins.module_utils._contract import names
from ansible_collections.ondemand.cluster.plugins.module_utils._contract.refusal import Refusal, Refused
from ansible_collections.ondemand.cluster.plugins.module_utils._libvirt.connection import is_error, libvirt, refusing
from ansible_collections.ondemand.cluster.plugins.module_utils._libvirt.image import images
from ansible_collections.ondemand.cluster.plugins.module_utils._libvirt.vm import render

# Primary volume descriptor of ISO 9660: sector 16; the application identifier stands at byte 574 of it.
SEED_MARK_AT = 16 * 2048 + 574
SEED_MARK = b"ONDEMAND.CLUSTER"


# Pools whose volumes are files in a directory: only these can hold linked clones, seeds and manifests.
CARRYING = ("dir", "fs", "netfs")


def unfit(pool: Any) -> str:
    """Why a pool can carry no VM; empty if it can."""
    kind = ET.fromstring(pool.XMLDesc(0)).get("type")
    if kind in CARRYING:
        return ""
    return (
        f"the storage pool {pool.name()} is of the type {kind}, and VMs need one of files ({', '.join(CARRYING)}); name or make such a pool"
    )


def pool_of(connection: Any, name: str, uri: str) -> Any:
    """The storage pool; Refused(not_found) if there is none, it does not run, or it can carry no VM."""
    try:
        pool = connection.storagePoolLookupByName(name)
        active = pool.isActive()
    except libvirt.libvirtError as error:
        if not is_error(error, "NO_STORAGE_POOL"):
            raise
        active = False
    if not active:
        sentence = f"There is no running storage pool {name!r} on {uri}. Run the playbook prepare_host, or name another pool."
        raise Refused(Refusal("not_found", sentence))
    why = unfit(pool)
    if why:
        raise Refused(Refusal("not_found", f"{uri} was not touched: {why}."))
    return pool


def path_of_pool(pool: Any) -> str:
    """The pool's directory on the host."""
    return (ET.fromstring(pool.XMLDesc(0)).findtext("./target/path") or "").rstrip("/")


def find(pool: Any, name: str) -> Optional[Any]:
    """The volume, or None."""
    try:
        return pool.storageVolLookupByName(name)
    except libvirt.libvirtError as error:
        if is_error(error, "NO_STORAGE_VOL"):
            return None
        raise


def delete(pool: Any, name: str) -> bool:
    """Delete a volume; False if it wasn't there."""
    volume = find(pool, name)
    if volume is None:
        return False
    volume.delete(0)
    return True


def refresh(pool: Any) -> None:
    """Let libvirt see what was put into or taken from the pool behind its back; busy pools are left as they are."""
    with contextlib.suppress(libvirt.libvirtError):
        pool.refresh(0)


def send(connection: Any, volume: Any, source: BinaryIO, length: int) -> None:
    """Write `length` bytes from a file into the volume, from its start."""
    stream = connection.newStream(0)
    volume.upload(stream, 0, length, 0)
    try:
        stream.sendAll(lambda _stream, count, file: file.read(count), source)
        stream.finish()
    except BaseException:
        with contextlib.suppress(libvirt.libvirtError):
            stream.abort()
        raise


def receive(connection: Any, volume: Any, offset: int, length: int) -> bytes:
    """Read `length` bytes of a volume. libvirt allows that on a connection that may write, only."""
    parts: List[bytes] = []
    stream = connection.newStream(0)
    volume.download(stream, offset, length, 0)
    stream.recvAll(lambda _stream, data, _opaque: parts.append(data) and None, None)
    stream.finish()
    return b"".join(parts)


def create(connection: Any, pool: Any, name: str, source: BinaryIO, length: int) -> Any:
    """A new volume with this content; it is deleted again if the transfer fails."""
    volume = pool.createXML(render.volume_xml(name, length, "raw"), 0)
    try:
        send(connection, volume, source, length)
    except BaseException:
        with contextlib.suppress(libvirt.libvirtError):
            volume.delete(0)
        raise
    return volume


def clone(pool: Any, name: str, backing: Any, capacity: int) -> Any:
    """A linked clone (qcow2 overlay) of a qcow2 volume, `capacity` bytes large."""
    return pool.createXML(render.volume_xml(name, capacity, "qcow2", backing.path()), 0)


def image_in(connection: Any, pool: Any, name: str) -> Optional[images.Image]:
    """The published image, None if there is none or its disk is missing."""
    volume = find(pool, names.manifest_of(name))
    if volume is None:
        return None
    manifest = images.load(receive(connection, volume, 0, images.MANIFEST_BYTES))
    if manifest is None or manifest["name"] != name:
        return None
    image = images.from_manifest(manifest)
    return image if all(find(pool, needed) for needed in image.volumes.values()) else None


def images_in(connection: Any, pool: Any) -> List[images.Image]:
    """Every published image of the pool."""
    found = []
    for volume in pool.listVolumes():
        if volume.endswith(names.MANIFEST_SUFFIX) and not names.name_problem(volume[: -len(names.MANIFEST_SUFFIX)], ""):
            found.append(image_in(connection, pool, volume[: -len(names.MANIFEST_SUFFIX)]))
    return [image for image in found if image]


def backing_of(volume: Any) -> str:
    """Path of the volume below a linked clone, empty if there is none."""
    return ET.fromstring(volume.XMLDesc(0)).findtext("./backingStore/path") or ""


def users_of(pool: Any, paths: List[str]) -> Dict[str, List[str]]:
    """Which volumes of the pool are clones of these paths."""
    users: Dict[str, List[str]] = {path: [] for path in paths}
    for volume in pool.listAllVolumes(0):
        below = backing_of(volume)
        if below in users:
            users[below].append(volume.name())
    return users


def _seed_is_ours(connection: Any, volume: Any) -> bool:
    with contextlib.suppress(libvirt.libvirtError):
        return receive(connection, volume, SEED_MARK_AT, len(SEED_MARK)) == SEED_MARK
    return False


def _is_clone_of_ours(pool: Any, volume: Any) -> bool:
    """Whether the volume lies on an image's disk of the same pool."""
    directory, _slash, below = backing_of(volume).rpartition("/")
    return names.is_image_volume(below) and directory == path_of_pool(pool)


def leftovers(connection: Any, pool: Any, vm: str, uri: str) -> List[str]:
    """Which of "overlay" and "seed" exist for a VM that has no domain; Refused(not_ours) if one isn't ours.

    A seed is ours if it carries our mark. An overlay can carry none, and anybody may clone our image or give a file such a
    name: it is ours only as a clone of an image's disk that has our seed for the same VM beside it.
    """
    overlay, seed = (find(pool, name) for name in (names.overlay_of(vm), names.seed_of(vm)))
    with refusing(uri, f"look at the volumes of {vm}", "not_ours"):
        marked = seed is not None and _seed_is_ours(connection, seed)
        ours = {"overlay": overlay is not None and marked and _is_clone_of_ours(pool, overlay), "seed": marked}
    there = {what: volume for what, volume in (("overlay", overlay), ("seed", seed)) if volume is not None}
    foreign = [volume.name() for what, volume in there.items() if not ours[what]]
    if foreign:
        sentence = (
            f"{vm} was not touched: nothing proves that {' and '.join(foreign)} in the pool {pool.name()} on {uri} "
            "was made by ondemand.cluster. Remove it by hand, or choose another name."
        )
        raise Refused(Refusal("not_ours", sentence))
    return list(there)
