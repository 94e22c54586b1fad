# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""Cluster files that must pass, and changes that must not: one table for the driver's check and the collection's."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).resolve().parent
DEMO = HERE.parent.parent / "examples" / "demo.yml"


def read(path: Path) -> Any:
    """A YAML file as plain data."""
    return yaml.safe_load(path.read_text())


def good_files() -> dict[str, Any]:
    """Name -> data of every file that must pass."""
    return {path.stem: read(path) for path in [*sorted((HERE / "good").glob("*.yml")), DEMO]}


def _walk(data: Any, path: str) -> tuple[Any, Any]:
    parts = [int(part) if part.isdigit() else part for part in path.split(".")]
    for part in parts[:-1]:
        data = data.setdefault(part, {}) if isinstance(data, dict) else data[part]
    return data, parts[-1]


def bad_files() -> dict[str, tuple[Any, list[str]]]:
    """Name -> (data, paths of its problems) of every file that must be refused."""
    made = {}
    for path in sorted((HERE / "bad").glob("*.yml")):
        case = read(path)
        data = copy.deepcopy(case["whole"] if "whole" in case else read(DEMO))
        for where, value in case.get("set", {}).items():
            holder, key = _walk(data["cluster"], where)
            if isinstance(holder, list) and key == len(holder):
                holder.append(value)
            else:
                holder[key] = value
        for where in case.get("drop", []):
            holder, key = _walk(data["cluster"], where)
            del holder[key]
        made[path.stem] = (data, case["paths"])
    return made
