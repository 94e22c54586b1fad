# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""The witness's eye on one host: which VMs of the cluster libvirt shows there. Read-only."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from typing import Any

import libvirt

from lab.observer.parse import parse_domain

RUNNING = frozenset({1, 2})  # virDomainState: running, blocked
RECONNECT_S = 2.0
TOLD_EVERY_S = 10.0  # a host in sight is told so often: silence is not sight
_events_started = threading.Event()


def start_events() -> None:
    """Runs libvirt's event loop in a thread, which keepalive needs; once per process, before the first connection."""
    if _events_started.is_set():
        return
    _events_started.set()
    libvirt.virEventRegisterDefaultImpl()
    libvirt.registerErrorHandler(lambda _context, _error: None, None)  # errors are told by us, not on stderr

    def turn() -> None:
        while True:
            libvirt.virEventRunDefaultImpl()

    threading.Thread(target=turn, name="libvirt-events", daemon=True).start()


class HostEye:
    """Looks at one host again and again and tells what changed.

    `tell(record)` gets {kind: vm, event: defined|running|stopped|gone, ...facts} and {kind: host, ok, because}.
    """

    def __init__(self, name: str, uri: str, cluster: str, tell: Callable[[dict[str, Any]], None]) -> None:
        self.name, self.uri, self.cluster, self.tell = name, uri, cluster, tell
        self._connection: Any = None
        self._foreign: set[str] = set()  # UUIDs of domains that are not ours: read once, then left alone
        self._seen: dict[str, dict[str, Any]] = {}  # UUID -> facts and the last event
        self._ok: bool | None = None
        self._told_at = 0.0

    def watch(self, stop: threading.Event, every_s: float) -> None:
        """Looks every `every_s` seconds until `stop` is set."""
        while not stop.is_set():
            try:
                self._look()
                self._say_host(True, None)
                stop.wait(every_s)
            except (libvirt.libvirtError, ValueError) as error:
                self._say_host(False, str(error))
                self._disconnect()
                stop.wait(RECONNECT_S)
        self._disconnect()

    def _look(self) -> None:
        if self._connection is None:
            self._connection = libvirt.openReadOnly(self.uri)
            self._keep_alive()
        present: dict[str, int] = {}
        domains = self._connection.getAllDomainStats(libvirt.VIR_DOMAIN_STATS_STATE, 0)
        for domain, stats in domains:
            present[domain.UUIDString()] = stats["state.state"]
        # Before those that came: one may have the name of one that went.
        for uuid in [uuid for uuid in self._seen if uuid not in present]:
            self._event(self._seen.pop(uuid), "gone")
        for domain, _stats in domains:
            self._learn(domain)
        for uuid, facts in self._seen.items():
            event = "running" if present[uuid] in RUNNING else "stopped"
            if facts["last"] != event and not (facts["last"] == "defined" and event == "stopped"):
                self._event(facts, event)

    def _keep_alive(self) -> None:
        try:
            self._connection.setKeepAlive(5, 3)  # a host that falls silent ends the call after 15 s
        except libvirt.libvirtError as error:
            if error.get_error_code() != libvirt.VIR_ERR_NO_SUPPORT:  # a local connection needs none
                raise

    def _learn(self, domain: Any) -> None:
        uuid = domain.UUIDString()
        if uuid in self._seen or uuid in self._foreign:
            return
        try:
            # The configured size: a running VM's own counts down from its maximum while its balloon driver starts.
            facts = parse_domain(domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE), self.cluster)
        except libvirt.libvirtError as error:
            if error.get_error_code() == libvirt.VIR_ERR_NO_DOMAIN:
                return  # gone between the two calls
            raise
        if facts is None:
            self._foreign.add(uuid)
            return
        self._seen[uuid] = {**facts, "last": ""}
        self._event(self._seen[uuid], "defined")

    def _event(self, facts: dict[str, Any], event: str) -> None:
        facts["last"] = event
        told = {key: value for key, value in facts.items() if key != "last"}
        self.tell({"kind": "vm", "event": event, "host": self.name, **told})

    def _say_host(self, ok: bool, because: str | None) -> None:
        if ok != self._ok or (ok and time.monotonic() - self._told_at >= TOLD_EVERY_S):
            self._ok, self._told_at = ok, time.monotonic()
            self.tell({"kind": "host", "host": self.name, "ok": ok, "because": because})

    def _disconnect(self) -> None:
        if self._connection is not None:
            with contextlib.suppress(libvirt.libvirtError):  # it may be broken: that may be why it is closed
                self._connection.close()
            self._connection = None
