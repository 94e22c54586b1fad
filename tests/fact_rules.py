# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""A fact has one home: rules, as those of shape_rules, about defaults, names of what is made, and verdicts. Marks, ports and reasons are there."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from tests.shape_rules import CLUSTER, CONFIG, CONTRACT, Rule, Tree

DEFAULTS = f"{CONTRACT}/config_defaults.py"
NAMES = f"{CONTRACT}/names.py"
CODE = ("plugins/*.py", "driver/src/*.py")
TEXTS = ("playbooks/*.yml", "roles/*.yml", "roles/*.j2")

# Reason of a verdict -> the only files that may say no for it. Other reasons tell what happened, and happen in many places.
VERDICTS: dict[str, tuple[str, ...]] = {
    "not_quorate": (
        f"{CLUSTER}/change_rules.py",
        f"{CLUSTER}/leave_rules.py",
        f"{CLUSTER}/join_rules.py",
        f"{CLUSTER}/move_rules.py",
        f"{CLUSTER}/recovery.py",
    ),
    "unclean": (f"{CLUSTER}/change_rules.py", f"{CLUSTER}/leave_rules.py", f"{CLUSTER}/join_rules.py"),
    "quorum": (
        f"{CLUSTER}/leave_rules.py",
        f"{CLUSTER}/join_rules.py",
        f"{CLUSTER}/what_if.py",
        f"{CLUSTER}/membership_plan.py",
        f"{CLUSTER}/step_lists.py",
    ),
    "minimum": (f"{CLUSTER}/leave_rules.py", f"{CONFIG}/limits.py"),
    "maximum": (f"{CONFIG}/limits.py", "plugins/module_utils/_libvirt/host/placement.py", "driver/src/ondemand/plan/plan.py"),
    "last_node": (f"{CLUSTER}/leave_rules.py", f"{CLUSTER}/move_rules.py", "plugins/plugin_utils/membership_look.py"),
    "no_place": (f"{CLUSTER}/leave_rules.py", f"{CLUSTER}/move_rules.py", f"{CLUSTER}/what_if.py"),
    "unmanaged": (f"{CLUSTER}/leave_rules.py",),
}
# Keys whose word means other things elsewhere: they are not looked for.
GENERAL = frozenset({"user", "check", "method", "policies"})
REFUSING = re.compile(r"_?(refusal|refused|refusedtask)$", re.IGNORECASE)


def why_not_one_default(tree: Tree) -> list[str]:
    """A default of the cluster file stands in DEFAULTS: nobody else gives its key a value where the file has none."""
    if DEFAULTS not in tree.files:
        return []
    keys = set(_default_keys(tree.python[DEFAULTS])) - GENERAL
    problems = [
        f"{path}:{line} has a default of {key}; {DEFAULTS} is its home"
        for path in tree.under(*CODE)
        if path != DEFAULTS
        for key, line in _given(tree.python[path])
        if key in keys
    ]
    # Jinja: `deadlines.boot_s | default(300)`. Nothing, or what the caller leaves out, is no value.
    given = re.compile(rf"\b({'|'.join(sorted(keys))})\b['\"\]]*\s*\|\s*d(efault)?\((?!\s*(omit|none|\{{|\[|''|\"\"))")
    for path in tree.under(*TEXTS):
        problems += [f"{path} has a default of {found[1]}; {DEFAULTS} is its home" for found in given.finditer(tree.files[path])]
    return problems


def _default_keys(module: ast.Module) -> Iterator[str]:
    """The keys of the mappings of defaults, and the constants' own names in small letters."""
    for node in module.body:
        value = node.value if isinstance(node, (ast.Assign, ast.AnnAssign)) else None
        if isinstance(value, ast.Dict):
            yield from (key.value for key in value.keys if isinstance(key, ast.Constant) and isinstance(key.value, str))
        elif isinstance(value, ast.Constant):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
            yield from (target.id.lower() for target in targets if isinstance(target, ast.Name))


def _given(module: ast.Module) -> Iterator[tuple[str, int]]:
    """(key, line) of every value that a file gives by itself."""
    for node in ast.walk(module):
        yield from ((key, node.lineno) for key in _keys_given(node) if isinstance(node, (ast.stmt, ast.expr)))


def _keys_given(node: ast.AST) -> Iterator[str]:
    """A class's field, a constant of the key's name, `get` with a value or `or` one, an entry of a mapping, an option's default."""
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and _is_value(node.value):
        yield node.target.id
    elif isinstance(node, ast.Assign) and _is_value(node.value):
        yield from (target.id.lower() for target in node.targets if isinstance(target, ast.Name) and target.id.isupper())
    elif isinstance(node, ast.Call) and len(node.args) == 2 and _is_value(node.args[1]):
        yield from _texts(node.args[0] if isinstance(node.func, ast.Attribute) and node.func.attr in ("get", "setdefault") else None)
    elif isinstance(node, ast.BoolOp) and isinstance(node.op, ast.Or) and _is_value(node.values[-1]):
        asked = node.values[0]
        yield from _texts(asked.args[0] if isinstance(asked, ast.Call) and asked.args else getattr(asked, "slice", None))
    elif isinstance(node, (ast.Dict, ast.Call)):
        for key, value in _entries(node):
            options = dict(_entries(value)) if isinstance(value, ast.Dict) else {}
            if _is_value(value) or _is_value(options.get("default")):
                yield key


def _entries(node: ast.expr) -> list[tuple[str, ast.expr]]:
    """The entries of a mapping, written as a display or as `dict(...)`."""
    if isinstance(node, ast.Dict):
        return [(text, value) for key, value in zip(node.keys, node.values, strict=True) for text in _texts(key)]
    made = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "dict"
    return [(one.arg, one.value) for one in node.keywords if one.arg] if made and isinstance(node, ast.Call) else []


def _texts(node: ast.AST | None) -> Iterator[str]:
    """The text that a node is, if it is one."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value


def _is_value(node: ast.expr | None) -> bool:
    """Whether it is a constant that says something: not None, nothing, zero or empty."""
    return isinstance(node, ast.Constant) and bool(node.value) and node.value is not Ellipsis


def why_not_one_name(tree: Tree) -> list[str]:
    """What a VM is called, its MAC and the endings of its volumes are made, and taken apart, in NAMES alone."""
    problems = [
        f"{path}:{line} has {text!r}; {NAMES} is the home of names"
        for path in tree.under(*CODE)
        if path != NAMES
        for text, line in _names_made(tree.python[path])
    ]
    joined = re.compile(r"~\s*['\"]-n|\}\}-n\{\{|52:54:00:|-seed\.iso")
    for path in tree.under(*TEXTS):
        problems += [f"{path} has {found[0]!r}; {NAMES} is the home of names" for found in joined.finditer(tree.files[path])]
    return problems


def _names_made(module: ast.Module) -> Iterator[tuple[str, int]]:
    """(text, line) of each text of which a name is made: `f"{cluster}-n{number}"`, `name.split("-n")`. Alone, -n is an option of a command."""
    docs = {id(node.value) for node in ast.walk(module) if isinstance(node, ast.Expr)}
    joined = [node.values for node in ast.walk(module) if isinstance(node, ast.JoinedStr)]
    methods = [node.args for node in ast.walk(module) if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)]
    parts = {id(part) for values in (*joined, *methods) for part in values}
    number = re.compile(r"\S-n$|\S?-n[%{(\[]")
    for node in ast.walk(module):
        for text in _texts(node) if id(node) not in docs else ():
            if number.search(text) or (text == "-n" and id(node) in parts) or text.startswith("52:54:00:") or "-seed" in text:
                yield text, node.lineno if isinstance(node, ast.expr) else 0


def why_not_one_verdict(tree: Tree) -> list[str]:
    """Whether a cluster may be changed, a node may leave and how many may be wanted is judged in the files of VERDICTS alone."""
    return [
        f"{path}:{line} refuses for {reason}; {', '.join(VERDICTS[reason])} judge that, read their verdict"
        for path in tree.under(*CODE)
        for reason, line in _refusals(tree.python[path])
        if reason in VERDICTS and path not in VERDICTS[reason]
    ]


def _refusals(module: ast.Module) -> Iterator[tuple[str, int]]:
    """(reason, line) of every refusal that is made."""
    for node in ast.walk(module):
        reason = _reason_given(node)
        yield from ((text, reason.lineno) for text in _texts(reason) if isinstance(reason, ast.expr))
        if isinstance(reason, ast.Attribute) and isinstance(reason.value, ast.Name) and reason.value.id == "Reason":
            yield reason.attr.lower(), reason.lineno


def _reason_given(node: ast.AST) -> ast.expr | None:
    """The reason in `Refusal(reason, ...)` and its like, in {"reason": ...}, and in a pair (reason, rule) of a table of rules."""
    if isinstance(node, ast.Call):
        name = getattr(node.func, "id", getattr(node.func, "attr", ""))
        named = next((one.value for one in node.keywords if one.arg == "reason"), None)
        return (named or next(iter(node.args), None)) if REFUSING.search(name) else None
    if isinstance(node, ast.Tuple) and len(node.elts) == 2 and not isinstance(node.elts[1], ast.Constant):
        return node.elts[0]
    return dict(_entries(node)).get("reason") if isinstance(node, ast.Dict) else None


RULES: tuple[Rule, ...] = (why_not_one_default, why_not_one_name, why_not_one_verdict)
