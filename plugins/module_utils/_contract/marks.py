# SPDX-License-Identifier: BSD-2-Clause
# Copyright: (c) 2026, the ondemand.cluster contributors

"""How the ids of our own entries in the cluster's configuration (the CIB) begin: by them we know them again. Pure."""

from __future__ import annotations

MOVE = "ondemand-move-"
"""a move's wish, a location constraint that expires by itself; the service's name follows"""
LEAVING = "ondemand-leaving-"
"""a standby that a leave set, to tell it from one that a person wants; the node's name follows"""
