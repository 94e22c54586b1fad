# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""Mutation testing of the pure rooms: plants one small fault after the other and asks whether a test notices."""
