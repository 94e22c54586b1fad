# Copyright: (c) 2026, the ondemand.cluster contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From wanted data to CIB elements: each function brings one element to what is wanted and leaves the rest of it alone. Pure."""

from __future__ import annotations

import re
import typing as t
from xml.etree import ElementTree

from . import marks
from .cib import same
from .cib_sets import ALWAYS_FIRST, pairs_read, plain_sets
from .cib_spec import clone_id, value_text
from .cib_whole import forget_unstated

UNIT_MS = {
    "": 1000,
    "s": 1000,
    "sec": 1000,
    "ms": 1,
    "msec": 1,
    "us": 0.001,
    "usec": 0.001,
    "m": 60000,
    "min": 60000,
    "h": 3600000,
    "hr": 3600000,
}
# CIB attribute <- field of the data; read by every constraint of the kind.
CONSTRAINTS = {
    "location": ("rsc_location", (("rsc", "resource"), ("role", "role"), ("node", "node"), ("score", "score"))),
    "colocation": (
        "rsc_colocation",
        (("rsc", "resource"), ("with-rsc", "with"), ("score", "score"), ("rsc-role", "role"), ("with-rsc-role", "with_role")),
    ),
    "order": (
        "rsc_order",
        (
            ("first", "first"),
            ("then", "then"),
            ("kind", "kind"),
            ("symmetrical", "symmetrical"),
            ("first-action", "first_action"),
            ("then-action", "then_action"),
        ),
    ),
    "tickets": ("rsc_ticket", (("rsc", "resource"), ("ticket", "ticket"), ("loss-policy", "loss_policy"), ("rsc-role", "role"))),
}
OPERATION = (("timeout", "timeout_s"), ("start-delay", "start_delay_s"), ("on-fail", "on_fail"), ("role", "role"))


def interval_ms(text: str | None) -> float | None:
    """A Pacemaker interval in milliseconds ('10', '10s' and '10000ms' are the same); None where the text is no number with a unit."""
    match = re.match(r"\s*([0-9]+)\s*([a-z]*)\s*\Z", text or "0")
    if not match or match.group(2) not in UNIT_MS:
        return None
    return int(match.group(1)) * UNIT_MS[match.group(2)]


def seconds(value: float) -> str:
    """Seconds as Pacemaker writes them: 10s, or 1500ms where they are no whole number."""
    return "%ds" % value if float(value).is_integer() else "%dms" % round(value * 1000)


def _insert_set(parent: ElementTree.Element, made: ElementTree.Element) -> None:
    """Put a new set before what the schema wants behind it (operations, and the members of a group or clone)."""
    holds = ("operations", "utilization", "primitive", "group")
    behind: t.Tuple[str, ...] = holds if parent.tag in ("primitive", "group", "clone", "master") else ()
    if made.tag == "utilization":
        behind = ()
    elif parent.tag == "alert":
        behind = ("recipient",)
    if made.tag == "instance_attributes":
        behind += ("meta_attributes",)
    parent.insert(next((i for i, e in enumerate(parent) if e.tag in behind), len(parent)), made)


def bring_values(
    parent: ElementTree.Element, tag: str, set_id: str, values: t.Mapping[str, t.Any] | None, whole: bool, keep: t.Collection[str] = ()
) -> None:
    """Bring the nvpairs of a set to values; a name that is set already is changed where Pacemaker reads it.

    With whole, names that are not wanted (and neither in keep nor ours, as the lease is) go; without, they stay. values None means: not stated.
    """
    if values is None:
        return
    sets = plain_sets(parent, tag)
    own = next((e for e in sets if e.get("id") == ALWAYS_FIRST), sets[0] if sets else None)
    if own is None:
        if not values:
            return
        own = ElementTree.Element(tag, {"id": set_id})
        _insert_set(parent, own)
    for name, value in values.items():
        pairs = pairs_read(sets, name)
        if not pairs:
            pair_id = "%s-%s" % (own.get("id"), re.sub(r"[^A-Za-z0-9_.-]", "-", name))
            pairs = [ElementTree.SubElement(own, "nvpair", {"id": pair_id, "name": name})]
        for pair in pairs:
            pair.set("value", value_text(value))
    for referred in [e for e in parent.findall(tag) if whole and e.get("id-ref")]:
        parent.remove(referred)
    # One that is taken out of one set alone would let another set's value count.
    for one in sets if whole else ():
        unwanted = {p.get("name", "") for p in one.findall("nvpair")} - {*values, *keep}
        drop_values(parent, tag, {name for name in unwanted if not name.startswith(marks.OURS)})


def drop_values(parent: ElementTree.Element, tag: str, names: t.Container[str]) -> None:
    """Take these names out of every set without a rule; a set that holds nothing then goes too."""
    for one in plain_sets(parent, tag):
        dropped = [pair for pair in one.findall("nvpair") if pair.get("name") in names]
        for pair in dropped:
            one.remove(pair)
        if dropped and not len(one):
            parent.remove(one)


def bring_unset(parent: ElementTree.Element, tag: str, set_id: str, values: t.Mapping[str, t.Any], others: t.Iterable[str] = ()) -> None:
    """Set what nobody has set: a name that any set holds, also one with a rule, stays as it is. others: names that are set in other ways."""
    # Older releases wrote some names with underscores, and newer ones still read them.
    there = {name.replace("_", "-") for name in (*others, *(pair.get("name", "") for pair in parent.iterfind("%s/nvpair" % tag)))}
    bring_values(parent, tag, set_id, {name: value for name, value in values.items() if name not in there}, whole=False)


def _operation_key(name: str, interval: str | None, role: str | None) -> t.Tuple[str, t.Any, t.Any]:
    parsed = interval_ms(interval)
    return (name, interval if parsed is None else parsed, role)


def bring_operations(primitive: ElementTree.Element, wanted: t.Sequence[t.Mapping[str, t.Any]] | None) -> None:
    """Bring the operations of a primitive to exactly the wanted ones; those that are there keep their ids and their spelling."""
    if wanted is None:
        return
    holder = primitive.find("operations")
    if holder is None:
        if not wanted:
            return
        holder = ElementTree.SubElement(primitive, "operations")
    # Operations that stand elsewhere and were only referred to: from now on it has its own.
    holder.attrib.pop("id-ref", None)
    present = {_operation_key(op.get("name", ""), op.get("interval"), op.get("role")): op for op in holder.findall("op")}
    result = []
    for one in wanted:
        interval = seconds(one.get("interval_s") or 0)
        op = present.get(_operation_key(one["name"], interval, one.get("role")))
        if op is None:
            made_id = "%s-%s-interval-%s" % (primitive.get("id"), one["name"], interval)
            op = ElementTree.Element(
                "op", {"id": made_id + ("-" + one["role"] if one.get("role") else ""), "name": one["name"], "interval": interval}
            )
        for attribute, field in OPERATION:
            value = one.get(field)
            if value is None:
                op.attrib.pop(attribute, None)
                continue
            text = seconds(value) if field.endswith("_s") else str(value)
            if not field.endswith("_s") or interval_ms(op.get(attribute, "none")) != interval_ms(text):
                op.set(attribute, text)
        result.append(op)
    if result != list(holder):
        holder[:] = result
    if not result:
        primitive.remove(holder)


def bring_primitive(element: ElementTree.Element, wanted: t.Mapping[str, t.Any]) -> None:
    """Bring a primitive to what is wanted: agent, options and operations as stated (whole), meta attributes merged.

    An operator's stop is one of the latter, so it stays.
    """
    parts = wanted["agent"].split(":")
    element.attrib.pop("provider", None)
    element.set("class", parts[0])
    if parts[0] == "ocf":
        element.set("provider", parts[1])
    element.set("type", ":".join(parts[2:] if parts[0] == "ocf" else parts[1:]))
    bring_values(element, "instance_attributes", wanted["id"] + "-instance_attributes", wanted.get("options"), whole=True)
    bring_meta(element, wanted["id"] + "-meta_attributes", wanted.get("meta"))
    bring_operations(element, wanted.get("operations"))
    bring_values(element, "utilization", wanted["id"] + "-utilization", wanted.get("utilization"), whole=True)


def bring_meta(element: ElementTree.Element, set_id: str, meta: t.Mapping[str, t.Any] | None) -> None:
    """Bring meta attributes to what is wanted: merged, because Pacemaker's own tools write there (target-role, is-managed).

    Of what carries our mark it is known which names were stated before: those that are stated no longer go.
    """
    if meta and marks.SERVICE in meta:
        forget_unstated(element, meta)
    bring_values(element, "meta_attributes", set_id, meta, whole=False)


def bring_clone(element: ElementTree.Element, wanted: t.Mapping[str, t.Any]) -> None:
    """Bring a clone's meta attributes to what is wanted; promotable is one of them."""
    meta = dict(wanted.get("meta") or {})
    if wanted.get("promotable") is not None:
        meta["promotable"] = wanted["promotable"]
    bring_meta(element, clone_id(wanted) + "-meta_attributes", meta)


def build_constraint(kind: str, wanted: t.Mapping[str, t.Any]) -> ElementTree.Element:
    """The element of a wanted constraint of this kind (location, colocation, order, tickets)."""
    tag, fields = CONSTRAINTS[kind]
    element = ElementTree.Element(tag, {"id": wanted["id"]})
    for attribute, field in fields:
        if wanted.get(field) is not None:
            element.set(attribute, value_text(wanted[field]))
    if kind == "colocation" and wanted.get("score") is None:
        element.set("score", "INFINITY")
    rule = wanted.get("rule")
    if rule is not None:
        rule_id = wanted["id"] + "-rule"
        head = {"id": rule_id, "score": str(rule["score"]), "boolean-op": rule.get("boolean_op") or "and"}
        made = ElementTree.SubElement(element, "rule", head)
        for i, one in enumerate(rule["expressions"]):
            expression = {"id": "%s-expression-%d" % (rule_id, i), "attribute": one["attribute"], "operation": one["operation"]}
            if one.get("value") is not None:
                expression["value"] = one["value"]
            ElementTree.SubElement(made, "expression", expression)
    return element


def bring_constraint(constraints: ElementTree.Element, wanted: ElementTree.Element) -> None:
    """Put a constraint in the place of the one with its id, or behind the others."""
    for i, present in enumerate(constraints):
        if present.get("id") == wanted.get("id"):
            if not same(present, wanted):
                constraints[i] = wanted
            return
    constraints.append(wanted)
