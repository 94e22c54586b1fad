# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""A fact has one home: rules, as those of shape_rules, about defaults, names of what is made, and verdicts. Marks, ports and reasons are there."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from tests.shape_rules import CONTRACT, Rule, Tree

DEFAULTS = f"{CONTRACT}/config_defaults.py"
NAMES = f"{CONTRACT}/names.py"
CODE = ("plugins/*.py", "driver/src/*.py")
TEXTS = ("playbooks/*.yml", "roles/*.yml", "roles/*.j2")

# Reason of a verdict -> the only files that may say no for it. Other reasons tell what happened, and happen in many places.
CLUSTER = "plugins/module_utils/_cluster"
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
    "minimum": (f"{CLUSTER}/leave_rules.py", f"{CONTRACT}/limits.py"),
    "maximum": (f"{CONTRACT}/limits.py", "plugins/module_utils/_libvirt/host/placement.py", "driver/src/ondemand/plan/plan.py"),
    "last_node": (f"{CLUSTER}/leave_rules.py", f"{CLUSTER}/move_rules.py", "plugins/plugin_utils/membership_look.py"),
    "no_place": (f"{CLUSTER}/leave_rules.py", f"{CLUSTER}/move_rules.py", f"{CLUSTER}/what_if.py"),
    "unmanaged": (f"{CLUSTER}/leave_rules.py",),
}
REFUSING = re.compile(r"_?(refusal|refused|refusedtask)$", re.IGNORECASE)


def why_not_one_default(tree: Tree) -> list[str]:
    """A default of the cluster file stands in DEFAULTS: nobody else gives its key a value where the file has none."""
    if DEFAULTS not in tree.files:
        return []
    keys = set(_default_keys(tree.python[DEFAULTS]))
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
    """(key, line) of every value that a file gives by itself: a class's field, `get` with a value, an entry of a mapping."""
    for node in ast.walk(module):
        if isinstance(node, ast.ClassDef):
            fields = [one for one in node.body if isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name)]
            yield from ((one.target.id, one.lineno) for one in fields if isinstance(one.target, ast.Name) and _is_value(one.value))
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ("get", "setdefault"):
            key = node.args[0].value if node.args and isinstance(node.args[0], ast.Constant) else None
            if isinstance(key, str) and len(node.args) == 2 and _is_value(node.args[1]):
                yield key, node.lineno
        elif isinstance(node, ast.Dict):
            pairs = [
                (key.value, key.lineno)
                for key, value in zip(node.keys, node.values, strict=True)
                if isinstance(key, ast.Constant) and _is_value(value)
            ]
            yield from ((key, line) for key, line in pairs if isinstance(key, str))


def _is_value(node: ast.expr | None) -> bool:
    """Whether it is a constant that says something: not None, nothing, zero or empty."""
    return isinstance(node, ast.Constant) and bool(node.value) and node.value is not Ellipsis


def why_not_one_name(tree: Tree) -> list[str]:
    """What a VM is called, its MAC and the endings of its volumes are made, and taken apart, in NAMES alone."""
    number = re.compile(r"-n$|^-n\b|-n[%{(\[]")
    problems = []
    for path in tree.under(*CODE):
        if path == NAMES:
            continue
        module = tree.python[path]
        docs = {id(node.value) for node in ast.walk(module) if isinstance(node, ast.Expr)}
        texts = [
            node for node in ast.walk(module) if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs
        ]
        problems += [
            f"{path}:{node.lineno} has {text!r}; {NAMES} is the home of names"
            for node in texts
            if number.search(text := str(node.value)) or text.startswith("52:54:00:") or "-seed" in text
        ]
    joined = re.compile(r"~\s*['\"]-n|\}\}-n\{\{|52:54:00:|-seed\.iso")
    for path in tree.under(*TEXTS):
        problems += [f"{path} has {found[0]!r}; {NAMES} is the home of names" for found in joined.finditer(tree.files[path])]
    return problems


def why_not_one_verdict(tree: Tree) -> list[str]:
    """Whether a cluster may be changed, a node may leave and how many may be wanted is judged in the files of VERDICTS alone."""
    return [
        f"{path}:{line} refuses for {reason}; {', '.join(VERDICTS[reason])} judge that, read their verdict"
        for path in tree.under(*CODE)
        for reason, line in _refusals(tree.python[path])
        if reason in VERDICTS and path not in VERDICTS[reason]
    ]


def _refusals(module: ast.Module) -> Iterator[tuple[str, int]]:
    """(reason, line) of every refusal that is made: `Refusal(reason, ...)` and its like, and the pairs (reason, rule) of a table of rules."""
    for node in ast.walk(module):
        first: ast.expr | None = None
        if isinstance(node, ast.Call) and node.args:
            name = node.func.id if isinstance(node.func, ast.Name) else node.func.attr if isinstance(node.func, ast.Attribute) else ""
            first = node.args[0] if REFUSING.search(name) else None
        elif isinstance(node, ast.Tuple) and len(node.elts) == 2:
            first = node.elts[0]
        if isinstance(first, ast.Constant) and isinstance(first.value, str):
            yield first.value, first.lineno
        elif isinstance(first, ast.Attribute) and isinstance(first.value, ast.Name) and first.value.id == "Reason":
            yield first.attr.lower(), first.lineno


RULES: tuple[Rule, ...] = (why_not_one_default, why_not_one_name, why_not_one_verdict)
