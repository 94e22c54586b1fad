# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""Turns by turns: the same thing done by hand and by the collection, and what comes of it. Pure but for the calls it is given."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Goal:
    """The most that one value of a figure may be."""

    value: str
    most: float

    def told(self, figure: Mapping[str, Any]) -> dict[str, Any]:
        """The goal with what was reached, for the report."""
        return {"value": self.value, "most": self.most, "met": figure[self.value] <= self.most}


def in_turns(by_hand: Callable[[], float], own: Callable[[], float], turns: int) -> tuple[list[float], list[float]]:
    """Seconds of each turn of both. They alternate, and so does who goes first: whatever slows the machine down slows both."""
    raw: list[float] = []
    ours: list[float] = []
    for turn in range(turns):
        pair = [(raw, by_hand), (ours, own)]
        for seconds, act in pair if turn % 2 == 0 else reversed(pair):
            seconds.append(act())
    return raw, ours


def figure(raw: list[float], ours: list[float], *goals: Goal) -> dict[str, Any]:
    """The figure as it is reported: all samples, both medians, their ratio and difference, and its goals."""
    raw_s, own_s = statistics.median(raw), statistics.median(ours)
    found: dict[str, Any] = {
        "raw_s": [round(one, 3) for one in raw],
        "own_s": [round(one, 3) for one in ours],
        "raw_median_s": round(raw_s, 3),
        "own_median_s": round(own_s, 3),
        "ratio": round(own_s / raw_s, 3),
        "more_s": round(own_s - raw_s, 3),
    }
    return with_goals(found, *goals)


def with_goals(found: dict[str, Any], *goals: Goal) -> dict[str, Any]:
    """A figure with its goals beside its values."""
    return {**found, "goals": [goal.told(found) for goal in goals]}


def missed(figures: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """A sentence for each goal that was missed."""
    return [
        f"{name}: {goal['value']} is {figure[goal['value']]:g}, and at most {goal['most']:g} was the goal"
        for name, figure in figures.items()
        for goal in figure.get("goals", [])
        if not goal["met"]
    ]
