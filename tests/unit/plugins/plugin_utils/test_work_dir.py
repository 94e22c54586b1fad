# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""One run at a time works in a folder: until it is over, whoever it was, and never longer."""

from __future__ import annotations

import concurrent.futures
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.ondemand.cluster.plugins.plugin_utils import lease_holder, work_dir


def claim(pid: int, random: str = "a") -> dict[str, object]:
    """What a run with this process says of itself."""
    token = f"{lease_holder._machine()}.{pid}.{lease_holder._start(pid)}.{random}"
    return {"token": token, "holder": "anna@hv", "purpose": "the image node", "since": 1000.0}


@pytest.fixture
def runs() -> Iterator[list[subprocess.Popen[bytes]]]:
    """Processes that live until they are ended."""
    started = [subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) for _one in range(4)]
    yield started
    for one in started:
        one.communicate()


def test_who_comes_second_is_told_whose_it_is_until_that_run_is_over(tmp_path: Path, runs: list[subprocess.Popen[bytes]]) -> None:
    first, second = claim(runs[0].pid), claim(runs[1].pid)
    folder = str(tmp_path / "a" / "work")
    assert work_dir.take(folder, first) == {}
    assert work_dir.take(folder, {**first, "token": claim(runs[0].pid, "b")["token"]}) == {}, "the same run may again"
    assert work_dir.take(folder, second)["holder"] == "anna@hv"
    told = work_dir.words(folder, first, 1012.0)
    assert "by anna@hv: the image node, begun 12 s ago" in told
    runs[0].communicate()
    assert work_dir.take(folder, second) == {}
    assert work_dir.take(folder, claim(runs[2].pid))["token"] == second["token"]


@pytest.mark.parametrize("text", ["", "no claim", "[]", "{}", '{"token": "a.b.1.2.c", "holder": "x", "purpose": "y", "since": "z"}'])
def test_what_is_no_claim_keeps_nobody(tmp_path: Path, runs: list[subprocess.Popen[bytes]], text: str) -> None:
    (tmp_path / work_dir.FILE).write_text(text)
    assert work_dir.take(str(tmp_path), claim(runs[0].pid)) == {}


def test_of_another_machine_s_run_nothing_is_known_and_it_keeps_nobody(tmp_path: Path, runs: list[subprocess.Popen[bytes]]) -> None:
    there = {**claim(runs[0].pid), "token": f"other.1.{runs[0].pid}.1.a"}
    assert work_dir.take(str(tmp_path), there) == {}
    assert work_dir.take(str(tmp_path), claim(runs[1].pid)) == {}


def test_of_many_who_try_at_once_one_has_it(tmp_path: Path, runs: list[subprocess.Popen[bytes]], monkeypatch: pytest.MonkeyPatch) -> None:
    read = work_dir._claim

    def slowly(text: str) -> dict[str, object]:
        found = read(text)
        time.sleep(0.05)
        return found

    monkeypatch.setattr(work_dir, "_claim", slowly)
    for turn in range(3):
        folder = str(tmp_path / str(turn))
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            had = list(pool.map(work_dir.take, [folder] * 4, [claim(one.pid) for one in runs]))
        assert had.count({}) == 1, had
