# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""The little that one question of the report is asked of, written down by hand. Times are seconds since a start at 0."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from lab.checks.actions import Action
from lab.checks.case import Case
from lab.checks.run import Run, Vm

Record = dict[str, Any]


def case(
    *,
    vms: Sequence[Vm] = (),
    actions: Sequence[Action] = (),
    witness: Sequence[Record] = (),
    client: Sequence[Record] = (),
    history: Sequence[Record] = (),
    events: Sequence[Record] = (),
) -> Case:
    """A case of these recordings; the movable service is the ledger."""
    return Case(Run(0.0, witness, client, [], "c1", history, events), vms, actions, "ledger")


def vm(name: str = "n1", defined: float = 10.0, gone: float | None = None, **more: Any) -> Vm:
    """A VM of 640 MiB on hv1 that ran 1 s after its definition, was reached after 5 s and joined after 9 s."""
    times = {"running_at": defined + 1, "reachable_at": defined + 5, "joined_at": defined + 9, "gone_at": gone}
    made = Vm(f"uuid-{name}", name, "hv1", 640, defined, "running", image="image", generation="1", **times)  # type: ignore[arg-type]
    return replace(made, **more)


def action(kind: str = "grow", began: float = 100.0, ended: float | None = 110.0, **more: Any) -> Action:
    """A step that was done (with `ended`), or whose end nobody knows; it was decided 2 s before it began, 3 s after its cause."""
    made = Action(kind, "why", (), began - 5, began - 2, began, ended, None, ended is None, "", ended, None)
    return replace(made, **more)


def note(what: str, at: float, **facts: Any) -> Record:
    """A note of the demo."""
    return {"what": what, "at": at, **facts}


def view(at: float, carrier: str | None = None, *online: str, **more: Any) -> Record:
    """What the cluster showed: its nodes online, and the ledger's two resources on `carrier`."""
    where = [carrier] if carrier else []
    resources = {"haproxy": list(online), "ledger-data": where, "ledger-app": where}
    shown = {"kind": "cluster", "at": at, "through": "n1", "dc": "n1", "quorate": True, "nodes": dict.fromkeys(online, "online")}
    return {**shown, "resources": resources, **more}


def member(at: float, node: str = "n1", file: str = "a", partition: Sequence[str] = ("n1",), **more: Any) -> Record:
    """What a member told of itself."""
    facts = {
        "packages": {"corosync": "3.1", "pacemaker": "2.1"},
        "states": {"corosync": "active", "pacemaker": "active"},
        "started_us": {"corosync": 21, "pacemaker": 22},
    }
    told = {"kind": "member", "at": at, "node": node, "uuid": f"uuid-{node}", "config_sha256": file * 64, "partition": list(partition)}
    return {**told, **facts, **more}


def answer(acknowledged: float | None, node: str | None = "n1", service: str = "ledger", **more: Any) -> Record:
    """A transaction that was due 0.1 s before its answer, or, without one, given up at `ended_at`."""
    ended = acknowledged if acknowledged is not None else more["ended_at"]
    facts = {"kind": "transaction", "service": service, "id": f"c1/{ended}", "acknowledged_at": acknowledged, "node": node}
    return {**facts, "due_at": ended - 0.1, "ended_at": ended, "attempts": 1, "mixed_up": 0, **more}


LEDGER = {"kind": "movable", "address": "10.0.0.11:5000", "resources": ["ledger-data", "ledger-app"]}
WEB = {"kind": "balanced", "address": "10.0.0.10:80", "resources": ["haproxy", "web-address"]}
REQUIREMENT = note(
    "requirement", 5.0, file="demo.yml", sha256="a" * 64, summary="1 to 3 nodes", hosts=["hv1", "hv2"], services={"ledger": LEDGER}
)
