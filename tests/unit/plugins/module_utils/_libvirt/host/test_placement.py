# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""Placement: room, spread, and a refusal with every host's reason."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.ondemand.cluster.plugins.module_utils._contract.names import mac_of
from ansible_collections.ondemand.cluster.plugins.module_utils._contract.refusal import Refusal
from ansible_collections.ondemand.cluster.plugins.module_utils._libvirt.host.placement import (
    Candidate,
    Demand,
    candidate,
    choose,
    free_memory_mib,
    free_vcpus,
    place,
)
from ansible_collections.ondemand.cluster.plugins.module_utils._libvirt.host.sightings import Claims
from hypothesis import given, settings
from hypothesis import strategies as st

IMAGE = {"name": "debian", "sha256": "a" * 64, "generation": 3}


def host(name, zone="a", ours=0, **more):
    sizes = {"cpus": 4, "memory_mib": 8192, "committed_vcpus": 0, "committed_memory_mib": 0, "pool_free_mib": 9000}
    return Candidate(name, f"qemu:///{name}", zone, "ondemand", ours=ours, images=(IMAGE,), **dict(sizes, **more))


def vm(name, where="h1", address=None, cluster="shop"):
    return {"name": name, "host": where, "address": address, "cluster": cluster}


DEMAND = Demand("shop", 1, 1, 1024, image="debian", range="10.0.0.2-10.0.0.9", gateway="10.0.0.1", maximum=8)

SPREAD = [
    ("the zone with fewer of ours", [host("h1", "a", 1), host("h2", "b", 0)], "h2"),
    ("the zone counts before the host", [host("h1", "a", 0), host("h2", "a", 2), host("h3", "b", 1)], "h3"),
    ("the host with fewer in a zone", [host("h1", "a", 1), host("h2", "a", 0)], "h2"),
    ("the most free memory", [host("h1", committed_memory_mib=100), host("h2")], "h2"),
    ("the first name", [host("h2"), host("h1")], "h1"),
    ("not the full one", [host("h1", "a", 0, committed_memory_mib=7000), host("h2", "a", 5)], "h2"),
    ("not the one without the image", [replace(host("h1"), images=()), host("h2", "a", 5)], "h2"),
    ("not the unfit one", [replace(host("h1"), unfit="it is rbd"), host("h2", "a", 5)], "h2"),
    ("not the one whose pool is too small", [host("h1", pool_free_mib=255), host("h2", "a", 5, pool_free_mib=256)], "h2"),
    ("exactly full afterwards", [host("h1", committed_memory_mib=8192 - 512 - 1024, committed_vcpus=15)], "h1"),
    ("not the dead one", [replace(host("h1"), reachable=False), host("h2", "a", 5)], "h2"),
]


@pytest.mark.parametrize(("sentence", "hosts", "expected"), SPREAD, ids=[case[0] for case in SPREAD])
def test_a_vm_goes_to(sentence, hosts, expected):
    placed = place(hosts, [], DEMAND)
    assert [entry["host"] for entry in placed] == [expected]
    assert expected in placed[0]["because"]
    assert choose(hosts, DEMAND, "shop-n1").name == expected


NOWHERE = [
    ("memory", host("h1", committed_memory_mib=7000), {}, "no_room", "680 MiB of memory are free, 1024 are needed"),
    ("memory that is promised twice", host("h1", committed_memory_mib=9000), {}, "no_room", "0 MiB of memory are free, 1024 are needed"),
    ("vcpus", host("h1", committed_vcpus=15), {"vcpus": 2}, "no_room", "1 vcpus are free, 2 are needed"),
    ("vcpus that are promised twice", host("h1", committed_vcpus=17), {}, "no_room", "0 vcpus are free, 1 are needed"),
    ("the pool", host("h1", pool_free_mib=10), {}, "no_room", "10 MiB are free in the pool ondemand, 256 are needed"),
    ("an overdrawn pool", host("h1", pool_free_mib=-1), {}, "no_room", "0 MiB are free in the pool ondemand, 256 are needed"),
    (
        "the pool, for a whole disk",
        host("h1", pool_free_mib=2047),
        {"disk_gib": 2},
        "no_room",
        "2047 MiB are free in the pool ondemand, 2048 are needed",
    ),
    ("a pool that carries VMs", replace(host("h1"), unfit="it is rbd"), {}, "not_found", "it is rbd"),
    ("the image", replace(host("h1"), images=()), {}, "no_image", "the image debian isn't published there"),
    ("its checksum", host("h1"), {"image_sha256": "b" * 64}, "wrong_checksum", f"its image debian has the checksum {'a' * 64}"),
    ("the host", replace(host("h1"), reachable=False, because="it is off"), {}, "host_unreachable", "it is off"),
    ("a host that says nothing", replace(host("h1"), reachable=False), {}, "host_unreachable", "it does not answer"),
]


@pytest.mark.parametrize(("what", "one", "change", "reason", "words"), NOWHERE, ids=[case[0] for case in NOWHERE])
def test_a_host_that_cannot_take_it_is_refused_with_what_is_missing(what, one, change, reason, words):
    sentence = f"No host can take shop-n1 of shop: h1: {words}. Free or add a host, or ask for less."
    assert place([one], [], replace(DEMAND, **change)) == Refusal(reason, sentence)


TOO_MANY = [
    (
        "no address",
        {"range": "10.0.0.1-10.0.0.3", "wanted": 3, "reserved": ("shop-n7", "10.9.9.9"), "maximum": None},
        Refusal(
            "no_address", "No address of 10.0.0.1-10.0.0.3 is free for shop-n10: all 3 are taken or reserved. Widen network.addresses."
        ),
    ),
    (
        "beyond the maximum",
        {"wanted": 9},
        Refusal("maximum", "9 VMs are asked for shop, its maximum is 8. Ask for fewer, or raise requirement.nodes.max."),
    ),
    (
        "beyond the maximum with the unseen ones",
        {"wanted": 8, "reserved": ("shop-n7",)},
        Refusal(
            "maximum",
            "9 VMs are asked for shop (with 1 on hosts that don't answer), its maximum is 8. Ask for fewer, or raise requirement.nodes.max.",
        ),
    ),
]


@pytest.mark.parametrize(("what", "change", "expected"), TOO_MANY, ids=[case[0] for case in TOO_MANY])
def test_more_than_there_can_be_is_refused(what, change, expected):
    assert place([host("h1")], [], replace(DEMAND, **change)) == expected


def test_every_hosts_reason_is_told_and_the_nearest_to_success_is_the_reason():
    obstacles = {
        "host_unreachable": (replace(host("h1"), reachable=False, because="it is off"), "h1: it is off"),
        "not_found": (replace(host("h2"), unfit="it is rbd"), "h2: it is rbd"),
        "no_image": (replace(host("h3"), images=()), "h3: the image debian isn't published there"),
        "wrong_checksum": (replace(host("h4"), images=(dict(IMAGE, sha256="c"),)), "h4: its image debian has the checksum c"),
        "no_room": (host("h5", committed_vcpus=16), "h5: 0 vcpus are free, 1 are needed"),
    }
    for number, nearest in enumerate(obstacles, 1):
        hosts, told = zip(*list(obstacles.values())[:number], strict=True)
        sentence = f"No host can take shop-n1 of shop: {'; '.join(told)}. Free or add a host, or ask for less."
        assert place(hosts, [], replace(DEMAND, image_sha256="a" * 64)) == Refusal(nearest, sentence)


def test_of_several_obstacles_the_one_that_is_mended_first_is_told():
    one = replace(
        host("h1", committed_memory_mib=8192, committed_vcpus=16, pool_free_mib=0), reachable=False, because="off", unfit="it is rbd"
    )
    wanted = (dict(IMAGE, sha256="b" * 64),)
    mended = (
        ({}, "off"),
        ({"reachable": True}, "it is rbd"),
        ({"unfit": ""}, "its image debian has the checksum"),
        ({"images": wanted}, "0 MiB of memory"),
        ({"committed_memory_mib": 0}, "0 vcpus"),
        ({"committed_vcpus": 0}, "0 MiB are free in the pool"),
    )
    for mend, told in mended:
        one = replace(one, **mend)
        assert f"h1: {told}" in place([one], [], replace(DEMAND, image_sha256="b" * 64)).sentence


def test_without_an_image_none_is_asked_for_and_none_is_told():
    (new,) = place([replace(host("h1"), images=())], [], replace(DEMAND, image=None, image_sha256="b" * 64))
    assert (new["image"], new["generation"]) == (None, None)


def test_the_image_is_the_one_of_the_name():
    others = ({"name": "other", "sha256": "b" * 64, "generation": 9}, IMAGE)
    (new,) = place([replace(host("h1"), images=others)], [], replace(DEMAND, image_sha256="a" * 64))
    assert (new["image"], new["generation"]) == ("debian", 3)


def test_no_host_at_all_is_no_room():
    sentence = "No host can take shop-n1 of shop: there is no host. Free or add a host, or ask for less."
    assert place([], [], DEMAND) == Refusal("no_room", sentence)


def test_what_is_not_asked_for_is_usual():
    usual = Demand("shop", None, 1, 512)
    assert (usual.prefix, usual.disk_mib, usual.reserve_mib, usual.memory_overcommit, usual.cpu_overcommit) == (24, 256, 512, 1.0, 4.0)
    assert Candidate("h1", "u", "z", "p", 1, 1, 1, 1, 1) == Candidate("h1", "u", "z", "p", 1, 1, 1, 1, 1, 0, (), True, "", "")


def test_existing_ones_come_first_and_keep_everything():
    existing = [vm("shop-n10", address="10.0.0.3"), vm("shop-n2", address="10.0.0.2"), vm("other-n1", address="10.0.0.4", cluster="other")]
    placed = place([host("h1")], existing, replace(DEMAND, wanted=3))
    assert [(entry["name"], entry["new"]) for entry in placed] == [("shop-n2", False), ("shop-n10", False), ("shop-n11", True)]
    assert placed[0] == dict(existing[1], new=False, because="it exists")
    assert placed[2]["address"] == "10.0.0.5"


def test_existing_ones_are_told_by_number_and_those_without_one_first_by_name():
    existing = [vm(name) for name in ("shop-n1", "shop-nb", "shop-n10", "shop-na", "shop-n2")]
    told = place([], existing, replace(DEMAND, wanted=None, maximum=None))
    assert [entry["name"] for entry in told] == ["shop-na", "shop-nb", "shop-n1", "shop-n2", "shop-n10"]


def test_without_wanted_the_existing_ones_are_returned_and_no_host_is_needed():
    assert [entry["name"] for entry in place([], [vm("shop-n1")], replace(DEMAND, wanted=None))] == ["shop-n1"]


def test_fewer_wanted_than_there_are_removes_none():
    assert len(place([], [vm("shop-n1"), vm("shop-n2")], replace(DEMAND, wanted=1))) == 2


def test_reserved_names_and_addresses_are_not_used():
    placed = place([host("h1")], [], replace(DEMAND, reserved=("shop-n4", "10.0.0.2")))
    assert (placed[0]["name"], placed[0]["address"]) == ("shop-n5", "10.0.0.3")


def test_overcommit_in_worked_numbers():
    one = host("h1", committed_vcpus=3, committed_memory_mib=1000)
    assert free_memory_mib(one, replace(DEMAND, memory_overcommit=1.5, reserve_mib=500)) == 12288 - 500 - 1000
    assert free_vcpus(one, replace(DEMAND, cpu_overcommit=2.0)) == 8 - 3


def test_every_vm_that_is_placed_takes_its_room_in_the_pool():
    two = [host("h1", pool_free_mib=2 * 256 + 255), host("h2", pool_free_mib=256)]
    assert [entry["host"] for entry in place(two, [], replace(DEMAND, wanted=3))] == ["h1", "h2", "h1"]
    refusal = place(two, [], replace(DEMAND, wanted=4))
    assert "h1: 255 MiB are free in the pool" in refusal.sentence
    assert "h2: 0 MiB are free in the pool" in refusal.sentence
    whole = replace(DEMAND, wanted=2, disk_gib=4)
    assert place([host("h1", pool_free_mib=8191)], [], whole).reason == "no_room"
    assert len(place([host("h1", pool_free_mib=8192)], [], whole)) == 2


def test_every_vm_that_is_placed_takes_its_memory_and_vcpus():
    assert place([host("h1", memory_mib=512 + 2047)], [], replace(DEMAND, wanted=2)).reason == "no_room"
    assert len(place([host("h1", memory_mib=512 + 2048)], [], replace(DEMAND, wanted=2))) == 2
    assert place([host("h1", cpus=1)], [], replace(DEMAND, wanted=2, vcpus=2, cpu_overcommit=3.0)).reason == "no_room"
    assert len(place([host("h1", cpus=1)], [], replace(DEMAND, wanted=2, vcpus=2, cpu_overcommit=4.0))) == 2


CLAIMED = [
    ("a name", Claims({"shop-n1": "h1 has a domain of that name"}), ["shop-n2", "shop-n3"]),
    ("several names", Claims({"shop-n1": "a", "shop-n2": "a", "shop-n4": "a"}), ["shop-n3", "shop-n5"]),
    ("a MAC", Claims(macs={mac_of("shop", "shop-n2"): "the domain x on h1 has its MAC"}), ["shop-n1", "shop-n3"]),
    ("a name beyond", Claims({"shop-n900": "a"}), ["shop-n1", "shop-n2"]),
    ("another cluster's name", Claims({"other-n1": "a"}), ["shop-n1", "shop-n2"]),
]


@pytest.mark.parametrize(("what", "claims", "expected"), CLAIMED, ids=[case[0] for case in CLAIMED])
def test_what_somebody_else_has_is_passed_over(what, claims, expected):
    placed = place([host("h1")], [], replace(DEMAND, wanted=2, maximum=2, claims=claims))
    assert [entry["name"] for entry in placed] == expected
    passed = [name for name in ("shop-n1", "shop-n2", "shop-n4") if name not in expected]
    told = "; ".join(entry["because"] for entry in placed)
    assert [name for name in ("shop-n1", "shop-n2", "shop-n4") if f"{name} is passed over: " in told] == [
        name for name in passed if name in claims.names or mac_of("shop", name) in claims.macs
    ]


def test_a_claimed_address_is_not_given_and_a_mac_that_a_vm_of_ours_has_neither():
    own = dict(vm("shop-n1", address="10.0.0.3"), mac=mac_of("shop", "shop-n2"))
    claims = Claims(addresses={"10.0.0.2": "the domain x on h1"})
    new = place([host("h1")], [own], replace(DEMAND, wanted=2, claims=claims))[1]
    assert (new["name"], new["address"]) == ("shop-n3", "10.0.0.4")
    assert "shop-n2 is passed over: shop-n1 has its MAC" in new["because"]


def test_a_new_vm_carries_everything_that_making_it_takes():
    (new,) = place([host("h1", "z")], [], replace(DEMAND, prefix=26))
    because = new.pop("because")
    assert new == {
        "name": "shop-n1",
        "cluster": "shop",
        "host": "h1",
        "uri": "qemu:///h1",
        "zone": "z",
        "pool": "ondemand",
        "address": "10.0.0.2",
        "prefix": 26,
        "mac": mac_of("shop", "shop-n1"),
        "generation": 3,
        "image": "debian",
        "role": "member",
        "new": True,
    }
    assert because == "h1 (zone z) has 0 VMs of shop and 7680 MiB free"


def test_the_reason_counts_what_was_placed_before_and_names_who_can_take_none():
    placed = place([host("h1"), host("h2", committed_memory_mib=8000)], [], replace(DEMAND, wanted=2))
    assert placed[1]["because"].startswith("h1 (zone a) has 1 VMs of shop and 6656 MiB free; not h2: 0 MiB of memory are free")


MAXIMUM = [
    ("as many as may be", {"wanted": 8}, [], True),
    ("one more", {"wanted": 9}, [], False),
    ("as many as exist, beyond the maximum", {"wanted": 2, "maximum": 1}, ["shop-n1", "shop-n2"], False),
    ("fewer than exist, beyond the maximum", {"wanted": 1, "maximum": 1}, ["shop-n1", "shop-n2"], True),
    ("none is new, and one more is unseen", {"wanted": 1, "maximum": 1, "reserved": ("shop-n7",)}, ["shop-n1"], True),
    ("one is new, and one more is unseen", {"wanted": 2, "maximum": 2, "reserved": ("shop-n7",)}, ["shop-n1"], False),
    ("a reserved name that is seen", {"wanted": 1, "maximum": 1, "reserved": ("shop-n1",)}, ["shop-n1"], True),
    ("a reserved address is no VM", {"wanted": 1, "maximum": 1, "reserved": ("10.0.0.9",)}, [], True),
    ("no maximum", {"wanted": 8, "maximum": None}, [], True),
]


@pytest.mark.parametrize(("sentence", "change", "there", "fits"), MAXIMUM, ids=[case[0] for case in MAXIMUM])
def test_the_maximum(sentence, change, there, fits):
    placed = place([host("h1", memory_mib=99999, cpus=99)], [vm(name) for name in there], replace(DEMAND, **change))
    assert isinstance(placed, list) is fits
    if not fits:
        assert placed.reason == "maximum"


def test_a_host_is_read_from_what_host_info_tells():
    told = {"name": "h1", "uri": "u", "zone": "z", "pool": {"name": "p", "path": "/p", "free_mib": 7}, "cpus": 3, "memory_mib": 4}
    told.update(committed_vcpus=5, committed_memory_mib=6, images=[IMAGE], reachable=False, because="off", unfit="no pool")
    assert candidate(told, 9) == Candidate("h1", "u", "z", "p", 3, 4, 5, 6, 7, 9, (IMAGE,), False, "off", "no pool")


HOSTS = st.lists(
    st.builds(
        host,
        st.sampled_from(["h1", "h2", "h3", "h4"]),
        st.sampled_from(["a", "b"]),
        st.integers(0, 3),
        committed_memory_mib=st.integers(0, 8000),
        committed_vcpus=st.integers(0, 20),
    ),
    max_size=4,
    unique_by=lambda one: one.name,
)


@settings(deadline=None)
@given(HOSTS, st.integers(0, 8), st.integers(0, 3))
def test_whatever_is_placed_fits_and_nothing_is_used_twice(hosts, wanted, existing):
    there = [vm(f"shop-n{i + 1}", address=f"10.0.0.{i + 2}") for i in range(existing)]
    demand = replace(DEMAND, wanted=wanted)
    placed = place(hosts, there, demand)
    assert placed == place(list(reversed(hosts)), there, demand)
    if isinstance(placed, Refusal):
        return
    assert len(placed) == max(wanted, existing)
    for key in ("name", "address"):
        assert len({entry[key] for entry in placed}) == len(placed)
    for one in hosts:
        new = [entry for entry in placed if entry["new"] and entry["host"] == one.name]
        assert len(new) * demand.memory_mib <= max(0, free_memory_mib(one, demand))
        assert len(new) * demand.vcpus <= max(0, free_vcpus(one, demand))


@settings(deadline=None)
@given(st.integers(1, 8))
def test_on_equal_hosts_the_numbers_differ_by_one_at_most(wanted):
    placed = place([host("h1", "a"), host("h2", "b"), host("h3", "c")], [], replace(DEMAND, wanted=wanted))
    counts = [sum(entry["host"] == name for entry in placed) for name in ("h1", "h2", "h3")]
    assert max(counts) - min(counts) <= 1
