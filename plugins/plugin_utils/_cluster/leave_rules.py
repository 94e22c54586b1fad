# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors

"""May a node leave? One rule, one function, one sentence. Pure.

The same rules guard `cluster_node state=absent` and stand beside every node in what `cluster_info` returns, so nobody needs a
second copy of them.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Callable, Collection, List, Optional, Sequence, Tuple

from ...module_utils._contract.refusal import Refusal
from . import change_rules, corosync_conf, quorum_options, simulation, step_lists
from .status import Member, Status
from .steps import first_without_quorum

Rule = Callable[[Status, Member, int], Optional[str]]


def _not_quorate(status: Status, leaver: Member, minimum: int) -> Optional[str]:
    return change_rules.why_not_quorate(status)


def _unclean(status: Status, leaver: Member, minimum: int) -> Optional[str]:
    return change_rules.why_unclean(status)


def _last_node(status: Status, leaver: Member, minimum: int) -> Optional[str]:
    others = [member for member in status.members if member.name != leaver.name]
    if any(member.working for member in others):
        return None
    idle = [member.name for member in others if member.online and member.standby]
    if idle:
        return "of the other nodes only %s is online, in standby, and carries nothing; take it out of standby first" % ", ".join(idle)
    return "no other node is online, and a cluster does not live without one; add a node first, or destroy the cluster"


def _unstable(status: Status, leaver: Member, minimum: int) -> Optional[str]:
    joining = [member.name for member in status.members if member.pending and member.name != leaver.name]
    if joining:
        return "%s is joining or leaving; wait until that has ended" % ", ".join(joining)
    if not status.idle:
        return "the cluster is still carrying out a change; wait until it rests"
    return None


def _minimum(status: Status, leaver: Member, minimum: int) -> Optional[str]:
    # A node in standby carries nothing, so it is not one of those that are required.
    rest = sum(1 for member in status.members if member.working and member.name != leaver.name)
    # A node that is offline carries nothing; taking it off the list lowers no capacity.
    if not leaver.online or rest >= minimum:
        return None
    return "%d node(s) would be left working and at least %d are required; add a node first, or lower the minimum" % (rest, minimum)


def _quorum(status: Status, leaver: Member, minimum: int) -> Optional[str]:
    if not leaver.listed or status.conf is None:
        return None
    unreckoned = quorum_options.why_not_reckoned(status.conf)
    if unreckoned:
        return unreckoned
    others = [member.name for member in status.members if member.listed and member.name != leaver.name][:1]
    try:
        made = step_lists.leaving(step_lists.told_by(status, leaver.name, others), leaver.name)
    except corosync_conf.ConfError as error:
        return "its votes can't be reckoned from corosync.conf: %s" % error
    if isinstance(made, Refusal):
        return "its votes can't be reckoned from corosync.conf: %s" % made.sentence.rstrip(".")
    step = first_without_quorum(made, status.votes.count, status.quorate)
    if step is None:
        return None
    return "without it %d of %d expected votes would be left, and %d are needed; bring missing members back first" % (
        step.count.total,
        step.count.expected,
        step.count.needed,
    )


def _unmanaged(status: Status, leaver: Member, minimum: int) -> Optional[str]:
    found = status.simulated.get(leaver.name)
    names = [name for name, managed in found.stays if not managed] if found else []
    if not names:
        return None
    why = "%s %s not managed by Pacemaker (unmanaged or in maintenance), so it would never be empty; manage it again, or stop it by hand"
    return why % (", ".join(names), "is" if len(names) == 1 else "are")


def _no_place(status: Status, leaver: Member, minimum: int) -> Optional[str]:
    found = status.simulated.get(leaver.name)
    if not found:
        return None
    if found.stops:
        why = "%s would run nowhere, since Pacemaker has no other place for it; see the constraints, and what is in standby or maintenance"
        return why % ", ".join(found.stops)
    if found.demoted:
        why = "no copy of %s would be promoted, since Pacemaker has no other place for that; see the constraints, and the copies' promotion scores"
        return why % ", ".join(found.demoted)
    # What runs elsewhere has nothing to do with it, and a move costs its clients a stop and a start.
    others = [name for name, (before, _after) in found.moves.items() if leaver.name not in before]
    why = "%s, though not on it; give what is to stay a resource-stickiness, or see the constraints"
    return why % simulation.moved(found, others) if others else None


def _stuck(status: Status, leaver: Member, minimum: int) -> Optional[str]:
    found = status.simulated.get(leaver.name)
    names = [name for name, managed in found.stays if managed] if found else []
    if not names:
        return None
    return "%s would stay on it (blocked, or a stop failed); repair it first" % ", ".join(names)


def _unanswered(status: Status, leaver: Member, minimum: int) -> Optional[str]:
    found = status.simulated.get(leaver.name)
    if not found or not found.unknown:
        return None
    return "Pacemaker did not tell what would become of its services (%s); try again when the cluster is less busy" % found.unknown


EMPTY_RULES: Tuple[Tuple[str, Rule], ...] = (
    ("unmanaged", _unmanaged),
    ("no_place", _no_place),
    ("unstable", _stuck),
    ("unstable", _unanswered),
)
"""What Pacemaker says of a node that is to be empty; without its answer (see simulation.py) they say nothing."""
RULES: Tuple[Tuple[str, Rule], ...] = (
    ("last_node", _last_node),
    ("not_quorate", _not_quorate),
    ("unclean", _unclean),
    ("quorum", _quorum),
    ("minimum", _minimum),
    *EMPTY_RULES,
    ("unstable", _unstable),
)
"""In the order of weight: the first that says no is the reason told."""


def may_leave(status: Status, name: str, minimum: int = 1) -> Optional[Refusal]:
    """Why this node must not leave now, or None. minimum: nodes that have to stay online. Unknown names raise KeyError."""
    return _first(RULES, status, name, minimum, "%s must not leave: %s.")


def lost_in(status: Status, gone: Collection[str]) -> Tuple[str, ...]:
    """Of those that are said to be gone the ones that the cluster misses; who is online or votes is not lost, whatever is said."""
    return tuple(member.name for member in status.members if member.name in gone and not member.online and not member.votes)


def may_let_go(status: Status, lost: Sequence[str]) -> Optional[Refusal]:
    """Why lost members must not be taken off the list at once, or None.

    lost: those of whom it is proven that they don't run. Then no quorum is needed before, but the rest has to have it afterwards.
    """
    rest = replace(status, members=tuple(member for member in status.members if member.name not in lost))
    names = ", ".join(lost)
    for name in lost:
        leaver = status.member(name)
        for reason, rule in (("last_node", _last_node), ("unclean", _unclean)):
            sentence = rule(rest, leaver, 0)
            if sentence:
                return Refusal(reason, "%s must not leave: %s." % (names, sentence))
    joining = [member.name for member in rest.members if member.pending]
    if joining:
        return Refusal("unstable", "%s must not leave: %s is joining or leaving; wait until that has ended." % (names, ", ".join(joining)))
    return _quorum_of_the_rest(status, lost, names)


def _quorum_of_the_rest(status: Status, lost: Sequence[str], names: str) -> Optional[Refusal]:
    """What Corosync would count after one reload without the lost ones."""
    if status.conf is None:
        return None
    unreckoned = quorum_options.why_not_reckoned(status.conf)
    if unreckoned:
        return Refusal("quorum", "%s must not leave: %s." % (names, unreckoned))
    others = [member.name for member in status.members if member.listed and member.name not in lost][:1]
    try:
        made = step_lists.letting_go(step_lists.told_by(status, lost[0], others), lost)
    except corosync_conf.ConfError as error:
        return Refusal("quorum", "%s must not leave: its votes can't be reckoned from corosync.conf: %s." % (names, error))
    if isinstance(made, Refusal):
        return made
    then = made[-1].count if made else status.votes.count
    if then.quorate:
        return None
    missing = [member.name for member in status.members if member.listed and not member.votes and member.name not in lost]
    why = "without the lost ones %d of %d expected votes are there, and %d are needed; missing too: %s; bring back who is, or say who certainly does not run"
    told = (then.total, then.expected, then.needed, ", ".join(missing) or "nobody")
    return Refusal("quorum", "%s must not leave: %s." % (names, why % told))


def may_be_empty(status: Status, name: str) -> Optional[Refusal]:
    """Why this node must not go to standby, or None. Unknown names raise KeyError."""
    return _first(EMPTY_RULES, status, name, 0, "%s must not go to standby: %s.")


def _first(rules: Tuple[Tuple[str, Rule], ...], status: Status, name: str, minimum: int, words: str) -> Optional[Refusal]:
    member = status.member(name)
    for reason, rule in rules:
        sentence = rule(status, member, minimum)
        if sentence:
            return Refusal(reason, words % (name, sentence))
    return None


def leave_order(status: Status) -> List[str]:
    """The nodes, the one whose leaving costs least first: unfinished ones, half gone ones, then the fewest movable services, newest first.

    Last are those that a person put into standby: that had a reason, so nobody but a person lets them go.
    """

    def cost(member: Member) -> Tuple[int, int, int]:
        state = 0 if not member.online or member.pending else 1 if member.leaving else 3 if member.standby else 2
        return (state, len(status.movable_on(member.name)), -member.id)

    return [member.name for member in sorted(status.members, key=cost)]
