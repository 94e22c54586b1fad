# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""Where movable services should run. Weights: every movable service 1, every balanced service's active address 1."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from ondemand._collection.module_utils._contract.names import by_number
from ondemand._collection.plugin_utils._cluster.emptiest import emptiest
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
    """Node -> how many movable services and active balanced addresses it carries, the oldest node first."""
    ours = {one.name for one in services}
    addresses = {f"{one.name}-address" for one in services if one.kind == "balanced"}
    return {
        one.name: len(ours & set(one.services)) + len(addresses & set(one.resources))
        for one in sorted(nodes, key=lambda one: by_number(one.name))
    }


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


def _usable(cluster: ClusterState) -> list[Node]:
    return [one for one in cluster.nodes if one.online and not one.standby and not one.pending and not one.unclean]


def emptied(cluster: ClusterState, services: Sequence[Service], leaving: Collection[str], tried: Collection[str] = ()) -> tuple[Move, ...]:
    """The moves after which nothing movable is on a leaving node, each to the node that carries least then.

    What may run nowhere else stays. `tried` holds SERVICE@NODE of moves that failed lately.
    """
    barred = _barred(cluster, services, tried)
    weight = weights([one for one in _usable(cluster) if one.name not in leaving], services)
    found: list[Move] = []
    for origin in sorted((one for one in _usable(cluster) if one.name in leaving), key=lambda one: by_number(one.name)):
        for service in sorted(set(origin.services) & set(barred)):
            to = emptiest(weight, barred[service])
            if to is not None:
                found.append(Move(service, origin.name, to, f"{origin.name} is to leave, and {to} carries least"))
                weight[to] += 1
    return tuple(found)


def evened(cluster: ClusterState, services: Sequence[Service], tried: Collection[str] = ()) -> tuple[Move, ...]:
    """The least number of moves after which the nodes' weights differ by 1 at most, as far as services may run elsewhere.

    Greedy: from the heaviest node to the lightest. Each move of weight 1 between nodes 2 or more apart lowers the spread, and
    no single move can lower it more, so no shorter list exists. Among equals the oldest node takes it (see emptiest), so the same input
    gives the same moves, and no service is moved twice. `tried` holds SERVICE@NODE of moves that failed lately.
    """
    barred = _barred(cluster, services, tried)
    weight = weights(_usable(cluster), services)
    on = {one.name: set(one.services) & set(barred) for one in _usable(cluster)}
    found: list[Move] = []
    while best := _best(barred, weight, on):
        service, origin, to = best
        words = f"{origin} carries {weight[origin]} and {to} {weight[to]} of the services and addresses"
        found.append(Move(service, origin, to, f"{words}: {service} moves to even that out"))
        on[origin].remove(service)
        weight[origin] -= 1
        weight[to] += 1
    return tuple(found)


def _best(barred: Barred, weight: Mapping[str, int], on: Mapping[str, set[str]]) -> tuple[str, str, str] | None:
    """The next move: service, from the heaviest node that can give one away, to the lightest that may have it."""
    for origin in sorted(on, key=lambda one: (-weight[one], by_number(one))):
        for service in sorted(on[origin]):
            to = emptiest(weight, barred[service])
            if to is not None and weight[origin] - weight[to] >= 2:
                return service, origin, to
    return None
