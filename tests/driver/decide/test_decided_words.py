# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""What is decided in each situation, whole: the kind, the number, the code that history counts by, the sentence, and since when."""

from __future__ import annotations

from typing import Any

import pytest

from ondemand.decide.decide import decide
from ondemand.decide.threshold import window_key
from ondemand.memory import Memory, Window
from ondemand.model import Cause, Kind, Signal
from tests.driver.values import cluster, node, observation

NOW = 1000.0
ABOVE = "lb.rate_per_node 20 is above 15 for 6 s"
BELOW = "lb.rate_per_node 2 is below 6 for 12 s"
THREE = {"scaling": {"scale_out": {"most_at_once": 3}, "scale_in": {"most_at_once": 3}}}
TWO_POLICIES = {
    "scaling": {
        "policies": [
            {"name": "requests", "signal": "lb.rate_per_node", "above": 15, "below": 6},
            {"name": "queue", "signal": "lb.queue", "above": 10, "below": 1},
        ]
    }
}

# Case -> (what the memory has, requests per node, nodes, changes of the cluster file, what is decided).
CASES: dict[str, tuple[dict[str, Any], float, int, dict[str, Any], tuple[Kind, int, str, str, float | None]]] = {
    "more load than one node takes": (
        {"wanted": 1}, 20, 1, {},
        (Kind.GROW, 2, "grow", f"{ABOVE}: 2 nodes instead of 1", 994.0),
    ),
    "as many as the load needs": (
        {"wanted": 1}, 40, 1, THREE,
        (Kind.GROW, 3, "grow", "lb.rate_per_node 40 is above 15 for 6 s: 3 nodes instead of 1", 994.0),
    ),
    "more than the file allows": (
        {"wanted": 1}, 60, 1, THREE,
        (Kind.GROW, 3, "grow", "lb.rate_per_node 60 is above 15 for 6 s: 3 nodes instead of 1, of 4 asked for: the cluster file allows no more", 994.0),
    ),
    "at the most": (
        {"wanted": 3}, 20, 3, {},
        (Kind.HOLD, 3, "hold:most", f"{ABOVE}; 3 nodes are the most that the cluster file allows", None),
    ),
    "a growth that is under way": (
        {"wanted": 2, "cause": Cause.LOAD, "known": 1, "asked_at": 990.0}, 20, 1, {},
        (Kind.HOLD, 2, "hold:growing", f"{ABOVE}; 2 nodes are wanted already, 1 are there", None),
    ),
    "right after a growth": (
        {"wanted": 1, "grown_at": 985.0}, 20, 1, {},
        (Kind.HOLD, 1, "hold:cooldown_out", f"{ABOVE}; the last growth was less than 20 s ago", None),
    ),
    "the cooldown is over": (
        {"wanted": 1, "grown_at": 980.0}, 20, 1, {},
        (Kind.GROW, 2, "grow", f"{ABOVE}: 2 nodes instead of 1", 994.0),
    ),
    "less load than two nodes need": (
        {"wanted": 2}, 2, 2, {},
        (Kind.SHRINK, 1, "shrink", f"{BELOW}: 1 nodes instead of 2", 988.0),
    ),
    "at the least": (
        {"wanted": 1}, 2, 1, {},
        (Kind.HOLD, 1, "hold:least", f"{BELOW}; 1 nodes are the least that the cluster file allows", None),
    ),
    "fewer than the file asks for": (
        {"wanted": 3}, 2, 3, {**THREE, "requirement": {"nodes": {"min": 2, "max": 3}}},
        (Kind.SHRINK, 2, "shrink", f"{BELOW}: 2 nodes instead of 3, not 1: the cluster file asks for no fewer", 988.0),
    ),
    "right after a shrinking": (
        {"wanted": 2, "shrunk_at": 985.0}, 2, 2, {},
        (Kind.HOLD, 2, "hold:cooldown_in_shrinking", f"{BELOW}; the last shrinking was less than 20 s ago", None),
    ),
    "less load right after a growth": (
        {"wanted": 2, "grown_at": 985.0}, 2, 2, {},
        (Kind.HOLD, 2, "hold:cooldown_in_growth", f"{BELOW}; the last growth was less than 20 s ago", None),
    ),
    "neither much nor little": (
        {"wanted": 2}, 10, 2, {},
        (Kind.HOLD, 2, "hold:requests:between", "lb.rate_per_node 10 lies between 6 and 15", None),
    ),
    "one policy can't tell": (
        {"wanted": 2}, 2, 2, TWO_POLICIES,
        (Kind.HOLD, 2, "hold:queue:no_data", "policy queue can't tell: there is no sample of lb.queue", None),
    ),
    "one policy is enough to grow": (
        {"wanted": 1}, 20, 1, TWO_POLICIES,
        (Kind.GROW, 2, "grow", f"{ABOVE}: 2 nodes instead of 1", 994.0),
    ),
    "no policy at all": (
        {"wanted": 2}, 20, 2, {"scaling": {"policies": []}},
        (Kind.HOLD, 2, "no_policy", "the cluster file has no policy, so only its least and most count", None),
    ),
    "a raised least": (
        {"wanted": 1}, 10, 1, {"requirement": {"nodes": {"min": 2, "max": 3}}},
        (Kind.GROW, 2, "stated", "the cluster file asks for at least 2 nodes, and 1 are wanted", NOW),
    ),
    "a lowered most": (
        {"wanted": 3}, 10, 3, {"requirement": {"nodes": {"min": 1, "max": 2}}},
        (Kind.SHRINK, 2, "stated", "the cluster file allows at most 2 nodes, and 3 are wanted", NOW),
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_it_is_decided_and_told_whole(case: str) -> None:
    given, value, count, over, wanted = CASES[case]
    made = cluster(over)
    side, since = ("above", 994.0) if value > 15 else ("below", 988.0)
    windows = {window_key(policy, side): Window(since, 999.0) for policy in made.scaling.policies}
    memory = Memory(**{"cause": Cause.NONE, "known": given["wanted"], "windows": windows, **given})
    nodes = [node(number + 1) for number in range(count)]
    signals = {"lb.rate_per_node": Signal(value, "", NOW, tuple(one.name for one in nodes))}
    decision, after = decide(observation(nodes, at=NOW, signals=signals), made.requirement, made.scaling, memory, NOW)
    assert (decision.kind, decision.wanted, decision.code, decision.because, decision.breach_at) == wanted
    assert after.wanted == wanted[1]
