# Copyright: (c) 2026, the ondemand.cluster contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a CIB has beside resources and constraints: alerts, and what is written down for nodes. Pure.

Attributes and capacities of nodes stand in sets of our own, which are ours whole; what others wrote for a node stands in theirs.
"""

from __future__ import annotations

import typing as t
from xml.etree import ElementTree

from . import marks
from .cib import section
from .cib_build import bring_meta, bring_values
from .cib_spec import Problem, problem

# Field of the data -> tag of the set. The ids of our sets begin so; the node's name follows.
NODE_SETS = (("attributes", "instance_attributes", marks.OURS + "node-"), ("utilization", "utilization", marks.OURS + "capacity-"))


def bring_nodes(cib: ElementTree.Element, config: t.Mapping[str, t.Any], whole: bool) -> t.List[Problem]:
    """Bring what is stated for nodes; a node that isn't there yet gets its own when it is. whole: sets of ours that aren't stated go."""
    stated = {one["name"]: (i, one) for i, one in enumerate(config.get("nodes") or [])}
    problems = []
    for node in section(cib, "nodes").findall("node"):
        i, wanted = stated.get(node.get("uname", ""), (-1, {}))
        for field, tag, prefix in NODE_SETS:
            values = wanted.get(field) or {}
            own = [e for e in node.findall(tag) if e.get("id", "").startswith(prefix)]
            others = {pair.get("name", "") for e in node.findall(tag) if e not in own for pair in e.findall("nvpair")}
            taken = sorted(others & set(values))
            if taken:
                what = "%s of %s is set by somebody else" % (", ".join(taken), node.get("uname"))
                problems.append(problem("config.nodes[%d].%s" % (i, field), what, "left out, or deleted there first"))
            elif values or (whole and own):
                _own_set(node, tag, prefix + node.get("uname", ""), values)
    return problems


def bring_hosts(cib: ElementTree.Element, hosts: t.Mapping[str, str]) -> None:
    """Write down which host carries each of these nodes. What is written of others stays: only so is it known where one was whose host is gone."""
    for node in section(cib, "nodes").findall("node"):
        name = node.get("uname", "")
        if name in hosts:
            _own_set(node, "instance_attributes", "%s-%s" % (marks.HOST, name), {marks.HOST: hosts[name]})


def hosts_of(cib: ElementTree.Element) -> t.Dict[str, str]:
    """Node -> the host that carried its VM when it was last written down; those of which it is."""
    pairs = [(node, pair) for node in cib.iterfind("configuration/nodes/node") for pair in node.iterfind("instance_attributes/nvpair")]
    return {node.get("uname", ""): pair.get("value", "") for node, pair in pairs if pair.get("name") == marks.HOST}


def _own_set(node: ElementTree.Element, tag: str, set_id: str, values: t.Mapping[str, t.Any]) -> None:
    """A set of our own with exactly these values; none where there are none."""
    own = next((e for e in node.findall(tag) if e.get("id") == set_id), None)
    if own is None:
        own = ElementTree.SubElement(node, tag, {"id": set_id})
    holder = ElementTree.Element("node")
    holder.append(own)
    bring_values(holder, tag, set_id, values, whole=True)
    if not len(own):
        node.remove(own)


def alerts_left(cib: ElementTree.Element, config: t.Mapping[str, t.Any]) -> t.List[str]:
    """Ids of the alerts of ours that are not named."""
    named = [one["id"] for one in config.get("alerts") or []]
    ours = [
        e for e in cib.iterfind("configuration/alerts/alert") if e.find("meta_attributes/nvpair[@name='%s']" % marks.SERVICE) is not None
    ]
    return [e.get("id", "") for e in ours if e.get("id") not in named]


def bring_alerts(cib: ElementTree.Element, config: t.Mapping[str, t.Any], gone: t.Container[str]) -> None:
    """Bring the named alerts, each with exactly its recipients, and take out those that are to go."""
    wanted = config.get("alerts") or []
    if not wanted and cib.find("configuration/alerts/alert") is None:
        return
    alerts = section(cib, "alerts")
    for present in [e for e in alerts.findall("alert") if e.get("id") in gone]:
        alerts.remove(present)
    for one in wanted:
        element = next((e for e in alerts.findall("alert") if e.get("id") == one["id"]), None)
        if element is None:
            element = ElementTree.SubElement(alerts, "alert", {"id": one["id"]})
        element.set("path", one["path"])
        bring_values(element, "instance_attributes", one["id"] + "-instance_attributes", one.get("options") or {}, whole=True)
        bring_meta(element, one["id"] + "-meta_attributes", one.get("meta"))
        _recipients(element, one.get("recipients") or [])


def _recipients(alert: ElementTree.Element, wanted: t.Sequence[t.Mapping[str, t.Any]]) -> None:
    there = {e.get("id"): e for e in alert.findall("recipient")}
    for element in there.values():
        alert.remove(element)
    for one in wanted:
        recipient = there[one["id"]] if one["id"] in there else ElementTree.Element("recipient", {"id": one["id"]})
        recipient.set("value", one["value"])
        alert.append(recipient)


def extras_shown(cib: ElementTree.Element, alerts: t.Container[str]) -> t.List[ElementTree.Element]:
    """What of these people are shown: the alerts of these ids, and our sets of nodes."""
    sets = [e for node in cib.iterfind("configuration/nodes/node") for e in node if e.get("id", "").startswith(marks.OURS)]
    prefixes = (*(prefix for _field, _tag, prefix in NODE_SETS), marks.HOST)
    ours = [e for e in sets if e.get("id", "").startswith(prefixes)]
    return [e for e in cib.iterfind("configuration/alerts/alert") if e.get("id") in alerts] + ours
