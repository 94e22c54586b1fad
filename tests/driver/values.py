# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""Values for tests: a cluster of nodes and VMs, made short."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from ondemand import wall
from ondemand.config.load import check
from ondemand.config.model import Cluster
from ondemand.model import ClusterState, Node, Observation, Signal, Verdict, Vm

DEMO = Path(__file__).resolve().parents[2] / "examples" / "demo.yml"


def demo_data() -> dict[str, Any]:
    """The demo's cluster file as plain data."""
    return dict(yaml.safe_load(DEMO.read_text()))


def merged(base: Any, over: Any) -> Any:
    """Mappings merged, all else replaced."""
    if not (isinstance(base, dict) and isinstance(over, dict)):
        return copy.deepcopy(over)
    return {**base, **{key: merged(base.get(key), value) for key, value in over.items()}}


def cluster(over: dict[str, Any] | None = None) -> Cluster:
    """The demo's cluster with changes."""
    made, problems = check({"cluster": merged(demo_data()["cluster"], over or {})})
    assert made is not None, problems
    return made


def vm(number: int, memory_mib: int = 640, vcpus: int = 1, host: str = "hv1") -> Vm:
    """VM shop-nK."""
    return Vm(f"shop-n{number}", host, "running", vcpus, memory_mib, f"10.99.0.{19 + number}")


def node(number: int, services: Sequence[str] = (), resources: Sequence[str] = (), **more: Any) -> Node:
    """Node shop-nK."""
    return Node(f"shop-n{number}", services=tuple(services), resources=(*resources, *services), **more)


def may_change(nodes: Sequence[Node], quorate: bool) -> Verdict:
    """The collection's word on such a cluster, shortened."""
    unclean = [one.name for one in nodes if one.unclean]
    if quorate and not unclean:
        return Verdict(True)
    return Verdict(
        False, "unclean" if unclean else "not_quorate", f"shop can't be changed now: {'it has no quorum' if not quorate else unclean}."
    )


def observation(
    nodes: Sequence[Node], vms: Sequence[Vm] | None = None, at: float = 100.0, signals: dict[str, Signal] | None = None, **state: Any
) -> Observation:
    """A cluster at rest with these nodes, each on a VM of the demo's size unless `vms` says otherwise."""
    state.setdefault("leave_order", tuple(one.name for one in reversed(nodes)))
    state.setdefault("quorate", True)
    state.setdefault("stable", True)
    state.setdefault("may_change", may_change(nodes, state["quorate"]))
    unreachable = state.pop("unreachable", ())
    made = ClusterState(nodes=tuple(nodes), **state) if nodes else None
    there = tuple(vms) if vms is not None else tuple(Vm(one.name, "hv1", "running", 1, 640) for one in nodes)
    return Observation(at, there, tuple(unreachable), made, signals or {})


NO = Verdict(False, "quorum", "without it the votes that are left are too few")


def sample(shape: Any) -> Any:
    """A value of a shape of the wall: one entry in each list, texts empty, numbers 0, nothing true."""
    if isinstance(shape, wall.Maybe):
        return sample(shape.of)
    if isinstance(shape, list):
        return [sample(shape[0])]
    return {key: sample(one) for key, one in shape.items()} if isinstance(shape, dict) else shape()


def handed_back() -> dict[str, Any]:
    """What observe hands back of a cluster at rest with one node, in full."""
    made: dict[str, Any] = sample(wall.HANDED_BACK["observe"])
    made["vms"][0].update(name="shop-n1", host="hv1", state="running", vcpus=1, memory_mib=640, address="10.99.0.20")
    made["cluster"].update(quorate=True, stable=True, leave_order=["shop-n1"], lease=None, withheld=[])
    made["cluster"]["nodes"][0].update(name="shop-n1", online=True)
    made["cluster"]["may_change"].update(allowed=True)
    return made
