# Copyright: (c) 2026, the ondemand.cluster contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether and whereto a service may move. One rule, one function; their order is the order in which they are told. Pure."""

from __future__ import annotations

import dataclasses
import typing as t

from ...module_utils._contract.refusal import Refusal
from . import change_rules
from .cib_spec import ID
from .emptiest import emptiest
from .status import SPREAD, Member, Service, Status


@dataclasses.dataclass(frozen=True)
class Move:
    """A move that may be made: the service's resources go from one node to another (the same one: it is there already)."""

    service: str
    resources: t.Tuple[str, ...]
    source: str
    target: str


def _found(status: Status, service: str) -> t.Optional[Service]:
    return next((one for one in status.services if one.name == service), None)


def why_not_service(status: Status, service: str) -> t.Optional[Refusal]:
    """The service must be there, run as one, and have names that are safe to hand on."""
    found = _found(status, service)
    if found is None:
        movable = [one.name for one in status.services if one.kind not in SPREAD]
        return Refusal("not_found", "The cluster has no service %r; it could move %s." % (service, ", ".join(movable) or "none"))
    if found.kind in SPREAD:
        where = "on every node" if found.kind == "clone" else "in several places"
        return Refusal("bad_input", "%s runs %s, so it cannot move; name a movable service." % (service, where))
    odd = [one.id for one in found.resources if not ID.match(one.id)]
    if odd:
        return Refusal("bad_input", "Resource %r of %s has an id that isn't safe to hand on; rename it." % (odd[0], service))
    return None


def why_not_quorate(status: Status, service: str) -> t.Optional[Refusal]:
    """Without quorum Pacemaker moves nothing."""
    why = change_rules.why_not_quorate(status)
    return None if why is None else Refusal("not_quorate", "%s can't move in %s: %s." % (service, status.cluster, why))


def why_not_running(status: Status, service: str) -> t.Optional[Refusal]:
    """It must run, whole but for what a person disabled, on exactly one node: else there is no place to come back to."""
    found = _found(status, service)
    if found is None or (found.state in ("started", "disabled") and len(found.nodes) == 1):
        return None
    if found.state == "disabled":
        return Refusal("unstable", "%s is disabled by somebody's hand, so there is nothing to move. Enable it first." % service)
    where = " on %s" % ", ".join(found.nodes) if found.nodes else ""
    return Refusal("unstable", "%s is %s%s, not running on one node. Let it start or repair it first." % (service, found.state, where))


def why_not_node(member: Member) -> t.Optional[str]:
    """Why a node can't take a service, as a clause; None where it can."""
    rules = (
        (member.unclean, "is unclean"),
        (not member.online, "is offline"),
        (member.pending, "is only just joining"),
        (member.standby, "is in standby"),
    )
    return next((clause for broken, clause in rules if broken), None)


def _target(status: Status, source: str, to: t.Optional[str], avoid: t.Container[str]) -> t.Union[str, Refusal]:
    if to is not None:
        named = next((one for one in status.members if one.name == to), None)
        if named is None:
            return Refusal("not_found", "The cluster has no node %r; it has %s." % (to, ", ".join(one.name for one in status.members)))
        why = why_not_node(named)
        return Refusal("unstable", "Node %s %s, so nothing can move there. Name another one or bring it back." % (to, why)) if why else to
    fit = [one for one in status.members if one.name != source and why_not_node(one) is None]
    found = emptiest({one.name: len(status.movable_on(one.name)) for one in sorted(fit, key=lambda one: one.id)}, avoid)
    if found is None:
        told = ["%s %s" % (one.name, why_not_node(one) or "is to be avoided") for one in status.members if one.name != source]
        return Refusal("last_node", "No other node can take the service: %s." % ("; ".join(told) or "%s is the only one" % source))
    return found


RULES = (why_not_service, why_not_quorate, why_not_running)


def choose_move(
    status: Status, service: str, to: t.Optional[str], avoid: t.Sequence[str], why_not: t.Callable[[Move], str]
) -> t.Union[Move, Refusal]:
    """The move to the first node that suits the rules here and the scheduler, or why it is refused.

    why_not asks the scheduler about one move: a clause, empty where Pacemaker would run all of the service there and harm nothing else.
    """
    tried: t.Dict[str, str] = {}
    while True:
        plan = plan_move(status, service, to, [*avoid, *tried])
        if isinstance(plan, Refusal):
            told = "; ".join("%s: %s" % one for one in tried.items())
            return Refusal("no_place", "No other node can take %s: %s." % (service, told)) if told else plan
        why = why_not(plan) if plan.source != plan.target else ""
        if not why:
            return plan
        if to:
            return Refusal("no_place", "%s can't move to %s: %s. Name another node, or mend that first." % (service, to, why))
        tried[plan.target] = why


def plan_move(status: Status, service: str, to: t.Optional[str], avoid: t.Container[str] = ()) -> t.Union[Move, Refusal]:
    """The move of a service to a node (None: the emptiest other one that is not to be avoided), or why it is refused."""
    for rule in RULES:
        refusal = rule(status, service)
        if refusal:
            return refusal
    found = next(one for one in status.services if one.name == service)
    source = found.nodes[0]
    target = source if to == source else _target(status, source, to, avoid)
    if isinstance(target, Refusal):
        return target
    # What a person disabled runs nowhere, and stays so.
    return Move(service, tuple(one.id for one in found.resources if one.active), source, target)
