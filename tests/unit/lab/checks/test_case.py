# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""What questions are asked of: who was there first, who told of itself as a member, and who carried a service."""

from __future__ import annotations

import pytest

from lab.checks.case import Evidence, missing, why_not_active
from tests.unit.lab.checks.parts import REQUIREMENT, case, member, note, view, vm


def test_what_is_missing_was_not_seen():
    assert missing("a VM") == Evidence(False, "not seen: a VM")


@pytest.mark.parametrize(("at", "told"), [(None, "?"), (0.0, "0.0 s"), (12.34, "12.3 s"), (-3.0, "-3.0 s")])
def test_a_time_is_told_in_tenths_of_seconds(at, told):
    assert case().s(at) == told


def test_the_first_creation_made_what_was_defined_before_its_end():
    early, at_its_end, late, never_joined = vm("n1", 10), vm("n2", 20), vm("n3", 21), vm("n4", 22, joined_at=None)
    seen = case(vms=[early, at_its_end, late, never_joined], events=[note("created", 20)])
    assert (seen.initial(), seen.later()) == ([early, at_its_end], [late])


def test_without_a_creation_no_vm_is_an_initial_one():
    assert case(vms=[vm()]).initial() == []


def accounts_at(the_vm, views, told):
    seen = case(witness=[*(view(at, None, *online) for at, online in views), *(member(at) for at in told)])
    return [record["at"] for record in seen.accounts(the_vm)]


@pytest.mark.parametrize(
    ("gone", "views", "told", "counted"),
    [
        (None, [(20, ["n1"])], [19, 20, 21], [20, 21]),
        (None, [(20, ["n1"]), (30, ["n2"])], [20, 40], [20, 40]),
        (None, [(20, ["n2"])], [20, 21], []),
        (None, [], [20], []),
        (50, [(20, ["n1"]), (30, ["n1"]), (40, ["n2"])], [19, 20, 25, 30, 31], [20, 25, 30]),
        (50, [(20, ["n1"]), (60, ["n1"])], [20, 21, 55], [20]),
        (None, [(5, ["n1"]), (20, ["n1"])], [6, 15, 20], [20]),
        (None, [(10, ["n1"])], [9, 10], [10]),
    ],
)
def test_a_member_is_asked_of_the_time_in_which_it_was_online(gone, views, told, counted):
    assert accounts_at(vm("n1", 10, gone), views, told) == counted


def test_another_vms_account_is_not_this_ones_and_one_from_before_it_was_there_is_none():
    seen = case(witness=[view(20, None, "n1"), member(21, uuid="uuid-n2"), member(22)])
    assert [record["at"] for record in seen.accounts(vm())] == [22]
    assert seen.member(vm()) == member(22)
    assert seen.member(vm("n2")) is None


@pytest.mark.parametrize(
    ("resources", "carrier"),
    [
        ({"ledger-data": ["n1"], "ledger-app": ["n1"]}, "n1"),
        ({"ledger-data": ["n1"], "ledger-app": ["n2"]}, None),
        ({"ledger-data": ["n1"], "ledger-app": []}, None),
        ({"ledger-data": [], "ledger-app": ["n1"]}, None),
        ({"ledger-data": ["n1", "n2"], "ledger-app": ["n1", "n2"]}, None),
        ({"ledger-data": ["n1"]}, None),
        ({}, None),
    ],
)
def test_who_carried_a_service_had_all_of_it_alone(resources, carrier):
    seen = case(events=[REQUIREMENT])
    assert seen.carrier("ledger", {"resources": resources}) == carrier


def test_a_service_of_one_part_is_carried_by_who_has_it():
    alone = {**REQUIREMENT, "services": {"app": {"kind": "movable", "resources": ["app"]}}}
    assert case(events=[alone]).carrier("app", {"resources": {"app": ["n2"], "other": ["n1"]}}) == "n2"


def test_a_service_that_nobody_asked_for_has_no_carrier():
    assert case(events=[REQUIREMENT]).carrier("web", view(20, "n1", "n1")) is None


@pytest.mark.parametrize(
    ("states", "started", "why"),
    [
        ({}, {}, None),
        ({"corosync": "failed"}, {}, "corosync failed"),
        ({"corosync": "failed", "pacemaker": "inactive"}, {"corosync": 0}, "corosync failed and pacemaker inactive"),
        ({"corosync": None}, {}, "corosync not told"),
        ({}, {"pacemaker": 0}, "pacemaker active without a time of its start"),
        ({"corosync": "failed"}, {"pacemaker": None}, "corosync failed and pacemaker active without a time of its start"),
    ],
)
def test_a_daemon_is_active_when_systemd_says_so_now_and_knows_since_when(states, started, why):
    def changed(facts, changes):
        return {name: one for name, one in {**facts, **changes}.items() if one is not None}

    account = member(20)
    account |= {"states": changed(account["states"], states), "started_us": changed(account["started_us"], started)}
    assert why_not_active(account) == why
