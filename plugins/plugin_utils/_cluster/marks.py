# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors

"""How the ids of our own entries in the cluster's configuration (the CIB) begin: by them we know them again. Pure."""

from __future__ import annotations

MOVE = "ondemand-move-"
"""a move's wish, a location constraint that expires by itself; the service's name follows"""
LEAVING = "ondemand-leaving-"
"""a standby that a leave set, to tell it from one that a person wants; the node's name follows"""
SERVICE = "ondemand-service"
"""the meta attribute of every resource, group and clone that we made for a service: its name"""
STATED = "ondemand-stated"
"""the meta attribute that lists the names of those which the cluster file states, and the property that does so for properties and defaults: one that
it states no longer goes"""
STOPPED = "ondemand-stopped-"
"""the id of a target-role by which a change of services stops something, to tell it from what a person disabled; the resource's id follows"""
HOST = "ondemand-host"
"""the node attribute that says which host of the cluster file carries a node's VM; its set's id is this, then - and the node's name"""
OURS = MOVE[: MOVE.index("-") + 1]
"""how all of these begin, and the id of every constraint of ours"""
