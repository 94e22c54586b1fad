# Copyright: (c) 2026, the ondemand.cluster contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """What the modules that change a cluster have in common."""

    DOCUMENTATION = r"""
options:
  lease:
    description:
      - Token of the lease under which the task changes the cluster, as M(ondemand.cluster.cluster_lease) returns it. Every node asks its copy of the
        CIB before each change. Where another run took the lease over meanwhile the task is refused with C(held). The lease is
        prolonged by as much as the change may take.
      - Without a token the task changes the cluster only while nobody holds its lease.
    type: str
"""
