# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""One observation with a node and a VM of every kind, and who counts as what in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from ondemand.config.model import Size
from ondemand.members import (
    away,
    fits,
    ghosts,
    idle,
    idle_words,
    known,
    leaving,
    nodes_words,
    outdated,
    size_words,
    unfinished,
    unseen,
)
from ondemand.model import Node, Observation, Vm
from tests.driver.values import node, observation, vm

SIZE = Size(vcpus=1, memory_mib=640)
NODES = [
    node(1),
    node(2, standby=True),
    node(3, standby=True, leaving=True),
    node(4, online=False, standby=True, leaving=True),
    node(5, pending=True, standby=True),
    node(6, online=False),
    node(7, online=False, pending=True),
    node(8, pending=True),
    node(12),
    node(11, standby=True),
]
# 6, 7, 8 and 11 have no VM; 9, 10, 20 and two of other names are no nodes; 1, 4, 10 and 12 have another size.
OTHERS = [replace(vm(1), name=name) for name in ("shop-nord", "bay-n30", "shop")]
VMS = [vm(20), vm(12, 512), vm(10, 512), vm(9), vm(5), vm(4, 512), vm(3), vm(2), vm(1, 640, 2), *OTHERS]
SEEN = observation(NODES, VMS)
DARK = observation(NODES, VMS, unreachable=["hv2"])
EMPTY = observation([], VMS)


def numbers(found: Sequence[Node | Vm]) -> list[str]:
    """Names without what they have in common."""
    return [one.name.removeprefix("shop-n") for one in found]


def test_who_is_who() -> None:
    assert known(SEEN) == tuple(f"shop-n{number}" for number in (1, 2, 3, 4, 5, 6, 7, 8, 12, 11))
    assert numbers(away(SEEN)) == ["4", "5", "6", "7", "8"], "booting, joining, cut off or lost"
    assert numbers(leaving(SEEN)) == ["3"], "in, and in standby by a leave of ours"
    assert numbers(idle(SEEN)) == ["2", "11"], "in, and in standby by somebody's hand"
    assert numbers(ghosts(SEEN)) == ["6"], "down, not on its way, and without a VM"
    assert numbers(outdated(SEEN, SIZE)) == ["1", "12"], "members of another size, by name"
    assert numbers(unfinished(SEEN)) == ["shop", "ord", "9", "10", "20", "bay-n30"], "VMs that are no nodes, by number"
    assert unseen(SEEN) == 1, "members without a VM"


def test_with_a_host_out_of_sight_no_vm_is_taken_for_gone() -> None:
    assert (ghosts(DARK), unseen(DARK)) == ([], 0)
    assert numbers(away(DARK)) == ["4", "5", "6", "7", "8"]


def test_without_a_cluster_there_are_only_half_made_vms() -> None:
    assert (known(EMPTY), away(EMPTY), leaving(EMPTY), idle(EMPTY), ghosts(EMPTY), outdated(EMPTY, SIZE), unseen(EMPTY)) == (
        (), [], [], [], [], [], 0,
    )  # fmt: skip
    assert numbers(unfinished(EMPTY)) == ["shop", "ord", "1", "2", "3", "4", "5", "9", "10", "12", "20", "bay-n30"]


def test_a_vm_fits_with_both_its_numbers() -> None:
    assert [fits(vm(1, memory_mib, vcpus), SIZE) for memory_mib, vcpus in ((640, 1), (512, 1), (640, 2), (512, 2))] == [
        True,
        False,
        False,
        False,
    ]


@pytest.mark.parametrize(("count", "words"), [(0, "0 nodes"), (1, "1 node"), (2, "2 nodes")])
def test_nodes_in_words(count: int, words: str) -> None:
    assert nodes_words(count) == words


@pytest.mark.parametrize(("vcpus", "words"), [(1, "1 vCPU and 640 MiB"), (2, "2 vCPUs and 640 MiB")])
def test_a_size_in_words(vcpus: int, words: str) -> None:
    assert size_words(Size(vcpus=vcpus, memory_mib=640)) == words


@pytest.mark.parametrize(
    ("there", "words"),
    [
        (observation([node(1)]), ""),
        (
            observation([node(1), node(2, standby=True)]),
            "shop-n2 is in standby by somebody's hand: counted as a member, given no work, and left so",
        ),
        (SEEN, "shop-n2, shop-n11 are in standby by somebody's hand: counted as members, given no work, and left so"),
    ],
)
def test_who_is_in_standby_by_hand_is_told(there: Observation, words: str) -> None:
    assert idle_words(there) == words
