# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""For tests of the load balancer: small services on loopback, a real HAProxy, the action on it, and clients that count."""

from __future__ import annotations

import base64
import contextlib
import http.client
import http.server
import json
import os
import signal
import socketserver
import subprocess
import sys
import threading
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
ADDRESS, PORT, BACKEND_PORT, STATS_PORT = "127.0.0.90", 18090, 18091, 18092
PASSWORD = "a-word-for-tests"


class Backend(socketserver.ThreadingTCPServer):
    """A small service on a loopback address of its own; /slow/N takes N seconds."""

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128

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
