# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""Containers that stand in for the inside of the lab's VMs, where an emulated processor is too slow.

Everything outside of a VM stays real: its domain is libvirt's, its volumes, seed, metadata and network are what the collection made, and
QEMU runs. Only its disk holds `sleeper` instead of a system, and when libvirt has started it, libvirt's hook starts a container beside it:
the files of the node image (read-only, below what this node writes), its own systemd as process 1, the domain's name, address, MAC, host
key and data disks. It ends with its domain, and the domain ends with it. So a node boots in two seconds, at the machine's own speed.

What differs from a VM: the kernel is the machine's; a shutdown that the host asks for pulls the plug; sizes are QEMU's alone.
"""

IMAGE = "node-in-container"
