# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""Where movable services should run. Weights: every movable service 1, every balanced service's active address 1."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from ondemand.config.model import Service
from ondemand.model import ClusterState, Node


@dataclass(frozen=True)
class Move:
    """A service that should run elsewhere."""

    service: str
    origin: str
    to: str
    because: str


def weights(nodes: Sequence[Node], services: Sequence[Service]) -> dict[str, int]:
    """Node -> how many movable services and active balanced addresses it carries."""
    movable = {one.name for one in services if one.kind == "movable"}
    addresses = {f"{one.name}-address" for one in services if one.kind == "balanced"}
    return {one.name: len(movable & set(one.services)) + len(addresses & set(one.resources)) for one in nodes}


def unfinished_services(cluster: ClusterState, services: Sequence[Service]) -> tuple[str, ...]:
    """What of the cluster file's services is not started and should be. What somebody else runs in the cluster delays nothing of ours."""
    ours = {"haproxy", "haproxy-clone"}
    for one in services:
        ours |= {one.name, f"{one.name}-clone", f"{one.name}-address"}
        ours |= {each.name for each in one.group} if one.kind == "movable" else set()
    return tuple(name for name in cluster.not_started if name in ours)


Barred = dict[str, set[str]]


def _barred(cluster: ClusterState, services: Sequence[Service], tried: Collection[str]) -> Barred:
    """Service -> nodes where it would not start: a resource of it failed there and is not cleaned up, or a move failed lately."""
    found: Barred = {}
    for one in services:
        if one.kind == "movable":
            resources = {one.name, f"{one.name}-address", *(each.name for each in one.group)}
            found[one.name] = {node for resource, node in cluster.failures if resource in resources}
            found[one.name] |= {key.partition("@")[2] for key in tried if key.partition("@")[0] == one.name}
    return found


def moves(
    cluster: ClusterState, services: Sequence[Service], leaving: Collection[str] = (), tried: Collection[str] = ()
) -> tuple[Move, ...]:
    """The least number of moves after which nothing movable is on a leaving node and the others' weights differ by 1 at most.

    Greedy: from the heaviest node to the lightest. Each move of weight 1 between nodes 2 or more apart lowers the spread, and
    no single move can lower it more, so no shorter list exists. Ties go by name, so the same input gives the same moves.
    `tried` holds SERVICE@NODE of moves that failed lately.
    """
    usable = [one for one in cluster.nodes if one.online and not one.standby and not one.pending and not one.unclean]
    stay = [one for one in usable if one.name not in leaving]
    if not stay:
        return ()
    barred = _barred(cluster, services, tried)
    weight = weights(stay, services)
    on = {one.name: sorted(set(one.services) & set(barred)) for one in usable}
    found: list[Move] = []
    for origin in sorted(set(on) & set(leaving)):
        for service in on[origin]:
            to = _lightest(weight, barred[service])
            if to is not None:
                found.append(Move(service, origin, to, f"{origin} is to leave, and {to} carries least"))
                weight[to] += 1
                on[to] = sorted([*on[to], service])
    return (*found, *_evened(barred, weight, {one.name: on[one.name] for one in stay}))


def _lightest(weight: Mapping[str, int], barred: Collection[str]) -> str | None:
    open_ = [one for one in weight if one not in barred]
    return min(open_, key=lambda one: (weight[one], one)) if open_ else None


def _evened(barred: Barred, weight: dict[str, int], on: dict[str, list[str]]) -> list[Move]:
    found: list[Move] = []
    while True:
        best = None
        for origin in sorted(on, key=lambda one: (-weight[one], one)):
            for service in on[origin]:
                to = _lightest(weight, barred[service])
                if to is not None and weight[origin] - weight[to] >= 2:
                    best = (service, origin, to)
                    break
            if best:
                break
        if best is None:
            return found
        service, origin, to = best
        words = f"{origin} carries {weight[origin]} and {to} {weight[to]} of the services and addresses"
        found.append(Move(service, origin, to, f"{words}: {service} moves to even that out"))
        on[origin].remove(service)
        on[to] = sorted([*on[to], service])
        weight[origin] -= 1
        weight[to] += 1
