# Copyright: (c) 2026, the ondemand.cluster contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The wanted configuration as data: what it may hold, and every problem of it at once. Pure."""

from __future__ import annotations

import re
import typing as t

from .unmanaged import why_unmanaged

ID = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,126}\Z")
NAME = re.compile(r"[A-Za-z0-9_#][A-Za-z0-9_.:#-]{0,126}\Z")
AGENT = re.compile(r"(ocf:[A-Za-z0-9_-]+:[A-Za-z0-9_.-]+|(systemd|stonith|service|lsb):[A-Za-z0-9_.@\\-]+)\Z")
SCORE = re.compile(r"([+-]?(INFINITY|[0-9]{1,7}))\Z")
CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
ROLES = ("Started", "Promoted", "Unpromoted", "Stopped", "Master", "Slave")
ACTIONS = ("start", "stop", "promote", "demote")
KINDS = ("Mandatory", "Optional", "Serialize")

Problem = t.Dict[str, str]
Check = t.Callable[[t.Any], t.Optional[str]]


def value_text(value: t.Any) -> str:
    """A value as Pacemaker writes it: booleans as true and false, everything else as its text."""
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


def _matches(pattern: t.Pattern[str], should_be: str) -> Check:
    return lambda value: None if isinstance(value, str) and pattern.match(value) else should_be


def _one_of(choices: t.Sequence[str]) -> Check:
    return lambda value: None if value in choices else "one of " + ", ".join(choices)


def _value(value: t.Any) -> str | None:
    if not isinstance(value, (str, int, float, bool)):
        return "a text, a number or a boolean"
    return "a text of one line without control characters" if CONTROL.search(value_text(value)) else None


def _text(value: t.Any) -> str | None:
    return _value(value) if isinstance(value, str) and value else "a text of one line, not empty"


def _values(value: t.Any) -> str | None:
    if not isinstance(value, dict):
        return "a mapping of names to values"
    for name, one in value.items():
        if not isinstance(name, str) or not NAME.match(name):
            return "a mapping whose names consist of letters, digits and _ . : # - (not %r)" % (name,)
        wrong = _value(one)
        if wrong:
            return "%s for %s" % (wrong, name)
    return None


def _seconds(value: t.Any) -> str | None:
    return None if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < 1e7 else "a number of seconds from 0"


def _bool(value: t.Any) -> str | None:
    return None if isinstance(value, bool) else "true or false"


def _ids(value: t.Any) -> str | None:
    if not isinstance(value, list) or not value:
        return "a list of ids, not empty"
    if len(set(map(str, value))) != len(value):
        return "a list of ids, each once"
    return next((("%r is none: " % (one,)) + ID_RULE for one in value if not isinstance(one, str) or not ID.match(one)), None)


def _score(value: t.Any) -> str | None:
    return None if not isinstance(value, bool) and SCORE.match(str(value)) else "a whole number, INFINITY or -INFINITY"


ID_RULE = "an id: a letter or _, then letters, digits and _ . - (at most 127)"
IDENT = _matches(ID, ID_RULE)
AGENT_RULE = "systemd:UNIT, ocf:PROVIDER:TYPE, stonith:TYPE, lsb:NAME or service:NAME"
ROLE = _one_of(ROLES)
OPERATION = {
    "name": (_matches(ID, "the name of an operation, such as monitor"), True),
    "interval_s": (_seconds, False),
    "timeout_s": (_seconds, False),
    "start_delay_s": (_seconds, False),
    "on_fail": (_one_of(("ignore", "block", "stop", "restart", "standby", "fence", "demote", "restart-container")), False),
    "role": (ROLE, False),
}
EXPRESSION = {
    "attribute": (_matches(NAME, "the name of a node attribute"), True),
    "operation": (_one_of(("eq", "ne", "lt", "gt", "lte", "gte", "defined", "not_defined")), True),
    "value": (_text, False),
}
# Per kind: field -> (check, needed). Nested lists of mappings stand in NESTED.
FIELDS: t.Dict[str, t.Dict[str, t.Tuple[Check, bool]]] = {
    "resources": {
        "id": (IDENT, True),
        "agent": (_matches(AGENT, AGENT_RULE), True),
        "options": (_values, False),
        "meta": (_values, False),
        "utilization": (_values, False),
    },
    "groups": {"id": (IDENT, True), "members": (_ids, True), "meta": (_values, False)},
    "clones": {"id": (IDENT, False), "resource": (IDENT, True), "meta": (_values, False), "promotable": (_bool, False)},
    "alerts": {"id": (IDENT, True), "path": (_text, True), "options": (_values, False), "meta": (_values, False)},
    "nodes": {"name": (_text, True), "attributes": (_values, False), "utilization": (_values, False)},
    "location": {"id": (IDENT, True), "resource": (IDENT, True), "node": (_text, False), "score": (_score, False), "role": (ROLE, False)},
    "colocation": {
        "id": (IDENT, True),
        "resource": (IDENT, True),
        "with": (IDENT, True),
        "score": (_score, False),
        "role": (ROLE, False),
        "with_role": (ROLE, False),
    },
    "order": {
        "id": (IDENT, True),
        "first": (IDENT, True),
        "then": (IDENT, True),
        "kind": (_one_of(KINDS), False),
        "symmetrical": (_bool, False),
        "first_action": (_one_of(ACTIONS), False),
        "then_action": (_one_of(ACTIONS), False),
    },
    "tickets": {
        "id": (IDENT, True),
        "resource": (IDENT, True),
        "ticket": (IDENT, True),
        "loss_policy": (_one_of(("stop", "demote", "fence", "freeze")), False),
        "role": (ROLE, False),
    },
}
RECIPIENT = {"id": (IDENT, True), "value": (_text, True)}
RULE = {"score": (_score, True), "boolean_op": (_one_of(("and", "or")), False)}
VALUE_SETS = ("properties", "resource_defaults", "operation_defaults")
CONSTRAINT_KINDS = ("location", "colocation", "order", "tickets")
TOP = (*VALUE_SETS, "unless_set", "resources", "groups", "clones", "alerts", "nodes", "node_hosts", "constraints", "absent")


def problem(path: str, what: str, should_be: str) -> Problem:
    """One problem: where it is, what is there, and what would be right."""
    return {"path": path, "problem": what, "should_be": should_be}


def _fields(item: t.Any, table: t.Mapping[str, t.Tuple[Check, bool]], nested: t.Sequence[str], path: str) -> t.List[Problem]:
    if not isinstance(item, dict):
        return [problem(path, "not a mapping", "a mapping with " + ", ".join(sorted(table)))]
    found = []
    for name in item:
        if name not in table and name not in nested:
            found.append(problem("%s.%s" % (path, name), "unknown", "one of " + ", ".join(sorted([*table, *nested]))))
    for name, (check, needed) in table.items():
        if item.get(name) is None:
            if needed:
                found.append(problem("%s.%s" % (path, name), "missing", check(None) or "given"))
            continue
        should_be = check(item[name])
        if should_be:
            found.append(problem("%s.%s" % (path, name), "wrong value", should_be))
    return found


def _list(items: t.Any, table: t.Mapping[str, t.Tuple[Check, bool]], nested: t.Sequence[str], path: str) -> t.List[Problem]:
    if not isinstance(items, list):
        return [problem(path, "not a list", "a list of mappings")]
    return [one for i, item in enumerate(items) for one in _fields(item, table, nested, "%s[%d]" % (path, i))]


def _location(item: t.Mapping[str, t.Any], path: str) -> t.List[Problem]:
    rule = item.get("rule")
    if rule is None:
        missing = [name for name in ("node", "score") if item.get(name) is None]
        return [problem("%s.%s" % (path, name), "missing", "given (or a rule in place of node and score)") for name in missing]
    found = [problem("%s.%s" % (path, n), "given beside a rule", "absent") for n in ("node", "score") if item.get(n) is not None]
    found += _fields(rule, RULE, ("expressions",), path + ".rule")
    expressions = rule.get("expressions") if isinstance(rule, dict) else None
    if not expressions:
        return found + [problem(path + ".rule.expressions", "missing", "a list of at least one expression")]
    return found + _list(expressions, EXPRESSION, (), path + ".rule.expressions")


def _twice(ids: t.Sequence[t.Tuple[str, t.Any]]) -> t.List[Problem]:
    seen: t.Dict[t.Any, str] = {}
    found = []
    for path, one in ids:
        if isinstance(one, str) and one in seen:
            found.append(problem(path, "%s is named at %s already" % (one, seen[one]), "an id that nothing else has"))
        elif isinstance(one, str):
            seen[one] = path
    return found


def clone_id(clone: t.Mapping[str, t.Any]) -> str:
    """The id of a wanted clone: its own, or RESOURCE-clone."""
    return clone.get("id") or "%s-clone" % clone.get("resource")


def _unknown(found_in: t.Mapping[str, t.Any], known: t.Sequence[str], path: str) -> t.List[Problem]:
    usual = ("unknown", "one of " + ", ".join(known))
    return [problem("%s.%s" % (path, name), *(why_unmanaged(name) or usual)) for name in found_in if name not in known]


def _items(kind: str, items: t.Any, where: str) -> t.List[Problem]:
    """The problems of one list: resources, groups, clones, or one of the constraints."""
    nested = {"resources": ("operations",), "location": ("rule",), "alerts": ("recipients",)}.get(kind, ())
    found = _list(items, FIELDS[kind], nested, where)
    for i, item in enumerate(items if isinstance(items, list) else []):
        if isinstance(item, dict) and kind == "location":
            found += _location(item, "%s[%d]" % (where, i))
        if isinstance(item, dict) and kind == "resources" and item.get("operations") is not None:
            found += _list(item["operations"], OPERATION, (), "%s[%d].operations" % (where, i))
            found += _same_operations(item["operations"], "%s[%d].operations" % (where, i))
        if isinstance(item, dict) and kind == "alerts" and item.get("recipients") is not None:
            found += _list(item["recipients"], RECIPIENT, (), "%s[%d].recipients" % (where, i))
    return found


def _same_operations(items: t.Any, where: str) -> t.List[Problem]:
    """Two operations of one name, interval and role are one for Pacemaker."""
    keys = (
        [(one.get("name"), one.get("interval_s") or 0, one.get("role")) for one in items if isinstance(one, dict)]
        if isinstance(items, list)
        else []
    )
    twice = [i for i, key in enumerate(keys) if key in keys[:i]]
    return [problem("%s[%d]" % (where, i), "%s with this interval is stated already" % keys[i][0], "each operation once") for i in twice]


def _named(kind: str, items: t.Any, where: str) -> t.List[t.Tuple[str, t.Any]]:
    """Path and id of everything in a list that has an id."""
    return [
        ("%s[%d].id" % (where, i), clone_id(item) if kind == "clones" else item.get("id"))
        for i, item in enumerate(items if isinstance(items, list) else [])
        if isinstance(item, dict)
    ]


def _value_sets(holder: t.Mapping[str, t.Any], where: str) -> t.List[Problem]:
    wrongs = [(name, _values(holder[name])) for name in VALUE_SETS if holder.get(name) is not None]
    return [problem("%s.%s" % (where, name), "wrong value", wrong) for name, wrong in wrongs if wrong]


def check_config(config: t.Any) -> t.List[Problem]:
    """Every problem of a wanted configuration, each with its path; none means that it can be planned."""
    if not isinstance(config, dict):
        return [problem("config", "not a mapping", "a mapping, see the documentation of the option")]
    found = _unknown(config, TOP, "config") + _value_sets(config, "config")
    unset = config.get("unless_set") or {}
    if not isinstance(unset, dict):
        return found + [problem("config.unless_set", "not a mapping", "a mapping of " + ", ".join(VALUE_SETS))]
    found += _unknown(unset, VALUE_SETS, "config.unless_set") + _value_sets(unset, "config.unless_set")
    constraints = config.get("constraints") or {}
    if not isinstance(constraints, dict):
        return found + [problem("config.constraints", "not a mapping", "a mapping of " + ", ".join(CONSTRAINT_KINDS))]
    found += _unknown(constraints, CONSTRAINT_KINDS, "config.constraints")
    ids: t.List[t.Tuple[str, t.Any]] = []
    for kind in FIELDS:
        where = "config.constraints.%s" % kind if kind in CONSTRAINT_KINDS else "config.%s" % kind
        items = (constraints if kind in CONSTRAINT_KINDS else config).get(kind) or []
        found += _items(kind, items, where)
        ids += _named(kind, items, where)
        for i, item in enumerate(items if kind == "alerts" and isinstance(items, list) else []):
            ids += _named("recipients", item.get("recipients") if isinstance(item, dict) else None, "%s[%d].recipients" % (where, i))
    wrong = _values(config.get("node_hosts") or {})
    if wrong:
        found.append(problem("config.node_hosts", "wrong value", wrong))
    absent = config.get("absent") or []
    wrong = _ids(absent) if absent else None
    if wrong:
        found.append(problem("config.absent", "wrong value", wrong))
    else:
        ids += [("config.absent[%d]" % i, one) for i, one in enumerate(absent)]
    return found + _twice(ids)
