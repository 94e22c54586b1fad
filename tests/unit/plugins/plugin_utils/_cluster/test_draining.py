# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""What came of a drain: who goes on leaving, who stays, and what is told of it."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.draining import drained


def told(*busy: tuple[str, int]) -> dict[str, Any]:
    """A load balancer's answer: servers with so many sessions of the service web."""
    return {"changed": True, "busy": [{"service": "web", "server": name, "slot": "web/s1", "sessions": count} for name, count in busy]}


IDLE = told()


@pytest.mark.parametrize("at_end", ["keep", "cut"])
def test_who_is_drained_leaves(at_end: str) -> None:
    assert drained(["n2", "n3"], {"n1": IDLE, "n2": IDLE}, at_end, 60) == {"leave": ["n2", "n3"], "busy": [], "refusals": []}
    assert drained(["n2"], {}, at_end, 60)["leave"] == ["n2"], "without a load balancer nobody has sessions"


WAY_OUT = "Run it again when they have ended, raise deadlines.drain_s, or let them be cut with scaling.scale_in.drain_end: cut."
BUSY = {
    "n1": {"busy": [{"service": "web", "server": "n3", "sessions": 2, "clients": ["192.0.2.7", "192.0.2.9"]}]},
    "n3": {"busy": [{"service": "mail", "server": "n3", "sessions": 1}, {"service": "mail", "server": "n9", "sessions": 5}]},
    "n2": IDLE,
}
TOLD = [
    {"name": "n3", "balancer": "n1", "service": "web", "sessions": 2, "clients": ["192.0.2.7", "192.0.2.9"]},
    {"name": "n3", "balancer": "n3", "service": "mail", "sessions": 1, "clients": None},
]


def test_who_has_sessions_stays_and_they_are_told_and_the_others_leave() -> None:
    sentence = (
        "n3 stays and serves again: after 60.5 s it still had open sessions "
        "(2 of web through n1 from 192.0.2.7, 192.0.2.9; 1 of mail through n3). " + WAY_OUT
    )
    assert drained(["n2", "n3"], BUSY, "keep", 60.5) == {
        "leave": ["n2"],
        "busy": TOLD,
        "refusals": [{"reason": "deadline", "sentence": sentence}],
    }


def test_where_they_are_cut_all_leave_and_the_sessions_are_told() -> None:
    assert drained(["n2", "n3"], {**BUSY, "n4": None}, "cut", 60) == {"leave": ["n2", "n3"], "busy": TOLD, "refusals": []}


@pytest.mark.parametrize("silent", [None, {}, {"failed": True, "busy": []}, {"unreachable": True, "busy": []}, {"changed": True}])
def test_nobody_leaves_on_a_guess(silent: dict[str, Any] | None) -> None:
    found = drained(["n2", "n3"], {"n4": silent, "n1": silent, "n2": told(("n2", 4))}, "keep", 60)
    assert found["leave"] == []
    assert found["refusals"] == [
        {
            "reason": "deadline",
            "sentence": f"n2 stays and serves again: after 60 s it still had open sessions (4 of web through n2). {WAY_OUT}",
        },
        {
            "reason": "host_unreachable",
            "sentence": "n3 stays and serves again: the load balancer of n1, n4 did not tell whether its sessions have ended. "
            "Look at that one first.",
        },
    ]


def test_sessions_that_a_silent_load_balancer_told_before_are_told() -> None:
    assert drained(["n2"], {"n1": {"failed": True, **told(("n2", 3))}}, "keep", 60)["refusals"][0]["reason"] == "deadline"


def test_a_slot_that_the_load_balancer_does_not_know_is_no_proof_of_an_end() -> None:
    found = drained(["n2"], {"n1": told(("n2", 0))}, "keep", 60)
    assert found["leave"] == [] and "(an unknown number of web through n1)" in found["refusals"][0]["sentence"]
