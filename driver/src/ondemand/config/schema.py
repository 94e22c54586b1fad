# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""The JSON Schema of the cluster file, made from the models."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from ondemand.config.model import ClusterFile


@cache
def schema() -> dict[str, Any]:
    """The schema of the whole file as data."""
    made = _strict_names(ClusterFile.model_json_schema())
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **made, "title": "cluster file"}


def _strict_names(node: Any) -> Any:
    """Pydantic writes a mapping with a pattern for its keys so that other keys pass; here other keys are problems."""
    if isinstance(node, list):
        return [_strict_names(one) for one in node]
    if not isinstance(node, dict):
        return node
    made = {key: _strict_names(value) for key, value in node.items() if key != "patternProperties"}
    for pattern, value in node.get("patternProperties", {}).items():
        made["propertyNames"] = {**made.get("propertyNames", {}), "pattern": pattern}
        made["additionalProperties"] = _strict_names(value)
    return made


def schema_text() -> str:
    """The schema as `ondemand schema` prints it and as the collection carries it."""
    return json.dumps(schema(), indent=1) + "\n"
