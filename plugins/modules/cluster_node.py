#!/usr/bin/python
# Copyright: (c) 2026, the ondemand.cluster contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: cluster_node
short_description: Create a Corosync and Pacemaker cluster, join and leave it, standby
version_added: 0.1.0
author:
  - The ondemand.cluster contributors (!UNKNOWN)
description:
  - Brings one node into a state of membership, while the cluster runs. Nothing restarts on the other members and they never lose
    quorum by it.
  - A join is an act of two sides. The members' files are compared first (a difference is refused), then the new node gets its key
    and its file, the members get theirs and reload, and the new node starts. The task ends when the node is online in a part with
    quorum, and nothing that is to run on it is still to be probed or started. Whatever else the cluster does is not waited for.
  - Corosync is asked for its opinion of every C(corosync.conf) (C(corosync -t)) before that replaces the old one, which stays beside it
    as C(corosync.conf.before). Where Corosync refuses to load it, every member gets its old one back and the task is refused.
  - A leave is refused before anything is touched when it would endanger quorum, the minimum of nodes or resources in doubt. Else
    the node is emptied, stopped, taken off the list and forgotten, and keeps nothing by which it could come back.
  - Before a leave and a standby Pacemaker itself is asked, by C(crm_simulate) (2.1 or later) on a copy of the live CIB with the node in standby. Where
    something that runs would then run nowhere the task is refused with C(no_place), where it can't be stopped with C(unmanaged).
  - Between one node and two, C(two_node) stands in the older member's file, and only there, for the moment in which the other one
    is not there. It never stays.
  - What a person set in C(corosync.conf) survives a join and a leave, or follows it. A stated C(expected_votes) grows and shrinks with the
    nodes; a C(two_node) that stands there is set aside as a comment while more than two nodes are listed, and comes back with the second;
    weights (C(quorum_votes)), C(wait_for_all), a quorum device and comments stay as they are. Whether the quorum would stay is reckoned
    from Corosync's own count.
  - Every change is a list of steps (RV(steps)), made from what there is. Each step leaves the cluster with quorum, or the list is refused. A run
    that was ended at any point is finished by the next one, whose list is the rest. Where a step is refused, what was done before it is
    undone as far as that goes.
extends_documentation_fragment:
  - ondemand.cluster.attributes
  - ondemand.cluster.cluster
  - ondemand.cluster.lease
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
    details: Shows corosync.conf and the standby of the nodes before and after, never the key.
options:
  name:
    description:
      - Inventory name of the node, which is its name in the cluster. The default is the host that the task runs for.
      - With O(state=absent) it may be a node that is gone from the inventory or cannot be reached, as long as the cluster sees
        it offline and O(gone) names it.
    type: str
  state:
    description:
      - V(created) makes the node the first member of a new cluster. Whatever Pacemaker kept there from before without belonging to
        a cluster is forgotten.
      - V(member) joins the node to the cluster of O(members). One that is still in standby because a leave was begun and not ended
        comes out of it; a standby that somebody asked for stays.
      - V(standby) moves all resources away and waits until none runs there, V(active) allows them again.
      - V(absent) empties the node, stops it and takes it out of the cluster.
    type: str
    required: true
    choices: [created, member, standby, active, absent]
  address:
    description:
      - IP address for Corosync. The default is the node's C(ansible_host).
    type: str
  cluster:
    description:
      - Name of the cluster. Required with O(state=created), not used otherwise.
    type: str
  gone:
    description:
      - Members of which it is certain that they do not run, because their VMs are stopped or deleted, or a person says so.
      - With O(state=absent) and O(name) among them, all of those that the cluster sees offline and without a vote are taken off the list in
        one step. They are not asked, and no quorum is needed before, as long as the rest has it afterwards. A node that is offline, does
        not answer and is not named here stays listed, for it may still run what it ran.
      - Name nobody who may come back; a list of members that is not changed everywhere is two lists.
    type: list
    elements: str
  may_return:
    description:
      - Those of O(gone) of which only a person says that they do not run, and whose VMs may come back with their host. Their names and
        addresses are kept in C(corosync.conf), as comments, and given to no new VM until such a VM was deleted and O(gone) names it once more.
    type: list
    elements: str
  token_ms:
    description:
      - Corosync's token time in milliseconds, after which a silent node counts as lost. Used with O(state=created) only.
    type: int
    default: 3000
  deadline_s:
    description:
      - How many seconds a wait goes on without any sign of progress. The whole act takes twice as long at most.
      - A leaver that is not empty by then becomes active again. A node that has joined by then stays a member, and RV(unready) tells
        what does not run on it yet.
    type: float
    default: 180.0
seealso:
  - module: ondemand.cluster.cluster_info
"""

EXAMPLES = r"""
- name: The first member
  ondemand.cluster.cluster_node:
    state: created
    cluster: shop

- name: One more, into the running cluster
  ondemand.cluster.cluster_node:
    name: shop-n2
    state: member
    members: [shop-n1]

- name: And out again, but never below two
  ondemand.cluster.cluster_node:
    name: shop-n3
    state: absent
    members: [shop-n1, shop-n2]
    min_nodes: 2
"""

RETURN = r"""
node:
  description: Name of the node.
  returned: always
  type: str
  sample: shop-n2
unready:
  description:
    - What does not run yet on a node that is in its wanted state, one sentence each with what was waited for and what was last seen. The
      task warns of it too.
  returned: success
  type: list
  elements: str
steps:
  description:
    - What was done, in this order; in check mode what would be done. Empty where everything was so already.
  returned: success
  type: list
  elements: dict
  contains:
    step:
      description: One of C(install), C(write), C(load), C(start), C(standby), C(active), C(stop), C(forget) and C(settle).
      type: str
    words:
      description: The step as a clause.
      type: str
      sample: write corosync.conf on shop-n1 and have every member load it
    host:
      description: Where it is carried out.
      type: str
    node:
      description: The node that it is about, empty where that is the host.
      type: str
    why:
      description: What it is for.
      type: str
    votes:
      description: What Corosync counts afterwards, as C(expected), C(total), C(needed) and C(quorate).
      type: dict
    undo:
      description: How it is undone where a later step is refused; null where the next run goes on from there.
      type: str
timings:
  description:
    - When it happened, in epoch seconds of the controller; null for what was not done. After a failure they tell how far it came.
  returned: always
  type: dict
  contains:
    started_at:
      description: The work on the node began, with the looks before it.
      type: float
    joined_at:
      description: The node was a full member.
      type: float
    left_at:
      description: The node was out and forgotten.
      type: float
refusal:
  description:
    - Why the task failed, when it may not be done or did not end as wished; C(changed) tells whether anything was done before.
    - C(reason) is one of C(quorum), C(minimum), C(not_quorate), C(unclean), C(last_node), C(unmanaged), C(no_place), C(unstable), C(host_unreachable),
      C(join_refused), C(deadline), C(bad_input) and C(not_found); C(sentence) says what, why and what to do.
  returned: refused
  type: dict
"""
