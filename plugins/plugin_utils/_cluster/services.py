# Copyright: (c) 2026, the ondemand.cluster contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the services of a cluster file to what Pacemaker is to run, as data for cluster_config. Pure.

A balanced service is a clone of its resource on every node; its address stands where one of HAProxy's clones runs. A movable service
is a group: its members in their order, with its address before the last one, so that nobody is let in before the data is
there and nobody waits for an address after the application has started. Everything carries the mark of its service (see marks.py).
"""

from __future__ import annotations

import typing as t

from ...module_utils._contract.config_defaults import FENCING, MONITOR_S
from . import marks
from .cib_spec import CONSTRAINT_KINDS, VALUE_SETS, clone_id
from .cib_whole import stated_values

BALANCER = "haproxy"
BALANCER_AGENT = "systemd:haproxy"
ADDRESS_AGENT = "ocf:heartbeat:IPaddr2"
# Start and stop may take long on a busy or emulated VM: lab figures show a stop of IPaddr2 beyond its advised 20 s.
TIMEOUT_S = 60
# Pacemaker's own pace (load-threshold, node-action-limit) stays: started side by side, systemd units on a slow node failed. Each start makes
# systemd reload, and a unit that is starting then reads as inactive for a moment (seen with Pacemaker 2.1.5 on emulated VMs).
RESOURCE_DEFAULTS = {
    # More than any accident of placement, less than a wish: what runs stays, a move stays moved.
    "resource-stickiness": "100",
    "migration-threshold": "3",
    # Failures are forgotten, so that a cluster of one node tries again instead of giving up for good.
    "failure-timeout": "60s",
}


RESOURCE_KINDS = ("resources", "groups", "clones")
FROM_FILE = marks.OURS + "file-"
# Field of the cluster file -> field of cluster_config.
CONSTRAINT_FIELDS: t.Dict[str, t.Dict[str, str]] = {
    "location": {"service": "resource", "node": "node", "score": "score"},
    "colocation": {"service": "resource", "with": "with", "score": "score"},
    "order": {"first": "first", "then": "then", "kind": "kind"},
}
NAMES_A_SERVICE = ("service", "with", "first", "then")


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


def marked(owner: str, stated: t.Mapping[str, t.Any] | None = None, ours: t.Mapping[str, t.Any] | None = None) -> t.Dict[str, t.Any]:
    """Meta attributes with the mark of whom they are made for, and the list of those that the cluster file states."""
    listed = {marks.STATED: " ".join(sorted(stated))} if stated else {}
    return {marks.SERVICE: owner, **listed, **(ours or {}), **(stated or {})}


def _primitive(owner: str, given: t.Mapping[str, t.Any], monitor_s: int = MONITOR_S) -> t.Dict[str, t.Any]:
    return {
        "id": given["name"],
        "agent": given["agent"],
        "options": dict(given.get("options") or {}),
        "meta": marked(owner, given.get("meta")),
        "operations": _operations(monitor_s, given.get("operations")),
    }


def _monitor_s(service: t.Mapping[str, t.Any]) -> int:
    return int(service.get("monitor_s") or MONITOR_S)


def _address(service: t.Mapping[str, t.Any], prefix: int) -> t.Dict[str, t.Any]:
    # Five announcements, 0.1 s apart: neighbours learn the new place within half a second even if the first ones are lost.
    options = {"ip": service["address"], "cidr_netmask": prefix, "arp_count": 5, "arp_interval": 100}
    address = {"name": address_of(service["name"]), "agent": ADDRESS_AGENT, "options": options}
    return _primitive(service["name"], address, _monitor_s(service))


def _balanced(service: t.Mapping[str, t.Any], prefix: int) -> t.Dict[str, t.Any]:
    name = service["name"]
    address, balancer = address_of(name), clone_of(BALANCER)
    return {
        "resources": [_primitive(name, {**service["resource"], "name": name}, _monitor_s(service)), _address(service, prefix)],
        "clones": [{"id": clone_of(name), "resource": name, "meta": marked(name, service.get("meta"), {"interleave": True})}],
        "colocation": [{"id": "ondemand-%s-with-%s" % (address, BALANCER), "resource": address, "with": balancer, "score": "INFINITY"}],
        # HAProxy binds the address before it is there; so the address comes last and finds it listening.
        "order": [{"id": "ondemand-%s-then-%s" % (BALANCER, address), "first": balancer, "then": address, "kind": "Mandatory"}],
    }


def _movable(service: t.Mapping[str, t.Any], prefix: int) -> t.Dict[str, t.Any]:
    name = service["name"]
    members = [_primitive(name, one, _monitor_s(service)) for one in service["group"]]
    if service.get("address"):
        members.insert(len(members) - 1, _address(service, prefix))
    group = {"id": name, "members": [one["id"] for one in members], "meta": marked(name, service.get("meta"))}
    return {"resources": members, "groups": [group]}


def _balancer() -> t.Dict[str, t.Any]:
    return {
        "resources": [_primitive(BALANCER, {"name": BALANCER, "agent": BALANCER_AGENT})],
        "clones": [{"id": clone_of(BALANCER), "resource": BALANCER, "meta": marked(BALANCER, None, {"interleave": True})}],
    }


def _between(cluster: t.Mapping[str, t.Any]) -> t.Dict[str, t.Any]:
    """The constraints between services that the file states, by the ids of what stands for a service in Pacemaker."""
    stands = {one["name"]: one["name"] if one["kind"] == "movable" else clone_of(one["name"]) for one in cluster.get("services") or []}
    found: t.Dict[str, t.Any] = {}
    for kind, fields in CONSTRAINT_FIELDS.items():
        for one in (cluster.get("constraints") or {}).get(kind) or []:
            whole = {
                name: stands.get(value, value) if name in NAMES_A_SERVICE else value for name, value in one.items() if value is not None
            }
            found.setdefault(kind, []).append(
                {"id": FROM_FILE + whole["name"], **{field: whole[name] for name, field in fields.items() if name in whole}}
            )
    return found


def _meta_of(given: t.Mapping[str, t.Any]) -> t.Dict[str, t.Any]:
    """What is stated as meta attributes; that a clone is promotable is one of them."""
    more = {} if given.get("promotable") is None else {"promotable": given["promotable"]}
    return {**(given.get("meta") or {}), **more}


def _passed(cluster: t.Mapping[str, t.Any]) -> t.Dict[str, t.Any]:
    """What the file passes on to Pacemaker as it is, with our mark, so that it goes when the file no longer has it."""
    given = cluster.get("pacemaker") or {}
    found = {kind: [{**one, "meta": marked("pacemaker", _meta_of(one))} for one in given.get(kind) or []] for kind in RESOURCE_KINDS}
    # Whole, so that what the file states no longer goes.
    wholes: t.Dict[str, t.Any] = {"options": {}, "operations": [], "utilization": {}}
    found["resources"] = [{**one, **{name: one.get(name) or empty for name, empty in wholes.items()}} for one in found["resources"]]
    found["clones"] = [{name: value for name, value in one.items() if name != "promotable"} for one in found["clones"]]
    found["alerts"] = [{**one, "meta": marked("pacemaker", one.get("meta"))} for one in given.get("alerts") or []]
    for kind, items in (given.get("constraints") or {}).items():
        found[kind] = [{**one, "id": FROM_FILE + one["id"]} for one in items or []]
    return found


def wanted_resources(cluster: t.Mapping[str, t.Any], node_hosts: t.Optional[t.Mapping[str, str]] = None) -> t.Dict[str, t.Any]:
    """The wanted configuration (option config of cluster_config) for a checked cluster file's value of C(cluster).

    node_hosts: node -> the host that carries its VM, to be written down for it.
    ServicesError where a service is of no known kind, or two resources would have the same id.
    """
    services = cluster.get("services") or []
    prefix = int(cluster["network"]["prefix"])
    parts = [_balancer()] if any(one.get("kind") == "balanced" for one in services) else []
    for service in services:
        if service.get("kind") not in ("balanced", "movable"):
            raise ServicesError("service %s is %r; it must be balanced or movable" % (service.get("name"), service.get("kind")))
        parts.append((_balanced if service["kind"] == "balanced" else _movable)(service, prefix))
    parts += [_between(cluster), _passed(cluster)]

    def all_of(kind: str) -> t.List[t.Dict[str, t.Any]]:
        return [one for part in parts for one in part.get(kind, [])]

    ids = [clone_id(one) if kind == "clones" else one["id"] for kind in RESOURCE_KINDS for one in all_of(kind)]
    twice = sorted({one for one in ids if ids.count(one) > 1})
    if twice:
        raise ServicesError("the services would give these resources the same id: %s; rename a service or a member" % ", ".join(twice))
    given = cluster.get("pacemaker") or {}
    fenced = (cluster.get("fencing") or {}).get("method", FENCING["method"]) != FENCING["method"]
    values = {name: dict(given[name]) for name in VALUE_SETS if given.get(name)}
    listed = stated_values(values)
    if listed:
        values["properties"] = {**values.get("properties", {}), **listed}
    return {
        # A cluster file without fencing says nothing of the fencing that somebody set up by hand, and nothing of its quorum policy.
        "unless_set": {
            "properties": {"stonith-enabled": fenced, "no-quorum-policy": "stop"},
            "resource_defaults": dict(RESOURCE_DEFAULTS),
        },
        **values,
        **{kind: all_of(kind) for kind in RESOURCE_KINDS},
        **{name: list(found) for name, found in (("alerts", all_of("alerts")), ("nodes", given.get("nodes") or [])) if found},
        **({"node_hosts": dict(node_hosts)} if node_hosts else {}),
        "constraints": {kind: all_of(kind) for kind in CONSTRAINT_KINDS if all_of(kind)},
    }
