#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: placement
short_description: Which host takes which VM of a cluster, under which name and address
version_added: 0.1.0
author:
  - The ondemand.cluster contributors (@ondemand-cluster)
description:
  - Reads the hosts and gives back the whole wanted set of VMs, those that exist first, then new ones with name, host,
    address and MAC. It reserves nothing; M(ondemand.cluster.vm) makes them.
  - A host takes a VM if its memory and processors, after what is promised, suffice, if it has the image, and if its pool
    is one of files (C(dir), C(fs) or C(netfs)) and has room. Among those, the zone and then the host
    with the fewest VMs of this cluster, then the most free memory, then the first name.
  - A host that doesn't answer gets nothing. What VMs on it are called and which addresses they have can't be known
    then, so new addresses are probed, and O(reserved) keeps names and addresses away that were seen there earlier.
  - A name is passed over for the next one where a domain or a volume of it exists that isn't ours, or where another domain
    has the MAC that follows from it; RV(vms[].because) says so.
extends_documentation_fragment:
  - ondemand.cluster.libvirt
  - ondemand.cluster.libvirt.hosts
  - ondemand.cluster.attributes.info
notes:
  - It changes nothing, but opens a connection that could write. libvirt lets only such a one read an image's manifest.
options:
  cluster:
    description: Name of the cluster.
    type: str
    required: true
  wanted:
    description: How many VMs the cluster is to have afterwards. Without it, those that exist are returned. Never removes one.
    type: int
  maximum:
    description: Refuse more than this. Every VM of the cluster counts, in any state.
    type: int
  size:
    description: Size of a new VM.
    type: dict
    suboptions:
      vcpus:
        description: Number of processors.
        type: int
        required: true
      memory_mib:
        description: Memory in MiB.
        type: int
        required: true
      disk_gib:
        description:
          - Size of its disk in GiB. A host's pool must have that much room now. Room into which disks made earlier may still
            grow is not set apart.
        type: int
  network:
    description: The cluster file's network.
    type: dict
    suboptions:
      bridge:
        description: The bridge on the hosts. Not used here.
        type: str
      addresses:
        description: The allocator's range, C(FIRST-LAST) or CIDR.
        type: str
        required: true
      prefix:
        description: Length of the network's prefix.
        type: int
        default: 24
      gateway:
        description: The default route; never given to a VM.
        type: str
      dns:
        description: Name servers. Not used here.
        type: list
        elements: str
        default: []
  image:
    description: The cluster file's image; a host without it takes nothing.
    type: dict
    suboptions:
      name:
        description: Name of the image.
        type: str
        required: true
      sha256:
        description: The checksum that it must have.
        type: str
  memory_overcommit:
    description: How many times its memory a host may promise.
    type: float
    default: 1.0
  cpu_overcommit:
    description: How many times its processors a host may promise.
    type: float
    default: 4.0
  reserve_mib:
    description: Memory that a host keeps for itself, in MiB.
    type: int
    default: 512
  reserved:
    description: Addresses and names of VMs that must not be used.
    type: list
    elements: str
    default: []
  probe_s:
    description: How long each new address is probed for somebody who has it already, in seconds. V(0) doesn't probe.
    type: float
    default: 0.3
"""

EXAMPLES = r"""
- name: Where would three VMs be
  ondemand.cluster.placement:
    hosts: "{{ cluster.hosts }}"
    cluster: "{{ cluster.name }}"
    wanted: 3
    maximum: "{{ cluster.requirement.nodes.max }}"
    size: "{{ cluster.requirement.size }}"
    network: "{{ cluster.network }}"
    image: "{{ cluster.image }}"
  delegate_to: localhost
  register: placed
"""

RETURN = r"""
vms:
  description:
    - The whole wanted set. VMs that exist are as M(ondemand.cluster.vm_info) returns them, with C(new=false); new ones have
      name, cluster, host, uri, zone, pool, address, prefix, mac, generation, image, role and C(new=true).
  returned: success
  type: list
  elements: dict
  contains:
    because:
      description: Why it is there.
      type: str
unreachable_hosts:
  description: The hosts that did not answer.
  returned: success
  type: list
  elements: dict
seen_twice:
  description: VMs that were seen on several hosts, as M(ondemand.cluster.vm_info) has them.
  returned: success
  type: list
  elements: dict
taken:
  description: Addresses that were free in libvirt's books but that somebody answered at; they were passed over.
  returned: success
  type: list
  elements: str
refusal:
  description: Why the task failed, as reason and sentence.
  returned: when refused
  type: dict
  sample: {reason: no_room, sentence: No host can take shop-n3}
"""

from dataclasses import replace

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.ondemand.cluster.plugins.module_utils._contract import names
from ansible_collections.ondemand.cluster.plugins.module_utils._contract.refusal import Refusal, all_problems
from ansible_collections.ondemand.cluster.plugins.module_utils._libvirt.arguments import (
    host_addresses,
    host_problems,
    hosts_spec,
    libvirt_spec,
    need_libvirt,
    refuse,
    warn_of,
)
from ansible_collections.ondemand.cluster.plugins.module_utils._libvirt.host import hosts, placement, sightings
from ansible_collections.ondemand.cluster.plugins.module_utils._libvirt.vm import waiting
from ansible_collections.ondemand.cluster.plugins.module_utils._shared import addresses

# The cluster's VMs that have no address, or that nobody may look at, can't be counted on; this bounds the probing.
PROBES = 8


def argument_spec():
    size = {
        "vcpus": {"type": "int", "required": True},
        "memory_mib": {"type": "int", "required": True},
        "disk_gib": {"type": "int"},
    }
    network = {
        "bridge": {"type": "str"},
        "addresses": {"type": "str", "required": True},
        "prefix": {"type": "int", "default": 24},
        "gateway": {"type": "str"},
        "dns": {"type": "list", "elements": "str", "default": []},
    }
    image = {"name": {"type": "str", "required": True}, "sha256": {"type": "str"}}
    return dict(
        libvirt_spec(),
        **hosts_spec(),
        cluster={"type": "str", "required": True},
        wanted={"type": "int"},
        maximum={"type": "int"},
        size={"type": "dict", "options": size},
        network={"type": "dict", "options": network},
        image={"type": "dict", "options": image},
        memory_overcommit={"type": "float", "default": 1.0},
        cpu_overcommit={"type": "float", "default": 4.0},
        reserve_mib={"type": "int", "default": 512},
        reserved={"type": "list", "elements": "str", "default": []},
        probe_s={"type": "float", "default": 0.3},
    )


def problems(params):
    """Everything wrong with the input, each with its path."""
    found = host_problems(params["hosts"]) + [names.name_problem(params["cluster"], "cluster")]
    if params["wanted"] is not None and params["wanted"] < 0:
        found.append(f"wanted: {params['wanted']}; 0 or more is right")
    if params["wanted"] is not None and not (params["size"] and params["network"]):
        found.append("size, network: both are needed when wanted is given")
    if params["network"]:
        try:
            addresses.bounds(params["network"]["addresses"])
        except ValueError as error:
            found.append(f"network.addresses: {error}")
    for key in ("vcpus", "memory_mib", "disk_gib"):
        if params["size"] and params["size"][key] is not None and params["size"][key] < 1:
            found.append(f"size.{key}: {params['size'][key]}; 1 or more is right")
    if params["image"]:
        found.append(names.name_problem(params["image"]["name"], "image.name"))
    return [problem for problem in found if problem]


def demand_of(params):
    size, network, image = params["size"] or {}, params["network"] or {}, params["image"] or {}
    same = ("cluster", "wanted", "maximum", "memory_overcommit", "cpu_overcommit", "reserve_mib")
    return placement.Demand(
        vcpus=size.get("vcpus") or 1,
        memory_mib=size.get("memory_mib") or 1,
        disk_gib=size.get("disk_gib"),
        image=image.get("name"),
        image_sha256=image.get("sha256"),
        range=network.get("addresses") or "",
        prefix=network.get("prefix") or 24,
        gateway=network.get("gateway"),
        reserved=tuple(params["reserved"]),
        **{key: params[key] for key in same},
    )


def place_probed(candidates, every_vm, demand, probe_s):
    """place(), again as long as somebody answers at an address that it chose; and the addresses passed over."""
    taken = []
    for _probe in range(PROBES):
        placed = placement.place(candidates, every_vm, replace(demand, reserved=demand.reserved + tuple(taken)))
        if isinstance(placed, Refusal) or probe_s <= 0:
            return placed, taken
        answering = waiting.all_taken([vm["address"] for vm in placed if vm["new"]], probe_s)
        if not answering:
            return placed, taken
        taken += answering
    sentence = f"No address for {demand.cluster}: somebody answers at {', '.join(taken)}, which no VM of ours has. Choose another range."
    return Refusal("no_address", sentence), taken


def main():
    module = AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True)
    need_libvirt(module)
    params = module.params
    wrong = problems(params)
    if wrong:
        refuse(module, all_problems(wrong))
    demand = demand_of(params)
    every = host_addresses(params["hosts"])
    readings = hosts.read_surveys(every, demand.cluster, params["deadline_s"])
    every_vm, twice = sightings.seen([replace(reading, value=reading.value.vms if reading.reachable else None) for reading in readings])
    demand = replace(demand, claims=sightings.together([reading.value.claims for reading in readings if reading.reachable]))
    here = [vm["host"] for vm in every_vm if vm["cluster"] == demand.cluster]
    candidates = [placement.candidate(capacity, here.count(capacity["name"])) for capacity in hosts.capacities(readings)]
    placed, taken = place_probed(candidates, every_vm, demand, params["probe_s"])
    unreachable = hosts.not_reached(readings)
    warn_of(module, twice)
    if isinstance(placed, Refusal):
        refuse(module, placed, unreachable_hosts=unreachable)
    module.exit_json(changed=False, vms=placed, unreachable_hosts=unreachable, seen_twice=twice, taken=taken)


if __name__ == "__main__":
    main()
