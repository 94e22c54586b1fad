# Copyright: (c) 2026, the ondemand.cluster contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cluster properties that have two names: Pacemaker 3 calls fencing what was called stonith. Pure.

A release that knows both names (3.0.2 and later) reads the newer one, and the older one where that is not set. A release that knows only the
older one takes the newer one for nothing.
"""

from __future__ import annotations

import copy
import typing as t
from xml.etree import ElementTree

from .cib_sets import PROPERTIES, plain_sets

NAMES = {
    "fencing-enabled": "stonith-enabled",
    "fencing-action": "stonith-action",
    "fencing-timeout": "stonith-timeout",
    "fencing-watchdog-timeout": "stonith-watchdog-timeout",
    "fencing-max-attempts": "stonith-max-attempts",
    "fencing-reaction": "fence-reaction",
    "stop-removed-resources": "stop-orphan-resources",
    "cancel-removed-actions": "stop-orphan-actions",
}
"""newer name -> older name"""
OTHER = {**NAMES, **{older: newer for newer, older in NAMES.items()}}
FENCING_SWITCHES = ("fencing-enabled", "stonith-enabled")
BOTH_SINCE = (3, 20, 5)
"""the feature set of 3.0.2"""


def _pairs(cib: ElementTree.Element, name: str) -> t.List[t.Tuple[ElementTree.Element, ElementTree.Element]]:
    """Every pair of this property, with its set."""
    _kind, where, tag, _id = PROPERTIES
    sets = cib.findall("configuration/%s/%s" % (where, tag))
    return [(one, pair) for one in sets for pair in one.findall("nvpair") if pair.get("name") == name]


def there(cib: ElementTree.Element) -> t.Set[str]:
    """The other names of all properties that a CIB sets: what is set under one of its names is set."""
    return {other for name, other in OTHER.items() if _pairs(cib, name)}


def with_other_names(cib: ElementTree.Element, config: t.Mapping[str, t.Any]) -> t.Mapping[str, t.Any]:
    """The configuration, in which a stated property has the same value under its other name too, where the CIB sets that one.

    Which of the two counts differs from release to release. Where both are stated they stay as they are.
    """
    values = config.get("properties") or {}
    more = {
        OTHER[name]: value for name, value in values.items() if name in OTHER and OTHER[name] not in values and _pairs(cib, OTHER[name])
    }
    return {**config, "properties": {**values, **more}} if more else config


def contradictions(values: t.Mapping[str, t.Any]) -> t.List[t.Tuple[str, str]]:
    """Newer and older name of each property that is stated under both with two values."""
    return [(newer, older) for newer, older in NAMES.items() if newer in values and older in values and values[newer] != values[older]]


def for_any_scheduler(cib: ElementTree.Element) -> ElementTree.Element:
    """A copy for a scheduler of whatever release, which reads the older names alone: in them stands what the cluster itself goes by.

    Each scheduler knows the older names, so that the newer ones are not needed there.
    """
    changed = copy.deepcopy(cib)
    parent = changed.find("configuration/" + PROPERTIES[1])
    plain = plain_sets(parent, PROPERTIES[2]) if parent is not None else []
    for newer, older in NAMES.items():
        found = _pairs(changed, newer)
        if not _knows_both(cib):
            _remove(found)
            continue
        # One that only a rule sets leaves the older name its value for as long as the rule does not hold.
        always, holders = any(one in plain for one, _pair in found), [one for one, _pair in found]
        _remove([(one, pair) for one, pair in _pairs(changed, older) if always or one in holders])
        for _one, pair in found:
            pair.set("name", older)
    return changed


def _remove(found: t.Sequence[t.Tuple[ElementTree.Element, ElementTree.Element]]) -> None:
    for one, pair in found:
        one.remove(pair)


def _knows_both(cib: ElementTree.Element) -> bool:
    """Does the cluster read the newer names? Where it does not say what it is, who set one will have known."""
    numbers = (cib.get("crm_feature_set") or "").split(".")
    return not all(one.isdigit() for one in numbers) or tuple(map(int, numbers)) >= BOTH_SINCE
