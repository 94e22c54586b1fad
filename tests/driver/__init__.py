# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""Tests of the driver; the folders mirror driver/src/ondemand."""
