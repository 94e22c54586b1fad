# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
name: vms
author:
  - The ondemand.cluster contributors (@ondemand-cluster)
version_added: 0.1.0
short_description: The VMs of a cluster file over all its hosts
description:
  - Takes a cluster file itself (a YAML file with the one top-level key C(cluster)), or a file that names one. The former only where
    C(enable_plugins) of C(ansible.cfg) lists C(ondemand.cluster.vms), since nothing in that file names this plugin.
  - Reads all hosts side by side and read-only. A host that is dead costs a warning; the VMs of the others are listed.
  - The SSH host keys are pinned from libvirt's metadata, so no known_hosts file is needed, and checking is strict.
  - Groups are C(ondemand_CLUSTER) and one for each role, C(ondemand_members) as a rule.
requirements:
  - The Python binding of libvirt (C(python3-libvirt) or C(libvirt-python)) on the controller.
  - OpenSSH 8.5 or later on the controller, for O(pin=command).
options:
  plugin:
    description: Always V(ondemand.cluster.vms), in a file that names the cluster file.
    type: str
    choices: [ondemand.cluster.vms]
  cluster_file:
    description: Path of the cluster file, relative to the file that names it.
    type: path
  pin:
    description:
      - Where ssh finds the VMs' host keys. With V(command) on its command line, as libvirt's metadata names them; with V(file)
        in the known_hosts file of the state directory, which the playbooks keep.
    type: str
    choices: [command, file]
    default: command
"""

EXAMPLES = r"""
# inventory.yml, used by: ansible-inventory -i inventory.yml --graph
plugin: ondemand.cluster.vms
cluster_file: shop.yml

# The cluster file itself is one too (ansible-inventory -i shop.yml --graph), where ansible.cfg enables the plugin by name:
# [inventory]
# enable_plugins = ondemand.cluster.vms, host_list, script, auto, yaml, ini
"""

import os

from ansible.errors import AnsibleError, AnsibleParserError
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.inventory import BaseInventoryPlugin
from ansible_collections.ondemand.cluster.plugins.module_utils._contract.config_defaults import with_defaults
from ansible_collections.ondemand.cluster.plugins.module_utils._contract.names import name_problem
from ansible_collections.ondemand.cluster.plugins.module_utils._libvirt import connection
from ansible_collections.ondemand.cluster.plugins.module_utils._libvirt.arguments import host_addresses, host_problems
from ansible_collections.ondemand.cluster.plugins.module_utils._libvirt.host import hosts, sightings
from ansible_collections.ondemand.cluster.plugins.plugin_utils import inventory as of_vm


def checked(content, path):
    """The cluster of a cluster file's content, with defaults; AnsibleParserError names every problem that matters here."""
    cluster = content.get("cluster") if isinstance(content, dict) else None
    if not isinstance(cluster, dict):
        raise AnsibleParserError(f"{path} is no cluster file: its one top-level key is 'cluster', a mapping")
    found = [name_problem(cluster.get("name"), "cluster.name")]
    listed = cluster.get("hosts")
    if not isinstance(listed, list) or not listed or not all(isinstance(host, dict) for host in listed):
        found.append("cluster.hosts: a list of at least one mapping with name and uri is right")
    else:
        found += ["cluster." + problem for problem in host_problems(listed)]
    found = [problem for problem in found if problem]
    if found:
        raise AnsibleParserError(f"{path}: " + "; ".join(found))
    return with_defaults(cluster)


class InventoryModule(BaseInventoryPlugin):
    """Lists the VMs of a cluster."""

    NAME = "ondemand.cluster.vms"

    def verify_file(self, path):
        """A YAML file whose content begins with one of our two keys; anything else is some other plugin's."""
        if not super().verify_file(path) or not path.endswith((".yml", ".yaml")):
            return False
        try:
            content = DataLoader().load_from_file(path, cache="none")
        except AnsibleError:
            return False
        return isinstance(content, dict) and (list(content) == ["cluster"] or content.get("plugin") == self.NAME)

    def parse(self, inventory, loader, path, cache=True):
        super().parse(inventory, loader, path, cache)
        if connection.LIBVIRT_IMPORT_ERROR:
            raise AnsibleParserError("ondemand.cluster.vms needs libvirt's Python binding (python3-libvirt or libvirt-python)")
        content = loader.load_from_file(path, cache="none")
        if "cluster" in content:
            self.set_options()
        else:
            content = self._read_config_data(path)
            if not content.get("cluster_file"):
                raise AnsibleParserError(f"{path}: cluster_file is missing; the path of a cluster file is right")
            path = os.path.join(os.path.dirname(os.path.abspath(path)), os.path.expanduser(content["cluster_file"]))
            content = loader.load_from_file(path, cache="none")
        cluster = checked(content, path)
        readings = hosts.read_vms(host_addresses(cluster["hosts"]), cluster["name"], cluster["deadlines"]["connect_s"])
        for silent in hosts.not_reached(readings):
            self.display.warning(f"{path}: the VMs of the host {silent['host']} are not listed: {silent['because']}")
        self._fill(cluster, sightings.vms_as_data(readings))

    def _fill(self, cluster, vms):
        for group in of_vm.groups({"cluster": cluster["name"]}):
            self.inventory.add_group(group)
        for vm in vms:
            self.inventory.add_host(vm["name"])
            for group in of_vm.groups(vm):
                self.inventory.add_group(group.replace("-", "_"))
                self.inventory.add_host(vm["name"], group=group.replace("-", "_"))
            for key, value in of_vm.host_vars(vm, cluster, self.get_option("pin")).items():
                self.inventory.set_variable(vm["name"], key, value)
