# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""The module vm on libvirt's test driver: states, changes, refusals; twice is once; check mode tells the truth.

The test driver takes no uploads, so a whole VM can't be made on it: tests/vm does that on a real hypervisor. What it can
show is that a making that fails leaves nothing.
"""

from __future__ import annotations

import io
from xml.etree import ElementTree

import pytest
from ansible_collections.ondemand.cluster.plugins.module_utils._contract.refusal import Refused
from ansible_collections.ondemand.cluster.plugins.module_utils._libvirt.connection import libvirt
from ansible_collections.ondemand.cluster.plugins.module_utils._libvirt.image import images
from ansible_collections.ondemand.cluster.plugins.module_utils._libvirt.vm import metadata, plan, render, vms
from ansible_collections.ondemand.cluster.plugins.module_utils._libvirt.vm.spec import from_params
from ansible_collections.ondemand.cluster.plugins.module_utils._libvirt.vm.state import parse
from ansible_collections.ondemand.cluster.plugins.module_utils._shared import known_hosts

from .conftest import KEY, POOL, URI

VM = {"uri": URI, "name": "shop-n1", "cluster": "shop", "pool": POOL}
NETWORK = {"bridge": "br0", "address": "10.254.254.1"}
SHA = "0123456789abcdef" * 4
KEYS = set(
    "name cluster host uri zone state uuid vcpus vcpus_max memory_mib memory_max_mib address prefix mac host_key generation image "
    "role created_at pool complete missing".split()
)


def steps(result):
    return [step["step"] for step in result["steps"]]


def names_on(host):
    return sorted(domain.name() for domain in host.listAllDomains(0)), sorted(host.storagePoolLookupByName(POOL).listVolumes())


CHANGES = [
    ("starts", {}, {"state": "running"}, ["start"]),
    ("stops", {"running": True}, {"state": "stopped", "stop_s": 5}, ["stop"]),
    (
        "gets more memory while it runs",
        {"running": True, "memory_max_mib": 1024},
        {"memory_mib": 700, "memory_max_mib": 1024},
        ["memory_mib"],
    ),
    ("gets vcpus while it runs", {"running": True, "vcpus": 1, "vcpus_max": 2}, {"vcpus": 2, "vcpus_max": 2}, ["vcpus"]),
    ("gets a new maximum while it is off", {}, {"state": "stopped", "memory_mib": 600, "memory_max_mib": 900}, ["redefine"]),
    ("gets another zone", {"running": True}, {"zone": "z"}, ["remark"]),
    ("shall start with its host", {"running": True}, {"autostart": True}, ["autostart"]),
    ("gets a disk and starts", {}, {"disks": [{"name": "d", "path": "/d"}]}, ["redefine", "start"]),
]


@pytest.mark.parametrize(("sentence", "before", "options", "expected"), CHANGES, ids=[case[0] for case in CHANGES])
def test_a_vm(sentence, before, options, expected, make_vm, run_module):
    make_vm(**before)
    foretold = run_module("vm", check=True, **VM, **options)
    done = run_module("vm", **VM, **options)
    again = run_module("vm", **VM, **options)
    assert steps(foretold) == steps(done) == expected
    assert foretold["diff"] == done["diff"]
    assert (foretold["changed"], done["changed"], again["changed"]) == (True, True, False)
    assert again["diff"]["before"] == again["diff"]["after"] == done["diff"]["after"]
    ignored = {"vcpus_live"}
    assert {key: foretold["vm"][key] for key in KEYS - ignored} == {key: done["vm"][key] for key in KEYS - ignored}


def test_what_a_running_vm_gets_it_has_at_once_and_after_its_next_start(make_vm, run_module):
    domain = make_vm(running=True, vcpus=1, vcpus_max=2, memory_max_mib=1024)
    run_module("vm", **VM, vcpus=2, vcpus_max=2, memory_mib=700, memory_max_mib=1024, zone="z")
    for where, flags in ((libvirt.VIR_DOMAIN_AFFECT_LIVE, 0), (libvirt.VIR_DOMAIN_AFFECT_CONFIG, libvirt.VIR_DOMAIN_XML_INACTIVE)):
        assert domain.vcpusFlags(where) == 2
        assert parse(domain.XMLDesc(flags), 1).memory_mib == 700
        mark = domain.metadata(libvirt.VIR_DOMAIN_METADATA_ELEMENT, metadata.NAMESPACE, where)
        assert ElementTree.fromstring(mark).get("zone") == "z"


def test_check_mode_touches_nothing(make_vm, run_module, libvirt_host):
    domain = make_vm(running=True)
    before = domain.XMLDesc(0), names_on(libvirt_host)
    for options in ({"state": "absent"}, {"state": "stopped"}, {"memory_mib": 100}, {"zone": "x"}):
        assert run_module("vm", check=True, **VM, **options)["changed"] is True
    assert (domain.XMLDesc(0), names_on(libvirt_host)) == before


def test_a_vm_is_returned_with_every_key_of_the_exchange_formats(make_vm, run_module):
    make_vm(running=True)
    result = run_module("vm", **VM)
    assert set(result["vm"]) == KEYS
    assert result["vm"]["complete"] is True
    assert set(result["timings"]) == {"defined_at", "started_at", "reachable_at", "deleted_at"}
    assert result["changed"] is False


def test_a_vm_goes_with_everything_and_a_second_time_nothing_is_left_to_do(make_vm, run_module, libvirt_host, tmp_path):
    make_vm(running=True)
    path = str(tmp_path / "known_hosts")
    known_hosts.update(path, "shop-n1", "10.254.254.1", KEY)
    options = dict(VM, state="absent", known_hosts=path)
    foretold = run_module("vm", check=True, **options)
    gone = run_module("vm", **options)
    assert steps(foretold) == steps(gone) == ["destroy", "delete_overlay", "delete_seed", "undefine", "unpin"]
    assert foretold["diff"] == gone["diff"]
    assert gone["vm"] is None
    assert gone["timings"]["deleted_at"] > 0
    assert names_on(libvirt_host) == (["test"], [])
    assert known_hosts.read(path) == ""
    assert run_module("vm", **options)["changed"] is False


def test_a_key_that_is_not_pinned_is_pinned(make_vm, run_module, tmp_path):
    make_vm(running=True)
    path = str(tmp_path / "known_hosts")
    assert steps(run_module("vm", **VM, known_hosts=path)) == ["pin"]
    assert known_hosts.read(path) == f"10.254.254.1,shop-n1 {KEY}\n"
    assert run_module("vm", **VM, known_hosts=path)["changed"] is False


@pytest.mark.parametrize("volumes", [(), ("overlay",), ("overlay", "seed")])
def test_a_half_made_vm_goes_without_a_trace(volumes, make_vm, run_module, libvirt_host):
    make_vm(created_at=None, volumes=volumes)
    assert run_module("vm", **VM, state="absent")["changed"] is True
    assert names_on(libvirt_host) == (["test"], [])


REFUSED = [
    ("somebody else's domain", {"owner": False}, {}, "not_ours"),
    ("somebody else's domain, to go", {"owner": False}, {"state": "absent"}, "not_ours"),
    ("another cluster's VM", {"cluster": "other"}, {"state": "absent"}, "not_ours"),
    ("a wrong name", {}, {"name": "a\nb"}, "bad_input"),
    ("a wrong size", {}, {"vcpus": 3, "vcpus_max": 2}, "bad_input"),
]


@pytest.mark.parametrize(("sentence", "before", "options", "reason"), REFUSED, ids=[case[0] for case in REFUSED])
def test_is_refused_and_untouched(sentence, before, options, reason, make_vm, run_module, libvirt_host):
    domain = make_vm(running=True, **before)
    seen = domain.XMLDesc(0), names_on(libvirt_host)
    result = run_module("vm", **dict(VM, **options))
    assert result["failed"] is True
    assert result["refusal"]["reason"] == reason
    assert result["msg"] == result["refusal"]["sentence"]
    assert result["changed"] is False
    assert (domain.XMLDesc(0), names_on(libvirt_host)) == seen


def test_all_problems_of_a_new_vm_are_told_at_once(run_module, libvirt_host):
    sentence = run_module("vm", **VM, vcpus=0, memory_mib=1, network=dict(NETWORK, bridge="<"))["msg"]
    for path in ("image:", "vcpus:", "memory_mib:", "network.bridge:"):
        assert path in sentence


def test_a_volume_that_is_not_ours_is_refused(run_module, libvirt_host):
    pool = libvirt_host.storagePoolLookupByName(POOL)
    pool.createXML(render.volume_xml("shop-n1.qcow2", 1000, "raw"), 0)
    for state in ("running", "absent"):
        result = run_module("vm", **VM, state=state, image="debian", network=NETWORK)
        assert result["refusal"]["reason"] == "not_ours"
    assert pool.listVolumes() == ["shop-n1.qcow2"]


def test_a_missing_pool_and_a_missing_image_are_told_apart(run_module, libvirt_host):
    options = dict(VM, image="debian", network=NETWORK)
    assert run_module("vm", **dict(options, pool="none"))["refusal"]["reason"] == "not_found"
    assert run_module("vm", **options)["refusal"]["reason"] == "no_image"
    assert run_module("vm", **dict(options, pool="none", state="absent"))["changed"] is False


def test_a_dead_host_is_a_refusal(run_module):
    result = run_module("vm", **dict(VM, uri="qemu+tcp://127.0.0.1:1/system"))
    assert result["refusal"]["reason"] == "host_unreachable"


def test_a_vm_that_does_not_answer_in_time_is_a_refusal_and_stays(make_vm, run_module):
    domain = make_vm(running=True, network=dict(NETWORK, address="127.254.254.1"))
    result = run_module("vm", **VM, wait_s=0.3)
    assert result["refusal"]["reason"] == "deadline"
    assert "127.254.254.1 within 0.3 s" in result["msg"]
    assert domain.isActive()


@pytest.mark.parametrize("hanger", ["a saved memory", "snapshots"])
def test_a_vm_with_what_would_keep_libvirt_from_undefining_it_goes(hanger, make_vm, run_module, libvirt_host):
    domain = make_vm(running=True)
    if hanger == "snapshots":
        for name in ("first", "second"):
            domain.snapshotCreateXML(f"<domainsnapshot><name>{name}</name></domainsnapshot>", 0)
    else:
        domain.managedSave(0)
    assert run_module("vm", **VM, state="absent")["vm"] is None
    assert names_on(libvirt_host) == (["test"], [])


class Refusing:
    """A real domain whose saved memory can't be removed."""

    def __init__(self, domain):
        self._domain = domain

    def __getattr__(self, name):
        return getattr(self._domain, name)

    def managedSaveRemove(self, _flags):
        self._domain.managedSaveRemove(0x4000)


def test_what_can_be_refused_comes_before_the_first_volume_goes(make_vm, libvirt_host):
    domain = make_vm(running=True)
    domain.managedSave(0)
    domain.create()
    domain.managedSave(0)
    spec = from_params(VM)
    pool = libvirt_host.storagePoolLookupByName(POOL)
    state = vms.look(libvirt_host, domain, POOL)
    work = vms.Work(libvirt_host, URI, spec, state, Refusing(domain), _really_run, None, None, pool=pool)
    with pytest.raises(Refused) as caught:
        vms.apply(work, plan.plan(spec, state, "absent"))
    assert caught.value.refusal.reason == "in_use"
    assert work.done == []
    assert names_on(libvirt_host) == (["shop-n1", "test"], ["shop-n1-seed.iso", "shop-n1.qcow2"])


class Slow:
    """A real domain that takes its time to power off, or never does; and what was asked of it."""

    def __init__(self, domain, looks):
        self._domain, self._looks, self.asked = domain, looks, []

    def __getattr__(self, name):
        return getattr(self._domain, name)

    def shutdown(self):
        self.asked.append("shutdown")

    def isActive(self):
        self._looks -= 1
        if self._looks == 0:
            self._domain.shutdown()
        return self._domain.isActive()

    def destroy(self):
        self.asked.append("destroy")
        return self._domain.destroy()


@pytest.mark.parametrize(("looks", "stop_s", "asked"), [(4, 60, ["shutdown"]), (-1, 0, ["shutdown", "destroy"])])
def test_the_plug_is_pulled_only_when_the_time_to_power_off_is_over(looks, stop_s, asked, make_vm, libvirt_host, monkeypatch):
    monkeypatch.setattr(vms, "STOP_POLL_S", 0.01)
    domain = Slow(make_vm(running=True), looks)
    state = vms.look(libvirt_host, domain, POOL)
    work = vms.Work(libvirt_host, URI, from_params(VM), state, domain, _really_run, None, None, stop_s=stop_s)
    vms.apply(work, plan.plan(work.spec, state, "stopped"))
    assert domain.asked == asked
    assert not domain.isActive()


def test_a_making_that_fails_leaves_nothing(libvirt_host, tmp_path, monkeypatch):
    """Domain and overlay are made for real; then the test driver refuses the seed's upload, as a full disk would."""
    pool = libvirt_host.storagePoolLookupByName(POOL)
    pool.createXML(render.volume_xml(f"debian-{SHA[:12]}.qcow2", 1000, "raw"), 0)
    spec = from_params(dict(VM, image="debian", network=NETWORK))
    volumes = images.volumes_of("debian", SHA, "firmware", False)
    work = vms.Work(libvirt_host, URI, spec, None, None, _really_run, str(tmp_path), str(tmp_path / "known_hosts"), pool=pool)
    work.image = images.Image("debian", SHA, 1, "firmware", "", 1000, volumes)
    # The test driver hands out no manifest.
    monkeypatch.setattr(vms.volumes, "image_in", lambda *_where: work.image)
    with pytest.raises(Refused) as caught:
        vms.apply(work, plan.plan(spec, None, "running", pinned=False))
    assert caught.value.refusal.reason == "no_room"
    assert "What this run had made was removed again." in caught.value.refusal.sentence
    assert work.timings["defined_at"] > 0
    assert work.done == []
    assert names_on(libvirt_host) == (["test"], [f"debian-{SHA[:12]}.qcow2"])
    assert list(tmp_path.iterdir()) == []


def _really_run(argv):
    import subprocess

    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def test_a_failed_upload_leaves_no_volume(libvirt_host):
    from ansible_collections.ondemand.cluster.plugins.module_utils._libvirt.host import volumes

    pool = libvirt_host.storagePoolLookupByName(POOL)
    with pytest.raises(Exception, match="not supported"):
        volumes.create(libvirt_host, pool, "x.iso", io.BytesIO(b"x"), 1)
    assert pool.listVolumes() == []
