# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""The lab: hypervisors as network namespaces on one machine, used by the demo and by the tests."""
