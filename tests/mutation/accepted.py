# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""The survivors that are right to survive, each with its reason: accepted.yml read, and held against a run."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import yaml

Key = tuple[str, str, str]
"""Path, the text of the source line, the change."""


def read_accepted(path: Path) -> dict[Key, str]:
    """Key of each accepted mutant -> the reason. A row without reason, or twice the same, raises ValueError."""
    reasons: dict[Key, str] = {}
    for file, rows in (yaml.safe_load(path.read_text(encoding="utf-8")) or {}).items():
        for row in rows:
            key = (file, row["line"], row["change"])
            if not row.get("because"):
                raise ValueError(f"{path.name}: {file}: `{row['change']}` is accepted without a reason; say why no test can see it")
            if key in reasons:
                raise ValueError(f"{path.name}: {file}: `{row['change']}` on the same line is accepted twice; leave one out")
            reasons[key] = row["because"]
    return reasons


def stale(accepted: Iterable[Key], files: set[str], mutants: set[Key], killed: set[Key]) -> list[str]:
    """A sentence for each row that no longer says something true of these files."""
    problems = []
    for key in accepted:
        file, text, change = key
        if file not in files:
            continue
        if key not in mutants:
            problems.append(f"{file}: there is no mutant `{change}` on a line `{text}`; take its row out of accepted.yml")
        elif key in killed:
            problems.append(f"{file}: a test kills `{change}` on the line `{text}`; take its row out of accepted.yml")
    return problems
