# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""How the run ended: what stood then, how the programs ended, what was left, and whether what was asked of the demo was done. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from lab.checks.case import Case
from lab.checks.run import Record, first

PROGRAMS = ("client", "driver", "witness")


def end_problems(case: Case) -> list[str]:
    """Returns what was wrong at the end, as sentences."""
    return [*standing_problems(case), *program_problems(case), *kill_problems(case), *destroyed_problems(case)]


def standing_problems(case: Case) -> list[str]:
    """The cluster as it stood when everything was done and before it was destroyed."""
    views = case.run.seen("cluster")
    if not views:
        return ["nobody ever saw the cluster"]
    view, busy_until = views[-1], done_at(case)
    if view["at"] < busy_until:
        return [f"the last view of the cluster is of {case.s(view['at'])}, and the driver was at work until {case.s(busy_until)}"]
    found = []
    if view["quorate"] is not True:
        found.append(f"the cluster was not quorate at the end ({case.s(view['at'])})")
    there = sorted(vm.name for vm in case.vms if vm.gone_at is None)
    if down := [f"{vm.name} ({vm.state})" for vm in case.vms if vm.gone_at is None and vm.state != "running"]:
        found.append(f"libvirt showed VMs that didn't run at the end: {', '.join(down)}")
    if not there:
        found.append("libvirt showed no VM of the cluster at the end")
    if off := [f"{name} is {state}" for name, state in sorted(view["nodes"].items()) if state != "online"]:
        found.append(f"not every node was online at the end ({case.s(view['at'])}): {', '.join(off)}")
    if sorted(view["nodes"]) != there:
        found.append(
            f"the cluster's nodes at the end were {', '.join(sorted(view['nodes'])) or 'none'}, its VMs {', '.join(there) or 'none'}"
        )
    return [*found, *service_problems(case, view)]


def done_at(case: Case) -> float:
    """Until when the driver may have changed something: its own end, or at least its last step's."""
    ended = [event["at"] for event in case.run.events_of("ended") if event["name"] == "driver"]
    steps = [at for action in case.actions for at in (action.began_at, action.ended_at) if at is not None]
    return max([*ended, *steps], default=case.run.started_at)


def service_problems(case: Case, view: Record) -> list[str]:
    """Services that didn't run in the last view: a balanced one on every online node with one address, a movable one whole on one node."""
    online = sorted(name for name, state in view["nodes"].items() if state == "online")
    found = []
    for service, wanted in case.run.expected().items():
        where = {one: view["resources"].get(one, []) for one in wanted["resources"]}
        everywhere = {one for one in where if wanted["kind"] == "balanced" and not one.endswith("-address")}
        wrong = [one for one in where if (sorted(where[one]) != online if one in everywhere else len(where[one]) != 1)]
        if not wrong and wanted["kind"] == "movable" and case.carrier(service, view) is None:
            wrong = list(where)
        if wrong or not online:
            told = ", ".join(f"{one} on {' and '.join(where[one]) or 'no node'}" for one in wrong)
            found.append(f"{service} did not run as it should at the end ({case.s(view['at'])}): {told or 'no node is online'}")
    return found if case.run.expected() else ["the requirement names no service"]


def program_problems(case: Case) -> list[str]:
    """Exit codes: 0, or 1 of the client where it failed transactions that were judged on their own."""
    codes: Mapping[str, int] = {event["name"]: event["code"] for event in case.run.events_of("ended")}
    failed = any(record["acknowledged_at"] is None for record in case.run.transactions())
    found = []
    for name in PROGRAMS:
        right = 1 if name == "client" and failed else 0
        if name not in codes:
            found.append(f"nobody saw the end of the {name}")
        elif codes[name] != right:
            says = f" although its record has {'a' if failed else 'no'} failed transaction" if name == "client" else ""
            found.append(f"the {name} ended with exit code {codes[name]}{says}")
    return found


def kill_problems(case: Case) -> list[str]:
    """Kills that were asked for and not done."""
    driver = case.run.event("driver")
    if driver is None:
        return ["the driver was never started"]
    done = [event for event in case.run.events_of("kill") if str(event["whom"]).startswith("the driver")]
    asked = driver["kills"]
    return [] if len(done) == asked else [f"{asked} kills of the driver were asked for and {len(done)} were done"]


def destroyed_problems(case: Case) -> list[str]:
    """Whether the end of the cluster was told and seen by libvirt; not of a cluster that is to be kept."""
    if (case.run.event("start") or {}).get("keep"):
        return []
    event = case.run.event("destroyed")
    if event is None:
        return ["the cluster was not destroyed at the end"]
    found = []
    for vm in case.vms:
        gone = first(case.run.witness, lambda r, uuid=vm.uuid: r["kind"] == "vm" and r["event"] == "gone" and r["uuid"] == uuid)  # type: ignore[misc]
        if gone is None:
            found.append(f"nobody saw {vm.name} (UUID {vm.uuid}) go when the cluster was destroyed")
    return found


def leftovers(case: Case) -> list[str]:
    """Returns what was left behind, of every time when somebody looked; and that nobody looked."""
    looks = case.run.events_of("leftovers")
    found = [] if looks else ["nobody looked for what was left behind"]
    for event in case.run.events:
        found += [str(one) for one in event.get("found", [])]
    return list(dict.fromkeys(found))
