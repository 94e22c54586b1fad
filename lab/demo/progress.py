# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""Tells what the demo waits for: a live line on a terminal, plain lines elsewhere.

Every wait has a deadline, which counts from the last sign of progress, so that a slow machine has the time it takes; and a
cap, so that things that go on without getting anywhere come to an end too.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager, suppress
from typing import TextIO

STILL_EVERY_S = 20.0
CAP = 4.0
"""A wait ends after so many times its deadline, whatever goes on, unless its cap is stated."""


class DemoFailed(Exception):
    """The demo can't go on; the text says what was waited for and where to look."""


def nothing() -> None:
    """A sign of progress that never comes."""


class Patience:
    """How long a wait that begins now may go on.

    The deadline counts from the last time when `sign` gave another value than before, the cap from the beginning.
    """

    def __init__(
        self,
        deadline_s: float,
        cap_s: float | None = None,
        sign: Callable[[], Hashable] = nothing,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._deadline_s, self._cap_s = deadline_s, CAP * deadline_s if cap_s is None else cap_s
        self._sign, self._clock = sign, clock
        self._began = self._changed = self._asked = clock()
        self._newest = sign()

    def over(self) -> str | None:
        """Returns how long it has taken, in words, when it should be given up; else None."""
        now = self._clock()
        if now - self._asked >= min(1.0, self._deadline_s):  # a sign may cost something to read
            self._asked, current = now, self._sign()
            if current != self._newest:
                self._newest, self._changed = current, now
        if now - self._changed >= self._deadline_s:
            quiet = f", the last {self._deadline_s:g} s without a sign of progress" if self._changed > self._began else ""
            return f"{now - self._began:.3g} s{quiet}"
        if now - self._began >= self._cap_s:
            return f"{now - self._began:.3g} s, which is the most, although things went on"
        return None


class Progress:
    """Prints steps with the elapsed time. `clock` and `sleep` are those of the machine unless a test brings its own."""

    def __init__(
        self, out: TextIO = sys.stdout, clock: Callable[[], float] = time.monotonic, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._out, self._clock, self._sleep = out, clock, sleep
        self._began = clock()
        self.doing = "nothing yet"  # what is waited for, or was last
        self._console = None
        if out.isatty():
            from rich.console import Console  # only for people who look on

            self._console = Console(file=out, highlight=False)

    def say(self, text: str) -> None:
        """Prints one line with the seconds since the start."""
        self.tell(f"[{self._clock() - self._began:6.1f} s] {text}")

    def tell(self, text: str) -> None:
        """Prints a text as it is. A terminal that was closed must not keep the demo from its end."""
        with suppress(OSError):
            if self._console is not None:
                self._console.print(text, markup=False)
            else:
                print(text, file=self._out, flush=True)

    @contextmanager
    def step(self, what: str) -> Iterator[Callable[[], None]]:
        """Says what is being waited for while the body runs, and how long it took.

        Yields a function to be called now and then while waiting: it says every 20 s that it still is, or counts the
        seconds in a terminal's live line.
        """
        began = told = self._clock()
        self.doing = f"waiting for {what}"

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

    def wait(
        self,
        what: str,
        is_so: Callable[[], bool],
        deadline_s: float,
        cap_s: float | None = None,
        sign: Callable[[], Hashable] = nothing,
        told: Callable[[], str] = str,
        every_s: float = 0.5,
    ) -> None:
        """Waits until `is_so()`; DemoFailed when `deadline_s` pass without a sign of progress, or `cap_s` in all.

        `told` gives what was seen last, for that sentence.
        """
        with self.step(what) as still:
            patience = Patience(deadline_s, cap_s, sign, self._clock)
            while not is_so():
                if over := patience.over():
                    last = told()
                    raise DemoFailed(f"waited {over} for {what}, in vain{f'; last seen: {last}' if last else ''}")
                still()
                self._sleep(every_s)
