# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""host_info: what a host has and what is promised on it."""

from __future__ import annotations

import pytest

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
    assert "no running storage pool none" in host["unfit"]


RBD = "<source><host name='192.0.2.9' port='6789'/><name>vms</name></source>"
VOLUME_GROUP = "<source><name>vg0</name></source><target><path>/dev/vg0</path></target>"
DIRECTORY = "<target><path>/srv/pool</path></target>"
NFS = "<source><host name='192.0.2.9'/><dir path='/export'/></source>" + DIRECTORY
POOLS = [
    ("rbd", RBD, False),
    ("logical", VOLUME_GROUP, False),
    ("zfs", "<source><name>tank</name></source>", False),
    ("netfs", NFS, True),
    ("dir", DIRECTORY, True),
]


@pytest.fixture
def make_pool(libvirt_host):
    """Define and start a pool on the test driver, which takes pools of any type."""
    made = []

    def make(kind, inside):
        pool = libvirt_host.storagePoolDefineXML(f"<pool type='{kind}'><name>other</name>{inside}</pool>", 0)
        made.append(pool)
        pool.create(0)
        return pool

    yield make
    for pool in made:
        if pool.isActive():
            pool.destroy()
        pool.undefine()


@pytest.mark.parametrize(("kind", "inside", "fit"), POOLS, ids=[case[0] for case in POOLS])
def test_only_a_pool_of_files_carries_vms(kind, inside, fit, make_pool, run_module, libvirt_host):
    make_pool(kind, inside)
    hosts = [dict(HOST, pool="other")]
    told = run_module("host_info", hosts=hosts)["hosts"][0]
    assert told["reachable"] is True
    assert (told["pool"]["free_mib"] > 0, told["pool"]["path"] == "/srv/pool") == (fit, fit)
    assert (f"of the type {kind}" in told["unfit"]) is not fit
    size, network = {"vcpus": 1, "memory_mib": 100}, {"addresses": "192.0.2.21-192.0.2.29"}
    placed = run_module("placement", hosts=hosts, cluster="shop", wanted=1, size=size, network=network, probe_s=0)
    asked = {"uri": URI, "name": "shop-n1", "cluster": "shop", "pool": "other", "image": "debian"}
    made = run_module("vm", **asked, network={"bridge": "br0", "address": "192.0.2.21"})
    if fit:
        assert placed["vms"][0]["host"] == "hv1"
        assert made["refusal"]["reason"] == "no_image"
    else:
        for refused in (placed, made):
            assert refused["refusal"]["reason"] == "not_found"
            assert f"of the type {kind}, and VMs need one of files" in refused["msg"]


def test_a_pool_that_does_not_run_is_told(make_pool, run_module, libvirt_host):
    make_pool("dir", DIRECTORY).destroy()
    told = run_module("host_info", hosts=[dict(HOST, pool="other")])["hosts"][0]
    assert "no running storage pool other; run the playbook prepare_host" in told["unfit"]


def test_a_dead_host_has_the_same_keys_and_a_reason(run_module, libvirt_host):
    dead, good = run_module("host_info", hosts=[DEAD, HOST])["hosts"]
    assert set(dead) == set(good)
    assert dead["reachable"] is False
    assert "Connection refused" in dead["because"]


def test_wrong_input_is_refused(run_module):
    assert run_module("host_info", hosts=[{"name": "<", "uri": URI}])["refusal"]["reason"] == "bad_input"
