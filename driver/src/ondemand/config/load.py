# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""Reads a cluster file: text to plain data to frozen models, with every problem at once."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import TypeAdapter, ValidationError

from ondemand._collection.module_utils._contract.config_uris import PLAIN_PATH, odd_sign
from ondemand._collection.plugin_utils._config.errors import Problem, problem, shape_problem
from ondemand._collection.plugin_utils._config.rules import names_are_texts, too_much, with_rules
from ondemand.config.model import Cluster, ClusterFile
from ondemand.config.schema import schema
from ondemand.errors import ConfigError

LARGEST_FILE = 1_000_000


@dataclass(frozen=True)
class Loaded:
    """A cluster file that passed: its models, its text (what playbooks are given) and the text's SHA-256."""

    cluster: Cluster
    text: str
    digest: str

    @property
    def services(self) -> str:
        """A digest of what the file states of services: it changes when Pacemaker or the load balancer is to have something else."""
        parts = ("services", "constraints", "pacemaker", "fencing")
        stated = {part: getattr(self.cluster, part) for part in parts} | {"prefix": self.cluster.network.prefix}
        told = TypeAdapter(dict[str, Any]).dump_json(stated)
        return hashlib.sha256(told).hexdigest()

    @property
    def state_dir(self) -> Path:
        """Where keys, passwords and the journal lie."""
        given = self.cluster.access.state_dir or f"~/.local/state/ondemand/{self.cluster.name}"
        return Path(given).expanduser()


TEXT, MERGE = "tag:yaml.org,2002:str", "tag:yaml.org,2002:merge"


def _key_problems(root: yaml.Node | None) -> list[Problem]:
    """Keys that are no text (`on:` and `1.5:` are none), and keys written twice, of which YAML would silently take one.

    Looks at the nodes before `<<` is filled in: a key that overrides a merged one is what merging is for.
    """
    found: list[Problem] = []
    seen: set[int] = set()
    left: list[tuple[tuple[int | str, ...], yaml.Node | None]] = [((), root)]
    while left:
        path, node = left.pop()
        if node is None or id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            left += [((*path, i), one) for i, one in enumerate(node.value)]
        if isinstance(node, yaml.MappingNode):
            found += _names_of(node, path)
            left += [(path if key.tag == MERGE else (*path, _name(key)), value) for key, value in node.value]
    return found


def _name(key: yaml.Node) -> str:
    return str(key.value) if isinstance(key, yaml.ScalarNode) else "(a list or mapping)"


def _names_of(node: yaml.MappingNode, path: tuple[int | str, ...]) -> list[Problem]:
    """The problems of one mapping's keys."""
    found: list[Problem] = []
    first: dict[str, int] = {}
    for key, _value in node.value:
        line = key.start_mark.line + 1
        if key.tag not in (TEXT, MERGE):
            right = "a text; in quotes where YAML takes it for something else, as it does with on, no and numbers"
            found.append(problem((*path, _name(key)), f"is a name in line {line}, and no text", right))
        elif key.tag == TEXT and key.value in first:
            found.append(problem((*path, key.value), f"is there twice, in lines {first[key.value]} and {line}", "one of the two"))
        first.setdefault(_name(key), line)
    return found


def _nodes_and_data(text: str) -> tuple[list[Problem], Any]:
    """The problems of the text's names, or else its data. Raises what PyYAML raises."""
    loader = yaml.SafeLoader(text)
    try:
        root = loader.get_single_node()
        problems = _key_problems(root)
        return problems, None if problems or root is None else loader.construct_document(root)
    finally:
        loader.dispose()


def parse(text: str) -> Any:
    """YAML text as plain data. Raises ConfigError when it is no YAML, too large, nested beyond reason, or has names that are none."""
    if len(text) > LARGEST_FILE:
        raise ConfigError(f"the cluster file has more than {LARGEST_FILE} characters; that can't be meant")
    try:
        problems, data = _nodes_and_data(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        words = " ".join(str(error).split())
        told = problem((), f"is no YAML: {words}", "one YAML mapping with the key cluster")
        raise ConfigError(f"the cluster file is no YAML: {words}", [told]) from error
    if problems:
        raise ConfigError("the cluster file has names that can't be used; nothing was touched", problems)
    return data


def _path(loc: tuple[int | str, ...], data: Any, missing: bool) -> tuple[int | str, ...]:
    """Pydantic's location without the names of union branches, which are no part of the file."""
    path: list[int | str] = []
    part: Any
    for i, part in enumerate(loc):
        if (isinstance(data, list) and isinstance(part, int) and part < len(data)) or (isinstance(data, dict) and part in data):
            data = data[part]
        elif not (missing and i == len(loc) - 1):
            continue
        path.append(part)
    return tuple(path)


def _shape_problems(data: Any) -> tuple[Cluster | None, list[Problem]]:
    try:
        return ClusterFile.model_validate(data).cluster, []
    except ValidationError as error:
        kinds = {"missing": "missing", "extra_forbidden": "unknown", "invalid_key": "unknown"}
        found = []
        for one in error.errors(include_url=False, include_context=False):
            kind = "key" if one["loc"] and one["loc"][-1] == "[key]" else kinds.get(one["type"], "value")
            path = _path(one["loc"], data, kind == "missing")
            if one["type"] in ("union_tag_not_found", "union_tag_invalid"):
                tag = one["input"].get("kind") if isinstance(one["input"], dict) else None
                path, kind = (*path, "kind"), "missing" if tag is None else "value"
                found.append(_kind_problem(data, path, kind, tag))
            else:
                found.append(shape_problem(schema(), data, path, kind, one["input"]))
        return None, found


def _kind_problem(data: Any, path: tuple[int | str, ...], kind: str, tag: Any) -> Problem:
    """The kind decides which fields a service has, so it is told by itself."""
    told = shape_problem(schema(), data, path, kind, tag)
    return {**told, "should_be": "one of balanced, movable"}


def check(data: Any) -> tuple[Cluster | None, list[Problem]]:
    """The models of plain data, or every problem in it (then no models)."""
    # Before the models see it: they walk everything, put all of it into words, and lose the place of a name that is no text.
    wrong = too_much(data) or [problem(*one) for one in names_are_texts(data, ())]
    if wrong:
        return None, wrong
    cluster, shape = _shape_problems(data)
    problems = with_rules(shape, data.get("cluster") if isinstance(data, dict) else None)
    return (None, problems) if problems else (cluster, [])


def load(path: Path) -> Loaded:
    """Reads and checks a file. Raises ConfigError with all problems."""
    try:
        text = path.read_bytes().decode()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"the cluster file {path} can't be read: {error}; give the path of a readable YAML file in UTF-8") from error
    cluster, problems = check(parse(text))
    if cluster is None:
        count = f"{len(problems)} problem{'s' if len(problems) != 1 else ''}"
        raise ConfigError(f"the cluster file {path} has {count}; nothing was touched", problems)
    loaded = Loaded(cluster, text, hashlib.sha256(text.encode()).hexdigest())
    try:
        _ = loaded.state_dir
    except RuntimeError as error:
        told = problem(("cluster", "access", "state_dir"), f"can't be found: {error}", "a path that begins with /, or set HOME")
        raise ConfigError(f"the state folder of {path} can't be found; nothing was touched", [told]) from error
    if odd_sign(str(loaded.state_dir)):
        told = problem(("cluster", "access", "state_dir"), f"{loaded.state_dir} has a sign that ssh would fill in", PLAIN_PATH)
        raise ConfigError(f"the state folder of {path} can't be used; nothing was touched", [told])
    return loaded
