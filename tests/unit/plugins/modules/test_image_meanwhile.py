# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""An image is published while VMs are made of it, on libvirt's real daemon: no VM is left without the disk that it is a clone of."""

from __future__ import annotations

import hashlib
import subprocess

import pytest
from ansible_collections.ondemand.cluster.plugins.module_utils._libvirt.host import volumes
from ansible_collections.ondemand.cluster.plugins.module_utils._libvirt.image import publish
from ansible_collections.ondemand.cluster.plugins.module_utils._libvirt.vm import vms

POOL = "ondemand"


@pytest.fixture
def send(daemon, libvirt_daemon, run_module, tmp_path):
    """Publishes an empty disk of some MiB as the image debian; gives the result."""

    def run(mib):
        path = tmp_path / f"{mib}.qcow2"
        subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", str(path), f"{mib}M"], check=True)
        manifest = {"sha256": hashlib.sha256(path.read_bytes()).hexdigest(), "generation": mib, "boot": "firmware"}
        options = {"pool": POOL, "name": "debian", "src": str(path), "manifest": manifest}
        done = run_module("image", uri=libvirt_daemon.uri, deadline_s=60, **options)
        assert done["changed"] is True, done
        return done

    return run


@pytest.fixture
def make(libvirt_daemon, run_module):
    """Makes shop-n1 of the image, without a start."""
    network = {"bridge": "br0", "address": "192.0.2.21", "prefix": 24}
    options = {"name": "shop-n1", "cluster": "shop", "pool": POOL, "state": "present", "image": "debian", "network": network}
    return lambda: run_module("vm", uri=libvirt_daemon.uri, deadline_s=60, **options)


def there(daemon):
    """Names of the volumes."""
    return sorted(daemon.storagePoolLookupByName(POOL).listVolumes())


def test_the_disk_of_a_vm_that_was_made_while_a_new_image_was_sent_stays(daemon, send, make, monkeypatch):
    old = send(16)["image"]["volumes"]["disk"]
    upload, made = publish._upload, []

    def and_a_vm_meanwhile(*given):
        upload(*given)
        made.append(make())

    monkeypatch.setattr(publish, "_upload", and_a_vm_meanwhile)
    done = send(17)
    assert made[0]["vm"]["complete"] is True, made
    assert done["removed"] == [] and {old, "shop-n1.qcow2"} < set(there(daemon)), done
    monkeypatch.setattr(publish, "_upload", upload)
    vms.undefine(daemon.lookupByName("shop-n1"))
    volumes.delete(daemon.storagePoolLookupByName(POOL), "shop-n1.qcow2")
    assert old in send(18)["removed"], "the next one that is published removes what nobody uses any more"


def test_a_vm_whose_image_was_published_anew_while_it_was_made_is_none(daemon, send, make, monkeypatch):
    old = send(16)["image"]["volumes"]["disk"]
    clone = volumes.clone

    def too_late(pool, name, backing, capacity):
        monkeypatch.setattr(volumes, "clone", clone)
        send(17)
        # Its look found no clone, so it removes the disk; the clone comes between the look and the removal.
        pool.createXML(vms.render.volume_xml(old, 1000, "qcow2"), 0)
        return clone(pool, name, pool.storageVolLookupByName(old), capacity)

    monkeypatch.setattr(volumes, "clone", too_late)
    refused = make()
    assert refused["refusal"]["reason"] == "no_image" and "published anew" in refused["msg"], refused
    assert daemon.listAllDomains(0) == [] and "shop-n1.qcow2" not in there(daemon)
    assert make()["vm"]["complete"] is True
