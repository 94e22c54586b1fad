# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""A VM whose inside is a container lives as its domain does: it boots, reboots, powers itself off, comes back with its files, and goes."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator

import pytest

from lab.testbed.guests import IMAGE
from tests.vm.test_lab_image import KNOWN, lab, module, play

NAME, ADDRESS, URI = "ctest-g1", "10.99.0.243", "qemu+ssh://root@hv1/system"
CLUSTER_FILE = "examples/demo.yml"


@pytest.fixture(scope="module")
def published() -> Iterator[None]:
    """The lab with the image of such VMs on both hosts."""
    assert lab("up").returncode == 0
    assert play("prepare_host").returncode == 0
    built = play("build_image")
    assert built.returncode == 0, built.stdout
    done = lab("run", "ctl", "--", sys.executable, "-m", "lab.testbed.guests", "publish", CLUSTER_FILE)
    assert done.returncode == 0, done.stderr
    yield
    vm("absent")


def vm(state: str) -> None:
    """Bring the VM into a state."""
    network = {"bridge": "br0", "address": ADDRESS, "prefix": 24}
    key = (KNOWN / "id_ed25519.pub").read_text().strip()
    made = {"image": IMAGE, "memory_mib": 256, "network": network, "authorized_keys": [key], "wait_s": 120} if state == "running" else {}
    module("vm", uri=URI, name=NAME, cluster="ctest", state=state, known_hosts=str(KNOWN / f"known_hosts.{NAME}"), **made)


def inside(command: str) -> str:
    """What a command inside prints; empty where nobody answers."""
    login = [
        "-o",
        "BatchMode=yes",
        "-o",
        "StrictHostKeyChecking=yes",
        "-o",
        "ConnectTimeout=3",
        "-o",
        f"UserKnownHostsFile={KNOWN}/known_hosts.{NAME}",
    ]
    return lab("run", "ctl", "--", "ssh", *login, "-i", str(KNOWN / "id_ed25519"), f"root@{ADDRESS}", command).stdout.strip()


def on_host(*command: str) -> str:
    return lab("run", "hv1", "--", *command).stdout.strip()


def wait(holds: Callable[[], bool], tries: int = 120) -> None:
    for _try in range(tries):
        if holds():
            return
        time.sleep(0.5)
    raise AssertionError("it never became so")


def test_it_boots_reboots_powers_off_comes_back_and_goes(published: None) -> None:
    vm("running")
    assert inside("hostname; cat /proc/1/comm; systemctl is-active ssh corosync").split() == [NAME, "systemd", "active", "inactive"]
    inside("touch /root/kept /run/lost; systemctl reboot")
    wait(lambda: inside("ls /root/kept /run/lost 2>/dev/null") == "/root/kept")
    assert on_host("virsh", "-q", "domstate", NAME) == "running"
    inside("systemctl poweroff")
    wait(lambda: on_host("virsh", "-q", "domstate", NAME) == "shut off")
    vm("running")
    assert inside("ls /root/kept") == "/root/kept"
    on_host("virsh", "-q", "destroy", NAME)
    assert inside("true; echo there") == ""
    vm("absent")
    left = on_host("sh", "-c", "ls /var/lib/*-lab/hv1/guests/*/pid /var/lib/*-lab/hv1/guests/*/wanted 2>/dev/null")
    assert left == ""
