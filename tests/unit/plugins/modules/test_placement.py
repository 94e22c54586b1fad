# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""placement: the thin module around the pure function (tests of that: _libvirt/test_placement.py)."""

from __future__ import annotations

import socket

import pytest
from ansible_collections.ondemand.cluster.plugins.module_utils._libvirt import waiting

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
