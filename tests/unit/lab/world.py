# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""A whole good run of the demo, written down as its observers would: times and formats are those of a real one on 2 cores.

Its clients send a tenth of what the real ones do, so that a report is made in some milliseconds.

One node, load up, a second node joins and takes the ledger, load down, it leaves, a smaller one replaces the first. Seconds
here are since the start of the run; `at(s)` makes them epoch seconds.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from lab.checks.run import Run
from ondemand.memory import Memory
from ondemand.model import Decision, Kind, Outcome, Plan, Step, StepKind
from ondemand.record.journal import Journal

ZERO = 1_790_000_000.0
FILE, SMALLER_FILE = "1" * 64, "2" * 64
SERVICES = {
    "web": {"kind": "balanced", "address": "10.99.0.10:80", "resources": ["haproxy", "web", "web-address"]},
    "ledger": {"kind": "movable", "address": "10.99.0.11:5000", "resources": ["ledger-data", "ledger-app", "ledger-address"]},
}
N1, N2 = "shop-n1", "shop-n2"
# From when on which nodes are online, who has the ledger (None: on its way), and who the address of web.
MEMBERS = [(55.0, [N1]), (143.0, [N1, N2]), (276.0, [N1]), (326.0, [N1, N2]), (427.0, [N2])]
LEDGER = [(55.0, N1), (186.5, None), (198.8, N2), (234.0, None), (246.5, N1), (362.0, None), (374.0, N2)]
ADDRESS = [(55.0, N1), (396.0, None), (398.0, N2)]
SERVERS = [(0.0, [N1]), (150.0, [N1, N2]), (262.0, [N1]), (340.0, [N1, N2]), (392.0, [N2])]
RATES = [(80.3, {"web": 0.5, "ledger": 0.5}), (85.3, {"web": 2.5, "ledger": 1.0}), (202.3, {"web": 0.5, "ledger": 0.5})]
CLIENT_STOPPED_S, DRIVER_ENDED_S, STOPPED_S = 448.0, 450.0, 461.0


def at(seconds: float) -> float:
    """Returns seconds since the start as epoch seconds."""
    return ZERO + seconds


def newest(states: Sequence[tuple[float, Any]], seconds: float) -> Any:
    """Returns the state that was the case at that time."""
    return [state for since, state in states if since <= seconds][-1]


def cluster_view(when: float, through: str, online: Sequence[str], carrier: str | None, address: str | None) -> dict[str, Any]:
    """A read-back of a cluster whose named nodes are online, with the ledger on `carrier` and the address of web on `address`."""
    names, ledger = sorted(online), [carrier] if carrier else []
    resources = {"haproxy": names, "web": names, "web-address": [address] if address else []}
    resources |= dict.fromkeys(SERVICES["ledger"]["resources"], ledger)
    return {
        "kind": "cluster",
        "at": when,
        "through": through,
        "dc": through,
        "quorate": True,
        "nodes": dict.fromkeys(names, "online"),
        "resources": resources,
    }


def member_view(when: float, node: str, uuid: str, config: str, *partition: str) -> dict[str, Any]:
    """A member's account of itself."""
    return {
        "kind": "member",
        "at": when,
        "node": node,
        "uuid": uuid,
        "packages": {"corosync": "3.1.7", "pacemaker": "2.1.5", "haproxy": "2.6.12"},
        "config_sha256": config * 64,
        "states": {"corosync": "active", "pacemaker": "active"},
        "started_us": {"corosync": 21, "pacemaker": 22},
        "partition": sorted(partition),
    }


def vm_events(node: str, uuid: str, host: str, memory_mib: int, address: str, **times: float) -> list[dict[str, Any]]:
    """What libvirt and the SSH probe showed of a VM."""
    facts = {"kind": "vm", "name": node, "uuid": uuid, "host": host, "memory_mib": memory_mib, "address": address}
    facts |= {"image": "debian-12-node", "generation": "1", "vcpus": 1}
    return [{**facts, "event": event, "at": when} for event, when in times.items()]


def transactions(service: str) -> list[dict[str, Any]]:
    """What the client wrote of one service: a schedule by its rates, answered within 15 ms but where the service was on its way."""
    records: list[dict[str, Any]] = []
    for i, (since, rates) in enumerate(RATES):
        until = RATES[i + 1][0] if i + 1 < len(RATES) else CLIENT_STOPPED_S
        for k in range(int((until - since) * rates[service])):
            due = since + k / rates[service]
            places = ADDRESS if service == "web" else LEDGER
            answered = due if newest(places, due) else next(s for s, who in places if s > due and who) + 0.05
            servers = newest(SERVERS, answered)
            node = servers[k % len(servers)] if service == "web" else newest(LEDGER, answered)
            one = {"kind": "transaction", "service": service, "id": f"c1/{len(records) + 1}", "due_at": at(due), "sent_at": at(due)}
            one |= {"acknowledged_at": at(answered + 0.015), "ended_at": at(answered + 0.015), "attempts": 1, "mixed_up": 0}
            records.append({**one, "node": node, "because": None})
    return records


def client_records() -> list[dict[str, Any]]:
    """The client's whole record."""
    records: list[dict[str, Any]] = [
        {"kind": "target", "service": name, "at": at(80.1), "address": service["address"]} for name, service in SERVICES.items()
    ]
    records += [
        {"kind": "rate", "service": name, "at": at(since), "rate_per_s": rate} for since, rates in RATES for name, rate in rates.items()
    ]
    records += sorted(transactions("web") + transactions("ledger"), key=lambda record: record["ended_at"])
    return [*records, {"kind": "end", "at": at(CLIENT_STOPPED_S + 0.5), "stopped_at": at(CLIENT_STOPPED_S), "client": "c1"}]


def witness_records() -> list[dict[str, Any]]:
    """The witness's whole record."""
    records = [{"kind": "file", "at": at(s), "sha256": one, "bytes": 1900} for s, one in ((9.8, FILE), (286.3, SMALLER_FILE))]
    for host in ("hv1", "hv2"):
        records += [{"kind": "host", "at": at(10.0 + 10.0 * i), "host": host, "ok": True, "because": None} for i in range(46)]
    times: dict[str, float] = {"defined": at(26), "running": at(26.5), "reachable": at(45), "stopped": at(430.5), "gone": at(431)}
    records += vm_events(N1, "uuid-1", "hv1", 640, "10.99.0.20", **times)
    times = {"defined": at(105), "running": at(105.5), "reachable": at(130), "stopped": at(281), "gone": at(281.5)}
    records += vm_events(N2, "uuid-2", "hv2", 640, "10.99.0.21", **times)
    times = {"defined": at(291), "running": at(291.5), "reachable": at(316), "stopped": at(468), "gone": at(468.5)}
    records += vm_events(N2, "uuid-3", "hv2", 512, "10.99.0.21", **times)
    seconds = 55.5
    while seconds < STOPPED_S - 1:
        online = newest(MEMBERS, seconds)
        records.append(cluster_view(at(seconds), online[0], online, newest(LEDGER, seconds), newest(ADDRESS, seconds)))
        seconds += 6.0
    configs = dict(zip([since for since, _ in MEMBERS], "abcde", strict=True))
    for since, online in MEMBERS:
        for node in online:
            uuid = "uuid-1" if node == N1 else "uuid-2" if since < 300 else "uuid-3"
            records += [member_view(at(since + later), node, uuid, configs[since], *online) for later in (7.0, 25.0)]
    records += [
        {"kind": "balancer", "service": "web", "at": at(81.0 + 2 * i), "servers": {"web/s1": "UP"}, "requests": {"web": i}}
        for i in range(190)
    ]
    return sorted(records, key=lambda record: record["at"])


class Diary:
    """Writes a journal as the driver does, in memory; times are seconds of the run."""

    def __init__(self) -> None:
        self.journal = Journal(None)

    def decision(self, seconds: float, kind: Kind, wanted: int, because: str, breach: float | None = None) -> None:
        """A decision."""
        self.journal.decision(at(seconds), Decision(kind, wanted, because, f"{kind.value}:{because}", breach and at(breach)))

    def step(
        self,
        kind: StepKind,
        because: str,
        span: tuple[float, float],
        breach: float,
        variables: Mapping[str, Any],
        facts: Mapping[str, Any] | None = None,
        failed: str = "",
    ) -> None:
        """A plan of one step, the step, and its end after `span`; with `failed` a bad one."""
        step = Step(kind, variables, because, {}, 300.0)
        self.journal.plan(at(span[0] - 0.3), Plan((step,), because))
        number = self.journal.step_begun(at(span[0]), step, at(breach), Memory())
        outcome = Outcome(not failed, {} if failed else dict(facts or variables), failed or "done", at(span[0]), at(span[1]))
        self.journal.step_ended(number, outcome, Memory())

    def entries(self) -> list[dict[str, Any]]:
        """What `ondemand history --json` prints."""
        return list(json.loads(json.dumps(self.journal.history())))


GROWN, SHRUNK = "lb.rate_per_node 2.5 above 1.5 for 6 s", "lb.rate_per_node 0.2 below 0.6 for 12 s"
STATED = "nodes of 1 vCPU and 512 MiB are asked for"
OUT, IN, MOVE = StepKind.OUT, StepKind.IN, StepKind.MOVE


def journal_entries() -> list[dict[str, Any]]:
    """The driver's journal."""
    diary = Diary()
    diary.decision(84.0, Kind.HOLD, 1, "lb.rate_per_node 1 is between 0.6 and 1.5")
    diary.decision(97.5, Kind.GROW, 2, GROWN, 91.3)
    diary.step(OUT, f"{GROWN}; 1 of 2 are members", (98.0, 165.0), 91.3, {"wanted": 2}, {"wanted": 2, "nodes": [N1, N2]})
    diary.decision(165.5, Kind.HOLD, 2, "the cooldown runs")
    diary.step(MOVE, f"ledger goes to the emptier {N2}", (171.5, 206.0), 91.3, {"service": "ledger", "to": N2})
    diary.decision(228.0, Kind.SHRINK, 1, SHRUNK, 216.0)
    diary.step(MOVE, f"{N2} leaves, ledger goes to {N1}", (228.5, 255.0), 216.0, {"service": "ledger", "to": N1})
    diary.step(IN, f"{SHRUNK}; 2 are members, and {N2} leaves", (258.0, 282.5), 216.0, {"wanted": 1, "leavers": [N2]})
    diary.decision(286.5, Kind.SHRINK, 1, STATED, 286.4)
    diary.step(OUT, f"{STATED}; {N1} is replaced: a node joins first", (287.0, 351.0), 286.4, {"wanted": 2})
    diary.step(MOVE, f"{N1} leaves, ledger goes to {N2}", (355.0, 381.5), 286.4, {"service": "ledger", "to": N2})
    diary.step(IN, f"{STATED}; 2 are members, and {N1} leaves", (385.0, 434.0), 286.4, {"wanted": 1, "leavers": [N1]})
    return diary.entries()


def notes() -> list[dict[str, Any]]:
    """The demo's own notes."""
    told: list[tuple[float, str, dict[str, Any]]] = [
        (0.0, "start", {"keep": False}),
        (9.9, "requirement", {"file": "examples/demo.yml", "sha256": FILE, "summary": "1 to 3 nodes of 1 vCPU and 640 MiB"}),
        (22.0, "image", {"seconds": 6.5}),
        (78.0, "created", {}),
        (80.0, "client", {"name": "c1"}),
        (83.0, "driver", {"kills": 0, "seed": 0}),
        (85.0, "load", {"rates": RATES[1][1]}),
        (202.0, "load", {"rates": RATES[2][1]}),
        (286.0, "statement", {"memory_mib": 512, "sha256": SMALLER_FILE}),
        (449.0, "ended", {"name": "client", "code": 0}),
        (DRIVER_ENDED_S, "ended", {"name": "driver", "code": 0}),
        (460.0, "leftovers", {"found": []}),
        (STOPPED_S, "stopped", {}),
        (470.0, "destroyed", {"found": []}),
        (471.0, "ended", {"name": "witness", "code": 0}),
    ]
    records = [{"at": at(s), "what": what, **facts} for s, what, facts in told]
    records[1] |= {"hosts": ["hv1", "hv2"], "services": SERVICES}
    return records


def good_world() -> Run:
    """Returns the run."""
    client = client_records()
    stored = [r["id"] for r in client if r["kind"] == "transaction" and r["service"] == "ledger"]
    return Run(ZERO, witness_records(), client, stored, "c1", journal_entries(), notes())
