# SPDX-License-Identifier: BSD-2-Clause
# Copyright: (c) 2026, the ondemand.cluster contributors

"""From what Corosync's and Pacemaker's tools print to one frozen picture of the cluster. Pure."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from typing import Any, Dict, List, Optional, Set, Tuple

from ansible_collections.ondemand.cluster.plugins.module_utils._cluster import corosync_conf

TEMPORARY_PREFIXES = ("ondemand-move-", "cli-")
LEAVING = "ondemand-leaving-"
"""How the id of a standby begins that a leave set (the node's name follows), to tell it from one that a person wants."""
# RESOURCE_OPERATION_INTERVAL; a resource's id may hold underscores, and so do two of the operations.
OPERATION_KEY = re.compile(r"(.+?)_(migrate_to|migrate_from|[a-z-]+)_\d+\Z")
KINDS = ("group", "clone")


class StatusError(ValueError):
    """The tools' output could not be read; says which part."""


@dataclass(frozen=True)
class Votes:
    """Corosync's count."""

    expected: int
    total: int
    needed: int
    present: Tuple[int, ...]
    two_node: bool


@dataclass(frozen=True)
class Member:
    """A node as both see it: Corosync's nodelist (listed, address, votes) and Pacemaker (the rest).

    leaving: it is in standby because a leave was begun, and not ended.
    """

    name: str
    id: int
    address: str
    listed: bool
    votes: bool
    online: bool
    standby: bool
    pending: bool
    unclean: bool
    leaving: bool = False

    @property
    def working(self) -> bool:
        """May it carry services now?"""
        return self.online and not self.pending and not self.standby


@dataclass(frozen=True)
class Resource:
    """One running or stopped piece of a service."""

    id: str
    agent: str
    nodes: Tuple[str, ...]
    role: str
    pending: str
    failed: bool


@dataclass(frozen=True)
class Service:
    """A group, a clone, or a primitive of its own."""

    name: str
    kind: str
    resources: Tuple[Resource, ...]
    failures: int = 0

    @property
    def nodes(self) -> Tuple[str, ...]:
        """Where any of it runs."""
        return tuple(sorted({node for resource in self.resources for node in resource.nodes}))

    @property
    def state(self) -> str:
        """started, starting, stopping, stopped or failed. A clone counts as started when it runs anywhere and nothing is under way."""
        active = [resource for resource in self.resources if resource.role != "Stopped"]
        # One of a group that failed to start leaves those before it running.
        whole = bool(active) if self.kind == "clone" else len(active) == len(self.resources)
        if any(resource.failed for resource in self.resources):
            return "failed"
        if any(resource.role == "Stopping" or resource.pending == "Stopping" for resource in self.resources):
            return "stopping"
        if any(resource.role == "Starting" or resource.pending for resource in self.resources if resource.pending != "Monitoring"):
            return "starting"
        if not whole and self.failures:
            return "failed"
        if not active:
            return "stopped"
        return "started" if whole else "starting"


@dataclass(frozen=True)
class Status:
    """The cluster as one of its members tells it."""

    cluster: str
    quorate: bool
    dc: Optional[str]
    idle: bool
    votes: Votes
    members: Tuple[Member, ...]
    services: Tuple[Service, ...]
    failures: Tuple[Dict[str, Any], ...]
    constraints: Tuple[str, ...]
    remembered: Tuple[str, ...] = ()
    """Nodes that are gone from the list and from the CIB, but not from the asked controller's memory."""

    @property
    def votes_total(self) -> int:
        """Votes that are present."""
        return self.votes.total

    @property
    def votes_expected(self) -> int:
        """Votes that there should be."""
        return self.votes.expected

    def member(self, name: str) -> Member:
        """The node of that name. Raises KeyError."""
        for member in self.members:
            if member.name == name:
                return member
        raise KeyError(name)

    def movable_on(self, node: str) -> List[str]:
        """Names of the movable services (groups and single resources) that run on a node."""
        return [service.name for service in self.services if service.kind != "clone" and node in service.nodes]


def parse(parts: Dict[str, Tuple[int, str]]) -> Status:
    """Read the sections of one observation (see membership_scripts.OBSERVE). Raises StatusError."""
    cib = _xml(parts, "cib")
    monitor = _xml(parts, "monitor")
    votes = parse_votes(parts.get("votes", (1, ""))[1])
    try:
        conf = corosync_conf.parse(parts["conf"][1])
    except (KeyError, corosync_conf.ConfError) as error:
        raise StatusError("corosync.conf cannot be read: %s" % error) from error
    dc = monitor.find("summary/current_dc")
    failures = tuple(_failures(monitor))
    members = _members(conf, cib, monitor, votes)
    return Status(
        cluster=conf.cluster,
        quorate=dc is not None and dc.get("with_quorum") == "true",
        dc=dc.get("name") if dc is not None and dc.get("present") == "true" else None,
        idle="S_IDLE" in parts.get("dc", (1, ""))[1],
        votes=votes,
        members=members,
        services=tuple(_services(monitor, failures)),
        failures=failures,
        constraints=tuple(item.get("id", "") for item in cib.findall("configuration/constraints/*")),
        remembered=_remembered(parts.get("peers", (1, ""))[1], {member.name for member in members if member.listed}),
    )


def parse_votes(text: str) -> Votes:
    """Read `corosync-quorumtool -s`."""

    def number(label: str) -> int:
        found = re.search(r"^%s:\s+(\d+)" % label, text, re.MULTILINE)
        return int(found.group(1)) if found else 0

    flags = re.search(r"^Flags:\s+(.*)$", text, re.MULTILINE)
    # In the table of members the id may be written in hexadecimal by older releases.
    present = re.findall(r"^\s*(0x[0-9a-f]+|\d+)\s+\d+\s+\S", text.split("Membership information")[-1], re.MULTILINE)
    return Votes(
        expected=number("Expected votes"),
        total=number("Total votes"),
        needed=number("Quorum"),
        present=tuple(int(item, 0) for item in present),
        two_node="2Node" in (flags.group(1).split() if flags else []),
    )


def _xml(parts: Dict[str, Tuple[int, str]], name: str) -> ET.Element:
    rc, text = parts.get(name, (1, "nothing was printed"))
    if rc != 0:
        raise StatusError("%s: %s" % (name, text.strip() or "code %d" % rc))
    try:
        return ET.fromstring(text[text.index("<") :])
    except (ValueError, ET.ParseError) as error:
        raise StatusError("%s is no XML: %s" % (name, error)) from error


def _members(conf: corosync_conf.Conf, cib: ET.Element, monitor: ET.Element, votes: Votes) -> Tuple[Member, ...]:
    seen = {node.get("name", ""): node for node in monitor.findall("nodes/node") if node.get("type", "member") == "member"}
    known = {
        item.get("uname", ""): int(item.get("id", "0"))
        for item in cib.findall("configuration/nodes/node")
        if item.get("type", "member") == "member"
    }
    marked = {item.get("uname") for item in cib.findall("configuration/nodes/node") if _marked(item)}
    listed = {node.name: node for node in conf.nodes}
    members = []
    for name in sorted(set(known) | set(listed), key=lambda name: (listed[name].id if name in listed else known[name], name)):
        number = listed[name].id if name in listed else known[name]
        node = seen.get(name)
        said = dict(node.attrib) if node is not None else {}
        members.append(
            Member(
                name=name,
                id=number,
                address=listed[name].address if name in listed else "",
                listed=name in listed,
                votes=name in listed and number in votes.present,
                online=said.get("online") == "true",
                standby=said.get("standby") == "true",
                pending=said.get("pending") == "true",
                unclean=said.get("unclean") == "true",
                leaving=said.get("standby") == "true" and name in marked,
            )
        )
    return tuple(members)


def _marked(node: ET.Element) -> bool:
    return any(item.get("name") == "standby" and item.get("id", "").startswith(LEAVING) for item in node.iter("nvpair"))


def _remembered(text: str, listed: Set[str]) -> Tuple[str, ...]:
    """Read `crm_node -l`: a line is id, name and state; the lost ones that no list has any more."""
    lines = [line.split() for line in text.splitlines()]
    return tuple(line[1] for line in lines if len(line) == 3 and line[0].isdigit() and line[2] == "lost" and line[1] not in listed)


def _services(monitor: ET.Element, failures: Tuple[Dict[str, Any], ...]) -> List[Service]:
    services = []
    for item in monitor.findall("resources/*"):
        if item.tag in KINDS or (item.tag == "resource" and not item.get("resource_agent", "").startswith("stonith:")):
            resources = tuple(_resource(child) for child in item.iter("resource"))
            failed = sum(1 for failure in failures if failure["resource"] in [resource.id for resource in resources])
            services.append(Service(item.get("id", ""), item.tag if item.tag in KINDS else "primitive", resources, failed))
    return services


def _resource(item: ET.Element) -> Resource:
    return Resource(
        id=item.get("id", ""),
        agent=item.get("resource_agent", "").replace("::", ":"),
        nodes=tuple(node.get("name", "") for node in item.findall("node")),
        role=item.get("role", "Stopped"),
        pending=item.get("pending", ""),
        failed=item.get("failed") == "true",
    )


def _failures(monitor: ET.Element) -> List[Dict[str, Any]]:
    failures = []
    for item in monitor.findall("failures/failure"):
        found = OPERATION_KEY.match(item.get("op_key", ""))
        resource, operation = found.groups() if found else (item.get("id", ""), item.get("task", ""))
        because = item.get("exitreason") or item.get("exitstatus") or item.get("status") or "no reason was given"
        code = item.get("exitcode", "")
        failures.append(
            {
                "resource": resource,
                "node": item.get("node", ""),
                "operation": operation,
                "rc": int(code) if code.isdigit() else None,
                "because": because,
            }
        )
    return failures
