# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""What goes wrong on its own, done to cells: partitions, lost packets, frozen nodes. Each ends with its context, or with its cell."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator, Sequence

from lab.testbed.cells.cells import Cell
from lab.testbed.cells.cleanup import namespace_of, processes_in

TABLE = "ondemand-fault"


def render_rules(others: Sequence[str], lost_percent: int = 100) -> str:
    """nftables' rules that lose so many of a hundred packets from and to these addresses. ValueError for no percentage."""
    if not 0 < lost_percent <= 100:
        raise ValueError(f"lost_percent is {lost_percent}: 1 to 100")
    chance = "" if lost_percent == 100 else f"numgen random mod 100 < {lost_percent} "
    addresses = ", ".join(others)
    chains = "".join(
        f"chain {hook} {{ type filter hook {hook} priority 0; ip {side} {{ {addresses} }} {chance}drop; }}\n"
        for hook, side in (("input", "saddr"), ("output", "daddr"))
    )
    return f"table inet {TABLE} {{\n{chains}}}\n"


@contextlib.contextmanager
def cut_off(cell: Cell, *others: Cell, lost_percent: int = 100) -> Iterator[None]:
    """The cell and the others don't hear each other, or lose so many packets; everybody else, ssh too, goes on."""
    cell.run("nft", "-f", "-", stdin=render_rules([one.address for one in others], lost_percent))
    try:
        yield
    finally:
        cell.run("nft", "delete", "table", "inet", TABLE)


@contextlib.contextmanager
def frozen(cell: Cell) -> Iterator[None]:
    """Every process of the cell stands still, as in a VM that is paused: the kernel still takes packets, and nobody answers."""
    space = namespace_of(cell.pid, "pid")
    assert space is not None, f"{cell.name} is gone"
    stopped = processes_in("pid", space)
    _signal(stopped, signal.SIGSTOP)
    try:
        yield
    finally:
        _signal(stopped, signal.SIGCONT)


def _signal(pids: Sequence[int], number: signal.Signals) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
