# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""Gives a container what its VM's seed volume brings, as the node image's own reader does: it needs a kernel that reads ISO 9660."""

from __future__ import annotations

import io
from pathlib import Path

import pycdlib

# Name in the seed, where it goes, its mode: roles/image/files/stock/usr/lib/ondemand/seed.
PLACES = (
    ("hostname", "etc/hostname", 0o644),
    ("authorized_keys", "root/.ssh/authorized_keys", 0o600),
    ("ssh_host_ed25519_key", "etc/ssh/ssh_host_ed25519_key", 0o600),
    ("ssh_host_ed25519_key.pub", "etc/ssh/ssh_host_ed25519_key.pub", 0o644),
    ("ondemand.network", "etc/systemd/network/10-ondemand.network", 0o644),
    ("resolv.conf", "etc/resolv.conf", 0o644),
)
# What has no sense in a container: the seed is in place, the root file system is no disk.
MASKED = ("ondemand-seed.service", "ondemand-grow.service", "systemd-udevd.service", "systemd-udev-trigger.service")


def read_seed(path: Path) -> dict[str, bytes]:
    """The files of a seed volume by name."""
    image = pycdlib.PyCdlib()
    image.open(str(path))
    found = {}
    for name in (name for name, _place, _mode in PLACES):
        text = io.BytesIO()
        try:
            image.get_file_from_iso_fp(text, rr_path=f"/{name}")
        except pycdlib.pycdlibexception.PyCdlibInvalidInput:
            continue  # a seed without name servers has no resolv.conf
        found[name] = text.getvalue()
    image.close()
    return found


def install_seed(seed: dict[str, bytes], root: Path) -> None:
    """Write a seed's files, and the masks, where the container will find them below its root."""
    for name, place, mode in PLACES:
        if name in seed:
            target = root / place
            target.parent.mkdir(parents=True, exist_ok=True)
            target.touch(mode=mode)
            target.write_bytes(seed[name])
    (root / "root/.ssh").chmod(0o700)
    (root / "root").chmod(0o700)
    for unit in MASKED:
        mask = root / "etc/systemd/system" / unit
        mask.parent.mkdir(parents=True, exist_ok=True)
        if not mask.is_symlink():
            mask.symlink_to("/dev/null")
