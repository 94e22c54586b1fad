# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""A hypervisor's power: off ends every process of it at once, VMs included; on boots it, and libvirt starts what starts with its host."""

from __future__ import annotations

from lab.testbed.hypervisors import daemons, processes
from lab.testbed.hypervisors.command import LabError
from lab.testbed.hypervisors.lifecycle import home_directory, need_root
from lab.testbed.hypervisors.topology import HYPERVISORS, Space, space


def off(name: str) -> int:
    """Pull the plug; returns how many processes ended. Definitions and disks stay, as they do on a real host. LabError for no hypervisor."""
    need_root()
    processes.refuse_inside()
    return processes.end_processes(_hypervisor(name))


def on(name: str) -> list[str]:
    """Boot it, and wait until libvirt answers; returns the daemons that were started. Where it is on nothing happens."""
    need_root()
    processes.refuse_inside()
    one = _hypervisor(name)
    if processes.find_holder(one) is None:
        processes.end_processes(one)
        processes.start_holder(one, home_directory())
    started = daemons.start_hypervisor(one)
    daemons.wait_for_hypervisors(space("ctl"), only=[one])
    return started


def _hypervisor(name: str) -> Space:
    one = next((each for each in HYPERVISORS if each.name == name), None)
    if one is None:
        raise LabError(f"{name} is no hypervisor: power is for {', '.join(each.name for each in HYPERVISORS)}")
    return one
