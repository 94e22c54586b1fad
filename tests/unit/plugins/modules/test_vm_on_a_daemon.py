# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""The modules vm, image, placement and host_info on libvirt's real QEMU and storage drivers: uploads, clones, checkpoints, pools.

A VM is made whole here, but for its start, which wants a bridge: tests/vm has that.
"""

from __future__ import annotations

import hashlib
import subprocess

import pytest
from ansible.module_utils.basic import AnsibleModule
from ansible_collections.ondemand.cluster.plugins.module_utils._libvirt.connection import libvirt
from ansible_collections.ondemand.cluster.plugins.module_utils._libvirt.vm import vms

POOL = "ondemand"
NETWORK = {"bridge": "br0", "address": "192.0.2.21", "prefix": 24}
VM = {"name": "shop-n1", "cluster": "shop", "pool": POOL}
CHECKPOINT = (
    "<domaincheckpoint><name>c1</name><creationTime>1</creationTime>"
    "<disks><disk name='vda' checkpoint='bitmap'/></disks>{domain}</domaincheckpoint>"
)


@pytest.fixture
def image(daemon, libvirt_daemon, run_module, tmp_path):
    """A published image: an empty disk of 16 MiB. Gives the name of its volume."""
    path = tmp_path / "a.qcow2"
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", str(path), "16M"], check=True)
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    manifest = {"sha256": sha256, "generation": 1, "boot": "firmware"}
    options = {"uri": libvirt_daemon.uri, "deadline_s": 60, "pool": POOL, "name": "debian", "src": str(path), "manifest": manifest}
    assert run_module("image", **options)["changed"] is True
    return f"debian-{sha256[:12]}.qcow2"


@pytest.fixture
def vm(libvirt_daemon, run_module):
    """Run the module vm for shop-n1."""
    return lambda **options: run_module("vm", **dict(VM, uri=libvirt_daemon.uri, deadline_s=60, **options))


@pytest.fixture
def made(vm, image):
    """shop-n1, made whole and not started."""
    return vm(state="present", image="debian", network=NETWORK)["vm"]


def there(daemon):
    """Domains, and volumes that are no image's."""
    pool = daemon.storagePoolLookupByName(POOL)
    pool.refresh(0)
    return [domain.name() for domain in daemon.listAllDomains(0)], sorted(v for v in pool.listVolumes() if not v.startswith("debian"))


def clone(libvirt_daemon, name, below):
    """A volume that somebody makes by hand on a published image."""
    virsh = ["virsh", "-q", "-c", libvirt_daemon.uri, "vol-create-as", POOL, name, "16M", "--format", "qcow2"]
    subprocess.run([*virsh, "--backing-vol", below, "--backing-vol-format", "qcow2"], check=True, capture_output=True)


def test_a_vm_is_made_and_goes(daemon, made, vm):
    assert made["complete"] is True
    assert daemon.lookupByName("shop-n1").autostart() == 1, "it starts with its host"
    assert there(daemon) == (["shop-n1"], ["shop-n1-seed.iso", "shop-n1.qcow2"])
    assert vm(state="absent")["vm"] is None
    assert there(daemon) == ([], [])


def test_a_vm_with_checkpoints_and_snapshots_goes(daemon, made, vm):
    domain = daemon.lookupByName("shop-n1")
    xml = domain.XMLDesc(0)
    domain.checkpointCreateXML(CHECKPOINT.format(domain=xml), libvirt.VIR_DOMAIN_CHECKPOINT_CREATE_REDEFINE)
    assert vm(state="absent")["vm"] is None
    assert there(daemon) == ([], [])


class Older:
    """A real domain on a host whose libvirt doesn't know the newest flag. With that flag, libvirt 9 forgets checkpoints unasked."""

    def __init__(self, domain):
        self._domain = domain

    def undefineFlags(self, flags):
        unknown = 1 << 30
        return self._domain.undefineFlags(unknown if flags & libvirt.VIR_DOMAIN_UNDEFINE_TPM else flags)


@pytest.fixture
def checked(daemon, made):
    """shop-n1 with a checkpoint."""
    domain = daemon.lookupByName("shop-n1")
    domain.checkpointCreateXML(CHECKPOINT.format(domain=domain.XMLDesc(0)), libvirt.VIR_DOMAIN_CHECKPOINT_CREATE_REDEFINE)
    return domain


@pytest.mark.parametrize("on", [Older, lambda domain: domain], ids=["an older libvirt", "this libvirt"])
def test_checkpoints_do_not_keep_a_domain_from_being_undefined(on, daemon, checked):
    """So it is for who takes back a making, without the steps of a deletion."""
    vms.undefine(on(checked))
    assert there(daemon)[0] == []


def test_checkpoints_go_before_anything_is_lost(checked):
    vms.release(checked)
    assert checked.listAllCheckpoints(0) == []


def test_what_our_seed_proves_to_be_ours_goes_without_a_domain(daemon, made, vm):
    daemon.lookupByName("shop-n1").undefine()
    assert [step["step"] for step in vm(state="absent")["steps"]] == ["delete_overlay", "delete_seed"]
    assert there(daemon) == ([], [])


def test_a_clone_of_our_image_is_not_ours_without_our_seed(daemon, libvirt_daemon, image, vm):
    clone(libvirt_daemon, "shop-n1.qcow2", image)
    for options in ({"state": "absent"}, {"image": "debian", "network": NETWORK}):
        refused = vm(**options)
        assert refused["refusal"]["reason"] == "not_ours"
        assert "shop-n1.qcow2" in refused["msg"]
    assert there(daemon) == ([], ["shop-n1.qcow2"])


def test_a_disk_beside_our_seed_is_not_ours_unless_it_is_a_clone_of_our_image(daemon, libvirt_daemon, made, vm):
    daemon.lookupByName("shop-n1").undefine()
    pool = daemon.storagePoolLookupByName(POOL)
    pool.storageVolLookupByName("shop-n1.qcow2").delete(0)
    pool.createXML("<volume><name>shop-n1.qcow2</name><capacity>1000</capacity></volume>", 0)
    assert vm(state="absent")["refusal"]["reason"] == "not_ours"
    assert there(daemon) == ([], ["shop-n1-seed.iso", "shop-n1.qcow2"])


def test_a_disk_on_somebody_elses_file_of_such_a_name_is_not_ours(daemon, libvirt_daemon, made, vm, tmp_path):
    daemon.lookupByName("shop-n1").undefine()
    pool = daemon.storagePoolLookupByName(POOL)
    pool.storageVolLookupByName("shop-n1.qcow2").delete(0)
    elsewhere = libvirt_daemon.pool.parent / "home" / "debian-0123456789ab.qcow2"
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", str(elsewhere), "16M"], check=True)
    overlay = str(libvirt_daemon.pool / "shop-n1.qcow2")
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", str(elsewhere), overlay], check=True)
    pool.refresh(0)
    assert vm(state="absent")["refusal"]["reason"] == "not_ours"
    assert there(daemon) == ([], ["shop-n1-seed.iso", "shop-n1.qcow2"])


def ask(libvirt_daemon, run_module, **more):
    options = {"hosts": [{"name": "hv1", "uri": libvirt_daemon.uri, "pool": POOL}], "cluster": "shop", "wanted": 1, "deadline_s": 60}
    options.update(size={"vcpus": 1, "memory_mib": 64}, network={"addresses": "192.0.2.21-192.0.2.29"}, probe_s=0, reserve_mib=0)
    return run_module("placement", **dict(options, **more))


def test_a_number_whose_volume_is_somebody_elses_is_passed_over_and_one_of_ours_is_not(daemon, libvirt_daemon, made, run_module):
    daemon.lookupByName("shop-n1").undefine()
    assert ask(libvirt_daemon, run_module)["vms"][0]["name"] == "shop-n1"
    pool = daemon.storagePoolLookupByName(POOL)
    pool.storageVolLookupByName("shop-n1.qcow2").delete(0)
    for name in ("shop-n1.qcow2", "shop-n2-seed.iso"):
        pool.createXML(f"<volume><name>{name}</name><capacity>1000</capacity></volume>", 0)
    placed = ask(libvirt_daemon, run_module)["vms"][0]
    assert placed["name"] == "shop-n3"
    for passed in ("shop-n1 is passed over: hv1 has volumes", "shop-n2 is passed over: hv1 has volumes"):
        assert passed in placed["because"]


def test_one_host_under_two_uris_is_one_host_and_its_vms_are_counted_once(daemon, libvirt_daemon, made, run_module, monkeypatch):
    # ansible-core says a warning once in a process, and this process has more tests.
    warned = []
    monkeypatch.setattr(AnsibleModule, "warn", lambda _module, text: warned.append(text))
    uris = (libvirt_daemon.uri, f"{libvirt_daemon.uri}&mode=direct")
    hosts = [{"name": f"hv{i}", "uri": uri, "pool": POOL} for i, uri in enumerate(uris, 1)]
    told = run_module("host_info", hosts=hosts, deadline_s=60)["hosts"]
    assert [host["unfit"] for host in told] == ["", "it is the same host as hv1, under another URI; name it once"]
    result = ask(libvirt_daemon, run_module, hosts=hosts, wanted=2)
    assert [(vm["name"], vm["host"]) for vm in result["vms"]] == [("shop-n1", "hv1"), ("shop-n2", "hv1")]
    assert [(one["name"], one["host"], one["also"]) for one in result["seen_twice"]] == [("shop-n1", "hv1", ["hv2"])]
    info = run_module("vm_info", hosts=hosts, cluster="shop", deadline_s=60)
    assert [vm["host"] for vm in info["vms"]] == ["hv1"]
    assert info["seen_twice"] == result["seen_twice"]
    assert warned == [info["seen_twice"][0]["because"]] * 2
