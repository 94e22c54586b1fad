# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""The twelve elements of the method, each as one question to the recordings. Pure.

Every function returns Evidence: a sentence with the numbers and times that were observed, or what was looked for and
not seen. The order of ELEMENTS is the order of the report. Times in sentences are seconds since the start of the run.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lab.report_actions import Action
from lab.report_run import Record, Run, Vm, first, first_answer_at, handovers


@dataclass(frozen=True)
class Evidence:
    """Whether an element was seen, and the sentence that says how (or what is missing)."""

    seen: bool
    text: str


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

    def member(self, vm: Vm) -> Record | None:
        """The VM's first own account of itself as member."""
        return first(self.run.seen("member"), lambda record: record["uuid"] == vm.uuid)


def missing(text: str) -> Evidence:
    """Evidence that an element was not seen."""
    return Evidence(False, f"not seen: {text}")


def p1_requirement_received_first(case: Case) -> Evidence:
    """P1: the requirement is received before the first VM exists."""
    event = case.run.event("requirement")
    if event is None or not case.vms:
        return missing("a requirement and a VM after it")
    defined = case.vms[0].defined_at
    if event["at"] >= defined:
        return missing(f"the requirement came at {case.s(event['at'])}, the first VM already at {case.s(defined)}")
    return Evidence(
        True,
        f"{event['file']} received at {case.s(event['at'])}: {event['summary']}; libvirt showed no VM "
        f"of the cluster before {case.s(defined)}",
    )


def p2_initial_vms_created(case: Case) -> Evidence:
    """P2: the initial VMs are created through libvirt."""
    initial = [vm for vm in case.initial() if vm.running_at is not None]
    if not initial:
        return missing("a VM that libvirt showed running before the creation was over")
    return Evidence(
        True,
        "; ".join(
            f"libvirt on {vm.host} showed {vm.name} (UUID {vm.uuid}, {vm.memory_mib} MiB) defined at "
            f"{case.s(vm.defined_at)}, running at {case.s(vm.running_at)}, its SSH banner came at {case.s(vm.reachable_at)}"
            for vm in initial
        ),
    )


def _stack_on(case: Case, vms: Sequence[Vm], which: str) -> Evidence:
    told = []
    for vm in vms:
        member = case.member(vm)
        if member is None or not {"corosync", "pacemaker"} <= set(member["packages"]):
            return missing(f"Corosync and Pacemaker among the packages of {vm.name}")
        if not all(member["started_us"].get(unit) for unit in ("corosync", "pacemaker")):
            return missing(f"Corosync and Pacemaker running on {vm.name}")
        packages = member["packages"]
        told.append(
            f"{vm.name} (read there at {case.s(member['at'])}): corosync {packages['corosync']} and pacemaker "
            f"{packages['pacemaker']} installed and active"
        )
    return Evidence(True, "; ".join(told)) if told else missing(f"{which} VM")


def p3_stack_on_initial_vms(case: Case) -> Evidence:
    """P3: a clustering process is installed on every initial VM."""
    return _stack_on(case, case.initial(), "an initial")


def p4_three_functions_on_every_member(case: Case) -> Evidence:
    """P4: membership, failover processing and load balancing on every member."""
    told = []
    for vm in case.vms:
        if vm.joined_at is None:
            continue
        views = [r for r in case.run.seen("cluster") if vm.was_there(r["at"])]
        online = next((r for r in views if r["nodes"].get(vm.name) == "online" and r["quorate"]), None)
        balancing = next((r for r in views if vm.name in r["resources"].get("haproxy", [])), None)
        member = case.member(vm)
        failover = member is not None and member["started_us"].get("pacemaker")
        if online is None or balancing is None or not failover:
            lacking = [
                what
                for what, seen in (("membership", online), ("load balancing", balancing), ("failover processing", failover))
                if not seen
            ]
            return missing(f"{' and '.join(lacking)} on {vm.name}")
        told.append(f"{vm.name} online at {case.s(online['at'])}, Pacemaker active, HAProxy running at {case.s(balancing['at'])}")
    return Evidence(True, "; ".join(told)) if told else missing("a member")


def p5_cluster_of_one_first(case: Case) -> Evidence:
    """P5: the first VM's clustering process creates the cluster with that VM as first node."""
    views = [r for r in case.run.seen("cluster") if any(state == "online" for state in r["nodes"].values())]
    if not views or not case.vms:
        return missing("a cluster with an online node")
    view = views[0]
    if list(view["nodes"]) != [case.vms[0].name]:
        return missing(f"a cluster of {case.vms[0].name} alone; the first one seen had {', '.join(view['nodes'])}")
    return Evidence(
        True,
        f"at {case.s(view['at'])} {view['through']} was the only node, online, its own DC, quorate: {'yes' if view['quorate'] else 'no'}",
    )


def p6_requirements_changed(case: Case) -> Evidence:
    """P6: an increase and a decrease are determined, from measured load or a new statement."""
    up = [a for a in case.actions if a.kind == "grow"]
    down = [a for a in case.actions if a.kind in ("shrink", "replace")]
    if not up or not down:
        return missing("an increase" if not up else "a decrease")
    return Evidence(
        True,
        "; ".join(
            f"{'increase' if action.kind == 'grow' else 'decrease'} determined at {case.s(action.decided_at)}: {action.because}"
            for action in (up[0], *down)
        ),
    )


def p7_new_vms_sized_for_the_need(case: Case) -> Evidence:
    """P7: the answer to either is a new VM sized for the new need; for a decrease a smaller replacement."""
    grow = first_action(case, "grow")
    added = [vm for vm in case.later() if grow and vm.defined_at >= grow.decided_at]
    if not added:
        return missing("a VM defined after the increase was determined")
    statement = case.run.event("statement")
    smaller = [
        vm
        for vm in added
        if statement
        and vm.defined_at >= statement["at"]
        and vm.memory_mib == statement["memory_mib"]
        and vm.memory_mib < added[0].memory_mib
    ]
    if not smaller:
        return missing("a smaller VM after the requirement had been stated smaller")
    replaced = [vm for vm in case.vms if vm.gone_at and vm.gone_at > (smaller[0].joined_at or 0) and vm.memory_mib > smaller[0].memory_mib]
    if not replaced:
        return missing(f"a larger VM that went after {smaller[0].name} had joined")
    return Evidence(
        True,
        f"increase: {added[0].name} of {added[0].memory_mib} MiB defined on {added[0].host} at "
        f"{case.s(added[0].defined_at)}; decrease: {smaller[0].name} of {smaller[0].memory_mib} MiB "
        f"defined on {smaller[0].host} at {case.s(smaller[0].defined_at)}, took the place of "
        f"{replaced[0].name} of {replaced[0].memory_mib} MiB, gone at {case.s(replaced[0].gone_at)}",
    )


def p8_several_hosts(case: Case) -> Evidence:
    """P8: new VMs land on one or several physical machines (here: several)."""
    hosts: dict[str, list[str]] = {}
    for vm in case.vms:
        if vm.running_at is not None:
            hosts.setdefault(vm.host, []).append(f"{vm.name} from {case.s(vm.running_at)}")
    if len(hosts) < 2:
        return missing(f"VMs running on two hosts; they ran on {', '.join(hosts) or 'none'}")
    return Evidence(True, "; ".join(f"on {host}: {', '.join(names)}" for host, names in sorted(hosts.items())))


def p9_stack_on_new_vms(case: Case) -> Evidence:
    """P9: the clustering process is installed on the new VMs too."""
    return _stack_on(case, case.later(), "a later")


def p10_join_on_both_sides(case: Case) -> Evidence:
    """P10: the join is invoked on the old member and on the new VM."""
    members = case.run.seen("member")
    for new in case.later():
        theirs = case.member(new)
        if theirs is None:
            continue
        for old in [vm for vm in case.vms if vm is not new and vm.was_there(new.defined_at)]:
            before = [r for r in members if r["uuid"] == old.uuid and r["at"] < (new.joined_at or 0)]
            same = [r for r in members if r["uuid"] == old.uuid and r["config_sha256"] == theirs["config_sha256"]]
            after = next((r for r in same if new.name in r["partition"]), None)
            if not before or after is None or before[-1]["config_sha256"] == after["config_sha256"]:
                continue
            if after["started_us"] != before[-1]["started_us"] or old.name not in theirs["partition"]:
                continue
            return Evidence(
                True,
                f"old side: {old.name}'s corosync.conf changed from {before[-1]['config_sha256'][:12]} "
                f"to {after['config_sha256'][:12]} and was taken over without a restart (both daemons' "
                f"start times unchanged); new side: {new.name} runs with the same file; each sees the "
                f"other in its partition (read at {case.s(after['at'])} and {case.s(theirs['at'])})",
            )
    return missing("an old member that took the new configuration over without a restart, and a new one with the same file")


def p11_work_fails_over(case: Case) -> Evidence:
    """P11: transactions fail over from the old VM to the new one: the application stops there and starts here."""
    for handover in handovers(case.run, case.ledger):
        new = first_vm(case.later(), handover.new, handover.first_new_at)
        later = (r for r in case.run.seen("cluster") if r["at"] >= handover.first_new_at)
        view: Record = next(later, {"nodes": {}})  # the next look after the handover: was it a move, or had the old node failed?
        both = {view["nodes"].get(handover.old), view["nodes"].get(handover.new)}
        if new is None or both != {"online"}:
            continue  # not to a new VM, or the old one was no longer a member: that is a failure, not balancing
        count = sum(
            1
            for r in case.run.acknowledged(case.ledger)
            if r["node"] == handover.new and handover.first_new_at <= r["acknowledged_at"] < (new.gone_at or float("inf"))
        )
        return Evidence(
            True,
            f"{case.ledger} answered from {handover.old} until {case.s(handover.last_old_at)} and from "
            f"{handover.new} from {case.s(handover.first_new_at)} on ({count} transactions there), "
            f"{handover.old} staying an online member",
        )
    return missing(f"{case.ledger} going over from a member to a new VM while both were online")


def p12_one_address(case: Case) -> Evidence:
    """P12: clients use a virtual cluster IP, and the new VM takes over what was sent to the old one."""
    targets = (case.run.event("client") or {"targets": {}})["targets"]
    told = []
    for service, target in targets.items():
        answers = case.run.acknowledged(service)
        for new in case.later():
            since = first_answer_at(case.run, new.name, new.joined_at or new.defined_at, service)
            before = [r for r in answers if since and r["acknowledged_at"] < since]
            if before:
                told.append(
                    f"{service}: all {len(answers)} acknowledged transactions went to {target}; "
                    f"{before[-1]['node']} answered there before, {new.name} from {case.s(since)} on"
                )
                break
        else:
            return missing(f"a new VM that answered what was sent to {service}'s address")
    return Evidence(True, "; ".join(told)) if told else missing("a client")


def first_action(case: Case, kind: str) -> Action | None:
    """Returns the first action of that kind."""
    return next((action for action in case.actions if action.kind == kind), None)


def first_vm(vms: Sequence[Vm], name: str, at: float) -> Vm | None:
    """Returns the VM that had the name at that time."""
    return next((vm for vm in vms if vm.name == name and vm.was_there(at)), None)


ELEMENTS: dict[str, Callable[[Case], Evidence]] = {
    "P1": p1_requirement_received_first,
    "P2": p2_initial_vms_created,
    "P3": p3_stack_on_initial_vms,
    "P4": p4_three_functions_on_every_member,
    "P5": p5_cluster_of_one_first,
    "P6": p6_requirements_changed,
    "P7": p7_new_vms_sized_for_the_need,
    "P8": p8_several_hosts,
    "P9": p9_stack_on_new_vms,
    "P10": p10_join_on_both_sides,
    "P11": p11_work_fails_over,
    "P12": p12_one_address,
}
