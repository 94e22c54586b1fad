# Copyright: (c) 2026, the ondemand.cluster contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The acts of cluster_node on real nodes: create, join, leave, standby. Each looks, plans (purely, in membership.py), then does.

Every act may be run again after it was killed anywhere: it looks at what is there and does the rest.
"""

from __future__ import annotations

import secrets
import time
import typing as t

from ansible_collections.ondemand.cluster.plugins.module_utils._cluster import leave_rules, membership
from ansible_collections.ondemand.cluster.plugins.module_utils._cluster import membership_scripts as scripts
from ansible_collections.ondemand.cluster.plugins.module_utils._cluster.status import Member, Status
from ansible_collections.ondemand.cluster.plugins.module_utils._contract import marks
from ansible_collections.ondemand.cluster.plugins.module_utils._contract.refusal import Refusal, Refused
from ansible_collections.ondemand.cluster.plugins.plugin_utils.look import Look, look_at, look_through, simulated
from ansible_collections.ondemand.cluster.plugins.plugin_utils.membership_act import Act
from ansible_collections.ondemand.cluster.plugins.plugin_utils.membership_files import configure, install, key_of, members, with_text
from ansible_collections.ondemand.cluster.plugins.plugin_utils.nodes import NodeError

KEY_BYTES = 256
# The shortest that Pacemaker takes; the only member of a new cluster has nobody to wait for.
FIRST_DC_DEADTIME_S = 1
# How long somebody else's change that stands in an act's way may take before the act is refused as unstable.
REST_S = 30
REST_BREATH_S = 1.0


def create(act: Act) -> None:
    """Make the node the first member of a new cluster, and wait until it is its DC and online."""
    host = look_at(act.nodes, act.name)
    plan = _planned(membership.plan_create(host, act.cluster, act.name, act.address, act.token_ms))
    act.changed = plan.fresh or not host.active or host.seeded
    act.diff = membership.diff([(act.name, host.text, plan.node_text)])
    if act.check or not act.changed:
        return
    if plan.fresh:
        install(act, plan, scripts.key_line(secrets.token_bytes(KEY_BYTES)), str(FIRST_DC_DEADTIME_S))
    _start(act, plan)
    if plan.fresh or host.seeded:
        act.do(act.name, scripts.DROP_SEED)
    act.joined()


def join(act: Act) -> None:
    """Add the node to the cluster of the members: the members' side and its own, then wait until it is online and probed."""
    look = _cluster(act, [host for host in act.members if host != act.name], _nobody_else_is_pending)
    _refuse_if(membership.join_refusal(look.status, act.name))
    back = any(member.leaving for member in look.status.members if member.name == act.name)
    seen = members(act, look, [member.name for member in look.status.members if member.listed and member.name != act.name])
    host = look_at(act.nodes, act.name)
    plan = _planned(membership.plan_join(seen, host, look.status, act.name, act.address))
    there = [member for member in look.status.members if member.name == act.name]
    working = bool(there) and there[0].online and not there[0].pending and there[0].votes and host.active
    act.diff = membership.diff([(member.host, member.text, plan.member_then) for member in seen] + [(act.name, host.text, plan.node_text)])
    act.diff += membership.standby_diff(act.name, back, False, back)
    gone = [name for name in look.status.remembered if name != act.name]
    act.changed = bool(act.diff) or plan.fresh or not working or bool(gone)
    if act.check or not act.changed:
        return
    if back:
        # A leave that was begun and not ended: whoever wants it as a member takes that back.
        _stand(act, look.host, "off")
    if plan.fresh or host.text != plan.node_text:
        install(act, plan, key_of(act, look.host) if plan.fresh else "-", "")
    try:
        configure(act, seen, plan.member_now)
    except Refused:
        if plan.fresh:
            # It must not come with its next boot.
            act.do(act.name, scripts.DEPART, check=False)
        raise
    if not working or gone:
        _start(act, plan, gone)
        # From here on it counts, whatever else goes wrong.
        act.joined()
    if plan.member_then != plan.member_now:
        configure(act, with_text(seen, plan.member_now), plan.member_then)
    if not working or gone or back:
        act.joined()


def leave(act: Act) -> None:
    """Take the node out: empty it, stop it, shorten the list on the rest. Refused before anything is touched where it would harm."""
    others = [host for host in act.members if host != act.name]
    if not others:
        host, _away = _leaver(act)
        if host is not None and host.conf is None and not host.active:
            return
        raise Refused(Refusal("last_node", "%s must not leave: no other member was named; name the ones that stay." % act.name))
    look = _cluster(act, others, lambda status: status.idle or act.name in leave_rules.lost_in(status, act.gone))
    known = [member for member in look.status.members if member.name == act.name]
    lost = leave_rules.lost_in(look.status, act.gone)
    if act.name in lost:
        _let_go(act, look, lost)
        return
    host, away = (None, "its VM is gone") if act.name in act.gone and not known else _leaver(act)
    if known and known[0].listed:
        _refuse_if(leave_rules.may_leave(look.status, act.name, act.min_nodes))
        look = _asked(act, look, known[0])
        _refuse_if(leave_rules.may_leave(look.status, act.name, act.min_nodes))
        if host is None:
            raise Refused(_nobody_knows(act.name, bool(known[0].online or known[0].votes), away))
    staying = [member.name for member in look.status.members if member.listed and member.name not in (act.name, *lost)]
    seen = members(act, look, staying)
    plan = _planned(membership.plan_leave(seen, act.name, known[0].id if known else 0))
    own = [(act.name, host.text, "")] if host is not None and _of_this_cluster(host, look) else []
    act.diff = membership.diff([(member.host, member.text, plan.member_then) for member in seen] + own)
    act.changed = bool(act.diff) or bool(known)
    if act.check or not act.changed:
        return
    _empty_and_stop(act, look, seen, plan, host, bool(own))
    configure(act, with_text(seen, plan.member_now) if plan.passing else seen, plan.member_then)
    _forget(act, look, seen, [act.name] if known else [])
    act.timings["left_at"] = time.time()


def _let_go(act: Act, look: Look, lost: t.Sequence[str]) -> None:
    """Take lost members off the list of those who stay, all in one step: each one still listed is a vote that is missing."""
    _refuse_if(leave_rules.may_let_go(look.status, lost))
    seen = members(act, look, [member.name for member in look.status.members if member.listed and member.name not in lost])
    text = membership.plan_let_go(seen, [(name, look.status.member(name).id) for name in lost], act.may_return)
    if isinstance(text, Refusal):
        raise Refused(text)
    act.diff = membership.diff([(member.host, member.text, text) for member in seen])
    act.changed = True
    if act.check:
        return
    configure(act, seen, text)
    _forget(act, look, seen, lost)
    act.timings["left_at"] = time.time()


def _forget(act: Act, look: Look, seen: t.Sequence[membership.Seen], names: t.Sequence[str]) -> None:
    """Whom a controller still remembers from an earlier leave it would now write into the CIB again, so it forgets these as well."""
    for name in dict.fromkeys([*names, *look.status.remembered]) if names else ():
        for member in seen:
            act.wait(member.host, scripts.FORGET, name)


def _nobody_knows(name: str, online: bool, away: str) -> Refusal:
    """Why a node that can't be reached does not leave as long as nobody says for certain that it doesn't run."""
    if online:
        why = "it is online in the cluster but cannot be reached (%s); mend the connection first" % away
        return Refusal("host_unreachable", "%s must not leave: %s." % (name, why))
    why = (
        "it is offline in the cluster and cannot be reached (%s), so nobody knows whether it still runs what it ran; bring it back, or "
        "stop its VM and say so (gone)" % away
    )
    return Refusal("host_unreachable", "%s must not leave: %s." % (name, why))


def standby(act: Act, wanted: bool) -> None:
    """Let no resource run on the node, and wait until none does; or let them run there again."""
    look = _cluster(act, list(dict.fromkeys([*act.members, act.name])))
    known = [member for member in look.status.members if member.name == act.name]
    if not known:
        raise Refused(
            Refusal("not_found", "%s is no member of the cluster %s; its members are %s." % (act.name, look.status.cluster, _listing(look)))
        )
    if wanted and not known[0].standby:
        look = _asked(act, look, known[0])
        _refuse_if(leave_rules.may_be_empty(look.status, act.name))
    act.changed = known[0].standby != wanted or known[0].leaving
    act.diff = membership.standby_diff(act.name, known[0].standby, wanted, known[0].leaving)
    if act.changed and not act.check:
        # Either way it is not leaving any more: who comes back stays, and a standby that somebody asks for is theirs.
        _stand(act, look.host, "on" if wanted else "off")


def _empty_and_stop(
    act: Act, look: Look, seen: t.Sequence[membership.Seen], plan: membership.Plan, host: membership.Seen | None, own: bool
) -> None:
    """The leaver's side, and just before it stops, the passing two_node on the one that stays alone."""
    known = [member for member in look.status.members if member.name == act.name]
    # A standby that a person had set stays theirs, whatever becomes of the leave.
    own_standby = bool(known) and (known[0].leaving or not known[0].standby)
    try:
        if known and known[0].online:
            _stand(act, look.host, "leave" if own_standby else "on")
        if plan.passing:
            configure(act, seen, plan.member_now)
    except (Refused, NodeError):
        # Going back is cheap and keeps the capacity: it was the cluster's before this run.
        if own_standby and known[0].online:
            _stay(act, look.host, [member.host for member in seen])
        raise
    if host is not None and own:
        act.do(act.name, scripts.DEPART)


def _stand(act: Act, host: str, what: str) -> None:
    """The node into standby or out of it, asked on a member."""
    act.wait(host, scripts.STANDBY, act.name, marks.LEAVING + act.name, before=[what])


def _stay(act: Act, host: str, others: t.Sequence[str]) -> None:
    """Out of standby again, by the first member that can be reached; where none can, the mark tells the next run."""
    for one in dict.fromkeys([host, *others]):
        try:
            act.do(one, scripts.STANDBY, [act.name, "off", "0", "0", marks.LEAVING + act.name], check=False)
        except NodeError:
            continue
        return


def _leaver(act: Act) -> tuple[membership.Seen | None, str]:
    """The leaver's files, or None and why it was not reached: its VM may be gone already."""
    try:
        return look_at(act.nodes, act.name), ""
    except NodeError as error:
        return None, str(error)


def _of_this_cluster(host: membership.Seen, look: Look) -> bool:
    """Are the host's files of the cluster that it leaves (not of another one, nor the distribution's example)?"""
    return not host.in_no_cluster and host.conf is not None and host.conf.cluster == look.status.cluster


def _nobody_else_is_pending(status: Status) -> bool:
    return not any(member.pending for member in status.members)


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


def _asked(act: Act, look: Look, member: Member) -> Look:
    """The look with Pacemaker's word on what becomes of the services if the member has to be empty; where it is away nothing runs there."""
    return simulated(act.nodes, look, [act.name]) if member.online else look


def _start(act: Act, plan: membership.Plan, gone: t.Sequence[str] = ()) -> None:
    """Start the node where it does not run, wait until it works, and have the others forget who is gone."""
    act.wait(act.name, scripts.START, act.name, *gone, reason="join_refused")


def _planned(plan: membership.Plan | Refusal) -> membership.Plan:
    if isinstance(plan, Refusal):
        raise Refused(plan)
    return plan


def _refuse_if(refusal: Refusal | None) -> None:
    if refusal is not None:
        raise Refused(refusal)


def _listing(look: Look) -> str:
    return ", ".join(member.name for member in look.status.members)
