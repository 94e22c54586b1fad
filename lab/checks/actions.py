# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""What the driver did and why, from its journal, and when the clients saw it. Pure; times are epoch seconds.

An action is one step that changed the cluster. Why and when it was decided is the journal's word (nobody else knows);
when it served is the clients' word: the first acknowledged transaction of the node that the action brought or chose.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lab.checks.run import Record, Run, Vm, first_answer_at, handovers, vms_of

KINDS = {"scale_out": "grow", "scale_in": "shrink", "move_service": "move"}


@dataclass(frozen=True)
class Action:
    """One change: grow, shrink, move, or replace (a VM of another size takes a node's place)."""

    kind: str
    because: str
    nodes: tuple[str, ...]  # the VMs that came or went, or the node that a service moved to
    breach_at: float | None
    decided_at: float
    began_at: float
    done_at: float | None
    serving_at: float | None
    interrupted: bool  # the driver was killed while it ran, so the journal doesn't know its end
    service: str  # that a move is about
    ended_at: float | None  # of whatever end the journal knows
    failed_because: str | None  # the outcome's sentence, where it was not ok


def actions_of(run: Run) -> list[Action]:
    """Returns the journal's steps as actions, in order; done_at is None for a step that failed or never ended."""
    vms = vms_of(run)
    actions = []
    decision: Record = {}
    plan: Record = {}
    for place, entry in enumerate(run.history):
        if entry["kind"] == "decision" and entry["decision"] != "hold":
            decision, plan = entry, {}  # it stands until the next one that isn't a hold
        elif entry["kind"] == "plan":
            plan = entry
        elif entry["kind"] == "step" and entry["step"] in KINDS:
            # A move to even things out has no decision of its own: the plan with it is where it was decided.
            why = plan if entry["step"] == "move_service" and plan else decision
            later = run.history[place + 1 :]
            # What is left of a step without a known end is over before the next one begins.
            next_at = next((one["at"] for one in later if one["kind"] == "step"), float("inf"))
            actions.append(_action(run, vms, entry, why, outcome_of(later), next_at))
    return actions


def outcome_of(later: Sequence[Record]) -> Mapping[str, Any]:
    """Returns the outcome of a step: the next one, unless another step began before (the driver was killed)."""
    for entry in later:
        if entry["kind"] == "outcome":
            return entry
        if entry["kind"] == "step":
            break
    return {}


def _action(run: Run, vms: Sequence[Vm], step: Record, why: Record, outcome: Record, next_at: float) -> Action:
    done_at = outcome["ended_at"] if outcome.get("ok") else None
    began, ended = step["at"], done_at if done_at is not None else next_at
    kind = KINDS[step["step"]]
    nodes: tuple[str, ...] = ()
    service = ""
    serving_at: float | None = None
    if step["step"] == "scale_out":
        new = [vm for vm in vms if began <= vm.defined_at <= ended]
        if new and any(vm.memory_mib != new[0].memory_mib for vm in vms if vm.was_there(began)):
            kind = "replace"
        nodes = tuple(vm.name for vm in new)
        served = [at for vm in new if (at := first_answer_at(run, vm.name, vm.defined_at)) is not None]
        serving_at = min(served, default=None)
    elif step["step"] == "scale_in":
        nodes = tuple(vm.name for vm in vms if vm.gone_at is not None and began <= vm.gone_at <= ended + 1)
    else:
        target, service = step["variables"]["to"], step["variables"]["service"]
        nodes = (target,)
        serving_at = next((h.first_new_at for h in handovers(run, service) if h.new == target and h.first_new_at >= began), None)
    interrupted = not outcome or outcome.get("reason") == "interrupted"
    return Action(
        kind,
        _because(step, why),
        nodes,
        step["breach_at"],
        why.get("at", began),
        began,
        done_at,
        serving_at,
        interrupted,
        service,
        outcome.get("ended_at"),
        outcome["because"] if outcome and not outcome["ok"] else None,
    )


def _because(step: Record, why: Record) -> str:
    """The step's reason; the decision's before it when the step's doesn't repeat it."""
    told, cause = str(step["because"]), str(why.get("because", ""))
    return told if not cause or why["kind"] == "plan" or cause in told else f"{cause}; {told}"
