# SPDX-License-Identifier: BSD-2-Clause
# Copyright: (c) 2026, the ondemand.cluster contributors

"""What was seen on several hosts, put together: each VM once, and what others lay claim to. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from ansible_collections.ondemand.cluster.plugins.module_utils._contract import names
from ansible_collections.ondemand.cluster.plugins.module_utils._libvirt.connection import Reading
from ansible_collections.ondemand.cluster.plugins.module_utils._libvirt.vm.state import VmState, as_data


@dataclass(frozen=True)
class Claims:
    """What can't be given to a new VM of a cluster, each with the reason: names, MACs, addresses."""

    names: Mapping[str, str] = field(default_factory=dict)
    macs: Mapping[str, str] = field(default_factory=dict)
    addresses: Mapping[str, str] = field(default_factory=dict)

    def with_names(self, more: Mapping[str, str]) -> Claims:
        return replace(self, names={**more, **self.names})


def claims_of(host: str, domains: Sequence[VmState], cluster: Optional[str]) -> Claims:
    """What the domains of a host claim that aren't VMs of this cluster."""
    others = [state for state in domains if state.mark is None or state.mark.get("cluster") != cluster]
    return Claims(
        {state.name: f"{host} has a domain of that name" for state in others},
        {mac: f"the domain {state.name} on {host} has its MAC {mac}" for state in others for mac in state.macs},
        {address: f"the domain {state.name} on {host}" for state in others for address in state.addresses},
    )


def together(claims: Sequence[Claims]) -> Claims:
    """The claims of all hosts as one."""
    found: Tuple[Dict[str, str], Dict[str, str], Dict[str, str]] = ({}, {}, {})
    for each in claims:
        for into, what in zip(found, (each.names, each.macs, each.addresses)):
            into.update(what)
    return Claims(*found)


def _every_sighting(readings: Sequence[Reading]) -> List[Dict[str, Any]]:
    found = []
    for reading in readings:
        for state in reading.value or []:
            data = as_data(state, reading.host.uri)
            # Which host a VM is on is what was seen, not what its mark says.
            data.update(host=reading.host.name, zone=reading.host.zone)
            found.append(data)
    return found


def _twice(kept: Mapping[str, Any], others: Sequence[Mapping[str, Any]]) -> Dict[str, Any]:
    where = ", ".join(other["host"] for other in others)
    sentence = (
        f"{kept['name']} is one VM and was seen on {kept['host']} and on {where}: these are one host under two URIs, or a migration "
        f"left its source behind. It counts once, on {kept['host']}. Name each host once, or undefine the VM where it doesn't belong."
    )
    return {"name": kept["name"], "host": kept["host"], "also": [other["host"] for other in others], "because": sentence}


def seen(readings: Sequence[Reading]) -> Tuple[List[Dict[str, Any]], List[Dict[str, Any]]]:
    """(VMs, seen twice) of all hosts that answered (readings of our_vms), as docs/exchange-formats.md section 4 has them.

    A VM is its uuid. Seen on several hosts it counts where it runs, else where it was seen first, in the order of the hosts.
    """
    sightings: Dict[str, List[Dict[str, Any]]] = {}
    for vm in _every_sighting(readings):
        sightings.setdefault(vm["uuid"], []).append(vm)
    vms, twice = [], []
    for same in sightings.values():
        kept = next((vm for vm in same if vm["state"] in ("running", "paused")), same[0])
        vms.append(kept)
        if len(same) > 1:
            twice.append(_twice(kept, [vm for vm in same if vm is not kept]))
    return sorted(vms, key=lambda vm: (vm["cluster"] or "", names.by_number(vm["name"]))), twice


def vms_as_data(readings: Sequence[Reading]) -> List[Dict[str, Any]]:
    """seen(), without what was seen twice."""
    return seen(readings)[0]
