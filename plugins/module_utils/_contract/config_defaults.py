# SPDX-License-Identifier: BSD-2-Clause
# Copyright: (c) 2026, the ondemand.cluster contributors

"""Every default of the cluster file (docs/exchange-formats.md, section 1), in one place. Pure."""

from __future__ import annotations

from typing import Any, Dict, Mapping
from urllib.parse import urlsplit

POOL = "ondemand"
USER = "root"
CHECK = "/"
DEADLINES: Dict[str, Any] = {"boot_s": 300, "join_s": 180, "move_s": 120, "drain_s": 180, "leave_s": 180, "connect_s": 10, "lease_s": 60}
MONITOR_S = 10
FENCING: Dict[str, Any] = {"method": "none"}
RECOVERY: Dict[str, Any] = {"after_s": 120, "autostart": True}
SCALING: Dict[str, Any] = {"every_s": 5, "policies": []}
SCALE_OUT: Dict[str, Any] = {"after_s": 15, "cooldown_s": 60, "most_at_once": 1}
SCALE_IN: Dict[str, Any] = {"after_s": 300, "cooldown_s": 300, "most_at_once": 1, "drain_end": "keep"}


def uri_host(uri: str) -> str:
    """The host that a libvirt URI names; "localhost" for a local one. An unreadable URI gives "localhost" too."""
    try:
        return urlsplit(uri).hostname or "localhost"
    except ValueError:
        return "localhost"


def _copied(value: Any) -> Any:
    """Plain containers all the way down. A deepcopy of Ansible's lazy ones would copy its templating engine with them."""
    if isinstance(value, Mapping):
        return {key: _copied(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_copied(one) for one in value]
    return value


def _section(cluster: Dict[str, Any], key: str, defaults: Mapping[str, Any]) -> Dict[str, Any]:
    section = cluster.get(key)
    section = {**_copied(defaults), **(section if isinstance(section, dict) else {})}
    cluster[key] = section
    return section


def _host(host: Mapping[str, Any], bridge: Mapping[str, Any]) -> Dict[str, Any]:
    return {"zone": host["name"], "pool": POOL, "ssh": uri_host(host["uri"]), **bridge, **host}


def _service(service: Mapping[str, Any]) -> Dict[str, Any]:
    full = {"monitor_s": MONITOR_S, **service}
    if isinstance(full.get("resource"), dict):
        full["resource"] = {"check": CHECK, "options": {}, **full["resource"]}
    if isinstance(full.get("group"), list):
        full["group"] = [{"options": {}, "operations": [], **member} for member in full["group"]]
    return full


def with_defaults(cluster: Mapping[str, Any]) -> Dict[str, Any]:
    """The cluster file's ``cluster`` with every default filled in; what is given stays. The input isn't changed.

    Expects a mapping that passed the check of the cluster file (names, hosts and a size are there).
    """
    full: Dict[str, Any] = _copied(cluster)
    network = _section(full, "network", {"gateway": None, "dns": []})
    bridge = {"bridge": network["bridge"]} if "bridge" in network else {}
    full["hosts"] = [_host(host, bridge) for host in full.get("hosts") or []]
    _section(full, "image", {"sha256": None})
    _section(full, "access", {"user": USER, "state_dir": "~/.local/state/ondemand/" + str(full.get("name"))})
    requirement = _section(full, "requirement", {})
    size = _section(requirement, "size", {"disk_gib": None})
    headroom = {}
    if "vcpus" in size and "memory_mib" in size:
        headroom = {"vcpus_max": 2 * int(size["vcpus"]), "memory_max_mib": 2 * int(size["memory_mib"])}
    _section(requirement, "headroom", headroom)
    full["services"] = [_service(service) for service in full.get("services") or []]
    full["disks"] = [{"shareable": False, **disk} for disk in full.get("disks") or []]
    _section(full, "fencing", FENCING)
    _section(full, "recovery", RECOVERY)
    scaling = _section(full, "scaling", SCALING)
    _section(scaling, "scale_out", SCALE_OUT)
    _section(scaling, "scale_in", SCALE_IN)
    _section(full, "deadlines", DEADLINES)
    return full
