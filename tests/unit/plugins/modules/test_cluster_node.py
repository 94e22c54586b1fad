# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""cluster_node: what it asks before it does anything, and whom it lets go. The acts on real nodes: tests/cluster/test_membership*.py."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.playbooks.wall_stage import ALONE, record, with_lost

from .a_task import run

LOST = {"cell-n1": with_lost(record(), "cell-n2")}
LEAVE = {"name": "cell-n2", "state": "absent", "members": ["cell-n1"]}
# FORGET ends when the node is in no list any more.
FORGOTTEN = {"crm_node -l": (0, "", "")}


def test_every_wrong_option_is_told_at_once_and_nobody_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong: dict[str, Any] = {
        "name": "N 2",
        "state": "created",
        "members": ["ok", "no no"],
        "gone": ["_"],
        "may_return": ["-a"],
        "address": "here",
    }
    told, door = run(monkeypatch, "cluster_node", {**wrong, "token_ms": 5, "deadline_s": 0, "min_nodes": 0})
    assert told["refusal"]["reason"] == "bad_input" and told["changed"] is False
    paths = ("name:", "members[1]", "gone[0]", "may_return[0]", "address", "cluster", "token_ms", "deadline_s", "min_nodes")
    assert [path for path in paths if path not in told["msg"]] == []
    assert door.looks == door.acts == []


def test_who_is_offline_and_does_not_answer_stays_listed_until_somebody_is_certain(monkeypatch: pytest.MonkeyPatch) -> None:
    told, door = run(monkeypatch, "cluster_node", LEAVE, LOST)
    assert told["refusal"]["reason"] == "host_unreachable" and "nobody knows whether it still runs" in told["msg"]
    assert told["changed"] is False and door.acts == []


@pytest.mark.parametrize("may_return", [[], ["cell-n2"]], ids=["gone for good", "by a person's word"])
def test_who_is_gone_for_certain_is_taken_off_the_list_without_being_asked(may_return: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    args = {**LEAVE, "gone": ["cell-n2"], "may_return": may_return}
    foretold, untouched = run(monkeypatch, "cluster_node", args, LOST, check=True)
    told, door = run(monkeypatch, "cluster_node", args, LOST, FORGOTTEN)
    assert told["changed"] and foretold["changed"] and told["diff"] == foretold["diff"] != [] and untouched.acts == []
    assert {host for host, _said, _read in door.acts} == {"cell-n1"} and told["timings"]["left_at"]
    (text,) = {read for _host, said, read in door.acts if "corosync-cfgtool -R" in said}
    assert "name: cell-n2" not in text and "name: cell-n1" in text
    assert ("withheld" in text) == bool(may_return)


def test_who_is_said_to_be_gone_and_is_online_is_not_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    told, door = run(monkeypatch, "cluster_node", {**LEAVE, "gone": ["cell-n2"]}, {"cell-n1": record()})
    assert told["refusal"]["reason"] == "host_unreachable" and "it is online in the cluster" in told["msg"] and door.acts == []


def test_without_a_running_cluster_there_is_nothing_to_leave(monkeypatch: pytest.MonkeyPatch) -> None:
    told, door = run(monkeypatch, "cluster_node", LEAVE, {"cell-n1": ALONE})
    assert told["refusal"]["reason"] == "not_found" and door.acts == []


def test_nobody_stands_by_who_is_no_member(monkeypatch: pytest.MonkeyPatch) -> None:
    told, door = run(monkeypatch, "cluster_node", {**LEAVE, "name": "cell-n9", "state": "standby"}, {"cell-n1": record()})
    assert told["refusal"]["reason"] == "not_found" and "cell-n1, cell-n2" in told["msg"] and door.acts == []
