# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""The movable demo service: stored before acknowledged, once, and read back whole after any end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import ledger
import loop
import pytest


def test_a_transaction_is_in_the_file_once_it_is_acknowledged(start, free, tmp_path):
    service = start("n1", "ledger", free(), str(tmp_path))
    assert service.ask("POST", "/t/c1/1") == (200, {"client": "c1", "number": 1, "node": "n1"})
    assert (tmp_path / "ledger.log").read_text() == "c1/1 n1\n"


def test_the_same_id_again_is_acknowledged_and_not_stored_again(start, free, tmp_path):
    service = start("n1", "ledger", free(), str(tmp_path))
    for path in ("/t/c1/1", "/t/c1/1", "/t/c1/01", "/t/c1/2"):
        assert service.ask("POST", path)[0] == 200
    assert service.ask("GET", "/ledger")[1]["ids"] == ["c1/1", "c1/2"]


def test_an_id_is_known_again_after_a_kill(start, free, tmp_path):
    first = start("n1", "ledger", free(), str(tmp_path))
    first.ask("POST", "/t/c1/1")
    first.stop(signal.SIGKILL)
    second = start("n2", "ledger", free(), str(tmp_path))
    assert second.ask("POST", "/t/c1/1") == (200, {"client": "c1", "number": 1, "node": "n2"})
    assert second.ask("GET", "/ledger")[1] == {"node": "n2", "ids": ["c1/1"]}


def test_reading_does_not_store(start, free, tmp_path):
    service = start("n1", "ledger", free(), str(tmp_path))
    assert service.ask("GET", "/t/c1/1")[0] == 405
    assert service.ask("GET", "/ledger")[1]["ids"] == []


@pytest.mark.parametrize("tail", [b"c1/3", b"c1/3 ", b"c1/3 n1", b"\0\0\0\0", b"\0\0\0\n", b"\xff\xfe\n"])
def test_what_a_torn_write_left_is_cut_off(start, free, tmp_path, tail):
    (tmp_path / "ledger.log").write_bytes(b"c1/1 n1\nc1/2 n1\n" + tail)
    service = start("n1", "ledger", free(), str(tmp_path))
    service.ask("POST", "/t/c1/3")
    assert (tmp_path / "ledger.log").read_bytes() == b"c1/1 n1\nc1/2 n1\nc1/3 n1\n"


def test_a_damaged_file_is_refused_and_left_alone(free, tmp_path):
    content = b"c1/1 n1\ndamage\nc1/2 n1\n"
    (tmp_path / "ledger.log").write_bytes(content)
    done = run_ledger(str(free()), str(tmp_path))
    assert done.returncode == 1
    assert "line 2 is not a transaction, but later lines are; repair or move it" in done.stderr
    assert (tmp_path / "ledger.log").read_bytes() == content


def test_nothing_mounted_is_refused_when_a_mount_is_wanted(free, tmp_path):
    done = run_ledger(str(free()), str(tmp_path), "--mounted")
    assert done.returncode == 1
    assert "nothing is mounted at" in done.stderr
    assert not (tmp_path / "ledger.log").exists()


def run_ledger(*words: str) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-SE", str(Path(ledger.__file__)), *words, "127.0.0.1"]
    return subprocess.run(argv, capture_output=True, text=True, timeout=10, check=False)


def test_a_batch_is_stored_with_one_fsync(tmp_path, monkeypatch):
    book = ledger.Ledger(str(tmp_path), "n1")
    calls = []
    real = os.fsync
    monkeypatch.setattr(os, "fsync", lambda number: (calls.append(number), real(number)))
    answers = book.answer([loop.Request("POST", f"/t/c1/{number}", True) for number in (1, 2, 3, 2)])
    assert [status for status, _ in answers] == [200] * 4
    assert calls == [book.file]
    assert (tmp_path / "ledger.log").read_text() == "c1/1 n1\nc1/2 n1\nc1/3 n1\n"


def test_a_failed_fsync_acknowledges_nothing(tmp_path, monkeypatch):
    book = ledger.Ledger(str(tmp_path), "n1")

    def fail(_number):
        raise OSError("the disk is gone")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="the disk is gone"):
        book.answer([loop.Request("POST", "/t/c1/1", True)])
    assert not book.stored


def test_many_clients_at_once_are_each_stored_once(start, free, tmp_path):
    service = start("n1", "ledger", free(), str(tmp_path))

    def send(client: int) -> None:
        for number in range(25):
            assert service.ask("POST", f"/t/c{client}/{number}")[0] == 200

    threads = [threading.Thread(target=send, args=(client,)) for client in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    stored = service.ask("GET", "/ledger")[1]["ids"]
    assert sorted(stored) == sorted(f"c{client}/{number}" for client in range(4) for number in range(25))
