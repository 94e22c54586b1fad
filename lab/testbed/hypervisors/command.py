# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""The lab's door to other programs: every command of the lab's own runs here, with a deadline and no shell."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Sequence


class LabError(Exception):
    """Something that the lab needs did not work; the text says what, why and what to do."""


def run(argv: Sequence[str], deadline_s: float = 60.0, check: bool = True, stdin: str | None = None) -> str:
    """Run ``argv`` and return its standard output. LabError on failure (if ``check``) or when the deadline passes."""
    try:
        done = subprocess.run(list(argv), input=stdin, capture_output=True, text=True, timeout=deadline_s, check=False)
    except FileNotFoundError as error:
        raise LabError(f"{argv[0]} is not installed: run script/bootstrap") from error
    except subprocess.TimeoutExpired as error:
        raise LabError(f"{' '.join(argv)} did not end within {deadline_s:g} s") from error
    if check and done.returncode:
        raise LabError(f"{' '.join(argv)} failed ({done.returncode}): {(done.stderr or done.stdout).strip()[-800:]}")
    return done.stdout


def succeeds(argv: Sequence[str], deadline_s: float = 60.0) -> bool:
    """True if ``argv`` ends with 0 within the deadline."""
    try:
        run(argv, deadline_s)
    except LabError:
        return False
    return True


def wait_until(what: str, is_so: Callable[[], bool], deadline_s: float, every_s: float = 0.1) -> None:
    """Return once ``is_so()``; LabError naming ``what`` when ``deadline_s`` passes before."""
    end = time.monotonic() + deadline_s
    while not is_so():
        if time.monotonic() >= end:
            raise LabError(f"waited {deadline_s:g} s for {what}, in vain")
        time.sleep(every_s)
