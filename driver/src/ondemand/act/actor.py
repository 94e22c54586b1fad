# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""What the daemon needs of whoever acts: run a playbook that reads, perform a step that changes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from ondemand.model import Outcome, Step


class Actor(Protocol):
    """Playbooks for real, or a dry run."""

    def run(self, playbook: str, variables: Mapping[str, Any], deadline_s: float) -> Outcome:
        """Runs a playbook that only reads."""
        ...

    def perform(self, step: Step) -> Outcome:
        """Does a step."""
        ...

    def wait_for_orphans(self, longest_s: float, stop: Callable[[], bool]) -> int | None:
        """Sees to the playbooks of a driver that died; how many processes had to be ended, None if `stop` came before their end."""
        ...
