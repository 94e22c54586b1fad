# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""The demo's door to other programs: commands in the lab's spaces, each with a log file and a deadline."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Hashable, Sequence
from pathlib import Path
from typing import BinaryIO

from lab.demo.progress import DemoFailed, Patience, Progress, nothing
from lab.processes import kill_whole
from ondemand.act.processes import MARK, marked

CHECKOUT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent  # ansible-playbook and ondemand are installed beside this Python
END_WITHIN_S = 10.0
TAIL_LINES = 15


def lab(*words: str) -> list[str]:
    """The command line of the lab itself."""
    return [sys.executable, "-m", "lab", *words]


def inside(space: str, argv: Sequence[str]) -> list[str]:
    """The command line that runs `argv` in a space of the lab."""
    return lab("run", space, "--", *argv)


def operator_mark(cluster: str) -> str:
    """By which the processes of playbooks that the demo itself plays are known; the driver's own have another one."""
    return f"{cluster}-operator/"


def running_on(marks: Sequence[str], within_s: float = END_WITHIN_S) -> list[str]:
    """Ids and command lines of the processes of playbooks, known by these marks, that haven't ended by themselves within some seconds."""
    until = time.monotonic() + within_s
    while any(marked(mark) for mark in marks) and time.monotonic() < until:
        time.sleep(0.1)
    told = []
    for pid in (pid for mark in marks for pid in marked(mark)):
        with contextlib.suppress(OSError):
            words = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            told.append(f"{pid}: {words.strip()[:200]}")
    return told


def playbook(name: str, cluster_file: Path, *more: str) -> list[str]:
    """The command line that runs one of the checkout's playbooks on the cluster file, as the operator would."""
    marked = ["env", f"{MARK}={operator_mark(cluster_file.stem)}{name}", "ANSIBLE_SHOW_CUSTOM_STATS=1"]
    return inside("ctl", [*marked, str(BIN / "ansible-playbook"), f"playbooks/{name}.yml", "-e", f"@{cluster_file}", *more])


def size(path: Path) -> int:
    """Returns a file's size in bytes; 0 when there is none."""
    return path.stat().st_size if path.exists() else 0


def tail(log: Path) -> str:
    """Returns the last lines of a log, indented."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines() if log.exists() else []
    return "\n".join(f"    {line}" for line in lines[-TAIL_LINES:])


class Processes:
    """Starts programs with logs below `directory`, keeps those that run on, and ends them at last."""

    def __init__(self, directory: Path, progress: Progress) -> None:
        self._directory, self._progress = directory, progress
        self._kept: dict[str, subprocess.Popen[bytes]] = {}

    def log(self, name: str) -> Path:
        """The log file of that name."""
        return self._directory / f"{name}.log"

    def run(self, what: str, name: str, argv: Sequence[str], deadline_s: float, sign: Callable[[], Hashable] = nothing) -> str:
        """Runs a program to its end, saying `what` is waited for; returns its standard output.

        DemoFailed with the end of the log when it fails, or `deadline_s` pass without a sign of progress: what it writes is one, and
        what `sign` says; or four times as many in all.
        """
        with self._progress.step(what) as still:
            output = self.log(name).with_suffix(".out")
            with output.open("wb") as stdout, self.log(name).open("ab") as stderr:
                process = self._popen(argv, stdout, stderr)
            try:
                patience = Patience(deadline_s, sign=lambda: (size(output), size(self.log(name)), sign()))
                while process.poll() is None:
                    if over := patience.over():
                        raise DemoFailed(f"{what} did not end within {over}; the end of {self.log(name)}:\n{tail(self.log(name))}")
                    still()
                    time.sleep(0.1)
            finally:
                end_whole(process)
            text = output.read_text(encoding="utf-8", errors="replace")
            if process.returncode:
                raise DemoFailed(
                    f"{what} failed (exit code {process.returncode}); the end of {output}:\n{tail(output)}\n{tail(self.log(name))}"
                )
            return text

    def killed_after(self, name: str, argv: Sequence[str], after_s: float) -> bool:
        """Starts a program and ends it with its group by SIGKILL after so many seconds; False if it had ended by itself before."""
        with self.log(name).open("ab") as log:
            process = self._popen(argv, log, log)
        try:
            process.wait(after_s)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            return True
        return False

    def start(self, name: str, argv: Sequence[str]) -> None:
        """Starts a program that runs on, under a name."""
        with self.log(name).open("ab") as log:
            self._kept[name] = self._popen(argv, log, log)

    def check(self) -> None:
        """DemoFailed when a program that should run on has ended."""
        for name, process in self._kept.items():
            if process.poll() is not None:
                raise DemoFailed(
                    f"the {name} ended by itself (exit code {process.returncode}); the end of its log:\n{tail(self.log(name))}"
                )

    def runs(self, name: str) -> bool:
        """Whether a program of that name was started and is not ended yet."""
        return name in self._kept and self._kept[name].poll() is None

    def kill(self, name: str) -> None:
        """Ends a program by SIGKILL, it alone."""
        process = self._kept.pop(name)
        process.kill()
        process.wait()

    def stop(self, name: str, deadline_s: float) -> int:
        """Asks a program to end by SIGTERM and waits for it; returns its exit code. DemoFailed after `deadline_s`."""
        process = self._kept.pop(name)
        process.send_signal(signal.SIGTERM)
        with self._progress.step(f"the end of the {name}") as still:
            end = time.monotonic() + deadline_s
            while process.poll() is None:
                if time.monotonic() >= end:
                    end_whole(process)
                    raise DemoFailed(f"the {name} did not end within {deadline_s:g} s after SIGTERM; see {self.log(name)}")
                still()
                time.sleep(0.1)
        return process.returncode

    def stop_all(self) -> dict[str, int]:
        """Ends whatever still runs: SIGTERM, and SIGKILL after 10 s. Returns the exit codes by name."""
        for process in self._kept.values():
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for process in self._kept.values():
            end_whole(process)
        codes = {name: process.returncode for name, process in self._kept.items()}
        self._kept.clear()
        return codes

    def _popen(self, argv: Sequence[str], stdout: BinaryIO, stderr: BinaryIO) -> subprocess.Popen[bytes]:
        # Its own session: Ctrl-C reaches the demo alone, which then ends its children in order.
        return subprocess.Popen(
            list(argv),
            cwd=CHECKOUT,
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            start_new_session=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )


def end_whole(process: subprocess.Popen[bytes]) -> None:
    """Waits 10 s for a process that runs on to end after SIGTERM; then kills it with all that descends from it."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(END_WITHIN_S)
        except subprocess.TimeoutExpired:
            kill_whole(process.pid)
            process.wait()
