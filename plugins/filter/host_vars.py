# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

import os
import urllib.parse

from ansible.errors import AnsibleFilterError
from ansible_collections.ondemand.cluster.plugins.module_utils._contract import names
from ansible_collections.ondemand.cluster.plugins.module_utils._contract.config_defaults import uri_host, with_defaults
from ansible_collections.ondemand.cluster.plugins.module_utils._contract.config_uris import uri_parameters
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
    """The option network of the module vm, for a VM that has its place. The bridge is that of its host, where the file names one."""
    network = cluster["network"]
    own = [host["bridge"] for host in cluster["hosts"] if host["name"] == vm["host"] and host.get("bridge")]
    card = {"bridge": next(iter(own), network["bridge"]), "address": vm["address"], "prefix": vm["prefix"], "dns": network.get("dns") or []}
    return {**card, **{key: one[key] for key, one in (("mac", vm), ("gateway", network)) if one.get(key)}}


def host_login(host):
    """Arguments of add_host that make a host of the cluster file a host of Ansible's, reached as libvirt reaches it.

    By ssh where the URI names a host, else it is this machine. User, and for libvirt's ways over ssh port and key file, are the URI's.
    """
    uri = urllib.parse.urlsplit(host["uri"])
    told = {"ansible_user": uri.username}
    if uri.scheme.endswith("ssh"):
        # A host that Ansible reaches by another address has another port there.
        told["ansible_port"] = uri.port if host["ssh"].lower() == uri_host(host["uri"]).lower() else None
        told["ansible_ssh_private_key_file"] = dict(uri_parameters(uri.query)).get("keyfile")
    given = {key: value for key, value in told.items() if value is not None}
    # AWX switches the check off for everything that does not ask for it. Who the hosts are, ssh's own configuration knows.
    strict = {"ansible_host_key_checking": True, "ansible_ssh_host_key_checking": True}
    connection = "ssh" if uri.hostname else "local"
    return {"name": host["name"], "ansible_host": host["ssh"], "ansible_connection": connection, **given, **strict}


class FilterModule:
    """The filters of this file."""

    def filters(self):
        return {function.__name__: function for function in (host_vars, cluster_defaults, run_host, network_card, host_login)}
