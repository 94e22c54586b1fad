# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""An actor, a reader and a clock made of values: a world for the daemon in which nothing takes longer than it is told to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from ondemand.config.load import load
from ondemand.daemon import Daemon, Parts
from ondemand.model import Outcome, Signal, Step, StepKind
from ondemand.record.journal import Journal
from tests.driver.values import demo_data, handed_back, merged


@dataclass
class World:
    """What the daemon is given, what it did, and what it logged. `now` moves only when somebody moves it."""

    folder: Path
    now: float = 1000.0
    names: tuple[str, ...] = ("demo-n1",)
    performed: list[Step] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    look_s: float = 0.0
    waited_s: float | None = None
    standby: tuple[str, ...] = ()
    twice: tuple[str, ...] = ()
    """what is said of VMs that several hosts show"""
    away: tuple[str, ...] = ()
    """nodes that the cluster knows and that are not online"""
    may_leave: bool = True
    services: Mapping[str, str] = field(default_factory=dict)
    """movable service -> its node"""
    unseen: bool = False
    """whether the cluster can't be observed"""
    ends: str = "well"
    """how steps end: well, badly, or well in name only"""
    cpu: float | None = None
    """what vm.cpu is, of all who serve; None: no sample"""
    silent: tuple[str, ...] = ()
    """what the reader of the load says can't be asked"""
    forgotten: int = 0
    during_look: Callable[[], None] = lambda: None
    during_step: Callable[[], None] = lambda: None
    looks: int = 0
    stop_after: int = 1_000_000
    """after so many looks somebody wishes the driver to end"""
    read_of: list[list[str]] = field(default_factory=list)

    def stop(self) -> bool:
        return self.looks >= self.stop_after

    def clock(self) -> float:
        return self.now

    def run(self, playbook: str, variables: Mapping[str, Any], deadline_s: float) -> Outcome:
        self.during_look()
        if self.unseen:
            return Outcome(False, {}, "no way there", self.now, self.now)
        told = handed_back()
        (vm,), (node,) = told["vms"], told["cluster"]["nodes"]
        verdict = {"allowed": self.may_leave, "reason": "quorum", "sentence": "too few votes would be left"}
        told["vms"] = [{**vm, "name": name} for name in self.names]
        told["cluster"] |= {
            "services": [],
            "failures": [],
            "constraints": [],
            "leave_order": list(reversed(self.names)),
            "lease": None,
            "withheld": [],
        }
        told["unreachable"] = []
        told["seen_twice"] = [{"name": "demo-n1", "host": "hv1", "also": ["hv2"], "because": one} for one in self.twice]
        told["cluster"]["nodes"] = [
            {
                **node,
                "name": name,
                "may_leave": verdict,
                "standby": name in self.standby,
                "online": name not in self.away,
                "resources": [],
                "services": [service for service, where in self.services.items() if where == name],
            }
            for name in self.names
        ]
        if not self.names:
            told["cluster"] = None
        began = self.now
        self.now += self.look_s
        self.looks += 1
        return Outcome(True, told, "", began, self.now)

    def perform(self, step: Step) -> Outcome:
        self.performed.append(step)
        self.during_step()
        if self.ends == "well" and step.kind is StepKind.CREATE:
            self.names = ("demo-n1",)
        if self.ends == "well" and "wanted" in step.variables:
            self.names = tuple(f"demo-n{i + 1}" for i in range(step.variables["wanted"]))
        if self.ends == "well" and "service" in step.variables:
            self.services = {**self.services, step.variables["service"]: step.variables["to"]}
        if self.ends == "second":
            return Outcome(False, {}, "the cluster is being changed by somebody", self.now, self.now, "held")
        return Outcome(self.ends != "badly", {}, "done" if self.ends != "badly" else "no room", self.now, self.now)

    def wait_for_orphans(self, longest_s: float, stop: Callable[[], bool]) -> int | None:
        self.waited_s = longest_s
        return None if stop() else 0

    def read(self, members: Mapping[str, str]) -> tuple[dict[str, Signal], list[str]]:
        self.read_of.append(sorted(members))
        return {} if self.cpu is None else {"vm.cpu": Signal(self.cpu, "", self.now, tuple(sorted(members)))}, list(self.silent)

    def forget(self) -> None:
        self.forgotten += 1

    def close(self) -> None:
        pass

    def debug(self, event: str, **more: object) -> None:
        pass

    def info(self, event: str, **more: object) -> None:
        self.lines.append(f"{event} {more}")

    warning = error = info

    def write(self, over: dict[str, Any] | None = None) -> Path:
        """The cluster file: the demo's without policies, changed by `over`."""
        small = {"name": "demo", "access": {"state_dir": str(self.folder)}, "scaling": {"policies": []}}
        path = self.folder / "shop.yml"
        path.write_text(yaml.safe_dump({"cluster": merged(merged(demo_data()["cluster"], small), over or {})}))
        return path

    def daemon(
        self, over: dict[str, Any] | None = None, journal: Journal | None = None, load_file: Any = load, set_text: Any = len
    ) -> Daemon:
        path = self.write(over)
        parts: Any = Parts(path, self, lambda _loaded: self, load_file, journal or Journal(None), self.clock, self, self.stop)  # type: ignore[arg-type]
        return Daemon(parts, load(path), set_text)
