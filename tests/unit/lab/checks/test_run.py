# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""What a run's recordings say of themselves: its time, its VMs, who answered, and when the work went over."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lab.checks.run import Handover, Run, Vm, first_answer_at, handovers, vms_of, whole_since
from tests.unit.lab.checks.parts import REQUIREMENT, answer, case, note, view, vm


def run(**recordings) -> Run:
    return case(**recordings).run


@pytest.mark.parametrize(("at", "seconds"), [(None, None), (100.0, 0.0), (112.346, 12.35), (99.0, -1.0)])
def test_seconds_are_since_the_start_in_hundredths(at, seconds):
    assert replace(run(), started_at=100.0).seconds(at) == seconds


def test_notes_are_found_by_their_kind():
    first, second, other = note("kill", 1), note("kill", 2), note("load", 0)
    noted = run(events=[other, first, second])
    assert (noted.event("kill"), noted.events_of("kill")) == (first, [first, second])
    assert (noted.event("stopped"), noted.events_of("stopped")) == (None, [])


@pytest.mark.parametrize(
    ("recordings", "stopped", "ended"),
    [
        ({"events": [note("start", 1), note("stopped", 50), note("destroyed", 60)], "witness": [view(70)]}, 50.0, 50.0),
        ({"events": [note("start", 1), note("load", 60)], "witness": [view(70)]}, float("inf"), 70.0),
        ({"events": [note("start", 1), note("load", 60)], "witness": [view(50)]}, float("inf"), 60.0),
        ({"client": [answer(80.0), {"kind": "end", "at": 90.0}], "events": [note("load", 60)]}, float("inf"), 80.0),
        ({}, float("inf"), 0.0),
    ],
)
def test_a_run_ends_when_it_was_stopped_or_with_the_last_that_is_known(recordings, stopped, ended):
    assert (run(**recordings).stopped_at, run(**recordings).ended_at) == (stopped, ended)


def test_what_the_witness_saw_counts_until_the_run_was_stopped():
    seen = run(witness=[view(10), {"kind": "file", "at": 11}, view(50), view(50.1)], events=[note("stopped", 50)])
    assert [record["at"] for record in seen.seen("cluster")] == [10, 50]


def test_the_requirement_names_the_services():
    assert run(events=[REQUIREMENT]).expected() == REQUIREMENT["services"]
    assert run().expected() == {}


def test_transactions_are_those_of_a_service_and_acknowledged_ones_in_their_order():
    late, early, web = answer(30.0), answer(20.0), answer(25.0, service="web")
    given_up = answer(None, None, ended_at=21.0)
    seen = run(client=[{"kind": "target", "service": "web"}, late, web, given_up, early])
    assert seen.transactions() == [late, web, given_up, early]
    assert seen.transactions("ledger") == [late, given_up, early]
    assert (seen.acknowledged(), seen.acknowledged("ledger")) == ([early, web, late], [early, late])
    assert seen.services() == ["ledger", "web"]


@pytest.mark.parametrize(
    ("gone", "at", "there"),
    [(None, 10, True), (None, 9.9, False), (None, 1000, True), (20, 19.9, True), (20, 20, False), (20, 9.9, False)],
)
def test_a_vm_is_there_from_its_definition_until_it_is_gone(gone, at, there):
    assert vm("n1", 10, gone).was_there(at) is there


def seen_vm(uuid, name, memory_mib=640, **times):
    facts = {"kind": "vm", "uuid": uuid, "name": name, "host": "hv2", "memory_mib": memory_mib}
    facts |= {"address": "10.0.0.9", "image": "debian", "generation": "7"}
    return [{**facts, "event": event.rstrip("_"), "at": at} for event, at in times.items()]


def test_a_vm_is_what_libvirt_ssh_and_the_cluster_showed_of_it():
    shown = seen_vm("u1", "n1", defined=10.0, running=11.0, reachable=15.0, running_=30.0, reachable_=31.0, stopped=40.0, gone=41.0)
    witness = [*shown, view(19, None, "n2"), view(20, None, "n1"), view(21, None, "n1")]
    told = Vm("u1", "n1", "hv2", 640, 10.0, "gone", 11.0, 15.0, 20.0, 41.0, "10.0.0.9", "debian", "7")
    assert vms_of(run(witness=witness)) == [told]


@pytest.mark.parametrize(
    ("times", "state"),
    [
        ({}, "defined"),
        ({"running": 11.0}, "running"),
        ({"running": 11.0, "reachable": 12.0}, "running"),
        ({"running": 11.0, "stopped": 12.0}, "stopped"),
    ],
)
def test_the_state_of_a_vm_is_what_libvirt_showed_last(times, state):
    (one,) = vms_of(run(witness=seen_vm("u1", "n1", defined=10.0, **times)))
    assert (one.state, one.running_at, one.gone_at) == (state, times.get("running"), None)


def test_a_name_that_comes_back_is_another_vm_and_has_no_mark_but_its_own():
    bare = [
        {key: value for key, value in record.items() if key not in ("address", "image", "generation")}
        for record in seen_vm("u2", "n1", 512, defined=50.0)
    ]
    first, second = vms_of(run(witness=[*seen_vm("u1", "n1", defined=10.0, gone=40.0), *bare]))
    assert (first.memory_mib, first.gone_at, second.memory_mib, second.gone_at) == (640, 40.0, 512, None)
    assert (second.address, second.image, second.generation) == (None, None, None)


@pytest.mark.parametrize(
    ("views", "joined"),
    [
        ([(9, "online"), (20, "online"), (30, "online")], 20.0),
        ([(20, "standby")], 20.0),
        ([(20, "pending"), (21, "offline")], None),
        ([(40, "online")], None),
        ([], None),
    ],
)
def test_a_vm_joined_when_a_view_had_it_online_or_in_standby(views, joined):
    witness = [*seen_vm("u1", "n1", defined=10.0, gone=40.0), *(view(at, nodes={"n1": state}) for at, state in views)]
    assert vms_of(run(witness=witness))[0].joined_at == joined


@pytest.mark.parametrize(
    ("since", "service", "at"),
    [(0.0, None, 20.0), (20.0, None, 20.0), (20.1, None, 30.0), (0.0, "web", 30.0), (30.1, None, None), (0.0, "other", None)],
)
def test_the_first_answer_of_a_node(since, service, at):
    client = [answer(10.0, "n2"), answer(30.0, service="web"), answer(20.0)]
    assert first_answer_at(run(client=client), "n1", since, service) == at


def test_work_goes_over_when_another_node_answers():
    client = [answer(10.0), answer(11.0), answer(20.0, "n2"), answer(21.0, "n3", "web"), answer(25.0, "n2"), answer(30.0)]
    assert handovers(run(client=client), "ledger") == [
        Handover("ledger", "n1", "n2", 11.0, 20.0),
        Handover("ledger", "n2", "n1", 25.0, 30.0),
    ]
    assert handovers(run(client=client), "web") == []


@pytest.mark.parametrize(
    ("views", "whole"),
    [
        ([view(9.9, "n1", "n1"), view(10, "n1", "n1"), view(11, "n1", "n1")], 10.0),
        ([view(10, "n1", "n1", quorate=False), view(11, None, "n1"), view(12, "n1", "n1")], 12.0),
        ([view(10, "n1", "n1", resources={"ledger-data": ["n1"]})], None),
        ([], None),
    ],
)
def test_the_cluster_is_whole_when_it_is_quorate_and_everything_runs(views, whole):
    assert whole_since(run(witness=views, events=[REQUIREMENT]), 10) == whole
