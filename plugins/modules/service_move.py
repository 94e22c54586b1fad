#!/usr/bin/python
# Copyright: (c) 2026, the ondemand.cluster contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: service_move
short_description: Move a service of a Pacemaker cluster to another node
version_added: 0.1.0
author:
  - The ondemand.cluster contributors (!UNKNOWN)
description:
  - Stops a service (a group or a single resource) on its node and starts it on another one, and ends when it runs there.
  - The wish is a location constraint C(ondemand-move-SERVICE) with a rule that expires by itself. The same script that sets it
    removes it, on the node, whatever becomes of the task; what a killed run left is removed by the next one.
  - Before anything is touched Pacemaker itself is asked, by C(crm_simulate) on a copy of the live CIB with the wish in it. A node on which it
    would not run all of the service, or where something else would then run nowhere, is passed over; named by O(to) it is refused with
    C(no_place).
  - If the service does not start on the other node, it goes back, the failure is cleaned up, and the task is refused with
    C(start_failed).
  - It stays where it was moved because of its C(resource-stickiness); without any the task tells that it did not stay.
  - It is an action that runs Pacemaker's own tools on one member over the task's connection; no Python is needed there.
extends_documentation_fragment:
  - ondemand.cluster.lease
attributes:
  check_mode:
    description: Can run in check mode and tells from where to where the service would move.
    support: full
  diff_mode:
    description: Tells the node of the service before and after.
    support: full
  idempotent:
    description: When run twice in a row with O(to), the second run changes nothing. Without O(to) each run is a move.
    support: partial
    details: Without O(to) the service moves to the emptiest other node each time.
options:
  service:
    description: Id of the group or resource.
    type: str
    required: true
  to:
    description:
      - Name of the node. The default is the other node that can take it and has the fewest movable services, among equals the oldest.
    type: str
  avoid:
    description: Nodes that are no default, as those that leave next. Not looked at with O(to).
    type: list
    elements: str
  members:
    description: Inventory names of members; the first one that answers is used. The default is the host that the task runs for.
    type: list
    elements: str
  deadline_s:
    description: How many seconds the move may take. The way back has the same time.
    type: float
    default: 120.0
"""

EXAMPLES = r"""
- name: The ledger runs on the new node
  ondemand.cluster.service_move:
    service: ledger
    to: shop-n2
    members: [shop-n1, shop-n2]
"""

RETURN = r"""
service:
  description: The service.
  returned: success
  type: str
  sample: ledger
from:
  description: The node that it ran on.
  returned: success
  type: str
  sample: shop-n1
to:
  description: The node that it runs on now.
  returned: success
  type: str
  sample: shop-n2
stopped_at:
  description: When all of it was seen stopped on the old node, in epoch seconds of the controller's clock; null where nothing moved.
  returned: success
  type: float
  sample: 1795424968.659
started_at:
  description: When all of it was seen running on the new node, in epoch seconds of the controller's clock; null where nothing moved.
  returned: success
  type: float
  sample: 1795424969.02
refusal:
  description: >-
    C(reason) and C(sentence). The reasons are C(not_found), C(bad_input), C(not_quorate), C(unstable), C(last_node), C(no_place),
    C(start_failed), C(deadline) and C(host_unreachable).
  returned: when refused
  type: dict
"""
