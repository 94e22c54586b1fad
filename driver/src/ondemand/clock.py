# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""Time for the driver: epoch seconds that never jump, and a wait that a signal ends."""

from __future__ import annotations

import signal
import threading
import time
from types import FrameType


class Clock:
    """The wall clock as it was at the start, carried on by the monotonic one: cooldowns don't care when somebody sets the time."""

    def __init__(self) -> None:
        self._offset = time.time() - time.monotonic()

    def now(self) -> float:
        """Epoch seconds."""
        return self._offset + time.monotonic()


class Stop:
    """SIGTERM and SIGINT end the wait, never the work: a step that runs is finished, however often they come."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def listen(self) -> None:
        """From now on the signals only set the wish to stop."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._set)

    def _set(self, _number: int, _frame: FrameType | None) -> None:
        self._event.set()

    def wanted(self) -> bool:
        """Whether the driver should end."""
        return self._event.is_set()

    def wait(self, seconds: float) -> None:
        """Waits, unless the wish to stop comes."""
        self._event.wait(seconds)
