# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""Reads a cluster file: text to plain data to frozen models, with every problem at once."""

from __future__ import annotations

import hashlib
from collections.abc import Hashable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from ondemand.config.model import Cluster, ClusterFile
from ondemand.config.rules import Problem, problem, shape_problem, with_rules
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
    def state_dir(self) -> Path:
        """Where keys, passwords and the journal lie."""
        given = self.cluster.access.state_dir or f"~/.local/state/ondemand/{self.cluster.name}"
        return Path(given).expanduser()


class _Loader(yaml.SafeLoader):
    """PyYAML's safe loader, except that a key written twice is a problem instead of a silent choice."""


def _mapping(loader: _Loader, node: yaml.MappingNode) -> dict[Any, Any]:
    loader.flatten_mapping(node)
    made: dict[Any, Any] = {}
    for key_node, value_node in node.value:
        key = loader.construct_object(key_node, deep=True)
        if not isinstance(key, Hashable) or key in made:
            line = key_node.start_mark.line + 1
            raise yaml.constructor.ConstructorError(None, None, f"the key {key!r} in line {line} is there twice, or is no plain name")
        made[key] = loader.construct_object(value_node, deep=True)
    return made


_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def parse(text: str) -> Any:
    """YAML text as plain data. Raises ConfigError when it is no YAML, too large, or nested beyond reason."""
    try:
        if len(text) > LARGEST_FILE:
            raise ConfigError(f"the cluster file has more than {LARGEST_FILE} characters; that can't be meant")
        return yaml.load(text, Loader=_Loader)  # noqa: S506 - derived from SafeLoader
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        words = " ".join(str(error).split())
        told = problem((), f"is no YAML: {words}", "one YAML mapping with the key cluster")
        raise ConfigError(f"the cluster file is no YAML: {words}", [told]) from error


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
    return Loaded(cluster, text, hashlib.sha256(text.encode()).hexdigest())
