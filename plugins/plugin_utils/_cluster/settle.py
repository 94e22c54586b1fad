# Copyright: (c) 2026, the ondemand.cluster contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting on a member until Pacemaker has nothing left to do with some resources, and reading what it then says. Fixed scripts. Pure."""

from __future__ import annotations

import dataclasses
import typing as t
from xml.etree import ElementTree

from .node_scripts import script
from .status import failures_of

UP = ("Started", "Promoted", "Unpromoted", "Master", "Slave")

LOOK = script("look")

SETTLE = script("settle")
NOT_IDLE = 76
# Longer than a partition of members that are only coming together takes.
NO_QUORUM_S = 30

SEEN_MARK = "=====seen====="
CIB_AND_LOOK = script("cib_and_look")


@dataclasses.dataclass(frozen=True)
class Copy:
    """One copy of a primitive as Pacemaker sees it: on which node (None where it does not run), and whether it is all right."""

    resource: str
    node: t.Optional[str]
    up: bool
    excused: bool


def parse_copies(seen: str) -> t.Tuple[Copy, ...]:
    """All copies of all primitives in crm_mon's XML; excused are those that somebody stopped or took out of management."""
    found = []
    for element in ElementTree.fromstring(seen).iterfind("resources//resource"):
        role, state = element.get("role", ""), element.attrib
        excused = state.get("managed") == "false" or state.get("target_role", "").lower() == "stopped"
        up = role in UP and state.get("failed") != "true" and state.get("pending", "Monitoring") == "Monitoring"
        for node in [node.get("name") for node in element.findall("node")] or [None]:
            found.append(Copy(element.get("id", "").split(":")[0], node, up and node is not None, excused))
    return tuple(found)


def why_not_settled(seen: str, resources: t.Collection[str]) -> str | None:
    """Why a look does not show the named resources running, as a clause; None where it does. Unnamed ones are not judged."""
    copies = [one for one in parse_copies(seen) if one.resource in resources]
    running = {one.resource for one in copies if one.up}
    down = sorted({one.resource for one in copies if not one.excused} - running)
    if not down:
        return None
    reasons = [
        "%s of %s on %s: %s" % (one["operation"], one["resource"], one["node"], one["because"])
        for one in failures_of(ElementTree.fromstring(seen))
        if one["resource"].split(":")[0] in down
    ] + _no_quorum(seen)
    return "%s %s not running (%s)" % (
        ", ".join(down),
        "is" if len(down) == 1 else "are",
        "; ".join(reasons) or "Pacemaker reports no failure",
    )


def _no_quorum(seen: str) -> t.List[str]:
    dc = ElementTree.fromstring(seen).find("summary/current_dc")
    return [] if dc is None or dc.get("with_quorum") != "false" else ["the cluster has no quorum, so it starts nothing"]


def why_not_stopped(seen: str, resources: t.Collection[str]) -> str | None:
    """Why a look does not show the named resources stopped everywhere, as a clause; None where it does."""
    running = sorted({(one.resource, one.node) for one in parse_copies(seen) if one.resource in resources and one.node is not None})
    if not running:
        return None
    root = ElementTree.fromstring(seen)
    unmanaged = {e.get("id", "").split(":")[0] for e in root.iterfind("resources//resource") if e.get("managed") == "false"}
    because = {
        (one["resource"].split(":")[0], one["node"]): "%s: %s" % (one["operation"], one["because"])
        for one in failures_of(root)
        if one["operation"] == "stop"
    }
    told = [
        "%s on %s (%s)"
        % (one, node, because.get((one, node)) or ("Pacemaker does not manage it" if one in unmanaged else "Pacemaker reports no failure"))
        for one, node in running
    ]
    return "%s %s still there" % (", ".join(told), "is" if len(told) == 1 else "are")
