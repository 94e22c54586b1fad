# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""Turns by turns: the same thing done by hand and by the collection, and what comes of it. Pure but for the calls it is given."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from typing import Any


def in_turns(by_hand: Callable[[], float], own: Callable[[], float], turns: int) -> tuple[list[float], list[float]]:
    """Seconds of each turn of both. They alternate, so that whatever slows the machine down slows both."""
    raw, ours = [], []
    for _turn in range(turns):
        raw.append(by_hand())
        ours.append(own())
    return raw, ours


def figure(raw: list[float], ours: list[float], goal: str) -> dict[str, Any]:
    """The figure as it is reported: all samples, both medians, their ratio and difference, and the goal in words."""
    raw_s, own_s = statistics.median(raw), statistics.median(ours)
    return {
        "raw_s": [round(one, 3) for one in raw],
        "own_s": [round(one, 3) for one in ours],
        "raw_median_s": round(raw_s, 3),
        "own_median_s": round(own_s, 3),
        "ratio": round(own_s / raw_s, 3),
        "more_s": round(own_s - raw_s, 3),
        "goal": goal,
    }
