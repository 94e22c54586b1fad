# SPDX-License-Identifier: BSD-2-Clause
# Copyright: (c) 2026, the ondemand.cluster contributors

"""Which host takes the next VM. Pure: hosts, VMs and a size in; placed VMs with their reasons, or a refusal, out.

A host can take a VM if what it has, times the overcommit, less the reserve and less what is promised, is enough; if it
has the image; and if its pool holds files and has room for the whole disk. Among those: the zone with the fewest VMs of this cluster, then the host with
the fewest, then the one with the most free memory, then the first name.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Dict, Iterable, List, Mapping, Optional, Sequence, Set, Tuple, Union

from ansible_collections.ondemand.cluster.plugins.module_utils._contract import names
from ansible_collections.ondemand.cluster.plugins.module_utils._contract.refusal import Refusal
from ansible_collections.ondemand.cluster.plugins.module_utils._libvirt.host.sightings import Claims
from ansible_collections.ondemand.cluster.plugins.module_utils._shared import addresses


@dataclass(frozen=True)
class Candidate:
    """A host as placement sees it. Sizes in MiB; `ours` is the number of VMs of this cluster on it."""

    name: str
    uri: str
    zone: str
    pool: str
    cpus: int
    memory_mib: int
    committed_vcpus: int
    committed_memory_mib: int
    pool_free_mib: int
    ours: int = 0
    images: Tuple[Mapping[str, Any], ...] = ()
    reachable: bool = True
    because: str = ""
    unfit: str = ""


@dataclass(frozen=True)
class Demand:
    """What is asked for: `wanted` VMs of the cluster afterwards (None: those that exist), each of this size.

    A VM's disk grows up to `disk_gib`; where the image alone says how far, `disk_mib` is what its first writes take.
    """

    cluster: str
    wanted: Optional[int]
    vcpus: int
    memory_mib: int
    image: Optional[str] = None
    image_sha256: Optional[str] = None
    range: str = ""
    prefix: int = 24
    gateway: Optional[str] = None
    maximum: Optional[int] = None
    disk_gib: Optional[int] = None
    disk_mib: int = 256
    memory_overcommit: float = 1.0
    cpu_overcommit: float = 4.0
    reserve_mib: int = 512
    reserved: Tuple[str, ...] = field(default=())
    claims: Claims = field(default_factory=Claims)


def free_memory_mib(host: Candidate, demand: Demand) -> int:
    """MiB that may still be promised: memory * overcommit - reserve - promised."""
    return int(host.memory_mib * demand.memory_overcommit) - demand.reserve_mib - host.committed_memory_mib


def free_vcpus(host: Candidate, demand: Demand) -> int:
    """vcpus that may still be promised: processors * overcommit - promised."""
    return int(host.cpus * demand.cpu_overcommit) - host.committed_vcpus


def needed_mib(demand: Demand) -> int:
    """MiB that a pool must have free for one more VM."""
    return max(demand.disk_mib, (demand.disk_gib or 0) * 1024)


def image_on(host: Candidate, demand: Demand) -> Optional[Mapping[str, Any]]:
    """The wanted image's entry on a host."""
    return next((image for image in host.images if image["name"] == demand.image), None)


def obstacle(host: Candidate, demand: Demand) -> Optional[Refusal]:
    """Why a host can't take one more VM, or None. One reason, in the order of what a person would mend first."""
    if not host.reachable:
        return Refusal("host_unreachable", f"{host.name}: {host.because or 'it does not answer'}")
    if host.unfit:
        return Refusal("not_found", f"{host.name}: {host.unfit}")
    if demand.image:
        image = image_on(host, demand)
        if image is None:
            return Refusal("no_image", f"{host.name}: the image {demand.image} isn't published there")
        if demand.image_sha256 and image["sha256"] != demand.image_sha256:
            return Refusal("wrong_checksum", f"{host.name}: its image {demand.image} has the checksum {image['sha256']}")
    memory, vcpus = free_memory_mib(host, demand), free_vcpus(host, demand)
    if memory < demand.memory_mib:
        return Refusal("no_room", f"{host.name}: {max(0, memory)} MiB of memory are free, {demand.memory_mib} are needed")
    if vcpus < demand.vcpus:
        return Refusal("no_room", f"{host.name}: {max(0, vcpus)} vcpus are free, {demand.vcpus} are needed")
    disk = needed_mib(demand)
    if host.pool_free_mib < disk:
        return Refusal("no_room", f"{host.name}: {max(0, host.pool_free_mib)} MiB are free in the pool {host.pool}, {disk} are needed")
    return None


def _obstacles(hosts: Sequence[Candidate], demand: Demand) -> List[Refusal]:
    return [why for why in (obstacle(host, demand) for host in hosts) if why]


def _nowhere(demand: Demand, name: str, obstacles: Sequence[Refusal]) -> Refusal:
    """One refusal for all hosts: the reason that stands nearest to success, and every host's sentence."""
    order = ("no_room", "wrong_checksum", "no_image", "not_found", "host_unreachable")
    reason = next((reason for reason in order if any(o.reason == reason for o in obstacles)), "no_room")
    each = "; ".join(o.sentence for o in obstacles) or "there is no host"
    sentence = f"No host can take {name} of {demand.cluster}: {each}. Free or add a host, or ask for less."
    return Refusal(reason, sentence)


def choose(hosts: Sequence[Candidate], demand: Demand, name: str) -> Union[Candidate, Refusal]:
    """The host for one more VM."""
    able = [host for host in hosts if obstacle(host, demand) is None]
    if not able:
        return _nowhere(demand, name, _obstacles(hosts, demand))

    def ours_in(zone: str) -> int:
        return sum(host.ours for host in hosts if host.zone == zone)

    return min(able, key=lambda host: (ours_in(host.zone), host.ours, -free_memory_mib(host, demand), host.name))


def _because(chosen: Candidate, hosts: Sequence[Candidate], demand: Demand) -> str:
    free = free_memory_mib(chosen, demand)
    sentence = f"{chosen.name} (zone {chosen.zone}) has {chosen.ours} VMs of {demand.cluster} and {free} MiB free"
    return "; not ".join([sentence, *(why.sentence for why in _obstacles(hosts, demand))])


def _used_addresses(vms: Iterable[Mapping[str, Any]], demand: Demand) -> Set[Optional[str]]:
    return {*demand.reserved, demand.gateway, *demand.claims.addresses, *(vm["address"] for vm in vms)}


def _next_name(demand: Demand, known: Sequence[str], macs: Mapping[str, str]) -> Tuple[str, List[str]]:
    """The next name of a VM, and why each one before it was passed over: a name or MAC that is somebody else's is left to them."""
    number = names.next_number(demand.cluster, known)
    passed: List[str] = []
    while True:
        name = names.vm_name(demand.cluster, number)
        why = demand.claims.names.get(name) or macs.get(names.mac_of(demand.cluster, name))
        if not why:
            return name, passed
        passed.append(f"{name} is passed over: {why}")
        number += 1


def _new_vm(name: str, address: str, host: Candidate, hosts: Sequence[Candidate], demand: Demand, passed: Sequence[str]) -> Dict[str, Any]:
    image = image_on(host, demand)
    return {
        "name": name,
        "cluster": demand.cluster,
        "host": host.name,
        "uri": host.uri,
        "zone": host.zone,
        "pool": host.pool,
        "address": address,
        "prefix": demand.prefix,
        "mac": names.mac_of(demand.cluster, name),
        "generation": image["generation"] if image else None,
        "image": demand.image,
        "role": "member",
        "new": True,
        "because": "; ".join([_because(host, hosts, demand), *passed]),
    }


def place(
    hosts: Sequence[Candidate],
    every_vm: Sequence[Mapping[str, Any]],
    demand: Demand,
) -> Union[List[Dict[str, Any]], Refusal]:
    """The whole wanted set: the cluster's VMs that exist, then new ones.

    `every_vm` are all VMs of ours on all hosts that answered, of any cluster: their addresses are taken. `reserved` may
    hold addresses and names that must not be used (for instance what was last seen on a host that doesn't answer now).
    """
    existing = [dict(vm, new=False, because="it exists") for vm in every_vm if vm["cluster"] == demand.cluster]
    existing.sort(key=lambda vm: names.by_number(vm["name"]))
    wanted = len(existing) if demand.wanted is None else demand.wanted
    unseen = {name for name in demand.reserved if names.vm_number(demand.cluster, name)} - {vm["name"] for vm in existing}
    total = wanted + len(unseen)
    if demand.maximum is not None and total > demand.maximum and (wanted > len(existing) or not unseen):
        also = f" (with {len(unseen)} on hosts that don't answer)" if unseen else ""
        sentence = (
            f"{total} VMs are asked for {demand.cluster}{also}, its maximum is {demand.maximum}. "
            "Ask for fewer, or raise requirement.nodes.max."
        )
        return Refusal("maximum", sentence)
    placed = list(existing)
    used = _used_addresses(every_vm, demand)
    macs = dict({vm["mac"]: f"{vm['name']} has its MAC" for vm in every_vm if vm.get("mac")}, **demand.claims.macs)
    now = sorted(hosts, key=lambda host: host.name)
    while len(placed) < wanted:
        known = [vm["name"] for vm in placed] + list(demand.reserved)
        name, passed = _next_name(demand, known, macs)
        host = choose(now, demand, name)
        if isinstance(host, Refusal):
            return host
        address = next(addresses.free(demand.range, used), None)
        if address is None:
            every = len(list(addresses.candidates(demand.range)))
            sentence = f"No address of {demand.range} is free for {name}: all {every} are taken or reserved. Widen network.addresses."
            return Refusal("no_address", sentence)
        used.add(address)
        placed.append(_new_vm(name, address, host, now, demand, passed))
        now = [_with_one_more(each, demand) if each.name == host.name else each for each in now]
    return placed


def _with_one_more(host: Candidate, demand: Demand) -> Candidate:
    return replace(
        host,
        ours=host.ours + 1,
        committed_vcpus=host.committed_vcpus + demand.vcpus,
        committed_memory_mib=host.committed_memory_mib + demand.memory_mib,
        pool_free_mib=host.pool_free_mib - needed_mib(demand),
    )


def candidate(capacity: Mapping[str, Any], ours: int) -> Candidate:
    """A host as host_info tells it, as placement sees it."""
    return Candidate(
        name=capacity["name"],
        uri=capacity["uri"],
        zone=capacity["zone"],
        pool=capacity["pool"]["name"],
        cpus=capacity["cpus"],
        memory_mib=capacity["memory_mib"],
        committed_vcpus=capacity["committed_vcpus"],
        committed_memory_mib=capacity["committed_memory_mib"],
        pool_free_mib=capacity["pool"]["free_mib"],
        ours=ours,
        images=tuple(capacity["images"]),
        reachable=capacity["reachable"],
        because=capacity["because"],
        unfit=capacity["unfit"],
    )
