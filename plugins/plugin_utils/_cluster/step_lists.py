# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors

"""The lists of steps of a create, a join, a leave, a letting go and a standby, from whatever state there is: what is right already is no step. Pure.

Whether the change is allowed is asked elsewhere (leave_rules.py, join_rules.py); these lists only say what would be done, and what Corosync would
count after each step.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import List, Optional, Sequence, Tuple, Union

from ...module_utils._contract.refusal import Refusal
from . import corosync_conf, membership
from .quorum import Count
from .seen import Seen
from .status import Member, Status, StatusError
from .steps import BEGUN, OFF, ON, Making, Step

Steps = Union[List[Step], Refusal]


@dataclass(frozen=True)
class Observed:
    """What a list is made from. status: the cluster as `teller` tells it; files: those of the members that are not in question.

    node: the host in question; None where it was not asked, or did not answer. away: why it did not.
    """

    status: Status
    teller: str
    files: Tuple[Seen, ...]
    node: Optional[Seen] = None
    away: str = ""

    def member(self, name: str) -> Optional[Member]:
        """The node as the cluster knows it, or None."""
        return next((one for one in self.status.members if one.name == name), None)


def told_by(status: Status, name: str, hosts: Optional[Sequence[str]] = None) -> Observed:
    """The observation that a status alone amounts to: every member has the asked one's file, and has loaded what that one has.

    hosts: whose files count; None: all listed members but the one in question. StatusError where no corosync.conf was read.
    """
    if status.conf is None:
        raise StatusError("no corosync.conf was read")
    text = corosync_conf.render(status.conf)
    listed = [one.name for one in status.members if one.listed and one.name != name] if hosts is None else hosts
    files = tuple(Seen(host, text, status.conf, "-", False, status.loaded is not None, status.loaded) for host in listed)
    return Observed(status, listed[0] if listed else "", files)


def creating(node: Seen, plan: membership.Plan) -> List[Step]:
    """The first member of a new cluster, alone."""
    conf = corosync_conf.parse(plan.node_text)
    making = Making((), Count(conf.expected_votes, {}, least=1))
    alone = replace(making.count, present={plan.node.id: plan.node.votes})
    unended = plan.fresh or not node.active or node.seeded
    if plan.fresh:
        making.add("install", node.host, "it is the first member", text=plan.node_text, before=node.text, how="first")
    if unended:
        making.add("start", node.host, "it makes the cluster", alone if len(conf.nodes) == 1 else None)
    if plan.fresh or node.seeded:
        making.add("settle", node.host, "it has started")
    return making.steps


def joining(observed: Observed, name: str, address: str) -> Steps:
    """A node more, or one that comes back. observed.files: those of all listed members but this one; observed.node: its own."""
    host = observed.node or Seen(name, "", None, "", False, False)
    plan = membership.plan_join(observed.files, host, observed.status, name, address)
    if isinstance(plan, Refusal):
        return plan
    member = observed.member(name)
    making = Making(observed.files, observed.status.votes.count)
    if member is not None and member.leaving:
        making.add("active", observed.teller, "a leave of it was begun and not ended", node=name, before=BEGUN, text=OFF)
    if plan.fresh or host.text != plan.node_text:
        how = "fresh" if plan.fresh else "keep"
        making.add("install", name, "it is to be a member", text=plan.node_text, before=host.text, how=how)
    making.configure(
        plan.member_now, "%s is added" % name if not plan.passing else "%s is added, and until it is there one of two is enough" % name
    )
    if member is None or not _works(member, host):
        making.add("start", name, "it joins", replace(making.count, present={**making.count.present, plan.node.id: plan.node.votes}))
    making.configure(plan.member_then, "both are there")
    listed = _listed(plan.member_then, observed.status)
    forgets = tuple(one for one in _remembered(observed.files) if one not in listed and one != name)
    if forgets:
        # An old member whose memory did not go drops it when another one asks.
        making.add("start", name, "the others still remember %s" % ", ".join(forgets), forgets=forgets)
    return making.steps


def _works(member: Member, host: Seen) -> bool:
    return member.online and not member.pending and member.votes and host.active


def leaving(observed: Observed, name: str, gone: Sequence[str] = (), may_return: Sequence[str] = ()) -> Steps:
    """A node goes for good. observed.files: those of all who stay; observed.node: its own, None where it is gone; gone: lost before.

    may_return: those of whom a letting go, of which this is the rest, said that they may come back.
    """
    member = observed.member(name)
    plan = membership.plan_leave(observed.files, name, member.id if member else 0, name in may_return)
    if isinstance(plan, Refusal):
        return plan
    making = Making(observed.files, observed.status.votes.count)
    if member is not None and member.online and not _is_empty(observed.status, member):
        # A standby that a person had set stays theirs, whatever becomes of the leave.
        how = "leave" if member.leaving or not member.standby else "on"
        making.add("standby", observed.teller, "it leaves", node=name, before=_standby(member), text=ON, how=how)
    if plan.passing:
        making.configure(plan.member_now, "one of two is enough while %s stops" % name)
    host, votes = observed.node, member is not None and member.votes
    if votes or (host is not None and _of_this_cluster(host, observed.status)):
        then = making.count.without(member.id) if member is not None and votes else None
        making.add("stop", name, "it leaves", then, before=host.text if host is not None else "")
    making.configure(plan.member_then, "%s is gone" % name)
    _forget(making, observed, plan.member_then, [name, *gone])
    return making.steps


def begun(observed: Observed, name: str) -> List[Step]:
    """What an earlier run did of a leave, and what is undone with the rest where that is refused."""
    member = observed.member(name)
    making = Making((), observed.status.votes.count)
    if member is not None and member.online and member.leaving:
        making.add("standby", observed.teller, "an earlier run began it", node=name, before=OFF, text=ON, how="leave")
    return making.steps


def letting_go(observed: Observed, lost: Sequence[str], may_return: Sequence[str] = ()) -> Steps:
    """Lost members go all in one step: each one still listed is a vote that is missing."""
    text = membership.plan_let_go(observed.files, [(name, observed.status.member(name).id) for name in lost], may_return)
    if isinstance(text, Refusal):
        return text
    making = Making(observed.files, observed.status.votes.count)
    making.configure(text, "%s %s lost" % (", ".join(lost), "is" if len(lost) == 1 else "are"))
    _forget(making, observed, text, lost)
    return making.steps


def standing(observed: Observed, name: str, wanted: bool) -> List[Step]:
    """A node that is to carry nothing and stay a member, or that may carry services again."""
    member = observed.status.member(name)
    making = Making((), observed.status.votes.count)
    before = _standby(member)
    # Whose standby somebody asks for is not leaving any more: the standby is theirs then.
    # What stays there while nothing is under way is nobody's to move (unmanaged, blocked): that was told when the standby was asked for.
    emptying = member.online and not observed.status.idle and not _carries_nothing(observed.status, name)
    if wanted and (not member.standby or member.leaving or emptying):
        making.add("standby", observed.teller, "that is wanted", node=name, before=before, text=ON, how="on")
    if not wanted and member.standby:
        making.add("active", observed.teller, "that is wanted", node=name, before=before, text=OFF)
    return making.steps


def _standby(member: Member) -> str:
    return BEGUN if member.leaving else ON if member.standby else OFF


def _is_empty(status: Status, member: Member) -> bool:
    """Is it in standby already, and everything that ran there where it is to be?"""
    return member.standby and status.idle and _carries_nothing(status, member.name)


def _carries_nothing(status: Status, name: str) -> bool:
    return not any(name in resource.nodes for service in status.services for resource in service.resources)


def _of_this_cluster(host: Seen, status: Status) -> bool:
    """Are the host's files of the cluster that it leaves (not of another one, nor the distribution's example)?"""
    return not host.in_no_cluster and host.conf is not None and host.conf.cluster == status.cluster


def _forget(making: Making, observed: Observed, text: str, names: Sequence[str]) -> None:
    """Have every member forget who is off the list.

    The first to forget takes the node out of the CIB, but each member's Pacemaker has a memory of its own. Whom a member still remembers from
    an earlier leave it would now write into the CIB again, so these are forgotten with them.
    """
    listed, remembered = _listed(text, observed.status), _remembered(observed.files)
    known = {member.name for member in observed.status.members if member.name in names and member.name not in listed}
    if not making.steps and not known and not any(name in remembered for name in names):
        return
    for name in [name for name in dict.fromkeys([*names, *remembered]) if name not in listed]:
        for one in observed.files:
            if name in known or name in one.remembers:
                making.add("forget", one.host, "it is on no list any more", node=name)


def _remembered(files: Sequence[Seen]) -> List[str]:
    """Lost nodes that some member has in memory."""
    return list(dict.fromkeys(name for one in files for name in one.remembers))


def _listed(text: str, status: Status) -> List[str]:
    """Names of the members on the list, also of those whose entry has none (their number tells)."""
    conf = corosync_conf.parse(text)
    numbers = {node.id for node in conf.nodes}
    return [node.name for node in conf.nodes] + [member.name for member in status.members if member.listed and member.id in numbers]
