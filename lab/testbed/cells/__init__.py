# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""Cells: nodes without VMs.

A cell is a set of Linux namespaces (network, process ids, mounts, host name, IPC) with directories of its own, in which real
Corosync, Pacemaker and sshd run at native speed. Cells stand on one bridge; Ansible runs in the network namespace that owns the
bridge (`ctl`, 10.98.0.1) and reaches them by ssh, exactly as it reaches VMs. Nothing of it is seen from the machine's own network.
"""

from __future__ import annotations

from lab.testbed.cells.cells import Cell, CellError, Cells

__all__ = ["Cell", "CellError", "Cells"]
