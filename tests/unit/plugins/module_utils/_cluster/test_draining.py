# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""What came of a drain: who goes on leaving, who stays, and what is told of it."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.ondemand.cluster.plugins.module_utils._cluster.draining import drained


def told(*busy: tuple[str, int]) -> dict[str, Any]:
    """A load balancer's answer: servers with so many sessions of the service web."""
    return {"changed": True, "busy": [{"service": "web", "server": name, "slot": "web/s1", "sessions": count} for name, count in busy]}


IDLE = told()


@pytest.mark.parametrize("at_end", ["keep", "cut"])
def test_who_is_drained_leaves(at_end: str) -> None:
    assert drained(["n2", "n3"], {"n1": IDLE, "n2": IDLE}, at_end, 60) == {"leave": ["n2", "n3"], "busy": [], "refusals": []}
    assert drained(["n2"], {}, at_end, 60)["leave"] == ["n2"], "without a load balancer nobody has sessions"


def test_who_has_sessions_stays_and_they_are_told_and_the_others_leave() -> None:
    clients = {"busy": [{"service": "web", "server": "n3", "sessions": 2, "clients": ["192.0.2.7", "192.0.2.9"]}]}
    found = drained(["n2", "n3"], {"n1": clients, "n3": told(("n3", 1)), "n2": IDLE}, "keep", 60)
    assert found["leave"] == ["n2"]
    assert [(one["name"], one["sessions"], one["balancer"]) for one in found["busy"]] == [("n3", 2, "n1"), ("n3", 1, "n3")]
    (refusal,) = found["refusals"]
    assert refusal["reason"] == "deadline"
    for word in ("n3 stays", "60 s", "2 of web through n1 from 192.0.2.7, 192.0.2.9", "1 of web through n3", "drain_s", "drain_end: cut"):
        assert word in refusal["sentence"]


def test_where_they_are_cut_all_leave_and_the_sessions_are_told() -> None:
    found = drained(["n2", "n3"], {"n1": told(("n3", 1)), "n2": None}, "cut", 60)
    assert (found["leave"], found["refusals"]) == (["n2", "n3"], [])
    assert [one["name"] for one in found["busy"]] == ["n3"]


@pytest.mark.parametrize("silent", [None, {}, {"failed": True, "busy": []}, {"unreachable": True, "busy": []}, {"changed": True}])
def test_nobody_leaves_on_a_guess(silent: dict[str, Any] | None) -> None:
    found = drained(["n2", "n3"], {"n1": silent, "n2": told(("n2", 4))}, "keep", 60)
    assert found["leave"] == []
    assert [one["reason"] for one in found["refusals"]] == ["deadline", "host_unreachable"]
    assert "n1" in found["refusals"][1]["sentence"]


def test_a_slot_that_the_load_balancer_does_not_know_is_no_proof_of_an_end() -> None:
    found = drained(["n2"], {"n1": told(("n2", 0))}, "keep", 60)
    assert found["leave"] == [] and "unknown number" in found["refusals"][0]["sentence"]
