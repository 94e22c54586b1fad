# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors

"""From what was observed and what is wanted to the steps of a change of the membership, or to the reason why there is none. Pure.

Every step leaves the cluster with quorum, or the list is not handed out. From every interrupted point the list made anew begins with the rest.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional, Tuple, Union

from ...module_utils._contract.refusal import Refusal
from . import leave_rules, step_lists
from .join_rules import may_join
from .quorum import Count
from .status import Status
from .step_lists import Observed, Steps
from .steps import Step, first_without_quorum


@dataclass(frozen=True)
class Wanted:
    """What is to become of a node. state: member, absent, standby or active; address: of one that joins.

    min_nodes: how many have to stay online; gone: members that certainly don't run; may_return: those of them whose VMs may come back.
    """

    state: str
    name: str
    address: str = ""
    min_nodes: int = 1
    gone: Tuple[str, ...] = ()
    may_return: Tuple[str, ...] = ()


def steps(observed: Observed, wanted: Wanted) -> Union[Tuple[Step, ...], Refusal]:
    """The steps, none where everything is so already; or why the change is refused."""
    refusal = verdict(observed.status, wanted) or _unreached(observed, wanted)
    made = refusal or _listed_steps(observed, wanted)
    if isinstance(made, Refusal):
        return made
    costly = first_without_quorum(made, observed.status.votes.count, observed.status.quorate)
    return _costs_quorum(wanted, costly, costly.count) if costly else tuple(made)


def verdict(status: Status, wanted: Wanted) -> Optional[Refusal]:
    """What the cluster alone says against it; with status.simulated also what Pacemaker says. Nobody's files are needed."""
    member = next((one for one in status.members if one.name == wanted.name), None)
    if wanted.state == "member":
        return may_join(status, wanted.name)
    if wanted.state == "absent":
        lost = leave_rules.lost_in(status, wanted.gone)
        if wanted.name in lost:
            return leave_rules.may_let_go(status, lost)
        return leave_rules.may_leave(status, wanted.name, wanted.min_nodes) if member is not None and member.listed else None
    if member is None:
        names = ", ".join(one.name for one in status.members)
        return Refusal("not_found", "%s is no member of the cluster %s; its members are %s." % (wanted.name, status.cluster, names))
    unended = wanted.state == "standby" and step_lists.standing(Observed(status, "", ()), wanted.name, True)
    return leave_rules.may_be_empty(status, wanted.name) if unended else None


def _listed_steps(observed: Observed, wanted: Wanted) -> Steps:
    if wanted.state == "member":
        return step_lists.joining(observed, wanted.name, wanted.address)
    if wanted.state in ("standby", "active"):
        return step_lists.standing(observed, wanted.name, wanted.state == "standby")
    lost = leave_rules.lost_in(observed.status, wanted.gone)
    if wanted.name in lost:
        return step_lists.letting_go(observed, lost, wanted.may_return)
    return step_lists.leaving(observed, wanted.name, wanted.gone, wanted.may_return)


def _unreached(observed: Observed, wanted: Wanted) -> Optional[Refusal]:
    """Why a member that can't be reached does not leave as long as nobody says for certain that it doesn't run."""
    member = observed.member(wanted.name)
    if wanted.state != "absent" or not observed.away or member is None or not member.listed:
        return None
    if member.online or member.votes:
        why = "it is online in the cluster but cannot be reached (%s); mend the connection first" % observed.away
    else:
        why = (
            "it is offline in the cluster and cannot be reached (%s), so nobody knows whether it still runs what it ran; bring it back, or "
            "stop its VM and say so (gone)" % observed.away
        )
    return Refusal("host_unreachable", "%s must not leave: %s." % (wanted.name, why))


def _costs_quorum(wanted: Wanted, step: Step, count: Count) -> Refusal:
    why = "after the step '%s' %d of %d expected votes would be there, and %d are needed; bring missing members back first"
    return Refusal("quorum", "%s was not changed: %s." % (wanted.name, why % (step.words, count.total, count.expected, count.needed)))
