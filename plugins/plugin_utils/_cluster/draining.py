# Copyright: (c) 2026, the ondemand.cluster contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What came of a drain: who may go, and who still has sessions. Pure; the playbook scale_in does it."""

from __future__ import annotations

import typing as t

Data = t.Mapping[str, t.Any]
CUT = "cut"


def _sessions_of(leaver: str, told: t.Mapping[str, t.Optional[Data]]) -> t.List[t.Dict[str, t.Any]]:
    """Open sessions on a leaver, by the load balancer that they go through."""
    return [
        {"name": leaver, "balancer": balancer, **{key: one.get(key) for key in ("service", "sessions", "clients")}}
        for balancer, said in sorted(told.items())
        for one in (said or {}).get("busy") or []
        if one.get("server") == leaver
    ]


def _silent(told: t.Mapping[str, t.Optional[Data]]) -> t.List[str]:
    """Load balancers that told nothing, or nothing that an answer to the question whether a drain has ended could be."""
    return [
        name for name, said in sorted(told.items()) if said is None or said.get("failed") or said.get("unreachable") or "busy" not in said
    ]


def _sentence(leaver: str, sessions: t.Sequence[Data], deadline_s: float) -> str:
    parts = []
    for one in sessions:
        clients = " from %s" % ", ".join(one["clients"]) if one.get("clients") else ""
        # A slot that HAProxy did not tell of has no number of sessions: that is no proof of an end.
        count = "%d of %s" % (one["sessions"], one["service"]) if one["sessions"] else "an unknown number of %s" % one["service"]
        parts.append("%s through %s%s" % (count, one["balancer"], clients))
    return (
        "%s stays and serves again: after %g s it still had open sessions (%s). Run it again when they have ended, raise deadlines.drain_s, "
        "or let them be cut with scaling.scale_in.drain_end: cut." % (leaver, deadline_s, "; ".join(parts))
    )


def drained(leavers: t.Sequence[str], told: t.Mapping[str, t.Optional[Data]], at_end: str, deadline_s: float) -> t.Dict[str, t.Any]:
    """Who of the leavers goes on leaving after the drain, whose sessions had not ended, and a refusal for each who stays.

    told: for each load balancer the result of its drain (None: it told nothing). at_end: what becomes of who is not drained by
    the deadline: V(keep) leaves it in the cluster, V(cut) ends its sessions. With V(keep) nobody leaves on a guess.
    """
    busy = {leaver: _sessions_of(leaver, told) for leaver in leavers}
    silent = _silent(told)
    found: t.Dict[str, t.Any] = {"leave": [], "busy": [one for sessions in busy.values() for one in sessions], "refusals": []}
    for leaver in leavers:
        if at_end == CUT or not (busy[leaver] or silent):
            found["leave"].append(leaver)
        elif busy[leaver]:
            found["refusals"].append({"reason": "deadline", "sentence": _sentence(leaver, busy[leaver], deadline_s)})
        else:
            sentence = (
                "%s stays and serves again: the load balancer of %s did not tell whether its sessions have ended. Look at that one first."
            )
            found["refusals"].append({"reason": "host_unreachable", "sentence": sentence % (leaver, ", ".join(silent))})
    return found
