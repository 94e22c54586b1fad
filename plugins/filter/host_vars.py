# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

import os

from ansible.errors import AnsibleFilterError
from ansible_collections.ondemand.cluster.plugins.module_utils._contract.config_defaults import with_defaults
from ansible_collections.ondemand.cluster.plugins.module_utils._shared import inventory


def cluster_defaults(cluster):
    """The cluster file's cluster with every default filled in, and the state directory as an absolute path."""
    if not isinstance(cluster, dict):
        raise AnsibleFilterError("cluster_defaults takes the value of the cluster file's key 'cluster', a mapping")
    try:
        full = with_defaults(cluster)
    except (KeyError, TypeError, ValueError) as error:
        raise AnsibleFilterError(f"cluster_defaults: the cluster file is wrong, check it first: {error!r}") from error
    full["access"]["state_dir"] = os.path.expanduser(full["access"]["state_dir"])
    return full


def host_vars(vm, cluster):
    """Host variables of a VM, for add_host."""
    try:
        return inventory.host_vars(vm, cluster_defaults(cluster))
    except (KeyError, TypeError, ValueError) as error:
        raise AnsibleFilterError(f"host_vars takes a VM (of vm_info or placement) and the cluster: {error!r}") from error


class FilterModule:
    """The filters of this file."""

    def filters(self):
        return {"host_vars": host_vars, "cluster_defaults": cluster_defaults}
