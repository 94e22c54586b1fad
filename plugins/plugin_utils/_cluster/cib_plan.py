# Copyright: (c) 2026, the ondemand.cluster contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a CIB and a wanted configuration to the wanted CIB beside it, with the text of what is ours before and after. Pure."""

from __future__ import annotations

import copy
import dataclasses
import re
import typing as t
from xml.etree import ElementTree

from . import marks, renamed
from .cib import (
    RESOURCE_TAGS,
    changed_secrets,
    is_true,
    parents,
    resources_by_id,
    same,
    section,
    serialise,
    to_text,
    version_of,
    without_status,
)
from .cib_build import (
    CONSTRAINTS,
    bring_clone,
    bring_constraint,
    bring_meta,
    bring_primitive,
    bring_unset,
    bring_values,
    build_constraint,
    drop_values,
)
from .cib_effect import Awaited, bring_first, changed_values, overruled
from .cib_extras import alerts_left, bring_alerts, bring_hosts, bring_nodes, extras_shown
from .cib_refs import dangling, paths_of, settle_ids
from .cib_sets import DEFAULTS, PROPERTIES, foreign
from .cib_spec import Problem, clone_id, problem
from .cib_whole import (
    Leftovers,
    contested,
    forget_stops,
    leftovers,
    named,
    primitives_in,
    stop,
    to_stop,
    uncloned,
    unstated_values,
    with_stated_before,
)

FENCING_NAME = re.compile(r"(^|[-_])(stonith|fence|fencing)([-_]|$)")
# Pacemaker writes these properties itself; replacing a configuration leaves them.
PACEMAKERS_OWN = ("cluster-infrastructure", "cluster-name", "dc-version", "have-watchdog", "last-lrm-refresh")


@dataclasses.dataclass(frozen=True)
class CibPlan:
    """What to do with the CIB: original and wanted document (both without status), what people see of it, and all problems.

    halts are the primitives that must have stopped before the wanted document may be put in place; halting is the document that has
    Pacemaker stop them, None where it is told to do so already. unstated are properties and defaults that were stated once and go.
    awaited are values that change, to be seen afterwards; warnings tell where a stated default does not count.
    """

    version: str
    original: str
    wanted: str
    before: str
    after: str
    changed: bool
    owned: t.Tuple[str, ...]
    problems: t.Tuple[Problem, ...] = ()
    halts: t.Tuple[str, ...] = ()
    halting: t.Optional[str] = None
    unstated: t.Tuple[str, ...] = ()
    awaited: t.Tuple[Awaited, ...] = ()
    warnings: t.Tuple[str, ...] = ()


class _Resources:
    """The resources section while it is brought to what is wanted."""

    def __init__(self, cib: ElementTree.Element, whole: t.Container[str] | None) -> None:
        """whole: ids of all that is named or goes, where that is all that is ours; what else is in a group is somebody else's and stays there."""
        self.root = section(cib, "resources")
        self.whole = whole
        self.cib = cib
        self.unplaced: t.Dict[str, ElementTree.Element] = {}
        # Who was taken out of its group -> the path that says who is in it now.
        self.left: t.Dict[str, str] = {}
        self.problems: t.List[Problem] = []

    def find(self, one: str) -> ElementTree.Element | None:
        return self.unplaced.get(one) if one in self.unplaced else resources_by_id(self.cib).get(one)

    def take(self, one: str, path: str, tags: t.Sequence[str]) -> ElementTree.Element | None:
        """Take a resource out of where it is."""
        element = self.find(one)
        if element is None or element.tag not in tags:
            what = "%s is %s" % (one, "nowhere" if element is None else "a " + element.tag)
            self.problems.append(problem(path, what, "the id of a %s that is stated here or in the CIB" % " or ".join(tags)))
            return None
        if self.unplaced.pop(one, None) is None:
            self.detach(element)
        return element

    def detach(self, element: ElementTree.Element) -> None:
        parents(self.root)[element].remove(element)

    def sweep(self) -> None:
        """Groups and clones that hold nothing any more go; not before the end, for some get something else."""
        above = parents(self.root)
        for element in reversed([e for e in self.root.iter() if e.tag in ("group", "clone", "master")]):
            if not any(child.tag in RESOURCE_TAGS for child in element):
                above[element].remove(element)

    def get_or_make(self, tag: str, one: str, path: str) -> ElementTree.Element | None:
        element = self.find(one)
        if element is None:
            element = self.unplaced[one] = ElementTree.Element(tag, {"id": one})
        if element.tag != tag and not (tag == "clone" and element.tag == "master"):
            self.problems.append(problem(path, "%s is a %s already" % (one, element.tag), "an id that nothing else has"))
            return None
        return element

    def primitive(self, wanted: t.Mapping[str, t.Any], path: str) -> None:
        element = self.get_or_make("primitive", wanted["id"], path)
        if element is not None and element.get("template"):
            # An agent of its own beside the template's is refused, and what of its values would be the template's is not for us to say.
            what = "%s is of the template %s" % (wanted["id"], element.get("template"))
            self.problems.append(problem(path, what, "a resource without a template, or left out here"))
        elif element is not None:
            bring_primitive(element, wanted)

    def group(self, wanted: t.Mapping[str, t.Any], path: str) -> None:
        element = self.get_or_make("group", wanted["id"], path)
        if element is None:
            return
        bring_meta(element, wanted["id"] + "-meta_attributes", wanted.get("meta"))
        theirs = [e for e in element.findall("primitive") if self.whole is not None and e.get("id") not in self.whole]
        for member in [e for e in element.findall("primitive") if e not in theirs]:
            element.remove(member)
            self.unplaced[member.get("id", "")] = member
            self.left[member.get("id", "")] = path + ".members"
        taken = [self.take(one, "%s.members[%d]" % (path, i), ("primitive",)) for i, one in enumerate(wanted["members"])]
        for one in [e for e in taken if e is not None]:
            element.insert(list(element).index(theirs[0]) if theirs else len(element), one)

    def clone(self, wanted: t.Mapping[str, t.Any], path: str) -> None:
        element = self.get_or_make("clone", clone_id(wanted), path)
        if element is None:
            return
        bring_clone(element, wanted)
        inside = [e for e in element if e.tag in RESOURCE_TAGS]
        if [e.get("id") for e in inside] == [wanted["resource"]]:
            return
        for one in inside if self.whole is not None else ():
            element.remove(one)
            self.unplaced[one.get("id", "")] = one
        if inside and self.whole is None:
            should_be = "%s, or another id for the new clone" % inside[0].get("id")
            self.problems.append(problem(path + ".resource", "the clone holds %s now" % inside[0].get("id"), should_be))
            return
        inner = self.take(wanted["resource"], path + ".resource", ("primitive", "group"))
        if inner is not None:
            element.append(inner)

    def place(self, may_stand_alone: t.Callable[[str], bool]) -> None:
        """What is in no group or clone stands alone; who was a member may have to be told so."""
        for one, element in self.unplaced.items():
            if one in self.left and not may_stand_alone(one):
                should_be = "among the members, or named in absent to be removed"
                self.problems.append(problem(self.left[one], "%s is in the group now and isn't named" % one, should_be))
            self.root.append(element)

    def make_way(self, one: str, gone: t.Container[str]) -> None:
        """Remove a resource that goes; what it holds and does not go stays, by itself until it is placed elsewhere."""
        element = resources_by_id(self.cib).get(one)
        if element is None:
            return
        for holder, inner in list(_staying(element, gone)):
            holder.remove(inner)
            self.unplaced[inner.get("id", "")] = inner
        self.detach(element)

    def remove(self, gone: t.Iterable[str]) -> None:
        for one in gone:
            element = resources_by_id(self.cib).get(one)
            if element is not None:
                self.detach(element)

    def keep_only(self, named: t.AbstractSet[str]) -> None:
        """Replacing: remove every resource that is neither named nor holds a named one."""
        for one, element in resources_by_id(self.cib).items():
            inside = {e.get("id") for e in element.iter() if e.tag in RESOURCE_TAGS}
            if one in resources_by_id(self.cib) and not inside & named:
                self.detach(element)


def _staying(holder: ElementTree.Element, gone: t.Container[str]) -> t.Iterator[t.Tuple[ElementTree.Element, ElementTree.Element]]:
    for inner in [e for e in holder if e.tag in RESOURCE_TAGS]:
        if inner.get("id") in gone:
            yield from _staying(inner, gone)
        else:
            yield holder, inner


def _owned_ids(config: t.Mapping[str, t.Any]) -> t.Set[str]:
    ids = {one["id"] for kind in ("resources", "groups") for one in config.get(kind) or []}
    ids |= {member for one in config.get("groups") or [] for member in one["members"]}
    for one in config.get("clones") or []:
        ids |= {clone_id(one), one["resource"]}
    ids |= set(config.get("absent") or [])
    return ids | {one["id"] for items in (config.get("constraints") or {}).values() for one in items or []}


def _fencing_is_there(cib: ElementTree.Element, gone: t.Container[t.Optional[str]]) -> bool:
    """Has anybody set fencing up? A device that stays, a watchdog, or a property of it; the switch itself is on where nobody has set it."""
    pairs = list(cib.iterfind("configuration/crm_config/cluster_property_set/nvpair"))
    return (
        any(FENCING_NAME.search(pair.get("name", "")) for pair in pairs)
        or any(pair.get("name") == "have-watchdog" and is_true(pair.get("value", "")) for pair in pairs)
        or any(e.get("class") == "stonith" and e.get("id") not in gone for e in section(cib, "resources").iter())
        or cib.find("configuration/fencing-topology/*") is not None
    )


def _bring_values(
    cib: ElementTree.Element, config: t.Mapping[str, t.Any], replace: bool, unstated: t.Mapping[str, t.Collection[str]]
) -> None:
    for name, where, tag, _set_id in (PROPERTIES, *DEFAULTS):
        if name in unstated:
            drop_values(section(cib, where), tag, unstated[name])
    fencing = _fencing_is_there(cib, config.get("absent") or ())
    for name, where, tag, set_id in (PROPERTIES, *DEFAULTS):
        values, unset = config.get(name), dict((config.get("unless_set") or {}).get(name) or {})
        if values is not None:
            bring_values(section(cib, where), tag, set_id, values, whole=replace, keep=(*PACEMAKERS_OWN, *unset))
        for switch in renamed.FENCING_SWITCHES if fencing else ():
            unset.pop(switch, None)
        if unset:
            theirs = {one.name for one in foreign(cib, section(cib, where), tag)} | (renamed.there(cib) if name == PROPERTIES[0] else set())
            bring_unset(section(cib, where), tag, set_id, unset, theirs)
    bring_first(cib, config.get("properties") or {})


def _bring_resources(
    cib: ElementTree.Element, config: t.Mapping[str, t.Any], replace: bool, whole: bool, left: Leftovers
) -> t.List[Problem]:
    gone = config.get("absent") or []
    resources = _Resources(cib, {*named(config), *left.resources, *gone} if whole else None)
    # Before anything else: it may be called like what comes, or hold what stays.
    for one in left.resources:
        resources.make_way(one, left.resources)
    for i, one in enumerate(config.get("resources") or []):
        resources.primitive(one, "config.resources[%d]" % i)
    for i, one in enumerate(config.get("groups") or []):
        resources.group(one, "config.groups[%d]" % i)
    for i, one in enumerate(config.get("clones") or []):
        resources.clone(one, "config.clones[%d]" % i)
    resources.place(lambda one: replace or one in gone or (whole and one in named(config)))
    resources.remove(gone)
    if replace:
        resources.keep_only(frozenset(_owned_ids(config)))
    resources.sweep()
    return resources.problems


def _bring_constraints(cib: ElementTree.Element, config: t.Mapping[str, t.Any], replace: bool) -> None:
    constraints = section(cib, "constraints")
    owned = _owned_ids(config)
    gone = set(config.get("absent") or [])
    for present in list(constraints):
        if present.get("id") in gone or (replace and present.get("id") not in owned):
            constraints.remove(present)
    for kind in CONSTRAINTS:
        for one in (config.get("constraints") or {}).get(kind) or []:
            bring_constraint(constraints, build_constraint(kind, one))


def _holders(cib: ElementTree.Element, named: t.Container[t.Optional[str]]) -> t.Set[t.Optional[str]]:
    """Ids of the outermost resources that are named or hold a named one."""
    outermost = cib.iterfind("configuration/resources/*")
    return {one.get("id") for one in outermost if any(e.get("id") in named for e in one.iter() if e.tag in RESOURCE_TAGS)}


def _mine(
    cib: ElementTree.Element,
    config: t.Mapping[str, t.Any],
    replace: bool,
    holders: t.Container[t.Optional[str]],
    unstated: t.Mapping[str, t.Collection[str]],
) -> ElementTree.Element:
    """What is ours of a CIB: the named values, these outermost resources, the named constraints."""
    mine = ElementTree.Element("configuration")
    owned = _owned_ids(config)
    for name, where, tag, _set_id in (PROPERTIES, *DEFAULTS):
        for pair in cib.iterfind("configuration/%s/%s/nvpair" % (where, tag)):
            values, unset = config.get(name), (config.get("unless_set") or {}).get(name) or {}
            one = pair.get("name", "")
            all_of_it = replace and values is not None and one not in PACEMAKERS_OWN and not one.startswith(marks.OURS)
            if one in (values or {}) or one in unset or one in unstated.get(name, ()) or all_of_it:
                mine.append(pair)
    mine.extend(e for e in cib.iterfind("configuration/resources/*") if replace or e.get("id") in holders)
    mine.extend(e for e in cib.iterfind("configuration/constraints/*") if replace or e.get("id") in owned)
    mine.extend(extras_shown(cib, owned | {one["id"] for one in config.get("alerts") or []}))
    return mine


def _halting(
    original: ElementTree.Element, wanted: ElementTree.Element, left: Leftovers, config: t.Mapping[str, t.Any]
) -> t.Tuple[t.Tuple[str, ...], str | None]:
    """The primitives that have to stop first, and the document that has Pacemaker stop them; None where it is told so already."""
    halting = copy.deepcopy(original)
    stops = to_stop(halting, [*left.resources, *contested(original, config), *uncloned(original, wanted)])
    told = [stop(element) for element in stops]
    return primitives_in(stops), serialise(_newer(halting)) if any(told) else None


def _newer(cib: ElementTree.Element) -> ElementTree.Element:
    """A patch must raise the version: Pacemaker takes none whose target is no newer than its source."""
    cib.set("epoch", str(int(cib.get("epoch", "0")) + 1))
    cib.set("num_updates", "0")
    return cib


def plan_cib(cib: ElementTree.Element, config: t.Mapping[str, t.Any], mode: str) -> CibPlan:
    """The wanted CIB for a checked configuration (see check_config), or its problems.

    merge touches what is named and nothing else; whole also removes what is ours and is not named, once it has stopped; replace removes
    every resource, constraint and property that is not named.
    """
    replace, whole = mode == "replace", mode == "whole"
    original = without_status(cib)
    left = leftovers(original, config) if whole else Leftovers({}, ())
    alerts = alerts_left(original, config) if whole else []
    unstated = unstated_values(original, config) if whole else {}
    paths = paths_of(config)
    gone = [one for one in (*left.resources, *left.constraints, *alerts) if one not in named(config)]
    config = {**config, "absent": [*(config.get("absent") or []), *gone]}
    if mode == "merge":
        config = with_stated_before(original, config)
    config = renamed.with_other_names(original, config)
    wanted = copy.deepcopy(original)
    if whole:
        forget_stops(wanted)
    old = list(wanted.iter())
    _bring_values(wanted, config, replace, unstated)
    problems, warnings = overruled(wanted, config)
    problems += _bring_resources(wanted, config, replace, whole, left)
    _bring_constraints(wanted, config, replace)
    bring_alerts(wanted, config, config["absent"])
    problems += bring_nodes(wanted, config, whole)
    bring_hosts(wanted, config.get("node_hosts") or {})
    problems += settle_ids(wanted, old, paths)
    # What a problem above left out would be told twice.
    problems += [] if problems else dangling(original, wanted, paths)
    halts, halting = _halting(original, wanted, left, config) if whole else ((), None)
    # What held a named resource and does not any more is shown as it is left.
    owned = _owned_ids(config)
    holders = _holders(original, owned) | _holders(wanted, owned)
    before, after = (_mine(one, config, replace, holders, unstated) for one in (original, wanted))
    secrets = changed_secrets(before, after)
    changed = not same(original, wanted)
    return CibPlan(
        version=version_of(original),
        original=serialise(original),
        wanted=serialise(_newer(wanted) if changed else wanted),
        before="".join(to_text(e) for e in before),
        after="".join(to_text(e, secrets) for e in after),
        changed=changed,
        owned=tuple(sorted(owned - set(config["absent"]))),
        problems=tuple(problems),
        halts=halts,
        halting=halting,
        unstated=tuple(sorted({one for names in unstated.values() for one in names if one != marks.STATED})),
        awaited=changed_values(original, wanted, config),
        warnings=tuple(warnings),
    )
