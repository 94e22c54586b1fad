# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""The driver's only door to libvirt: CPU time of a cluster's VMs, read in bulk, read-only, one thread per host.

A host that hangs delays nobody: its thread goes on waiting, the others' numbers are taken at the deadline, and no second call
is sent to it before the first has ended or was given up.
"""

from __future__ import annotations

import contextlib
import functools
import queue
import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree

import libvirt  # type: ignore[import-untyped]

from ondemand._collection.module_utils._contract.config_uris import uri_problem

METADATA = "urn:ondemand:cluster:vm:1"
OWNER = "ondemand.cluster"
VCPU_TIME = re.compile(r"vcpu\.[0-9]+\.time")
FORGET_S = 60.0
"""a domain that is not ours is asked again after so long"""
GIVE_UP_S = 60.0
"""a call that has hung for so long is left behind and made anew: the host may be well again"""
LONGEST_PATIENCE_S = 3600.0


@dataclass(frozen=True)
class CpuSample:
    """CPU time that a VM used since it started, in nanoseconds, and the vCPUs that it has."""

    at: float
    cpu_ns: int
    vcpus: int


@dataclass(frozen=True)
class HostSample:
    """One host's answer: the cluster's VMs that run there, the CPU time of those that tell it, or why there is no answer."""

    host: str
    vms: Mapping[str, CpuSample]
    problem: str = ""
    running: tuple[str, ...] = ()


def quiet_uri(uri: str) -> str:
    """The URI with which ssh never asks anything: a daemon has nobody to answer a prompt."""
    if "+ssh://" not in uri or "no_tty=" in uri:
        return uri
    return uri + ("&" if "?" in uri else "?") + "no_tty=1"


def cpu_of(stats: Mapping[str, Any], at: float) -> CpuSample | None:
    """A domain's bulk statistics as a sample; None where libvirt doesn't tell. vCPU time if it is there, for it leaves out the emulator."""
    vcpus = stats.get("vcpu.current")
    if not isinstance(vcpus, int) or vcpus < 1:
        return None
    times = [value for key, value in stats.items() if VCPU_TIME.fullmatch(key) and isinstance(value, int)]
    total = sum(times) if len(times) >= vcpus else stats.get("cpu.time")
    return CpuSample(at, total, vcpus) if isinstance(total, int) and total >= 0 else None


def name_in(metadata: str, cluster: str) -> str | None:
    """The VM's name if the metadata carries our mark and the cluster's name, else None."""
    try:
        element = ElementTree.fromstring(metadata)
    except ElementTree.ParseError:
        return None
    ours = element.get("owner") == OWNER and element.get("cluster") == cluster
    return element.get("name") if ours else None


class _Reader:
    """A host's connection. It is touched by one thread only, and so is every libvirt object of it."""

    def __init__(self, name: str, uri: str, cluster: str, clock: Callable[[], float]) -> None:
        self._name, self._uri, self._cluster, self._clock = name, quiet_uri(uri), cluster, clock
        self._wrong = uri_problem(uri)
        self._connection: Any = None
        self._known: dict[str, tuple[str | None, float]] = {}

    def sample(self) -> HostSample:
        """What the host tells now, or why it tells nothing. Nothing is called by a URI that the check would refuse."""
        if self._wrong:
            return HostSample(self._name, {}, f"{self._name} can't be read: its URI {self._wrong[0]}; right would be: {self._wrong[1]}")
        try:
            return self._read()
        except (libvirt.libvirtError, OSError) as error:
            self.close()
            return HostSample(self._name, {}, f"{self._name} can't be read: {error}")

    def close(self) -> None:
        """Ends the connection."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(libvirt.libvirtError):
                connection.close()

    def _read(self) -> HostSample:
        if self._connection is None:
            self._connection = libvirt.openReadOnly(self._uri)
            # Drivers without a network have no keepalive; there the deadline of the caller is enough.
            with contextlib.suppress(libvirt.libvirtError):
                self._connection.setKeepAlive(5, 3)
        # The cheapest groups only, running domains only; domains that are busy with a job are left out instead of waited for.
        groups = libvirt.VIR_DOMAIN_STATS_CPU_TOTAL | libvirt.VIR_DOMAIN_STATS_VCPU
        flags = libvirt.VIR_CONNECT_GET_ALL_DOMAINS_STATS_RUNNING | libvirt.VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT
        found, running = {}, []
        for domain, stats in self._connection.getAllDomainStats(groups, flags):
            name = self._ours(domain)
            if name is None:
                continue
            running.append(name)
            sample = cpu_of(stats, self._clock())
            if sample:
                found[name] = sample
        return HostSample(self._name, found, running=tuple(sorted(running)))

    def _ours(self, domain: Any) -> str | None:
        """The VM's name in the cluster. Metadata costs a call per domain, so it is asked once: a mark never changes."""
        uuid = domain.UUIDString()
        known = self._known.get(uuid)
        if known and (known[0] or time.monotonic() - known[1] < FORGET_S):
            return known[0]
        try:
            name = name_in(domain.metadata(libvirt.VIR_DOMAIN_METADATA_ELEMENT, METADATA, 0), self._cluster)
        except libvirt.libvirtError as error:
            if error.get_error_code() not in (libvirt.VIR_ERR_NO_DOMAIN_METADATA, libvirt.VIR_ERR_NO_DOMAIN):
                raise
            name = None
        self._known[uuid] = (name, time.monotonic())
        return name


class _Host:
    """A host and the thread that reads it. A call that hangs can't be ended, so its thread is left behind at last, and another one begins."""

    def __init__(self, name: str, uri: str, cluster: str, clock: Callable[[], float], give_up_s: float) -> None:
        self.name, self._give_up_s = name, give_up_s
        self._new_reader = functools.partial(_Reader, name, uri, cluster, clock)
        self._lock = threading.Lock()
        self._busy_since: float | None = None
        self._answer: HostSample | None = None
        self._silent_s = 0.0
        self._done = threading.Event()
        self._asked = self._begin()

    def ask(self) -> None:
        """Starts a look, unless the one before hasn't ended."""
        with self._lock:
            now = time.monotonic()
            if self._busy_since is not None:
                waited = now - self._busy_since
                if waited < self._give_up_s:
                    return
                # Twice as patient each time: threads that are left behind stay few.
                self._silent_s, self._give_up_s = self._silent_s + waited, min(LONGEST_PATIENCE_S, 2 * self._give_up_s)
                self._asked.put(False)
                self._asked = self._begin()
            self._busy_since, self._answer = now, None
            self._done.clear()
            self._asked.put(True)

    def answer(self, deadline: float) -> HostSample:
        """The look's result, or that there is none yet at the deadline (monotonic)."""
        self._done.wait(max(0.0, deadline - time.monotonic()))
        with self._lock:
            if self._answer is not None:
                return self._answer
            waited = self._silent_s + time.monotonic() - (self._busy_since or time.monotonic())
        return HostSample(self.name, {}, f"{self.name} has not answered for {waited:.0f} s")

    def close(self) -> None:
        """Ends the thread; one that hangs in libvirt ends with the process."""
        self._asked.put(False)

    def _begin(self) -> queue.SimpleQueue[bool]:
        asked: queue.SimpleQueue[bool] = queue.SimpleQueue()
        threading.Thread(target=self._work, args=(asked, self._new_reader()), name=f"libvirt-{self.name}", daemon=True).start()
        return asked

    def _work(self, asked: queue.SimpleQueue[bool], reader: _Reader) -> None:
        while asked.get():
            sample = reader.sample()
            with self._lock:
                if asked is not self._asked:  # left behind meanwhile: nobody waits for this answer
                    break
                self._answer, self._busy_since, self._silent_s = sample, None, 0.0
                self._done.set()
        reader.close()


def _no_output(_context: Any, _error: Any) -> None:
    """libvirt writes errors to stderr besides raising them; raised is enough."""


_events = threading.Lock()
_events_run = False


def _run_events() -> None:
    """Keepalive needs libvirt's event loop, once per process, before the first connection."""
    global _events_run
    with _events:
        if _events_run:
            return
        libvirt.registerErrorHandler(_no_output, None)
        libvirt.virEventRegisterDefaultImpl()
        _events_run = True

    def loop() -> None:
        while True:
            libvirt.virEventRunDefaultImpl()

    threading.Thread(target=loop, name="libvirt-events", daemon=True).start()


class LibvirtDoor:
    """Reads all hosts of a cluster at once."""

    def __init__(self, hosts: Sequence[tuple[str, str]], cluster: str, clock: Callable[[], float], give_up_s: float = GIVE_UP_S) -> None:
        _run_events()
        self._hosts = [_Host(name, uri, cluster, clock, give_up_s) for name, uri in hosts]

    def read(self, deadline_s: float) -> list[HostSample]:
        """Every host's sample, after `deadline_s` seconds at most."""
        for host in self._hosts:
            host.ask()
        deadline = time.monotonic() + deadline_s
        return [host.answer(deadline) for host in self._hosts]

    def close(self) -> None:
        """Ends the threads."""
        for host in self._hosts:
            host.close()
