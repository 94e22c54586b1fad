#!/usr/bin/python
# Copyright: (c) 2026, the ondemand.cluster contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: cluster_info
short_description: Membership, quorum, services and failures of a Pacemaker cluster
version_added: 0.1.0
author:
  - The ondemand.cluster contributors (!UNKNOWN)
description:
  - Reads everything in one trip to one member and returns it as one value.
  - Beside every node stands whether it may leave now and, if not, why. The rules are those by which
    M(ondemand.cluster.cluster_node) refuses. Of the first in RV(cluster.leave_order) that may leave, Pacemaker's scheduler is asked too whether
    all that runs there has another place; if not, of the next one.
extends_documentation_fragment:
  - ondemand.cluster.attributes.info
  - ondemand.cluster.cluster
options:
  settle_s:
    description:
      - Wait until all of O(members) that the cluster lists are online, as after their boot, and it misses all of O(gone), but not longer
        than so many seconds without any change. What is there then is returned.
    type: float
    default: 0.0
  gone:
    description:
      - Nodes whose VMs do not run. With O(settle_s) it is waited until the cluster misses them, which takes a token time and more.
    type: list
    elements: str
  what_if:
    description:
      - Also tell what would become of the cluster if one of these happened; nothing is touched. RV(answer) has the verdict of the very rules by
        which M(ondemand.cluster.cluster_node) and M(ondemand.cluster.service_move) refuse, and their steps.
    type: dict
    suboptions:
      leave:
        description: A node leaves for good; O(min_nodes) have to stay.
        type: str
      standby:
        description: A node carries nothing any more.
        type: str
      lose:
        description: A node is gone at once.
        type: str
      join:
        description: A node of this name joins.
        type: str
      move:
        description: A service moves, to the node O(what_if.to) or where it suits best.
        type: str
      to:
        description: Where the service of O(what_if.move) goes.
        type: str
seealso:
  - module: ondemand.cluster.cluster_node
"""

EXAMPLES = r"""
- name: What would become of the cluster without shop-n2
  ondemand.cluster.cluster_info:
    members: [shop-n1, shop-n2]
    what_if: {leave: shop-n2}

- name: Look at the cluster
  ondemand.cluster.cluster_info:
    members: [shop-n1, shop-n2]
    min_nodes: 2
  register: seen

- name: Who may leave
  ansible.builtin.debug:
    msg: "{{ seen.cluster.nodes | selectattr('may_leave.allowed') | map(attribute='name') }}"
"""

RETURN = r"""
cluster:
  description:
    - The cluster; null when all members were reached and none of them runs one. If some could not be reached and none told of a
      cluster, the task fails with C(host_unreachable), because then it is not known.
  returned: success
  type: dict
  contains:
    name:
      description: Name of the cluster.
      type: str
    quorate:
      description: Whether the asked member's part of the cluster has quorum.
      type: bool
    dc:
      description: The node that decides for all (Pacemaker's designated controller), null while there is none.
      type: str
    stable:
      description: Whether nothing is under way, neither a transition nor a joining node.
      type: bool
    votes:
      description: Corosync's votes, C(expected), C(total) (present) and C(needed) for quorum.
      type: dict
    two_node:
      description: Whether one of two votes is enough, which is so only for a moment in a join or leave.
      type: bool
    may_change:
      description:
        - Whether the cluster may be changed at all, C(allowed), C(reason) and C(sentence). Not while it has no quorum, or while nobody knows
          whether work runs on a node.
      type: dict
    nodes:
      description:
        - The nodes, oldest first. Each has C(name), C(id), C(address), C(online), C(standby), C(pending), C(unclean), C(services)
          (names of movable services there), C(resources) (ids) and C(may_leave) with C(allowed), C(reason) and C(sentence).
      type: list
      elements: dict
    services:
      description:
        - The groups, clones, bundles and single resources. Each has C(name), C(kind), C(state) (started, starting, stopping, stopped,
          failed, or disabled where a person wants it stopped), C(node), C(nodes) and C(resources).
      type: list
      elements: dict
    failures:
      description: Failed operations, each with C(resource), C(node), C(operation), C(rc) and C(because).
      type: list
      elements: dict
    constraints:
      description: Constraints by C(id), and whether each is a move's C(temporary) one.
      type: list
      elements: dict
    withheld:
      description: Name and address of lost nodes whose VMs may come back with their host; no new VM gets them.
      type: list
      elements: dict
    lease:
      description:
        - Who changes the cluster, or was the last one who did, see M(ondemand.cluster.cluster_lease); C(token), C(holder), C(purpose), and, in
          seconds since the epoch, C(since) and C(until), which is 0 where it was given back. Null where nobody ever took it.
      type: dict
    leave_order:
      description: Names of the nodes, the one whose leaving costs least first.
      type: list
      elements: str
answer:
  description: What would become of the cluster.
  returned: with O(what_if)
  type: dict
  contains:
    allowed:
      description: Whether it would be done, or survived.
      type: bool
    reason:
      description: The reason of the refusal, null where there is none.
      type: str
    message:
      description: The verdict as a sentence.
      type: str
    steps:
      description: The steps, as M(ondemand.cluster.cluster_node) returns them; empty where it is refused.
      type: list
      elements: dict
    votes:
      description: What Corosync would count afterwards, as C(expected), C(total), C(needed) and C(quorate).
      type: dict
    stops:
      description: Resources that would run nowhere.
      type: list
      elements: str
    moves:
      description: Resources that would run elsewhere, each with the nodes C(from) and C(to).
      type: dict
    stays:
      description: Resources that would stay on the node that is to be empty.
      type: list
      elements: str
    survives:
      description: How many further members could be lost, whichever they are, with the rest keeping quorum.
      type: int
asked:
  description: The member that told it.
  returned: success
  type: str
because:
  description: Why members before the asked one gave no answer, by their names.
  returned: success
  type: dict
"""
