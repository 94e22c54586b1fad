# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""Signals from two samples."""

from __future__ import annotations

import pytest

from ondemand.observe.haproxy import ServiceStats, Slot
from ondemand.observe.libvirt_door import CpuSample
from ondemand.observe.signals import LoadSample, cpu_share, rate, serving, signals

MEMBERS = {"n1": "10.0.0.1", "n2": "10.0.0.2"}


def cpus(at: float, **ns: int) -> LoadSample:
    return LoadSample(at, {name: CpuSample(at, value, 2) for name, value in ns.items()})


def stats(at: float, requests: int, slots: tuple[Slot, ...] = (), up_for_s: int | None = None) -> ServiceStats:
    return ServiceStats(at, requests, 3, 4, int(at) if up_for_s is None else up_for_s, slots)


def test_cpu_is_the_mean_share_of_the_vcpus_of_the_members_seen_twice() -> None:
    told = cpu_share(cpus(0, n1=0, n2=0, warming=0), cpus(10, n1=20_000_000_000, n2=0, warming=9), MEMBERS)
    assert told is not None
    assert (told.value, told.nodes, told.at) == (0.5, ("n1", "n2"), 10)


def test_cpu_covers_only_the_members_that_were_seen_twice() -> None:
    told = cpu_share(cpus(0, n1=0), cpus(10, n1=10_000_000_000, n2=5), MEMBERS)
    assert told is not None
    assert (told.value, told.nodes) == (0.5, ("n1",))


CASES = {
    "no sample before": (None, cpus(10, n1=5)),
    "the counter went back": (cpus(0, n1=50), cpus(10, n1=5)),
    "no time went by": (cpus(10, n1=1), cpus(10, n1=5)),
    "only others": (cpus(0, other=1), cpus(10, other=5)),
}


@pytest.mark.parametrize(("before", "now"), CASES.values(), ids=list(CASES))
def test_what_was_not_measured_is_no_zero(before: LoadSample | None, now: LoadSample) -> None:
    assert cpu_share(before, now, MEMBERS) is None


def test_more_cpu_time_than_there_is_counts_as_all_of_it() -> None:
    told = cpu_share(cpus(0, n1=0), cpus(1, n1=10**12), {"n1": ""})
    assert told is not None
    assert told.value == 1.0


def test_a_rate_needs_two_looks_at_one_process() -> None:
    assert rate(stats(100, 10), stats(110, 60)) == 5.0
    assert rate(None, stats(110, 60)) is None
    assert rate(stats(100, 60), stats(110, 10)) is None, "the counter went back"
    assert rate(stats(110, 10), stats(110, 60)) is None, "no time went by"
    assert rate(stats(100, 10, up_for_s=900), stats(110, 60, up_for_s=40)) is None, "another node's process, higher counter"


def test_only_slots_that_serve_count_and_are_told_by_address_where_it_is_known() -> None:
    up = (Slot("s1", "10.0.0.1", True), Slot("s2", "10.0.0.2", False), Slot("s3", "10.0.0.9", True))
    assert serving(stats(1, 1, up), MEMBERS) == ("n1",)
    assert serving(stats(1, 1, (Slot("s1", "", True), Slot("s2", "", True))), MEMBERS) == ("n1", "n2")
    assert serving(stats(1, 1, (Slot("s1", "", True),)), MEMBERS) == ("s1",)


def test_a_rate_per_node_is_shared_by_those_that_serve_and_absent_when_none_does() -> None:
    two = (Slot("s1", "10.0.0.1", True), Slot("s2", "10.0.0.2", True))
    before, now = LoadSample(100, {}, {"web": stats(100, 0, two)}), LoadSample(110, {}, {"web": stats(110, 100, two)})
    told = signals(before, now, MEMBERS, ["web"])
    assert (told["lb.rate"].value, told["lb.rate_per_node"].value) == (10.0, 5.0)
    assert told["lb.queue"].value == 3
    none = LoadSample(110, {}, {"web": stats(110, 100)})
    assert "lb.rate_per_node" not in signals(before, none, MEMBERS, ["web"])


def test_one_service_that_can_not_be_read_leaves_the_sums_out() -> None:
    now = LoadSample(110, {}, {"web": stats(110, 100)})
    assert signals(None, now, MEMBERS, ["web", "shop"]) == {}
