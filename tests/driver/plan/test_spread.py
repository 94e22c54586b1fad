# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""Where work goes: what counts as weight, who may take it, and each move with its reason."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from ondemand.model import ClusterState, Node, Verdict
from ondemand.plan.spread import Move, emptied, evened, unfinished_services, weights
from tests.driver.values import cluster, node


def movable(name: str) -> dict[str, Any]:
    group = [{"name": f"{name}-data", "agent": "systemd:x"}, {"name": f"{name}-app", "agent": "systemd:y"}]
    return {"name": name, "kind": "movable", "address": f"10.99.0.{100 + int(name[1:])}", "port": 1, "group": group}


WEB = {"name": "web", "kind": "balanced", "address": "10.99.0.10", "port": 80, "resource": {"agent": "systemd:w", "port": 8080}}
SERVICES = cluster({"services": [*(movable(f"s{i}") for i in range(6)), WEB], "disks": []}).services


def state(nodes: Sequence[Node], **more: Any) -> ClusterState:
    return ClusterState(True, True, Verdict(True), tuple(nodes), **more)


def test_weight_is_what_moves_and_the_addresses_of_what_is_balanced() -> None:
    nodes = [
        node(1, ["s0", "s1", "legacy"], ["s0-address", "s0-app", "web", "web-address", "legacy-address", "haproxy"]),
        node(2, [], ["web", "s5-address"]),
    ]
    assert weights(nodes, SERVICES) == {"shop-n1": 3, "shop-n2": 0}


def test_what_is_not_started_of_ours_is_named_in_the_clusters_order() -> None:
    ours = ("web-address", "s0", "s0-clone", "s0-address", "s0-app", "s0-data", "haproxy", "haproxy-clone", "web", "web-clone")
    others = ("legacy", "s9", "s0-other", "haproxy-address", "app")
    assert unfinished_services(state([], not_started=(*ours[:5], *others, *ours[5:])), SERVICES) == ours
    assert unfinished_services(state([], not_started=others), SERVICES) == ()


def even(service: str, origin: str, to: str, weight: int, other: int) -> Move:
    told = f"{origin} carries {weight} and {to} {other} of the services and addresses: {service} moves to even that out"
    return Move(service, origin, to, told)


FOUR = node(1, ["s3", "s2", "s1", "s0"])
TO_2 = even("s0", "shop-n1", "shop-n2", 2, 0)
# Case -> (the nodes, what else is there, moves that failed lately, the moves).
EVENED: dict[str, tuple[list[Node], dict[str, Any], set[str], tuple[Move, ...]]] = {
    "nobody": ([], {}, set(), ()),
    "one": ([FOUR], {}, set(), ()),
    "one more than another": ([node(1, ["s0", "s1"]), node(2, ["s2"])], {}, set(), ()),
    "two more than another": ([node(1, ["s0", "s1"]), node(2)], {}, set(), (TO_2,)),
    "an address counts and stays": ([node(1, ["s0"], ["web-address"]), node(2)], {}, set(), (TO_2,)),
    "addresses alone can't move": ([node(1, [], ["web-address"]), node(2)], {}, set(), ()),
    "what is not ours stays and counts for nothing": ([node(1, ["a", "b", "s0"]), node(2)], {}, set(), ()),
    "from the heaviest to the lightest, by name": (
        [node(3), node(2), FOUR], {}, set(), (even("s0", "shop-n1", "shop-n2", 4, 0), even("s1", "shop-n1", "shop-n3", 3, 0)),
    ),
    "of two that are heaviest the first one gives": (
        [node(1), node(3, ["s2", "s3"]), node(2, ["s0", "s1"])], {}, set(), (even("s0", "shop-n2", "shop-n1", 2, 0),),
    ),
    "of equal ones the oldest gives, and takes": (
        [node(10, ["s2", "s3"]), node(9, ["s0", "s1"]), node(12), node(11)], {}, set(),
        (even("s0", "shop-n9", "shop-n11", 2, 0), even("s2", "shop-n10", "shop-n12", 2, 0)),
    ),
    "the heaviest gives, whatever its name": (
        [node(1, ["s0", "s1"]), node(2, ["s2", "s3", "s4"]), node(3)], {}, set(), (even("s2", "shop-n2", "shop-n3", 3, 0),),
    ),
    "five and one": (
        [node(1, ["s0", "s1", "s2", "s3", "s4"]), node(2, ["s5"])], {}, set(),
        (even("s0", "shop-n1", "shop-n2", 5, 1), even("s1", "shop-n1", "shop-n2", 4, 2)),
    ),
    "one that is off": ([FOUR, node(2, online=False)], {}, set(), ()),
    "one in standby": ([FOUR, node(2, standby=True)], {}, set(), ()),
    "one that is coming": ([FOUR, node(2, pending=True)], {}, set(), ()),
    "one that is unclean": ([FOUR, node(2, unclean=True)], {}, set(), ()),
    "it failed there": ([node(1, ["s0", "s1"]), node(2)], {"failures": (("s0", "shop-n2"),)}, set(), (even("s1", "shop-n1", "shop-n2", 2, 0),)),
    "its address failed there": (
        [node(1, ["s0", "s1"]), node(2)], {"failures": (("s0-address", "shop-n2"),)}, set(), (even("s1", "shop-n1", "shop-n2", 2, 0),),
    ),
    "a part of it failed there": (
        [node(1, ["s0", "s1"]), node(2)], {"failures": (("s0-app", "shop-n2"),)}, set(), (even("s1", "shop-n1", "shop-n2", 2, 0),),
    ),
    "all failed there": ([node(1, ["s0", "s1"]), node(2)], {"failures": (("s0", "shop-n2"), ("s1-data", "shop-n2"))}, set(), ()),
    "it failed wherever it may run": (
        [node(1, ["s0", "s1"]), node(2)], {"failures": (("s0", "shop-n1"), ("s0", "shop-n2"))}, set(),
        (even("s1", "shop-n1", "shop-n2", 2, 0),),
    ),
    "it failed elsewhere, and another failed there": (
        [node(1, ["s0", "s1"]), node(2)], {"failures": (("s0", "shop-n1"), ("s2", "shop-n2"), ("web", "shop-n2"))}, set(), (TO_2,),
    ),
    "a move there failed": ([node(1, ["s0", "s1"]), node(2)], {}, {"s0@shop-n2"}, (even("s1", "shop-n1", "shop-n2", 2, 0),)),
    "a move of another there failed": ([node(1, ["s0", "s1"]), node(2)], {}, {"s2@shop-n2", "s0@shop-n1", "s00@shop-n2"}, (TO_2,)),
    "it failed on the lightest, goes to the next, and makes room there": (
        [FOUR, node(2), node(3, ["s4"])], {}, {f"s{i}@shop-n2" for i in range(4)},
        (even("s0", "shop-n1", "shop-n3", 4, 1), even("s4", "shop-n3", "shop-n2", 2, 0), even("s1", "shop-n1", "shop-n3", 3, 1)),
    ),
    "the heaviest has nothing to give, and the next one has": (
        [node(1, ["s0", "s1", "s2"]), node(2, ["s3", "s4"]), node(3)], {}, {f"s{i}@shop-n{n}" for i in range(3) for n in (2, 3)},
        (even("s3", "shop-n2", "shop-n3", 2, 0),),
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", EVENED)
def test_work_goes_from_the_fullest_to_the_emptiest_that_can_take_it(case: str) -> None:
    nodes, more, tried, moves = EVENED[case]
    assert evened(state(nodes, **more), SERVICES, tried) == moves


def away(service: str, origin: str, to: str) -> Move:
    return Move(service, origin, to, f"{origin} is to leave, and {to} carries least")


EMPTIED: dict[str, tuple[list[Node], dict[str, Any], set[str], tuple[Move, ...]]] = {
    "nothing to move": ([node(1, ["s0", "s1"]), node(8)], {}, set(), ()),
    "uneven work elsewhere": ([FOUR, node(2), node(8)], {}, set(), ()),
    "nowhere to go": ([node(8, ["s0"]), node(9, ["s1"])], {}, set(), ()),
    "one": ([node(1, ["s1"]), node(2), node(8, ["s0"])], {}, set(), (away("s0", "shop-n8", "shop-n2"),)),
    "to the oldest where all carry the same": ([node(10), node(2), node(8, ["s0"])], {}, set(), (away("s0", "shop-n8", "shop-n2"),)),
    "each to the one that carries least then": (
        [node(1, ["s4"]), node(2), node(8, ["s2", "s1", "s0"])], {}, set(),
        (away("s0", "shop-n8", "shop-n2"), away("s1", "shop-n8", "shop-n1"), away("s2", "shop-n8", "shop-n2")),
    ),
    "both to the one that carries least by far": (
        [node(1, ["s4", "s5"]), node(2), node(8, ["s1", "s0"])], {}, set(), (away("s0", "shop-n8", "shop-n2"), away("s1", "shop-n8", "shop-n2")),
    ),
    "two that leave, by name": (
        [node(9, ["s1"]), node(8, ["s3", "s0"]), node(1)], {}, set(),
        (away("s0", "shop-n8", "shop-n1"), away("s3", "shop-n8", "shop-n1"), away("s1", "shop-n9", "shop-n1")),
    ),
    "what is not ours": ([node(1), node(8, ["legacy"], ["web-address", "s1-app"])], {}, set(), ()),
    "it failed there, and the next one takes it": (
        [node(1), node(2, ["s1"]), node(8, ["s0"])], {"failures": (("s0", "shop-n1"),)}, set(), (away("s0", "shop-n8", "shop-n2"),),
    ),
    "what may run nowhere else stays, and the others go": (
        [node(1), node(8, ["s0", "s1"])], {}, {"s0@shop-n1"}, (away("s1", "shop-n8", "shop-n1"),),
    ),
    "one that is in standby is being emptied already": ([node(1), node(8, ["s0"], standby=True)], {}, set(), ()),
    "to none that is on its way in": ([node(1, pending=True), node(2, ["s1"]), node(8, ["s0"])], {}, set(), (away("s0", "shop-n8", "shop-n2"),)),
}  # fmt: skip


@pytest.mark.parametrize("case", EMPTIED)
def test_what_is_movable_goes_before_its_node_does(case: str) -> None:
    nodes, more, tried, moves = EMPTIED[case]
    assert emptied(state(nodes, **more), SERVICES, ["shop-n8", "shop-n9"], tried) == moves
