# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""placement: the thin module around the pure function (tests of that: _libvirt/test_placement.py)."""

from __future__ import annotations

import socket

import pytest
from ansible_collections.ondemand.cluster.plugins.module_utils._contract.names import mac_of
from ansible_collections.ondemand.cluster.plugins.module_utils._libvirt.vm import render, waiting

from .conftest import POOL, URI
from .test_vm_info import DEAD

# The test driver's host has 3072 MiB, of which its own domain has 2048 and 512 are kept back: 512 are left.
HOST = {"name": "hv1", "uri": URI, "zone": "a", "pool": POOL}
ASK = {
    "hosts": [HOST],
    "cluster": "shop",
    "size": {"vcpus": 1, "memory_mib": 200},
    "network": {"addresses": "10.254.254.1-10.254.254.9", "bridge": "br0", "gateway": "10.254.254.2"},
    "probe_s": 0,
}


def test_the_wanted_set_is_existing_ones_and_new_ones(make_vm, run_module):
    make_vm("shop-n4", memory_mib=100)
    result = run_module("placement", **ASK, wanted=2)
    old, new = result["vms"]
    assert (old["name"], old["new"], old["address"]) == ("shop-n4", False, "10.254.254.1")
    assert (new["name"], new["new"], new["address"], new["host"]) == ("shop-n5", True, "10.254.254.3", "hv1")
    assert {"uri", "zone", "pool", "prefix", "mac", "generation", "because"} <= set(new)
    assert result["changed"] is False


def test_addresses_of_other_clusters_are_taken_too(make_vm, run_module):
    make_vm("other-n1", cluster="other", memory_mib=100)
    assert run_module("placement", **ASK, wanted=1)["vms"][0]["address"] == "10.254.254.3"


def test_without_wanted_the_existing_ones_are_returned(make_vm, run_module):
    make_vm("shop-n1")
    assert [vm["name"] for vm in run_module("placement", hosts=[HOST], cluster="shop")["vms"]] == ["shop-n1"]


def test_a_dead_host_gets_nothing_and_is_named(run_module, libvirt_host):
    result = run_module("placement", **dict(ASK, hosts=[DEAD, HOST]), wanted=1)
    assert result["vms"][0]["host"] == "hv1"
    assert "not dead:" in result["vms"][0]["because"]
    assert [entry["host"] for entry in result["unreachable_hosts"]] == ["dead"]


def test_numbers_that_foreign_domains_have_are_passed_over(make_vm, run_module):
    make_vm("shop-n1", memory_mib=100, network={"bridge": "br0", "address": "10.254.254.4"})
    make_vm("shop-n2", owner=False)
    make_vm("shop-n3", cluster="other", memory_mib=100)
    new = run_module("placement", **ASK, wanted=2)["vms"][1]
    assert (new["name"], new["address"]) == ("shop-n4", "10.254.254.3")
    for passed in ("shop-n2 is passed over: hv1 has a domain of that name", "shop-n3 is passed over: hv1"):
        assert passed in new["because"]


def test_foreign_domains_do_not_count_as_vms_of_the_cluster(make_vm, run_module):
    make_vm("shop-n1", owner=False)
    assert [vm["name"] for vm in run_module("placement", **ASK, wanted=1, maximum=1)["vms"]] == ["shop-n2"]


def test_a_number_whose_mac_a_foreign_domain_has_is_passed_over(make_vm, run_module):
    make_vm("elsewhere", owner=False, network={"bridge": "br0", "address": "10.254.254.9", "mac": mac_of("shop", "shop-n1")})
    new = run_module("placement", **ASK, wanted=1)["vms"][0]
    assert (new["name"], new["mac"]) == ("shop-n2", mac_of("shop", "shop-n2"))
    assert f"the domain elsewhere on hv1 has its MAC {mac_of('shop', 'shop-n1')}" in new["because"]


CARD = (
    "<domain type='test'><name>elsewhere</name><memory>1024</memory><os><type>hvm</type></os><devices>"
    "<interface type='network'><source network='default'/>{}</interface></devices></domain>"
)


@pytest.mark.parametrize("names_it", ["<filterref filter='clean-traffic'><parameter name='IP' value='10.254.254.1'/></filterref>"])
def test_an_address_that_a_foreign_definition_names_is_not_given(names_it, libvirt_host, run_module):
    libvirt_host.defineXML(CARD.format(names_it))
    assert run_module("placement", **ASK, wanted=1)["vms"][0]["address"] == "10.254.254.3"


def test_a_number_whose_volume_is_there_is_passed_over(libvirt_host, run_module):
    pool = libvirt_host.storagePoolLookupByName(POOL)
    for volume in ("shop-n1.qcow2", "shop-n2-seed.iso", "shop-n4.qcow2", "other-n3.qcow2", "shop.qcow2"):
        pool.createXML(render.volume_xml(volume, 1000, "raw"), 0)
    assert [vm["name"] for vm in run_module("placement", **ASK, wanted=2)["vms"]] == ["shop-n3", "shop-n5"]


def test_a_disk_larger_than_the_pools_room_is_refused(libvirt_host, run_module):
    # The test driver's pool has 100 GiB.
    size = dict(ASK["size"], disk_gib=60)
    assert run_module("placement", **dict(ASK, size=size), wanted=1)["vms"][0]["host"] == "hv1"
    refused = run_module("placement", **dict(ASK, size=size), wanted=2)
    assert refused["refusal"]["reason"] == "no_room"
    assert "40960 MiB are free in the pool default-pool, 61440 are needed" in refused["msg"]


REFUSED = [
    ("more than the maximum", {"wanted": 3, "maximum": 2}, "maximum"),
    ("more than the memory", {"wanted": 3}, "no_room"),
    ("an image that is nowhere", {"wanted": 1, "image": {"name": "debian"}}, "no_image"),
    ("only a dead host", {"wanted": 1, "hosts": [DEAD]}, "host_unreachable"),
    ("no address", {"wanted": 1, "network": {"addresses": "10.254.254.2-10.254.254.2", "gateway": "10.254.254.2"}}, "no_address"),
    ("no range", {"wanted": 1, "network": {"addresses": "x"}}, "bad_input"),
    ("no size", {"wanted": 1, "size": None}, "bad_input"),
    ("less than nothing", {"wanted": -1}, "bad_input"),
    ("a size of nothing", {"wanted": 1, "size": {"vcpus": 0, "memory_mib": 0}}, "bad_input"),
    ("a disk of nothing", {"wanted": 1, "size": {"vcpus": 1, "memory_mib": 9, "disk_gib": 0}}, "bad_input"),
    ("a hostile cluster", {"cluster": "a\nb"}, "bad_input"),
]


@pytest.mark.parametrize(("sentence", "change", "reason"), REFUSED, ids=[case[0] for case in REFUSED])
def test_is_refused(sentence, change, reason, run_module, libvirt_host):
    result = run_module("placement", **dict(ASK, **change))
    assert result["failed"] is True
    assert result["refusal"]["reason"] == reason


def test_an_address_at_which_somebody_answers_is_passed_over(run_module, libvirt_host, monkeypatch):
    with socket.socket() as somebody:
        somebody.bind(("127.254.254.1", 0))
        somebody.listen()
        monkeypatch.setattr(waiting.taken, "__defaults__", (somebody.getsockname()[1],))
        monkeypatch.setattr(waiting, "on_link", lambda _address, _routes: True)
        ask = dict(ASK, probe_s=0.5, network={"addresses": "127.254.254.1-127.254.254.9"})
        # Loopback refuses at every other address, which on an own network means taken: here nothing is free.
        result = run_module("placement", **ask, wanted=1)
    assert result["refusal"]["reason"] == "no_address"
    assert "127.254.254.1" in result["msg"]
