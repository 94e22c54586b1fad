# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""The driver of on-demand clusters: observe, decide, plan, act, record."""

from __future__ import annotations

__version__ = "0.1.0"
