# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""The actor of a dry run: it looks, and does nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ondemand.act.actor import Actor
from ondemand.model import Outcome, Step

DRY = "dry_run"


class DryActor:
    """Reads through a real actor and tells of every step that it was not done."""

    def __init__(self, real: Actor, clock: Callable[[], float]) -> None:
        self._real, self._clock = real, clock

    def run(self, playbook: str, variables: Mapping[str, Any], deadline_s: float) -> Outcome:
        """Looks for real."""
        return self._real.run(playbook, variables, deadline_s)

    def perform(self, step: Step) -> Outcome:
        """Says what would be run."""
        now = self._clock()
        given = ", ".join(f"{key}={value}" for key, value in step.variables.items())
        return Outcome(False, {}, f"dry run: {step.playbook} ({given}) was not run", now, now, DRY)

    def wait_for_orphans(self, longest_s: float, stop: Callable[[], bool]) -> int:
        """Leaves other drivers' playbooks alone."""
        return 0
