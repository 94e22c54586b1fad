# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors

"""From what Corosync's and Pacemaker's tools print to one frozen picture of the cluster. Pure."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import dataclass, field
from typing import Any, Container, Dict, List, Mapping, Optional, Set, Tuple

from . import corosync_conf, marks
from .cib import xml_root
from .cib_extras import hosts_of
from .quorum import Count
from .seen import Loaded, loaded
from .simulation import Effects

ROOTS = {"cib": "cib", "monitor": "pacemaker-result"}
"""The outermost element of each answer in XML."""
TEMPORARY_PREFIXES = (marks.MOVE, "cli-")
# RESOURCE_OPERATION_INTERVAL; a resource's id may hold underscores, and so do two of the operations.
OPERATION_KEY = re.compile(r"(.+?)_(migrate_to|migrate_from|[a-z-]+)_\d+\Z")
DEVICE_ID = 0
"""under which Corosync's table of members has the quorum device"""
KINDS = ("group", "clone", "bundle")
SPREAD = ("clone", "bundle")
"""Kinds that run in several places, so that nothing of them is moved."""


class StatusError(ValueError):
    """The tools' output could not be read; says which part."""


@dataclass(frozen=True)
class Votes:
    """Corosync's count. present: the members' ids; weights: id and votes of those that have not one; device: what a quorum device adds."""

    expected: int
    total: int
    needed: int
    present: Tuple[int, ...]
    two_node: bool
    weights: Tuple[Tuple[int, int], ...] = ()
    device: int = 0

    @property
    def count(self) -> Count:
        """The same as a value that can be calculated with."""
        weights = dict(self.weights)
        present = {one: weights.get(one, 1) for one in self.present}
        return Count(self.expected, present, self.device, self.two_node, self.needed)


@dataclass(frozen=True)
class Member:
    """A node as both see it: Corosync's nodelist (listed, address, votes) and Pacemaker (the rest).

    leaving: it is in standby because a leave was begun, and not ended. host: which one carried its VM, as it was last written down.
    joining: its join is under way, or was cut off after it had started: the file of the member that was asked still says so, beside the passing two_node.
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
    host: Optional[str] = None
    joining: bool = False

    @property
    def working(self) -> bool:
        """May it carry services now?"""
        return self.online and not self.pending and not self.standby


@dataclass(frozen=True)
class Resource:
    """One running or stopped piece of a service. disabled: a person wants it stopped, or takes care of it alone."""

    id: str
    agent: str
    nodes: Tuple[str, ...]
    role: str
    pending: str
    failed: bool
    disabled: bool = False

    @property
    def active(self) -> bool:
        """Does it run, in whatever role?"""
        return self.role != "Stopped"


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
        """started, starting, stopping, stopped, failed or disabled (what is missing is so by a person's wish).

        A clone or bundle counts as started when it runs anywhere and nothing is under way.
        """
        active = [resource for resource in self.resources if resource.active]
        # One of a group that failed to start leaves those before it running.
        whole = bool(active) if self.kind in SPREAD else len(active) == len(self.resources)
        if any(resource.failed and (resource.active or not resource.disabled) for resource in self.resources):
            return "failed"
        if any(resource.role == "Stopping" or resource.pending == "Stopping" for resource in self.resources):
            return "stopping"
        if any(resource.role == "Starting" or resource.pending for resource in self.resources if resource.pending != "Monitoring"):
            return "starting"
        if not whole and self._missing_by_wish():
            return "disabled"
        if not whole and self.failures:
            return "failed"
        if not active:
            return "stopped"
        return "started" if whole else "starting"

    def _missing_by_wish(self) -> bool:
        """Is all that does not run disabled, or behind such a one in a group?"""
        missing = [resource for resource in self.resources if not resource.active]
        if self.kind == "group":
            return missing[0].disabled
        return bool(missing) and all(resource.disabled for resource in missing)


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
    conf: Optional[corosync_conf.Conf] = None
    """The file of the member that was asked."""
    loaded: Optional[Loaded] = None
    """What of that file its Corosync has taken over; None where it did not tell."""
    cib: Optional[ET.Element] = field(default=None, repr=False, compare=False)
    """Pacemaker's configuration and state as that member has it; it may hold secrets."""
    simulated: Mapping[str, Effects] = field(default_factory=dict)
    """Node -> what Pacemaker would do if that one had to be empty, of the nodes for which it was asked."""

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
        return [service.name for service in self.services if service.kind not in SPREAD and node in service.nodes]


def parse(parts: Dict[str, Tuple[int, str]]) -> Status:
    """Read the sections of one observation (see membership_scripts.OBSERVE). Raises StatusError."""

    def text(name: str) -> str:
        return parts[name][1] if name in parts else ""

    cib = _xml(parts, "cib")
    monitor = _xml(parts, "monitor")
    votes = parse_votes(text("votes"))
    try:
        conf = corosync_conf.parse(_answer(parts, "conf"))
        members = _members(conf, cib, monitor, votes)
    except corosync_conf.ConfError as error:
        raise StatusError("corosync.conf cannot be read: %s" % error) from error
    dc = monitor.find("summary/current_dc")
    failures = failures_of(monitor)
    return Status(
        cluster=conf.cluster,
        quorate=dc is not None and dc.get("with_quorum") == "true",
        dc=dc.get("name") if dc is not None and dc.get("present") == "true" else None,
        idle="S_IDLE" in text("dc"),
        votes=votes,
        members=members,
        services=tuple(_services(monitor, failures)),
        failures=failures,
        constraints=tuple(item.get("id", "") for item in cib.findall("configuration/constraints/*")),
        conf=conf,
        loaded=loaded(*parts.get("loaded", (1, ""))),
        cib=cib,
    )


def parse_votes(text: str) -> Votes:
    """Read `corosync-quorumtool -s`. StatusError where it does not tell the three numbers that every release tells."""

    def number(label: str) -> int:
        found = re.search(r"^%s:\s+(\d+)" % label, text, re.MULTILINE)
        if found is None:
            raise StatusError("votes: corosync-quorumtool told no %r; see what `corosync-quorumtool -s` prints on the node" % label)
        return int(found.group(1))

    flags = re.search(r"^Flags:\s+(.*)$", text, re.MULTILINE)
    # In the table of members the id may be written in hexadecimal by older releases.
    table = re.findall(r"^\s*(0x[0-9a-f]+|\d+)\s+(\d+)\s+\S", text.split("Membership information")[-1], re.MULTILINE)
    rows = [(int(one, 16 if one.startswith("0x") else 10), int(votes)) for one, votes in table]
    return Votes(
        expected=number("Expected votes"),
        total=number("Total votes"),
        needed=number("Quorum"),
        present=tuple(one for one, _votes in rows if one != DEVICE_ID),
        two_node="2Node" in (flags.group(1).split() if flags else []),
        weights=tuple((one, votes) for one, votes in rows if one != DEVICE_ID and votes != 1),
        device=sum(votes for one, votes in rows if one == DEVICE_ID),
    )


def _answer(parts: Dict[str, Tuple[int, str]], name: str) -> str:
    if name not in parts:
        raise StatusError("%s: nothing was printed" % name)
    rc, text = parts[name]
    if rc != 0:
        raise StatusError("%s: %s" % (name, text.strip() or "code %d" % rc))
    return text


def _xml(parts: Dict[str, Tuple[int, str]], name: str) -> ET.Element:
    text = _answer(parts, name)
    try:
        return xml_root(text, ROOTS[name])
    except ValueError as error:
        raise StatusError("%s: %s" % (name, error)) from error


def _members(conf: corosync_conf.Conf, cib: ET.Element, monitor: ET.Element, votes: Votes) -> Tuple[Member, ...]:
    seen = {node.get("name", ""): node for node in monitor.findall("nodes/node") if node.get("type", "member") == "member"}
    known = _known(cib, seen, {node.name for node in conf.nodes})
    # An entry without a name is known by its number: Pacemaker has the name from the node itself.
    names = {number: name for name, number in known.items()}
    listed = {names.get(node.id, node.name) if node.name == node.address else node.name: node for node in conf.nodes}
    hosts = hosts_of(cib)
    joiner = corosync_conf.joiner(conf)
    marked = {item.get("uname") for item in cib.findall("configuration/nodes/node") if _marked(item)}
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
                joining=said.get("online") == "true" and name == joiner and name not in marked,
                host=hosts.get(name),
            )
        )
    return tuple(members)


def _known(cib: ET.Element, seen: Mapping[str, ET.Element], listed: Container[str]) -> Dict[str, int]:
    """The members' numbers by the CIB. Who has a text for one is no member of Corosync: a remote node, or left from other times."""
    known = {}
    for item in cib.findall("configuration/nodes/node"):
        name, number = item.get("uname", ""), item.get("id", "")
        if item.get("type", "member") != "member":
            continue
        if number.isascii() and number.isdigit():
            known[name] = int(number)
        elif name not in listed and name in seen and seen[name].get("online") == "true":
            raise StatusError("cib: %s is online and its id is %r, which is no number of Corosync's" % (name, number))
    return known


def _marked(node: ET.Element) -> bool:
    return any(item.get("name") == "standby" and item.get("id", "").startswith(marks.LEAVING) for item in node.iter("nvpair"))


def idle_by_wish(said: str) -> Set[str]:
    """In what crm_mon printed: ids of the resources that don't run because a person disabled them, or what they stand behind."""
    services = _services(xml_root(said, ROOTS["monitor"]), ())
    return {one.id.split(":")[0] for service in services if service.state == "disabled" for one in service.resources if not one.active}


def _services(monitor: ET.Element, failures: Tuple[Dict[str, Any], ...]) -> List[Service]:
    options = monitor.find("summary/cluster_options")
    all_stopped = options is not None and options.get("stop-all-resources") == "true"
    services = []
    for item in monitor.findall("resources/*"):
        if item.tag in KINDS or (item.tag == "resource" and not item.get("resource_agent", "").startswith("stonith:")):
            wished = all_stopped or item.get("disabled") == "true"
            # A bundle's replica makes a guest node, which is on the node of its connection.
            guests = {one.get("id", ""): _nodes(one) for one in item.iter("resource")} if item.tag == "bundle" else {}
            resources = tuple(_resource(one, wished, guests) for one in item.iter("resource"))
            failed = sum(1 for failure in failures if failure["resource"] in [resource.id for resource in resources])
            services.append(Service(item.get("id", ""), item.tag if item.tag in KINDS else "primitive", resources, failed))
    return services


def _nodes(item: ET.Element) -> Tuple[str, ...]:
    return tuple(node.get("name", "") for node in item.findall("node"))


def _resource(item: ET.Element, wished: bool, places: Mapping[str, Tuple[str, ...]]) -> Resource:
    """wished: a person stopped all that it belongs to; places: guest nodes, and the nodes that carry them."""
    role = item.get("role", "Stopped")
    unwanted = wished or item.get("target_role", "").lower() == "stopped"
    return Resource(
        id=item.get("id", ""),
        agent=item.get("resource_agent", "").replace("::", ":"),
        nodes=tuple(place for node in _nodes(item) for place in places.get(node, (node,))),
        role=role,
        pending=item.get("pending", ""),
        failed=item.get("failed") == "true",
        # What nobody manages is left as it is, so one that is stopped stays so; one that runs is told by its role.
        disabled=unwanted or (item.get("managed") == "false" and role == "Stopped"),
    )


def failures_of(monitor: ET.Element) -> Tuple[Dict[str, Any], ...]:
    """Every failed operation that crm_mon tells, as failure_of has it."""
    return tuple(failure_of(item) for item in monitor.findall("failures/failure"))


def failure_of(item: ET.Element) -> Dict[str, Any]:
    """A <failure>: resource, node, operation, rc (None: it is no number) and because."""
    found = OPERATION_KEY.match(item.get("op_key", ""))
    resource, operation = found.groups() if found else (item.get("id", ""), item.get("task", ""))
    code = item.get("exitcode", "")
    return {
        "resource": resource,
        "node": item.get("node", ""),
        "operation": operation,
        "rc": int(code) if code.isdigit() else None,
        "because": item.get("exitreason") or item.get("exitstatus") or item.get("status") or "no reason was given",
    }
