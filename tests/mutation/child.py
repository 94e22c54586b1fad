# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""What a forked process does: puts a mutant in the place of its file, runs the room's tests until one fails, and ends."""

from __future__ import annotations

import importlib.machinery
import json
import os
import resource
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import hypothesis
import pytest

MOST_MEMORY_BYTES = 4 << 30

# No shrinking: that a test fails is all that is asked. The same examples each time: a score that can be had again.
hypothesis.settings.register_profile(
    "mutation", derandomize=True, database=None, deadline=None, phases=(hypothesis.Phase.explicit, hypothesis.Phase.generate)
)


@dataclass
class Coverage:
    """Of one room, without a mutant: for each test its CPU seconds and the lines of the source that it ran."""

    cpu_s: float = 0.0
    tests_s: dict[str, float] = field(default_factory=dict)
    lines: dict[str, set[int]] = field(default_factory=dict)

    def order(self, first: int, last: int) -> Callable[[str], tuple[bool, float]]:
        """Sorts tests: those that run a line of first..last come first, of these the quick ones."""

        def rank(name: str) -> tuple[bool, float]:
            return (self.lines.get(name, set()).isdisjoint(range(first, last + 1)), self.tests_s.get(name, 0.0))

        return rank


class Recorder:
    """Pytest plugin: fills a Coverage and writes it at the end."""

    def __init__(self, source: str, path: Path) -> None:
        self.source, self.path = source, path
        self.seen: dict[str, dict[str, Any]] = {}

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """One test with its fixtures."""
        begun, lines = cpu_s(), set[int]()
        is_source: dict[str, bool] = {}

        def trace(frame: FrameType, event: str, _argument: object) -> Any:
            name = frame.f_code.co_filename
            if name not in is_source:
                is_source[name] = os.path.realpath(name) == self.source
            if is_source[name]:
                lines.add(frame.f_lineno)
                return trace
            return None

        sys.settrace(trace)
        try:
            return (yield)
        finally:
            sys.settrace(None)
            self.seen[item.nodeid] = {"cpu_s": cpu_s() - begun, "lines": sorted(lines)}

    def pytest_sessionfinish(self) -> None:
        """All tests ran."""
        self.path.write_text(json.dumps(self.seen))


class Order:
    """Pytest plugin: the tests that can see the mutant first."""

    def __init__(self, rank: Callable[[str], tuple[bool, float]]) -> None:
        self.rank = rank

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Sorts what was collected."""
        items.sort(key=lambda item: self.rank(item.nodeid))


def cpu_s() -> float:
    """CPU time of this process."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def plant(source: str, code: Callable[[str], CodeType]) -> None:
    """From now on an import of this file (its real path) gives the code. What was imported before stays."""
    sound = importlib.machinery.SourceFileLoader.get_code

    def get_code(self: importlib.machinery.SourceFileLoader, fullname: str) -> CodeType | None:
        return code(self.path) if os.path.realpath(self.path) == source else sound(self, fullname)

    importlib.machinery.SourceFileLoader.get_code = get_code  # type: ignore[method-assign]


def run_tests(checkout: Path, tests: tuple[str, ...], scratch: Path, cpu_limit_s: int, plugin: object) -> int:
    """Runs the tests in this process, which is good for nothing afterwards; gives pytest's exit code."""
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_limit_s, cpu_limit_s + 1))
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY_BYTES, MOST_MEMORY_BYTES))
    out = os.open(f"{scratch}.out", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    for number in (1, 2):
        os.dup2(out, number)
    os.chdir(checkout)
    hypothesis.settings.load_profile("mutation")
    options = ["-x", "-q", "--no-header", "--tb=short", f"--rootdir={checkout}", f"--basetemp={scratch}"]
    code = pytest.main([*options, *tests], plugins=[plugin])
    sys.stdout.flush()
    return int(code)
