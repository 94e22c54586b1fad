# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""Every problem of a wanted VM is told at once, with its path."""

from __future__ import annotations

import pytest
from ansible_collections.ondemand.cluster.plugins.module_utils._libvirt import spec

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


def test_to_stop_a_vm_no_image_and_no_network_are_needed():
    assert paths({"name": "shop-n1", "cluster": "shop", "pool": "ondemand"}, building=False) == []


def test_what_is_given_is_checked_even_if_nothing_is_built():
    given = {"name": "shop-n1", "cluster": "shop", "pool": "ondemand", "vcpus": 3, "vcpus_max": 2}
    assert paths(given, building=False) == ["vcpus"]


def test_maxima_zone_and_mac_follow_from_the_rest():
    wanted = spec.from_params(dict(GOOD, vcpus=2, memory_mib=700, host="hv1"))
    assert (wanted.vcpus_max, wanted.memory_max_mib, wanted.zone) == (2, 700, "hv1")
    assert wanted.mac.startswith("52:54:00:")
    assert "vcpus_max" not in wanted.given
    assert {"vcpus", "address", "bridge"} <= wanted.given
