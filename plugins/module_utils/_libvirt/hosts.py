# SPDX-License-Identifier: BSD-2-Clause
# Copyright: (c) 2026, the ondemand.cluster contributors

"""Look at whole hosts: the VMs that are ours, and what a host has and has promised. Reading only, for read_hosts()."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Callable, Dict, List, Optional, Sequence, Set

from ansible_collections.ondemand.cluster.plugins.module_utils._libvirt import volumes
from ansible_collections.ondemand.cluster.plugins.module_utils._libvirt.connection import (
    HostAddress,
    Reading,
    is_error,
    libvirt,
    read_hosts,
)
from ansible_collections.ondemand.cluster.plugins.module_utils._libvirt.state import VmState, as_data, parse
from ansible_collections.ondemand.cluster.plugins.module_utils._shared import names

RUNNING = (1, 2, 3)


def _states(connection: Any) -> Dict[str, Any]:
    """Every domain and its virDomainState, in one call for all."""
    flags = libvirt.VIR_DOMAIN_STATS_STATE
    return {domain.name(): (domain, stats.get("state.state", 0)) for domain, stats in connection.getAllDomainStats(flags, 0)}


def _volume_names(connection: Any, pool: str, known: Dict[str, Set[str]]) -> Set[str]:
    if pool not in known:
        try:
            known[pool] = set(connection.storagePoolLookupByName(pool).listVolumes())
        except libvirt.libvirtError as error:
            if not is_error(error, "NO_STORAGE_POOL", "OPERATION_INVALID"):
                raise
            known[pool] = set()
    return known[pool]


def our_vms(connection: Any, host: HostAddress, cluster: Optional[str]) -> List[VmState]:
    """The VMs of ours on a host (of one cluster, or all), sorted by name. A domain that vanishes meanwhile is left out."""
    found = []
    pools: Dict[str, Set[str]] = {}
    for name, (domain, state_now) in sorted(_states(connection).items()):
        if cluster and names.vm_number(cluster, name) is None:
            continue
        try:
            state = parse(domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE), state_now)
        except libvirt.libvirtError as error:
            if is_error(error, "NO_DOMAIN"):
                continue
            raise
        if state.mark is None or (cluster and state.mark.get("cluster") != cluster):
            continue
        there = _volume_names(connection, state.mark.get("pool") or host.pool, pools)
        found.append(replace(state, has_overlay=names.overlay_of(name) in there, has_seed=names.seed_of(name) in there))
    return found


def vms_as_data(readings: Sequence[Reading]) -> List[Dict[str, Any]]:
    """All VMs of all hosts that answered (readings of our_vms), as docs/exchange-formats.md section 4 has them."""
    found = []
    for reading in readings:
        for state in reading.value or []:
            data = as_data(state, reading.host.uri)
            # Which host a VM is on is what was seen, not what its mark says.
            data.update(host=reading.host.name, zone=reading.host.zone)
            found.append(data)
    return sorted(found, key=lambda vm: (vm["cluster"], names.vm_number(vm["cluster"], vm["name"]) or 0, vm["name"]))


def not_reached(readings: Sequence[Reading]) -> List[Dict[str, str]]:
    """The hosts that didn't answer, and why."""
    return [{"host": r.host.name, "uri": r.host.uri, "because": r.because} for r in readings if not r.reachable]


def read_vms(hosts: Sequence[HostAddress], cluster: Optional[str], deadline_s: float) -> List[Reading]:
    """our_vms() of every host, side by side."""
    return read_hosts(hosts, lambda connection, host: our_vms(connection, host, cluster), deadline_s)


def _committed(connection: Any) -> Dict[str, int]:
    """vcpus and MiB that are promised: to our VMs in any state, as they may start, and to others that run."""
    vcpus = memory_mib = 0
    for domain, state_now in _states(connection).values():
        try:
            state = parse(domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE), state_now)
        except libvirt.libvirtError as error:
            if is_error(error, "NO_DOMAIN"):
                continue
            raise
        if state.mark is not None or state_now in RUNNING:
            vcpus += state.vcpus
            memory_mib += state.memory_mib
    return {"committed_vcpus": vcpus, "committed_memory_mib": memory_mib}


def _pool(connection: Any, host: HostAddress) -> Dict[str, Any]:
    """The host's pool and the images in it; a host without the pool has neither."""
    nothing: Dict[str, Any] = {"pool": {"name": host.pool, "path": None, "free_mib": 0}, "images": []}
    try:
        pool = connection.storagePoolLookupByName(host.pool)
        if not pool.isActive():
            return nothing
    except libvirt.libvirtError as error:
        if is_error(error, "NO_STORAGE_POOL"):
            return nothing
        raise
    # libvirt tells the room that there was at its last look, and growing overlays don't make it look again.
    volumes.refresh(pool)
    free_mib = pool.info()[3] // 2**20
    images = [image.as_data() for image in volumes.images_in(connection, pool)]
    return {"pool": {"name": host.pool, "path": volumes.path_of_pool(pool), "free_mib": free_mib}, "images": images}


def capacity(connection: Any, host: HostAddress) -> Dict[str, Any]:
    """What a host has, and what of it is promised (host_info's entry)."""
    info = connection.getInfo()
    data: Dict[str, Any] = {"name": host.name, "uri": host.uri, "zone": host.zone, "reachable": True, "because": ""}
    data.update(cpus=info[2], memory_mib=info[1], free_memory_mib=connection.getFreeMemory() // 2**20)
    data.update(_committed(connection), **_pool(connection, host))
    data["vms"] = [state.name for state in our_vms(connection, host, None)]
    return data


def silent(reading: Reading) -> Dict[str, Any]:
    """host_info's entry of a host that didn't answer."""
    keys = ("cpus", "memory_mib", "free_memory_mib", "committed_vcpus", "committed_memory_mib")
    data: Dict[str, Any] = dict.fromkeys(keys, 0)
    data.update(name=reading.host.name, uri=reading.host.uri, zone=reading.host.zone, reachable=False, because=reading.because)
    data.update(pool={"name": reading.host.pool, "path": None, "free_mib": 0}, images=[], vms=[])
    return data


def read_capacities(
    hosts: Sequence[HostAddress], deadline_s: float, also: Callable[[Any, HostAddress], Any] = lambda _c, _h: None
) -> List[Reading]:
    """(capacity, also(connection, host)) of every host, side by side. Manifests are read, which libvirt allows writers only."""
    return read_hosts(hosts, lambda connection, host: (capacity(connection, host), also(connection, host)), deadline_s, read_only=False)
