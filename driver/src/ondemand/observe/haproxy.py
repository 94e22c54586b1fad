# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""HAProxy's statistics: the one place that fetches them, and the parser of their CSV."""

from __future__ import annotations

import base64
import contextlib
import csv
import http.client
import io
import math
import re
import socket
import time
from dataclasses import dataclass
from typing import Any, cast

from ondemand._collection.plugin_utils._config.ports import STATS_PORT

TIMEOUT_S = 2.0
LARGEST = 4_000_000
GROWING = ("req_rate_max", "stot", "bin", "bout", "ereq", "hrsp_2xx", "hrsp_4xx", "hrsp_5xx")


@dataclass(frozen=True)
class Slot:
    """A server line of a backend: a node behind the load balancer. `serving` is None where the line doesn't tell."""

    name: str
    address: str
    serving: bool | None


@dataclass(frozen=True)
class ServiceStats:
    """One service's numbers at a time. `requests` counts since the process began, and `up_for_s` tells processes apart.

    So do `counters`, which only ever grow in one process, and `most_per_s`, the most requests that ever came within a second of its
    life; None where that is not told.
    """

    at: float
    requests: int
    queued: int
    sessions: int
    up_for_s: int
    slots: tuple[Slot, ...]
    most_per_s: int | float | None = math.inf
    counters: tuple[int, ...] = ()


class _Until(io.RawIOBase):
    """What a socket gives until a moment (monotonic): each read may take the rest of the time, and no more."""

    def __init__(self, sock: socket.socket, until: float) -> None:
        self._sock, self._until = sock, until

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Reads what is there. Raises TimeoutError when the time is over."""
        left_s = self._until - time.monotonic()
        if left_s > 0:
            self._sock.settimeout(left_s)
            with contextlib.suppress(TimeoutError):
                return self._sock.recv_into(buffer)
        raise TimeoutError("no whole answer in time")

    def makefile(self, _mode: str) -> io.BufferedReader:
        """As http.client asks a socket for its stream."""
        return io.BufferedReader(self)


def fetch(address: str, user: str, password: str, port: int = STATS_PORT, timeout_s: float = TIMEOUT_S) -> str:
    """The CSV text from the address's holder, within `timeout_s` for all of it. Raises OSError, also for an answer that is none.

    An answer that comes byte by byte, has no end, or was cut off is none: half of the rows must not be taken for all.
    """
    until = time.monotonic() + timeout_s
    connection = http.client.HTTPConnection(address, port, timeout=timeout_s)
    try:
        token = base64.b64encode(f"{user}:{password}".encode()).decode()
        connection.request("GET", "/;csv", headers={"Authorization": f"Basic {token}"})
        answer = http.client.HTTPResponse(cast(socket.socket, _Until(connection.sock, until)), method="GET")
        answer.begin()
        body = answer.read(LARGEST + 1)
    except http.client.HTTPException as error:
        raise OSError(f"{address}:{port} gave no HTTP answer: {error!r}") from error
    finally:
        connection.close()
    if answer.status != 200:
        raise OSError(f"{address}:{port} answered {answer.status} {answer.reason}")
    if len(body) > LARGEST:
        raise OSError(f"{address}:{port} answered more than {LARGEST} bytes, which are no statistics")
    if answer.length or not body.endswith(b"\n"):
        raise OSError(f"{address}:{port} gave an answer that was cut off")
    return body.decode("utf-8", "replace")


def _int(row: dict[str, str], key: str) -> int | None:
    text = row.get(key) or ""
    return int(text) if re.fullmatch(r"[0-9]{1,18}", text) else None


def _slot(row: dict[str, str]) -> Slot:
    """Serving is what is up and has weight: a drained one has weight 0, one in maintenance is not up. Missing is neither."""
    status, weight = row.get("status") or "", _int(row, "weight")
    up = status.startswith(("UP", "no check"))
    serving = None if not status or (up and weight is None) else up and bool(weight)
    return Slot(row.get("svname") or "", (row.get("addr") or "").rpartition(":")[0], serving)


def _counters(row: dict[str, str]) -> tuple[int, ...]:
    """What only grows in one process, -1 where it is not told."""
    return tuple(-1 if (value := _int(row, key)) is None else value for key in GROWING)


def parse(text: str, service: str, at: float) -> ServiceStats | None:
    """The service's numbers from the CSV; None if it is no CSV or a counter is missing or no number: missing is not zero."""
    try:
        rows = [row for row in csv.DictReader(io.StringIO(text.removeprefix("# "))) if row.get("pxname") == service]
    except csv.Error:
        return None
    front = next((row for row in rows if row.get("svname") == "FRONTEND"), None)
    back = next((row for row in rows if row.get("svname") == "BACKEND"), None)
    if front is None or back is None:
        return None
    numbers = [_int(front, "req_tot"), _int(back, "qcur"), _int(back, "scur"), _int(back, "lastchg")]
    requests, queued, sessions, up_for_s = numbers
    if requests is None or queued is None or sessions is None or up_for_s is None:
        return None
    others = [row for row in rows if row.get("svname") not in ("FRONTEND", "BACKEND")]
    waiting = [_int(row, "qcur") for row in others]
    if None in waiting:
        return None
    queue = queued + sum(one for one in waiting if one is not None)
    slots = tuple(_slot(row) for row in others)
    return ServiceStats(at, requests, queue, sessions, up_for_s, slots, _int(front, "req_rate_max"), _counters(front))
