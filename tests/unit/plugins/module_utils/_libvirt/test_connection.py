# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""The door: a deadline holds, a dead or stuck host delays no other, errors become refusals."""

from __future__ import annotations

import socket
import time

import pytest
from ansible_collections.ondemand.cluster.plugins.module_utils._contract.refusal import Refused
from ansible_collections.ondemand.cluster.plugins.module_utils._libvirt import connection
from ansible_collections.ondemand.cluster.plugins.module_utils._libvirt.connection import HostAddress, libvirt

from tests import libvirtd

GOOD = HostAddress("good", "test:///default")
CLOSED = HostAddress("closed", "qemu+tcp://127.0.0.1:1/system")


@pytest.fixture
def stuck():
    """A host that takes the connection and then says nothing."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen()
        yield HostAddress("stuck", f"qemu+tcp://127.0.0.1:{sock.getsockname()[1]}/system")


def test_a_host_that_says_nothing_is_given_up_at_the_deadline(stuck):
    begun = time.monotonic()
    with pytest.raises(Refused) as caught:
        connection.open_host(stuck.uri, 0.5)
    assert time.monotonic() - begun < 20
    assert caught.value.refusal.reason == "host_unreachable"
    assert "no connection within 0.5 s" in caught.value.refusal.sentence


def test_a_host_that_is_off_is_a_refusal_that_says_what_to_do():
    with pytest.raises(Refused) as caught:
        connection.open_host(CLOSED.uri, 5)
    assert caught.value.refusal.reason == "host_unreachable"
    assert "Connection refused" in caught.value.refusal.sentence
    assert "Check that" in caught.value.refusal.sentence


def test_a_stuck_and_a_dead_host_do_not_keep_the_good_one_from_answering(stuck):
    begun = time.monotonic()
    readings = connection.read_hosts([stuck, GOOD, CLOSED], lambda host, _address: host.getHostname(), 1.0)
    assert time.monotonic() - begun < 20
    assert [reading.host.name for reading in readings] == ["stuck", "good", "closed"]
    assert [reading.reachable for reading in readings] == [False, True, False]
    assert readings[1].value == socket.gethostname()
    assert "within" in readings[0].because


def test_a_reader_that_fails_costs_its_own_host_only():
    def reader(_host, address):
        if address.name == "bad":
            raise ValueError("what")
        return 1

    readings = connection.read_hosts([HostAddress("bad", GOOD.uri), GOOD], reader, 5)
    assert readings[0].because == "ValueError: what"
    assert readings[1].value == 1


def test_reading_is_read_only_unless_asked_otherwise():
    def reader(host, _address):
        host.lookupByName("test").suspend()

    refused = connection.read_hosts([GOOD], reader, 5)[0]
    assert "read only access" in refused.because


@pytest.fixture
def impatient(monkeypatch):
    """Keepalive gives a silent host up after about two seconds."""
    monkeypatch.setattr(connection, "KEEPALIVE_INTERVAL_S", 1)
    monkeypatch.setattr(connection, "KEEPALIVE_COUNT", 1)


def test_a_host_that_falls_silent_within_a_call_is_given_up_and_told_as_one_that_does_not_answer(libvirt_daemon, impatient):
    host = connection.open_host(libvirt_daemon.uri, 10)

    def ask():
        with connection.refusing(libvirt_daemon.uri, "ask", "not_found"):
            host.getHostname()

    with libvirt_daemon.frozen():
        tries = [connection.within(30, ask) for _try in range(2)]
    assert [ended for ended, _answer, _error in tries] == [True, True]
    assert [error.refusal.reason for _ended, _answer, error in tries] == ["host_unreachable"] * 2
    assert "keepalive" in tries[0][2].refusal.sentence


def test_a_host_that_dies_within_a_call_is_told_as_one_that_does_not_answer():
    with libvirtd.running() as daemon:
        host = connection.open_host(daemon.uri, 10)
    with pytest.raises(Refused) as caught, connection.refusing(daemon.uri, "ask", "not_found"):
        host.getHostname()
    assert caught.value.refusal.reason == "host_unreachable"


def test_who_looks_for_vms_may_not_write(monkeypatch):
    from ansible_collections.ondemand.cluster.plugins.module_utils._libvirt.host import hosts

    def refuse(_uri):
        raise AssertionError("a connection that may write was opened")

    monkeypatch.setattr(libvirt, "open", refuse)
    assert hosts.read_vms([GOOD], None, 5)[0].because == ""


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("qemu+ssh://root@hv1/system", "qemu+ssh://root@hv1/system?no_tty=1"),
        ("qemu+ssh://hv1/system?keyfile=/k", "qemu+ssh://hv1/system?keyfile=/k&no_tty=1"),
        ("qemu+ssh://hv1/system?no_tty=0", "qemu+ssh://hv1/system?no_tty=0"),
        ("qemu:///system", "qemu:///system"),
        ("qemu+tcp://hv1/system", "qemu+tcp://hv1/system"),
    ],
)
def test_ssh_never_asks_a_person(uri, expected):
    assert connection.without_prompt(uri) == expected


def test_a_libvirt_error_becomes_the_given_refusal_with_its_words():
    host = connection.open_host(GOOD.uri, 5)
    with pytest.raises(Refused) as caught, connection.refusing(GOOD.uri, "find x", "not_found"):
        host.lookupByName("x")
    assert caught.value.refusal.reason == "not_found"
    assert caught.value.refusal.sentence.startswith("Could not find x on test:///default: Domain not found")
    host.close()


def test_errors_are_told_apart_by_their_code():
    host = connection.open_host(GOOD.uri, 5)
    with pytest.raises(libvirt.libvirtError) as caught:
        host.lookupByName("x")
    assert connection.is_error(caught.value, "NO_DOMAIN")
    assert not connection.is_error(caught.value, "NO_STORAGE_VOL")
    assert not connection.is_error(ValueError("x"), "NO_DOMAIN")
    host.close()


@pytest.mark.parametrize("begin", ["qemu+ssh://hv1/system?command=", "qemu+ext:///system?command="])
def test_nothing_is_run_by_a_uri_that_names_a_command(begin, tmp_path):
    program, trace = tmp_path / "run", tmp_path / "trace"
    program.write_text("#!/bin/sh\ntouch %s\n" % trace)
    program.chmod(0o700)
    with pytest.raises(Refused) as caught:
        connection.open_host(begin + str(program), 20)
    assert caught.value.refusal.reason == "bad_input"
    assert "No connection was made" in caught.value.refusal.sentence
    assert not trace.exists()
