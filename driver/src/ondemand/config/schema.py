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
    made = ClusterFile.model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **made, "title": "cluster file"}


def schema_text() -> str:
    """The schema as `ondemand schema` prints it and as the collection carries it."""
    return json.dumps(schema(), indent=1, sort_keys=True) + "\n"
