# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""Whether the driver did what was due, and nothing came or went that it didn't do: its journal held against what was seen. Pure."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from lab.checks.actions import Action
from lab.checks.case import Case
from lab.checks.clients import window_of
from lab.checks.run import Vm, handovers

SLACK_S = 15.0
"""An observer may see a VM or an answer so much later than it was there."""


def step_problems(case: Case) -> list[str]:
    """Returns what the driver left undone or can't have done, as sentences."""
    return [
        *journal_problems(case),
        *undone(case),
        *(f"no {kind} was decided and done" for kind in ("grow", "move", "shrink") if not any(is_done(case, a) for a in _of(case, kind))),
        *moves_without_step(case),
        *vms_without_step(case),
    ]


def _of(case: Case, kind: str) -> list[Action]:
    return [action for action in case.actions if action.kind == kind]


def journal_problems(case: Case) -> list[str]:
    """What can't be in a journal of this run: times that run backwards or are another run's, and steps without a reason."""
    found = []
    for one, other in itertools.pairwise(case.run.history):
        if other["at"] < one["at"]:
            found.append(
                f"the journal's times run backwards: the {other['kind']} of {case.s(other['at'])} is after the {one['kind']} of {case.s(one['at'])}"
            )
            break
    started = (case.run.event("driver") or {"at": case.run.started_at})["at"]
    if strange := [r for r in case.run.history if not started - SLACK_S <= r["at"] <= case.run.ended_at + SLACK_S]:
        found.append(
            f"{len(strange)} entries of the journal are not of this run, the first is the {strange[0]['kind']} of {case.s(strange[0]['at'])}"
        )
    for entry in case.run.history:
        if entry["kind"] in ("step", "decision") and not str(entry["because"]).strip():
            found.append(f"a {entry['kind']} ({entry[entry['kind']]}) of {case.s(entry['at'])} has no reason")
        if entry["kind"] == "outcome" and (entry["ended_at"] < entry["began_at"] or not entry["ok"] and not str(entry["because"]).strip()):
            found.append(f"the outcome of {entry['step']} at {case.s(entry['at'])} ended before it began, or failed without a reason")
    for action in case.actions:
        if action.began_at < max(at for at in (action.decided_at, action.breach_at) if at is not None):
            found.append(f"the {action.kind} of {case.s(action.began_at)} began before its cause was there")
    return found


def is_done(case: Case, action: Action) -> bool:
    """Whether an action came to its end: by its outcome, or, where its driver was killed, by what was seen of its VMs or its service."""
    if action.done_at is not None:
        return True
    if not action.interrupted or not was_killed(case, action):
        return False
    return bool(action.nodes) if action.kind != "move" else action.serving_at is not None


def was_killed(case: Case, action: Action) -> bool:
    """Whether a kill that was noted explains that an action has no known end."""
    until = case.run.ended_at if action.ended_at is None else action.ended_at
    return any(action.began_at - SLACK_S <= kill["at"] <= until + SLACK_S for kill in case.run.events_of("kill"))


def undone(case: Case) -> list[str]:
    """Steps that failed, or whose end nobody knows, and that no later step of the same kind made good."""
    found = []
    for place, action in enumerate(case.actions):
        if is_done(case, action):
            continue
        later = case.actions[place + 1 :]
        if is_repeated(action, later):
            continue
        if action.interrupted and was_killed(case, action) and later:
            continue  # its driver was killed, and the next one found other things to do
        why = "its end is not known" if action.failed_because is None else action.failed_because or "it failed without a reason"
        what = f"move of {action.service} to {', '.join(action.nodes)}" if action.kind == "move" else action.kind
        found.append(f"the {what} at {case.s(action.began_at)} was not done and not repeated with success: {why}")
    return found


def is_repeated(action: Action, later: Sequence[Action]) -> bool:
    """Whether the next step of the kind that was done did what this one should have done: of a move, the service to the same node."""
    growth = ("grow", "replace")  # of a growth without a VM nobody sees what size it was to be
    same = [a for a in later if a.service == action.service and (a.kind == action.kind or (a.kind in growth and action.kind in growth))]
    done = next((a for a in same if a.done_at is not None), None)
    return done is not None and (action.kind != "move" or done.nodes == action.nodes)


def moves_without_step(case: Case) -> list[str]:
    """Times when the movable service's work went over and no move of the driver was at work: nobody did that on purpose."""
    found = []
    for handover in handovers(case.run, case.ledger):
        moves = [(a, window_of(case, a)) for a in _of(case, "move") if a.service == case.ledger and handover.new in a.nodes]
        moves += [(a, window_of(case, a)) for a in _of(case, "shrink") if handover.old in a.nodes]  # a leaver's work goes before it
        if not any(is_done(case, a) and opens <= handover.first_new_at <= closes + SLACK_S for a, (opens, closes) in moves):
            found.append(
                f"{case.ledger} went from {handover.old} to {handover.new} at {case.s(handover.first_new_at)} without a move that the driver did"
            )
    return found


def vms_without_step(case: Case) -> list[str]:
    """VMs that came or went while no step of the driver made or removed any, and members that a growth took back."""
    growing = [window_of(case, a) for a in case.actions if a.kind in ("grow", "replace")]
    leaving = [window_of(case, a) for a in _of(case, "shrink")]
    found = []
    for vm in case.vms:
        if vm not in case.initial() and not _within(vm.defined_at, growing):
            found.append(f"{vm.name} was defined at {case.s(vm.defined_at)} and no growth of the driver was at work")
        if vm.gone_at is None or vm in case.initial() and vm.joined_at is None:
            continue
        if vm.joined_at is None:  # what was begun was taken back
            if not _within(vm.gone_at, [*leaving, *growing]):
                found.append(f"{vm.name} was never a member and went at {case.s(vm.gone_at)} without a growth or shrink of the driver")
        elif not _within(vm.gone_at, leaving):
            found.append(f"{vm.name} was a member and went at {case.s(vm.gone_at)} without a shrink of the driver")
    return [*found, *unready(case)]


def _within(at: float, windows: Sequence[tuple[float, float]]) -> bool:
    return any(opens <= at <= closes + SLACK_S for opens, closes in windows)


def unready(case: Case) -> list[str]:
    """VMs that were not what they should be: never reached by SSH, or without the mark of their image."""
    found = []
    for vm in case.vms:
        if vm.reachable_at is None and (vm.joined_at is not None or vm.gone_at is None):
            found.append(f"{vm.name} (UUID {vm.uuid}) was never reached by SSH")
        if vm.reachable_at is not None and vm.running_at is not None and vm.reachable_at < vm.running_at:
            found.append(f"{vm.name} was reached by SSH before it ran")
        if not vm.image or not vm.generation:
            found.append(f"{vm.name} (UUID {vm.uuid}) has no image or no generation in its metadata")
    return [*found, *doubles(case.vms, case)]


def doubles(vms: Sequence[Vm], case: Case) -> list[str]:
    """Two VMs that had one name or one address at a time."""
    found = []
    for one, other in itertools.combinations(vms, 2):
        together = one.was_there(other.defined_at) or other.was_there(one.defined_at)
        if together and (one.name == other.name or one.address is not None and one.address == other.address):
            found.append(f"two VMs had one name or address at {case.s(max(one.defined_at, other.defined_at))}: {one.name} and {other.name}")
    return found
