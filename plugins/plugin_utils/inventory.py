# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors

"""How Ansible reaches a VM: the variables and groups of one VM. Pure; used by the inventory plugin and the filter."""

from __future__ import annotations

import os
import shlex
from typing import Any, Dict, List, Mapping

from ansible_collections.ondemand.cluster.plugins.module_utils._contract.names import group_of
from ansible_collections.ondemand.cluster.plugins.module_utils._shared import known_hosts

MEMBERS = "ondemand_members"
JOINING = "ondemand_joining"

# Whose project runs the playbooks must not matter: AWX switches the check of host keys off by its environment, others by their ansible.cfg.
# Ansible then puts its own option, or what ssh_args says, before ours, and for ssh the first one counts.
# Either name of the variable will do, but the second one wins where a group or a project sets it.
CHECKED: Dict[str, Any] = {"ansible_host_key_checking": True, "ansible_ssh_host_key_checking": True}
#
# A connection that is kept open to a VM that died meanwhile would swallow each question until its time is over. ssh asks it every ten
# seconds whether it is there, and ends it when three answers are missing.
SSH_ARGS = " ".join(
    (
        "-o ControlMaster=auto -o ControlPersist=120s",
        "-o StrictHostKeyChecking=yes",
        "-o ServerAliveInterval=10 -o ServerAliveCountMax=3",
    )
)


def _pin(vm: Mapping[str, Any], state_dir: str, pin: str) -> List[str]:
    if pin == "file":
        path = os.path.join(state_dir, "known_hosts")
        return ["-o", f'UserKnownHostsFile="{path}"']
    # The key that libvirt's metadata names is the only one: no file has to be written, none can be stale.
    answer = known_hosts.line(vm["name"], vm["address"], vm["host_key"])
    return ["-o", "UserKnownHostsFile=/dev/null", "-o", f"KnownHostsCommand=/bin/echo {answer}"]


def host_vars(vm: Mapping[str, Any], cluster: Mapping[str, Any], pin: str = "file") -> Dict[str, Any]:
    """Variables of a VM (as vm_info or placement give it) for a cluster (as with_defaults() gives it).

    ``pin`` says where ssh finds the VM's key: "file" (state_dir/known_hosts) or "command" (from the VM itself,
    OpenSSH 8.5 or later; falls back to the file if the VM has no key yet). Checking is strict in both.
    """
    state_dir = os.path.expanduser(cluster["access"]["state_dir"])
    where = pin if vm.get("host_key") else "file"
    options = _pin(vm, state_dir, where)
    options += ["-o", "GlobalKnownHostsFile=/dev/null", "-o", "StrictHostKeyChecking=yes"]
    options += ["-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes"]
    variables = {
        **CHECKED,
        "ansible_connection": "ssh",
        "ansible_ssh_args": SSH_ARGS,
        "ansible_host": vm["address"],
        "ansible_user": cluster["access"]["user"],
        "ansible_ssh_private_key_file": os.path.join(state_dir, "id_ed25519"),
        "ansible_ssh_common_args": " ".join(shlex.quote(word) for word in options),
        "ansible_python_interpreter": "/usr/bin/python3",
    }
    for key in ("name", "cluster", "host", "uri", "zone", "address", "state", "role", "generation", "image"):
        if vm.get(key) is not None:
            variables["ondemand_" + key] = vm[key]
    return variables


def groups(vm: Mapping[str, Any]) -> List[str]:
    """Groups of a VM that exists: its cluster's, and its role's (a VM with role "member" is in ondemand_members)."""
    return [group_of(vm["cluster"]), f"ondemand_{vm.get('role') or 'member'}s"]
