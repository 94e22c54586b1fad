# Copyright: (c) 2026, the ondemand.cluster contributors
# BSD-2-Clause license (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""From the services of a cluster file to what Pacemaker is to run, as data for cluster_config. Pure.

A balanced service is a clone of its resource on every node; its address stands where one of HAProxy's clones runs. A movable service
is a group: its members in their order, with its address before the last one, so that nobody is let in before the data is
there and nobody waits for an address after the application has started.
"""

from __future__ import annotations

import typing as t

BALANCER = "haproxy"
BALANCER_AGENT = "systemd:haproxy"
ADDRESS_AGENT = "ocf:heartbeat:IPaddr2"
# Start and stop may take long on a busy or emulated VM: lab figures show a stop of IPaddr2 beyond its advised 20 s.
TIMEOUT_S = 60
MONITOR_S = 10
# Pacemaker's own pace (load-threshold, node-action-limit) stays: started side by side, systemd units on a slow node failed. Each start makes
# systemd reload, and a unit that is starting then reads as inactive for a moment (seen with Pacemaker 2.1.5 on emulated VMs).
RESOURCE_DEFAULTS = {
    # More than any accident of placement, less than a wish: what runs stays, a move stays moved.
    "resource-stickiness": "100",
    "migration-threshold": "3",
    # Failures are forgotten, so that a cluster of one node tries again instead of giving up for good.
    "failure-timeout": "60s",
}


class ServicesError(ValueError):
    """The services of a cluster file cannot be carried out; the sentence says which and what would be right."""


def clone_of(resource: str) -> str:
    """The id of a resource's clone."""
    return resource + "-clone"


def address_of(service: str) -> str:
    """The id of a service's address resource."""
    return service + "-address"


def _operations(monitor_s: int, given: t.Sequence[t.Mapping[str, t.Any]] | None = None) -> t.List[t.Dict[str, t.Any]]:
    """Monitor, start and stop with time for slow VMs; an operation that is given replaces ours of the same name."""
    ours = [
        {"name": "monitor", "interval_s": monitor_s, "timeout_s": TIMEOUT_S},
        {"name": "start", "interval_s": 0, "timeout_s": TIMEOUT_S},
        {"name": "stop", "interval_s": 0, "timeout_s": TIMEOUT_S},
    ]
    named = {one.get("name") for one in given or []}
    return [one for one in ours if one["name"] not in named] + [dict(one) for one in given or []]


def _primitive(
    one: str, agent: str, options: t.Mapping[str, t.Any] | None, operations: t.Any = None, monitor_s: int = MONITOR_S
) -> t.Dict[str, t.Any]:
    return {"id": one, "agent": agent, "options": dict(options or {}), "operations": _operations(monitor_s, operations)}


def _monitor_s(service: t.Mapping[str, t.Any]) -> int:
    return int(service.get("monitor_s") or MONITOR_S)


def _address(service: t.Mapping[str, t.Any], prefix: int) -> t.Dict[str, t.Any]:
    # Five announcements, 0.1 s apart: neighbours learn the new place within half a second even if the first ones are lost.
    options = {"ip": service["address"], "cidr_netmask": prefix, "arp_count": 5, "arp_interval": 100}
    return _primitive(address_of(service["name"]), ADDRESS_AGENT, options, None, _monitor_s(service))


def _balanced(service: t.Mapping[str, t.Any], prefix: int) -> t.Dict[str, t.Any]:
    name, resource = service["name"], service["resource"]
    address, balancer = address_of(name), clone_of(BALANCER)
    return {
        "resources": [
            _primitive(name, resource["agent"], resource.get("options"), resource.get("operations"), _monitor_s(service)),
            _address(service, prefix),
        ],
        "groups": [],
        "clones": [{"id": clone_of(name), "resource": name, "meta": {"interleave": True}}],
        "colocation": [{"id": "ondemand-%s-with-%s" % (address, BALANCER), "resource": address, "with": balancer, "score": "INFINITY"}],
        # HAProxy binds the address before it is there; so the address comes last and finds it listening.
        "order": [{"id": "ondemand-%s-then-%s" % (BALANCER, address), "first": balancer, "then": address, "kind": "Mandatory"}],
    }


def _movable(service: t.Mapping[str, t.Any], prefix: int) -> t.Dict[str, t.Any]:
    members = [
        _primitive(one["name"], one["agent"], one.get("options"), one.get("operations"), _monitor_s(service)) for one in service["group"]
    ]
    if service.get("address"):
        members.insert(len(members) - 1, _address(service, prefix))
    return {
        "resources": members,
        "groups": [{"id": service["name"], "members": [one["id"] for one in members]}],
        "clones": [],
        "colocation": [],
        "order": [],
    }


def _balancer() -> t.Dict[str, t.Any]:
    return {
        "resources": [_primitive(BALANCER, BALANCER_AGENT, None)],
        "groups": [],
        "colocation": [],
        "order": [],
        "clones": [{"id": clone_of(BALANCER), "resource": BALANCER, "meta": {"interleave": True}}],
    }


def wanted_resources(cluster: t.Mapping[str, t.Any]) -> t.Dict[str, t.Any]:
    """The wanted configuration (option config of cluster_config) for a checked cluster file's value of C(cluster).

    ServicesError where a service is of no known kind, or two resources would have the same id.
    """
    services = cluster.get("services") or []
    prefix = int(cluster["network"]["prefix"])
    parts = [_balancer()] if any(one.get("kind") == "balanced" for one in services) else []
    for service in services:
        if service.get("kind") not in ("balanced", "movable"):
            raise ServicesError("service %s is %r; it must be balanced or movable" % (service.get("name"), service.get("kind")))
        parts.append((_balanced if service["kind"] == "balanced" else _movable)(service, prefix))
    ids = [one["id"] for part in parts for kind in ("resources", "groups", "clones") for one in part[kind]]
    twice = sorted({one for one in ids if ids.count(one) > 1})
    if twice:
        raise ServicesError("the services would give these resources the same id: %s; rename a service or a member" % ", ".join(twice))
    return {
        # A cluster file without fencing says nothing of the fencing that somebody set up by hand, and nothing of its quorum policy.
        "unless_set": {
            "properties": {"stonith-enabled": cluster.get("fencing", {}).get("method", "none") != "none", "no-quorum-policy": "stop"},
            "resource_defaults": dict(RESOURCE_DEFAULTS),
        },
        **{kind: [one for part in parts for one in part[kind]] for kind in ("resources", "groups", "clones")},
        "constraints": {kind: [one for part in parts for one in part[kind]] for kind in ("colocation", "order")},
    }
