# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""The load balancer's signals, from a real HAProxy on loopback that serves real requests."""

from __future__ import annotations

import http.client
import http.server
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ondemand.config.model import Cluster
from ondemand.observe import haproxy
from ondemand.observe.load import LoadReader
from tests.driver.values import cluster

HAPROXY = shutil.which("haproxy") or "/usr/sbin/haproxy"
CONFIG = """
global
    stats socket {folder}/admin.sock mode 600 level admin
defaults
    mode http
    timeout connect 1s
    timeout client 5s
    timeout server 5s
frontend ondemand-stats
    bind 127.0.0.1:{stats}
    stats enable
    stats uri /
    stats auth ondemand:secret-of-the-test
frontend web
    bind 127.0.0.1:{front}
    default_backend web
backend web
    server s1 127.0.0.1:{back} weight 100
    server s2 127.0.0.1:{back} weight 0
    server s3 127.0.0.1:{back} weight 100 disabled
"""


class Answer(http.server.BaseHTTPRequestHandler):
    """A node's application."""

    def do_GET(self) -> None:
        """Answers."""
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_args: object) -> None:
        """Says nothing."""


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


class Balancer:
    """HAProxy as a process of the test's own."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.front, self.stats = folder, free_port(), free_port()
        self.application = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        threading.Thread(target=self.application.serve_forever, daemon=True).start()
        text = CONFIG.format(folder=folder, stats=self.stats, front=self.front, back=self.application.server_address[1])
        (folder / "haproxy.cfg").write_text(text)
        self.start()

    def start(self) -> None:
        """Starts it and waits until it listens."""
        self.process = subprocess.Popen([HAPROXY, "-db", "-f", str(self.folder / "haproxy.cfg")], stderr=subprocess.DEVNULL)
        until = time.monotonic() + 20
        while time.monotonic() < until:
            try:
                return socket.create_connection(("127.0.0.1", self.stats), 1).close()
            except OSError:
                time.sleep(0.1)
        raise AssertionError("HAProxy does not listen")

    def requests(self, count: int) -> None:
        """Sends so many through it."""
        connection = http.client.HTTPConnection("127.0.0.1", self.front, timeout=5)
        for _ in range(count):
            connection.request("GET", "/")
            assert connection.getresponse().read() == b""
        connection.close()

    def stop(self) -> None:
        """Ends it."""
        self.process.terminate()
        self.process.wait(10)


@pytest.fixture
def balancer(tmp_path: Path) -> Iterator[Balancer]:
    """A running one, with the password where the driver looks for it."""
    (tmp_path / "stats_password").write_text("secret-of-the-test\n")
    made = Balancer(tmp_path)
    yield made
    made.stop()
    made.application.shutdown()


def shop() -> Cluster:
    """The demo's cluster with its balanced service alone, on loopback."""
    made = cluster({"hosts": [{"name": "hv1", "uri": "test:///default"}]})
    web = made.services[0].model_copy(update={"address": "127.0.0.1"})
    return made.model_copy(update={"services": [web]})


MEMBERS = {"shop-n1": "10.99.0.20"}


def test_the_rate_is_what_was_sent_and_a_restarted_process_gives_none(balancer: Balancer, tmp_path: Path) -> None:
    time.sleep(4)  # processes that came up within 2 s of each other can't be told apart by whole seconds
    reader = LoadReader(shop(), tmp_path, time.monotonic, balancer.stats)
    first, problems = reader.read(MEMBERS)
    assert problems == []
    assert "lb.rate" not in first, "one look is no rate"
    assert first["lb.queue"].value == 0
    began = time.monotonic()
    balancer.requests(60)
    time.sleep(1)
    told, _ = reader.read(MEMBERS)
    elapsed = time.monotonic() - began
    assert told["lb.rate"].value == pytest.approx(60 / elapsed, rel=0.25)
    assert told["lb.rate_per_node"].value == told["lb.rate"].value, "one of three slots serves: one drains, one is disabled"
    assert told["lb.rate"].nodes == ("shop-n1",)
    balancer.stop()
    balancer.start()
    balancer.requests(200)
    again, _ = reader.read(MEMBERS)
    assert again["lb.rate"] == told["lb.rate"], "the counter of another process is no sample; the old one stays, and ages"
    reader.close()


def test_fewer_serving_slots_than_members_cover_nobody_in_particular(balancer: Balancer, tmp_path: Path) -> None:
    reader = LoadReader(shop(), tmp_path, time.monotonic, balancer.stats)
    told, _ = reader.read({**MEMBERS, "shop-n2": "10.99.0.21"})
    assert not set(told["lb.queue"].nodes) & {"shop-n1", "shop-n2"}
    reader.close()


def test_a_wrong_or_missing_password_and_a_dead_balancer_are_told_and_give_no_signal(balancer: Balancer, tmp_path: Path) -> None:
    reader = LoadReader(shop(), tmp_path, time.monotonic, balancer.stats)
    (tmp_path / "stats_password").write_text("wrong")
    told, problems = reader.read(MEMBERS)
    assert not [name for name in told if name.startswith("lb.")]
    assert "401" in problems[0]
    (tmp_path / "stats_password").unlink()
    assert "stats_password" in reader.read(MEMBERS)[1][0]
    (tmp_path / "stats_password").write_text("secret-of-the-test")
    balancer.stop()
    assert "can't be asked" in reader.read(MEMBERS)[1][0]
    balancer.start()
    reader.close()


def test_text_that_is_no_statistics_gives_no_number() -> None:
    assert haproxy.parse("", "web", 0) is None
    assert haproxy.parse("<html>no</html>", "web", 0) is None
    assert haproxy.parse("# pxname,svname\nweb," + "x" * 200_000, "web", 0) is None, "a field beyond the limit of Python's csv"
    assert haproxy.parse('a\r"b\n\x00"c', "web", 0) is None
    head = "# pxname,svname,qcur,scur,status,weight,lastchg,req_tot\n"
    rows = "web,FRONTEND,,0,OPEN,,,{requests}\nweb,BACKEND,0,0,UP,1,5,\n"
    assert haproxy.parse(head + rows.format(requests=""), "web", 0) is None
    assert haproxy.parse(head + rows.format(requests="-1"), "web", 0) is None
    told = haproxy.parse(head + rows.format(requests="7"), "web", 0)
    assert told is not None
    assert told.requests == 7
