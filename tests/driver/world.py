# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""A world in a JSON file, playbooks that change it, and the real command `ondemand` that drives it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from ondemand.act import processes
from ondemand.record.journal import Journal
from tests.driver.values import demo_data, merged

PLAYBOOKS = Path(__file__).resolve().parent / "playbooks"
SOURCE = Path(__file__).resolve().parents[2] / "driver" / "src"
LONGEST_S = 240.0


class World:
    """A cluster file, its world, and the drivers that were started on it."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder, self.name = folder, name
        self.file, self.state = folder / "shop.yml", folder / "state"
        self.state.mkdir(mode=0o700)
        self.drivers: list[subprocess.Popen[bytes]] = []
        self.over: dict[str, Any] = {}
        self.write_file({})
        self.set(slow_s=0, vms=[self.vm(1)], nodes=[{"name": f"{name}-n1", "services": ["ledger"]}])

    def vm(self, number: int, memory_mib: int = 640) -> dict[str, Any]:
        """A VM of the world."""
        told = {"name": f"{self.name}-n{number}", "host": "hv1", "state": "running", "address": f"10.99.0.{19 + number}"}
        return {**told, "vcpus": 1, "memory_mib": memory_mib}

    def write_file(self, over: dict[str, Any]) -> None:
        """Writes the cluster file: the demo's, with the movable service alone, looked at twice a second, changed by `over`."""
        base = demo_data()["cluster"]
        small = {
            "name": self.name,
            "services": [one for one in base["services"] if one["kind"] == "movable"],
            "hosts": [{"name": "hv1", "uri": "test:///default"}],
            "access": {"state_dir": str(self.state)},
            "scaling": {"every_s": 0.5, "policies": []},
        }
        self.over = merged(self.over, over)
        fresh = self.file.with_suffix(".new")
        fresh.write_text(yaml.safe_dump({"cluster": merged(merged(base, small), self.over)}))
        fresh.replace(self.file)

    def set(self, **more: Any) -> None:
        """Changes the world."""
        path = self.state / "world.json"
        before = json.loads(path.read_text()) if path.exists() else {}
        path.write_text(json.dumps({**before, **more}))

    def get(self) -> dict[str, Any]:
        """The world now; a playbook replaces the file in one go."""
        return dict(json.loads((self.state / "world.json").read_text()))

    def nodes(self) -> dict[str, list[str]]:
        """Member -> its services."""
        return {one["name"]: one["services"] for one in self.get()["nodes"]}

    def vms(self) -> list[str]:
        """Names of the VMs."""
        return sorted(one["name"] for one in self.get()["vms"])

    def command(self, *words: str) -> list[str]:
        """The command line of `ondemand`."""
        return [sys.executable, "-m", "ondemand", words[0], str(self.file), *words[1:]]

    @property
    def environment(self) -> dict[str, str]:
        """The command's environment."""
        kept = {key: value for key, value in os.environ.items() if not key.startswith("ANSIBLE_")}
        return {**kept, "PYTHONPATH": str(SOURCE), "ONDEMAND_PLAYBOOKS": str(PLAYBOOKS)}

    def start(self, *words: str) -> subprocess.Popen[bytes]:
        """Starts a driver."""
        log = (self.folder / "driver.log").open("ab")
        driver = subprocess.Popen(self.command("run", "--json-logs", *words), stderr=log, stdout=log, env=self.environment)
        log.close()
        self.drivers.append(driver)
        return driver

    def call(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Runs a command to its end."""
        return subprocess.run(self.command(*words), capture_output=True, text=True, timeout=LONGEST_S, env=self.environment, check=False)

    def history(self) -> list[dict[str, Any]]:
        """The journal's entries; none before there is one."""
        path = self.state / "journal.db"
        if not path.exists():
            return []
        journal = Journal(path, readonly=True)
        entries = journal.history()
        journal.close()
        return entries

    def entries(self, kind: str) -> list[dict[str, Any]]:
        """The journal's entries of one kind."""
        return [one for one in self.history() if one["kind"] == kind]

    def until(self, what: str, condition: Callable[[], bool], longest_s: float = LONGEST_S) -> None:
        """Waits for a condition; fails with the driver's log."""
        until = time.monotonic() + longest_s
        while not condition():
            if time.monotonic() > until:
                raise AssertionError(f"waited {longest_s:g} s for: {what}\n{self.get()}\n{self.log()}")
            time.sleep(0.2)

    def log(self) -> str:
        """What drivers logged."""
        path = self.folder / "driver.log"
        return path.read_text() if path.exists() else ""

    def kill(self, driver: subprocess.Popen[bytes]) -> None:
        """kill -9."""
        driver.send_signal(signal.SIGKILL)
        driver.wait(10)

    def stop(self, driver: subprocess.Popen[bytes]) -> int:
        """SIGTERM, and the exit code."""
        driver.send_signal(signal.SIGTERM)
        return driver.wait(LONGEST_S)

    def close(self) -> None:
        """Leaves nothing running."""
        for driver in self.drivers:
            if driver.poll() is None:
                self.kill(driver)
        processes.end(f"{self.name}/", 1.0)
