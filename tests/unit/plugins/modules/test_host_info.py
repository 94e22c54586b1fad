# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""host_info: what a host has and what is promised on it."""

from __future__ import annotations

from .conftest import POOL, URI
from .test_vm_info import DEAD

HOST = {"name": "hv1", "uri": URI, "pool": POOL}


def test_promised_are_ours_in_any_state_and_others_that_run(make_vm, run_module, libvirt_host):
    # The test driver's own domain "test" runs with 2 vcpus and 2048 MiB.
    before = run_module("host_info", hosts=[HOST])["hosts"][0]
    assert (before["committed_vcpus"], before["committed_memory_mib"], before["vms"]) == (2, 2048, [])
    make_vm("shop-n1", memory_mib=300, memory_max_mib=900, vcpus=1, vcpus_max=2)
    make_vm("shop-n2", running=True, memory_mib=200)
    make_vm("foreign", owner=False, memory_mib=111)
    after = run_module("host_info", hosts=[HOST])["hosts"][0]
    assert (after["committed_vcpus"], after["committed_memory_mib"]) == (4, 2548)
    assert after["vms"] == ["shop-n1", "shop-n2"]


def test_a_host_tells_its_capacity_and_its_pool(run_module, libvirt_host):
    host = run_module("host_info", hosts=[HOST])["hosts"][0]
    assert (host["reachable"], host["cpus"], host["memory_mib"], host["zone"]) == (True, 16, 3072, "hv1")
    assert host["pool"] == {"name": POOL, "path": f"/{POOL}", "free_mib": 102400}


def test_a_host_without_the_pool_has_no_room_and_no_image(run_module, libvirt_host):
    host = run_module("host_info", hosts=[dict(HOST, pool="none")])["hosts"][0]
    assert host["pool"] == {"name": "none", "path": None, "free_mib": 0}
    assert host["images"] == []


def test_a_dead_host_has_the_same_keys_and_a_reason(run_module, libvirt_host):
    dead, good = run_module("host_info", hosts=[DEAD, HOST])["hosts"]
    assert set(dead) == set(good)
    assert dead["reachable"] is False
    assert "Connection refused" in dead["because"]


def test_wrong_input_is_refused(run_module):
    assert run_module("host_info", hosts=[{"name": "<", "uri": URI}])["refusal"]["reason"] == "bad_input"
