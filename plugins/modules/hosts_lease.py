#!/usr/bin/python
# Copyright: (c) 2026, the ondemand.cluster contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: hosts_lease
short_description: Be the only one who works on a cluster's VMs while no member can tell who may
version_added: 0.1.0
author:
  - The ondemand.cluster contributors (!UNKNOWN)
description:
  - The lease of a cluster stands in its CIB (M(ondemand.cluster.cluster_lease)). Before there is a cluster, while all its VMs are off, and while it is
    destroyed nobody can be asked for that one; this one stands on the hosts themselves. The playbooks of this collection take it by themselves.
  - It is a libvirt domain, C(ondemand-lease-) and the cluster's name, that is defined on every host that answers and never started. libvirt refuses a
    second one of that name, so of two who try at once one gets it. The other one waits for O(wait_s) and is then refused, with who holds it, for
    what and since when.
  - The VM that an image is built in is that of a cluster of its own, C(IMAGE-build). The role C(ondemand.cluster.image) holds the lease of that one, so
    builds of one image keep each other away, and no change of a cluster waits for one.
  - It ends by itself after O(for_s), by the clocks of the machines on which Ansible runs, which should agree to some seconds. Where the run that
    holds it was on this machine and is over, it is taken over at once.
  - Taking it is no change of the cluster, so the task never tells one.
extends_documentation_fragment:
  - ondemand.cluster.attributes
  - ondemand.cluster.libvirt
  - ondemand.cluster.libvirt.hosts
attributes:
  check_mode:
    support: full
    details: Takes no lease, for nothing will be changed under it.
  diff_mode:
    support: none
options:
  state:
    description:
      - V(held) takes it, or prolongs it where O(token) holds it already, and is refused where another run has it. V(free) gives it back, if it is still
        that of O(token).
      - V(kept) prolongs it, and is refused where O(token) does not hold it any more, whoever had it since.
    type: str
    required: true
    choices: [held, kept, free]
  cluster:
    description:
      - Name of the cluster.
    type: str
    required: true
  token:
    description:
      - Token of the lease, as RV(lease.token) returned it. Required with O(state=kept) and O(state=free); without it O(state=held) makes a new one.
    type: str
  holder:
    description:
      - Who takes it, for whoever comes second. The default is the login that runs Ansible and its machine, as USER@MACHINE; in AWX the user and the job.
    type: str
  purpose:
    description:
      - What it is taken for, in a few words for whoever comes second.
    type: str
    default: a change
  for_s:
    description:
      - Seconds after which it ends by itself. It should last until it is taken once more, for example while a VM boots.
    type: float
    default: 300.0
  wait_s:
    description:
      - Seconds to wait while another one holds it.
    type: float
    default: 0.0
  over:
    description:
      - Token of a run that is certainly over, whose lease may be replaced before its time. The task finds out by itself.
    type: str
seealso:
  - module: ondemand.cluster.cluster_lease
"""

EXAMPLES = r"""
- name: Be the only one who makes VMs of shop
  ondemand.cluster.hosts_lease:
    state: held
    hosts: "{{ cluster.hosts }}"
    cluster: shop
    purpose: create the cluster
    wait_s: 60
  register: taken

- name: Let others do so again
  ondemand.cluster.hosts_lease:
    state: free
    hosts: "{{ cluster.hosts }}"
    cluster: shop
    token: "{{ taken.lease.token }}"
"""

RETURN = r"""
lease:
  description: The lease as it is now; null in check mode, where it was given back, and where no host answered.
  returned: success
  type: dict
  contains:
    token:
      description: What proves that it is held.
      type: str
    holder:
      description: Who took it.
      type: str
    purpose:
      description: What for.
      type: str
    since:
      description: When it was taken, in seconds since the epoch by the clock of whoever took it.
      type: int
    until:
      description: When it ends by itself.
      type: int
unreachable_hosts:
  description: The hosts that did not answer and why. Whoever sees only these is not kept from anything.
  returned: success
  type: list
  elements: dict
"""

import time

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.ondemand.cluster.plugins.module_utils._contract.names import name_problem
from ansible_collections.ondemand.cluster.plugins.module_utils._contract.refusal import Refusal, all_problems
from ansible_collections.ondemand.cluster.plugins.module_utils._libvirt.arguments import (
    host_addresses,
    host_problems,
    hosts_spec,
    libvirt_spec,
    need_libvirt,
    refuse,
)
from ansible_collections.ondemand.cluster.plugins.module_utils._libvirt.host import hosts, hosts_lease

OPTIONS = {
    "state": {"type": "str", "required": True, "choices": ["held", "kept", "free"]},
    "cluster": {"type": "str", "required": True},
    "token": {"type": "str", "no_log": False},
    "holder": {"type": "str"},
    "purpose": {"type": "str", "default": "a change"},
    "for_s": {"type": "float", "default": 300.0},
    "wait_s": {"type": "float", "default": 0.0},
    "over": {"type": "str"},
}

LOST = "The lease of this run on the hosts is gone: it ended, and another run may have worked on the VMs since. Run it again: it looks at them anew."


def problems_of(params):
    found = host_problems(params["hosts"]) + [name_problem(params["cluster"], "cluster")]
    if not 1 <= params["for_s"] <= 86400:
        found.append(f"for_s: {params['for_s']:g} is no time to hold it; 1 to 86400 seconds are right")
    if not params["token"]:
        found.append("token: none was given; name that of the lease that is held or given back")
    return [problem for problem in found if problem]


def main():
    module = AnsibleModule(argument_spec=dict(libvirt_spec(), **hosts_spec(), **OPTIONS), supports_check_mode=True)
    need_libvirt(module)
    params = module.params
    problems = problems_of(params)
    if problems:
        refuse(module, all_problems(problems))
    addresses = host_addresses(params["hosts"])
    if module.check_mode:
        module.exit_json(changed=False, lease=None, unreachable_hosts=[])
    if params["state"] == "free":
        hosts_lease.free(addresses, params["cluster"], params["token"], params["deadline_s"])
        module.exit_json(changed=False, lease=None, unreachable_hosts=[])
    now = time.time()
    wish = hosts_lease.Claim(params["token"], params["holder"] or "?", params["purpose"], int(now), int(now + params["for_s"]))
    if params["state"] == "kept":
        claim, seen = hosts_lease.kept(addresses, params["cluster"], wish, params["deadline_s"])
    else:
        claim, seen = hosts_lease.held(addresses, params["cluster"], wish, params["over"] or "", params["deadline_s"])
    told = {"lease": claim.data() if claim else None, "unreachable_hosts": hosts.not_reached(seen)}
    if params["state"] == "kept" and claim is None and any(one.reachable for one in seen):
        refuse(module, Refusal("held", LOST), **told)
    if claim is not None and claim.token != params["token"]:
        refuse(module, Refusal("held", hosts_lease.words(params["cluster"], claim.data(), now, 0)), **told)
    module.exit_json(changed=False, **told)


if __name__ == "__main__":
    main()
