# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""Wanted VMs that several tests use."""

from __future__ import annotations

from ansible_collections.ondemand.cluster.plugins.module_utils._libvirt.vm import render
from ansible_collections.ondemand.cluster.plugins.module_utils._libvirt.vm.spec import Boot, DataDisk, VmSpec

KEY = "ssh-ed25519 " + "A" * 68
UUID = "952e9cb4-e633-42b7-8dfb-e9af0465524a"
EVERYTHING = frozenset(
    "role host zone generation image vcpus vcpus_max memory_mib memory_max_mib disks bridge address prefix mac autostart".split()
)
SPEC = VmSpec(
    name="shop-n1",
    cluster="shop",
    pool="ondemand",
    host="hv1",
    zone="a",
    image="debian",
    generation=3,
    vcpus=1,
    vcpus_max=2,
    memory_mib=640,
    memory_max_mib=1280,
    bridge="br0",
    address="10.0.0.2",
    gateway="10.0.0.1",
    dns=("10.0.0.53",),
    mac="52:54:00:20:4b:78",
    disks=(DataDisk("ledger", "/srv/ledger.raw", True, "raw"), DataDisk("lun", "/dev/disk/by-id/x", False, "raw")),
    authorized_keys=("ssh-ed25519 AAAA op",),
    given=EVERYTHING,
)
BOOT = Boot("/pool/debian-0123456789ab.vmlinuz", "/pool/debian-0123456789ab.initrd", "root=/dev/vda rw console=ttyS0 quiet")


def mark_of(spec, created_at=1790000000.5, host_key=KEY):
    """The mark that a finished VM of this spec has."""
    fields = ("cluster", "name", "role", "generation", "image", "host", "zone", "pool", "address", "prefix", "mac")
    return dict({name: getattr(spec, name) for name in fields}, host_key=host_key, created_at=created_at)


def domain_xml(spec, kind="qemu", boot=BOOT, created_at=1790000000.5):
    """The domain of a finished VM of this spec."""
    on = render.Machine(kind, "i686" if kind == "test" else "x86_64")
    pool = "/default-pool" if kind == "test" else "/pool"
    mark = mark_of(spec, created_at)
    return render.domain_xml(spec, on, boot, mark, f"{pool}/{spec.name}.qcow2", f"{pool}/{spec.name}-seed.iso", UUID)
