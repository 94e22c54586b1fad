# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""Reads hosts, VMs and the cluster through the playbook observe."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from ondemand.errors import ObserveError
from ondemand.model import Observation, Outcome
from ondemand.observe.facts import observation

PLAYBOOK = "observe"
# What the hosts have is the matter of placement, which asks them itself.
VARIABLES = {"with_hosts": False}
DEADLINE_S = 120.0


class Runs(Protocol):
    """Whatever runs a playbook by its name."""

    def run(self, playbook: str, variables: Mapping[str, Any], deadline_s: float) -> Outcome:
        """Runs it to its end or to its deadline."""
        ...


def read_cluster(runner: Runs) -> Observation:
    """What is there now. Raises ObserveError when it can't be told: no decision on half a picture."""
    done = runner.run(PLAYBOOK, VARIABLES, DEADLINE_S)
    if not done.ok:
        raise ObserveError(f"the cluster could not be observed: {done.because}")
    return observation(done.facts, done.ended_at)
