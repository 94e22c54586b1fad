# SPDX-License-Identifier: BSD-2-Clause
# Copyright: (c) 2026, the ondemand.cluster contributors

"""From a wanted VM to libvirt's XML, by ElementTree: no value can leave its place. Pure.

Memory: the domain gets its maximum as <memory> and its present size as <currentMemory>; the balloon makes the
difference. Memory slots (DIMMs) would need a NUMA cell and a VM that lets go of whole blocks, which Linux often refuses;
the balloon goes both ways while the VM runs. A fresh VM sees its maximum until its balloon driver is loaded, early in
the boot; what the balloon takes was never touched, so the host never gave it, and commitments count the present size.

Processor: all possible vcpus are declared and `current` of them are on; libvirt makes the others hot-pluggable.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Mapping, Optional
from xml.etree import ElementTree as ET

from ansible_collections.ondemand.cluster.plugins.module_utils._libvirt.vm import metadata
from ansible_collections.ondemand.cluster.plugins.module_utils._libvirt.vm.spec import Boot, DataDisk, VmSpec

MACHINES = {"x86_64": "q35", "aarch64": "virt"}
# QEMU's translation cache grows to a gigabyte by itself, so an emulated VM would take three times its memory. What a node runs from boot
# to membership fills about 300 MiB, and a cache that is too small is emptied whole and translated anew.
TB_CACHE_MIB = 512
# An emulated processor pays for its features: with all of them (mode maximum) a fork and exec takes 9 ms, with the oldest model and what
# x86-64-v2 wants beyond it 5 ms, because XSAVE, SMAP, protection keys and five levels of page tables are emulated step by step.
EMULATED_CPU = {"x86_64": ("qemu64", ("ssse3", "sse4.1", "sse4.2", "popcnt", "lahf_lm"))}
BALLOON_PERIOD_S = 5
CONSOLE_LOG = "/var/log/libvirt/qemu/{name}-console.log"


@dataclass(frozen=True)
class Machine:
    """What the host offers: domain type (kvm, qemu or test) and architecture."""

    type: str
    arch: str


def machine(capabilities: str) -> Machine:
    """The best that a host offers for its own architecture: KVM if libvirt lists it, else emulation."""
    root = ET.fromstring(capabilities)
    arch = root.findtext("./host/cpu/arch") or "x86_64"
    types = []
    for entry in root.findall("./guest"):
        if entry.findtext("./os_type") == "hvm" and entry.find(f"./arch[@name='{arch}']") is not None:
            types += [domain.get("type") for domain in entry.findall("./arch/domain")]
    for wanted in ("kvm", "qemu"):
        if wanted in types:
            return Machine(wanted, arch)
    return Machine(types[0] if types and types[0] else "qemu", arch)


def _add(parent: ET.Element, tag: str, text: Optional[Any] = None, **attributes: Any) -> ET.Element:
    child = ET.SubElement(parent, tag, {key: str(value) for key, value in attributes.items()})
    if text is not None:
        child.text = str(text)
    return child


def _os(domain: ET.Element, on: Machine, boot: Boot) -> None:
    section = _add(domain, "os")
    kind = _add(section, "type", "hvm", arch=on.arch)
    if on.type != "test" and on.arch in MACHINES:
        kind.set("machine", MACHINES[on.arch])
    if boot.kernel:
        _add(section, "kernel", boot.kernel)
        if boot.initrd:
            _add(section, "initrd", boot.initrd)
        _add(section, "cmdline", boot.cmdline or "")
    else:
        _add(section, "boot", dev="hd")


def _features(domain: ET.Element, on: Machine) -> None:
    features = _add(domain, "features")
    _add(features, "acpi")
    if on.type == "kvm":
        _add(features, "apic")
        # The processor as it is, less what would forbid a live migration.
        _add(domain, "cpu", mode="host-passthrough", check="none", migratable="on")
    elif on.type == "qemu":
        _add(_add(features, "tcg"), "tb-cache", TB_CACHE_MIB, unit="MiB")
        _emulated_cpu(domain, on.arch)


def _emulated_cpu(domain: ET.Element, arch: str) -> None:
    if arch not in EMULATED_CPU:
        _add(domain, "cpu", mode="maximum")
        return
    model, features = EMULATED_CPU[arch]
    cpu = _add(domain, "cpu", mode="custom", match="exact", check="none")
    _add(cpu, "model", model, fallback="forbid")
    for name in features:
        _add(cpu, "feature", policy="require", name=name)


def _own_disk(devices: ET.Element, path: str, target: str, kind: str, cache: Optional[str], read_only: bool) -> None:
    disk = _add(devices, "disk", type="file", device="disk")
    driver = _add(disk, "driver", name="qemu", type=kind)
    if cache:
        driver.set("cache", cache)
    if not read_only:
        driver.set("discard", "unmap")
    _add(disk, "source", file=path)
    _add(disk, "target", dev=target, bus="virtio")
    if read_only:
        _add(disk, "readonly")


def _data_disk(devices: ET.Element, disk: DataDisk, target: str) -> None:
    block = disk.path.startswith("/dev/")
    node = _add(devices, "disk", type="block" if block else "file", device="disk")
    # What one VM has written, another must read after a move: no cache of the host in between.
    _add(node, "driver", name="qemu", type=disk.format, cache="none")
    _add(node, "source", **{"dev" if block else "file": disk.path})
    _add(node, "target", dev=target, bus="virtio")
    if disk.shareable:
        _add(node, "shareable")
    _add(node, "serial", disk.name)


def _other_devices(devices: ET.Element, spec: VmSpec, on: Machine) -> None:
    card = _add(devices, "interface", type="bridge")
    _add(card, "mac", address=spec.mac)
    _add(card, "source", bridge=spec.bridge)
    _add(card, "model", type="virtio")
    _add(_add(devices, "rng", model="virtio"), "backend", "/dev/urandom", model="random")
    _add(_add(devices, "memballoon", model="virtio"), "stats", period=BALLOON_PERIOD_S)
    if on.type == "test":
        return
    console = _add(devices, "serial", type="pty")
    _add(console, "log", file=CONSOLE_LOG.format(name=spec.name), append="off")
    _add(_add(devices, "channel", type="unix"), "target", type="virtio", name="org.qemu.guest_agent.0")
    _add(devices, "controller", type="usb", model="none")


def domain_xml(
    spec: VmSpec,
    on: Machine,
    boot: Boot,
    mark: Mapping[str, Any],
    overlay: str,
    seed: str,
    uuid: Optional[str] = None,
) -> str:
    """The domain of a VM. `overlay` and `seed` are paths on the host, `uuid` is set when one is defined anew."""
    domain = ET.Element("domain", {"type": on.type})
    _add(domain, "name", spec.name)
    if uuid:
        _add(domain, "uuid", uuid)
    _add(domain, "metadata").append(metadata.element(mark))
    _add(domain, "memory", spec.memory_max_mib, unit="MiB")
    _add(domain, "currentMemory", spec.memory_mib, unit="MiB")
    _add(domain, "vcpu", spec.vcpus_max, placement="static", current=spec.vcpus)
    _os(domain, on, boot)
    _features(domain, on)
    _add(domain, "clock", offset="utc")
    # A VM that powers itself off stays off and is seen as stopped; one whose kernel dies comes back and rejoins.
    _add(domain, "on_poweroff", "destroy")
    _add(domain, "on_reboot", "restart")
    _add(domain, "on_crash", "restart")
    devices = _add(domain, "devices")
    _own_disk(devices, overlay, "vda", "qcow2", spec.disk_cache, read_only=False)
    # As a virtio disk, not as a CD: cloud kernels often have no driver for CD drives.
    _own_disk(devices, seed, "vdb", "raw", None, read_only=True)
    for number, disk in enumerate(spec.disks):
        _data_disk(devices, disk, "vd" + chr(ord("c") + number))
    _other_devices(devices, spec, on)
    return ET.tostring(domain, encoding="unicode")


def volume_xml(name: str, capacity: int, kind: str, backing: Optional[str] = None, backing_kind: str = "qcow2") -> str:
    """A volume of `capacity` bytes; with `backing` (a path on the host) a linked clone. Nothing is allocated ahead."""
    volume = ET.Element("volume", {"type": "file"})
    _add(volume, "name", name)
    _add(volume, "capacity", capacity, unit="bytes")
    _add(volume, "allocation", 0, unit="bytes")
    _add(_add(volume, "target"), "format", type=kind)
    if backing:
        below = _add(volume, "backingStore")
        _add(below, "path", backing)
        _add(below, "format", type=backing_kind)
    return ET.tostring(volume, encoding="unicode")
