# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""The load balancer's signals, from a real HAProxy on loopback that serves real requests."""

from __future__ import annotations

import contextlib
import http.client
import http.server
import itertools
import shutil
import socket
import socketserver
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ondemand.config.model import Cluster
from ondemand.model import Signal
from ondemand.observe import haproxy
from ondemand.observe.load import LoadReader
from ondemand.observe.signals import LoadSample, signals
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
        self.application = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Answer)
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


def speaking(words: Iterator[bytes], pause_s: float = 0.0) -> int:
    """A port that answers every request with these words, one after another."""
    listener = socket.create_server(("127.0.0.1", 0))

    def talk() -> None:
        with contextlib.suppress(OSError):
            one, _where = listener.accept()
            with one:
                one.recv(4096)
                for word in words:
                    one.sendall(word)
                    time.sleep(pause_s)
        listener.close()

    threading.Thread(target=talk, daemon=True).start()
    return int(listener.getsockname()[1])


HEAD = b"HTTP/1.1 200 OK\r\n\r\n"
DRIPS = {"the status line": b"H", "a header": b"HTTP/1.1 200 OK\r\nX: ", "the body": HEAD}


@pytest.mark.parametrize("begin", DRIPS.values(), ids=list(DRIPS))
def test_an_answer_of_one_byte_after_another_ends_at_the_deadline_of_the_whole(begin: bytes) -> None:
    port = speaking(itertools.chain([begin], itertools.repeat(b"T", 600)), 0.05)
    done: list[str] = []

    def ask() -> None:
        try:
            done.append(haproxy.fetch("127.0.0.1", "a", "b", port, 0.5))
        except OSError as error:
            done.append(repr(error))

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(20)  # all of its bytes take 30 s
    assert done == ["TimeoutError('no whole answer in time')"]


def test_two_balancers_that_drip_neither_blind_the_reader_nor_keep_it_from_ending(tmp_path: Path) -> None:
    (tmp_path / "stats_password").write_text("x")
    ports = [speaking(itertools.chain([HEAD], itertools.repeat(b"T", 2400)), 0.05) for _ in range(2)]
    for port in ports:  # the first look at each takes up a thread for 120 s where nobody ends it
        reader = LoadReader(shop(), tmp_path, time.monotonic, port)
        assert "can't be asked" in reader.read(MEMBERS)[1][0]
        reader.close()
        reader._pool.shutdown(wait=True)  # as at the end of the process; hangs where the read does


CUT = {
    "before its stated length": b"HTTP/1.1 200 OK\r\nContent-Length: 400\r\n\r\n# pxname\nweb\n",
    "in a chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n40\r\n# pxname\nweb\n",
    "within a line": HEAD + b"# pxname\nwe",
}


@pytest.mark.parametrize("answer", CUT.values(), ids=list(CUT))
def test_an_answer_that_was_cut_off_is_none(answer: bytes) -> None:
    with pytest.raises(OSError, match="cut off|IncompleteRead"):
        haproxy.fetch("127.0.0.1", "a", "b", speaking(iter([answer])), 5)


def test_an_answer_without_an_end_is_none() -> None:
    # Who read on to its end would read until the time is over.
    port = speaking(itertools.chain([HEAD], itertools.repeat(b"x" * 100_000)), 0.02)
    with pytest.raises(OSError, match="answered more than"):
        haproxy.fetch("127.0.0.1", "a", "b", port, 15)


COLUMNS = "# pxname,svname,qcur,scur,status,weight,addr,lastchg,req_tot,req_rate_max,bout\n"


def csv_of(requests: int, age_s: int, *slots: str, most: str = "200", sent: int = 5) -> str:
    """The statistics of one service; a slot is the text of its columns from qcur to addr."""
    rows = [f"web,FRONTEND,,,OPEN,,,,{requests},{most},{sent}", *(f"web,s{i},{one},,,," for i, one in enumerate(slots, 1))]
    return COLUMNS + "\n".join([*rows, f"web,BACKEND,0,0,UP,,,{age_s},,,"]) + "\n"


def told(before: str, now: str, elapsed_s: float = 10.0) -> dict[str, Signal]:
    """The signals of two looks at the service web with two members."""
    members = {"n1": "", "n2": ""}
    looks = [haproxy.parse(text, "web", at) for text, at in ((before, 100.0), (now, 100.0 + elapsed_s))]
    first, second = [LoadSample(one.at, {}, {"web": one}) for one in looks if one is not None]
    return signals(first, second, members, ["web"])


UP = "0,,UP,100,"
PARTIAL = {
    "a slot without weight": (UP, "0,,UP,,"),
    "a slot without status": (UP, "0,,,100,"),
    "a weight that is no number": (UP, "0,,UP,much,"),
    "one address of two": ("0,,UP,100,10.0.0.1:80", UP),
}


@pytest.mark.parametrize("slots", PARTIAL.values(), ids=list(PARTIAL))
def test_what_is_told_of_some_slots_is_not_taken_for_all(slots: tuple[str, ...]) -> None:
    found = told(csv_of(1000, 500, UP, UP), csv_of(1200, 510, *slots))
    assert "lb.rate_per_node" not in found
    assert found["lb.rate"].nodes == ()


def test_slots_that_are_down_need_no_weight() -> None:
    found = told(csv_of(1000, 500, UP, UP, "0,,MAINT,,"), csv_of(1200, 510, UP, UP, "0,,MAINT,,"))
    assert found["lb.rate_per_node"].value == 10.0


def test_a_slot_that_does_not_tell_its_queue_makes_the_queue_unknown() -> None:
    assert haproxy.parse(csv_of(10, 5, UP, ",,UP,100,"), "web", 0) is None


TWINS = {
    "more requests than it ever had in so many seconds": csv_of(500_000, 510, UP, UP),
    "another counter that went back": csv_of(1200, 510, UP, UP, sent=4),
    "a fastest second that went back": csv_of(1200, 510, UP, UP, most="150"),
    "no word on its fastest second": csv_of(1200, 510, UP, UP, most=""),
}


@pytest.mark.parametrize("now", TWINS.values(), ids=list(TWINS))
def test_another_process_of_the_same_age_gives_no_rate(now: str) -> None:
    before = csv_of(1000, 500, UP, UP)
    assert told(before, csv_of(1200, 510, UP, UP))["lb.rate"].value == 20.0
    assert not set(told(before, now)) & {"lb.rate", "lb.rate_per_node"}


def test_text_that_is_no_statistics_gives_no_number() -> None:
    assert haproxy.parse("", "web", 0) is None
    assert haproxy.parse("<html>no</html>", "web", 0) is None
    assert haproxy.parse("# pxname,svname\nweb," + "x" * 200_000, "web", 0) is None, "a field beyond the limit of Python's csv"
    assert haproxy.parse('a\r"b\n\x00"c', "web", 0) is None
    head = "# pxname,svname,qcur,scur,status,weight,lastchg,req_tot\n"
    rows = "web,FRONTEND,,0,OPEN,,,{requests}\nweb,BACKEND,0,0,UP,1,5,\n"
    assert haproxy.parse(head + rows.format(requests=""), "web", 0) is None
    assert haproxy.parse(head + rows.format(requests="-1"), "web", 0) is None
    right = haproxy.parse(head + rows.format(requests="7"), "web", 0)
    assert right is not None
    assert right.requests == 7
