# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""The report of a run: what the recordings show, and what of it is not as it has to be."""
