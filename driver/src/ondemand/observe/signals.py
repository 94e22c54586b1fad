# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""Signals from two samples. Pure: rates from counters, a counter that went back is no sample, missing is not zero."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ondemand.model import Signal
from ondemand.observe.haproxy import ServiceStats
from ondemand.observe.libvirt_door import CpuSample

SAME_PROCESS_S = 2.0
"""two looks at one load balancer agree on when it came up within so much: its figures are whole seconds"""


@dataclass(frozen=True)
class LoadSample:
    """One look: VM name -> CPU, balanced service -> statistics; what is missing could not be read."""

    at: float
    cpus: Mapping[str, CpuSample] = field(default_factory=dict)
    services: Mapping[str, ServiceStats] = field(default_factory=dict)


def signals(before: LoadSample | None, now: LoadSample, members: Mapping[str, str], services: Sequence[str]) -> dict[str, Signal]:
    """What the newest sample tells. `members`: node -> address, the nodes that serve; `services`: the balanced ones' names."""
    found = {}
    cpu = cpu_share(before, now, members)
    if cpu is not None:
        found["vm.cpu"] = cpu
    if services and all(name in now.services for name in services):
        found.update(balancer(before, now, members, services))
    return found


def cpu_share(before: LoadSample | None, now: LoadSample, members: Mapping[str, str]) -> Signal | None:
    """Mean over the members of used CPU time / (elapsed time x vCPUs), each between 0 and 1."""
    shares = {}
    for name in members:
        old, new = before.cpus.get(name) if before else None, now.cpus.get(name)
        if old is None or new is None or new.at <= old.at or new.cpu_ns < old.cpu_ns:
            continue
        shares[name] = min(1.0, (new.cpu_ns - old.cpu_ns) / ((new.at - old.at) * 1e9 * new.vcpus))
    if not shares:
        return None
    at = min(now.cpus[name].at for name in shares)
    return Signal(sum(shares.values()) / len(shares), "", at, tuple(sorted(shares)))


def serving(stats: ServiceStats, members: Mapping[str, str]) -> tuple[str, ...]:
    """The members that the load balancer sends requests to; none where it doesn't tell of every slot.

    By address where it tells addresses. Where it tells none, slots have no names of nodes: as many as there are members stand for
    all of them, fewer for nobody in particular.
    """
    up = [one for one in stats.slots if one.serving]
    told = {one.address for one in up}
    if any(one.serving is None for one in stats.slots) or ("" in told and len(told) > 1):
        return ()
    if "" not in told:
        return tuple(sorted(name for name, address in members.items() if address in told))
    return tuple(sorted(members)) if len(up) >= len(members) else tuple(sorted(one.name for one in up))


def same_process(old: ServiceStats, new: ServiceStats) -> bool:
    """Whether two looks may be at one process: what only grows grew, by no more than ever came within that time, and so did its age.

    The address goes to another node's load balancer with its own count, and two that were started together tell the same age. Where the
    fastest second is not told, nobody knows.
    """
    elapsed = new.at - old.at
    if abs((new.up_for_s - old.up_for_s) - elapsed) > SAME_PROCESS_S:
        return False
    if any(after < before for before, after in zip(old.counters, new.counters, strict=False)):
        return False
    return new.most_per_s is not None and new.requests - old.requests <= new.most_per_s * (elapsed + SAME_PROCESS_S)


def rate(old: ServiceStats | None, new: ServiceStats) -> float | None:
    """Requests per second between two looks; None if they are not looks at the same process, or the counter went back."""
    if old is None or new.at <= old.at or new.requests < old.requests or not same_process(old, new):
        return None
    return (new.requests - old.requests) / (new.at - old.at)


def balancer(before: LoadSample | None, now: LoadSample, members: Mapping[str, str], services: Sequence[str]) -> dict[str, Signal]:
    """Sums over all balanced services; per node, each service's rate is shared by the nodes that serve it."""
    stats = [now.services[name] for name in services]
    at = min(one.at for one in stats)
    covered = [serving(one, members) for one in stats]
    nodes = tuple(sorted(set(covered[0]).intersection(*covered[1:])))
    found = {
        "lb.queue": Signal(float(sum(one.queued for one in stats)), "requests", at, nodes),
        "lb.sessions": Signal(float(sum(one.sessions for one in stats)), "sessions", at, nodes),
    }
    rates = [rate(before.services.get(name) if before else None, now.services[name]) for name in services]
    known = [one for one in rates if one is not None]
    if len(known) == len(services):
        found["lb.rate"] = Signal(sum(known), "requests/s", at, nodes)
        if all(covered):
            shared = sum(one / len(up) for one, up in zip(known, covered, strict=True))
            found["lb.rate_per_node"] = Signal(shared, "requests/s", at, nodes)
    return found
