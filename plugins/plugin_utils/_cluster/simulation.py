# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors

"""Would what runs now still run? Pacemaker's own scheduler is asked, with the step carried out in a copy of the live CIB. Pure.

No rule of ours is a second scheduler: bans, colocations, site rules, utilization, opt-in clusters, maintenance, whatever the CIB says is
weighed by the one who will weigh it afterwards.
"""

from __future__ import annotations

import copy
import re
import xml.etree.ElementTree as ET
from dataclasses import dataclass, field, replace
from typing import Callable, Dict, List, Mapping, Sequence, Set, Tuple

from . import renamed
from .cib import CibError, xml_root
from .node_scripts import script

ROOT = "pacemaker-result"
# How a node's count of failures, and the time of the last one, are called among its attributes; the operation stands behind #.
FAILURE_NAME = re.compile(r"(?:fail-count|last-failure)-([^#]+)(?:#.*)?\Z")

SIMULATE = script("simulate")
SCHEMA = re.compile(r"pacemaker-(\d+)\.(\d+)\Z")
COMMON_SCHEMA = (3, 9)
"""the latest one that the releases in use have: that of Debian 12"""


def question(cib: ET.Element) -> str:
    """What SIMULATE reads of a CIB that may be of a later release than the scheduler that is asked (see renamed.py)."""
    asked = renamed.for_any_scheduler(cib)
    # One of an earlier release aborts where the feature set is above its own, and has no later schema; later ones mostly take things away.
    asked.attrib.pop("crm_feature_set", None)
    schema = SCHEMA.match(asked.get("validate-with", ""))
    if schema and (int(schema.group(1)), int(schema.group(2))) > COMMON_SCHEMA:
        asked.set("validate-with", "pacemaker-%d.%d" % COMMON_SCHEMA)
    return ET.tostring(asked, encoding="unicode")


@dataclass(frozen=True)
class Effects:
    """What a step does to the resources that run now, apart from what it is for.

    stops: those that would run nowhere; demoted: those that have a promoted copy and would have none;
    stays: those that would stay on the node that is to become empty, and whether somebody manages them;
    places: where each one that runs would be afterwards. moves: where each one that goes elsewhere is before and afterwards.
    unknown: why Pacemaker did not tell, empty where it did.
    """

    stops: Tuple[str, ...] = ()
    demoted: Tuple[str, ...] = ()
    stays: Tuple[Tuple[str, bool], ...] = ()
    places: Mapping[str, Tuple[str, ...]] = field(default_factory=dict)
    moves: Mapping[str, Tuple[Tuple[str, ...], Tuple[str, ...]]] = field(default_factory=dict)
    unknown: str = ""


def with_standby(cib: ET.Element, node: str) -> ET.Element:
    """A copy of the CIB in which the node is in standby. CibError where it has no such node."""
    changed = copy.deepcopy(cib)
    found = [item for item in changed.iterfind("configuration/nodes/node") if item.get("uname") == node]
    if not found:
        raise CibError("its CIB has no node %s" % node)
    # Among several sets of attributes the first is the one that Pacemaker reads, so this one stands first.
    attributes = ET.Element("instance_attributes", {"id": "ondemand-what-if"})
    ET.SubElement(attributes, "nvpair", {"id": "ondemand-what-if-standby", "name": "standby", "value": "on"})
    for pair in [pair for held in found[0].iterfind("instance_attributes") for pair in held.iterfind("nvpair[@name='standby']")]:
        pair.set("value", "on")
    found[0].insert(0, attributes)
    return changed


def with_node(cib: ET.Element, name: str) -> ET.Element:
    """A copy of the CIB with one more member, online, on which nothing runs yet; unchanged where it is one."""
    changed = copy.deepcopy(cib)
    nodes, states = changed.find("configuration/nodes"), changed.find("status")
    if nodes is None or states is None:
        raise CibError("the CIB has no <%s>" % ("nodes" if nodes is None else "status"))
    if all(item.get("uname") != name for item in nodes):
        taken = [int(item.get("id", "0")) for item in nodes if item.get("id", "").isdigit()]
        number = str(max(taken, default=0) + 1)
        ET.SubElement(nodes, "node", {"id": number, "uname": name})
        there = {"in_ccm": "true", "crmd": "online", "join": "member", "expected": "member"}
        state = ET.SubElement(states, "node_state", {"id": number, "uname": name, **there})
        ET.SubElement(ET.SubElement(state, "lrm", {"id": number}), "lrm_resources")
    return changed


def without_node(cib: ET.Element, name: str, quorate: bool) -> ET.Element:
    """A copy of the CIB in which the node is lost, without a word; quorate: whether the others have quorum then."""
    changed = copy.deepcopy(cib)
    changed.set("have-quorum", "1" if quorate else "0")
    for state in changed.iterfind("status/node_state"):
        if state.get("uname") == name:
            state.attrib.update({"in_ccm": "false", "crmd": "offline", "join": "down"})
    return changed


def without_failures(cib: ET.Element, resources: Sequence[str], node: str) -> ET.Element:
    """A copy of the CIB in which the node has forgotten what it ever did with these resources, as after `crm_resource --cleanup`."""
    changed = copy.deepcopy(cib)
    for state in changed.iterfind("status/node_state"):
        if state.get("uname") != node:
            continue
        for holder in [held for held in state.iter() if held.tag in ("instance_attributes", "lrm_resources")]:
            for item in [item for item in holder if _is_history_of(item, resources)]:
                holder.remove(item)
    return changed


def _is_history_of(item: ET.Element, resources: Sequence[str]) -> bool:
    if item.tag == "lrm_resource":
        return item.get("id") in resources
    about = FAILURE_NAME.match(item.get("name", ""))
    return about is not None and about.group(1) in resources


def with_constraint(cib: ET.Element, text: str) -> ET.Element:
    """A copy of the CIB with this constraint, in the place of an older one of the same id."""
    changed = copy.deepcopy(cib)
    constraints = changed.find("configuration/constraints")
    if constraints is None:
        raise CibError("the CIB has no <constraints>")
    wish = ET.fromstring(text)
    for older in [item for item in constraints if item.get("id") == wish.get("id")]:
        constraints.remove(older)
    constraints.append(wish)
    return changed


def effects(said: str, emptied: str = "", earlier: str = "") -> Effects:
    """Read what SIMULATE printed. emptied: the node that is to carry nothing afterwards. CibError where the text is no answer.

    earlier: what it printed of the CIB as it is, for a step after which the CIB no longer tells what runs (a loss).
    """
    before, after = _told(earlier or said, "cluster_status"), _told(said, "revised_cluster_status")
    now, then = _running(before), _running(after)
    wished = _unwanted(before)
    # Of a loss: who is demoted without it too is not demoted by it.
    promoted = _promoted(before) & (_promoted(_told(earlier, "revised_cluster_status")) if earlier else _promoted(before))
    stays = sorted({(name, managed) for name, places in then.items() for node, managed in places if node == emptied})
    places, was = _places(then), _places(now)
    return Effects(
        stops=tuple(sorted(name for name in now if name not in then and name not in wished)),
        demoted=tuple(sorted(name for name in promoted - _promoted(after) if name in then and name not in wished)),
        stays=tuple(stays) if emptied else (),
        places=places,
        moves={name: (nodes, places[name]) for name, nodes in was.items() if places.get(name, nodes) != nodes},
    )


def emptying(cib: ET.Element, node: str, ask: Callable[[ET.Element], str]) -> Effects:
    """What becomes of the resources if the node is to be empty; ask: a CIB in, what SIMULATE prints of it out. CibError as effects()."""
    return _caused(effects(ask(with_standby(cib, node)), node), cib, ask, lambda name, before: node not in before)


def moving(cib: ET.Element, wish: str, resources: Sequence[str], node: str, ask: Callable[[ET.Element], str]) -> Effects:
    """What becomes of the resources if these go to the node by a wish, a constraint; ask as in emptying()."""
    return _caused(effects(ask(with_move(cib, wish, resources, node))), cib, ask, lambda name, _before: name not in resources)


def _caused(found: Effects, cib: ET.Element, ask: Callable[[ET.Element], str], other: Callable[[str, Sequence[str]], bool]) -> Effects:
    """The effects without what Pacemaker is about to do anyway, and without what only starts somewhere more (copies of a clone).

    other: whether the step is not about this resource. Pacemaker is asked again only where the step seems to do something to such a one.
    """
    moves = {name: (before, after) for name, (before, after) in found.moves.items() if not other(name, before) or set(before) - set(after)}
    if not found.demoted and not any(other(name, before) for name, (before, _after) in moves.items()):
        return replace(found, moves=moves)
    usual = effects(ask(cib))
    return replace(
        found,
        moves={name: way for name, way in moves.items() if usual.moves.get(name) != way},
        demoted=tuple(name for name in found.demoted if name not in usual.demoted),
    )


def _told(said: str, part: str) -> ET.Element:
    """A part of what SIMULATE printed."""
    root = xml_root(said, ROOT)
    if root.tag != ROOT:
        raise CibError("<%s> is not a document of crm_simulate" % root.tag)
    found = root.find(part)
    if found is None:
        status = root.find("status")
        raise CibError("crm_simulate told no outcome: %s" % (status.get("message", "no reason") if status is not None else "no reason"))
    return found


def _resources(status: ET.Element) -> List[Tuple[str, ET.Element]]:
    """Every resource with the name it counts under: copies of a clone are one, and so are the containers of a bundle with all they have."""
    bundles = {item: bundle.get("id", "") for bundle in status.iter("bundle") for item in bundle.iter("resource")}
    return [(bundles.get(item) or item.get("id", "").split(":")[0], item) for item in status.iter("resource")]


def _promoted(status: ET.Element) -> Set[str]:
    """Resources of which a copy is promoted; Pacemaker 2.0 calls it master."""
    return {name for name, item in _resources(status) if item.get("active") == "true" and item.get("role") in ("Promoted", "Master")}


def _places(running: Mapping[str, Sequence[Tuple[str, bool]]]) -> Dict[str, Tuple[str, ...]]:
    return {name: tuple(sorted({node for node, _managed in places})) for name, places in running.items()}


def _running(status: ET.Element) -> Dict[str, List[Tuple[str, bool]]]:
    """Resource -> the nodes on which any of it is active, and whether it is managed."""
    found: Dict[str, List[Tuple[str, bool]]] = {}
    for name, item in _resources(status):
        if item.get("active") == "true":
            places = [(node.get("name", ""), item.get("managed") != "false") for node in item.findall("node")]
            found.setdefault(name, []).extend(places)
    return {name: places for name, places in found.items() if places}


def _unwanted(status: ET.Element) -> Set[str]:
    """Resources that a person wants stopped, or that nothing configures any more: that they stop is no harm of the step.

    Of a clone single copies are called orphaned, those beyond its most: what nodes remember of them says nothing of the others.
    """
    items = _resources(status)
    configured = {name for name, item in items if item.get("orphaned") != "true"}
    return {name for name, item in items if name not in configured or item.get("target_role", "").lower() == "stopped"}


def with_move(cib: ET.Element, wish: str, resources: Sequence[str], node: str) -> ET.Element:
    """A copy of the CIB as a move leaves it: the wish in it, and old failures of the resources on the node forgotten."""
    return with_constraint(without_failures(cib, resources, node), wish)


def why_not_there(found: Effects, resources: Sequence[str], node: str) -> str:
    """Why Pacemaker would not have all of the resources on the node and everything else still running, as a clause; empty where it would."""
    elsewhere = [name for name in resources if found.places.get(name, ()) != (node,)]
    if elsewhere:
        return "Pacemaker would not run %s there (see the constraints, and what is in maintenance)" % ", ".join(elsewhere)
    harmed = [name for name in found.stops if name not in resources]
    if harmed:
        return "%s would run nowhere then" % ", ".join(harmed)
    if found.demoted:
        return "no copy of %s would be promoted then" % ", ".join(found.demoted)
    # What goes the same way is what the constraints tie to it.
    ways = [found.moves.get(name) for name in resources]
    others = [name for name, way in found.moves.items() if name not in resources and way not in ways]
    return "%s too (see the constraints)" % moved(found, others) if others else ""


def moved(found: Effects, names: Sequence[str]) -> str:
    """Where these resources would go, as a clause."""
    ways = [(name, *found.moves[name]) for name in sorted(names)]
    return ", ".join("%s would go from %s to %s" % (name, " and ".join(before), " and ".join(after)) for name, before, after in ways)
