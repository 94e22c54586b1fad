# Copyright: (c) 2026, the ondemand.cluster contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """What the modules about a cluster's membership have in common."""

    DOCUMENTATION = r"""
options:
  members:
    description:
      - Inventory names of the cluster's members, which are also their names in the cluster. The first one that answers is
        asked; every member that the cluster itself lists has to be in the inventory.
    type: list
    elements: str
  min_nodes:
    description:
      - How many nodes have to stay online. A node whose leaving would go below that must not leave.
    type: int
    default: 1
requirements:
  - Corosync 3 and Pacemaker 2.1 or later on the nodes, with their command line tools; no Python, no pcs, no crmsh.
notes:
  - It is an action that runs the nodes' own tools over their connections and thinks on the controller. Connection variables of
    other hosts than the task's have to stand in the inventory (or be extra variables), not in the play.
  - The login on the nodes is root, or becomes root by C(become).
"""
