# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors

"""The words in which every problem of a cluster file is told. Pure."""

from __future__ import annotations

import difflib
import reprlib
from typing import Any, Dict, Sequence, Tuple, Union

Path = Tuple[Union[str, int], ...]
Problem = Dict[str, str]


def path_text(path: Sequence[Union[str, int]]) -> str:
    """`('cluster', 'hosts', 0, 'uri')` as `cluster.hosts[0].uri`."""
    text = ""
    for part in path:
        text += "[%d]" % part if isinstance(part, int) else ("." if text else "") + str(part)
    return text


_SHORT = reprlib.Repr()
_SHORT.maxlevel = 3
_SHORT.maxlong = _SHORT.maxother = 80


def shown(value: Any) -> str:
    """A value for a sentence: one line, at most 60 characters. Aliases can make a value larger than memory, so it is never written whole."""
    try:
        text = repr(value[:61]) if isinstance(value, str) else _SHORT.repr(value)
    except ValueError:
        text = "a number with very many digits"
    return text if len(text) <= 60 else text[:57] + "..."


def problem(path: Sequence[Union[str, int]], what: str, should_be: str) -> Problem:
    """One thing the user can put right."""
    return {"path": path_text(path), "problem": what, "should_be": should_be}


# ---------------------------------------------------------------- the words for a wrong shape


def _resolved(schema: Dict[str, Any], node: Dict[str, Any], value: Any) -> Dict[str, Any]:
    """The schema node that counts: references followed, `null` alternatives left out, the branch of the `kind` chosen."""
    while True:
        if "$ref" in node:
            target = schema["$defs"][node["$ref"].rsplit("/", 1)[1]]
            node = {**target, **{key: node[key] for key in ("description", "default") if key in node}}
            continue
        branches = [one for one in node.get("anyOf", []) if one.get("type") != "null"]
        if len(branches) == 1:
            node = branches[0]
            continue
        chooser = node.get("discriminator")
        if chooser and isinstance(value, dict):
            tag = value.get(chooser["propertyName"])
            reference = chooser["mapping"].get(tag) if isinstance(tag, str) else None
            if reference:
                node = {"$ref": reference}
                continue
        return node


def schema_at(schema: Dict[str, Any], data: Any, path: Sequence[Union[str, int]]) -> Dict[str, Any]:
    """The schema node of a path in the data; an empty one where the schema says nothing."""
    node = _resolved(schema, schema, data)
    for part in path:
        if isinstance(part, int):
            node = node.get("items", {})
            data = data[part] if isinstance(data, list) and part < len(data) else None
        else:
            extra = node.get("additionalProperties")
            node = node.get("properties", {}).get(part) or (extra if isinstance(extra, dict) else {})
            data = data.get(part) if isinstance(data, dict) else None
        node = _resolved(schema, node, data)
    return node


def expectation(node: Dict[str, Any]) -> str:
    """What a schema node wants, in words."""
    if "enum" in node or "const" in node:
        return "one of " + ", ".join(str(one) for one in node.get("enum", [node.get("const")]))
    if "discriminator" in node:
        return "a mapping whose %s is one of %s" % (
            node["discriminator"]["propertyName"],
            ", ".join(sorted(node["discriminator"]["mapping"])),
        )
    kinds = {"object": "a mapping", "array": "a list", "string": "a text", "integer": "a whole number", "number": "a number"}
    kind = kinds.get(str(node.get("type")), "true or false" if node.get("type") == "boolean" else "a text, a number, or true or false")
    if "properties" in node:
        return kind + " with " + ", ".join(node["properties"])
    words = node.get("description", "")
    return "%s: %s" % (kind, words) if words else kind


def shape_problem(schema: Dict[str, Any], data: Any, path: Sequence[Union[str, int]], kind: str, value: Any = None) -> Problem:
    """A problem of shape in words. Kinds: `missing`, `unknown` (a field nobody knows), `key` (a bad name), else a bad value."""
    node = schema_at(schema, data, path)
    if kind == "missing":
        return problem(path, "is missing", expectation(node))
    if kind == "unknown":
        known = list(schema_at(schema, data, path[:-1]).get("properties", {}))
        near = difflib.get_close_matches(str(path[-1]), known, 1)
        hint = "%s, as it seems; " % near[0] if near else ""
        return problem(path, "is no field here", "%sone of %s" % (hint, ", ".join(known)) if known else "left out")
    if kind == "key":
        names = schema_at(schema, data, path[:-1]).get("propertyNames", {})
        return problem(path, "is no right name", names.get("description", "a name"))
    return problem(path, "%s does not fit" % shown(value), expectation(node))
