# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""The balanced demo service and the HTTP loop below both services."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import loop
import pytest

SERVICES = Path(loop.__file__).parent


def test_a_transaction_is_answered_with_its_number_and_the_node(start, free):
    web = start("shop-n7", "web", free())
    assert web.ask("POST", "/t/c-1/42") == (200, {"client": "c-1", "number": 42, "node": "shop-n7"})
    assert web.ask("GET", "/health") == (200, {"node": "shop-n7"})
    assert web.ask("GET", "/other")[0] == 404
    assert web.ask("DELETE", "/t/c-1/42")[0] == 405


@pytest.mark.parametrize(
    ("data", "method", "keep_open", "rest"),
    [
        pytest.param(b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n", "GET", True, b"", id="HTTP/1.1 stays open"),
        pytest.param(b"GET /a HTTP/1.1\r\nConnection: close\r\n\r\n", "GET", False, b"", id="close is obeyed"),
        pytest.param(b"HEAD /a HTTP/1.1\r\n\r\n", "HEAD", False, b"", id="HEAD closes, as the answer has a body"),
        pytest.param(b"OPTIONS /a HTTP/1.0\r\n\r\n", "OPTIONS", False, b"", id="HTTP/1.0 closes: a health check"),
        pytest.param(b"POST /a HTTP/1.1\r\nContent-Length: 2\r\n\r\nxyGET", "POST", True, b"GET", id="a body is skipped"),
    ],
)
def test_a_request_is_read(data, method, keep_open, rest):
    request, left = loop.parse_request(data)
    assert (request.method, request.path, request.keep_open, left) == (method, "/a", keep_open, rest)


@pytest.mark.parametrize("data", [b"", b"GET /a HTTP/1.1\r\nHost", b"POST /a HTTP/1.1\r\nContent-Length: 3\r\n\r\nxy"])
def test_an_unfinished_request_waits_for_more(data):
    assert loop.parse_request(data) == (None, data)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"nonsense\r\n\r\n", id="no request line"),
        pytest.param(b"GET /a HTTP/2\r\n\r\n", id="another version"),
        pytest.param(b"GET /a HTTP/1.1\r\nContent-Length: -1\r\n\r\n", id="a negative length"),
        pytest.param(b"GET /a HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n", id="a length beyond the bound"),
        pytest.param(b"GET /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", id="chunks"),
        pytest.param(b"x" * (loop.MAX_HEAD_BYTES + 1), id="a head without end"),
    ],
)
def test_what_is_no_request_is_refused(data):
    with pytest.raises(loop.BadRequest):
        loop.parse_request(data)


@pytest.mark.parametrize(
    "path",
    ["/", "/t/", "/t/c1", "/t/c1/x", "/t/C1/1", "/t/c1/1/", "/x/c1/1", "/t/c\n/1", '/t/"/1', "/t//1", "/t/c1/-1", "/t/" + "c" * 64 + "/1"],
)
def test_a_path_that_names_no_transaction_is_none(path):
    assert loop.parse_transaction(path) is None


def test_text_that_would_need_escaping_never_reaches_json():
    assert loop.render_object(node='a"b\\c\nd', number=3) == '{"node": "a?b?c?d", "number": 3}'


def test_pipelined_requests_are_answered_in_order(start, free):
    web = start("n1", "web", free())
    with socket.create_connection(("127.0.0.1", web.port), timeout=5) as connection:
        connection.sendall(b"".join(b"GET /t/c/%d HTTP/1.1\r\n\r\n" % number for number in range(20)))
        answers = b""
        while answers.count(b'"number"') < 20:
            answers += connection.recv(65536)
    assert [int(part.split(b",")[0]) for part in answers.split(b'"number": ')[1:]] == list(range(20))


def test_a_bad_request_is_answered_and_the_service_goes_on(start, free):
    web = start("n1", "web", free())
    with socket.create_connection(("127.0.0.1", web.port), timeout=5) as connection:
        connection.sendall(b"\r\n\r\n")
        assert connection.recv(100).startswith(b"HTTP/1.1 400 ")
    assert web.ask("GET", "/health")[0] == 200


def test_more_connections_than_the_bound_cost_the_oldest_one(start, free):
    web = start("n1", "web", free())
    connections = [socket.create_connection(("127.0.0.1", web.port), timeout=5) for _ in range(loop.MAX_CONNECTIONS + 1)]
    try:
        assert connections[0].recv(10) == b""
        connections[-1].sendall(b"GET /health HTTP/1.1\r\n\r\n")
        assert connections[-1].recv(100).startswith(b"HTTP/1.1 200 ")
    finally:
        for connection in connections:
            connection.close()


def test_a_stop_waits_for_no_open_connection(start, free):
    web = start("n1", "web", free())
    with socket.create_connection(("127.0.0.1", web.port), timeout=5) as connection:
        connection.sendall(b"GET /half")
        time.sleep(0.1)
        assert web.stop() == 0, "within the seconds for which it is waited for"


def test_started_means_listening(free, tmp_path):
    """systemd hears READY=1 only once a connection is accepted: Type=notify relies on it."""
    port = free()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        notify.bind(str(tmp_path / "notify"))
        notify.settimeout(10)
        environment = {**os.environ, "NOTIFY_SOCKET": str(tmp_path / "notify")}
        web = subprocess.Popen([sys.executable, "-SE", str(SERVICES / "web.py"), str(port), "127.0.0.1"], env=environment)
        try:
            assert notify.recv(100) == b"READY=1"
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        finally:
            web.send_signal(signal.SIGKILL)
            web.wait(5)


def test_only_light_modules_are_imported():
    """Each of these costs an emulated VM tenths of a second at every start of a service."""
    heavy = "{'json', 'http', 'http.server', 'asyncio', 'argparse', 'threading', 'email', 'urllib', 'socketserver', 'logging'}"
    code = f"import sys, web, ledger; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-SE", "-c", code], cwd=SERVICES, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize("unit", ["demo-web.service", "demo-ledger.service"])
def test_a_unit_is_not_enabled_and_runs_an_installed_file(unit):
    text = (SERVICES / unit).read_text()
    assert "[Install]" not in text
    assert "Type=notify" in text
    image = (SERVICES / "image.yml").read_text()
    script = text.split("ExecStart=/usr/bin/python3 -SE ")[1].split()[0]
    assert f"dest: {script}," in image
    assert f"/etc/systemd/system/{unit}" in image


@pytest.mark.parametrize(("name", "words"), [("web", []), ("ledger", ["DIRECTORY"])])
def test_a_port_in_use_is_told_with_what_to_do(tmp_path, name, words):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        given = [str(tmp_path) if one == "DIRECTORY" else one for one in words]
        argv = [sys.executable, "-SE", str(SERVICES / f"{name}.py"), port, *given, "127.0.0.1"]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=10, check=False)
    told = f"port {port} of 127.0.0.1 can't be had: Address already in use; see who listens there (ss -ltnp), end it or give another port"
    assert (done.returncode, done.stderr.strip()) == (1, told)
