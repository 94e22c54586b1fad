# SPDX-License-Identifier: BSD-2-Clause
# Copyright: (c) 2026, the ondemand.cluster contributors

"""Look at whole hosts: the VMs that are ours, and what a host has and has promised. Reading only, for read_hosts()."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence, Set

from ansible_collections.ondemand.cluster.plugins.module_utils._contract import names
from ansible_collections.ondemand.cluster.plugins.module_utils._contract.refusal import Refused
from ansible_collections.ondemand.cluster.plugins.module_utils._libvirt.connection import (
    HostAddress,
    Reading,
    is_error,
    libvirt,
    read_hosts,
)
from ansible_collections.ondemand.cluster.plugins.module_utils._libvirt.host import volumes
from ansible_collections.ondemand.cluster.plugins.module_utils._libvirt.host.sightings import Claims, claims_of
from ansible_collections.ondemand.cluster.plugins.module_utils._libvirt.vm.state import VmState, parse


@dataclass(frozen=True)
class Survey:
    """All that one look at a host gives: host_info's entry, our VMs, what others on it lay claim to, and which host it is."""

    capacity: Dict[str, Any]
    vms: List[VmState]
    claims: Claims
    identity: Optional[str]


def _domains(connection: Any, wanted: Callable[[str], bool] = lambda _name: True) -> List[VmState]:
    """Every domain with a wanted name, ours or not, by name. Its state comes in one call for all; one that vanishes is left out."""
    found = []
    stats = connection.getAllDomainStats(libvirt.VIR_DOMAIN_STATS_STATE, 0)
    for name, domain, state_now in sorted((domain.name(), domain, each.get("state.state", 0)) for domain, each in stats):
        if not wanted(name):
            continue
        try:
            found.append(parse(domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE), state_now))
        except libvirt.libvirtError as error:
            if not is_error(error, "NO_DOMAIN"):
                raise
    return found


def _volume_names(connection: Any, pool: str, known: Dict[str, Set[str]]) -> Set[str]:
    if pool not in known:
        try:
            known[pool] = set(connection.storagePoolLookupByName(pool).listVolumes())
        except libvirt.libvirtError as error:
            if not is_error(error, "NO_STORAGE_POOL", "OPERATION_INVALID"):
                raise
            known[pool] = set()
    return known[pool]


def _ours(connection: Any, host: HostAddress, domains: Sequence[VmState]) -> List[VmState]:
    """Those of the domains that carry our mark, and which of their volumes are there."""
    found = []
    pools: Dict[str, Set[str]] = {}
    for state in domains:
        if state.mark is None:
            continue
        there = _volume_names(connection, state.mark.get("pool") or host.pool, pools)
        found.append(replace(state, has_overlay=names.overlay_of(state.name) in there, has_seed=names.seed_of(state.name) in there))
    return found


def our_vms(connection: Any, host: HostAddress, cluster: Optional[str]) -> List[VmState]:
    """The VMs of ours on a host (of one cluster, or all), sorted by name."""
    domains = _domains(connection, lambda name: not cluster or names.vm_number(cluster, name) is not None)
    return [state for state in _ours(connection, host, domains) if not cluster or (state.mark or {}).get("cluster") == cluster]


def not_reached(readings: Sequence[Reading]) -> List[Dict[str, str]]:
    """The hosts that didn't answer, and why."""
    return [{"host": r.host.name, "uri": r.host.uri, "because": r.because} for r in readings if not r.reachable]


def read_vms(hosts: Sequence[HostAddress], cluster: Optional[str], deadline_s: float) -> List[Reading]:
    """our_vms() of every host, side by side."""
    return read_hosts(hosts, lambda connection, host: our_vms(connection, host, cluster), deadline_s)


def _committed(domains: Sequence[VmState]) -> Dict[str, int]:
    """vcpus and MiB that are promised: to our VMs in any state, as they may start, and to others that run."""
    promised = [state for state in domains if state.mark is not None or state.running]
    return {
        "committed_vcpus": sum(state.vcpus for state in promised),
        "committed_memory_mib": sum(state.memory_mib for state in promised),
    }


def _pool_of(connection: Any, host: HostAddress) -> Optional[Any]:
    """The host's pool if it runs, freshly looked at: growing overlays don't make libvirt look again."""
    try:
        pool = connection.storagePoolLookupByName(host.pool)
        if not pool.isActive():
            return None
    except libvirt.libvirtError as error:
        if is_error(error, "NO_STORAGE_POOL"):
            return None
        raise
    volumes.refresh(pool)
    return pool


def _pool_data(connection: Any, host: HostAddress, pool: Optional[Any]) -> Dict[str, Any]:
    """The host's pool and the images in it, and why the host can carry no VM; without a fit pool there is neither room nor image."""
    if pool is None:
        why = f"it has no running storage pool {host.pool}; run the playbook prepare_host, or name another pool"
    else:
        why = volumes.unfit(pool)
    if why or pool is None:
        return {"pool": {"name": host.pool, "path": None, "free_mib": 0}, "images": [], "unfit": why}
    images = [image.as_data() for image in volumes.images_in(connection, pool)]
    free_mib = pool.info()[3] // 2**20
    return {"pool": {"name": host.pool, "path": volumes.path_of_pool(pool), "free_mib": free_mib}, "images": images, "unfit": ""}


def _foreign_volumes(connection: Any, host: HostAddress, pool: Optional[Any], cluster: str, domains: Sequence[VmState]) -> Dict[str, str]:
    """Names of VMs of the cluster that have no domain here, but a volume that isn't provably ours: name -> why."""
    found: Dict[str, str] = {}
    defined = {state.name for state in domains}
    for vm in sorted({names.vm_of_volume(volume) for volume in (pool.listVolumes() if pool else [])} - defined):
        if names.vm_number(cluster, vm) is None:
            continue
        try:
            volumes.leftovers(connection, pool, vm, host.uri)
        except Refused:
            found[vm] = f"{host.name} has volumes of that name in the pool {host.pool}"
    return found


def _identity(connection: Any, pool: Optional[Any]) -> Optional[str]:
    """What tells one host from another, however it is reached; None if that can't be told."""
    return f"{connection.getHostname()} {pool.UUIDString()}" if pool else None


def survey(connection: Any, host: HostAddress, cluster: Optional[str]) -> Survey:
    """What a host has, what of it is promised, and what on it stands in the way of new VMs of the cluster."""
    info = connection.getInfo()
    pool = _pool_of(connection, host)
    domains = _domains(connection)
    ours = _ours(connection, host, domains)
    data: Dict[str, Any] = {"name": host.name, "uri": host.uri, "zone": host.zone, "reachable": True, "because": ""}
    data.update(cpus=info[2], memory_mib=info[1], free_memory_mib=connection.getFreeMemory() // 2**20)
    data.update(_committed(domains), **_pool_data(connection, host, pool))
    data["vms"] = [state.name for state in ours]
    claims = claims_of(host.name, domains, cluster)
    if cluster and pool and not data["unfit"]:
        claims = claims.with_names(_foreign_volumes(connection, host, pool, cluster, domains))
    return Survey(data, ours, claims, _identity(connection, pool))


def silent(reading: Reading) -> Dict[str, Any]:
    """host_info's entry of a host that didn't answer."""
    keys = ("cpus", "memory_mib", "free_memory_mib", "committed_vcpus", "committed_memory_mib")
    data: Dict[str, Any] = dict.fromkeys(keys, 0)
    data.update(name=reading.host.name, uri=reading.host.uri, zone=reading.host.zone, reachable=False, because=reading.because)
    data.update(pool={"name": reading.host.pool, "path": None, "free_mib": 0}, images=[], vms=[], unfit="")
    return data


def read_surveys(hosts: Sequence[HostAddress], cluster: Optional[str], deadline_s: float) -> List[Reading]:
    """survey() of every host, side by side. Manifests are read, which libvirt allows writers only."""
    return read_hosts(hosts, lambda connection, host: survey(connection, host, cluster), deadline_s, read_only=False)


def capacities(readings: Sequence[Reading]) -> List[Dict[str, Any]]:
    """host_info's entries of read_surveys(). A host that an earlier one is under another URI has its capacity once, there."""
    found: List[Dict[str, Any]] = []
    first: Dict[str, str] = {}
    for reading in readings:
        data: Mapping[str, Any] = reading.value.capacity if reading.reachable else silent(reading)
        identity = reading.value.identity if reading.reachable else None
        earlier = first.setdefault(identity, reading.host.name) if identity else reading.host.name
        if earlier != reading.host.name:
            why = f"it is the same host as {earlier}, under another URI; name it once"
            data = dict(data, unfit=data["unfit"] or why)
        found.append(dict(data))
    return found
