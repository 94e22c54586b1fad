#!/usr/bin/python
# Copyright: (c) 2026, the ondemand.cluster contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: cluster_config
short_description: Resources, groups, clones, constraints and properties of a Pacemaker cluster
version_added: 0.1.0
author:
  - The ondemand.cluster contributors (!UNKNOWN)
description:
  - Brings the configuration of a running Pacemaker cluster to what is wanted. Reads the CIB, builds the wanted one aside, has
    Pacemaker check it, and pushes the smallest patch, which Pacemaker takes only if nobody has changed the configuration meanwhile.
  - What is not named in O(config) is not touched, unless O(mode=whole) or O(mode=replace).
  - It is an action that runs Pacemaker's own tools on one member over the task's connection; no Python is needed there.
extends_documentation_fragment:
  - ondemand.cluster.lease
attributes:
  check_mode:
    description: Can run in check mode and tells the same difference; Pacemaker checks the wanted configuration then too.
    support: full
  diff_mode:
    description: Tells the named part of the configuration before and after. Values whose names look like secrets are hidden.
    support: full
  idempotent:
    description: When run twice in a row, the second run changes nothing.
    support: full
options:
  config:
    description:
      - The wanted configuration. All problems of it are told at once, each with its path.
      - C(properties), C(resource_defaults) and C(operation_defaults) are mappings of names to values.
        A value is written where Pacemaker reads it, also where several sets hold the name; sets with rules are left alone. A property that such
        a set would overrule is written into C(cib-bootstrap-options), which Pacemaker reads first, or refused where that one has the rule. Of a
        default a rule may make exceptions, which are warnings; a set that is only referred to and overrules it is refused.
      - Properties and defaults that change are read back after the push. Where one does not count, because somebody else wrote it at that moment
        or Pacemaker itself goes by another value, the task fails and says so.
      - C(unless_set) is a mapping of the same three. Its values are set only where nobody has set the name, also under an older spelling or with a
        rule; C(stonith-enabled) only where no fencing is set up in any way (a device, a topology, a watchdog, a property of fencing).
      - Since Pacemaker 3.0.2 properties of fencing have a newer name (C(fencing-enabled) for C(stonith-enabled)). Both are one property here. One that
        is stated is brought under its other name too, where that is set, since it differs from release to release which of them counts.
      - C(resources) is a list of mappings with C(id), C(agent) (C(systemd:UNIT), C(ocf:PROVIDER:TYPE) or C(stonith:TYPE)), C(options),
        C(meta), C(utilization) and C(operations). Options and operations that are stated are owned whole, meta attributes are merged, so that an
        operator's C(target-role) stays. An operation has C(name), C(interval_s), C(timeout_s), C(start_delay_s), C(on_fail) and C(role).
      - C(groups) is a list of mappings with C(id), C(members) (ids in the order of their start) and C(meta). Who is a member now and isn't named
        has to be in another group or clone, or in C(absent); with O(mode=replace) it stands alone, if it is named at all.
      - C(clones) is a list of mappings with C(resource), C(id) (default RESOURCE-clone), C(meta) and C(promotable).
      - C(constraints) is a mapping of lists. C(location) has C(id), C(resource), and C(node) and C(score) or a C(rule) (C(score),
        C(boolean_op), C(expressions) with C(attribute), C(operation), C(value)). C(colocation) has C(id), C(resource), C(with), C(score)
        (default INFINITY), C(role) and C(with_role). C(order) has C(id), C(first), C(then), C(kind), C(symmetrical), C(first_action) and
        C(then_action). C(tickets) has C(id), C(resource), C(ticket), C(loss_policy) and C(role).
      - C(alerts) is a list of mappings with C(id), C(path), C(options), C(meta) and C(recipients) (a list of C(id) and C(value)).
      - C(nodes) is a list of mappings with C(name), C(attributes) and C(utilization). A node that isn't there gets them with the next run after it joined.
        What somebody else has set for the node is refused.
      - C(node_hosts) is a mapping of names of nodes to the hosts that carry their VMs, written down as the node attribute C(ondemand-host). What is
        written down of nodes that are not named stays.
      - C(absent) is a list of ids of resources and constraints that are not to be there.
      - Bundles, templates, ACLs, tags and the fencing topology are refused by their names, since nothing here makes them. What is there of them is left
        untouched, bundles but with O(mode=replace).
    type: dict
    required: true
  mode:
    description:
      - With V(merge) only what is named is changed.
      - With V(whole) what was made for a service, which its meta attribute C(ondemand-service) tells, and is no longer named is removed as well,
        and so are alerts likewise, and constraints whose id begins with C(ondemand-) and that are not named. What goes is stopped first, a group from
        its end, and removed when it has stopped. So is what holds an address or a file system that another resource is about to get.
        Properties and defaults that the property C(ondemand-stated) lists go where they are named no longer.
      - With V(replace) every resource, constraint and property that is not named is removed as well, but for the properties
        that Pacemaker itself writes and those that begin with C(ondemand-), such as the lease.
    type: str
    choices: [merge, whole, replace]
    default: merge
  remove:
    description:
      - With O(mode=whole), whether anything may be stopped. With V(false) the task is refused where something would have to be,
        or a property or default would go.
    type: bool
    default: true
    version_added: 0.1.0
  members:
    description: Inventory names of members; the first one that answers is used. The default is the host that the task runs for.
    type: list
    elements: str
  wait_s:
    description:
      - Wait, after a change or without one, until Pacemaker has nothing left to do with the named resources, whatever else it does. The task
        is refused with C(start_failed) if one of them does not run then and nobody has stopped it on purpose.
      - The seconds count from the last sign of progress; the whole takes twice as long at most.
      - With V(0) it does not wait.
    type: float
    default: 0.0
  wait_for:
    description:
      - Ids of the named resources that O(wait_s) is about. The default is all of them.
    type: list
    elements: str
    version_added: 0.1.0
seealso:
  - plugin: ondemand.cluster.wanted_resources
    plugin_type: filter
    description: Makes O(config) from the services of a cluster file.
"""

EXAMPLES = r"""
- name: The services run as the cluster file says
  ondemand.cluster.cluster_config:
    config: "{{ cluster | ondemand.cluster.wanted_resources }}"
    wait_s: 120

- name: An address beside the application
  ondemand.cluster.cluster_config:
    config:
      resources:
        - {id: app, agent: "systemd:app", operations: [{name: monitor, interval_s: 10, timeout_s: 30}]}
        - {id: app-address, agent: "ocf:heartbeat:IPaddr2", options: {ip: 192.0.2.10, cidr_netmask: 24}}
      groups:
        - {id: app-group, members: [app, app-address]}

- name: A resource and its constraint go
  ondemand.cluster.cluster_config:
    config:
      absent: [old-app, old-app-prefers-node1]
"""

RETURN = r"""
member:
  description: The member that answered.
  returned: success
  type: str
  sample: shop-n1
warnings:
  description: The stated defaults of which a set with a rule makes exceptions, with that set, its score and its rule.
  returned: when there are such
  type: list
  elements: str
problems:
  description: Every problem of O(config), with C(path), C(problem) and C(should_be).
  returned: when the input is refused
  type: list
  elements: dict
refusal:
  description: C(reason) and C(sentence). The reasons are C(bad_input), C(not_found), C(host_unreachable), C(unstable), C(start_failed) and
    C(stop_failed).
  returned: when refused
  type: dict
  sample:
    reason: start_failed
    sentence: "The configuration is in place, but after 60 s app is not running (start of app on shop-n1: not installed)"
"""
