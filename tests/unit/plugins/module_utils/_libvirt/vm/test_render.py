# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""libvirt's XML: golden files (write them anew with REGENERATE_GOLDEN=1, and read the difference), and what libvirt says."""

from __future__ import annotations

import os
import subprocess
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from ansible_collections.ondemand.cluster.plugins.module_utils._libvirt.vm import render
from ansible_collections.ondemand.cluster.plugins.module_utils._libvirt.vm.spec import Boot
from ansible_collections.ondemand.cluster.plugins.module_utils._libvirt.vm.state import parse

from ..cases import SPEC, domain_xml

GOLDEN = Path(__file__).parents[1] / "golden"

DOMAINS = {
    "emulated_with_kernel_and_disks": domain_xml(SPEC),
    "kvm_from_its_own_disk": domain_xml(replace(SPEC, disks=(), disk_cache="none"), "kvm", Boot()),
    "test_driver_half_made": domain_xml(replace(SPEC, disks=()), "test", Boot(), None),
}


def pretty(xml):
    root = ET.fromstring(xml)
    ET.indent(root)
    return ET.tostring(root, encoding="unicode") + "\n"


@pytest.mark.parametrize("name", sorted(DOMAINS))
def test_a_domain_is_rendered_as_its_golden_file_says(name):
    path = GOLDEN / f"{name}.xml"
    text = pretty(DOMAINS[name])
    if os.environ.get("REGENERATE_GOLDEN"):
        path.write_text(text)
    assert text == path.read_text()


@pytest.mark.parametrize("name", sorted(DOMAINS))
def test_libvirts_own_schema_takes_the_domain(name, tmp_path):
    path = tmp_path / "domain.xml"
    path.write_text(DOMAINS[name])
    done = subprocess.run(["virt-xml-validate", str(path), "domain"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", sorted(DOMAINS))
def test_what_was_rendered_is_read_back(name):
    state = parse(DOMAINS[name], 5)
    wanted = SPEC if "disks" in name else replace(SPEC, disks=())
    for field in ("name", "vcpus", "vcpus_max", "memory_mib", "memory_max_mib", "bridge", "mac", "disks"):
        assert getattr(state, field) == getattr(wanted, field)
    assert state.mark["address"] == "10.0.0.2"
    assert state.mark["generation"] == 3


def test_hostile_values_stay_in_their_place():
    evil = "a'\"><name>evil</name>&x;"
    spec = replace(SPEC, zone=evil, bridge=evil, disks=(replace(SPEC.disks[0], path=evil),))
    root = ET.fromstring(domain_xml(spec, boot=Boot(evil, evil, evil)))
    assert [node.text for node in root.iter("name")] == ["shop-n1"]
    assert root.find("./os/cmdline").text == evil
    assert root.find("./devices/interface/source").get("bridge") == evil


CAPABILITIES = (
    "<capabilities><host><cpu><arch>x86_64</arch></cpu></host><guest><os_type>hvm</os_type><arch name='i686'>"
    "<domain type='kvm'/></arch></guest><guest><os_type>hvm</os_type><arch name='x86_64'>{}</arch></guest></capabilities>"
)


@pytest.mark.parametrize(
    ("domains", "expected"),
    [("<domain type='qemu'/><domain type='kvm'/>", "kvm"), ("<domain type='qemu'/>", "qemu"), ("<domain type='test'/>", "test")],
)
def test_kvm_is_taken_where_the_hosts_own_architecture_offers_it(domains, expected):
    assert render.machine(CAPABILITIES.format(domains)) == render.Machine(expected, "x86_64")


def test_a_clone_names_what_is_below_it_and_allocates_nothing():
    root = ET.fromstring(render.volume_xml("shop-n1.qcow2", 2**31, "qcow2", "/pool/debian.qcow2"))
    assert root.findtext("backingStore/path") == "/pool/debian.qcow2"
    assert root.find("backingStore/format").get("type") == "qcow2"
    assert (root.findtext("capacity"), root.findtext("allocation")) == (str(2**31), "0")


def test_a_host_without_a_known_architecture_gets_the_fullest_processor_and_no_machine():
    root = ET.fromstring(render.domain_xml(SPEC, render.Machine("qemu", "riscv64"), Boot(), {}, "/o", "/s"))
    assert root.find("cpu").attrib == {"mode": "maximum"}
    assert root.find("os/type").attrib == {"arch": "riscv64"}
    assert root.find("uuid") is None


def test_capabilities_of_nothing_are_emulation():
    assert render.machine("<capabilities/>") == render.Machine("qemu", "x86_64")
    xen = "<guest><os_type>xen</os_type><arch name='aarch64'><domain type='kvm'/></arch></guest>"
    other = f"<capabilities><host><cpu><arch>aarch64</arch></cpu></host>{xen}</capabilities>"
    assert render.machine(other) == render.Machine("qemu", "aarch64")


def test_disks_are_named_on_from_vdc_and_a_block_device_is_one():
    disks = [disk.attrib | {"dev": disk.find("target").get("dev")} for disk in ET.fromstring(domain_xml(SPEC)).iter("disk")]
    assert [(disk["type"], disk["dev"]) for disk in disks] == [("file", "vda"), ("file", "vdb"), ("file", "vdc"), ("block", "vdd")]


def test_a_volume_without_anything_below_is_raw_as_told():
    root = ET.fromstring(render.volume_xml("x.iso", 5, "raw"))
    assert (root.findtext("name"), root.find("capacity").get("unit"), root.find("target/format").get("type")) == ("x.iso", "bytes", "raw")
    assert root.find("backingStore") is None
