# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""The elements P9 to P12, each asked of a few recordings: the stack on new VMs, their join, and the work that they take over."""

from __future__ import annotations

import pytest

from lab.checks import joins
from tests.unit.lab.checks.parts import LEDGER, REQUIREMENT, WEB, answer, case, member, note, view, vm

CREATED, STOPPED = note("created", 30), note("stopped", 1000)
OLD, NEW = vm("n1"), vm("n2", 100)
FAILED = {"corosync": "active", "pacemaker": "failed"}


def text_of(evidence):
    assert evidence.seen is not evidence.text.startswith("not seen: ")
    return evidence.text


@pytest.mark.parametrize(
    ("accounts", "told"),
    [
        ([member(21), member(50)], "n1 (read there at 21.0 s): corosync 3.1 and pacemaker 2.1 installed and active"),
        ([], "not seen: Corosync and Pacemaker among the packages of n1"),
        ([member(21, packages={"corosync": "3.1"})], "not seen: Corosync and Pacemaker among the packages of n1"),
        ([member(21), member(50, states=FAILED)], "not seen: Corosync and Pacemaker running on n1: pacemaker failed at 50.0 s"),
    ],
)
def test_the_stack_is_installed_and_active_whenever_the_member_was_asked(accounts, told):
    assert text_of(joins.stack_on(case(witness=[view(20, None, "n1"), *accounts]), [OLD], "an initial")) == told


def test_the_stack_is_told_of_every_vm_and_without_one_nothing_was_seen():
    seen = case(
        witness=[
            view(20, None, "n1"),
            member(21),
            view(110, None, "n1", "n2"),
            member(111, "n2", packages={"corosync": "4", "pacemaker": "5", "x": "6"}),
        ]
    )
    old = "n1 (read there at 21.0 s): corosync 3.1 and pacemaker 2.1 installed and active"
    new = "n2 (read there at 111.0 s): corosync 4 and pacemaker 5 installed and active"
    assert text_of(joins.stack_on(seen, [OLD, NEW], "an initial")) == f"{old}; {new}"
    assert text_of(joins.stack_on(seen, [], "an initial")) == "not seen: an initial VM"


def test_p9_is_asked_of_the_vms_that_came_after_the_first_creation():
    witness = [view(20, None, "n1"), view(110, None, "n1", "n2"), member(111, "n2")]
    seen = case(vms=[OLD, NEW, vm("n3", 120, joined_at=None)], events=[CREATED], witness=witness)
    assert text_of(joins.p9_stack_on_new_vms(seen)) == "n2 (read there at 111.0 s): corosync 3.1 and pacemaker 2.1 installed and active"
    assert text_of(joins.p9_stack_on_new_vms(case(vms=[OLD], events=[CREATED]))) == "not seen: a later VM"


PAIR = ("n1", "n2")
VIEWS = [view(20, None, "n1"), view(109, None, "n1", "n2"), view(900, None, "n1", "n2")]
BEFORE, AFTER, THEIRS = member(50), member(112, "n1", "b", PAIR), member(111, "n2", "b", PAIR)


def joined(before="a", after="b", at="112.0 s and 111.0 s"):
    return (
        f"old side: n1's corosync.conf changed from {before * 12} to {after * 12} and was taken over without a restart (both daemons' "
        f"start times unchanged, both active); new side: n2 runs with the same file; each sees the other in its partition (read at {at})"
    )


NOT_JOINED = (
    "not seen: for the join of n2 at 109.0 s an old member that took the new configuration over without a restart, "
    "and a new one with the same file"
)
RESTARTED = {"corosync": 99, "pacemaker": 22}


@pytest.mark.parametrize(
    ("accounts", "told"),
    [
        ([BEFORE, AFTER, THEIRS], joined()),
        ([BEFORE, AFTER, {**THEIRS, "config_sha256": "c" * 64}], NOT_JOINED),
        ([BEFORE, AFTER], NOT_JOINED),
        ([BEFORE, THEIRS], NOT_JOINED),
        ([AFTER, THEIRS], NOT_JOINED),
        # The old one doesn't see the new one, or the new one not the old one.
        ([BEFORE, {**AFTER, "partition": ["n1"]}, THEIRS], NOT_JOINED),
        ([BEFORE, AFTER, {**THEIRS, "partition": ["n2"]}], NOT_JOINED),
        # An old member that had the file before, or that was restarted for it.
        ([member(50, file="b"), AFTER, THEIRS], NOT_JOINED),
        ([BEFORE, {**AFTER, "started_us": RESTARTED}, THEIRS], NOT_JOINED),
        ([{**BEFORE, "started_us": RESTARTED}, member(60), AFTER, THEIRS], joined()),
        ([member(40), {**BEFORE, "started_us": RESTARTED}, AFTER, THEIRS], NOT_JOINED),
        # A daemon that was not active, of one or the other.
        ([{**BEFORE, "states": FAILED}, AFTER, THEIRS], NOT_JOINED),
        ([BEFORE, {**AFTER, "states": FAILED}, THEIRS], NOT_JOINED),
        ([BEFORE, AFTER, {**THEIRS, "states": FAILED}], NOT_JOINED),
        # Of several accounts those count that fit together.
        ([BEFORE, member(60, file="x"), AFTER, THEIRS], joined("x")),
        ([BEFORE, member(105, file="b"), AFTER, THEIRS], joined()),
        ([BEFORE, member(105, file="c", partition=PAIR), AFTER, THEIRS], joined()),
        ([BEFORE, AFTER, member(113, "n1", "b", PAIR), THEIRS], joined()),
        ([BEFORE, member(110, file="b"), AFTER, THEIRS, member(130, file="d")], joined()),
        ([BEFORE, AFTER, member(110, "n2", "x", PAIR), THEIRS], joined()),
        ([BEFORE, AFTER, {**THEIRS, "at": 110, "partition": ["n2"]}, THEIRS], joined()),
        ([BEFORE, AFTER, {**THEIRS, "at": 110, "states": FAILED}, THEIRS], joined()),
        ([BEFORE, member(51, file="y"), member(52, "n1", "z", PAIR), AFTER, THEIRS], joined("y")),
        (
            [AFTER, member(120, file="a"), member(130, "n1", "c", PAIR), THEIRS, member(131, "n2", "c", PAIR)],
            joined("a", "c", "130.0 s and 131.0 s"),
        ),
        # An earlier VM of the same name was in the partition, with the same file.
        ([BEFORE, member(60, "n1", "b", PAIR), AFTER, THEIRS], joined()),
        ([member(60, "n1", "b", PAIR), member(70), AFTER, THEIRS], joined()),
        ([AFTER, member(112, file="x"), THEIRS], NOT_JOINED),
    ],
)
def test_p10_the_old_member_took_the_new_file_over_and_the_new_one_has_the_same(accounts, told):
    seen = case(vms=[OLD, NEW], events=[CREATED, STOPPED], witness=[*VIEWS, *sorted(accounts, key=lambda record: record["at"])])
    assert text_of(joins.p10_join_on_both_sides(seen)) == told


def test_p10_an_old_member_was_there_when_the_new_vm_was_defined():
    witness = [*VIEWS, BEFORE, THEIRS, AFTER]
    for vms in ([vm("n1", gone=100), NEW], [NEW, vm("n1", 101)]):
        assert text_of(joins.p10_join_on_both_sides(case(vms=vms, events=[CREATED, STOPPED], witness=witness))) == NOT_JOINED


def test_p10_a_new_vm_is_not_its_own_old_member():
    witness = [*VIEWS, member(110, "n2", "x", ()), THEIRS]
    assert text_of(joins.p10_join_on_both_sides(case(vms=[OLD, NEW], events=[CREATED, STOPPED], witness=witness))) == NOT_JOINED


def test_p10_one_old_member_is_enough_but_every_join_is_asked_of():
    other, third = vm("n0"), vm("n3", 300)
    seen = case(vms=[other, OLD, NEW], events=[CREATED, STOPPED], witness=[*VIEWS, BEFORE, THEIRS, AFTER])
    assert text_of(joins.p10_join_on_both_sides(seen)) == joined()
    seen = case(vms=[OLD, NEW, third], events=[CREATED, STOPPED], witness=[*VIEWS, BEFORE, THEIRS, AFTER])
    assert text_of(joins.p10_join_on_both_sides(seen)) == NOT_JOINED.replace("n2 at 109.0 s", "n3 at 309.0 s")
    assert text_of(joins.p10_join_on_both_sides(case(vms=[OLD], events=[CREATED]))) == "not seen: a join"


WENT_OVER = (
    "ledger answered from n1 until 90.0 s and from n2 from 150.0 s on (2 transactions there), n1 staying an online member; "
    "Pacemaker had ledger-data and ledger-app there before and here after"
)
STAYED = "not seen: ledger going over from a member to a new VM while both were online"
ANSWERS = [answer(80), answer(90), answer(150, "n2"), answer(151, "n2", "web"), answer(160, "n2")]
MOVED = [view(20, "n1", "n1"), view(120, "n1", "n1", "n2"), view(155, "n2", "n1", "n2")]


def failed_over(client=ANSWERS, witness=MOVED, vms=(OLD, NEW)):
    return text_of(joins.p11_work_fails_over(case(vms=vms, events=[REQUIREMENT, CREATED, STOPPED], client=client, witness=witness)))


@pytest.mark.parametrize(
    ("client", "told"),
    [
        (ANSWERS, WENT_OVER),
        (ANSWERS[:2], STAYED),
        ([answer(90), answer(150, "n3")], STAYED),
        ([answer(80, "n3"), *ANSWERS[1:]], WENT_OVER),
        ([*ANSWERS, answer(170), answer(180, "n2")], WENT_OVER.replace("(2", "(3")),
        ([answer(50, "n2"), *ANSWERS], WENT_OVER),
    ],
)
def test_p11_another_node_answered(client, told):
    assert failed_over(client=client) == told


@pytest.mark.parametrize(
    ("vms", "told"),
    [
        ([OLD, vm("n2", 100, gone=200)], WENT_OVER),
        ([OLD, vm("n2", 100, gone=160)], WENT_OVER.replace("(2", "(1")),
        ([OLD, vm("n2", 100, gone=150), vm("n2", 155)], STAYED),
        ([OLD, vm("n2", 50, gone=60), NEW], WENT_OVER),
        ([OLD, vm("n2", 20)], STAYED),
        ([OLD, vm("n2", 100, joined_at=None)], STAYED),
        ([OLD, vm("n3", 100)], STAYED),
    ],
)
def test_p11_the_other_node_was_a_new_vm(vms, told):
    assert failed_over(vms=vms) == told


@pytest.mark.parametrize(
    ("later", "told"),
    [
        ([view(155, "n2", "n1", "n2")], WENT_OVER),
        ([view(150, "n2", "n1", "n2"), view(160, "n2", "n2", nodes={"n1": "offline", "n2": "online"})], WENT_OVER),
        ([view(155, "n2", "n2"), view(160, "n2", "n1", "n2")], STAYED),
        ([view(155, "n2", "n2", nodes={"n1": "offline", "n2": "online"})], STAYED),
        ([view(155, "n2", "n2", nodes={"n1": "online", "n2": "standby"})], STAYED),
        ([view(149, "n2", "n1", "n2")], STAYED),
        ([view(149, "n2", "n1", "n2"), view(155, "n2", "n1", "n2")], WENT_OVER),
        ([view(149, None, "n1", "n2"), view(155, None, "n1", "n2"), view(160, "n2", "n1", "n2")], WENT_OVER),
        ([view(155, None, "n1", "n2")], STAYED),
        ([view(155, "n1", "n1", "n2")], STAYED),
        ([view(155, "n3", "n1", "n2"), view(160, "n2", "n1", "n2")], STAYED),
        ([view(130, "n3", "n1", "n2"), view(155, "n2", "n1", "n2")], STAYED),
        ([view(150, "n1", "n1", "n2"), view(155, "n2", "n1", "n2")], STAYED),
        ([view(150, "n2", "n1", "n2"), view(155, "n1", "n1", "n2")], WENT_OVER),
        ([], STAYED),
    ],
)
def test_p11_both_stayed_online_and_the_cluster_moved_it_too(later, told):
    assert failed_over(witness=[*MOVED[:2], *later]) == told


def test_p11_where_it_was_later_does_not_count():
    for later in ([view(155, "n2", *PAIR), view(400, "n1", *PAIR)], [view(150, "n2", *PAIR), view(150, "n1", *PAIR)]):
        assert failed_over(witness=[view(120, "n3", *PAIR), *later]) == STAYED


def test_p11_a_cluster_that_always_had_it_on_the_new_node_did_not_move_it():
    assert failed_over(witness=[view(120, "n2", "n1", "n2"), view(155, "n2", "n1", "n2")]) == STAYED


TARGETS = [{"kind": "target", "service": name, "address": one["address"]} for name, one in (("web", WEB), ("ledger", LEDGER))]
BOTH = {**REQUIREMENT, "services": {"web": WEB, "ledger": LEDGER}}
TAKEN = [answer(80, service="web"), answer(90), answer(120, "n2", "web"), answer(130, "n2"), answer(140, service="web")]
ADDRESSES = (
    "web: all 3 acknowledged transactions went to 10.0.0.10:80; n1 answered there before, n2 from 120.0 s on; "
    "ledger: all 2 acknowledged transactions went to 10.0.0.11:5000; n1 answered there before, n2 from 130.0 s on"
)
NO_NEW = "not seen: a new VM that answered what was sent to web's address"


def one_address(client, vms=(OLD, NEW), event=BOTH):
    return text_of(joins.p12_one_address(case(vms=vms, events=[event, CREATED, STOPPED], client=client)))


@pytest.mark.parametrize(
    ("client", "told"),
    [
        ([*TARGETS, *TAKEN], ADDRESSES),
        (
            [{**TARGETS[0], "address": "10.0.0.9:80"}, TARGETS[1], *TAKEN],
            "not seen: clients of web at its virtual cluster IP 10.0.0.10:80; they sent to 10.0.0.9:80",
        ),
        ([TARGETS[0], *TAKEN], "not seen: clients of ledger at its virtual cluster IP 10.0.0.11:5000; they sent to nobody"),
        ([*TARGETS, *TAKEN[1:]], NO_NEW),
        ([*TARGETS, TAKEN[0], answer(120, "n3", "web")], NO_NEW),
        (
            [*TARGETS, answer(80, "n3", "web"), answer(99, "n3", "web"), *TAKEN[1:]],
            ADDRESSES.replace("web: all 3", "web: all 4").replace("n1 answered", "n3 answered", 1),
        ),
        (
            [*TARGETS, answer(80, service="web"), answer(99, "n2", "web"), answer(100, "n2", "web"), *TAKEN[1:]],
            ADDRESSES.replace("web: all 3", "web: all 5").replace("120.0", "100.0"),
        ),
        ([*TARGETS, answer(99, "n2", "web"), answer(100, "n2", "web")], NO_NEW),
        ([*TARGETS, answer(120, "n1", "web"), answer(120, "n2", "web")], NO_NEW),
    ],
)
def test_p12_a_new_vm_answered_what_was_sent_to_the_same_address(client, told):
    assert one_address(client) == told


@pytest.mark.parametrize(
    ("vms", "told"),
    [
        ([vm("n1", address="10.0.0.10"), NEW], "not seen: a virtual cluster IP of web: 10.0.0.10:80 is n1's own address"),
        ([vm("n1", address="10.0.0.1"), vm("n2", 100, address="10.0.0.2")], ADDRESSES),
        ([OLD, vm("n2", 50, gone=60), NEW], ADDRESSES),
        ([OLD, vm("n3", 90), NEW], ADDRESSES),
        ([OLD, vm("n2", 100, gone=120)], NO_NEW),
        ([OLD, vm("n2", 20)], NO_NEW),
    ],
)
def test_p12_the_address_is_no_vms_own_and_the_vm_was_there_and_new(vms, told):
    assert one_address([*TARGETS, *TAKEN], vms) == told


def test_p12_without_a_service_there_is_no_client():
    assert one_address([*TARGETS, *TAKEN], event={**BOTH, "services": {}}) == "not seen: a client"
