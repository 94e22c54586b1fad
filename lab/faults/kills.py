# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""script/demo --kills N: kill -9 of the driver, or of the driver and its playbook, N times while the demo waits for what they do.

The driver is started anew at once, as systemd would. The playbooks that the demo itself plays are killed too, twice each, and played
again at once. When and whom is drawn from a seed, which is noted, so that a run can be repeated.
"""

from __future__ import annotations

import contextlib
import os
import random
import re
import signal
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from lab.demo.processes import Processes
from ondemand.act import processes as jobs

# Seconds between two kills: short enough to meet looks and decisions, long enough for a join or a move to get somewhere in between.
LEAST_S, MOST_S = 3.0, 45.0
# An operator's playbook is killed at some time within about as many seconds as it takes (the image lies ready in its cache).
PLAYS_S = {"prepare_host": 5.0, "build_image": 6.0, "create_cluster": 45.0, "destroy_cluster": 4.0}
TIMES_EACH = 2
PLAYBOOK = re.compile(rb"playbooks/([a-z_]+)\.yml")


class Kills:
    """`turn` is called while the demo waits; it kills when a kill is due. `note` writes down what was killed."""

    def __init__(
        self, count: int, source: random.Random, cluster: str, processes: Processes, start: Callable[[], None], note: Callable[..., float]
    ) -> None:
        self._left, self._random = count, source
        self._cluster, self._processes, self._start, self._note = cluster, processes, start, note
        self._at: float | None = None

    @property
    def left(self) -> int:
        """How many are still to come."""
        return self._left

    def turn(self) -> None:
        """Kills, if one is due and the driver runs."""
        if not self._left or not self._processes.runs("driver"):
            return
        now = time.monotonic()
        if self._at is not None and now >= self._at:
            self._kill()
            self._left, self._at = self._left - 1, None
        if self._at is None:
            self._at = now + self._random.uniform(LEAST_S, MOST_S)

    def _kill(self) -> None:
        running = jobs.marked(f"{self._cluster}/")
        whom = self._random.choice(("the driver", "the driver and its playbook")) if running else "the driver"
        playbooks = playbooks_of(running)
        self._processes.kill("driver")
        if whom != "the driver":
            kill_all(running)
        self._note("kill", whom=whom, during=playbooks)
        self._start()


def interrupt(processes: Processes, source: random.Random, name: str, argv: Sequence[str], mark: str, note: Callable[..., float]) -> None:
    """Starts an operator's playbook and kills it, some times over; what one run left, the next one meets.

    Ansible's workers are sessions of their own: where only the playbook is killed, its worker ends its task while the next run begins.
    `mark` is how the processes of these runs are known (see ondemand.act.processes).
    """
    for _time in range(TIMES_EACH):
        after_s, workers_too = source.uniform(0.5, PLAYS_S[name]), source.random() < 0.5
        if processes.killed_after(name, argv, after_s):
            if workers_too:
                kill_marked(mark)
            note("kill", whom=f"the playbook{' and its workers' if workers_too else ''}", during=[name])


def kill_marked(mark: str) -> None:
    """Ends all processes of the mark, also those that appear meanwhile."""
    while not jobs.gone(mark):
        kill_all(jobs.marked(mark))


def kill_all(pids: Sequence[int]) -> None:
    """Ends these processes by SIGKILL; one that is gone already is as good."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def playbooks_of(pids: list[int]) -> list[str]:
    """Returns the names of the playbooks that these processes run."""
    found: set[str] = set()
    for pid in pids:
        with contextlib.suppress(OSError):
            found |= {name.decode() for name in PLAYBOOK.findall(Path(f"/proc/{pid}/cmdline").read_bytes())}
    return sorted(found)
