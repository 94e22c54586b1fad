#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: host_info
short_description: Capacity and commitments of hosts
version_added: 0.1.0
author:
  - The ondemand.cluster contributors (@ondemand-cluster)
description:
  - What each host has, what of it is promised to VMs, its storage pool, and the images published there.
  - Promised is what our VMs have, running or not, and what other domains that run have.
extends_documentation_fragment:
  - ondemand.cluster.libvirt
  - ondemand.cluster.libvirt.hosts
  - ondemand.cluster.attributes.info
notes:
  - It changes nothing, but opens a connection that could write. libvirt lets only such a one read an image's manifest.
"""

EXAMPLES = r"""
- name: What is there
  ondemand.cluster.host_info:
    hosts: "{{ cluster.hosts }}"
  delegate_to: localhost
  register: capacity
"""

RETURN = r"""
hosts:
  description:
    - The hosts in the given order. Keys are name, uri, zone, reachable, because, cpus, memory_mib, free_memory_mib,
      committed_vcpus, committed_memory_mib, pool (name, path, free_mib), images (name, sha256, generation), vms (names) and unfit.
    - A host that did not answer has RV(hosts[].reachable=false), zeros, and the reason in RV(hosts[].because).
  returned: always
  type: list
  elements: dict
  contains:
    reachable:
      description: Whether the host answered.
      type: bool
    because:
      description: Why it did not; empty if it did.
      type: str
    unfit:
      description:
        - Why it can carry no VM though it answers; empty if it can. Its pool doesn't run or isn't one of files (C(dir),
          C(fs) or C(netfs)), or it is the host of an earlier entry under another URI.
      type: str
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.ondemand.cluster.plugins.module_utils._contract.refusal import all_problems
from ansible_collections.ondemand.cluster.plugins.module_utils._libvirt.arguments import (
    host_addresses,
    host_problems,
    hosts_spec,
    libvirt_spec,
    need_libvirt,
    refuse,
)
from ansible_collections.ondemand.cluster.plugins.module_utils._libvirt.host import hosts


def main():
    module = AnsibleModule(argument_spec=dict(libvirt_spec(), **hosts_spec()), supports_check_mode=True)
    need_libvirt(module)
    problems = host_problems(module.params["hosts"])
    if problems:
        refuse(module, all_problems(problems))
    readings = hosts.read_surveys(host_addresses(module.params["hosts"]), None, module.params["deadline_s"])
    module.exit_json(changed=False, hosts=hosts.capacities(readings))


if __name__ == "__main__":
    main()
