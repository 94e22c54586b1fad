# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""Waiting: for a banner and not for an open port, gently, and with an end. Real sockets on loopback."""

from __future__ import annotations

import contextlib
import socket
import threading
import time

import pytest
from ansible_collections.ondemand.cluster.plugins.module_utils._libvirt.vm import waiting


@contextlib.contextmanager
def listener(answer, after_s=0.0):
    """A socket that sends `answer` to whoever connects; gives its port and the number of connections so far."""
    count = []
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.settimeout(5)
        port = sock.getsockname()[1]

        if not after_s:
            sock.listen()

        def serve():
            time.sleep(after_s)
            with contextlib.suppress(OSError):
                sock.listen()
                while True:
                    connection, _peer = sock.accept()
                    count.append(1)
                    connection.sendall(answer)
                    connection.close()

        threading.Thread(target=serve, daemon=True).start()
        yield port, count
        sock.close()


def test_an_ssh_banner_is_the_end_of_waiting_and_one_connection_is_enough():
    with listener(b"SSH-2.0-x\r\n") as (port, count):
        assert waiting.reachable("127.0.0.1", 5, lambda: True, port) == "reachable"
        assert len(count) == 1


def test_a_port_that_opens_later_is_waited_for():
    with listener(b"SSH-2.0-x\r\n", after_s=0.6) as (port, _count):
        begun = time.monotonic()
        assert waiting.reachable("127.0.0.1", 10, lambda: True, port) == "reachable"
        assert time.monotonic() - begun > 0.5


def test_another_banner_is_not_ssh_and_the_deadline_ends_it_gently():
    with listener(b"220 mail\r\n") as (port, count):
        begun = time.monotonic()
        assert waiting.reachable("127.0.0.1", 1.0, lambda: True, port) == "deadline"
        assert time.monotonic() - begun < 20
        assert 1 <= len(count) <= 1.0 / waiting.POLL_S + 2


def test_a_vm_that_stops_is_not_waited_for(monkeypatch):
    monkeypatch.setattr(waiting, "LOOK_EVERY_S", 0.1)
    begun = time.monotonic()
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        assert waiting.reachable("127.0.0.1", 30, lambda: False, closed.getsockname()[1]) == "stopped"
    assert time.monotonic() - begun < 25


ROUTES = (
    "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
    "eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"
    "eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n"
    "eth0\t800200C0\t010200C0\t0001\t0\t0\t0\tC0FFFFFF\t0\t0\t0\n"
)


@pytest.mark.parametrize(
    ("sentence", "address", "expected"),
    [
        ("the own network", "192.0.2.7", True),
        ("by the default route", "10.1.1.1", False),
        ("a narrower route through a gateway", "192.0.2.129", False),
        ("no IPv4", "::1", False),
    ],
)
def test_whether_an_address_is_on_an_own_network(sentence, address, expected):
    assert waiting.on_link(address, ROUTES) is expected


LOOPBACK = ROUTES + "lo\t0000007F\t00000000\t0001\t0\t0\t0\t000000FF\t0\t0\t0\n"


def test_on_an_own_network_a_refused_connection_means_taken():
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        assert waiting.taken("127.0.0.1", 0.5, LOOPBACK, port) is True
        assert waiting.taken("127.0.0.1", 0.5, ROUTES, port) is False


def test_farther_away_only_a_banner_means_taken():
    with listener(b"SSH-2.0-x\r\n") as (port, _count):
        assert waiting.taken("127.0.0.1", 1, ROUTES, port) is True
    with listener(b"") as (port, _count):
        assert waiting.taken("127.0.0.1", 1, ROUTES, port) is False


def test_many_addresses_are_probed_at_once():
    begun = time.monotonic()
    assert waiting.all_taken([f"127.9.9.{i}" for i in range(1, 100)], 0.4) == []
    assert time.monotonic() - begun < 20, "one after the other it would be 40 s"
