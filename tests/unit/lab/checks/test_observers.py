# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""How long each of the witness's eyes went without a view, and from when on it should have had one."""

from __future__ import annotations

import pytest

from lab.checks.observers import BLIND_S, TROUBLED_SHARE, eye_problems, member_problems, observer_problems
from tests.unit.lab.checks.parts import REQUIREMENT, WEB, case, member, note, view, vm

STOPPED = note("stopped", 1000)
STEADY = [float(at) for at in range(0, 1001, 10)]


@pytest.mark.parametrize(
    ("views", "troubles", "told"),
    [
        (STEADY, [], None),
        (STEADY[::-1], [], None),
        ([at for at in STEADY if not 100 < at < 100 + BLIND_S], [], None),
        ([at for at in STEADY if not 100 < at < 110 + BLIND_S], [], "it was blind for 100.0 s from 100.0 s on"),
        ([at for at in STEADY if at <= 900], [], "it was blind for 100.0 s from 900.0 s on"),
        ([at for at in STEADY if at >= 100], [], "it was blind for 100.0 s from 0.0 s on"),
        ([], [], "it saw nothing from 0.0 s to 1000.0 s"),
        ([-1.0, 1000.1], [], "it saw nothing from 0.0 s to 1000.0 s"),
        ([0.0], [], "it was blind for 1000.0 s from 0.0 s on"),
        ([1000.0], [], "it was blind for 1000.0 s from 0.0 s on"),
        (STEADY, [at + 1 for at in STEADY], "it was in trouble for 900.0 s of 1000.0 s"),
        (STEADY, [at + later for at in STEADY for later in (3, 1, 2)], "it was in trouble for 900.0 s of 1000.0 s"),
        (STEADY, STEADY, "it was in trouble for 1000.0 s of 1000.0 s"),
        (STEADY, [at + 1 for at in STEADY[: int(100 * TROUBLED_SHARE)]], None),
        (STEADY, STEADY[: int(100 * TROUBLED_SHARE)], None),
        (STEADY, STEADY[: int(100 * TROUBLED_SHARE) + 1], "it was in trouble for 410.0 s of 1000.0 s"),
        (STEADY, [2000.0], None),
    ],
)
def test_how_long_an_eye_was_blind_or_in_trouble(views, troubles, told):
    assert eye_problems(case(events=[STOPPED]), "it", 0.0, views, troubles) == ([told] if told else [])


@pytest.mark.parametrize(
    ("since", "told"),
    [(1000.0, []), (999.9, ["it saw nothing from 999.9 s to 1000.0 s"]), (991.0, ["it saw nothing from 991.0 s to 1000.0 s"])],
)
def test_an_eye_that_was_to_see_nothing_yet_is_not_blind(since, told):
    assert eye_problems(case(events=[STOPPED]), "it", since, [], []) == told


@pytest.mark.parametrize(
    ("since", "told"),
    [
        (991.0, []),
        (990.5, ["it was in trouble for 9.5 s of 9.5 s"]),
        (980.0, ["it was in trouble for 20.0 s of 20.0 s"]),
    ],
)
def test_a_short_trouble_is_none(since, told):
    assert eye_problems(case(events=[STOPPED]), "it", since, [since], [since]) == told


def host(name, at, ok=True):
    return {"kind": "host", "at": at, "host": name, "ok": ok}


def trouble(eye, at):
    return {"kind": "trouble", "at": at, "eye": eye}


def balancer(service, at):
    return {"kind": "balancer", "at": at, "service": service}


EVENTS = [
    {**REQUIREMENT, "services": {"web": WEB, "ledger": {"kind": "movable"}}},
    note("created", 20),
    note("client", 40),
    note("stopped", 100),
]
GOOD = [*(host(name, at) for at in range(10, 100, 10) for name in ("hv1", "hv2")), view(30, "n1", "n1"), balancer("web", 50)]


def told(witness, events=EVENTS):
    return observer_problems(case(witness=sorted(witness, key=lambda record: record["at"]), events=events))


def without(kind, **facts):
    return [record for record in GOOD if record["kind"] != kind or any(record[key] != value for key, value in facts.items())]


@pytest.mark.parametrize(
    ("witness", "problems"),
    [
        (GOOD, []),
        (without("host", host="hv2"), ["the eye on host hv2 saw nothing from 10.0 s to 100.0 s"]),
        (without("cluster"), ["the eye on the cluster saw nothing from 20.0 s to 100.0 s"]),
        (without("balancer"), ["the eye on web's load balancer saw nothing from 40.0 s to 100.0 s"]),
        ([*without("balancer"), balancer("other", 50)], ["the eye on web's load balancer saw nothing from 40.0 s to 100.0 s"]),
        ([*GOOD, host("hv1", 2)], []),
        (
            [*GOOD, *(host("hv1", at + 1, ok=False) for at in range(10, 100, 10))],
            ["the eye on host hv1 was in trouble for 81.0 s of 90.0 s"],
        ),
        ([*GOOD, *(trouble("host hv1", at + 1) for at in range(10, 100, 10))], ["the eye on host hv1 was in trouble for 81.0 s of 90.0 s"]),
        ([*GOOD, *(trouble("host hv11", at + 1) for at in range(10, 100, 10))], []),
        ([*GOOD, trouble("cluster", 31)], ["the eye on the cluster was in trouble for 69.0 s of 80.0 s"]),
        ([*GOOD, trouble("cluster through n1", 31)], ["the eye on the cluster was in trouble for 69.0 s of 80.0 s"]),
        ([*GOOD, trouble("clusters", 31), trouble("a cluster ", 31)], []),
        ([*GOOD, trouble("balancer web", 51)], ["the eye on web's load balancer was in trouble for 49.0 s of 60.0 s"]),
        ([*GOOD, trouble("balancer", 51), trouble("balancer other", 51)], []),
    ],
)
def test_each_eye_is_asked_from_when_there_was_something_to_see(witness, problems):
    assert told(witness) == problems


def test_what_was_never_begun_had_nothing_to_see():
    assert told([host("hv1", 10), host("hv2", 10)], [EVENTS[0], note("stopped", 100)]) == []
    assert told([], [note("stopped", 100)]) == []


def test_without_a_witness_its_hosts_were_not_seen_from_the_start_on():
    assert told([], [REQUIREMENT, note("stopped", 100)]) == [
        f"the eye on host {name} saw nothing from 0.0 s to 100.0 s" for name in ("hv1", "hv2")
    ]


@pytest.mark.parametrize(
    ("back_s", "problems"),
    [(BLIND_S, []), (BLIND_S + 0.1, ["the witness's times run backwards: 9.9 s after 100.0 s"])],
)
def test_the_witness_writes_in_order_but_for_the_time_that_a_look_may_take(back_s, problems):
    backwards = [host("hv1", at) for at in (100.0, 100.0 - back_s, 200.0, 200.0 - back_s)]
    assert observer_problems(case(witness=backwards, events=[STOPPED])) == problems


def test_a_member_tells_of_itself():
    vms = [vm("n1"), vm("n2"), vm("n3", joined_at=None)]
    seen = case(vms=vms, witness=[view(20, None, "n1", "n2"), member(21)])
    assert member_problems(seen) == ["n2 was a member from 19.0 s on and never told of itself"]
    assert observer_problems(seen) == member_problems(seen)
