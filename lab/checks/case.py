# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""What every question of the report is asked of, and the answer to one about an element. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lab.checks.actions import Action
from lab.checks.run import Record, Run, Vm, first

DAEMONS = ("corosync", "pacemaker")


@dataclass(frozen=True)
class Evidence:
    """Whether an element was seen, and the sentence that says how (or what is missing)."""

    seen: bool
    text: str


def missing(text: str) -> Evidence:
    """Evidence that an element was not seen."""
    return Evidence(False, f"not seen: {text}")


@dataclass(frozen=True)
class Case:
    """What the questions are asked of: the recordings, the VMs and actions that were read from them."""

    run: Run
    vms: Sequence[Vm]
    actions: Sequence[Action]
    ledger: str  # the movable service's name

    def s(self, at: float | None) -> str:
        """Renders a time."""
        return "?" if at is None else f"{at - self.run.started_at:.1f} s"

    def initial(self) -> list[Vm]:
        """The VMs that the first creation made: those defined before it was over."""
        created = self.run.event("created")
        return [vm for vm in self.vms if created and vm.defined_at <= created["at"]]

    def later(self) -> list[Vm]:
        """The VMs that were made after the first creation and joined."""
        initial = self.initial()
        return [vm for vm in self.vms if vm not in initial and vm.joined_at is not None]

    def accounts(self, vm: Vm) -> list[Record]:
        """The VM's own accounts of itself, from the time in which it was seen online. One that leaves may have its daemons stopped."""
        online = [r["at"] for r in self.run.seen("cluster") if vm.was_there(r["at"]) and r["nodes"].get(vm.name) == "online"]
        told = [r for r in self.run.seen("member") if r["uuid"] == vm.uuid]
        if not online:
            return []
        if vm.gone_at is None:
            return [r for r in told if r["at"] >= online[0]]
        return [r for r in told if online[0] <= r["at"] <= online[-1]]

    def member(self, vm: Vm) -> Record | None:
        """The VM's first own account of itself as member."""
        return first(self.accounts(vm), lambda _record: True)

    def resources(self, service: str) -> list[str]:
        """The ids in Pacemaker of what a service consists of, as the requirement has them."""
        return list(self.run.expected().get(service, {}).get("resources", []))

    def carrier(self, service: str, view: Record) -> str | None:
        """The one node that had all of a service's resources in a view of the cluster; None where there was none, or it was in between."""
        where = [view["resources"].get(one, []) for one in self.resources(service)]
        return where[0][0] if where and len(where[0]) == 1 and all(one == where[0] for one in where) else None


def why_not_active(account: Record) -> str | None:
    """Returns which of the daemons did not run when a member told of itself, or None. That one was active once is no proof."""
    states = account["states"]
    down = [f"{one} {states.get(one, 'not told')}" for one in DAEMONS if states.get(one) != "active"]
    down += [
        f"{one} active without a time of its start" for one in DAEMONS if states.get(one) == "active" and not account["started_us"].get(one)
    ]
    return " and ".join(down) or None
