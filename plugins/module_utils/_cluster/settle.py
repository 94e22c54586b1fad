# Copyright: (c) 2026, the ondemand.cluster contributors
# BSD-2-Clause license (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Waiting on a member until Pacemaker has nothing left to do with some resources, and reading what it then says. Fixed scripts. Pure."""

from __future__ import annotations

import dataclasses
import typing as t
from xml.etree import ElementTree

from .progress import PROGRESS
from .status import failures_of

UP = ("Started", "Promoted", "Unpromoted", "Master", "Slave")

# Functions for the scripts that wait on a member: between two looks they breathe.
#   look: writes crm_mon's XML to $d/seen; is_idle: whether the DC has nothing to do at all (after a look; an answer that is late counts as
#   none); rested: looks, and tells whether Pacemaker has nothing left to do with $resources (see progress.py), whatever else it does;
#   up: of the last look, "RESOURCE NODE" for each that runs without trouble.
LOOK = (
    PROGRESS
    + r"""
umask 077
d=$(mktemp -d) || exit 70
look() { ask crm_mon --one-shot --output-as=xml >"$d/new" && mv "$d/new" "$d/seen"; }
tick() { seconds; }
dc() { sed -n 's/.*<current_dc .* name="\([^"]*\)".*/\1/p' "$d/seen"; }
is_idle() { idle "$(dc)"; }
rested() {
  _left=$(ahead_of "" "$resources" "") || return 1
  if [ -n "$_left" ]; then look && stuck "$_left" "$(dc)" || return 1; fi
  look
}
up() {
  awk '
    function value(name) { return match($0, " " name "=\"[^\"]*\"") ? substr($0, RSTART + length(name) + 3, RLENGTH - length(name) - 4) : "" }
    /<resource / { id = value("id"); role = value("role")
      if (role !~ /^(Started|Promoted|Unpromoted|Master|Slave)$/ || value("failed") == "true" || value("pending") !~ /^(Monitoring)?$/) id = "" }
    /<node / && id != "" { print id, value("name") }
    /<\/resource>/ { id = "" }' "$d/seen"
}
"""
)

# $1: seconds without progress, $2: seconds at most, $3: the resources. Ends when Pacemaker has nothing left to do with them, then prints
# the last look. What it does with others is not waited for. Code 76: the time is over, and stderr says what was still ahead, or the cluster has
# had no quorum for $4 seconds: it starts nothing then, and nobody knows for how long.
SETTLE = (
    LOOK
    + r"""
trap 'rm -rf "$d"' EXIT
trap 'exit 71' HUP INT TERM PIPE
resources=$3
code=0
begin "$1" "$2"
_lost=
until rested; do
  look
  if grep -q '<current_dc [^>]*with_quorum="false"' "$d/seen"; then _lost=${_lost:-$(seconds)}; else _lost=; fi
  if [ -n "$_lost" ] && [ $(($(seconds) - _lost)) -ge "$4" ]; then
    code=76
    printf 'the cluster has had no quorum for %s s, so it starts nothing: bring its other nodes back\n' "$4" >&2
    break
  fi
  if over "$(sed '/<last_update /d' "$d/seen")"; then
    code=76
    printf '%s Pacemaker still acts with %s\n' "$(spent)" "$(printf '%s\n' "${_left:-what it does not tell}" | paste -s -d, | sed 's/,/, /g')" >&2
    break
  fi
  breathe
done
[ ! -e "$d/seen" ] || cat "$d/seen"
exit "$code"
"""
)
NOT_IDLE = 76
# Longer than a partition of members that are only coming together takes.
NO_QUORUM_S = 30

SEEN_MARK = "=====seen====="
# The CIB and, if the cluster is at rest, what it shows: the usual case, nothing to change and nothing to wait for, is one trip.
CIB_AND_LOOK = (
    LOOK
    + r"""
trap 'rm -rf "$d"' EXIT
trap 'exit 71' HUP INT TERM PIPE
cibadmin --query || exit
printf '\n%%s\n' '%s'
if look && is_idle; then cat "$d/seen"; fi
exit 0
"""
    % SEEN_MARK
)


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
