# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""The door to libvirt, on a libvirtd with a real QEMU: a busy VM is waited for by nobody, nothing can be written, silence is noticed."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator

import libvirt
import pytest

from ondemand.observe import libvirt_door
from ondemand.observe.libvirt_door import LibvirtDoor
from tests.libvirtd import Daemon

DOMAIN = """<domain type='qemu'><name>shop-n1</name><memory unit='MiB'>32</memory><vcpu>1</vcpu><os><type>hvm</type></os>
<metadata><ondemand:vm xmlns:ondemand="urn:ondemand:cluster:vm:1" cluster="shop" name="shop-n1" owner="ondemand.cluster"/></metadata>
<devices><controller type='usb' model='none'/></devices></domain>"""


@pytest.fixture
def vm(libvirt_daemon: Daemon) -> Iterator[tuple[libvirt.virDomain, int]]:
    """A running VM of ours without an operating system, and the process id of its QEMU."""
    libvirt_door._run_events()
    connection = libvirt.open(libvirt_daemon.uri)
    domain = connection.createXML(DOMAIN, 0)
    pid = int((libvirt_daemon.pool.parent / "run" / "libvirt" / "qemu" / "run" / "shop-n1.pid").read_text())
    yield domain, pid
    os.kill(pid, signal.SIGCONT)
    domain.destroy()
    connection.close()


def test_a_vm_that_is_busy_with_a_job_is_not_waited_for(libvirt_daemon: Daemon, vm: tuple[libvirt.virDomain, int]) -> None:
    domain, pid = vm
    door = LibvirtDoor([("hv1", libvirt_daemon.uri)], "shop", time.monotonic)
    assert door.read(60)[0].running == ("shop-n1",)
    os.kill(pid, signal.SIGSTOP)
    # Somebody's question to QEMU hangs, and who asks libvirt after it would stand in line for 30 s, to be told nothing new.
    asking = threading.Thread(target=domain.memoryStats, daemon=True)
    asking.start()
    while asking.is_alive() and domain.controlInfo()[0] == libvirt.VIR_DOMAIN_CONTROL_OK:
        time.sleep(0.01)
    (sample,) = door.read(20)
    assert (sample.problem, sample.running) == ("", ("shop-n1",))
    os.kill(pid, signal.SIGCONT)
    asking.join(60)
    door.close()


def test_the_driver_may_not_write_and_notices_a_host_that_falls_silent(libvirt_daemon: Daemon, monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[tuple[int, int]] = []
    real = libvirt.virConnect.setKeepAlive

    def keep(connection: libvirt.virConnect, interval: int, count: int) -> int:
        kept.append((interval, count))
        return int(real(connection, interval, count))

    def refuse(_uri: str) -> None:
        raise OSError("a connection that may write was opened")

    monkeypatch.setattr(libvirt.virConnect, "setKeepAlive", keep)
    monkeypatch.setattr(libvirt, "open", refuse)
    door = LibvirtDoor([("hv1", libvirt_daemon.uri)], "shop", time.monotonic)
    assert door.read(20)[0].problem == ""
    ((interval, count),) = kept
    assert interval > 0, "libvirt asks the host whether it lives"
    assert 1 <= count <= 5
    door.close()
