# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""Reads the load each tick: libvirt and the load balancers, at the same time, each with its own deadline."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ondemand._collection.plugin_utils._config.ports import STATS_PORT
from ondemand.config.model import Cluster
from ondemand.model import Signal
from ondemand.observe import haproxy
from ondemand.observe.libvirt_door import CpuSample, LibvirtDoor
from ondemand.observe.signals import LoadSample, signals

USER = "ondemand"
PASSWORD_FILE = "stats_password"  # noqa: S105 - the file's name


class LoadReader:
    """Keeps the sample before and the newest signals: a signal that can't be renewed stays, and ages."""

    def __init__(self, cluster: Cluster, state_dir: Path, clock: Callable[[], float], stats_port: int = STATS_PORT) -> None:
        self._clock, self._state_dir, self._port = clock, state_dir, stats_port
        self._balanced = {one.name: one.address for one in cluster.services if one.kind == "balanced"}
        self._door = LibvirtDoor([(one.name, one.uri) for one in cluster.hosts], cluster.name, clock)
        self._deadline_s = max(0.5, min(2.0, cluster.scaling.every_s))
        self._pool = ThreadPoolExecutor(max_workers=2 * max(1, len(self._balanced)), thread_name_prefix="stats")
        self._before: LoadSample | None = None
        self._signals: dict[str, Signal] = {}

    def read(self, members: Mapping[str, str]) -> tuple[dict[str, Signal], list[str]]:
        """The newest signals over the members (node -> address), and why parts of them could not be renewed."""
        problems: list[str] = []
        password = self._password(problems) if self._balanced else ""
        asked = {name: self._pool.submit(self._service, name, address, password) for name, address in self._balanced.items() if password}
        cpus: dict[str, CpuSample] = {}
        for host in self._door.read(self._deadline_s):
            cpus.update(host.vms)
            problems += [host.problem] if host.problem else []
        services = {}
        for name, future in asked.items():
            try:
                stats = future.result(timeout=2 * haproxy.TIMEOUT_S)
            except TimeoutError:
                stats = f"the load balancer of {name} answers too slowly"
            if isinstance(stats, haproxy.ServiceStats):
                services[name] = stats
            else:
                problems.append(stats)
        now = LoadSample(self._clock(), cpus, services)
        self._signals.update(signals(self._before, now, members, list(self._balanced)))
        self._before = now
        return dict(self._signals), problems

    def forget(self) -> None:
        """After a step: a rate over the time of the change would mix before and after."""
        self._before, self._signals = None, {}

    def close(self) -> None:
        """Ends the threads."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._door.close()

    def _password(self, problems: list[str]) -> str:
        try:
            return (self._state_dir / PASSWORD_FILE).read_text().strip()
        except (OSError, UnicodeDecodeError) as error:
            problems.append(f"the load balancer can't be asked: {PASSWORD_FILE} can't be read ({error.__class__.__name__})")
            return ""

    def _service(self, name: str, address: str, password: str) -> haproxy.ServiceStats | str:
        try:
            text = haproxy.fetch(address, USER, password, self._port)
        except OSError as error:
            return f"the load balancer of {name} can't be asked: {error}"
        stats = haproxy.parse(text, name, self._clock())
        return stats if stats is not None else f"the load balancer at {address} tells nothing usable about {name}"
