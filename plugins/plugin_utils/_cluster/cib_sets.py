# Copyright: (c) 2026, the ondemand.cluster contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sets of values (nvpairs) in a CIB: of several that hold one name, whose value does Pacemaker read? Pure.

It reads cib-bootstrap-options before all other sets of cluster properties, then the one with the highest score; a set with a rule is left out
while its rule does not hold. Of several with one score it differs from release to release which is read first.
"""

from __future__ import annotations

import dataclasses
import re
import typing as t
from xml.etree import ElementTree

ALWAYS_FIRST = "cib-bootstrap-options"
"""the set of cluster properties that is read first, whatever the scores are"""
PROPERTIES = ("properties", "crm_config", "cluster_property_set", ALWAYS_FIRST)
DEFAULTS = (
    ("resource_defaults", "rsc_defaults", "meta_attributes", "rsc_defaults-options"),
    ("operation_defaults", "op_defaults", "meta_attributes", "op_defaults-options"),
)
Rank = t.Tuple[bool, int]
"""How early a set is read: whether always first, and its score."""


@dataclasses.dataclass(frozen=True)
class Foreign:
    """A value that is not ours to write, since its set has rules (their ids) or it only stands elsewhere and is referred to."""

    set_id: str
    rank: Rank
    rules: t.Tuple[str, ...]
    name: str
    value: str

    @property
    def words(self) -> str:
        """The set, its score and its rules, for a sentence."""
        read = "which is always read first" if self.rank[0] else "score %d" % self.rank[1]
        rule = "rule %s" % ", ".join(self.rules) if self.rules else "referred to"
        return "the set %s (%s, %s)" % (self.set_id, read, rule)


def plain_sets(parent: ElementTree.Element, tag: str) -> t.List[ElementTree.Element]:
    """The sets of this tag without a rule: those with rules belong to whoever wrote the rule, referred ones to where they stand."""
    return [e for e in parent.findall(tag) if e.find("rule") is None and e.get("id-ref") is None]


def rank(element: ElementTree.Element) -> Rank:
    """How early Pacemaker reads this set: the higher, the earlier."""
    text = element.get("score", "0").lstrip("+")
    score = int(text) if re.match(r"-?[0-9]{1,9}\Z", text) else {"INFINITY": 1000000, "-INFINITY": -1000000}.get(text, 0)
    first = element.tag == PROPERTIES[2] and element.get("id") == ALWAYS_FIRST
    return first, 0 if first else score


def pairs_read(sets: t.Sequence[ElementTree.Element], name: str) -> t.List[ElementTree.Element]:
    """The pairs among these sets that make a name's value for Pacemaker; all that may, where several sets have one rank."""
    holders = [(e, next((p for p in e.findall("nvpair") if p.get("name") == name and not p.get("id-ref")), None)) for e in sets]
    best = max((rank(e) for e, pair in holders if pair is not None), default=None)
    return [pair for e, pair in holders if pair is not None and rank(e) == best]


def foreign(cib: ElementTree.Element, parent: ElementTree.Element, tag: str) -> t.List[Foreign]:
    """Every value of this section that is not ours to write. What is referred to is looked for in the whole CIB."""
    by_id = {e.get("id"): e for e in cib.iter()}
    found = []
    for one in parent.findall(tag):
        held = by_id.get(one.get("id-ref")) if one.get("id-ref") else one
        if held is None:
            continue
        rules = tuple(rule.get("id", "") for rule in held.findall("rule"))
        for pair in held.findall("nvpair"):
            there = by_id.get(pair.get("id-ref"), pair) if pair.get("id-ref") else pair
            if rules or held is not one or there is not pair:
                name = pair.get("name", there.get("name", ""))
                found.append(Foreign(held.get("id", ""), rank(held), rules, name, there.get("value", "")))
    return found


def overruling(cib: ElementTree.Element, where: str, tag: str, name: str, value: str) -> t.List[Foreign]:
    """The foreign values of this name that Pacemaker reads before ours, or as early, and that are other ones."""
    parent = cib.find("configuration/" + where)
    if parent is None:
        return []
    sets = plain_sets(parent, tag)
    ours = next((rank(e) for pair in pairs_read(sets, name) for e in sets if pair in list(e)), None)
    theirs = [one for one in foreign(cib, parent, tag) if one.name == name and one.value != value]
    return [one for one in theirs if ours is None or one.rank >= ours]
