# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""The gate at boot, its own program over real sockets: who starts, who doesn't, and that nobody without the key keeps a node out."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster import corosync_conf

from tests.unit.roles.gates import GATE, KEY, LET_GO, WAIT_S, Stage, address_of, conf_of, free_port

spec = importlib.util.spec_from_file_location("gate", GATE)
assert spec and spec.loader
gate = importlib.util.module_from_spec(spec)
spec.loader.exec_module(gate)
LATE_S = 2.0
"""what the start of the program may take on a busy machine"""
OLD = [1, 2, 3, 4, 5]
OWN = conf_of([1, 2], 2, own=2)
"""what node 2 has, where it asks node 1"""


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    made = Stage(tmp_path, free_port())
    yield made
    made.ended()


# Whom the members list (by member: ids, highest id), whom the node that boots does, and whether it starts.
CASES = {
    "all list it": ({1: ([1, 2, 3], 3), 2: ([1, 2, 3], 3)}, [1, 2, 3], 3, 0),
    "one of two let it go": ({1: ([1, 2], 3), 2: ([1, 2, 3], 3)}, [1, 2, 3], 3, LET_GO),
    "the others let it go, and who was let go with it lists it": (
        {1: ([1, 2], 5), 2: ([1, 2], 5), 4: (OLD, 5), 5: (OLD, 5)},
        OLD,
        3,
        LET_GO,
    ),
    "others joined since": ({1: ([1, 6, 7], 7)}, [1, 2], 2, LET_GO),
    "one whose list is older than its join": ({1: ([1, 2, 3], 3), 2: ([1, 2], 2)}, [1, 2, 3], 3, 0),
    "a file without a note of the highest id": ({1: ([1, 3], None)}, [1, 2, 3], 2, LET_GO),
    "nobody else is in the list": ({}, [1], 1, 0),
}


@pytest.mark.parametrize(("members", "listed", "own", "code"), CASES.values(), ids=CASES.keys())
def test_who_was_let_go_does_not_start(stage: Stage, members: dict, listed: list[int], own: int, code: int) -> None:
    for number, (ids, highest) in members.items():
        stage.member(number, conf_of(ids, highest))
    ended, said, _seconds = stage.boots(own, conf_of(listed, max(listed), own=own))
    assert ended == code, said
    assert len(said.splitlines()) == 1 and ("was let go" in said) == (code == LET_GO)


def test_who_has_all_answers_waits_no_longer(stage: Stage) -> None:
    stage.member(1, conf_of([1, 2], 2))
    code, said, seconds = stage.boots(2, OWN, program=GATE)
    assert (code, seconds < gate.WAIT_S) == (0, True), said


def test_who_has_no_answer_starts_after_three_seconds(stage: Stage) -> None:
    stage.listening(1)
    code, said, seconds = stage.boots(2, conf_of([1, 2, 3], 3, own=2), program=GATE)
    assert (code, 3.0 <= seconds < 3.0 + LATE_S) == (0, True), said


def test_the_sentence_says_what_why_and_what_to_do(stage: Stage) -> None:
    stage.member(1, conf_of([1], 2))
    said = stage.boots(2, OWN)[1]
    assert said == (
        "Corosync and Pacemaker do not start here, because this node was let go while it was away: the cluster shop lists 127.0.0.1 (node id 2) "
        "no longer, says 127.0.0.11 (node id 1). Delete this VM (recover_cluster does so), or let the node join anew (cluster_node with state member).\n"
    )


# What is told that lets the node go, if only it counted.
NO_ANSWERS: dict[str, dict] = {
    "another key": {"conf": conf_of([1], 2), "key": KEY[::-1]},
    "a key that is cut off": {"conf": conf_of([1], 2), "key": KEY[:16]},
    "another cluster": {"conf": conf_of([1], 2, cluster="other")},
    "a list that ends in the middle": {"conf": conf_of([1], 2)[:-3]},
    "an empty list": {"conf": "# highest node id ever given: 9\n"},
}


@pytest.mark.parametrize("member", NO_ANSWERS.values(), ids=NO_ANSWERS.keys())
def test_what_is_no_word_of_a_member_keeps_nobody_out(stage: Stage, member: dict) -> None:
    stage.member(1, **member)
    assert stage.boots(2, OWN)[0] == 0


def test_a_key_that_is_cut_off_on_both_sides_seals_nothing(stage: Stage) -> None:
    stage.member(1, conf_of([1], 2), b"")
    code, said, _seconds = stage.boots(2, OWN, b"")
    assert code == 1 and "too short" in said, "a fault of the gate, which systemd takes for a success"


def hostile(stage: Stage, answer: Callable[[bytes], Iterator[bytes]]) -> None:
    """One at the address of node 1 who has no key, and answers as it likes."""
    listening = stage.listening(1)

    def run() -> None:
        with contextlib.suppress(OSError):
            while True:
                question, asker = listening.recvfrom(4096)
                for one in answer(question):
                    listening.sendto(one, asker)

    threading.Thread(target=run, daemon=True).start()


def flood(_question: bytes) -> Iterator[bytes]:
    """More than anybody reads."""
    for _each in range(20_000):
        yield os.urandom(200)


TOLD = b'{"cluster": "shop", "ids": [1], "highest": 2}'
HOSTILE: dict[str, Callable[[bytes], Iterator[bytes]]] = {
    "nothing": lambda question: iter(()),
    "the question": lambda question: iter([question]),
    "an answer that nobody sealed": lambda question: iter([b"0" * 64 + TOLD, TOLD, b"", b"\xff" * 64]),
    "an answer to another question": lambda question: iter([gate.seal(KEY, b"a" * gate.QUESTION, TOLD) + TOLD]),
    "as much as fits": lambda question: iter([b"f" * 65_000] * 50),
    "a flood": flood,
}


@pytest.mark.parametrize("answer", HOSTILE.values(), ids=HOSTILE.keys())
def test_who_has_no_key_neither_keeps_a_node_out_nor_holds_it_up(stage: Stage, answer: Callable[[bytes], Iterator[bytes]]) -> None:
    hostile(stage, answer)
    code, said, seconds = stage.boots(2, OWN)
    assert (code, seconds < WAIT_S + LATE_S) == (0, True), said


def test_a_flood_at_one_does_not_drown_the_word_of_another(stage: Stage) -> None:
    hostile(stage, flood)
    stage.member(3, conf_of([1, 3], 3))
    assert stage.boots(2, conf_of([1, 2, 3], 3, own=2))[0] == LET_GO


def test_a_member_answers_only_what_is_as_long_as_its_answer(stage: Stage) -> None:
    stage.member(1, conf_of([1], 2))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.settimeout(0.3)
        for size in (0, 1, gate.QUESTION - 1, gate.QUESTION + 1):
            asking.sendto(b"q" * size, (address_of(1), stage.port))
        with pytest.raises(TimeoutError):
            asking.recv(4096)
        asking.settimeout(5)
        asking.sendto(b"q" * gate.QUESTION, (address_of(1), stage.port))
        assert len(asking.recv(4096)) < gate.QUESTION


def test_a_member_tells_by_its_files_of_the_moment_and_is_silent_once_it_has_left(stage: Stage) -> None:
    stage.member(1, conf_of([1, 2], 2))
    assert stage.boots(2, OWN)[0] == 0
    stage.node(1, conf_of([1], 2))
    assert stage.boots(2, OWN)[0] == LET_GO
    for name in ("corosync.conf", "authkey"):
        (stage.folder / "1" / name).unlink()
    assert stage.boots(2, OWN)[0] == 0
    stage.node(1, conf_of([1], 2))
    assert stage.boots(2, OWN)[0] == LET_GO, "it still runs"


def test_a_link_that_is_dead_costs_nothing_where_another_works(stage: Stage) -> None:
    stage.member(1, conf_of([1], 2))
    conf = OWN.replace("ring0_addr: 127.0.0.11\n", "ring0_addr: 198.51.100.1\n        ring1_addr: 127.0.0.11\n")
    code, said, seconds = stage.boots(2, conf, program=GATE)
    assert (code, seconds < gate.WAIT_S) == (LET_GO, True), said


def test_it_asks_over_ipv6_too(stage: Stage) -> None:
    stage.member(1, conf_of([1], 2), at="::1")
    assert stage.boots(2, conf_of([2, 1], 2, own=2).replace("127.0.0.11\n", "::1\n"))[0] == LET_GO


PERSONS = """\
# by hand
totem {
  version: 2
  cluster_name: shop
  interface {
    linknumber: 0
    # nodelist {
  }
}

nodelist {
    # the old one
    node {
        name: there
        nodeid: 1
        ring0_addr: localhost
        quorum_votes: 2
    }
    node {
        ring0_addr: 198.51.100.7
        nodeid:2
        name: %s
    }
}
quorum {
    provider: corosync_votequorum
    node {
        nodeid: 9
    }
}
"""


def test_a_file_that_a_person_wrote_is_read_and_the_own_entry_found_by_the_host_s_name(stage: Stage) -> None:
    stage.member(1, conf_of([1], 2), at=socket.getaddrinfo("localhost", 9)[0][4][0])
    for name in (os.uname().nodename, os.uname().nodename.split(".")[0]):
        code, said, _seconds = stage.boots(2, PERSONS % name)
        assert code == LET_GO and "says there (node id 1)" in said


def test_who_does_not_find_itself_in_its_list_is_not_judged(stage: Stage) -> None:
    stage.member(1, conf_of([1], 2))
    assert stage.boots(2, OWN.replace("127.0.0.1\n", "198.51.100.2\n"))[0] == 0
    assert stage.boots(2, OWN.replace("nodeid: 2\n", "\n"))[0] == 0, "its entry has no number"


def test_the_program_reads_a_list_as_the_collection_does(stage: Stage) -> None:
    """Of what the collection writes, nothing is known in two ways: names, addresses, numbers, and the note of the highest id."""
    conf = corosync_conf.first_conf("shop", corosync_conf.Node("shop-n1", "10.99.0.60", 1), 3000)
    for number in (2, 3):
        conf = corosync_conf.with_node(conf, corosync_conf.Node(f"shop-n{number}", f"10.99.0.6{number}", number, votes=number))
    conf = corosync_conf.without_node(corosync_conf.staged(conf), "shop-n3")
    nodes, told = gate.read_conf(stage.node(1, corosync_conf.render(conf)))
    assert told == {"cluster": conf.cluster, "ids": [one.id for one in conf.nodes], "highest": conf.highest_id} and conf.highest_id == 3
    assert [(one["name"], *gate.addresses_of(one)) for one in nodes] == [(one.name, one.address) for one in conf.nodes]
