# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""Tells what the demo waits for: a live line on a terminal, plain lines elsewhere. Every wait has a deadline."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

STILL_EVERY_S = 20.0


class DemoFailed(Exception):
    """The demo can't go on; the text says what was waited for and where to look."""


class Progress:
    """Prints steps with the elapsed time. `clock` and `sleep` are those of the machine unless a test brings its own."""

    def __init__(
        self, out: TextIO = sys.stdout, clock: Callable[[], float] = time.monotonic, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._out, self._clock, self._sleep = out, clock, sleep
        self._began = clock()
        self._console = None
        if out.isatty():
            from rich.console import Console  # only for people who look on

            self._console = Console(file=out, highlight=False)

    def say(self, text: str) -> None:
        """Prints one line with the seconds since the start."""
        line = f"[{self._clock() - self._began:6.1f} s] {text}"
        if self._console is not None:
            self._console.print(line, markup=False)
        else:
            print(line, file=self._out, flush=True)

    @contextmanager
    def step(self, what: str) -> Iterator[Callable[[], None]]:
        """Says what is being waited for while the body runs, and how long it took.

        Yields a function to be called now and then while waiting: it says every 20 s that it still is, or counts the
        seconds in a terminal's live line.
        """
        began = told = self._clock()

        def still() -> None:
            nonlocal told
            if self._clock() - told >= STILL_EVERY_S:
                told = self._clock()
                self.say(f"... still waiting for {what} ({told - began:.0f} s)")

        if self._console is None:
            self.say(f"waiting for {what}")
            yield still
        else:
            from rich.text import Text

            with self._console.status(Text(f"waiting for {what}")) as status:

                def count() -> None:
                    status.update(Text(f"waiting for {what} ({self._clock() - began:.0f} s)"))

                yield count
        self.say(f"{what}: {self._clock() - began:.1f} s")

    def wait(self, what: str, is_so: Callable[[], bool], deadline_s: float, every_s: float = 0.5) -> None:
        """Waits until `is_so()`; DemoFailed when that takes longer than `deadline_s`."""
        with self.step(what) as still:
            end = self._clock() + deadline_s
            while not is_so():
                if self._clock() >= end:
                    raise DemoFailed(f"waited {deadline_s:g} s for {what}, in vain")
                still()
                self._sleep(every_s)
