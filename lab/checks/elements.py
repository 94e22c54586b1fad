# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""The twelve elements of the method, each as one question to the recordings. Pure. P9 to P12 are in joins.py.

Every function returns Evidence: a sentence with the numbers and times that were observed, or what was looked for and
not seen. The order of ELEMENTS is the order of the report. Times in sentences are seconds since the start of the run.
"""

from __future__ import annotations

from collections.abc import Callable

from lab.checks.actions import Action
from lab.checks.case import Case, Evidence, missing
from lab.checks.joins import p9_stack_on_new_vms, p10_join_on_both_sides, p11_work_fails_over, p12_one_address, stack_on
from lab.checks.run import Record, first


def p1_requirement_received_first(case: Case) -> Evidence:
    """P1: the requirement is received before the first VM exists: the witness saw the very file arrive."""
    event = case.run.event("requirement")
    if event is None or not case.vms:
        return missing("a requirement and a VM after it")
    file = first(case.run.seen("file"), lambda record: record["sha256"] == event["sha256"])
    if file is None:
        return missing(f"the arrival of {event['file']} by the witness")
    defined = case.vms[0].defined_at
    late = max(event["at"], file["at"])
    if late >= defined:
        return missing(f"the requirement came at {case.s(late)}, the first VM already at {case.s(defined)}")
    blind = [host for host in event["hosts"] if not any(r["host"] == host and r["ok"] and r["at"] < defined for r in hosts_told(case))]
    if blind:
        return missing(f"{' and '.join(blind)} without a VM before {case.s(defined)}: the witness could not look there")
    return Evidence(
        True,
        f"{event['file']} (SHA-256 {file['sha256'][:12]}) was there at {case.s(file['at'])}: {event['summary']}; libvirt showed no VM "
        f"of the cluster before {case.s(defined)}",
    )


def hosts_told(case: Case) -> list[Record]:
    """What the witness said of the hosts."""
    return case.run.seen("host")


def p2_initial_vms_created(case: Case) -> Evidence:
    """P2: the initial VMs are created through libvirt."""
    initial = [vm for vm in case.initial() if vm.running_at is not None]
    if not initial:
        return missing("a VM that libvirt showed running before the creation was over")
    unreached = [vm.name for vm in initial if vm.reachable_at is None and vm.gone_at is None]
    if unreached or all(vm.reachable_at is None for vm in initial):
        return missing(f"the SSH banner of {', '.join(unreached) or initial[0].name}")
    return Evidence(
        True,
        "; ".join(
            f"libvirt on {vm.host} showed {vm.name} (UUID {vm.uuid}, {vm.memory_mib} MiB) defined at "
            f"{case.s(vm.defined_at)}, running at {case.s(vm.running_at)}, its SSH banner came at {case.s(vm.reachable_at)}"
            for vm in initial
        ),
    )


def p3_stack_on_initial_vms(case: Case) -> Evidence:
    """P3: a clustering process is installed on every initial VM."""
    return stack_on(case, [vm for vm in case.initial() if vm.joined_at is not None or vm.gone_at is None], "an initial")


def p4_three_functions_on_every_member(case: Case) -> Evidence:
    """P4: membership, failover processing and load balancing on every member, all three in one view of the cluster."""
    told = []
    for vm in case.vms:
        if vm.joined_at is None:
            continue
        online = [
            r for r in case.run.seen("cluster") if vm.was_there(r["at"]) and r["nodes"].get(vm.name) == "online" and r["quorate"] is True
        ]
        view = first(online, lambda r, name=vm.name: name in r["resources"].get("haproxy", []))  # type: ignore[misc]
        member = case.member(vm)
        failover = member is not None and member["states"].get("pacemaker") == "active"
        if view is None or not failover:
            lacking = [
                what for what, seen in (("membership", online), ("load balancing", view), ("failover processing", failover)) if not seen
            ]
            return missing(f"{' and '.join(lacking)} on {vm.name}")
        told.append(f"{vm.name} online in a quorate cluster with HAProxy running at {case.s(view['at'])}, Pacemaker active")
    return Evidence(True, "; ".join(told)) if told else missing("a member")


def p5_cluster_of_one_first(case: Case) -> Evidence:
    """P5: the first VM's clustering process creates the cluster with that VM as first node."""
    views = [r for r in case.run.seen("cluster") if any(state == "online" for state in r["nodes"].values())]
    if not views:
        return missing("a cluster with an online node")
    if not case.vms:
        return missing("a VM of the cluster")
    view, name = views[0], case.vms[0].name
    if list(view["nodes"]) != [name]:
        return missing(f"a cluster of {name} alone; the first one seen had {', '.join(view['nodes'])}")
    if view["dc"] != name:
        return missing(f"{name} as the DC of its own cluster; the first view has {view['dc'] or 'none'}")
    if view["quorate"] is not True:
        return missing(f"a quorate cluster of one; the first one seen, at {case.s(view['at'])}, was not quorate")
    return Evidence(
        True, f"at {case.s(view['at'])} {view['through']} told of {name} as the only node, online, DC {view['dc']}, quorate: yes"
    )


def p6_requirements_changed(case: Case) -> Evidence:
    """P6: an increase and a decrease are determined, from measured load or a new statement that came before."""
    up = [(a, why) for a in case.actions if a.kind == "grow" and (why := _cause(case, a, rising=True))]
    down = [(a, why) for a in case.actions if a.kind in ("shrink", "replace") and (why := _cause(case, a, rising=False))]
    if not up or not down:
        return missing("an increase after the load had risen" if not up else "a decrease after the load had fallen or less was asked for")
    told = [f"increase determined at {case.s(up[0][0].decided_at)} ({up[0][1]}): {up[0][0].because}"]
    told += [f"decrease determined at {case.s(a.decided_at)} ({why}): {a.because}" for a, why in down]
    return Evidence(True, "; ".join(told))


def _cause(case: Case, action: Action, rising: bool) -> str | None:
    """What the client sent, or the witness read of the cluster file, before a decision that it explains; None where nothing does."""
    stated = statement_seen_at(case)
    if not rising and stated is not None and stated <= action.decided_at:
        return f"after the new statement of {case.s(stated)}"
    rates: dict[str, list[Record]] = {}
    for record in case.run.client:
        if record["kind"] == "rate" and record["at"] <= action.decided_at:
            rates.setdefault(record["service"], []).append(record)
    found = []
    for service, changes in rates.items():
        if len(changes) < 2:
            continue  # the first rate is no change
        before, after = changes[-2]["rate_per_s"], changes[-1]["rate_per_s"]
        if (after > before) if rising else (after < before):
            told = f"{service} went from {before:g} to {after:g} transactions/s at {case.s(changes[-1]['at'])}"
            found.append((abs(after - before), told))
    return max(found)[1] if found else None


def statement_seen_at(case: Case) -> float | None:
    """Returns when the witness read the cluster file of the new statement, or None."""
    event = case.run.event("statement")
    if event is None:
        return None
    file = first(case.run.seen("file"), lambda r: r["sha256"] == event["sha256"] and r["at"] >= event["at"] - 1.0)
    return None if file is None else float(file["at"])


def p7_new_vms_sized_for_the_need(case: Case) -> Evidence:
    """P7: the answer to either is a new VM sized for the new need; for a decrease a smaller replacement."""
    grow = next((action for action in case.actions if action.kind == "grow"), None)
    added = [vm for vm in case.later() if grow and vm.defined_at >= grow.decided_at]
    if not added:
        return missing("a VM defined after the increase was determined")
    statement, stated_at = case.run.event("statement"), statement_seen_at(case)
    if statement is None:
        return missing("a statement of a smaller need")
    if stated_at is None:
        return missing("the arrival of the file with the smaller requirement by the witness")
    wanted_mib = statement["memory_mib"]
    smaller = [vm for vm in added if vm.defined_at >= stated_at and vm.memory_mib == wanted_mib < added[0].memory_mib]
    if not smaller:
        return missing("a smaller VM after the requirement had been stated smaller")
    grown, small = added[0], smaller[0]
    joined_at = small.joined_at or 0.0
    replaced = [vm for vm in case.vms if vm.gone_at and vm.gone_at > joined_at and vm.memory_mib > small.memory_mib]
    if not replaced:
        return missing(f"a larger VM that went after {small.name} had joined")
    return Evidence(
        True,
        f"increase: {grown.name} of {grown.memory_mib} MiB defined on {grown.host} at {case.s(grown.defined_at)}; "
        f"decrease: {small.name} of {small.memory_mib} MiB defined on {small.host} at {case.s(small.defined_at)}, "
        f"took the place of {replaced[0].name} of {replaced[0].memory_mib} MiB, gone at {case.s(replaced[0].gone_at)}",
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
