# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""ansible-playbook without its start: a process that has imported Ansible forks for each run, which saves half of what a short one costs.

A run is the real command from there on: its own session, its own arguments, results and output, and an end by its exit code or by a signal.
Who wants to kill one starts a command of its own (Cluster.begin).
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from lab.processes import kill_whole

STARTED_WITHIN_S = 60
# What every run needs. The collection is not among it: each run finds and compiles it as a command does.
IMPORTED = """
executor.playbook_executor executor.task_queue_manager plugins.strategy.linear plugins.connection.ssh plugins.connection.local plugins.shell.sh
plugins.callback.default plugins.cache.memory plugins.vars.host_group_vars plugins.inventory.auto plugins.inventory.host_list plugins.inventory.ini
plugins.inventory.script plugins.inventory.yaml plugins.inventory.toml plugins.inventory.advanced_host_list plugins.inventory.constructed
plugins.inventory.generator plugins.action.normal plugins.lookup.file plugins.filter.core plugins.test.core
""".split()


class Warm:
    """The client's end, for as long as its context. `argv_of` gives the command line that runs the process where the runs belong."""

    def __init__(self, directory: Path, argv_of: Callable[[Sequence[str]], list[str]], environment: Mapping[str, str], cwd: Path) -> None:
        self._address = str(directory / "warm")
        # Where the runs' own words go is said with each; the process itself says something only where it breaks. An interrupt is the tests' own.
        argv = argv_of([sys.executable, "-m", "tests.cluster.warm", self._address])
        self._process = subprocess.Popen(argv, cwd=cwd, env=dict(environment), stdin=subprocess.DEVNULL, start_new_session=True)
        end = time.monotonic() + STARTED_WITHIN_S
        while not os.path.exists(self._address):
            assert self._process.poll() is None and time.monotonic() < end, "the process that runs playbooks did not start"
            time.sleep(0.05)

    def run(self, argv: Sequence[str], results: Path, timeout_s: float) -> subprocess.CompletedProcess[str]:
        """As subprocess.run of ansible-playbook with captured texts would; at the timeout the run is killed with all that it started here."""
        output, errors = results.with_suffix(".out"), results.with_suffix(".err")
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(timeout_s)
            line.connect(self._address)
            said = line.makefile("rw", encoding="utf-8")
            said.write(json.dumps({"argv": list(argv), "results": str(results), "output": str(output), "errors": str(errors)}) + "\n")
            said.flush()
            pid = int(said.readline())
            try:
                code = said.readline().strip()
            except TimeoutError:
                kill_whole(pid)
                raise subprocess.TimeoutExpired(list(argv), timeout_s, output.read_text(), errors.read_text()) from None
        # Who was killed says no code.
        return subprocess.CompletedProcess(list(argv), int(code or -signal.SIGKILL), output.read_text(), errors.read_text())

    def __enter__(self) -> Warm:
        return self

    def __exit__(self, *_error: object) -> None:
        self._process.terminate()
        self._process.wait(30)


def serve(address: str) -> None:
    """Fork for each who calls, until SIGTERM ends it, and with it Ansible's folder for what it puts down for a moment."""
    signal.signal(signal.SIGTERM, lambda *_signal: sys.exit())
    for name in IMPORTED:
        importlib.import_module("ansible." + name)
    from ansible.cli import playbook

    line = socket.socket(socket.AF_UNIX)
    line.bind(address + ".new")
    line.listen(16)
    os.rename(address + ".new", address)
    # Nobody waits for those who have ended.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        caller, _from = line.accept()
        if os.fork() == 0:
            line.close()
            _answer(caller, playbook.main)
        caller.close()


def _answer(caller: socket.socket, main: Callable[[list[str]], None]) -> None:
    """One run, in the process that was forked for it."""
    code = 1
    try:
        for number in (signal.SIGCHLD, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        os.setsid()
        # Else a worker that outlives a run would keep the line open, and nobody would see that the run has ended.
        # Once: what a worker forks in turn may have another file under that number.
        held = [caller.fileno()]
        os.register_at_fork(after_in_child=lambda: held and os.close(held.pop()))
        said = caller.makefile("rw", encoding="utf-8")
        asked = json.loads(said.readline())
        said.write("%d\n" % os.getpid())
        said.flush()
        for number, name in ((1, "output"), (2, "errors")):
            file = os.open(asked[name], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            os.dup2(file, number)
            os.close(file)
        os.environ["ONDEMAND_TEST_RESULTS"] = asked["results"]
        try:
            main(asked["argv"])
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 1
        sys.stdout.flush()
        sys.stderr.flush()
        said.write("%d\n" % code)
        said.flush()
    finally:
        # Not what was registered for the end of the process that this one was forked from.
        os._exit(code)


if __name__ == "__main__":
    serve(sys.argv[1])
