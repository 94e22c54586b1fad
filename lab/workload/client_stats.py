# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""What a client's ledger says, in numbers. Pure: records in, numbers out; times are epoch seconds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Record = Mapping[str, Any]


def percentile(values: Sequence[float], share: float) -> float | None:
    """Returns the smallest value that at least `share` (0 to 1) of the values don't exceed (nearest rank), or None."""
    if not values:
        return None
    ordered = sorted(values)
    rank = -(-len(ordered) * share // 1)  # ceiling
    return ordered[max(int(rank), 1) - 1]


def silences(records: Iterable[Record]) -> list[tuple[float, float]]:
    """Returns the stretches (from, to) in which transactions were due and none was acknowledged.

    One runs from an acknowledgement (or from the moment when the first transaction became due) to the next
    acknowledgement, or to the moment when the client gave the last one up. Time without anything due doesn't count.
    """
    events: list[tuple[float, int]] = []
    for record in records:
        events.append((record["due_at"], 0))
        acknowledged = record["acknowledged_at"] is not None
        events.append((record["ended_at"], 1 if acknowledged else 2))
    found: list[tuple[float, float]] = []
    open_count, silent_since = 0, 0.0
    for at, kind in sorted(events):
        if kind == 0:
            silent_since = silent_since if open_count else at
            open_count += 1
            continue
        open_count -= 1
        if kind == 1 or not open_count:
            found.append((silent_since, at))
            silent_since = at
    return found


def longest_gap_s(records: Iterable[Record]) -> float:
    """Returns the longest of the silences in seconds."""
    return max((end - begin for begin, end in silences(records)), default=0.0)


def latencies_ms(records: Iterable[Record]) -> list[float]:
    """Returns the acknowledged transactions' latencies in milliseconds.

    They count from the time at which the transaction was due, not from its first attempt: a stall delays later
    transactions, and that wait belongs to them (no coordinated omission).
    """
    return [(record["acknowledged_at"] - record["due_at"]) * 1000 for record in records if record["acknowledged_at"] is not None]


def summarize(records: Sequence[Record]) -> dict[str, Any]:
    """Returns {sent, acknowledged, failed, answered_twice, attempts, longest_gap_s, p50_ms, p99_ms, nodes} of one service's records.

    `answered_twice` counts ids with more than one acknowledgement, and answers that came for another transaction than the one asked.
    """
    latencies = latencies_ms(records)
    answers = Counter(record["id"] for record in records if record["acknowledged_at"] is not None)
    return {
        "sent": len(records),
        "acknowledged": len(latencies),
        "failed": len(records) - len(latencies),
        "answered_twice": sum(1 for count in answers.values() if count > 1) + sum(record.get("mixed_up", 0) for record in records),
        "attempts": sum(record["attempts"] for record in records),
        "longest_gap_s": round(longest_gap_s(records), 3),
        "p50_ms": rounded(percentile(latencies, 0.50)),
        "p99_ms": rounded(percentile(latencies, 0.99)),
        "nodes": dict(Counter(record["node"] for record in records if record["node"])),
    }


def rounded(value: float | None) -> float | None:
    """Rounds to a tenth; None stays None."""
    return None if value is None else round(value, 1)


def compare_stored(records: Iterable[Record], stored: Sequence[str], client: str) -> dict[str, Any]:
    """Holds the acknowledged ids of `client` (CLIENT/NUMBER) against the stored ones.

    Returns {stored, lost, duplicated, invented, lost_ids, duplicated_ids}. `stored` may hold ids of earlier clients: they don't
    count. An id that is stored but was given up by the client is neither lost nor duplicated; one that it never sent is invented.
    """
    records = list(records)
    counts = Counter(one for one in stored if one.startswith(f"{client}/"))
    invented = set(counts) - {record["id"] for record in records}
    lost = sorted({record["id"] for record in records if record["acknowledged_at"] is not None} - set(counts))
    duplicated = sorted(one for one, count in counts.items() if count > 1)
    return {
        "stored": sum(counts.values()),
        "lost": len(lost),
        "duplicated": len(duplicated),
        "invented": len(invented),
        "lost_ids": lost[:20],
        "duplicated_ids": duplicated[:20],
    }
