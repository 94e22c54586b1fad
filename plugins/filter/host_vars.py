# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

import os
import urllib.parse

from ansible.errors import AnsibleFilterError
from ansible_collections.ondemand.cluster.plugins.module_utils._contract import names
from ansible_collections.ondemand.cluster.plugins.module_utils._contract.config_defaults import with_defaults
from ansible_collections.ondemand.cluster.plugins.plugin_utils import inventory


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


def run_host(vm, cluster, unreachable):
    """Arguments of add_host that make a VM a host of this run, of its cluster's group, and of ondemand_NEW where it begins to boot at once.

    unreachable: hosts that did not answer. While there are any, where a new VM may be is decided only once the cluster was asked.
    """
    begins = vm.get("new") and not unreachable
    groups = [names.group_of(cluster["name"]), *(["ondemand_NEW"] if begins else [])]
    return {"name": vm["name"], "groups": groups, "ondemand_vm": vm, **host_vars(vm, cluster)}


def network_card(vm, cluster):
    """The option network of the module vm, for a VM that has its place."""
    network = cluster["network"]
    gateway = {"gateway": network["gateway"]} if network["gateway"] else {}
    return {"bridge": network["bridge"], "dns": network["dns"], **{key: vm[key] for key in ("address", "prefix", "mac")}, **gateway}


def connection_of(uri):
    """How Ansible reaches the host of a libvirt URI: ssh where the URI names one, else this machine itself."""
    return "ssh" if urllib.parse.urlsplit(uri).hostname else "local"


class FilterModule:
    """The filters of this file."""

    def filters(self):
        return {function.__name__: function for function in (host_vars, cluster_defaults, run_host, network_card, connection_of)}
