#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: vm_info
short_description: The VMs of a cluster over all its hosts
version_added: 0.1.0
author:
  - The ondemand.cluster contributors (@ondemand-cluster)
description:
  - Reads every host side by side, read-only. A host that is dead or stuck delays nobody beyond O(deadline_s) and is named
    in RV(unreachable_hosts); the VMs of the others are returned.
  - Only VMs with the mark of this collection are returned.
extends_documentation_fragment:
  - ondemand.cluster.libvirt
  - ondemand.cluster.libvirt.hosts
  - ondemand.cluster.attributes.info
options:
  cluster:
    description: Only the VMs of this cluster; the default is all.
    type: str
"""

EXAMPLES = r"""
- name: Where is what
  ondemand.cluster.vm_info:
    hosts: "{{ cluster.hosts }}"
    cluster: "{{ cluster.name }}"
  delegate_to: localhost
  register: seen
"""

RETURN = r"""
vms:
  description:
    - The VMs, by cluster and number. Keys are name, cluster, host, uri, zone, state, uuid, vcpus, vcpus_max, memory_mib,
      memory_max_mib, address, prefix, mac, host_key (public), generation, image, role, created_at, pool, complete, missing.
  returned: always
  type: list
  elements: dict
unreachable_hosts:
  description:
    - The hosts that did not answer.
    - Not called unreachable, as Ansible would take that for a failed connection of its own.
  returned: always
  type: list
  elements: dict
  sample: [{host: hv2, uri: qemu+ssh://root@hv2/system, because: no connection within 10 s}]
seen_twice:
  description:
    - VMs that were seen on several hosts, as one host under two URIs shows them, or a migration that left its source behind.
      Each counts once in RV(vms), where it runs or else where it was seen first, and brings a warning.
  returned: always
  type: list
  elements: dict
  sample: [{name: shop-n1, host: hv1, also: [hv2], because: shop-n1 is one VM and was seen on hv1 and on hv2}]
lease:
  description:
    - Who holds the lease of O(cluster) on the hosts, see M(ondemand.cluster.hosts_lease), with C(token), C(holder), C(purpose), C(since) and C(until). Null
      where nobody does, and without O(cluster).
  returned: success
  type: dict
elapsed_s:
  description: Seconds that the reading took.
  returned: always
  type: float
  sample: 0.4
"""

import dataclasses
import time

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.ondemand.cluster.plugins.module_utils._contract.names import name_problem
from ansible_collections.ondemand.cluster.plugins.module_utils._contract.refusal import all_problems
from ansible_collections.ondemand.cluster.plugins.module_utils._libvirt import connection
from ansible_collections.ondemand.cluster.plugins.module_utils._libvirt.arguments import (
    host_addresses,
    host_problems,
    hosts_spec,
    libvirt_spec,
    need_libvirt,
    refuse,
    warn_of,
)
from ansible_collections.ondemand.cluster.plugins.module_utils._libvirt.host import hosts, hosts_lease, sightings


def look(host, address, cluster):
    """The VMs on a host, and who works on the cluster's VMs there while no member can tell."""
    return hosts.our_vms(host, address, cluster), hosts_lease.look(host, cluster)[0] if cluster else None


def main():
    module = AnsibleModule(
        argument_spec=dict(libvirt_spec(), **hosts_spec(), cluster={"type": "str"}),
        supports_check_mode=True,
    )
    need_libvirt(module)
    params = module.params
    problems = host_problems(params["hosts"])
    if params["cluster"] and name_problem(params["cluster"], "cluster"):
        problems.append(name_problem(params["cluster"], "cluster"))
    if problems:
        refuse(module, all_problems(problems))
    begun = time.monotonic()
    addresses = host_addresses(params["hosts"])
    looks = connection.read_hosts(addresses, lambda host, address: look(host, address, params["cluster"]), params["deadline_s"])
    readings = [dataclasses.replace(one, value=one.value[0] if one.reachable else None) for one in looks]
    claims = [one.value[1] for one in looks if one.reachable and one.value[1] is not None]
    vms, twice = sightings.seen(readings)
    warn_of(module, twice)
    result = {"vms": vms, "seen_twice": twice, "unreachable_hosts": hosts.not_reached(readings)}
    result["lease"] = claims[0].data() if claims else None
    module.exit_json(changed=False, elapsed_s=round(time.monotonic() - begun, 4), **result)


if __name__ == "__main__":
    main()
