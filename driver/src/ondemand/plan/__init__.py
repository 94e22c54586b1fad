# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""How to get there: pure functions from an observation to steps, or to a refusal."""
