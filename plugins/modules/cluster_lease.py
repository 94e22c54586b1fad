#!/usr/bin/python
# Copyright: (c) 2026, the ondemand.cluster contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: cluster_lease
short_description: Be the only one who changes a Pacemaker cluster
version_added: 0.1.0
author:
  - The ondemand.cluster contributors (!UNKNOWN)
description:
  - Takes or gives back the lease of a cluster. It stands in the cluster's own CIB (a property C(ondemand-lease) in a set of its own), so whoever
    changes the cluster shares it, from whichever machine, a person, AWX or the driver. The playbooks of this collection take it by themselves.
  - The lease is taken by compare and swap, so of two who try at once one gets it. The other one waits for O(wait_s) and is then refused, with who
    holds it, for what and since when.
  - It ends by itself after O(for_s), for a run that was killed. Each change under it prolongs it. Where the run that holds it was on
    this machine and is over, it is taken over at once.
  - Its token is checked on every node before each change, see the option C(lease) of M(ondemand.cluster.cluster_node). So a run that
    lost its lease, because it was paused or its clock differs, changes nothing any more. What a killed run still does on a node is ended there.
  - Taking it is no change of the cluster, so the task never tells one.
extends_documentation_fragment:
  - ondemand.cluster.attributes
attributes:
  check_mode:
    support: full
    details: Takes no lease, for nothing will be changed under it.
  diff_mode:
    support: none
options:
  state:
    description:
      - V(held) takes the lease, or prolongs it where O(token) holds it already. V(free) gives it back, if it is still that of O(token).
      - V(kept) prolongs it for O(for_s) and is refused where another run had it since; for what is done elsewhere than on the nodes, such as the
        deletion of a VM.
    type: str
    required: true
    choices: [held, kept, free]
  members:
    description:
      - Inventory names of the members. The first one on which a CIB answers is asked. The default is the host that the task runs for.
    type: list
    elements: str
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
      - What the lease is taken for, in a few words for whoever comes second.
    type: str
    default: a change
  for_s:
    description:
      - Seconds after which the lease ends by itself. It should last until the next change, for example while a VM boots.
    type: float
    default: 120.0
  wait_s:
    description:
      - Seconds to wait while another one holds it.
    type: float
    default: 0.0
requirements:
  - Pacemaker 2.1 or later on the nodes, with its command line tools.
seealso:
  - module: ondemand.cluster.cluster_node
"""

EXAMPLES = r"""
- name: Be the only one who changes the cluster
  ondemand.cluster.cluster_lease:
    state: held
    members: [shop-n1, shop-n2]
    purpose: maintenance of shop-n2
    wait_s: 60
  register: taken

- name: Empty a node under the lease
  ondemand.cluster.cluster_node:
    name: shop-n2
    state: standby
    members: [shop-n1, shop-n2]
    lease: "{{ taken.lease.token }}"

- name: Let others change it again
  ondemand.cluster.cluster_lease:
    state: free
    members: [shop-n1, shop-n2]
    token: "{{ taken.lease.token }}"
"""

RETURN = r"""
lease:
  description: The lease as it is now; null in check mode, and where no cluster answered. Not returned with state kept where it is kept.
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
      description: When it was taken, in seconds since the epoch by the asked member's clock.
      type: int
    until:
      description: When it ends by itself; 0 where it was given back.
      type: int
    held:
      description: Whether it is held now.
      type: bool
waited_s:
  description: For how many seconds another run was waited for; 0 where nobody else held it.
  returned: with state held
  type: float
"""
