# Copyright: (c) 2026, the ondemand.cluster contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a change of the membership is planned from: the cluster, the members' files and the node's own. Everything is asked that the plan needs, no more."""

from __future__ import annotations

import time
import typing as t

from ansible_collections.ondemand.cluster.plugins.module_utils._contract.refusal import Refusal, Refused
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster import leave_rules, step_lists
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.membership_plan import Wanted, verdict
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.seen import Seen
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.status import Status
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.step_lists import Observed
from ansible_collections.ondemand.cluster.plugins.plugin_utils.look import Look, look_at, look_through, simulated
from ansible_collections.ondemand.cluster.plugins.plugin_utils.membership_act import Act
from ansible_collections.ondemand.cluster.plugins.plugin_utils.nodes import NodeError

# How long somebody else's change that stands in an act's way may take before the act is refused as unstable.
REST_S = 30
REST_BREATH_S = 1.0


def observe(act: Act, wanted: Wanted) -> Observed | None:
    """The observation; None where there is no cluster that the node could leave, and it is in none.

    Refused where no member answers, and as soon as the cluster alone says against the change: the rest is not asked then.
    """
    if wanted.state == "absent":
        return _of_a_leaver(act, wanted)
    if wanted.state == "member":
        look = _cluster(act, _others(act), lambda status: not any(member.pending for member in status.members))
        _refuse_if(verdict(look.status, wanted))
        files = _files(act, look, [member.name for member in look.status.members if member.listed and member.name != act.name])
        return Observed(look.status, look.host, files, look_at(act.nodes, act.name))
    look = _cluster(act, list(dict.fromkeys([*act.members, act.name])))
    return Observed(_asked(act, look, wanted).status, look.host, ())


def _of_a_leaver(act: Act, wanted: Wanted) -> Observed | None:
    if not _others(act):
        host, _away = _leaver(act)
        if host is not None and host.conf is None and not host.active:
            return None
        raise Refused(Refusal("last_node", "%s must not leave: no other member was named; name the ones that stay." % act.name))
    look = _cluster(act, _others(act), lambda status: status.idle or act.name in leave_rules.lost_in(status, wanted.gone))
    known = any(member.name == act.name for member in look.status.members)
    lost = leave_rules.lost_in(look.status, wanted.gone)
    host, away = None, ""
    if act.name not in lost and (known or act.name not in wanted.gone):
        host, away = _leaver(act)
    look = _asked(act, look, wanted)
    # Before the others are asked: who can't be reached and may still run does not leave, whatever they say.
    _refuse_if(verdict(look.status, wanted))
    staying = [member.name for member in look.status.members if member.listed and member.name not in (act.name, *lost)]
    files = () if away and _listed(look.status, act.name) else _files(act, look, staying)
    return Observed(look.status, look.host, files, host, away)


def _listed(status: Status, name: str) -> bool:
    return any(member.listed for member in status.members if member.name == name)


def _asked(act: Act, look: Look, wanted: Wanted) -> Look:
    """The look with Pacemaker's word on what becomes of the services if the node has to be empty; where it is away nothing runs there."""
    _refuse_if(verdict(look.status, wanted))
    member = next((member for member in look.status.members if member.name == act.name), None)
    if member is None or not member.online or wanted.state not in ("absent", "standby"):
        return look
    if wanted.state == "standby" and not step_lists.standing(Observed(look.status, look.host, ()), act.name, True):
        return look
    return simulated(act.nodes, look, [act.name])


def _others(act: Act) -> list[str]:
    return [host for host in act.members if host != act.name]


def _leaver(act: Act) -> tuple[Seen | None, str]:
    """The leaver's files, or None and why it was not reached: its VM may be gone already."""
    try:
        return look_at(act.nodes, act.name), ""
    except NodeError as error:
        return None, str(error)


def _files(act: Act, look: Look, names: t.Sequence[str]) -> tuple[Seen, ...]:
    """The files of all listed members: a list that is not changed everywhere is two lists."""
    seen = [look.seen]
    for name in names:
        if name == look.seen.host:
            continue
        try:
            seen.append(look_at(act.nodes, name))
        except NodeError as error:
            raise Refused(
                Refusal(
                    "host_unreachable",
                    "%s was not changed: every member's corosync.conf has to change with it, and %s; bring it back, or have recover_cluster let it go."
                    % (act.name, error),
                )
            ) from error
    return tuple(seen)


def _cluster(act: Act, hosts: t.Sequence[str], ready: t.Callable[[Status], bool] = lambda status: True) -> Look:
    """The cluster as the first answering member tells it, when it is ready for the act or when that takes too long."""
    look, because, unsure = look_through(act.nodes, hosts)
    if look is None:
        raise Refused(
            Refusal(
                "host_unreachable" if unsure else "not_found",
                "%s was not changed: no member of a running cluster answers (%s); name its members."
                % (act.name, "; ".join(because.values()) or "none was named"),
            )
        )
    end = time.monotonic() + min(REST_S, act.left_s)
    while look.status.dc and not ready(look.status) and time.monotonic() < end:
        time.sleep(REST_BREATH_S)
        look = look_through(act.nodes, [look.host])[0] or look
    return look


def _refuse_if(refusal: Refusal | None) -> None:
    if refusal is not None:
        raise Refused(refusal)
