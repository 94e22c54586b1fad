# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""Whether what the clients had to bear is explained by what the driver did on purpose, or was trouble. Pure.

A move stops its service on one node and starts it on another: while such a step runs, its service may be silent, and a
transaction may be given up. A balanced service has no such pause; only where its node leaves, its address goes over, in
no longer than the movable service, which has an address among other things, took to go over in the same run.
"""

from __future__ import annotations

from collections.abc import Sequence

from lab.checks.actions import Action
from lab.checks.case import Case
from lab.checks.run import Record, handovers, whole_since
from lab.workload.client_stats import silences

ALLOWANCE_S = 5.0
"""So long may a service be silent without anybody's doing: an emulated VM while another one boots, on a machine with more to do. Less
than 1 s was seen on two cores with a load of 16."""
SCHEDULE_S = 5.0
"""So much later than its rate says may the client have its next transaction due; its schedule waits for nobody."""
Window = tuple[float, float]


def window_of(case: Case, action: Action) -> Window:
    """Returns when an action was at work. One that has no good end ends when the cluster was next seen whole."""
    if action.done_at is not None:
        return action.began_at, action.done_at
    whole = whole_since(case.run, action.ended_at if action.ended_at is not None else action.began_at)
    return action.began_at, case.run.ended_at if whole is None else whole


def windows_of(case: Case, service: str) -> list[Window]:
    """Returns when steps were at work that stop and start a service, or its address, on purpose."""
    if case.run.expected().get(service, {}).get("kind") == "movable":
        mine = [a for a in case.actions if (a.kind == "move" and a.service == service) or (a.kind == "shrink" and carried(case, a))]
    else:
        mine = [a for a in case.actions if a.kind == "shrink"]
    return [window_of(case, action) for action in mine]


def carried(case: Case, shrink: Action) -> bool:
    """Whether the node that left had the movable service when it began to leave, so that it went over with that."""
    opens, closes = window_of(case, shrink)
    return any(h.old in shrink.nodes and opens <= h.first_new_at <= closes for h in handovers(case.run, case.ledger))


def unexplained_s(begin: float, end: float, windows: Sequence[Window]) -> float:
    """Returns the seconds from `begin` to `end` that lie in none of the windows."""
    rest, at = 0.0, begin
    for opens, closes in sorted(windows):
        rest += max(0.0, min(opens, end) - at)
        at = max(at, min(closes, end))
    return rest + max(0.0, end - at)


def client_problems(case: Case) -> list[str]:
    """Returns what clients had to bear without a reason, as sentences."""
    found: list[str] = []
    for service in case.run.services():
        records = case.run.transactions(service)
        found += failures(case, service, records) + gaps(case, service, records)
        answers = [r["id"] for r in records if r["acknowledged_at"] is not None]
        if twice := len(answers) - len(set(answers)) + sum(r["mixed_up"] for r in records):
            found.append(f"{service}: {twice} answers came twice, or for another transaction than the one asked")
        if backwards := [r["id"] for r in records if r["acknowledged_at"] is not None and r["acknowledged_at"] < r["due_at"]]:
            found.append(f"{service}: {backwards[0]} was acknowledged before it was due")
    if silent := [service for service in case.run.expected() if service not in case.run.services()]:
        found.append(f"nobody sent to {' and '.join(silent)}")
    return [*found, *strangers(case), *schedule_gaps(case)]


def failures(case: Case, service: str, records: Sequence[Record]) -> list[str]:
    """Failed transactions; only a move of the very service explains one, if it was tried mainly while that was at work."""
    failed = [r for r in records if r["acknowledged_at"] is None]
    movable = case.run.expected().get(service, {}).get("kind") == "movable"
    windows = windows_of(case, service) if movable else []
    bad = [r for r in failed if not is_explained(r["due_at"], r["ended_at"], windows)]
    if not bad:
        return []
    first = min(bad, key=lambda record: record["due_at"])
    return [
        f"{service}: {len(bad)} of {len(records)} transactions failed and no move explains it, the first one due at {case.s(first['due_at'])}"
    ]


def is_explained(begin: float, end: float, windows: Sequence[Window]) -> bool:
    """Whether a failed transaction's time lies in windows, but for the allowance."""
    return any(begin <= closes and end >= opens for opens, closes in windows) and unexplained_s(begin, end, windows) <= ALLOWANCE_S


def gaps(case: Case, service: str, records: Sequence[Record]) -> list[str]:
    """Times in which nothing was acknowledged although it was due; with how long, when, and how much of it is unexplained."""
    movable = case.run.expected().get(service, {}).get("kind") == "movable"
    windows = windows_of(case, service)
    over = [h.first_new_at - h.last_old_at for h in handovers(case.run, case.ledger)]
    most_s = float("inf") if movable else max([ALLOWANCE_S, *over])
    found = []
    for begin, end in silences(records):
        rest = unexplained_s(begin, end, windows)
        if rest > ALLOWANCE_S or end - begin > most_s:
            why = f"{rest:.1f} s of it outside of any move" if rest > ALLOWANCE_S else f"longer than a going over takes ({most_s:.1f} s)"
            found.append(f"{service}: nothing was acknowledged for {end - begin:.1f} s from {case.s(begin)} on, {why}")
    return found


def strangers(case: Case) -> list[str]:
    """Acknowledgements of nodes that were no VM of the run at that time."""
    found: dict[str, list[Record]] = {}
    for record in case.run.acknowledged():
        at = record["acknowledged_at"]
        if not any(vm.name == record["node"] and vm.running_at is not None and vm.was_there(at) for vm in case.vms):
            found.setdefault(str(record["node"]), []).append(record)
    return [
        f"{len(records)} transactions were acknowledged by {node}, which was no VM of the run then (the first at {case.s(records[0]['acknowledged_at'])})"
        for node, records in found.items()
    ]


def schedule_gaps(case: Case) -> list[str]:
    """Times in which the client had nothing due although its rate says so: it was not there, and saw nothing."""
    found = []
    rates: dict[str, list[Record]] = {}
    for record in case.run.client:
        if record["kind"] == "rate":
            rates.setdefault(record["service"], []).append(record)
    ends = [r["stopped_at"] for r in case.run.client if r["kind"] == "end"]
    if not ends:
        found.append("the client's record has no end: it was cut off, or there was no client")
    until = ends[-1] if ends else case.run.ended_at
    if case.actions and until < case.actions[-1].began_at:
        found.append(f"the client ended at {case.s(until)}, before the last step of the driver began")
    for service in case.run.expected():
        changes = rates.get(service, [])
        due = sorted(r["due_at"] for r in case.run.transactions(service))
        for i, change in enumerate(changes):
            closes = changes[i + 1]["at"] if i + 1 < len(changes) else until
            found += _pause(case, service, change, closes, due)
        if not changes:
            found.append(f"the client was never told a rate for {service}")
    return found


def _pause(case: Case, service: str, change: Record, closes: float, due: Sequence[float]) -> list[str]:
    if not change["rate_per_s"]:
        return []
    inside = [change["at"], *(at for at in due if change["at"] < at < closes), closes]
    worst = max(range(1, len(inside)), key=lambda i: inside[i] - inside[i - 1])
    pause_s = inside[worst] - inside[worst - 1]
    if pause_s <= 1 / change["rate_per_s"] + SCHEDULE_S:
        return []
    return [
        f"{service}: the client had nothing due for {pause_s:.1f} s from {case.s(inside[worst - 1])} on, at {change['rate_per_s']:g} a second"
    ]
