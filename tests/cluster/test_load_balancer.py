# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""load_balancer with a real HAProxy on loopback: servers come, drain and go under load, and no request fails."""

from __future__ import annotations

import http.client
import http.server
import json
import subprocess
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster import haproxy_runtime

from tests.cluster.balancing import ADDRESS, PASSWORD, PORT, STATS_PORT, Backend, Balancer, Load, server, stats


@pytest.fixture
def backends() -> Iterator[dict[str, Backend]]:
    """Three small services."""
    there = {f"n{number}": Backend(number) for number in (1, 2, 3)}
    yield there
    for one in there.values():
        one.shutdown()
        one.server_close()


@pytest.fixture
def balancer(tmp_path: Path, backends: dict[str, Backend]) -> Iterator[Balancer]:
    """HAProxy with the first server."""
    one = Balancer(tmp_path)
    first = one.done([server(1)])
    assert first["changed"] and not first["running"]
    one.start()
    yield one
    one.stop()


def conditions() -> dict[str, str]:
    """Server to the word for its condition, without the count of checks (UP 4/5), which a busy machine may change at any time."""
    return {name: status.split()[0] for name, status in stats().items()}


def test_servers_come_drain_and_go_under_load_and_no_request_fails(balancer: Balancer) -> None:
    worker = balancer.worker()
    with Load() as load:
        assert load.recent() == {"n1"}
        came = balancer.done([server(1), server(2)], up_s=20)
        assert came["changed"] and not came["reloaded"] and came["slots"] == {"n1": 1, "n2": 2}
        assert load.recent() == {"n1", "n2"}
        drained = balancer.done([server(1, "drain"), server(2)], drain_s=20)
        assert drained["changed"] and drained["busy"] == []
        assert load.recent() == {"n2"}
        left = balancer.done([server(2)])
        assert left["changed"] and left["slots"] == {"n2": 2}
        third = balancer.done([server(2), server(3)], up_s=20)
        assert third["slots"] == {"n2": 2, "n3": 1}
        back = balancer.done([server(2), server(3), server(1)], up_s=20)
        assert back["slots"] == {"n1": 3, "n2": 2, "n3": 1}
        assert load.recent() == {"n1", "n2", "n3"}
        assert balancer.worker() == worker, "none of this is a reload"
        framed = balancer.done([server(2), server(3), server(1)], up_s=20, slots=4)
        assert framed["changed"] and framed["reloaded"] and balancer.worker() != worker
        roomy = balancer.worker()
        assert not balancer.done([server(2), server(3), server(1)], up_s=20, slots=3)["changed"], "room that is there costs nothing"
        assert balancer.worker() == roomy
        assert load.recent() == {"n1", "n2", "n3"}
    assert load.failed == []
    assert len(load.answers) > 200


def test_every_run_changes_nothing_the_second_time_and_check_mode_tells_the_difference(balancer: Balancer) -> None:
    steps: list[tuple[list[dict[str, Any]], dict[str, Any]]] = [
        ([server(1, "drain"), server(2)], {}),
        ([server(1, "maint"), server(3)], {}),
        ([server(3)], {"slots": 5}),
    ]
    for servers, more in steps:
        before = conditions()
        checked = balancer.done(servers, "--check", "--diff", **more)
        assert conditions() == before, "check mode touched something"
        # Waits until the health checks have spoken, or they would change what the next turn takes for check mode's doing.
        real = balancer.done(servers, "--diff", up_s=20, **more)
        assert checked["changed"] and real["changed"]
        assert checked["diff"] == real["diff"] and real["diff"]["before"] != real["diff"]["after"]
        assert PASSWORD not in json.dumps(real["diff"])
        again = balancer.done(servers, "--diff", **more)
        assert not again["changed"] and again["diff"]["before"] == again["diff"]["after"]


def test_a_restart_begins_with_what_was_wanted(balancer: Balancer) -> None:
    balancer.done([server(1), server(2)], up_s=20)
    balancer.done([server(1), server(2, "drain"), server(3, "maint")])
    before = conditions()
    balancer.stop()
    assert (balancer.directory / "haproxy.cfg").stat().st_mode & 0o777 == 0o640
    balancer.start()
    assert conditions() == before
    assert not balancer.done([server(1), server(2, "drain"), server(3, "maint")])["changed"]
    ready = balancer.done([server(1), server(2), server(3)], up_s=20)
    assert ready["changed"] and not ready["reloaded"]
    with Load() as load:
        assert load.recent() == {"n1", "n2", "n3"}


def test_a_run_that_was_killed_between_file_and_reload_is_finished_by_the_next(balancer: Balancer) -> None:
    text = (balancer.directory / "haproxy.cfg").read_text()
    balancer.done([server(1)], slots=7, reload_argv=["true"], socket_path=f"{balancer.directory}/nobody.sock")
    wanted = (balancer.directory / "haproxy.cfg").read_text().replace("nobody.sock", "admin.sock")
    assert wanted != text
    finished = balancer.done([server(1)], slots=7)
    assert finished["changed"] and finished["reloaded"]
    assert "s7" in stats()
    assert not balancer.done([server(1)], slots=7)["changed"]


def test_a_reload_that_fails_after_the_file_was_written_is_a_change(balancer: Balancer) -> None:
    rc, failed, _output = balancer.be([server(1)], slots=5, reload_argv=["false"])
    assert rc != 0 and failed["changed"] and "may have been changed" in failed["msg"]
    rc, checked, _output = balancer.be([server(1)], "--check", slots=5, reload_argv=["false"])
    assert rc == 0 and checked["changed"]
    assert balancer.done([server(1)], slots=5)["reloaded"], "the next run finishes it"


def test_somebody_elses_change_at_run_time_is_noticed_and_mended(balancer: Balancer) -> None:
    subprocess.run(
        ["socat", "-t", "5", "-", f"UNIX-CONNECT:{balancer.directory}/admin.sock"],
        input="set server web/s1 state maint\n",
        text=True,
        check=True,
        timeout=20,
    )
    mended = balancer.done([server(1)], "--diff", up_s=20)
    assert mended["changed"] and "web/s1 - maint" in mended["diff"]["before"]
    assert stats()["s1"].startswith("UP")


def test_draining_waits_for_what_is_under_way_and_tells_who_is_busy(balancer: Balancer) -> None:
    balancer.done([server(1), server(2)], up_s=20)
    over = threading.Event()
    bodies: list[str] = []

    def slow() -> None:
        while not over.is_set():
            connection = http.client.HTTPConnection(ADDRESS, PORT, timeout=40)
            connection.request("GET", "/slow/1")
            bodies.append(connection.getresponse().read().decode())
            connection.close()

    threads = [threading.Thread(target=slow, daemon=True) for _ in range(4)]
    for one in threads:
        one.start()
    time.sleep(0.5)
    drained = balancer.done([server(1, "drain"), server(2)], drain_s=20)
    begun = len(bodies)
    time.sleep(1.5)
    over.set()
    for one in threads:
        one.join(timeout=20)
    assert drained["busy"] == []
    assert set(bodies[begun:]) == {"n2"}


def test_a_deadline_for_draining_names_the_busy_one(balancer: Balancer) -> None:
    answers: list[bytes] = []

    def ask() -> None:
        answers.append(urllib.request.urlopen(f"http://{ADDRESS}:{PORT}/slow/25", timeout=40).read())

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    time.sleep(0.5)
    result = balancer.done([server(1, "drain"), server(2)], drain_s=1)
    assert [(one["service"], one["server"], one["sessions"], one["clients"]) for one in result["busy"]] == [("web", "n1", 1, ["127.0.0.1"])]
    thread.join(timeout=60)
    assert answers == [b"n1"], "what was under way is answered all the same"


def test_a_server_whose_check_fails_is_refused_at_the_deadline_and_gets_no_request(
    balancer: Balancer, backends: dict[str, Backend]
) -> None:
    backends["n2"].healthy = False
    rc, refused, _output = balancer.be([server(1), server(2)], up_s=3)
    assert rc != 0 and refused["refusal"]["reason"] == "deadline"
    assert "web on n2" in refused["msg"] and [one["server"] for one in refused["down"]] == ["n2"]
    rc, again, _output = balancer.be([server(1), server(2)], up_s=1)
    assert rc != 0 and not again["changed"] and again["refusal"]["reason"] == "deadline", "that nothing is to be changed makes nobody well"
    with Load() as load:
        assert load.recent() == {"n1"}
    assert load.failed == []


def test_nobody_waits_for_a_server_on_which_nothing_runs_for_now(balancer: Balancer, backends: dict[str, Backend]) -> None:
    backends["n2"].healthy = False
    assert balancer.done([server(1), {**server(2), "awaited": False}], up_s=20)["changed"]
    backends["n2"].healthy = True
    with Load() as load:
        until = time.monotonic() + 20
        while "n2" not in load.recent() and time.monotonic() < until:
            pass
        assert load.recent() == {"n1", "n2"}, "it is no server of less worth once it works"


def test_the_password_does_not_come_back_from_the_node(balancer: Balancer) -> None:
    look = ["sh", "-c", haproxy_runtime.READ, "sh", f"{balancer.directory}/haproxy.cfg", f"{balancer.directory}/admin.sock"]
    told = subprocess.run(look, capture_output=True, text=True, check=True).stdout
    assert "stats auth ondemand:(hidden)" in told and PASSWORD not in told
    other = {"port": STATS_PORT, "password": "another-word-for-tests"}
    assert "(hidden, new)" in balancer.done([server(1)], "--check", "--diff", stats=other)["diff"]["after"]
    assert not balancer.done([server(1)])["changed"]


def test_a_request_to_a_service_that_is_away_for_two_seconds_waits_and_does_not_fail(
    balancer: Balancer, backends: dict[str, Backend]
) -> None:
    # A machine that stood still meanwhile made it more than two seconds, up to the five checks after which a server is down.
    for _turn in range(5):
        backends["n1"].shutdown()
        backends["n1"].server_close()
        since = time.monotonic()
        with Load() as load:
            assert load.recent(2) == set()
            backends["n1"] = Backend(1)
            away_s = time.monotonic() - since
            until = time.monotonic() + 20
            while not load.recent(0.5) and time.monotonic() < until:
                pass
            assert load.recent() == {"n1"}
        if away_s < 3.5:
            break
    assert (load.failed, away_s < 3.5) == ([], True)


@pytest.mark.parametrize(
    "change, named",
    [
        ({"slots": 0}, ["slots"]),
        ({"stats": {"password": "a'b\nc"}}, ["stats.password"]),
        ({"socket_path": "/run/a b"}, ["socket_path"]),
        ({"services": [{"name": "w b"}], "slots": 2, "stats": {"port": 0, "password": PASSWORD}}, ["services[0]", "stats.port"]),
    ],
)
def test_a_wrong_input_is_refused_whole_before_anything_is_touched(balancer: Balancer, change: dict[str, Any], named: list[str]) -> None:
    text = (balancer.directory / "haproxy.cfg").read_text()
    rc, refused, _output = balancer.be([server(1)], **change)
    assert rc != 0 and refused["refusal"]["reason"] == "bad_input"
    assert [one["path"] for one in refused["problems"]] == named
    assert (balancer.directory / "haproxy.cfg").read_text() == text


def test_what_haproxy_itself_refuses_is_told_and_the_file_stays(balancer: Balancer) -> None:
    text = (balancer.directory / "haproxy.cfg").read_text()
    long_path = "/" + "a" * 120
    for options in ((), ("--check",)):
        rc, refused, output = balancer.be([server(1)], *options, socket_path=long_path)
        assert rc != 0 and refused["refusal"]["reason"] == "bad_input", output
        assert PASSWORD not in output
    assert (balancer.directory / "haproxy.cfg").read_text() == text
