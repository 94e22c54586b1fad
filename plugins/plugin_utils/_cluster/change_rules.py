# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors

"""May a cluster be changed at all? One judgement for everybody who joins, leaves, moves or configures. Pure.

`cluster_info` shows it (`may_change`), and who asks there needs no second copy. The clauses are those of may_join, may_leave and may_move too,
which know of whom it does not matter.
"""

from __future__ import annotations

from typing import Container, Optional

from ...module_utils._contract.refusal import Refusal
from .status import Status


def why_not_quorate(status: Status) -> Optional[str]:
    """That the part of the cluster that was asked has no quorum, or that nobody knows yet, as a clause; None where it has."""
    if status.quorate:
        return None
    if status.dc is None:
        return "Pacemaker has no leader (DC) yet, so nobody acts for the cluster; wait until it has one"
    told = (status.votes_total, status.votes_expected)
    return (
        "the cluster has no quorum (%d of %d votes), so Pacemaker acts on nothing; bring its other nodes back, or have recover_cluster do it"
        % told
    )


def why_unclean(status: Status, but_for: Container[str] = ()) -> Optional[str]:
    """Of which nodes nobody knows whether work runs there, as a clause; None where it is known of all."""
    unclean = [member.name for member in status.members if member.unclean and member.name not in but_for]
    if not unclean:
        return None
    return "%s is unclean, so work may still run there; bring it back, have it fenced, or confirm that it is down" % ", ".join(unclean)


def may_change(status: Status) -> Optional[Refusal]:
    """Why nothing of this cluster may be changed now, or None. Both clauses are told; the first one gives the reason.

    What the reason not_quorate stands for goes when members that are off start again; unclean is the weightier one, for it doesn't.
    """
    found = [
        (reason, clause)
        for reason, clause in (("unclean", why_unclean(status)), ("not_quorate", why_not_quorate(status)))
        if clause is not None
    ]
    if not found:
        return None
    return Refusal(found[0][0], "%s can't be changed now: %s." % (status.cluster, "; ".join(clause for _reason, clause in found)))
