# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors

"""The rule of the cluster file on ports: who listens where on a node. Pure."""

from __future__ import annotations

from typing import Any, Dict, Iterator, List, Optional, Tuple

from .errors import Path, path_text, shown

Found = Iterator[Tuple[Path, str, str]]

STATS_PORT = 8404
"""the load balancer's statistics listen here on every node"""
GATE_PORT = 5420
"""a member tells here whom it lists, when a node asks that boots (roles/cluster_stack/files/gate.py)"""
SYSTEM_PORTS: Dict[int, str] = {
    22: "SSH",
    2224: "the cluster's own tools (pcsd)",
    3121: "Pacemaker's remote nodes",
    5403: "the quorum device",
    5404: "Corosync",
    5405: "Corosync",
    GATE_PORT: "the gate at boot",
    STATS_PORT: "the load balancer's statistics",
}
"""what listens on a node beside the services"""


def _services(cluster: Any) -> List[Tuple[int, Dict[str, Any]]]:
    found = cluster.get("services") if isinstance(cluster, dict) else None
    return [(i, one) for i, one in enumerate(found) if isinstance(one, dict)] if isinstance(found, list) else []


def _behind(service: Dict[str, Any]) -> Any:
    """The port of a balanced service's application on every node."""
    resource = service.get("resource") if service.get("kind") == "balanced" else None
    return resource.get("port") if isinstance(resource, dict) else None


def _system_port(value: Any) -> Optional[str]:
    """Whose port it is on every node beside the services; None for anybody's."""
    return SYSTEM_PORTS.get(value) if isinstance(value, int) and not isinstance(value, bool) else None


def ports_do_not_collide(cluster: Any) -> Found:
    """On a node the system has ports of its own, the load balancer binds the services', and applications listen on others."""
    services = _services(cluster)
    fronts = [one.get("port") for _i, one in services if one.get("kind") == "balanced"]
    behinds: Dict[int, str] = {}
    for i, service in services:
        here: Path = ("cluster", "services", i, "resource", "port")
        behind = _behind(service)
        for path, port in ((("cluster", "services", i, "port"), service.get("port")), (here, behind)):
            owner = _system_port(port)
            if owner:
                yield path, "%s is the port of %s on every node" % (shown(port), owner), "another port, such as 8080"
        if behind is not None and behind in fronts:
            yield here, "%s is bound by the load balancer on the same node" % shown(behind), "another port, such as 8080"
        elif isinstance(behind, int):
            if behind in behinds:
                yield here, "%s is bound on the same node by %s" % (shown(behind), behinds[behind]), "a port of its own"
            behinds.setdefault(behind, path_text(here))
    for i, service in services:
        port = service.get("port")
        if service.get("kind") == "movable" and isinstance(port, int) and port in behinds:
            why = "%s is bound on every node by %s" % (shown(port), behinds[port])
            yield ("cluster", "services", i, "port"), why, "a port of its own"
