# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""The demo's report, computed from recordings alone. Pure.

    ok, problems        whether everything below was seen; what was not, as sentences. What ended the demo early comes first
    vms                 [{name, host, memory_mib, uuid, defined_s, reachable_s, joined_s, deleted_s}]
    image               {names, generations, seconds}
    actions             [{kind, because, nodes, breach_s, decided_s, done_s, serving_s, failed_because}]
    client              {sent, acknowledged, failed, answered_twice, stored, lost, duplicated, invented, longest_gap_s, p50_ms, p99_ms, services}
    elements            {P1..P12: evidence}
    kills               [{at_s, whom, during}]: kill -9 of the driver and of playbooks, with script/demo --kills
    leftovers           sentences on what was left behind at the end that no member needs: domains, files, keys, constraints; and after
                        destroy_cluster (not with --keep) on anything of the cluster at all
    allowances          {silence_s, blind_s}: how long a service may be silent without a move, and an observer without a view

`ok` needs more than the elements: failures and silences of the clients within what the moves' own stops and starts explain
(clients.py), every step done and nothing that came, went or moved without one (steps.py), observers that saw
(observers.py), a whole cluster and ended programs at the end, and nothing of it afterwards (end.py).

Times ending in _s are seconds since the start of the run; null means that it did not happen. `stored`, `lost`,
`duplicated` and `invented` are of the movable service, the only one that stores; `sent`, `acknowledged`, `failed` and
`answered_twice` add the services up, `longest_gap_s` is the worst of them, and the percentiles are over all acknowledged transactions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lab.checks.actions import Action, actions_of
from lab.checks.case import Case, Evidence
from lab.checks.clients import ALLOWANCE_S, client_problems
from lab.checks.elements import ELEMENTS
from lab.checks.end import end_problems, leftovers
from lab.checks.observers import BLIND_S, observer_problems
from lab.checks.run import Run, Vm, vms_of
from lab.checks.steps import step_problems
from lab.workload.client_stats import compare_stored, latencies_ms, percentile, rounded, summarize


def build_report(run: Run, movable: str, reasons: Sequence[str] = ()) -> dict[str, Any]:
    """Returns the report; `movable` is the name of the service that stores transactions, `reasons` what ended the demo before its end."""
    vms, actions = vms_of(run), actions_of(run)
    case = Case(run, vms, actions, movable)
    elements = {name: ask(case) for name, ask in ELEMENTS.items()}
    client = report_client(run, movable)
    problems = list(dict.fromkeys([*reasons, *find_problems(case, client, elements)]))
    return {
        "ok": not problems,
        "problems": problems,
        "vms": [report_vm(run, vm) for vm in vms],
        "actions": [report_action(run, action) for action in actions],
        "client": client,
        "image": report_image(run),
        "elements": {name: evidence.text for name, evidence in elements.items()},
        "kills": [{"at_s": run.seconds(one["at"]), "whom": one["whom"], "during": one["during"]} for one in run.events_of("kill")],
        "leftovers": leftovers(case),
        "allowances": {"silence_s": ALLOWANCE_S, "blind_s": BLIND_S},
    }


def report_vm(run: Run, vm: Vm) -> dict[str, Any]:
    """Returns one line of `vms`."""
    return {
        "name": vm.name,
        "host": vm.host,
        "memory_mib": vm.memory_mib,
        "uuid": vm.uuid,
        "defined_s": run.seconds(vm.defined_at),
        "reachable_s": run.seconds(vm.reachable_at),
        "joined_s": run.seconds(vm.joined_at),
        "deleted_s": run.seconds(vm.gone_at),
    }


def report_image(run: Run) -> dict[str, Any]:
    """Returns {names, generations} as the VMs' metadata had them, and the seconds that building or checking it took."""
    defined = [record for record in run.seen("vm") if record["event"] == "defined"]
    return {
        "names": sorted({str(record["image"]) for record in defined if record.get("image")}),
        "generations": sorted({str(record["generation"]) for record in defined if record.get("generation")}),
        "seconds": (run.event("image") or {}).get("seconds"),
    }


def report_action(run: Run, action: Action) -> dict[str, Any]:
    """Returns one line of `actions`."""
    return {
        "kind": action.kind,
        "because": action.because,
        "nodes": list(action.nodes),
        "breach_s": run.seconds(action.breach_at),
        "decided_s": run.seconds(action.decided_at),
        "done_s": run.seconds(action.done_at),
        "serving_s": run.seconds(action.serving_at),
        "failed_because": action.failed_because,
    }


def report_client(run: Run, movable: str) -> dict[str, Any]:
    """Returns `client`: the totals, and the same numbers per service below `services`."""
    services = {service: summarize(run.transactions(service)) for service in run.services()}
    latencies = latencies_ms(run.transactions())
    stored = compare_stored(run.transactions(movable), run.stored, run.client_name)
    if movable in services:
        services[movable].update(stored)
    return {
        **{key: sum(one[key] for one in services.values()) for key in ("sent", "acknowledged", "failed", "answered_twice")},
        **{key: stored[key] for key in ("stored", "lost", "duplicated", "invented")},
        "longest_gap_s": max((one["longest_gap_s"] for one in services.values()), default=0.0),
        "p50_ms": rounded(percentile(latencies, 0.50)),
        "p99_ms": rounded(percentile(latencies, 0.99)),
        "services": services,
    }


def find_problems(case: Case, client: Mapping[str, Any], elements: Mapping[str, Evidence]) -> list[str]:
    """Returns what keeps the run from being ok, as sentences; empty when nothing does."""
    problems = [f"{name} {evidence.text}" for name, evidence in elements.items() if not evidence.seen]
    if not client["acknowledged"]:
        problems.append("no transaction was acknowledged")
    if client["lost"]:
        problems.append(f"{client['lost']} acknowledged transactions were not stored")
    if client["duplicated"]:
        problems.append(f"{client['duplicated']} transactions were stored more than once")
    if client["invented"]:
        problems.append(f"{client['invented']} transactions were stored that the client never sent")
    for ask in (client_problems, step_problems, observer_problems, end_problems, leftovers):
        problems += ask(case)
    return problems


def render_report(report: Mapping[str, Any]) -> str:
    """Returns the report as text for a terminal."""
    client = report["client"]
    lines = ["", "VMs" + " " * 29 + "defined  reachable  joined  deleted  (s)"]
    for vm in report["vms"]:
        columns = (("defined_s", 7), ("reachable_s", 9), ("joined_s", 6), ("deleted_s", 7))
        shown = "  ".join(f"{'-' if vm[key] is None else f'{vm[key]:.1f}':>{width}}" for key, width in columns)
        lines.append(f"  {vm['name']} on {vm['host']}, {vm['memory_mib']} MiB".ljust(32) + shown)
    lines += ["", "Actions"]
    for action in report["actions"]:
        when = ", ".join(
            f"{word} {action[key]:.1f} s"
            for word, key in (("breach", "breach_s"), ("decided", "decided_s"), ("done", "done_s"), ("serving", "serving_s"))
            if action[key] is not None
        ) + (f"; failed: {action['failed_because']}" if action["failed_because"] else "")
        lines.append(f"  {action['kind']}: {action['because']} ({when})")
    lines += ["", "Clients"]
    for service, one in client["services"].items():
        stored = f", {one['stored']} stored, {one['lost']} lost, {one['duplicated']} duplicated" if "stored" in one else ""
        lines.append(
            f"  {service}: {one['sent']} sent, {one['acknowledged']} acknowledged, {one['failed']} failed{stored}; "
            f"longest gap {one['longest_gap_s']} s, half within {one['p50_ms']} ms, 99 % within {one['p99_ms']} ms"
        )
    lines += ["", "Elements", *(f"  {name.ljust(3)} {text}" for name, text in report["elements"].items())]
    lines += ["", "ok" if report["ok"] else "NOT ok:\n" + "\n".join(f"  {problem}" for problem in report["problems"])]
    return "\n".join(lines)
