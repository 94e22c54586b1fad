# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""vm_info: ours only, over all hosts, and a dead host is named instead of breaking the rest."""

from __future__ import annotations

from .conftest import KEY, POOL, URI
from .test_vm import KEYS

HOST = {"name": "hv1", "uri": URI, "zone": "a", "pool": POOL}
DEAD = {"name": "dead", "uri": "qemu+tcp://127.0.0.1:1/system"}


def test_the_vms_of_a_cluster_are_listed_by_number_and_those_of_others_are_not(make_vm, run_module):
    make_vm("shop-n10", running=True)
    make_vm("shop-n2")
    make_vm("other-n1", cluster="other")
    make_vm("shop-n3", owner=False)
    result = run_module("vm_info", hosts=[HOST], cluster="shop")
    assert [vm["name"] for vm in result["vms"]] == ["shop-n2", "shop-n10"]
    assert [vm["state"] for vm in result["vms"]] == ["stopped", "running"]
    assert [vm["name"] for vm in run_module("vm_info", hosts=[HOST])["vms"]] == ["other-n1", "shop-n2", "shop-n10"]


def test_a_vm_has_every_key_and_the_host_is_the_one_that_it_was_seen_on(make_vm, run_module):
    make_vm(running=True, host="elsewhere", zone="z")
    vm = run_module("vm_info", hosts=[HOST])["vms"][0]
    assert set(vm) == KEYS
    assert (vm["host"], vm["zone"], vm["uri"], vm["host_key"]) == ("hv1", "a", URI, KEY)


def test_a_dead_host_is_named_and_the_others_answer(make_vm, run_module):
    make_vm()
    result = run_module("vm_info", hosts=[DEAD, HOST])
    assert [vm["name"] for vm in result["vms"]] == ["shop-n1"]
    assert [entry["host"] for entry in result["unreachable_hosts"]] == ["dead"]
    assert "Connection refused" in result["unreachable_hosts"][0]["because"]
    assert "unreachable" not in result


def test_half_made_vms_say_what_they_lack(make_vm, run_module):
    make_vm("shop-n1", created_at=None, volumes=("overlay",))
    make_vm("shop-n2", volumes=("seed",))
    found = run_module("vm_info", hosts=[HOST])["vms"]
    assert [(vm["complete"], vm["missing"], vm["created_at"]) for vm in found] == [
        (False, ["seed"], None),
        (False, ["overlay"], 1790000000.5),
    ]


def test_wrong_input_is_refused_with_every_path(run_module):
    hosts = [{"name": "A", "uri": "x\ny"}, {"name": "A", "uri": URI}]
    result = run_module("vm_info", hosts=hosts, cluster="B")
    assert result["refusal"]["reason"] == "bad_input"
    for path in ("hosts[0].name", "hosts[0].uri", "hosts[1].name", "hosts: two", "cluster"):
        assert path in result["msg"]
