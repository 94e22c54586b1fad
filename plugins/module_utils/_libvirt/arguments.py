# SPDX-License-Identifier: BSD-2-Clause
# Copyright: (c) 2026, the ondemand.cluster contributors

"""Argument specs that several modules share; doc_fragments/libvirt.py describes them."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping

from ansible.module_utils.basic import AnsibleModule, missing_required_lib
from ansible_collections.ondemand.cluster.plugins.module_utils._contract import names
from ansible_collections.ondemand.cluster.plugins.module_utils._contract.config_defaults import POOL
from ansible_collections.ondemand.cluster.plugins.module_utils._contract.refusal import Refusal
from ansible_collections.ondemand.cluster.plugins.module_utils._libvirt import connection


def libvirt_spec() -> Dict[str, Any]:
    return {"deadline_s": {"type": "float", "default": 10}}


def one_host_spec() -> Dict[str, Any]:
    return {"uri": {"type": "str", "required": True}}


def hosts_spec() -> Dict[str, Any]:
    suboptions = {
        "name": {"type": "str", "required": True},
        "uri": {"type": "str", "required": True},
        "zone": {"type": "str"},
        "pool": {"type": "str", "default": POOL},
        "ssh": {"type": "str"},
        "bridge": {"type": "str"},
    }
    return {"hosts": {"type": "list", "elements": "dict", "required": True, "options": suboptions}}


def host_addresses(hosts: List[Mapping[str, Any]]) -> List[connection.HostAddress]:
    return [connection.HostAddress(host["name"], host["uri"], host.get("zone") or host["name"], host.get("pool") or POOL) for host in hosts]


def host_problems(hosts: List[Mapping[str, Any]]) -> List[str]:
    """Everything wrong with a list of hosts, each with its path."""
    found = [names.name_problem(host.get("name"), f"hosts[{i}].name") for i, host in enumerate(hosts)]
    found += [names.text_problem(host.get("uri"), f"hosts[{i}].uri") for i, host in enumerate(hosts)]
    called = [host.get("name") for host in hosts]
    if len(set(called)) != len(called):
        found.append("hosts: two have one name; names must differ")
    return [problem for problem in found if problem]


def need_libvirt(module: AnsibleModule) -> None:
    """Fail with Ansible's usual words if the binding isn't installed."""
    if connection.LIBVIRT_IMPORT_ERROR:
        module.fail_json(msg=missing_required_lib("libvirt-python"), exception=connection.LIBVIRT_IMPORT_ERROR)


def warn_of(module: AnsibleModule, twice: List[Mapping[str, Any]]) -> None:
    """Say which VMs were seen on several hosts."""
    for each in twice:
        module.warn(each["because"])


def refuse(module: AnsibleModule, refusal: Refusal, **more: Any) -> None:
    """End the module with a refusal, as docs/exchange-formats.md section 4 promises it."""
    module.fail_json(**refusal.result(), **more)
