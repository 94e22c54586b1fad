# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""image: what is refused before anything is sent, and what check mode tells. Real uploads are in tests/vm."""

from __future__ import annotations

import subprocess

import pytest
from ansible_collections.ondemand.cluster.plugins.module_utils._libvirt.image import publish
from ansible_collections.ondemand.cluster.plugins.module_utils._libvirt.vm import render

from .conftest import POOL, URI


@pytest.fixture
def files(tmp_path):
    disk = tmp_path / "disk.qcow2"
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", str(disk), "16M"], check=True)
    (tmp_path / "kernel").write_bytes(b"kernel")
    return tmp_path


def options(files, **change):
    manifest = {"sha256": publish.sha256_of(str(files / "disk.qcow2")), "generation": 1, "boot": "kernel", "cmdline": "quiet"}
    given = {"uri": URI, "pool": POOL, "name": "debian", "src": str(files / "disk.qcow2"), "kernel": str(files / "kernel")}
    return dict(given, manifest=dict(manifest, **change.pop("manifest", {})), **change)


def test_check_mode_tells_what_would_be_sent_and_sends_nothing(files, run_module, libvirt_host):
    result = run_module("image", check=True, **options(files))
    assert result["changed"] is True
    assert result["uploaded"] == ["disk", "kernel"]
    assert result["image"]["virtual_bytes"] == 16 * 2**20
    assert result["diff"]["after"]["volumes"] == sorted(result["image"]["volumes"].values())
    assert libvirt_host.storagePoolLookupByName(POOL).listVolumes() == []


REFUSED = [
    ("a wrong checksum", {"manifest": {"sha256": "a" * 64}}, "wrong_checksum"),
    ("no kernel", {"kernel": None}, "bad_input"),
    ("a kernel that is not there", {"kernel": "/nonexistent/kernel"}, "bad_input"),
    ("a disk that is no qcow2", {"src": "kernel"}, "bad_input"),
    ("another name in the manifest", {"manifest": {"name": "other"}}, "bad_input"),
    ("a hostile name", {"name": "../x"}, "bad_input"),
    ("a pool that is not there", {"pool": "none"}, "not_found"),
    ("a host that is off", {"uri": "qemu+tcp://127.0.0.1:1/system"}, "host_unreachable"),
]


@pytest.mark.parametrize(("sentence", "change", "reason"), REFUSED, ids=[case[0] for case in REFUSED])
def test_is_refused_and_nothing_is_published(sentence, change, reason, files, run_module, libvirt_host):
    if change.get("src"):
        change = dict(change, src=str(files / change["src"]))
    result = run_module("image", **options(files, **change))
    assert result["failed"] is True
    assert result["refusal"]["reason"] == reason
    assert libvirt_host.storagePoolLookupByName(POOL).listVolumes() == []


def put(pool, name, backing=None):
    return pool.createXML(render.volume_xml(name, 1000, "qcow2", backing), 0)


def test_an_image_that_vms_are_clones_of_stays(run_module, libvirt_host):
    pool = libvirt_host.storagePoolLookupByName(POOL)
    put(pool, "shop-n1.qcow2", put(pool, "debian-0123456789ab.qcow2").path())
    result = run_module("image", uri=URI, pool=POOL, name="debian", state="absent")
    assert result["refusal"]["reason"] == "in_use"
    assert "shop-n1.qcow2" in result["msg"]
    assert len(pool.listVolumes()) == 2


def test_a_withdrawn_image_is_gone_and_a_second_time_nothing_changes(run_module, libvirt_host):
    pool = libvirt_host.storagePoolLookupByName(POOL)
    put(pool, "debian-0123456789ab.qcow2")
    put(pool, "debian-2-0123456789ab.qcow2")
    ask = {"uri": URI, "pool": POOL, "name": "debian", "state": "absent"}
    foretold = run_module("image", check=True, **ask)
    gone = run_module("image", **ask)
    assert foretold["diff"] == gone["diff"]
    assert gone["removed"] == ["debian-0123456789ab.qcow2"]
    assert pool.listVolumes() == ["debian-2-0123456789ab.qcow2"]
    assert run_module("image", **ask)["changed"] is False
