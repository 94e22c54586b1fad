# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""placeholder"""
from __future__ import annotations
from dataclasses import dataclass

@dataclass(frozen=True)
class Action:
    """Placeholder until the journal's format is read."""

    kind: str
    because: str
    breach_at: float | None
    decided_at: float
    done_at: float | None
    serving_at: float | None
