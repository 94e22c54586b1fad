# Copyright: (c) 2026, the ondemand.cluster contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of a CIB is ours and is wanted no longer, and what has to be stopped before the configuration may change. Pure.

What we made carries our mark (a meta attribute), whatever it is called; a constraint of ours is known by its id. A resource is taken out
only when it has stopped: one that is deleted while it runs is stopped in no order, its disk before its application. So is one that holds
what another one is about to get (an address, a file system): for a moment both would have it. Our stops carry a mark too, so that a run
that was killed in between is told from a person who disabled something.
"""

from __future__ import annotations

import dataclasses
import typing as t
from xml.etree import ElementTree

from . import marks
from .cib import RESOURCE_TAGS, parents, resources_by_id, section
from .cib_spec import clone_id, value_text

ROLE = "target-role"
# What only one resource can have at a time: agent -> options.
EXCLUSIVE = {"ocf:heartbeat:IPaddr2": ("ip",), "ocf:heartbeat:IPaddr": ("ip",), "ocf:heartbeat:Filesystem": ("device", "directory")}


@dataclasses.dataclass(frozen=True)
class Leftovers:
    """What is ours and wanted no longer, outermost ids first: resources of a kind (id -> tag), and constraints."""

    resources: t.Mapping[str, str]
    constraints: t.Tuple[str, ...]


def meta_pairs(element: ElementTree.Element, name: str) -> t.List[ElementTree.Element]:
    """The nvpairs of this name among an element's own meta attributes."""
    return [pair for pair in element.iterfind("meta_attributes/nvpair") if pair.get("name") == name]


def named(config: t.Mapping[str, t.Any]) -> t.Dict[str, str]:
    """The resources that a configuration names: id -> tag."""
    found = {one["id"]: "primitive" for one in config.get("resources") or []}
    found.update({one["id"]: "group" for one in config.get("groups") or []})
    found.update({clone_id(one): "clone" for one in config.get("clones") or []})
    return found


def leftovers(cib: ElementTree.Element, config: t.Mapping[str, t.Any]) -> Leftovers:
    """What carries our mark and is not named, or not as what it is; and constraints of ours that are not named, or name what goes."""
    wanted = named(config)
    gone = {
        one: element.tag
        for one, element in resources_by_id(cib).items()
        if meta_pairs(element, marks.SERVICE) and wanted.get(one) != ("clone" if element.tag == "master" else element.tag)
    }
    stated = {one["id"] for items in (config.get("constraints") or {}).values() for one in items or []}
    constraints = [one for one in section(cib, "constraints") if one.get("id", "").startswith(marks.OURS) and one.get("id") not in stated]
    # A wish of a move ends by itself, unless its service goes.
    ended = [one for one in constraints if not one.get("id", "").startswith(marks.MOVE) or one.get("rsc") not in wanted]
    return Leftovers(gone, tuple(one.get("id", "") for one in ended))


def contested(cib: ElementTree.Element, config: t.Mapping[str, t.Any]) -> t.List[str]:
    """Ids of named resources that hold what another named one is to have, and are to hold something else."""
    present = {one: _exclusive_of(element) for one, element in resources_by_id(cib).items() if element.tag == "primitive"}
    wanted = {
        one["id"]: {(one["agent"], name, value_text((one.get("options") or {}).get(name, ""))) for name in EXCLUSIVE.get(one["agent"], ())}
        for one in config.get("resources") or []
    }
    claimed = {(holder, thing) for holder, things in wanted.items() for thing in things if thing[2]}
    return [
        one
        for one in wanted
        for thing in present.get(one, ())
        if thing not in wanted[one] and any(other == thing and holder != one for holder, other in claimed)
    ]


def uncloned(cib: ElementTree.Element, wanted: ElementTree.Element) -> t.List[str]:
    """Ids of primitives that run on every node as part of a clone, and are to be part of none or of another one: at once they would run too often."""
    now, then = _clones(cib), _clones(wanted)
    return [one for one, clone in now.items() if one in then and clone is not None and then[one] != clone]


def _clones(cib: ElementTree.Element) -> t.Dict[str, t.Optional[str]]:
    """The clone that each primitive is in."""
    found: t.Dict[str, t.Optional[str]] = {e.get("id", ""): None for e in section(cib, "resources").iter("primitive")}
    for clone in [e for e in section(cib, "resources").iter() if e.tag in ("clone", "master")]:
        found.update({e.get("id", ""): clone.get("id") for e in clone.iter("primitive")})
    return found


def _exclusive_of(primitive: ElementTree.Element) -> t.Set[t.Tuple[str, str, str]]:
    agent = ":".join(filter(None, (primitive.get("class"), primitive.get("provider"), primitive.get("type"))))
    pairs = primitive.findall("instance_attributes/nvpair")
    return {(agent, str(pair.get("name")), pair.get("value", "")) for pair in pairs if pair.get("name") in EXCLUSIVE.get(agent, ())}


def to_stop(cib: ElementTree.Element, ids: t.Collection[str]) -> t.List[ElementTree.Element]:
    """Of these resources, those that no other one of them holds: what holds another one stops it too, in the right order."""
    resources, above = resources_by_id(cib), parents(cib)
    chosen = [resources[one] for one in ids if one in resources]

    def is_held(element: ElementTree.Element | None) -> bool:
        element = above.get(element) if element is not None else None
        return element is not None and (element in chosen or is_held(element))

    return [element for element in chosen if not is_held(element)]


def primitives_in(elements: t.Iterable[ElementTree.Element]) -> t.Tuple[str, ...]:
    """Ids of the primitives that these elements are or hold."""
    return tuple(sorted({inner.get("id", "") for element in elements for inner in element.iter("primitive")}))


def stop(element: ElementTree.Element) -> bool:
    """Have Pacemaker stop a resource; False where it is told so already, by us or by a person."""
    pairs = meta_pairs(element, ROLE)
    if pairs and all(pair.get("value", "").lower() == "stopped" for pair in pairs):
        return False
    one = element.get("id", "")
    for pair in pairs:
        _drop(element, pair)
    own = element.find("meta_attributes")
    if own is None:
        own = ElementTree.Element("meta_attributes", {"id": one + "-meta_attributes"})
        inner = (*RESOURCE_TAGS, "operations", "utilization")
        element.insert(next((i for i, e in enumerate(element) if e.tag in inner), len(element)), own)
    ElementTree.SubElement(own, "nvpair", {"id": marks.STOPPED + one, "name": ROLE, "value": "Stopped"})
    return True


def forget_stops(cib: ElementTree.Element) -> None:
    """Take our stops back, wherever a run was killed before it did."""
    for element in resources_by_id(cib).values():
        for pair in meta_pairs(element, ROLE):
            if pair.get("id", "").startswith(marks.STOPPED):
                _drop(element, pair)


def forget_unstated(element: ElementTree.Element, meta: t.Mapping[str, t.Any]) -> None:
    """Take out of an element's meta attributes those that were stated once and are not in meta any more; others may be a person's."""
    stated = [name for pair in meta_pairs(element, marks.STATED) for name in pair.get("value", "").split()]
    for name in [*stated, marks.STATED]:
        for pair in meta_pairs(element, name) if name not in meta else ():
            _drop(element, pair)


def stated_values(values: t.Mapping[str, t.Mapping[str, t.Any]]) -> t.Dict[str, str]:
    """The property that lists which names of each set a cluster file states (SET:NAME ...), so that a later whole knows what it states no longer."""
    names = sorted("%s:%s" % (kind, name) for kind, given in values.items() for name in given if name != marks.STATED)
    return {marks.STATED: " ".join(names)} if names else {}


def unstated_values(cib: ElementTree.Element, config: t.Mapping[str, t.Any]) -> t.Dict[str, t.List[str]]:
    """Set of values -> the names that were stated once and are not any more; the list itself among them, where nothing is stated."""
    before = _stated_before(cib)
    listed = [("properties", marks.STATED)] if before else []
    listed += [(kind, name) for kind, _colon, name in [one.partition(":") for one in before]]
    found: t.Dict[str, t.List[str]] = {}
    for kind, name in listed:
        if name not in (config.get(kind) or {}):
            found.setdefault(kind, []).append(name)
    return found


def with_stated_before(cib: ElementTree.Element, config: t.Mapping[str, t.Any]) -> t.Mapping[str, t.Any]:
    """The configuration, where it lists what is stated with what was listed before: a merge takes nothing away, so a later whole still has to know."""
    values = config.get("properties") or {}
    if marks.STATED not in values:
        return config
    listed = " ".join(sorted({*_stated_before(cib), *str(values[marks.STATED]).split()}))
    return {**config, "properties": {**values, marks.STATED: listed}}


def _stated_before(cib: ElementTree.Element) -> t.List[str]:
    pairs = cib.iterfind("configuration/crm_config/cluster_property_set/nvpair")
    return [one for pair in pairs if pair.get("name") == marks.STATED for one in pair.get("value", "").split()]


def _drop(element: ElementTree.Element, pair: ElementTree.Element) -> None:
    holder = next(one for one in element.iterfind("meta_attributes") if pair in list(one))
    holder.remove(pair)
    if not len(holder):
        element.remove(holder)
