#!/usr/bin/python
# Copyright: (c) 2026, the ondemand.cluster contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: load_balancer
short_description: HAProxy for the balanced services, changed while it runs
version_added: 0.1.0
author:
  - The ondemand.cluster contributors (!UNKNOWN)
description:
  - Writes HAProxy's configuration on a node and brings the running HAProxy to it. Every service has the same number of slots;
    a server that comes, drains or goes changes a slot at run time, without a reload. Only another frame (services, number of
    slots, statistics) is a reload, which hands over the listening sockets.
  - The file always says the same as the running process, so that a restart or a failover begins with what is wanted.
  - Where HAProxy does not run, only the file is written. It is started by Pacemaker, not by this module.
  - It is an action that works over the task's connection with C(sh), C(awk) and C(socat); no Python is needed on the node.
extends_documentation_fragment:
  - ondemand.cluster.lease
attributes:
  check_mode:
    description: Can run in check mode and tells the same difference; HAProxy checks the wanted configuration then too.
    support: full
  diff_mode:
    description: Tells the file before and after, with the password hidden, and the slots of the running process.
    support: full
  idempotent:
    description: When run twice in a row, the second run changes nothing.
    support: full
options:
  services:
    description: Services as in the cluster file. Those of C(kind) V(movable) are left out.
    type: list
    elements: dict
    required: true
  servers:
    description:
      - The nodes that serve, each with C(name), C(address) and C(state) (V(ready), the default, V(drain) or V(maint)).
      - One with C(awaited=false) is not waited for (O(up_s)), as where nothing runs because the node is in standby.
      - A node that is not named loses its slot. What it has begun it may end; to be sure of it, drain it first.
    type: list
    elements: dict
    required: true
  slots:
    description: How many nodes each service has room for. More room is a reload; room that is there already stays, whatever is asked for.
    type: int
    default: 16
  stats:
    description: The page of statistics, C(/), and C(/;csv) for programs.
    type: dict
    required: true
    suboptions:
      port:
        description: Its port, on every address of the node.
        type: int
        default: 8404
      user:
        description: The name to log in with.
        type: str
        default: ondemand
      password:
        description: The password, 8 to 128 letters, digits and C(. _ ~ + / = @ % ^ * ! , -).
        type: str
        required: true
  drain_s:
    description: How many seconds to wait until the draining servers have no request left. RV(busy) tells which ones still have.
    type: float
    default: 0.0
  up_s:
    description:
      - How many seconds to wait until HAProxy sees every ready server up. After that the task is refused with C(deadline).
      - With V(0) it does not wait.
    type: float
    default: 0.0
  config_path:
    description: The configuration file, written with mode 0640.
    type: path
    default: /etc/haproxy/haproxy.cfg
  socket_path:
    description: The socket for administration, for root only.
    type: path
    default: /run/haproxy/admin.sock
  reload_argv:
    description: The command that makes HAProxy read its file again.
    type: list
    elements: str
    default: [systemctl, reload, haproxy]
"""

EXAMPLES = r"""
- name: Two nodes serve, a third one is on its way out
  ondemand.cluster.load_balancer:
    services: "{{ cluster.services }}"
    servers:
      - {name: shop-n1, address: 192.0.2.21}
      - {name: shop-n2, address: 192.0.2.22}
      - {name: shop-n3, address: 192.0.2.23, state: drain}
    slots: 6
    stats:
      password: "{{ lookup('ansible.builtin.file', state_dir ~ '/stats_password') }}"
    drain_s: 30
    up_s: 30
"""

RETURN = r"""
running:
  description: Whether HAProxy runs on the node.
  returned: success
  type: bool
reloaded:
  description: Whether it was (or in check mode would be) reloaded.
  returned: success
  type: bool
slots:
  description: The slot of every server by its name; HAProxy knows slot 1 as C(s1).
  returned: success
  type: dict
  sample:
    shop-n1: 1
    shop-n2: 2
busy:
  description: Draining servers that still had requests after O(drain_s), with C(service), C(server), C(slot), C(sessions), C(status)
    and C(clients) (addresses, ten at most).
  returned: success
  type: list
  elements: dict
  sample: []
down:
  description: Ready servers that were not up after O(up_s), with C(service), C(server), C(slot), C(status) and C(check).
  returned: when refused for that
  type: list
  elements: dict
problems:
  description: Every problem of the input, with C(path), C(problem) and C(should_be).
  returned: when the input is refused
  type: list
  elements: dict
refusal:
  description: C(reason) and C(sentence). The reasons are C(bad_input) and C(deadline).
  returned: when refused
  type: dict
"""
