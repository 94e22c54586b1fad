# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""The witness, which records what it sees of hosts, VMs, members and the load balancer, and takes nobody's word for it."""
