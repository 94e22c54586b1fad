# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""The rules of the house for playbooks, as the rules of shape_rules: a playbook is a table of contents, and what it decides is Python's.

A template names a value, or asks whether there is any. Which one is taken, how many there are to be, and what follows from what was
seen is thought in plugins/plugin_utils/run_account.py, behind the filter ``after``.
"""

from __future__ import annotations

from collections.abc import Iterator

import jinja2
import yaml
from jinja2 import nodes

from tests.shape_rules import Rule, Tree

CONDITIONS = ("when", "failed_when", "changed_when", "until")
# Filters that choose nothing: they write a value down in another way, or name all but some.
PLAIN = frozenset(
    {
        "bool",
        "combine",
        "default",
        "difference",
        "from_json",
        "int",
        "join",
        "length",
        "map",
        "quote",
        "replace",
        "sort",
        "to_nice_json",
        "trim",
        "union",
    }
)
OWN = "ondemand.cluster."
FOREIGN = frozenset({"ansible.builtin.urlsplit"})
DECIDING = {nodes.CondExpr: "if", nodes.If: "if", nodes.For: "for", nodes.Add: "+", nodes.Sub: "-", nodes.Mul: "*", nodes.Slice: "[:]"}
# The facts that are made: what a run knows, the Python that Ansible itself is to use, and what a role hands back, which can be nothing else.
FACTS = {
    "playbooks/tasks/keep.yml": {"ondemand_run"},
    "playbooks/tasks/check.yml": {"ansible_python_interpreter"},
    "roles/image/tasks/publish.yml": {"image_published"},
}
# Whatever has a plan. A role that installs asks for the family of its node, as every role does.
PLANNED = {
    "playbooks/*.yml": "an event of plugins/plugin_utils/run_account.py",
    "roles/image/tasks/*.yml": "plugins/plugin_utils/image_plan.py",
    "roles/image/vars/*.yml": "plugins/plugin_utils/image_plan.py",
}
SET_FACT = ("set_fact", "ansible.builtin.set_fact", "ansible.legacy.set_fact")


def templates(value: object, path: str = "") -> Iterator[tuple[str, str]]:
    """Every template in a file's value, with the keys that lead to it; what a condition says is one without braces."""
    if isinstance(value, dict):
        for key, held in value.items():
            if key in CONDITIONS:
                told = held if isinstance(held, list) else [held]
                yield from ((f"{path}.{key}", "{{ " + one + " }}") for one in told if isinstance(one, str))
            else:
                yield from templates(held, f"{path}.{key}")
    elif isinstance(value, list):
        for held in value:
            yield from templates(held, path)
    elif isinstance(value, str) and ("{{" in value or "{%" in value):
        yield path, value


def is_any(node: nodes.Compare) -> bool:
    """Whether a comparison asks no more than whether there is something: a length or a number with 0, a text with the empty one."""
    return all(isinstance(one.expr, nodes.Const) and one.expr.value in (0, "") for one in node.ops)


def decisions(template: str) -> list[str]:
    """What in a template decides."""
    tree = jinja2.Environment(autoescape=True).parse(template)
    found = [word for kind, word in DECIDING.items() if next(tree.find_all(kind), None)]
    found += ["a comparison" for node in tree.find_all(nodes.Compare) if not is_any(node)]
    names = [node.name for node in tree.find_all(nodes.Filter)]
    return found + [f"the filter {name}" for name in names if name not in PLAIN | FOREIGN and not name.startswith(OWN)]


def why_not_a_table_of_contents(tree: Tree) -> list[str]:
    """No template of a playbook decides: Python does."""
    return [
        f"{path}: {keys.lstrip('.')} decides by {what}; let {planner} do so"
        for pattern, planner in PLANNED.items()
        for path in tree.under(pattern)
        for keys, template in templates(yaml.safe_load(tree.files[path]))
        for what in decisions(template)
    ]


def facts_of(value: object) -> Iterator[str]:
    """Names of the facts that the tasks in a file's value make."""
    if isinstance(value, dict):
        for key, held in value.items():
            yield from (name for name in held if name != "cacheable") if key in SET_FACT else facts_of(held)
    elif isinstance(value, list):
        for held in value:
            yield from facts_of(held)


def why_not_one_fact(tree: Tree) -> list[str]:
    """No set_fact gathers: there is one fact, what the run knows."""
    return [
        f"{path} makes the fact {name}; playbooks/tasks/keep.yml keeps what the run knows, and a task's result is registered"
        for path in tree.under("playbooks/*.yml", "roles/*.yml")
        for name in sorted(set(facts_of(yaml.safe_load(tree.files[path]))) - FACTS.get(path, set()))
    ]


RULES: tuple[Rule, ...] = (why_not_a_table_of_contents, why_not_one_fact)
