# -*- coding: utf-8 -*-
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Checks a cluster file's data on the controller: schema and cross rules, every problem at once, nothing touched."""

from __future__ import annotations

import functools
import json
import os
from typing import Any, Dict, Iterator, List, Optional

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible_collections.ondemand.cluster.plugins.module_utils._contract.config_uris import PLAIN_PATH, odd_sign
from ansible_collections.ondemand.cluster.plugins.plugin_utils._config.errors import problem
from ansible_collections.ondemand.cluster.plugins.plugin_utils._config.rules import (
    Path,
    Problem,
    shape_problem,
    too_much,
    with_rules,
)

try:
    import jsonschema

    MISSING: Optional[str] = None
except ImportError as error:
    MISSING = str(error)

SCHEMA_FILE = os.path.join(os.path.dirname(__file__), "..", "plugin_utils", "cluster_schema.json")


@functools.lru_cache(maxsize=1)
def schema() -> Dict[str, Any]:
    """The JSON Schema that the collection carries."""
    with open(SCHEMA_FILE, encoding="utf-8") as file:
        return json.load(file)


def _plain(value: Any) -> Any:
    """Ansible's tagged and lazy containers as plain ones; a problem must show what the user wrote."""
    if isinstance(value, dict):
        return {str(key) if isinstance(key, str) else key: _plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    return str(value) if isinstance(value, str) else value


def _told(error: Any, path: Path, data: Any) -> Iterator[Problem]:
    """One jsonschema error in our words; an error of alternatives is told as those of the alternative that was meant."""
    rule, instance = error.validator, error.instance
    if rule == "required":
        for name in error.validator_value:
            if isinstance(instance, dict) and name not in instance:
                yield shape_problem(schema(), data, path + (name,), "missing")
    elif rule == "additionalProperties" and isinstance(instance, dict):
        known = error.schema.get("properties", {})
        for name in instance:
            if name not in known:
                yield shape_problem(schema(), data, path + (name,), "unknown")
    elif "propertyNames" in error.relative_schema_path:
        yield shape_problem(schema(), data, path + (instance,), "key")
    elif rule == "oneOf":
        yield from _branch(error, path, data)
    elif rule == "anyOf":
        meant = [one for one in error.validator_value if one.get("type") != "null"]
        inner = [one for one in error.context if len(meant) == 1 and error.validator_value[one.relative_schema_path[0]] is meant[0]]
        for one in inner:
            yield from _told(one, path + tuple(one.relative_path), data)
        if not inner:
            yield shape_problem(schema(), data, path, "value", instance)
    else:
        yield shape_problem(schema(), data, path, "value", instance)


def _branch(error: Any, path: Path, data: Any) -> Iterator[Problem]:
    """A service's problems: those of the kind that it says it has, or that its kind is wrong."""
    if not isinstance(error.instance, dict):
        yield shape_problem(schema(), data, path, "value", error.instance)
        return
    kind = error.instance.get("kind")
    kinds = list(error.schema["discriminator"]["mapping"])
    if not isinstance(kind, str) or kind not in kinds:
        told = shape_problem(schema(), data, path + ("kind",), "missing" if kind is None else "value", kind)
        yield dict(told, should_be="one of " + ", ".join(sorted(kinds)))
        return
    meant = error.schema["discriminator"]["mapping"][kind]
    for one in error.context:
        if error.validator_value[one.relative_schema_path[0]].get("$ref") == meant:
            yield from _told(one, path + tuple(one.relative_path), data)


def _validator() -> Any:
    """The schema's validator, with numbers as the driver takes them: 2.0 is no whole number, and what compares with nothing is none."""
    kinds = {
        "integer": lambda _checker, value: isinstance(value, int) and not isinstance(value, bool),
        "number": lambda _checker, value: isinstance(value, (int, float)) and not isinstance(value, bool) and value - value == 0,
    }
    base = jsonschema.Draft202012Validator
    return jsonschema.validators.extend(base, type_checker=base.TYPE_CHECKER.redefine_many(kinds))(schema())


def check(data: Any) -> List[Problem]:
    """Every problem of a whole cluster file, given as plain data; an empty list if there is none."""
    many = too_much(data)
    if many:
        return many
    shape: List[Problem] = []
    for error in _validator().iter_errors(data):
        shape += _told(error, tuple(error.absolute_path), data)
    return with_rules(shape, data.get("cluster") if isinstance(data, dict) else None)


def home_problems(cluster: Dict[str, Any]) -> List[Problem]:
    """What is wrong with the state directory as it is on this controller: `~` is a directory that the file doesn't tell."""
    given = (cluster.get("access") or {}).get("state_dir") or "~"
    path = os.path.expanduser(given)
    if not odd_sign(path):
        return []
    return [problem(("cluster", "access", "state_dir"), "%s has a sign that ssh would fill in" % path, PLAIN_PATH)]


def sentence(problems: List[Problem]) -> str:
    """All problems as one text, a line each."""
    head = "The cluster file has %d problem%s; nothing was touched." % (len(problems), "" if len(problems) == 1 else "s")
    lines = ["%s: %s; right would be: %s" % (one["path"] or "the file", one["problem"], one["should_be"]) for one in problems]
    return "\n".join([head, *lines])


class ActionModule(ActionBase):
    """The action behind the documentation in plugins/modules/cluster_check.py."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: Any = None, task_vars: Optional[Dict[str, Any]] = None) -> Dict[str, Any]:
        """Checks, and fails with all problems."""
        result: Dict[str, Any] = super().run(tmp, task_vars)
        given = self._given()
        if MISSING is not None:
            raise AnsibleActionFail(
                "cluster_check needs the Python library jsonschema on the controller, in the Python that runs Ansible, and can't "
                "import it (%s); install it there, for example with pip or the package python3-jsonschema" % MISSING
            )
        # Counted before it is copied: a few aliases can stand for billions of values.
        problems = too_much(given) or check({"cluster": _plain(given)}) or home_problems(given)
        result.update(changed=False, problems=problems)
        if problems:
            result.update(
                failed=True,
                msg=sentence(problems),
                refusal={"reason": "bad_input", "sentence": sentence(problems)},
            )
        return result

    def _given(self) -> Any:
        """The option `cluster` as it was given: a wrong type is one problem among others, so it is not converted here."""
        unknown = sorted(set(self._task.args) - {"cluster"})
        if unknown or "cluster" not in self._task.args:
            raise AnsibleActionFail(
                "cluster_check takes one option, cluster, the value of that key of the cluster file; "
                + ("unknown: %s" % ", ".join(unknown) if unknown else "it is missing, so pass -e @FILE and cluster: '{{ cluster }}'")
            )
        return self._task.args["cluster"]
