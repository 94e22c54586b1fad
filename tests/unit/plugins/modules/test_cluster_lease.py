# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""The module as a task: what it asks of members, and what it makes of their answers."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from ansible_collections.ondemand.cluster.plugins.action import cluster_lease
from ansible_collections.ondemand.cluster.plugins.plugin_utils import lease_holder

from tests.unit.plugins.modules.a_task import run

THERE = {"cell-n1": "", "cell-n2": ""}
ARGS: dict[str, Any] = {"state": "held", "members": ["cell-n1", "cell-n2"], "token": "mine", "purpose": "a test"}
TAKEN = (0, "1000 mine 1120 1000 root@here a%20test\n", "")
OTHERS = (0, "1000 theirs 1050 900 admin@awx scale%20in\n", "")


@pytest.fixture(autouse=True)
def no_sleep(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = itertools.count(0)
    monkeypatch.setattr(cluster_lease.time, "sleep", lambda _seconds: None)
    monkeypatch.setattr(cluster_lease.time, "monotonic", lambda: float(next(clock)))


def test_who_finds_it_free_has_it_after_one_trip_and_has_changed_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    told, door = run(monkeypatch, "cluster_lease", ARGS, THERE, {"lease_xpath": TAKEN})
    assert (told["changed"], told["lease"]["held"], told["lease"]["holder"], len(door.acts)) == (False, True, "root@here", 1)
    assert told["waited_s"] == 0.0, "nobody else was met, however long the question took"


def test_who_comes_second_is_refused_with_who_holds_it_once_the_time_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    told, door = run(monkeypatch, "cluster_lease", {**ARGS, "wait_s": 5.0}, THERE, {"lease_xpath": OTHERS})
    assert told["refusal"]["reason"] == "held" and "admin@awx: scale in, begun 100 s ago (waited" in told["msg"]
    assert len(door.acts) > 2
    assert not any("theirs" in said for _host, said, _read in door.acts)  # it never tried to replace what is held


def test_one_whose_run_is_over_is_replaced_as_it_was_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease_holder, "is_dead", lambda token: token == "theirs")
    answers = iter([OTHERS, TAKEN])
    told, door = run(monkeypatch, "cluster_lease", ARGS, THERE, {"lease_xpath": Each(answers)})  # type: ignore[dict-item]
    assert told["waited_s"] >= 0.1, "another one was met, however short the wait"
    assert told["lease"]["token"] == "mine" and "theirs 1050 900 admin@awx scale%20in" in door.acts[1][1]


def test_who_is_never_fast_enough_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    free = (0, "1100 theirs 0 1050 admin@awx scale%20in\n", "")
    told, _door = run(monkeypatch, "cluster_lease", ARGS, THERE, {"lease_xpath": free})
    assert told["refusal"]["reason"] == "held" and "others were faster" in told["msg"]


class Each:
    """One answer after another, where a stand-in takes a whole one."""

    def __init__(self, answers: Any) -> None:
        self.answers = answers

    def __iter__(self) -> Any:
        return iter(next(self.answers))


def test_who_takes_it_may_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    _told, door = run(monkeypatch, "cluster_lease", {**ARGS, "holder": "ann, job 7 of AWX"}, THERE, {"lease_xpath": TAKEN})
    assert " ann%2C%20job%207%20of%20AWX " in door.acts[0][1]


def test_it_is_given_back_in_one_trip_and_another_one_s_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    free = {"state": "free", "members": ["cell-n1"], "token": "mine"}
    given = (0, "1001 mine 0 1001 root@here a%20test\n", "")
    told, door = run(monkeypatch, "cluster_lease", free, THERE, {"lease_xpath": given})
    assert told["lease"]["held"] is False and len(door.acts) == 1 and " mine 0 " in door.acts[0][1]
    told, door = run(monkeypatch, "cluster_lease", free, THERE, {"lease_xpath": OTHERS})
    assert told["lease"]["token"] == "theirs" and len(door.acts) == 1 and "failed" not in told


def test_where_no_cluster_answers_there_is_none_to_hold_and_none_to_give_back(monkeypatch: pytest.MonkeyPatch) -> None:
    told, _door = run(monkeypatch, "cluster_lease", ARGS, THERE, {"lease_xpath": (72, "", "Pacemaker does not answer")})
    assert told["refusal"]["reason"] == "not_found"
    told, _door = run(monkeypatch, "cluster_lease", ARGS, {})
    assert told["refusal"]["reason"] == "host_unreachable"
    told, _door = run(monkeypatch, "cluster_lease", {**ARGS, "state": "free"}, {})
    assert told["lease"] is None and "failed" not in told


def test_an_answer_that_is_none_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    told, _door = run(monkeypatch, "cluster_lease", ARGS, THERE, {"lease_xpath": (0, "hello\n", "")})
    assert told["refusal"]["reason"] == "unstable" and "hello" in told["msg"]


@pytest.mark.parametrize("wrong", [{"for_s": 0.0}, {"members": ["a b"]}, {"state": "free", "token": ""}, {"state": "kept", "token": ""}])
def test_what_is_no_wish_is_refused_and_nobody_is_asked(wrong: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    told, door = run(monkeypatch, "cluster_lease", {**ARGS, **wrong}, THERE)
    assert told["refusal"]["reason"] == "bad_input" and door.acts == []


def test_check_mode_takes_none(monkeypatch: pytest.MonkeyPatch) -> None:
    told, door = run(monkeypatch, "cluster_lease", ARGS, THERE, check=True)
    assert (told["lease"], door.acts) == (None, [])


def test_the_run_of_a_token_is_known_as_long_as_it_lives() -> None:
    token = lease_holder.new_token()
    assert not lease_holder.is_dead(token)
    words = token.split(".")
    assert lease_holder.is_dead(".".join([*words[:3], "1", words[4]]))  # another process has its number now
    assert not lease_holder.is_dead(".".join(["0123456789ab", *words[1:3], "1", words[4]]))  # another boot or machine: nobody knows
    assert not lease_holder.is_dead("by-hand") and not lease_holder.is_dead("")
    assert "@" in lease_holder.holder({})


def test_in_awx_the_job_tells_who_holds_it() -> None:
    assert lease_holder.holder({"awx_user_name": "anna", "awx_job_id": 7}) == "anna, job 7 of AWX"
