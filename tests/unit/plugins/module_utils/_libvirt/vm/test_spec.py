# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""Every problem of a wanted VM is told at once, with its path."""

from __future__ import annotations

import pytest
from ansible_collections.ondemand.cluster.plugins.module_utils._contract.names import mac_of
from ansible_collections.ondemand.cluster.plugins.module_utils._libvirt.vm import spec

NETWORK = {"bridge": "br0", "address": "10.0.0.2", "prefix": 24}
GOOD = {"name": "shop-n1", "cluster": "shop", "pool": "ondemand", "image": "debian", "network": NETWORK}

BAD = [
    ("a name with a newline", {"name": "a\nb"}, ["name"]),
    ("a cluster with markup", {"cluster": "<a>"}, ["cluster"]),
    ("a pool with a slash", {"pool": "../x"}, ["pool"]),
    ("a role with a space", {"role": "a b"}, ["role"]),
    ("a zone with a quote", {"zone": "a'"}, ["zone"]),
    ("no image", {"image": None}, ["image"]),
    ("a checksum in upper case", {"image_sha256": "A" * 64}, ["image_sha256"]),
    ("fewer vcpus than one", {"vcpus": -1}, ["vcpus"]),
    ("more vcpus than the maximum", {"vcpus": 4, "vcpus_max": 2}, ["vcpus"]),
    ("less memory than a kernel needs", {"memory_mib": 8}, ["memory_mib"]),
    ("more memory than the maximum", {"memory_mib": 900, "memory_max_mib": 800}, ["memory_mib"]),
    ("a disk without a size", {"disk_gib": -1}, ["disk_gib"]),
    ("no network", {"network": None}, ["network.address", "network.bridge", "network.prefix"]),
    ("a bridge with markup", {"network": dict(NETWORK, bridge="<b>")}, ["network.bridge"]),
    ("a multicast MAC", {"network": dict(NETWORK, mac="01:00:5e:00:00:01")}, ["network.mac"]),
    ("a gateway elsewhere", {"network": dict(NETWORK, gateway="10.9.0.1")}, ["network.gateway"]),
    ("a gateway that is none", {"network": dict(NETWORK, gateway="x\nDNS=evil")}, ["network.gateway"]),
    ("a name server that is none", {"network": dict(NETWORK, dns=["1.1.1.1", "x"])}, ["network.dns[1]"]),
    ("a prefix that is too long", {"network": dict(NETWORK, prefix=99)}, ["network.prefix"]),
    ("a relative disk", {"disks": [{"name": "d", "path": "x"}]}, ["disks[0].path"]),
    ("a disk whose path has two lines", {"disks": [{"name": "d", "path": "/x\ny"}]}, ["disks[0].path"]),
    ("a disk with markup in its name", {"disks": [{"name": "<d>", "path": "/x"}]}, ["disks[0].name"]),
    ("a disk with a long serial", {"disks": [{"name": "d" * 21, "path": "/x"}]}, ["disks[0].name"]),
    ("two disks of one name", {"disks": [{"name": "d", "path": "/x"}, {"name": "d", "path": "/y"}]}, ["disks"]),
    ("a shared qcow2", {"disks": [{"name": "d", "path": "/x", "shareable": True, "format": "qcow2"}]}, ["disks[0].format"]),
    ("a login key of two lines", {"authorized_keys": ["ssh-ed25519 A", "a\nb"]}, ["authorized_keys[1]"]),
    ("more disks than letters", {"disks": [{"name": f"d{i}", "path": "/x"} for i in range(25)]}, ["disks"]),
    ("three at once", {"name": "A", "vcpus": 0, "image": "B", "vcpus_max": -3}, ["name", "image", "vcpus"]),
]


def paths(params, building=True):
    return [problem.split(":", 1)[0] for problem in spec.problems(spec.from_params(params), building)]


def test_a_good_one_has_no_problem():
    assert paths(GOOD) == []


@pytest.mark.parametrize(("sentence", "change", "expected"), BAD, ids=[case[0] for case in BAD])
def test_what_is_wrong_is_named(sentence, change, expected):
    found = paths(dict(GOOD, **change))
    assert sorted(found) == sorted(expected)


EVERYTHING_WRONG = {
    "image_sha256": "x",
    "vcpus": 4,
    "vcpus_max": 2,
    "memory_mib": 900,
    "memory_max_mib": 800,
    "disk_gib": 0,
    "network": {"bridge": "a b", "address": "10.0.0.2", "prefix": 33, "mac": "52:54:00"},
    "disks": [{"name": "d" * 21, "path": "x", "shareable": True, "format": "qcow2"} for _disk in range(25)],
}


def test_every_problem_is_a_sentence_with_what_would_be_right():
    found = spec.problems(spec.from_params(dict(GOOD, **EVERYTHING_WRONG)), True)
    of_a_disk = [
        "name: 'ddddddddddddddddddddd' is longer than the 20 characters that a serial may have",
        "path: 'x' must be an absolute path on the host",
        "format: a shareable disk must be raw, two QEMUs can't write one qcow2",
    ]
    assert found == [
        "image_sha256: 64 hexadecimal digits in lower case are right",
        "vcpus: 4 of at most 2; 1 <= vcpus <= vcpus_max <= 512 is right",
        "memory_mib: 900 of at most 800; 64 <= memory_mib <= memory_max_mib is right",
        "disk_gib: 0; 1 or more is right, or leave it out",
        "network.bridge: 'a b' is no name of a bridge; up to 15 of A-Z a-z 0-9 . _ - are right",
        "network.mac: '52:54:00' is no MAC of one card; one like 52:54:00:12:34:56 is right",
        "network.prefix: 33 doesn't fit the address 10.0.0.2; 24 is usual",
        *[f"disks[{number}].{what}" for number in range(25) for what in of_a_disk],
        "disks: 25 of at most 24; a VM's disks are called vda to vdz",
        "disks: two have one name; names must differ",
    ]
    elsewhere = spec.from_params(dict(GOOD, network=dict(NETWORK, gateway="10.9.0.1")))
    assert spec.problems(elsewhere, True) == ["network.gateway: 10.9.0.1 isn't in 10.0.0.0/24; a gateway of the VM's own network is right"]


def test_to_stop_a_vm_no_image_and_no_network_are_needed():
    assert paths({"name": "shop-n1", "cluster": "shop", "pool": "ondemand"}, building=False) == []


def test_what_is_given_is_checked_even_if_nothing_is_built():
    given = {"name": "shop-n1", "cluster": "shop", "pool": "ondemand", "vcpus": 3, "vcpus_max": 2}
    assert paths(given, building=False) == ["vcpus"]
    given = {"name": "shop-n1", "cluster": "shop", "pool": "ondemand", "image": "a b", "disk_gib": 0}
    assert paths(given, building=False) == ["image", "disk_gib"]


def test_maxima_zone_and_mac_follow_from_the_rest():
    wanted = spec.from_params(dict(GOOD, vcpus=2, memory_mib=700, host="hv1"))
    assert (wanted.vcpus_max, wanted.memory_max_mib, wanted.zone) == (2, 700, "hv1")
    assert wanted.mac.startswith("52:54:00:")
    assert "vcpus_max" not in wanted.given
    assert {"vcpus", "address", "bridge"} <= wanted.given


BOUNDS = [
    ("vcpus as many as may be", {"vcpus": 512}, []),
    ("one vcpu more", {"vcpus": 513}, ["vcpus"]),
    ("no vcpu", {"vcpus": 0}, ["vcpus"]),
    ("as many vcpus as the maximum", {"vcpus": 2, "vcpus_max": 2}, []),
    ("the least memory", {"memory_mib": 64}, []),
    ("less than the least memory", {"memory_mib": 63}, ["memory_mib"]),
    ("as much memory as the maximum", {"memory_mib": 700, "memory_max_mib": 700}, []),
    ("the smallest disk", {"disk_gib": 1}, []),
    ("a disk of nothing", {"disk_gib": 0}, ["disk_gib"]),
    ("a serial of twenty characters", {"disks": [{"name": "d" * 20, "path": "/x"}]}, []),
    ("as many disks as letters", {"disks": [{"name": f"d{i}", "path": "/x"} for i in range(24)]}, []),
    ("a shared raw disk", {"disks": [{"name": "d", "path": "/x", "shareable": True}]}, []),
    ("a qcow2 of one VM", {"disks": [{"name": "d", "path": "/x", "format": "qcow2"}]}, []),
    ("a gateway of the network", {"network": dict(NETWORK, gateway="10.0.0.1")}, []),
    ("a checksum", {"image_sha256": "a" * 64}, []),
    ("a host with a space", {"host": "a b"}, ["host", "zone"]),
    ("a bridge of sixteen characters", {"network": dict(NETWORK, bridge="b" * 16)}, ["network.bridge"]),
]


@pytest.mark.parametrize(("sentence", "change", "expected"), BOUNDS, ids=[case[0] for case in BOUNDS])
def test_the_bounds(sentence, change, expected):
    assert sorted(paths(dict(GOOD, **change))) == expected


def test_what_is_not_given_has_a_default_and_is_not_compared():
    wanted = spec.from_params({"name": "shop-n1", "cluster": "shop", "pool": "p"})
    assert wanted == spec.VmSpec("shop-n1", "shop", "p", mac=mac_of("shop", "shop-n1"))
    assert wanted.given == frozenset()
    assert (wanted.role, wanted.vcpus, wanted.memory_mib, wanted.prefix, wanted.disk_cache) == ("member", 1, 512, 24, "writeback")


def test_everything_that_is_given_reaches_the_spec():
    network = {"bridge": "br1", "address": "10.0.0.3", "prefix": 25, "gateway": "10.0.0.1", "dns": ["10.0.0.5"], "mac": "52:54:00:AA:BB:CC"}
    disk = {"name": "d", "path": "/d", "shareable": True, "format": "raw"}
    given = {"role": "r", "generation": 2, "host": "h", "zone": "z", "image": "i", "image_sha256": "c", "vcpus": 2, "vcpus_max": 3}
    given.update(memory_mib=700, memory_max_mib=900, disk_gib=5, disk_cache="none", authorized_keys=["k"], disks=[disk], network=network)
    wanted = spec.from_params(dict(given, name="shop-n1", cluster="shop", pool="p"))
    for key in set(given) - {"network", "disks", "authorized_keys"}:
        assert getattr(wanted, key) == given[key]
    assert (wanted.bridge, wanted.address, wanted.prefix, wanted.gateway, wanted.dns) == ("br1", "10.0.0.3", 25, "10.0.0.1", ("10.0.0.5",))
    assert (wanted.mac, wanted.authorized_keys) == ("52:54:00:aa:bb:cc", ("k",))
    assert wanted.disks == (spec.DataDisk("d", "/d", True, "raw"),)
    compared = "role host zone generation image vcpus vcpus_max memory_mib memory_max_mib disks bridge address prefix mac"
    assert wanted.given == set(compared.split())


@pytest.mark.parametrize("key", ["memory_mib", "memory_max_mib", "vcpus", "vcpus_max"])
def test_one_size_that_is_given_has_the_sizes_checked(key):
    assert paths({"name": "shop-n1", "cluster": "shop", "pool": "p", key: 0}, building=False) != []


WRONG = {"bridge": "<", "address": "x", "prefix": 33, "mac": "x"}


@pytest.mark.parametrize("key", WRONG)
def test_one_thing_of_a_network_that_is_given_has_the_network_checked(key):
    wanted = spec.from_params({"name": "shop-n1", "cluster": "shop", "pool": "p", "network": {key: WRONG[key]}})
    assert wanted.given == {key}
    assert f"network.{key}" in [problem.split(":")[0] for problem in spec.problems(wanted, False)]


def test_of_a_network_that_is_given_everything_is_checked():
    given = {"name": "shop-n1", "cluster": "shop", "pool": "p", "network": {"bridge": "<", "address": "x"}}
    assert paths(given, building=False) == ["network.address", "network.bridge", "network.prefix"]
