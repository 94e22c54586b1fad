# Copyright: (c) 2026, the ondemand.cluster contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One call of cluster_node as a value: what was asked, the door to the nodes, how long it may take, and what came of it."""

from __future__ import annotations

import dataclasses
import time
import typing as t

from ansible_collections.ondemand.cluster.plugins.module_utils._contract.refusal import Refusal, Refused
from ansible_collections.ondemand.cluster.plugins.plugin_utils.nodes import Nodes, Result

# An act that gets on may take so many times its deadline, which counts from the last sign of progress.
MOST = 2
# What a waiting script ends with when its node is in the wanted state, but not all that is to run there does (START, STANDBY).
UNREADY = 7


@dataclasses.dataclass
class Act:
    """One call of cluster_node: the door, what was asked, and what came of it. Times are epoch seconds of the controller.

    deadline_s: seconds that a wait goes on without any sign of progress; the whole act takes at most MOST times as long. touched: something
    was done, so that a refusal later is no "nothing was changed". unready: what does not run yet on a node that is in its wanted state.
    steps: what is done, or in check mode would be, as plain values.
    """

    nodes: Nodes
    name: str
    address: str
    cluster: str
    members: list[str]
    gone: list[str]
    may_return: list[str]
    token_ms: int
    min_nodes: int
    deadline_s: float
    check: bool
    changed: bool = False
    touched: bool = False
    unready: list[str] = dataclasses.field(default_factory=list)
    timings: dict[str, float | None] = dataclasses.field(default_factory=lambda: {"started_at": None, "joined_at": None, "left_at": None})
    diff: list[dict[str, str]] = dataclasses.field(default_factory=list)
    steps: list[dict[str, t.Any]] = dataclasses.field(default_factory=list)

    def __post_init__(self) -> None:
        self._begun_at = time.time()
        self._end = time.monotonic() + MOST * self.deadline_s

    def joined(self) -> None:
        """Note that the node is a member, with all that its joining took: looks, files on both sides, start and wait."""
        self.timings.update(started_at=self._begun_at, joined_at=time.time())

    @property
    def left_s(self) -> float:
        """Seconds until the act has to end, at least one: a wait then says itself that it is over."""
        return max(1.0, self._end - time.monotonic())

    def do(self, host: str, text: str, args: t.Sequence[str] = (), stdin: str | None = None, check: bool = True) -> Result:
        """Run a script that changes something."""
        before, self.touched = self.touched, True
        try:
            return self.nodes.change(host, text, args, stdin=stdin, timeout_s=self.left_s + 60, check=check)
        except Refused:
            self.touched = before
            raise

    def wait(self, host: str, text: str, name: str, *args: str, before: t.Sequence[str] = (), reason: str = "deadline") -> None:
        """Run a script that changes something and waits: the node's name, what goes before, its two times, and the rest are its arguments."""
        times = ["%d" % max(1.0, min(self.deadline_s, self.left_s)), "%d" % self.left_s]
        done = self.do(host, text, [name, *before, *times, *args], check=False)
        said = done.stderr.strip() or "code %d without a word" % done.rc
        if done.rc == UNREADY:
            self.unready.append("%s: %s" % (self.name, said))
        elif done.rc != 0:
            raise Refused(Refusal("deadline" if done.rc in (3, 124, 137) else reason, "%s: %s: %s." % (self.name, host, said)))
