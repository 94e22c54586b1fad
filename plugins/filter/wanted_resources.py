# Copyright: (c) 2026, the ondemand.cluster contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter that turns a cluster file into the configuration that Pacemaker is to have."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.services import ServicesError, wanted_resources


def wanted(cluster: t.Any, node_hosts: t.Any = None) -> dict[str, t.Any]:
    """See plugin_utils/_cluster/services.py; a cluster that lacks what is needed is a filter error that names it."""
    if not isinstance(cluster, t.Mapping):
        raise AnsibleFilterError("wanted_resources takes the value of the key cluster of a cluster file, a mapping")
    try:
        return wanted_resources(cluster, node_hosts)
    except ServicesError as error:
        raise AnsibleFilterError("wanted_resources: %s" % error) from error
    except KeyError as error:
        raise AnsibleFilterError("wanted_resources: the cluster lacks %s; check it with ondemand.cluster.cluster_check" % error) from error


class FilterModule:
    """Filters of this file."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """By their names."""
        return {"wanted_resources": wanted}
