# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""One look with its load, for a command that runs once and keeps no samples."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from ondemand.daemon import Load, addresses
from ondemand.model import Observation

LEAST_APART_S = 1.0
"""rates of two samples that are closer together than this are noise"""


def with_load(
    reader: Load, look: Callable[[], Observation], clock: Callable[[], float], wait: Callable[[float], None]
) -> tuple[Observation, list[str]]:
    """What is there, with signals over the time of the look, and why parts of the load could not be read. Raises what `look` raises."""
    began = clock()
    # A rate needs a sample before; whose it is is told apart by the second, which knows the members.
    reader.read({})
    seen = look()
    wait(max(0.0, began + LEAST_APART_S - clock()))
    signals, problems = reader.read(addresses(seen))
    return replace(seen, signals=signals), problems
