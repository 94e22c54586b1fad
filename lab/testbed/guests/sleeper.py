# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""The disk of a VM whose inside is a container: a boot sector that sleeps, and powers off when the power button is pressed."""

from __future__ import annotations

from pathlib import Path

from lab.testbed.hypervisors.command import run

SECTOR_BYTES = 512
DISK_MIB = 1
# 16-bit code at 0x7c00, started by the firmware. The power management registers of QEMU's q35 begin at 0x600: status, enable (+2), control
# (+4); bit 8 is the power button, 0x2000 in the control register is sleep state S5 (ACPI specification 4.8.3; QEMU hw/acpi/core.c).
CODE = bytes.fromhex(
    "fa"  # cli
    "ba0206 ed 0d0001 ef"  # enable |= power button
    "fb"  # sti
    "f4"  # sleep: hlt, until the timer's next tick
    "ba0006 ed f6c401 74f6"  # button pressed? no: sleep
    "ba0406 b80020 ef"  # control = S5
    "ebed"  # sleep
)


def boot_sector() -> bytes:
    """The first sector of the disk, with the signature that the firmware looks for."""
    return CODE.ljust(SECTOR_BYTES - 2, b"\0") + b"\x55\xaa"


def make_disk(path: Path) -> None:
    """Write the disk as qcow2."""
    raw = path.with_suffix(".raw")
    raw.write_bytes(boot_sector().ljust(DISK_MIB << 20, b"\0"))
    run(["qemu-img", "convert", "-f", "raw", "-O", "qcow2", str(raw), str(path)])
    raw.unlink()
