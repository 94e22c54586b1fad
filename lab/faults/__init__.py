# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""What may go wrong, done on purpose: cells cut off or frozen, hypervisors without power, kill -9 of the driver and of playbooks."""
