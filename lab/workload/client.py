# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""The load client: sends numbered transactions on a fixed schedule and keeps its own ledger of what became of them.

    python3 -m lab.workload.client --out client.jsonl --control rates.json --client c1 web=10.99.0.10:80 ledger=10.99.0.11:5000

The schedule is open loop: it never waits for answers. A few workers per service carry the transactions out, each over
one kept-open connection; a transaction is tried again with the same id until it is acknowledged or its deadline is
over. The workers bound how hard a service that is away gets knocked at. The control file holds `{"web": 25,
"ledger": 8}` (transactions a second) and may be replaced at any time. SIGTERM or SIGINT ends the schedule; what is
under way is finished. Output: one JSON line per ended transaction

    {kind: transaction, service, id, due_at, sent_at, acknowledged_at, ended_at, attempts, mixed_up, node, because}

one `{kind: target, service, at, address}` per service at first, one `{kind: rate, service, at, rate_per_s}` per change of
rate, `{kind: end, at, stopped_at}` at last, with when the schedule ended. `mixed_up` counts the answers that were another
transaction's. Times are epoch seconds.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab.workload.client_http import AttemptFailed, Connection
from lab.workload.client_stats import summarize

RETRY_S = (0.1, 0.2, 0.3, 0.5)  # pauses between attempts, the last one repeated
LOOK_AT_CONTROL_S = 0.5
MAX_RATE_PER_S = 500.0


@dataclass(frozen=True)
class Target:
    """A service to load: its name, address and port."""

    service: str
    address: str
    port: int


@dataclass(frozen=True)
class Limits:
    """What bounds a run: seconds it may last, transactions it may send, and the deadlines of each (seconds)."""

    seconds: float = 6 * 3600.0
    most: int = 500_000
    deadline_s: float = 60.0
    connect_s: float = 1.0
    answer_s: float = 2.0
    workers: int = 8


def parse_target(text: str) -> Target:
    """Reads `NAME=ADDRESS:PORT`. Raises ValueError with a sentence."""
    match = re.fullmatch(r"([a-z0-9-]{1,63})=([0-9.]+):([0-9]{1,5})", text)
    if not match:
        raise ValueError(f"{text!r} is not NAME=ADDRESS:PORT")
    return Target(match[1], match[2], int(match[3]))


def parse_rates(text: str, services: set[str]) -> dict[str, float]:
    """Reads the control file. Returns rates in transactions per second for `services`; raises ValueError."""
    data = json.loads(text)
    if not isinstance(data, dict) or set(data) - services:
        raise ValueError(f"the control file has to be an object with the keys {sorted(services)}")
    for rate in data.values():
        if isinstance(rate, bool) or not isinstance(rate, (int, float)) or not 0 <= rate <= MAX_RATE_PER_S:
            raise ValueError(f"a rate has to be a number from 0 to {MAX_RATE_PER_S:g}, not {rate!r}")
    return {service: float(data.get(service, 0)) for service in services}


class Lane:
    """One service's schedule, queue and workers."""

    def __init__(self, target: Target, client: str, limits: Limits, write: Callable[[dict[str, Any]], None]) -> None:
        self.target, self.client, self.limits, self.write = target, client, limits, write
        self.rate_per_s = 0.0
        self.number = 0
        self.queue: asyncio.Queue[tuple[str, float]] = asyncio.Queue()
        self.rate_changed = asyncio.Event()

    def set_rate(self, rate_per_s: float, now: float) -> None:
        """Changes the rate; the schedule goes on from now."""
        if rate_per_s != self.rate_per_s:
            self.rate_per_s = rate_per_s
            self.write({"kind": "rate", "service": self.target.service, "at": now, "rate_per_s": rate_per_s})
            self.rate_changed.set()

    async def schedule(self) -> None:
        """Puts each transaction into the queue when it is due, until cancelled or `limits.most` are out."""
        due_at = time.time()
        while self.number < self.limits.most:
            self.rate_changed.clear()
            wait_s = due_at - time.time() if self.rate_per_s else None
            if wait_s is None or wait_s > 0:
                try:
                    await asyncio.wait_for(self.rate_changed.wait(), wait_s)
                    due_at = time.time()
                except TimeoutError:
                    pass  # it is due
                continue
            self.number += 1
            self.queue.put_nowait((f"{self.client}/{self.number}", due_at))
            due_at += 1 / self.rate_per_s

    async def work(self) -> None:
        """Carries out transactions, one after another, until cancelled."""
        limits = self.limits
        connection = Connection(self.target.address, self.target.port, limits.connect_s, limits.answer_s)
        while True:
            one, due_at = await self.queue.get()
            self.write(await self._carry_out(connection, one, due_at))
            self.queue.task_done()

    async def _carry_out(self, connection: Connection, one: str, due_at: float) -> dict[str, Any]:
        attempts = mixed_up = 0
        because: str | None = "not sent before its deadline"
        sent_at: float | None = None
        acknowledged_at: float | None = None
        node: str | None = None
        while time.time() < due_at + self.limits.deadline_s:
            attempts += 1
            sent_at = sent_at or time.time()
            try:
                answer = await connection.request("POST", f"/t/{one}")
                if f"{answer.get('client')}/{answer.get('number')}" != one:
                    mixed_up += 1
                    connection.close()  # what else comes on it belongs to nobody knows whom
                    raise AttemptFailed("the answer belongs to another transaction")
                acknowledged_at, node, because = time.time(), answer.get("node"), None
                break
            except AttemptFailed as failure:
                because = str(failure)
                await asyncio.sleep(RETRY_S[min(attempts, len(RETRY_S)) - 1])
        return {
            "kind": "transaction",
            "service": self.target.service,
            "id": one,
            "due_at": due_at,
            "sent_at": sent_at,
            "acknowledged_at": acknowledged_at,
            "ended_at": acknowledged_at or time.time(),
            "attempts": attempts,
            "mixed_up": mixed_up,
            "node": node,
            "because": because,
        }


async def follow_control(path: Path, lanes: dict[str, Lane]) -> None:
    """Applies the control file's rates; a file that can't be read or is wrong changes nothing and is told once."""
    told = ""
    while True:
        try:
            for service, rate in parse_rates(path.read_text(encoding="utf-8"), set(lanes)).items():
                lanes[service].set_rate(rate, time.time())
        except (OSError, ValueError) as problem:
            if str(problem) != told:
                print(f"control file: {problem}; the rates stay", file=sys.stderr, flush=True)
                told = str(problem)
        await asyncio.sleep(LOOK_AT_CONTROL_S)


async def run(targets: list[Target], client: str, control: Path, limits: Limits, out: Path) -> list[dict[str, Any]]:
    """Loads the targets until a signal or a limit; returns the transactions' records, also written to `out`."""
    records: list[dict[str, Any]] = []
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    with out.open("a", encoding="utf-8", buffering=1) as file:

        def write(record: dict[str, Any]) -> None:
            file.write(json.dumps(record) + "\n")
            if record["kind"] == "transaction":
                records.append(record)

        for target in targets:
            write({"kind": "target", "service": target.service, "at": time.time(), "address": f"{target.address}:{target.port}"})
        lanes = {target.service: Lane(target, client, limits, write) for target in targets}
        schedules = [asyncio.create_task(lane.schedule()) for lane in lanes.values()]
        workers = [asyncio.create_task(lane.work()) for lane in lanes.values() for _ in range(limits.workers)]
        follower = asyncio.create_task(follow_control(control, lanes))
        stopper = asyncio.create_task(stop.wait())
        everything_sent = asyncio.ensure_future(asyncio.gather(*schedules))
        endings: set[asyncio.Future[Any]] = {stopper, everything_sent}
        await asyncio.wait(endings, timeout=limits.seconds, return_when=asyncio.FIRST_COMPLETED)
        stopped_at = time.time()
        for task in (follower, stopper, *schedules):
            task.cancel()
        for lane in lanes.values():
            await lane.queue.join()  # bounded: each transaction has its deadline
        for task in workers:
            task.cancel()
        await asyncio.gather(follower, stopper, everything_sent, *workers, return_exceptions=True)
        write({"kind": "end", "at": time.time(), "stopped_at": stopped_at, "client": client})
    return records


def main() -> int:
    """Runs the client; prints a summary per service. Exit code 1 when a transaction failed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("target", nargs="+", help="NAME=ADDRESS:PORT")
    parser.add_argument("--client", required=True, help="name in the transactions' ids, [a-z0-9-]")
    parser.add_argument("--out", required=True, type=Path, help="JSON lines, appended")
    parser.add_argument("--control", required=True, type=Path, help="file with the rates")
    parser.add_argument("--seconds", type=float, default=Limits.seconds, help="end after this many seconds")
    parser.add_argument("--most", type=int, default=Limits.most, help="end after this many transactions per service")
    parser.add_argument("--deadline-s", type=float, default=Limits.deadline_s, help="of one transaction")
    options = parser.parse_args()
    try:
        targets = [parse_target(text) for text in options.target]
    except ValueError as problem:
        parser.error(str(problem))
    if not re.fullmatch(r"[a-z0-9-]{1,63}", options.client):
        parser.error("--client has to be of [a-z0-9-], up to 63 of them")
    limits = Limits(seconds=options.seconds, most=options.most, deadline_s=options.deadline_s)
    records = asyncio.run(run(targets, options.client, options.control, limits, options.out))
    per_service = {t.service: summarize([r for r in records if r["service"] == t.service]) for t in targets}
    print(json.dumps(per_service))
    return 1 if any(summary["failed"] for summary in per_service.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
