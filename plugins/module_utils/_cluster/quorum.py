# SPDX-License-Identifier: BSD-2-Clause
# Copyright: (c) 2026, the ondemand.cluster contributors

"""The arithmetic of votes: votequorum with one vote a node (corosync's votequorum(5)). Pure."""

from __future__ import annotations


def needed(votes: int) -> int:
    """Votes that a partition needs when so many are expected: more than half of them."""
    return votes // 2 + 1


def survives_join(listed: int, present: int) -> bool:
    """Does the cluster keep quorum when one more node is listed before it is there?

    listed: nodes in the nodelist now; present: how many of them vote. From one node to two nothing but `two_node` helps, which
    the join sets for that moment, so the one has to be there. Example: 3 listed, 2 present: 4 listed need 3, so no.
    """
    if listed == 1:
        return present == 1
    return present >= needed(listed + 1)


def survives_leave(listed: int, present: int, leaver_present: bool) -> bool:
    """Does the rest keep quorum, first when the leaver stops and then when the nodelist is shorter?

    Example: 3 listed, 2 present, one of the two leaves: 1 of 3 is left, 2 are needed, so no. Of 2 listed and 2 present one may
    leave, because the leave sets `two_node` for that moment.
    """
    rest = present - (1 if leaver_present else 0)
    if rest < needed(listed - 1):
        return False
    return listed == 2 or rest >= needed(listed)
