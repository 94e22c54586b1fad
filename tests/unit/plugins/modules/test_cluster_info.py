# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""cluster_info: whose word counts, how long it is waited for, and when nobody can tell."""

from __future__ import annotations

import pytest
from ansible_collections.ondemand.cluster.plugins.action import cluster_info
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.withheld import NOTE

from tests.unit.playbooks.wall_stage import ALONE, record, with_lost

from .a_task import run

BOTH = ["cell-n1", "cell-n2"]
MINE, THEIRS = with_lost(record(), "cell-n2"), with_lost(record(), "cell-n1")
LEFT = MINE.replace("totem {", f"{NOTE} cell-n2 10.98.0.12\ntotem {{")


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looks follow each other without a pause."""
    monkeypatch.setattr(cluster_info, "SETTLE_BREATH_S", 0)


def online(told: dict) -> list[str]:
    """Names of those who are online."""
    return [node["name"] for node in told["cluster"]["nodes"] if node["online"]]


def test_the_first_member_with_quorum_tells_and_nobody_else_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    told, door = run(monkeypatch, "cluster_info", {"members": BOTH}, {"cell-n1": record(), "cell-n2": record()})
    assert (told["changed"], told["asked"], online(told)) == (False, "cell-n1", BOTH)
    assert door.looks == ["cell-n1"]


def test_where_all_answer_and_none_runs_one_there_is_no_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    told, _door = run(monkeypatch, "cluster_info", {"members": BOTH}, dict.fromkeys(BOTH, ALONE))
    assert (told["cluster"], told["asked"]) == (None, None) and sorted(told["because"]) == BOTH


def test_where_one_is_away_and_none_tells_of_a_cluster_nobody_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    told, _door = run(monkeypatch, "cluster_info", {"members": BOTH}, {"cell-n1": ALONE})
    assert told["failed"] and told["refusal"]["reason"] == "host_unreachable" and "cell-n2" in told["msg"]


def test_all_wrong_names_are_told_at_once_and_nobody_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    told, door = run(monkeypatch, "cluster_info", {"members": ["n 1", "cell-n1", "-n2"]})
    assert told["refusal"]["reason"] == "bad_input" and "members[0]" in told["msg"] and "members[2]" in told["msg"]
    assert door.looks == door.acts == []


def test_it_is_looked_at_until_the_members_asked_are_online(monkeypatch: pytest.MonkeyPatch) -> None:
    told = {"cell-n1": [MINE, MINE, record()], "cell-n2": ALONE}
    assert online(run(monkeypatch, "cluster_info", {"members": BOTH}, {**told, "cell-n1": list(told["cell-n1"])})[0]) == ["cell-n1"]
    assert online(run(monkeypatch, "cluster_info", {"members": BOTH, "settle_s": 30}, told)[0]) == BOTH


def test_it_is_looked_at_until_who_is_gone_is_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    args = {"members": ["cell-n1"], "settle_s": 30}
    assert online(run(monkeypatch, "cluster_info", args, {"cell-n1": [record(), record(), MINE]})[0]) == BOTH
    told, _door = run(monkeypatch, "cluster_info", {**args, "gone": ["cell-n2"]}, {"cell-n1": [record(), record(), MINE]})
    assert online(told) == ["cell-n1"]


def test_what_never_settles_is_told_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    told, door = run(monkeypatch, "cluster_info", {"members": BOTH, "settle_s": 0.2}, {"cell-n1": MINE, "cell-n2": ALONE})
    assert online(told) == ["cell-n1"] and len(door.looks) > 2


def test_members_without_any_cluster_are_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    told, door = run(monkeypatch, "cluster_info", {"members": BOTH, "settle_s": 2}, dict.fromkeys(BOTH, ALONE))
    assert told["cluster"] is None and len(door.looks) == 2


@pytest.mark.parametrize("order", [BOTH, BOTH[::-1]], ids=["asked first", "asked last"])
def test_of_two_parts_with_quorum_the_one_that_let_the_other_go_is_the_cluster(order: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    told, _door = run(monkeypatch, "cluster_info", {"members": order}, {"cell-n1": LEFT, "cell-n2": THEIRS})
    assert (told["asked"], online(told)) == ("cell-n1", ["cell-n1"])


def test_two_parts_with_quorum_of_which_neither_let_the_other_go_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    told, _door = run(monkeypatch, "cluster_info", {"members": BOTH}, {"cell-n1": MINE, "cell-n2": THEIRS})
    assert told["refusal"]["reason"] == "unstable"
    assert "cell-n1 (as cell-n1 tells), and cell-n2 (as cell-n2 tells)" in told["msg"]


def test_one_part_at_two_moments_is_one_part(monkeypatch: pytest.MonkeyPatch) -> None:
    told, _door = run(monkeypatch, "cluster_info", {"members": BOTH}, {"cell-n1": MINE, "cell-n2": record()})
    assert (told["asked"], online(told)) == ("cell-n1", ["cell-n1"])
