# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""Makes steps, each with its deadline and the state that it should lead to."""

from __future__ import annotations

from collections.abc import Sequence

from ondemand.config.model import Deadlines
from ondemand.model import Observation, Step, StepKind

OVERHEAD_S = 120.0
"""what a playbook may spend outside waiting for boot, join, drain, move and leave"""


MOST = 2
"""a wait that gets on may take so many times its deadline, which counts from the last sign of progress"""


def create(count: int, deadlines: Deadlines, because: str) -> Step:
    """The first members, from nothing: boots go in parallel, joins one after another."""
    limit = deadlines.boot_s + MOST * (count * deadlines.join_s + deadlines.move_s) + OVERHEAD_S
    return Step(StepKind.CREATE, {}, because, {"members": count}, limit)


def scale_out(wanted: int, new: int, deadlines: Deadlines, because: str, back: Sequence[str] = (), unseen: int = 0) -> Step:
    """So many members afterwards, `new` of which are still to boot and to join; `back` are in standby and serve again afterwards.

    The playbook counts VMs: `unseen` are the members that it can't count, for no host shows their VM.
    """
    limit = deadlines.boot_s + MOST * max(1, new) * deadlines.join_s + OVERHEAD_S
    expected = {"members": wanted, "serving": list(back)} if back else {"members": wanted}
    return Step(StepKind.OUT, {"wanted": max(1, wanted - unseen)}, because, expected, limit)


def recover(wanted: int, lost: int, members: int, deadlines: Deadlines, because: str) -> Step:
    """What is off starts, who is lost is let go, and so many members there are afterwards; `lost` of them boot or join."""
    limit = deadlines.boot_s + deadlines.leave_s + MOST * max(1, lost) * deadlines.join_s + deadlines.boot_s + OVERHEAD_S
    return Step(StepKind.RECOVER, {"wanted": wanted}, because, {"members": members}, limit)


def scale_in(wanted: int, leavers: Sequence[str], deadlines: Deadlines, because: str) -> Step:
    """These leave and are deleted; so many VMs afterwards."""
    limit = deadlines.drain_s + len(leavers) * (MOST * deadlines.leave_s + deadlines.move_s) + OVERHEAD_S
    return Step(StepKind.IN, {"wanted": wanted, "leavers": list(leavers)}, because, {"gone": list(leavers)}, limit)


def move(service: str, to: str, deadlines: Deadlines, because: str) -> Step:
    """A movable service onto a node."""
    limit = deadlines.move_s + OVERHEAD_S
    return Step(StepKind.MOVE, {"service": service, "to": to}, because, {"service": service, "node": to}, limit)


def configure(services: str, deadlines: Deadlines, because: str) -> Step:
    """The services as the file states them; `services` is the digest of that. What goes stops first, then the rest starts."""
    limit = 2 * MOST * deadlines.move_s + deadlines.move_s + OVERHEAD_S
    return Step(StepKind.CONFIGURE, {}, because, {"services": services}, limit)


def why_not_reached(step: Step, observation: Observation) -> str | None:
    """Why the state that the step should lead to is not there, or None. A playbook's word is not proof."""
    members = observation.members
    expected = step.expected
    if "members" in expected and len(members) < expected["members"]:
        return f"{step.kind.value} ended well, yet {len(members)} of {expected['members']} nodes are members"
    idle = sorted(set(expected.get("serving", ())) - set(observation.serving))
    if idle:
        return f"{step.kind.value} ended well, yet {', '.join(idle)} is not taken back: it is in standby still, or no member"
    left = sorted(set(expected.get("gone", ())) & ({one.name for one in observation.vms} | set(members)))
    if left:
        return f"{step.kind.value} ended well, yet {', '.join(left)} is still there"
    if "service" in expected and observation.cluster is not None:
        where = [one.name for one in observation.cluster.nodes if expected["service"] in one.services]
        if where != [expected["node"]]:
            return f"{step.kind.value} ended well, yet {expected['service']} runs on {', '.join(where) or 'no node'}"
    return None
