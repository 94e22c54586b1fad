# Copyright: (c) 2026, the ondemand.cluster contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Do the stated properties and defaults count? Before they are written, by the sets that would overrule them; afterwards, by what is read back. Pure.

A property is written into the set that Pacemaker reads first where another one would overrule it. Defaults have no such set: a rule for some
resources or times is a person's way to make exceptions of them, so there it is told and left.
"""

from __future__ import annotations

import typing as t
from xml.etree import ElementTree

from . import marks, renamed
from .cib import CibError, section, xml_root
from .cib_build import bring_values
from .cib_sets import ALWAYS_FIRST, DEFAULTS, PROPERTIES, overruling, pairs_read, plain_sets
from .cib_spec import Problem, problem, value_text

Awaited = t.Tuple[str, str, str]
"""The set of values, the name and the value that is to count."""
EFFECT = "effect"
"""the outermost element of what push_cib prints when values were changed"""
SHOWN = ("stonith-enabled", "symmetric-cluster", "no-quorum-policy", "maintenance-mode", "stop-all-resources")
"""the properties of which crm_mon tells what Pacemaker goes by"""
ALIKE = {
    "suicide": "fence",
    **dict.fromkeys(("on", "yes", "y", "1"), "true"),
    **dict.fromkeys(("off", "no", "n", "0"), "false"),
}
"""values of these properties that mean the same"""
BY_STATE = ("suicide", "fence", "demote")
"""policies without quorum that Pacemaker does not go by in every state of a cluster (without fencing, before its first quorum)"""


def bring_first(cib: ElementTree.Element, values: t.Mapping[str, t.Any]) -> None:
    """Put the properties that another set would overrule into the one that Pacemaker reads first; it is made where it is missing."""
    _kind, where, tag, _id = PROPERTIES
    late = {name: value for name, value in values.items() if overruling(cib, where, tag, name, value_text(value))}
    if not late:
        return
    parent = section(cib, where)
    held = next((e for e in parent.findall(tag) if e.get("id") == ALWAYS_FIRST), None)
    if held is None:
        held = ElementTree.SubElement(parent, tag, {"id": ALWAYS_FIRST})
    # Alone in a section of its own, so that no other set's pair is taken for the one to change. One with a rule is left as it is there too.
    alone = ElementTree.Element(where)
    alone.append(held)
    bring_values(alone, tag, ALWAYS_FIRST, late, whole=False)


def overruled(cib: ElementTree.Element, config: t.Mapping[str, t.Any]) -> t.Tuple[t.List[Problem], t.List[str]]:
    """What of the stated values does not count in the wanted CIB: problems, and warnings of defaults that a rule has exceptions of."""
    problems, warnings = [], []
    for newer, older in renamed.contradictions(config.get(PROPERTIES[0]) or {}):
        what = "%s is the newer name of the same property, and has another value" % newer
        problems.append(problem("config.%s.%s" % (PROPERTIES[0], older), what, "one of the two, or the same value"))
    for kind, where, tag, _id in (PROPERTIES, *DEFAULTS):
        for name, value in (config.get(kind) or {}).items():
            for one in overruling(cib, where, tag, name, value_text(value)):
                if kind == PROPERTIES[0] or not one.rules:
                    what = "%s has %s=%s, and Pacemaker reads that first" % (one.words, name, one.value)
                    problems.append(problem("config.%s.%s" % (kind, name), what, "left out here, or that name taken out of the set"))
                    continue
                told = "config.%s.%s: %s has %s, which counts where that rule holds; take it out of that set if %s is to count everywhere"
                warnings.append(told % (kind, name, one.words, one.value, value_text(value)))
    return problems, warnings


def _held(cib: ElementTree.Element, where: str, tag: str, name: str) -> t.List[t.Tuple[t.Optional[str], t.Optional[str]]]:
    """The pairs of this name in all sets without rules: id and value."""
    parent = cib.find("configuration/" + where)
    sets = plain_sets(parent, tag) if parent is not None else []
    return [(pair.get("id"), pair.get("value")) for one in sets for pair in one.findall("nvpair") if pair.get("name") == name]


def changed_values(before: ElementTree.Element, after: ElementTree.Element, config: t.Mapping[str, t.Any]) -> t.Tuple[Awaited, ...]:
    """The named values whose place or text differs between two CIBs; what begins with our mark is nobody's but ours."""
    found = []
    for kind, where, tag, _id in (PROPERTIES, *DEFAULTS):
        values = {**((config.get("unless_set") or {}).get(kind) or {}), **(config.get(kind) or {})}
        for name, value in values.items():
            if not name.startswith(marks.OURS) and _held(before, where, tag, name) != _held(after, where, tag, name):
                found.append((kind, name, value_text(value)))
    return tuple(found)


def why_not_in_effect(said: str, awaited: t.Sequence[Awaited]) -> str:
    """From what push_cib printed: which values do not count though they were written, as a clause; empty where all do. CibError: it told nothing."""
    root = xml_root(said, EFFECT)
    if root.tag != EFFECT:
        raise CibError("<%s> is not what was read back" % root.tag)
    told = root.find("cluster_options")
    if not any(root.find(where) is not None for _kind, where, _tag, _id in (PROPERTIES, *DEFAULTS)):
        # It was taken; that nothing could be read back a moment later says nothing against it.
        return ""
    wrong = []
    for kind, name, value in awaited:
        _kind, where, tag, _id = next(one for one in (PROPERTIES, *DEFAULTS) if one[0] == kind)
        parent = root.find(where)
        read = pairs_read(plain_sets(parent, tag), name) if parent is not None else []
        goes_by = _told(told, name) if told is not None and kind == PROPERTIES[0] and value not in BY_STATE else None
        if not read or any(pair.get("value") != value for pair in read):
            now = " and ".join(sorted({pair.get("value", "") for pair in read})) or "gone"
            wrong.append("%s is %s and not %s (somebody else wrote it)" % (name, now, value))
        elif goes_by is not None and _alike(goes_by) != _alike(value):
            wrong.append("Pacemaker goes by %s=%s and not by %s, which was written" % (name, goes_by, value))
    return "; ".join(wrong)


def _told(options: ElementTree.Element, name: str) -> t.Optional[str]:
    """By which value of a property Pacemaker goes; None where crm_mon does not tell."""
    if name not in SHOWN and renamed.OTHER.get(name) not in SHOWN:
        return None
    # Of a property with two names a release tells the older one, the newer one, or both.
    return options.get(name, options.get(renamed.OTHER.get(name, name)))


def _alike(value: str) -> str:
    return ALIKE.get(value.lower(), value.lower())
