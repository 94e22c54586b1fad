# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors

"""The arithmetic of votes as Corosync's votequorum does it (votequorum(5)). Pure.

Everything is told from Corosync's own count, not from counting nodes: a node may have several votes or none, a device may add its own,
and what Corosync expects may be more than its file lists, because it never lowers that by itself.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Mapping


def needed(votes: int) -> int:
    """Votes that a partition needs when so many are expected: more than half of them."""
    return votes // 2 + 1


@dataclass(frozen=True)
class Count:
    """Corosync's count at one moment.

    expected: votes that it expects; present: node id -> votes of the members; device: votes that a quorum device adds now;
    two_node: whether one of two is enough; least: what was needed before, since a loss never lowers that, only a reload does.
    """

    expected: int
    present: Mapping[int, int]
    device: int = 0
    two_node: bool = False
    least: int = 1

    @property
    def total(self) -> int:
        """Votes that are there."""
        return sum(self.present.values()) + self.device

    @property
    def needed(self) -> int:
        """Votes without which this partition has no quorum."""
        if self.two_node and len(self.present) + (1 if self.device else 0) <= 2:
            return 1
        return max(self.least, needed(self.expected), needed(self.total))

    @property
    def quorate(self) -> bool:
        """Has this partition quorum?"""
        return self.total >= self.needed

    @property
    def losses(self) -> int:
        """How many members more may be lost at once, whichever they are, and the rest has quorum: the weightiest go first."""
        rest, lost = self, 0
        for one in sorted(self.present, key=lambda one: -self.present[one]):
            rest = rest.without(one)
            if not rest.quorate:
                break
            lost += 1
        return lost

    def without(self, node_id: int) -> Count:
        """After a node has stopped. Who isn't there changes nothing."""
        rest = {one: votes for one, votes in self.present.items() if one != node_id}
        return replace(self, present=rest, least=self.needed)

    def reloaded(self, expected: int, two_node: bool) -> Count:
        """After Corosync has read its file again, in which so many votes are expected; fewer than are there it never expects."""
        return replace(self, expected=max(expected, self.total), two_node=two_node, least=1)
