# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""HAProxy's statistics: the one place that fetches them, and the parser of their CSV."""

from __future__ import annotations

import base64
import csv
import http.client
import io
import re
from dataclasses import dataclass

PORT = 8404
TIMEOUT_S = 2.0
LARGEST = 4_000_000


@dataclass(frozen=True)
class Slot:
    """A server line of a backend: a node behind the load balancer."""

    name: str
    address: str
    serving: bool


@dataclass(frozen=True)
class ServiceStats:
    """One service's numbers at a time. `requests` counts since the process began, `up_for_s` tells processes apart."""

    at: float
    requests: int
    queued: int
    sessions: int
    up_for_s: int
    slots: tuple[Slot, ...]


def fetch(address: str, user: str, password: str, port: int = PORT, timeout_s: float = TIMEOUT_S) -> str:
    """The CSV text from the address's holder. Raises OSError, also for an answer that is none."""
    connection = http.client.HTTPConnection(address, port, timeout=timeout_s)
    try:
        token = base64.b64encode(f"{user}:{password}".encode()).decode()
        connection.request("GET", "/;csv", headers={"Authorization": f"Basic {token}"})
        answer = connection.getresponse()
        body = answer.read(LARGEST)
    except http.client.HTTPException as error:
        raise OSError(f"{address}:{port} gave no HTTP answer: {error!r}") from error
    finally:
        connection.close()
    if answer.status != 200:
        raise OSError(f"{address}:{port} answered {answer.status} {answer.reason}")
    return body.decode("utf-8", "replace")


def _int(row: dict[str, str], key: str) -> int | None:
    text = row.get(key) or ""
    return int(text) if re.fullmatch(r"[0-9]{1,18}", text) else None


def _slot(row: dict[str, str]) -> Slot:
    """Serving is what is up and has weight: a drained one has weight 0, one in maintenance is not up."""
    up = (row.get("status") or "").startswith(("UP", "no check"))
    address = (row.get("addr") or "").rpartition(":")[0]
    return Slot(row.get("svname") or "", address, up and (_int(row, "weight") or 0) > 0)


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
    waiting = queued + sum(_int(row, "qcur") or 0 for row in others)
    return ServiceStats(at, requests, waiting, sessions, up_for_s, tuple(_slot(row) for row in others))
