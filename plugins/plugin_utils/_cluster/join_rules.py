# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors

"""May a node join? All reasons at once. Pure."""

from __future__ import annotations

from typing import List, Optional, Tuple

from ...module_utils._contract.refusal import Refusal
from . import change_rules, corosync_conf, quorum_options, step_lists
from .corosync_conf import Conf
from .status import Status
from .steps import first_without_quorum


def nowhere(conf: Optional[Conf]) -> str:
    """An address of no node (RFC 5737), for a list of steps in which the address does not matter."""
    taken = {node.address for node in conf.nodes} if conf is not None else set()
    return next(one for one in ("192.0.2.%d" % number for number in range(1, 255)) if one not in taken)


def may_join(status: Status, name: str) -> Optional[Refusal]:
    """Why a node must not join this cluster now, or None; the first reason gives the kind. Who is listed already needs no quorum: it brings it."""
    found: List[Tuple[str, str]] = []
    others = [member for member in status.members if member.name != name]
    listed = any(member.name == name and member.listed for member in status.members)
    cluster = (
        ("not_quorate", None if listed else change_rules.why_not_quorate(status)),
        ("unclean", change_rules.why_unclean(status, {name})),
    )
    found += [(reason, clause) for reason, clause in cluster if clause is not None]
    pending = [member.name for member in others if member.pending]
    if pending:
        found.append(("unstable", "%s is joining or leaving; wait until that has ended" % ", ".join(pending)))
    if status.conf is not None and not listed:
        found += _why_not_listed(status, status.conf, name)
    if not found:
        return None
    return Refusal(found[0][0], "%s did not join: %s." % (name, "; ".join(sentence for _reason, sentence in found)))


def _why_not_listed(status: Status, conf: Conf, name: str) -> List[Tuple[str, str]]:
    """What stands against the node in the list before it is there."""
    missing = [member.name for member in status.members if member.listed and not member.votes]
    unreckoned = quorum_options.why_not_reckoned(conf) or quorum_options.why_joiner_waits(conf, missing)
    if unreckoned:
        return [("join_refused", unreckoned)]
    links = corosync_conf.link_problem(conf)
    if links:
        return [("join_refused", "in its corosync.conf %s" % links)]
    teller = [member.name for member in status.members if member.listed and member.name != name][:1]
    try:
        made = step_lists.joining(step_lists.told_by(status, name, teller), name, nowhere(conf))
    except corosync_conf.ConfError as error:
        return [("join_refused", "its votes can't be reckoned from corosync.conf: %s" % error)]
    if isinstance(made, Refusal):
        return [(str(made.reason), made.sentence.rstrip("."))]
    step = first_without_quorum(made, status.votes.count, status.quorate) if status.quorate else None
    if step is None:
        return []
    why = "only %d votes are present, and with it %d are expected and %d needed; bring missing members back first"
    return [("quorum", why % (step.count.total, step.count.expected, step.count.needed))]
