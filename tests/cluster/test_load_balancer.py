# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""load_balancer with a real HAProxy on loopback: servers come, drain and go under load, and no request fails."""

from __future__ import annotations

import base64
import contextlib
import http.client
import http.server
import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
ADDRESS, PORT, BACKEND_PORT, STATS_PORT = "127.0.0.90", 18090, 18091, 18092
PASSWORD = "a-word-for-tests"


class Backend(http.server.ThreadingHTTPServer):
    """A small service on a loopback address of its own; /slow/N takes N seconds."""

    daemon_threads = True

    def __init__(self, number: int) -> None:
        self.name = f"n{number}"
        self.healthy = True
        super().__init__((f"127.0.0.{100 + number}", BACKEND_PORT), Answer)
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """HAProxy ends its checks with a reset; that is no news."""


class Answer(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Backend

    def do_GET(self) -> None:
        if self.path.startswith("/slow/"):
            time.sleep(float(self.path[6:]))
        body = self.server.name.encode()
        self.send_response(200 if self.server.healthy or self.path != "/health" else 503)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""


@dataclass
class Balancer:
    """A directory with HAProxy's file and socket, and the way to run the action on it."""

    directory: Path
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Run HAProxy as its unit does: a master that takes USR2 for a reload."""
        self.process = subprocess.Popen(
            ["haproxy", "-W", "-f", str(self.directory / "haproxy.cfg"), "-p", str(self.directory / "pid")],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        until = time.monotonic() + 20
        while time.monotonic() < until:
            with contextlib.suppress(OSError, http.client.HTTPException):
                stats()
                return
            time.sleep(0.05)
        raise AssertionError("HAProxy did not start")

    def stop(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(timeout=20)

    def be(self, servers: list[dict[str, Any]], *options: str, **more: Any) -> tuple[int, dict[str, Any], str]:
        """Run the action; its exit code, its result and its output."""
        task = {
            "services": [
                {
                    "name": "web",
                    "kind": "balanced",
                    "address": ADDRESS,
                    "port": PORT,
                    "resource": {"agent": "x", "port": BACKEND_PORT, "check": "/health"},
                },
                {"name": "ledger", "kind": "movable", "address": "127.0.0.91", "port": 5000, "group": []},
            ],
            "servers": servers,
            "slots": 3,
            "stats": {"port": STATS_PORT, "password": PASSWORD},
            "config_path": f"{self.directory}/haproxy.cfg",
            "socket_path": f"{self.directory}/admin.sock",
            "reload_argv": ["pkill", "-USR2", "--pidfile", f"{self.directory}/pid"],
            **more,
        }
        playbook, results = self.directory / "play.json", self.directory / "results.jsonl"
        playbook.write_text(
            json.dumps(
                [{"hosts": "localhost", "connection": "local", "gather_facts": False, "tasks": [{"ondemand.cluster.load_balancer": task}]}]
            )
        )
        results.unlink(missing_ok=True)
        done = subprocess.run(
            [str(Path(sys.executable).parent / "ansible-playbook"), "-i", "localhost,", str(playbook), *options],
            cwd=ROOT, capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL,
            env={
                **os.environ,
                "PYTHONPATH": str(ROOT / "var/collections"),
                "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
                "ANSIBLE_CALLBACK_PLUGINS": str(ROOT / "tests/cluster/callback"),
                "ANSIBLE_CALLBACKS_ENABLED": "results",
                "ONDEMAND_TEST_RESULTS": str(results),
            },
        )  # fmt: skip
        assert results.exists(), done.stdout + done.stderr
        return done.returncode, json.loads(results.read_text().splitlines()[-1]), done.stdout + done.stderr

    def done(self, servers: list[dict[str, Any]], *options: str, **more: Any) -> dict[str, Any]:
        """The result of a run that had to succeed."""
        rc, result, output = self.be(servers, *options, **more)
        assert rc == 0, output
        return result

    def worker(self) -> str:
        """The pid of HAProxy's worker."""
        asked = subprocess.run(
            ["socat", "-t", "5", "-", f"UNIX-CONNECT:{self.directory}/admin.sock"],
            input="show info\n",
            capture_output=True,
            text=True,
            timeout=20,
        )
        return next(line for line in asked.stdout.splitlines() if line.startswith("Pid:"))


def stats() -> dict[str, str]:
    """Server to status, as the page of statistics tells it to programs."""
    login = base64.b64encode(f"ondemand:{PASSWORD}".encode()).decode()
    request = urllib.request.Request(f"http://127.0.0.1:{STATS_PORT}/;csv", headers={"Authorization": f"Basic {login}"})
    with urllib.request.urlopen(request, timeout=5) as answer:
        lines = [line.split(",") for line in answer.read().decode().splitlines()]
    at = {name: number for number, name in enumerate(lines[0])}
    # A file says drain by the weight 0, which the page of statistics shows as up without weight.
    return {
        line[1]: "DRAIN" if line[at["status"]].startswith("UP") and line[at["weight"]] == "0" else line[at["status"]]
        for line in lines[1:]
        if line[0] == "web"
    }


def server(number: int, state: str = "ready") -> dict[str, Any]:
    return {"name": f"n{number}", "address": f"127.0.0.{100 + number}", "state": state}


@dataclass
class Load:
    """Clients that ask one after another until told to end, on kept and on fresh connections."""

    answers: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)
    threads: list[threading.Thread] = field(default_factory=list)

    def __enter__(self) -> Load:
        self.threads = [threading.Thread(target=self._ask, args=(kept,), daemon=True) for kept in (True, True, False, False)]
        for one in self.threads:
            one.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.over.set()
        for one in self.threads:
            one.join(timeout=60)

    def _ask(self, kept: bool) -> None:
        connection = http.client.HTTPConnection(ADDRESS, PORT, timeout=40)
        while not self.over.is_set():
            try:
                connection.request("GET", "/")
                answer = connection.getresponse()
                name = answer.read().decode()
                (self.answers if answer.status == 200 else self.failed).append(name if answer.status == 200 else str(answer.status))
                if answer.getheader("Connection") == "close":
                    connection.close()
            except (OSError, http.client.HTTPException) as error:
                # A kept connection may be ended between two requests (a reload says so by closing it): the request was
                # never begun, and a client asks again on a fresh one. Everything else is a failure.
                idle = kept and isinstance(error, (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError))
                connection.close()
                if not idle:
                    self.failed.append(repr(error))
            if not kept:
                connection.close()
            time.sleep(0.01)
        connection.close()

    def recent(self, seconds: float = 1.5) -> set[str]:
        """Who answered within the next so many seconds."""
        begun = len(self.answers)
        time.sleep(seconds)
        return set(self.answers[begun:])


@pytest.fixture
def backends() -> Iterator[dict[str, Backend]]:
    """Three small services."""
    made = [Backend(number) for number in (1, 2, 3)]
    yield {one.name: one for one in made}
    for one in made:
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
        before = stats()
        checked = balancer.done(servers, "--check", "--diff", **more)
        assert stats() == before, "check mode touched something"
        real = balancer.done(servers, "--diff", **more)
        assert checked["changed"] and real["changed"]
        assert checked["diff"] == real["diff"] and real["diff"]["before"] != real["diff"]["after"]
        assert PASSWORD not in json.dumps(real["diff"])
        again = balancer.done(servers, "--diff", **more)
        assert not again["changed"] and again["diff"]["before"] == again["diff"]["after"]


def test_a_restart_begins_with_what_was_wanted(balancer: Balancer) -> None:
    balancer.done([server(1), server(2, "drain"), server(3, "maint")])
    before = stats()
    balancer.stop()
    assert (balancer.directory / "haproxy.cfg").stat().st_mode & 0o777 == 0o640
    balancer.start()
    assert {name: status.split()[0] for name, status in stats().items()} == {name: status.split()[0] for name, status in before.items()}
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
    assert [(one["service"], one["server"], one["sessions"]) for one in result["busy"]] == [("web", "n1", 1)]
    thread.join(timeout=60)
    assert answers == [b"n1"], "what was under way is answered all the same"


def test_a_server_whose_check_fails_is_refused_at_the_deadline_and_gets_no_request(
    balancer: Balancer, backends: dict[str, Backend]
) -> None:
    backends["n2"].healthy = False
    rc, refused, _output = balancer.be([server(1), server(2)], up_s=3)
    assert rc != 0 and refused["refusal"]["reason"] == "deadline"
    assert "web on n2" in refused["msg"] and [one["server"] for one in refused["down"]] == ["n2"]
    with Load() as load:
        assert load.recent() == {"n1"}
    assert load.failed == []


def test_a_request_to_a_service_that_is_away_for_two_seconds_waits_and_does_not_fail(
    balancer: Balancer, backends: dict[str, Backend]
) -> None:
    backends["n1"].shutdown()
    backends["n1"].server_close()
    with Load() as load:
        assert load.recent(2) == set()
        backends["n1"] = Backend(1)
        until = time.monotonic() + 20
        while not load.recent(0.5) and time.monotonic() < until:
            pass
        assert load.recent() == {"n1"}
    backends["n1"].shutdown()
    backends["n1"].server_close()
    assert load.failed == []


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
