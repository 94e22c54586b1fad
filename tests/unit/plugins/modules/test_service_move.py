# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""service_move: where a service may go, and what check mode tells. With real stops and starts: tests/cluster/test_move.py."""

from __future__ import annotations

import pytest

from tests.unit.playbooks.wall_stage import ALONE, record, with_lost

from .a_task import run

THERE = {"cell-n1": record()}
LEDGER = {"service": "ledger", "members": ["cell-n1"]}
MOVED = (0, "clock 1790000003\nstopped_at 1790000001\nstarted_at 1790000002\noutcome moved\n", "")
BACK = (0, "clock 1790000003\nstopped_at 1790000001\noutcome start_failed\nnode cell-n1\n", "")


def test_a_service_goes_to_the_other_node_and_check_mode_tells_it_without_touching_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    foretold, untouched = run(monkeypatch, "service_move", LEDGER, THERE, check=True)
    told, door = run(monkeypatch, "service_move", LEDGER, THERE, {"stopped_at": MOVED})
    for result in (foretold, told):
        assert (result["changed"], result["from"], result["to"]) == (True, "cell-n1", "cell-n2")
    assert foretold["diff"] == told["diff"] and untouched.acts == []
    assert told["started_at"] - told["stopped_at"] == 1 and len(door.acts) == 1


def test_a_service_that_is_there_already_is_not_touched(monkeypatch: pytest.MonkeyPatch) -> None:
    told, door = run(monkeypatch, "service_move", {**LEDGER, "to": "cell-n1"}, THERE)
    assert told["changed"] is False and door.acts == []


REFUSED = {
    "a service that nobody knows": ({"service": "mail"}, record(), "not_found"),
    "what runs everywhere": ({"service": "web-clone"}, record(), "bad_input"),
    "a node that nobody knows": ({"to": "cell-n9"}, record(), "not_found"),
    "no other node is there": ({}, with_lost(record(), "cell-n2"), "last_node"),
    "no cluster": ({}, ALONE, "not_found"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_it_is_refused_before_anything_is_touched(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    args, seen, reason = REFUSED[case]
    told, door = run(monkeypatch, "service_move", {**LEDGER, **args}, {"cell-n1": seen})
    assert (told["failed"], told["changed"], door.acts) == (True, False, [])
    assert told["refusal"]["reason"] == reason, told["msg"]


def test_where_one_member_tells_no_votes_the_next_one_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Corosync does not answer there for a moment, as during a change of the membership."""
    mute = record().replace("Expected votes:", "Cannot initialize QUORUM service")
    assert mute != record()
    both = {**LEDGER, "members": ["cell-n1", "cell-n2"]}
    told, door = run(monkeypatch, "service_move", both, {"cell-n1": mute, "cell-n2": record()}, {"stopped_at": MOVED})
    assert (told.get("changed"), door.looks[:2]) == (True, ["cell-n1", "cell-n2"]), told
    told, _door = run(monkeypatch, "service_move", LEDGER, {"cell-n1": mute})
    assert told["refusal"]["reason"] == "not_found" and "told no 'Expected votes'" in told["msg"]


def test_where_nobody_is_reached_that_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    told, _door = run(monkeypatch, "service_move", LEDGER)
    assert told["refusal"]["reason"] == "host_unreachable" and "cell-n1" in told["msg"]
