# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""load_balancer: what is refused before a node is asked, what check mode tells. With a real HAProxy: tests/cluster/test_load_balancer.py."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.haproxy_runtime import INVALID, NOT_RELOADED

from .a_task import HERE, run

SERVICE = {
    "name": "web",
    "kind": "balanced",
    "address": "10.0.0.5",
    "port": 80,
    "resource": {"agent": "systemd:web", "port": 8080, "check": "/"},
}
SERVERS = [{"name": "cell-n1", "address": "10.0.0.11"}, {"name": "cell-n2", "address": "10.0.0.12"}]
ARGS: dict[str, Any] = {"services": [SERVICE], "servers": SERVERS, "stats": {"password": "a-long-password"}}
THERE = {HERE: ""}


def test_all_problems_are_told_at_once_without_the_password_and_nobody_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = {**ARGS, "servers": [SERVERS[0], SERVERS[0]], "slots": 0, "config_path": "etc", "stats": {"password": "short", "user": "a b"}}
    told, door = run(monkeypatch, "load_balancer", wrong, THERE)
    assert told["refusal"]["reason"] == "bad_input" and told["changed"] is False
    assert {one["path"] for one in told["problems"]} >= {"servers", "slots", "config_path", "stats.password", "stats.user"}
    assert "short" not in told["msg"] and door.acts == []


def test_where_haproxy_does_not_run_its_file_is_written_and_check_mode_tells_so(monkeypatch: pytest.MonkeyPatch) -> None:
    foretold, tried = run(monkeypatch, "load_balancer", ARGS, THERE, check=True)
    told, door = run(monkeypatch, "load_balancer", ARGS, THERE)
    for result in (foretold, told):
        assert (result["changed"], result["running"], result["reloaded"]) == (True, False, False)
        assert result["slots"] == {"cell-n1": 1, "cell-n2": 2} and "a-long-password" not in str(result)
    assert foretold["diff"] == told["diff"]
    tried_act, real_act = tried.acts[-1], door.acts[-1]
    assert " check " in tried_act[1] and " file " in real_act[1] and "10.0.0.12:8080" in real_act[2]


@pytest.mark.parametrize(("code", "reason", "changed"), [(INVALID, "bad_input", False), (NOT_RELOADED, "deadline", True)])
def test_what_haproxy_does_not_take_is_refused(code: int, reason: str, changed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    told, _door = run(monkeypatch, "load_balancer", ARGS, THERE, {"haproxy -c": (code, "", "")})
    assert (told["failed"], told["refusal"]["reason"], told["changed"]) == (True, reason, changed)


def test_where_the_node_is_not_reached_nothing_was_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    told, _door = run(monkeypatch, "load_balancer", ARGS)
    assert (told["failed"], told["changed"]) == (True, False) and "was not changed" in told["msg"]
