# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""Containers as the inside of VMs: what the hook reads off a domain, what the seed becomes, and the disk that sleeps."""

from __future__ import annotations

import os
import stat
import subprocess
from pathlib import Path

import pytest
from ansible_collections.ondemand.cluster.plugins.module_utils._libvirt.vm import render, seed, spec
from ansible_collections.ondemand.cluster.plugins.module_utils._libvirt.vm.render import Machine

from lab.testbed.guests import IMAGE, sleeper
from lab.testbed.guests.domain import Guest, parse_guest
from lab.testbed.guests.seed import MASKED, install_seed, read_seed
from lab.testbed.hypervisors.files import render_qemu_hook

SPEC = spec.from_params(
    {
        "name": "shop-n1",
        "cluster": "shop",
        "host": "hv1",
        "pool": "ondemand",
        "image": IMAGE,
        "vcpus": 1,
        "memory_mib": 512,
        "network": {"bridge": "br0", "address": "10.99.0.20", "prefix": 24},
        "disks": [{"name": "ledger", "path": "/srv/ledger.raw", "shareable": True}],
        "authorized_keys": ["ssh-ed25519 AAAA person"],
    }
)


def domain(image: str) -> str:
    """A domain as the collection renders it."""
    mark = {"cluster": "shop", "name": "shop-n1", "image": image}
    return render.domain_xml(
        SPEC, Machine("qemu", "x86_64"), spec.Boot(), mark, "/pool/shop-n1.qcow2", "/pool/shop-n1-seed.iso", uuid="u-1"
    )


def test_the_hook_reads_of_a_domain_what_its_container_needs() -> None:
    assert parse_guest(domain(IMAGE)) == Guest(
        "shop-n1", "u-1", SPEC.mac, "br0", "/pool/shop-n1-seed.iso", (("ledger", "/srv/ledger.raw"),)
    )


@pytest.mark.parametrize("xml", [domain("debian-12-node"), "<domain><name>foreign</name></domain>"])
def test_a_domain_of_another_image_keeps_its_own_inside(xml: str) -> None:
    assert parse_guest(xml) is None


def test_a_seed_is_installed_as_the_node_image_installs_it_twice_too(tmp_path: Path) -> None:
    iso = tmp_path / "seed.iso"
    iso.write_bytes(seed.iso(seed.files(SPEC, seed.HostKey("ssh-ed25519 BBBB", "secret\n"))))
    for _time in range(2):
        install_seed(read_seed(iso), tmp_path / "upper")
    root = tmp_path / "upper"
    assert (root / "etc/hostname").read_text() == "shop-n1\n"
    assert (root / "root/.ssh/authorized_keys").read_text() == "ssh-ed25519 AAAA person\n"
    assert (root / "etc/ssh/ssh_host_ed25519_key").read_text() == "secret\n"
    assert stat.S_IMODE((root / "etc/ssh/ssh_host_ed25519_key").stat().st_mode) == 0o600
    assert "Address=10.99.0.20/24" in (root / "etc/systemd/network/10-ondemand.network").read_text()
    assert not (root / "etc/resolv.conf").exists()
    assert all(os.readlink(root / "etc/systemd/system" / unit) == "/dev/null" for unit in MASKED)


def test_the_seed_is_read_by_the_names_that_the_node_image_reads(checkout: Path) -> None:
    script = (checkout / "roles/image/files/stock/usr/lib/ondemand/seed").read_text()
    put = {tuple(line.split("put ")[1].split()[:2]) for line in script.splitlines() if "put " in line and "{" not in line}
    from lab.testbed.guests.seed import PLACES

    assert put == {(name, f"/{place}") for name, place, _mode in PLACES}


def test_the_disk_that_sleeps_is_one_that_firmware_boots() -> None:
    sector = sleeper.boot_sector()
    assert len(sector) == 512
    assert sector[-2:] == b"\x55\xaa"
    assert sector.startswith(sleeper.CODE)


@pytest.mark.parametrize(
    ("image", "operation", "called"),
    [(IMAGE, "started", True), (IMAGE, "release", True), (IMAGE, "prepare", False), ("debian-12-node", "started", False)],
)
def test_the_hook_calls_for_a_container_only_where_one_is_wanted(tmp_path: Path, image: str, operation: str, called: bool) -> None:
    python, heard = tmp_path / "python", tmp_path / "heard"
    python.write_text(f'#!/bin/sh\n{{ echo "$@"; cat; }} > {heard}\n')
    python.chmod(0o755)
    hook = tmp_path / "hook"
    hook.write_text(render_qemu_hook(str(python), tmp_path))
    subprocess.run(["sh", str(hook), "shop-n1", operation, "begin", "-"], input=domain(image), text=True, check=True)
    assert heard.exists() == called
    if called:
        words, _, xml = heard.read_text().partition("\n")
        assert words == f"-m lab.testbed.guests {operation}"
        assert xml == domain(image)
