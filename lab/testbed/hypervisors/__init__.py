# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""Two hypervisors, an operator and a place for load clients, each in namespaces of its own on one machine."""
