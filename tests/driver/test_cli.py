# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""What the commands say where there is nothing yet, or nothing that may be read."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ondemand import cli
from ondemand.memory import Memory
from ondemand.record.journal import Journal
from tests.driver.values import demo_data, merged


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A cluster file with a state folder of its own."""
    path = tmp_path / "shop.yml"
    path.write_text(json.dumps({"cluster": merged(demo_data()["cluster"], {"access": {"state_dir": str(tmp_path)}})}))
    return path


def ended(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    """The exit code of a command."""
    monkeypatch.setattr("sys.argv", ["ondemand", *words])
    with pytest.raises(SystemExit) as caught:
        cli.main()
    return int(caught.value.code or 0)


EMPTY = {"status": "no driver runs; the journal is empty: no driver has decided yet", "history": "the journal is empty"}


@pytest.mark.parametrize(("command", "told"), EMPTY.items())
def test_an_empty_journal_is_a_sentence(
    file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, command: str, told: str
) -> None:
    assert ended(monkeypatch, command, str(file)) == 0
    assert told in capsys.readouterr().out


def test_what_is_wanted_is_told_with_its_reason(file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    journal = Journal(file.parent / "journal.db")
    journal.remember(Memory(1, "the load is gone"))
    journal.close()
    assert ended(monkeypatch, "status", str(file)) == 0
    assert "wanted: 1 node, because the load is gone" in capsys.readouterr().out


def _no_file(monkeypatch: pytest.MonkeyPatch) -> None:
    def is_file(_path: Path) -> bool:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "is_file", is_file)


def _no_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.open

    def opened(path: Any, *more: Any, **named: Any) -> int:
        if str(path).endswith("driver.lock"):
            raise PermissionError(13, "Permission denied")
        return real(path, *more, **named)

    monkeypatch.setattr(os, "open", opened)


@pytest.mark.parametrize("forbid", [_no_file, _no_lock], ids=["the journal", "the lock"])
def test_a_state_folder_of_somebody_else_is_a_refusal(
    file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, forbid: Callable[[pytest.MonkeyPatch], None]
) -> None:
    forbid(monkeypatch)
    assert ended(monkeypatch, "status", str(file)) == 4
    assert "run this as the account that owns" in capsys.readouterr().err
