# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""The elements that are about new VMs: the stack on them, their join, and that they take over work (P9 to P12). Pure."""

from __future__ import annotations

from collections.abc import Sequence

from lab.checks.case import DAEMONS, Case, Evidence, missing, why_not_active
from lab.checks.run import Handover, Record, Vm, first_answer_at, handovers


def stack_on(case: Case, vms: Sequence[Vm], which: str) -> Evidence:
    """Corosync and Pacemaker on each of these VMs: installed, and active whenever the member was asked."""
    told = []
    for vm in vms:
        accounts = case.accounts(vm)
        if not accounts or not set(DAEMONS) <= set(accounts[0]["packages"]):
            return missing(f"Corosync and Pacemaker among the packages of {vm.name}")
        for account in accounts:
            if down := why_not_active(account):
                return missing(f"Corosync and Pacemaker running on {vm.name}: {down} at {case.s(account['at'])}")
        packages = accounts[0]["packages"]
        told.append(
            f"{vm.name} (read there at {case.s(accounts[0]['at'])}): corosync {packages['corosync']} and pacemaker "
            f"{packages['pacemaker']} installed and active"
        )
    return Evidence(True, "; ".join(told)) if told else missing(f"{which} VM")


def p9_stack_on_new_vms(case: Case) -> Evidence:
    """P9: the clustering process is installed on the new VMs too."""
    return stack_on(case, case.later(), "a later")


def p10_join_on_both_sides(case: Case) -> Evidence:
    """P10: the join is invoked on the old member and on the new VM."""
    told = []
    for new in case.later():
        found = next((seen for old in case.vms if old is not new and (seen := _both_sides(case, old, new))), None)
        if found is None:
            return missing(
                f"for the join of {new.name} at {case.s(new.joined_at)} an old member that took the new configuration over "
                "without a restart, and a new one with the same file"
            )
        told.append(found)
    return Evidence(True, told[0]) if told else missing("a join")


def _both_sides(case: Case, old: Vm, new: Vm) -> str | None:
    for theirs in case.accounts(new):
        same = [r for r in case.accounts(old) if r["config_sha256"] == theirs["config_sha256"] and new.was_there(r["at"])]
        after = next((r for r in same if new.name in r["partition"]), None)
        if after is None:
            continue
        # An account of the time of the join may have the new file already, or a passing one.
        alone = [r for r in case.accounts(old) if r["at"] < after["at"] and new.name not in r["partition"]]
        before = [r for r in alone if r["config_sha256"] != after["config_sha256"]]
        if not before:
            continue
        if after["started_us"] != before[-1]["started_us"] or old.name not in theirs["partition"]:
            continue
        if any(why_not_active(r) for r in (before[-1], after, theirs)):
            continue
        return (
            f"old side: {old.name}'s corosync.conf changed from {before[-1]['config_sha256'][:12]} "
            f"to {after['config_sha256'][:12]} and was taken over without a restart (both daemons' "
            f"start times unchanged, both active); new side: {new.name} runs with the same file; each sees the "
            f"other in its partition (read at {case.s(after['at'])} and {case.s(theirs['at'])})"
        )
    return None


def p11_work_fails_over(case: Case) -> Evidence:
    """P11: transactions fail over from the old VM to the new one: the application stops there and starts here."""
    for handover in handovers(case.run, case.ledger):
        new = next((vm for vm in case.later() if vm.name == handover.new and vm.was_there(handover.first_new_at)), None)
        later = (r for r in case.run.seen("cluster") if r["at"] >= handover.first_new_at)
        view: Record = next(later, {"nodes": {}})  # the next look after the handover: was it a move, or had the old node failed?
        both = {view["nodes"].get(handover.old), view["nodes"].get(handover.new)}
        if new is None or both != {"online"} or not _went_over(case, handover):
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
            f"{handover.old} staying an online member; Pacemaker had {' and '.join(case.resources(case.ledger))} there before and here after",
        )
    return missing(f"{case.ledger} going over from a member to a new VM while both were online")


def _went_over(case: Case, handover: Handover) -> bool:
    """Whether the cluster too had the service's resources on the old node before, and on the new one after."""
    known = [(r["at"], case.carrier(case.ledger, r)) for r in case.run.seen("cluster")]
    before = [who for at, who in known if at < handover.first_new_at and who]
    after = [who for at, who in known if at >= handover.first_new_at and who]
    while before and before[-1] == handover.new:
        before.pop()  # the cluster may have been looked at just before the first answer from there
    return bool(before and after) and (before[-1], after[0]) == (handover.old, handover.new)


def p12_one_address(case: Case) -> Evidence:
    """P12: clients use a virtual cluster IP, and the new VM takes over what was sent to the old one."""
    targets = {r["service"]: r["address"] for r in case.run.client if r["kind"] == "target"}
    told = []
    for service, wanted in case.run.expected().items():
        target = targets.get(service)
        if target != wanted["address"]:
            return missing(f"clients of {service} at its virtual cluster IP {wanted['address']}; they sent to {target or 'nobody'}")
        if owner := next((vm.name for vm in case.vms if vm.address == target.split(":")[0]), None):
            return missing(f"a virtual cluster IP of {service}: {target} is {owner}'s own address")
        answers = case.run.acknowledged(service)
        for new in case.later():
            since = first_answer_at(case.run, new.name, new.defined_at, service)
            if since is None or not new.was_there(since):
                continue
            before = [r for r in answers if r["acknowledged_at"] < since and r["node"] != new.name]
            if before:
                told.append(
                    f"{service}: all {len(answers)} acknowledged transactions went to {target}; "
                    f"{before[-1]['node']} answered there before, {new.name} from {case.s(since)} on"
                )
                break
        else:
            return missing(f"a new VM that answered what was sent to {service}'s address")
    return Evidence(True, "; ".join(told)) if told else missing("a client")
