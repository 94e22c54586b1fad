# Copyright: (c) 2026, the ondemand.cluster contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ids in a CIB: none twice, and none named that is not there. Pacemaker refuses both, in the words of its schema. Pure."""

from __future__ import annotations

import itertools
import typing as t
from xml.etree import ElementTree

from .cib import RESOURCE_TAGS
from .cib_build import CONSTRAINTS
from .cib_spec import CONSTRAINT_KINDS, Problem, clone_id, problem

# Elements whose id somebody chose; every other id that we make is of no meaning to anybody.
CHOSEN = (*RESOURCE_TAGS, *(tag for tag, _fields in CONSTRAINTS.values()))
NAMING = ("rsc", "with-rsc", "first", "then")


def paths_of(config: t.Mapping[str, t.Any]) -> t.Dict[str, str]:
    """Where a configuration states each of its ids."""
    found = {one: "config.absent[%d]" % i for i, one in enumerate(config.get("absent") or [])}
    lists = {"config.%s" % kind: config.get(kind) or [] for kind in ("resources", "groups", "clones", "alerts")}
    constraints = config.get("constraints") or {}
    lists.update({"config.constraints.%s" % kind: constraints.get(kind) or [] for kind in CONSTRAINT_KINDS})
    for where, items in lists.items():
        for i, item in enumerate(items):
            found[clone_id(item) if where == "config.clones" else item["id"]] = "%s[%d]" % (where, i)
    return found


def settle_ids(cib: ElementTree.Element, old: t.Collection[ElementTree.Element], paths: t.Mapping[str, str]) -> t.List[Problem]:
    """Give every new element an id of its own. A chosen id that something else has is a problem; others get a number behind them."""
    known = frozenset(old)
    taken = {e.get("id"): e.tag for e in cib.iter() if e in known}
    problems = []
    for element in cib.iter():
        one = element.get("id")
        if element in known or one is None:
            continue
        if one in taken and element.tag in CHOSEN:
            what = "%s is the id of a %s already" % (one, taken[one])
            problems.append(problem(paths.get(one, "config"), what, "an id that nothing else has"))
        elif one in taken:
            one = next(free for free in ("%s-%d" % (one, n) for n in itertools.count(1)) if free not in taken)
            element.set("id", one)
        taken[one] = element.tag
    return problems


def _named_in(cib: ElementTree.Element) -> t.Iterator[t.Tuple[str, str]]:
    """What names a resource (as words), and the id that it names."""
    for holder in cib.iterfind("configuration/constraints/*"):
        for element in holder.iter():
            for attribute in NAMING:
                if element.get(attribute):
                    yield holder.get("id", ""), element.get(attribute, "")
            if element.tag == "resource_ref":
                yield holder.get("id", ""), element.get("id", "")
    for permission in cib.iterfind("configuration/acls//acl_permission[@reference]"):
        yield permission.get("id", ""), permission.get("reference", "")
    for holder in cib.iterfind("configuration/tags/tag"):
        for element in holder.iterfind("obj_ref"):
            yield holder.get("id", ""), element.get("id", "")


def _there(cib: ElementTree.Element) -> t.Set[t.Optional[str]]:
    return {e.get("id") for e in cib.iter() if e.tag not in ("resource_ref", "obj_ref")}


def dangling(before: ElementTree.Element, after: ElementTree.Element, paths: t.Mapping[str, str]) -> t.List[Problem]:
    """What would name a resource that is not there, and does not do so now."""
    there, kept = _there(before), _there(after)
    present = {(holder, one) for holder, one in _named_in(before) if one not in there}
    words = {one.get("id"): "tag" for one in after.iterfind("configuration/tags/tag")}
    words.update({one.get("id"): "permission" for one in after.iterfind("configuration/acls//acl_permission")})
    found = []
    for holder, one in dict.fromkeys(_named_in(after)):
        if one in kept or (holder, one) in present:
            continue
        what = "%s %s names %s" % (words.get(holder, "constraint"), holder, one)
        if one in paths and paths[one].startswith("config.absent"):
            found.append(problem(paths[one], what, "%s corrected first, or named in absent too" % holder))
        elif holder in paths:
            found.append(problem(paths[holder], what, "the id of a resource that is stated here or in the CIB"))
        else:
            found.append(problem("config", "%s, which would go" % what, "%s corrected first, or named in absent too" % holder))
    return found
