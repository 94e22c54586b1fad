# SPDX-License-Identifier: BSD-2-Clause
# Copyright: (c) 2026, the ondemand.cluster contributors

"""Look at one VM, and do the steps of a plan. All I/O about one VM is here; what to do is decided in plan.py."""

from __future__ import annotations

import contextlib
import io
import time
from dataclasses import dataclass, field, replace
from typing import Any, Callable, Dict, List, Optional, Tuple

from ansible_collections.ondemand.cluster.plugins.module_utils._contract import names
from ansible_collections.ondemand.cluster.plugins.module_utils._contract.refusal import Refusal, Refused
from ansible_collections.ondemand.cluster.plugins.module_utils._libvirt.connection import is_error, libvirt, refusing
from ansible_collections.ondemand.cluster.plugins.module_utils._libvirt.host import volumes
from ansible_collections.ondemand.cluster.plugins.module_utils._libvirt.image import images
from ansible_collections.ondemand.cluster.plugins.module_utils._libvirt.vm import metadata, render, seed
from ansible_collections.ondemand.cluster.plugins.module_utils._libvirt.vm.plan import DEFINED, LIVE, MARKED, Changes
from ansible_collections.ondemand.cluster.plugins.module_utils._libvirt.vm.spec import Boot, VmSpec
from ansible_collections.ondemand.cluster.plugins.module_utils._libvirt.vm.state import VmState, parse
from ansible_collections.ondemand.cluster.plugins.module_utils._shared import known_hosts

STOP_POLL_S = 0.5
# What goes with a domain's definition, in the order in which libvirt learned it.
UNDEFINE = ("MANAGED_SAVE", "SNAPSHOTS_METADATA", "NVRAM", "CHECKPOINTS_METADATA", "TPM")


def find(connection: Any, name: str) -> Optional[Any]:
    """The domain, or None."""
    try:
        return connection.lookupByName(name)
    except libvirt.libvirtError as error:
        if is_error(error, "NO_DOMAIN"):
            return None
        raise


def look(connection: Any, domain: Any, default_pool: str) -> VmState:
    """A domain as a value: its definition, its state, and whether its volumes are there."""
    state_now, _reason = domain.state()
    live = domain.info()[3] if state_now in (1, 2, 3) else None
    state = replace(parse(domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE), state_now, live), autostart=bool(domain.autostart()))
    if state.mark is None:
        return state
    try:
        pool = connection.storagePoolLookupByName(state.mark.get("pool") or default_pool)
    except libvirt.libvirtError as error:
        if is_error(error, "NO_STORAGE_POOL"):
            return replace(state, has_overlay=False, has_seed=False)
        raise
    return replace(
        state,
        has_overlay=volumes.find(pool, names.overlay_of(state.name)) is not None,
        has_seed=volumes.find(pool, names.seed_of(state.name)) is not None,
    )


@dataclass
class Work:
    """What the doers share while one VM is brought into its state. `undo` says how to take back what this run made."""

    connection: Any
    uri: str
    spec: VmSpec
    state: Optional[VmState]
    domain: Optional[Any]
    run_command: Callable[..., Any]
    scratch: Optional[str]
    known_hosts: Optional[str]
    stop_s: float = 60.0
    pool: Any = None
    image: Optional[images.Image] = None
    host_key: Optional[seed.HostKey] = None
    mark: Dict[str, Any] = field(default_factory=dict)
    timings: Dict[str, Optional[float]] = field(default_factory=dict)
    undo: List[Tuple[str, Callable[[], Any]]] = field(default_factory=list)
    done: List[str] = field(default_factory=list)


def _refuse_because(work: Work, what: str, reason: str) -> Any:
    return refusing(work.uri, f"{what} {work.spec.name}", reason)


def _new_host_key(work: Work) -> seed.HostKey:
    work.host_key = seed.make_host_key(work.run_command, work.scratch, work.spec.name)
    work.mark["host_key"] = work.host_key.public
    return work.host_key


def _paths(work: Work) -> Tuple[str, str]:
    base = volumes.path_of_pool(work.pool)
    return f"{base}/{names.overlay_of(work.spec.name)}", f"{base}/{names.seed_of(work.spec.name)}"


def _boot(work: Work, image: images.Image) -> Boot:
    if image.boot != "kernel":
        return Boot()
    base = volumes.path_of_pool(work.pool)
    initrd = image.volumes.get("initrd")
    return Boot(f"{base}/{image.volumes['kernel']}", f"{base}/{initrd}" if initrd else None, image.cmdline)


def _define(work: Work) -> None:
    spec = work.spec
    if work.image is None:
        raise Refused(Refusal("no_image", f"{spec.name} can't be made: no image was chosen."))
    _new_host_key(work)
    values = {name: getattr(spec, name) for name in MARKED + ("cluster", "name", "pool", "address", "prefix", "mac", "image")}
    work.mark.update(values, generation=work.image.generation)
    overlay, seed_path = _paths(work)
    on = render.machine(work.connection.getCapabilities())
    uuid = work.state.uuid if work.state else None
    xml = render.domain_xml(spec, on, _boot(work, work.image), work.mark, overlay, seed_path, uuid)
    with _refuse_because(work, "define the domain", "bad_input"):
        work.domain = work.connection.defineXML(xml)
    work.undo.append(("domain", lambda: undefine(work.domain)))
    _autostart(work)
    work.timings["defined_at"] = time.time()


def _overlay(work: Work) -> None:
    if work.image is None:
        raise Refused(Refusal("no_image", f"{work.spec.name} can't be made: no image was chosen."))
    name = names.overlay_of(work.spec.name)
    with _refuse_because(work, "make the disk of", "no_room"):
        backing = volumes.find(work.pool, work.image.volumes["disk"])
        if backing is None:
            raise Refused(Refusal("no_image", f"The disk of the image {work.image.name} is gone from the pool."))
        capacity = max(work.image.virtual_bytes, (work.spec.disk_gib or 0) * 2**30)
        volumes.clone(work.pool, name, backing, capacity)
    work.undo.append(("overlay", lambda: volumes.delete(work.pool, name)))
    # Who publishes looks for clones once the manifest is another: one that came after that look has a disk that may go.
    now = volumes.image_in(work.connection, work.pool, work.image.name)
    if now is None or now.volumes["disk"] != work.image.volumes["disk"]:
        sentence = f"The image {work.image.name} was published anew while {work.spec.name} was made of the older one. Run it again."
        raise Refused(Refusal("no_image", sentence))


def _seed(work: Work) -> None:
    if work.host_key is None:
        raise ValueError("a seed needs the host key that the step before it made")
    content = seed.iso(seed.files(work.spec, work.host_key))
    name = names.seed_of(work.spec.name)
    with _refuse_because(work, "make the seed of", "no_room"):
        volumes.create(work.connection, work.pool, name, io.BytesIO(content), len(content))
    work.undo.append(("seed", lambda: volumes.delete(work.pool, name)))


def _affects(work: Work) -> List[int]:
    """Live first, then the definition: a crash in between leaves a difference that the next run sees."""
    running = bool(work.domain.isActive()) if work.domain else False
    return ([libvirt.VIR_DOMAIN_AFFECT_LIVE] if running else []) + [libvirt.VIR_DOMAIN_AFFECT_CONFIG]


def _write_mark(work: Work) -> None:
    text = metadata.without_prefix(work.mark)
    kind = libvirt.VIR_DOMAIN_METADATA_ELEMENT
    for where in _affects(work):
        with _refuse_because(work, "mark the domain", "bad_input"):
            work.domain.setMetadata(kind, text, metadata.PREFIX, metadata.NAMESPACE, where)


def _finish(work: Work) -> None:
    work.mark["created_at"] = time.time()
    _write_mark(work)


def _remark(work: Work) -> None:
    work.mark.update({name: getattr(work.spec, name) for name in MARKED if name in work.spec.given})
    _write_mark(work)


def _reseed(work: Work) -> None:
    missing = [name for name in ("address", "bridge") if not getattr(work.spec, name)]
    if missing:
        raise Refused(Refusal("bad_input", f"The seed of {work.spec.name} is gone; to make it anew, network is needed."))
    _new_host_key(work)
    _write_mark(work)
    _seed(work)


def _redefine(work: Work) -> None:
    """A stopped VM is defined anew, its disk, seed, boot way and mark kept."""
    old = work.state
    if old is None:
        raise ValueError("only a VM that exists can be defined anew")
    kept = {name: getattr(old, name) for name in LIVE + DEFINED if name not in work.spec.given}
    spec = replace(work.spec, **kept)
    on = render.machine(work.connection.getCapabilities())
    xml = render.domain_xml(spec, on, old.boot, work.mark, old.overlay_path, old.seed_path, old.uuid)
    with _refuse_because(work, "define the domain", "bad_input"):
        work.domain = work.connection.defineXML(xml)


def _vcpus(work: Work) -> None:
    for where in _affects(work):
        with _refuse_because(work, "change the vcpus of", "no_room"):
            work.domain.setVcpusFlags(work.spec.vcpus, where)


def _memory(work: Work) -> None:
    for where in _affects(work):
        with _refuse_because(work, "change the memory of", "no_room"):
            work.domain.setMemoryFlags(work.spec.memory_mib * 1024, where)


def _autostart(work: Work) -> None:
    with _refuse_because(work, "set the autostart of", "bad_input"):
        work.domain.setAutostart(int(work.spec.autostart))


def _start(work: Work) -> None:
    with _refuse_because(work, "start", "start_failed"):
        work.domain.create()
    work.timings["started_at"] = time.time()


def _resume(work: Work) -> None:
    with _refuse_because(work, "resume", "start_failed"):
        work.domain.resume()


def _stop(work: Work) -> None:
    """Ask the VM to power off; pull the plug when it doesn't within stop_s."""
    with _refuse_because(work, "stop", "deadline"):
        with contextlib.suppress(libvirt.libvirtError):
            work.domain.shutdown()
        end = time.monotonic() + work.stop_s
        while work.domain.isActive():
            if time.monotonic() >= end:
                _destroy(work)
            else:
                time.sleep(STOP_POLL_S)


def _destroy(work: Work) -> None:
    try:
        work.domain.destroy()
    except libvirt.libvirtError as error:
        if not is_error(error, "OPERATION_INVALID", "NO_DOMAIN"):
            raise


def _hangs_on(domain: Any) -> List[Tuple[Any, int]]:
    """(what, flags of its delete) of the snapshots and checkpoints that libvirt knows of a domain."""
    lists: Tuple[Tuple[Callable[[int], List[Any]], int], ...] = (
        (domain.listAllSnapshots, libvirt.VIR_DOMAIN_SNAPSHOT_DELETE_METADATA_ONLY),
        (domain.listAllCheckpoints, libvirt.VIR_DOMAIN_CHECKPOINT_DELETE_METADATA_ONLY),
    )
    found: List[Tuple[Any, int]] = []
    for listed, flags in lists:
        try:
            found += [(each, flags) for each in listed(0)]
        except libvirt.libvirtError as error:
            if not is_error(error, "NO_SUPPORT"):
                raise
    return found


def release(domain: Any) -> None:
    """Take away whatever would make libvirt refuse to undefine the domain: a saved memory, snapshots, checkpoints."""
    if domain.hasManagedSaveImage(0):
        domain.managedSaveRemove(0)
    for hanger, flags in _hangs_on(domain):
        try:
            hanger.delete(flags)
        except libvirt.libvirtError as error:
            if not is_error(error, "INVALID_ARG"):
                raise
            # This driver can't forget one without its data; then it goes with the domain.


def undefine(domain: Any) -> None:
    """Undefine with everything that hangs on a domain. Flags that a driver doesn't know are left out, the newest first."""
    known = [getattr(libvirt, "VIR_DOMAIN_UNDEFINE_" + name, 0) for name in UNDEFINE]
    while True:
        try:
            domain.undefineFlags(sum(known))
            return
        except libvirt.libvirtError as error:
            if not known or not is_error(error, "INVALID_ARG", "NO_SUPPORT"):
                raise
            known.pop()


def _release(work: Work) -> None:
    """First of a deletion: while this can be refused, nothing is lost yet."""
    with _refuse_because(work, "free the domain of", "in_use"):
        release(work.domain)


def _undefine(work: Work) -> None:
    with _refuse_because(work, "undefine", "not_found"):
        undefine(work.domain)
    work.timings["deleted_at"] = time.time()


def _delete(what: Callable[[str], str]) -> Callable[[Work], None]:
    def doer(work: Work) -> None:
        with _refuse_because(work, f"delete the volume {what(work.spec.name)} of", "not_found"):
            volumes.delete(work.pool, what(work.spec.name))

    return doer


def _pin(work: Work) -> None:
    if work.known_hosts:
        known_hosts.update(work.known_hosts, work.spec.name, work.mark.get("address"), work.mark.get("host_key"))


def _unpin(work: Work) -> None:
    if work.known_hosts:
        known_hosts.update(work.known_hosts, work.spec.name, work.mark.get("address"), None)


DOERS: Dict[str, Callable[[Work], None]] = {
    "define": _define,
    "overlay": _overlay,
    "seed": _seed,
    "finish": _finish,
    "remark": _remark,
    "reseed": _reseed,
    "redefine": _redefine,
    "vcpus": _vcpus,
    "memory_mib": _memory,
    "autostart": _autostart,
    "start": _start,
    "resume": _resume,
    "stop": _stop,
    "destroy": _destroy,
    "delete_overlay": _delete(names.overlay_of),
    "delete_seed": _delete(names.seed_of),
    "undefine": _undefine,
    "pin": _pin,
    "unpin": _unpin,
}


def _take_back(work: Work) -> List[str]:
    """Undo what this run made, newest first; what could not be undone is named."""
    left = []
    if work.domain is not None and work.timings.get("started_at"):
        _destroy(work)
    for what, undo in reversed(work.undo):
        try:
            undo()
        except libvirt.libvirtError as error:
            left.append(f"{what} ({str(error).strip()})")
    return left


def apply(work: Work, changes: Changes) -> None:
    """Do the steps. If one fails while a VM is being made, what this run made is taken back; then Refused goes on."""
    work.mark = dict((work.state.mark or {}) if work.state else {})
    if changes.builds:
        work.mark = {}
    try:
        if changes.has("undefine"):
            _release(work)
        for step in changes.steps:
            DOERS[step.kind](work)
            work.done.append(step.kind)
    except (Refused, libvirt.libvirtError) as error:
        if not changes.builds:
            raise
        left = _take_back(work)
        work.done.clear()
        sentence = error.refusal.sentence if isinstance(error, Refused) else str(error).strip()
        reason = error.refusal.reason if isinstance(error, Refused) else "start_failed"
        end = " What this run had made was removed again." if not left else " Still there, the next run removes it: " + ", ".join(left)
        raise Refused(Refusal(reason, sentence + end)) from error
