# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""What clusters stand on: hypervisors and cells in namespaces, containers as the inside of VMs, and the packages that all of them install."""
