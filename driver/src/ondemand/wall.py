# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""What each of the collection's playbooks hands back (exchange formats, sections 4 and 5), declared once. Pure.

Whatever crosses the wall is held against this before anybody reads it, and a test holds the real playbooks' results against it.
A key that is missing is never taken for an empty list, for a default or for "no": then collection and driver don't fit together.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

ADVICE = "collection and driver of different versions? install both of one version"


@dataclass(frozen=True)
class Maybe:
    """A value that may be null; its key is there all the same."""

    of: Any


@dataclass(frozen=True)
class Table:
    """A mapping whose keys are names of the user's, and whose values have one shape."""

    of: Any


NAMES = [str]
SECONDS = float
"""epoch seconds; a whole number is one too"""
TIMINGS = {one: Maybe(SECONDS) for one in ("defined_at", "started_at", "reachable_at", "deleted_at")}
VM: dict[str, Any] = {
    **dict.fromkeys(("name", "cluster", "host", "uri", "zone", "state", "uuid", "mac"), str),
    **dict.fromkeys(("vcpus", "vcpus_max", "memory_mib", "memory_max_mib"), int),
    **{one: Maybe(str) for one in ("address", "host_key", "image", "role", "pool")},
    **{one: Maybe(int) for one in ("prefix", "generation")},
    "created_at": Maybe(SECONDS),
    "complete": bool,
    "missing": NAMES,
}
HOST: dict[str, Any] = {
    **dict.fromkeys(("name", "uri", "zone", "because", "unfit"), str),
    "reachable": bool,
    **dict.fromkeys(("cpus", "memory_mib", "free_memory_mib", "committed_vcpus", "committed_memory_mib"), int),
    "pool": {"name": str, "path": Maybe(str), "free_mib": int},
    "images": [{"name": str, "sha256": str, "generation": int}],
    "vms": NAMES,
}
VERDICT = {"allowed": bool, "reason": Maybe(str), "sentence": str}
NODE: dict[str, Any] = {
    **dict.fromkeys(("name", "address"), str),
    "id": int,
    "host": Maybe(str),
    **dict.fromkeys(("online", "standby", "pending", "unclean", "leaving", "joining"), bool),
    "services": NAMES,
    "resources": NAMES,
    "may_leave": VERDICT,
}
RESOURCE = {"id": str, "agent": str, "node": Maybe(str), "role": str, "failed": bool}
SERVICE = {"name": str, "kind": str, "state": str, "node": Maybe(str), "nodes": NAMES, "resources": [RESOURCE]}
LEASE = {"token": str, "until": int, "since": int, "holder": str, "purpose": str}
CLUSTER: dict[str, Any] = {
    "name": str,
    "quorate": bool,
    "dc": Maybe(str),
    "stable": bool,
    "votes": {"expected": int, "total": int, "needed": int},
    "two_node": bool,
    "may_change": VERDICT,
    "nodes": [NODE],
    "services": [SERVICE],
    "failures": [{"resource": str, "node": str, "operation": str, "rc": Maybe(int), "because": str}],
    "constraints": [{"id": str, "temporary": bool}],
    "lease": Maybe(LEASE),
    "leave_order": NAMES,
    "withheld": [{"name": str, "address": str}],
}
JOINED = {"name": str, "host": str, "address": str, "timings": TIMINGS, "join_started_at": Maybe(SECONDS), "joined_at": Maybe(SECONDS)}
REMOVED = {"name": str, "host": str, "left_at": Maybe(SECONDS), "deleted_at": Maybe(SECONDS)}
BUSY = {"name": str, "balancer": str, "service": str, "sessions": Maybe(int), "clients": Maybe(NAMES)}
VOTES = {**dict.fromkeys(("expected", "total", "needed"), int), "quorate": bool}
STEP = {**dict.fromkeys(("step", "words", "host", "node", "service", "why"), str), "votes": VOTES, "undo": Maybe(str)}
ANSWER: dict[str, Any] = {
    "allowed": bool,
    "reason": Maybe(str),
    "message": str,
    "steps": [STEP],
    "votes": VOTES,
    "stops": NAMES,
    "moves": Table({"from": NAMES, "to": NAMES}),
    "stays": NAMES,
    "survives": int,
}

HANDED_BACK: Mapping[str, Any] = {
    "prepare_host": {"hosts": [HOST]},
    "build_image": {"image": {"name": str, "sha256": str, "generation": int, "bytes": int}, "hosts": [HOST]},
    "create_cluster": {"cluster": str, "nodes": NAMES, "vms": [JOINED]},
    "scale_out": {"wanted": int, "nodes": NAMES, "vms": [JOINED], "serving_at": SECONDS},
    "recover_cluster": {
        "started": NAMES,
        "lost": NAMES,
        "deleted": NAMES,
        "waits": [{"node": str, "sentence": str}],
        "wanted": int,
        "nodes": NAMES,
        "vms": [JOINED],
        "serving_at": SECONDS,
    },
    "scale_in": {"wanted": int, "nodes": NAMES, "removed": [REMOVED], "busy": [BUSY]},
    "configure_services": {"services": NAMES, "members": NAMES, "changed": bool},
    "move_service": {"service": str, "from": str, "to": str, "stopped_at": Maybe(SECONDS), "started_at": Maybe(SECONDS)},
    "observe": {
        "vms": [VM],
        "unreachable": [{"host": str, "uri": str, "because": str}],
        "seen_twice": [{"name": str, "host": str, "also": NAMES, "because": str}],
        "hosts_lease": Maybe(LEASE),
        "hosts": [HOST],
        "cluster": Maybe(CLUSTER),
    },
    "what_if": {"answer": ANSWER},
    "destroy_cluster": {"removed": NAMES},
}
"""playbook -> the shape of its `ondemand`. A mapping has these keys, a list of one shape any number of such"""

REFUSAL = {"reason": str, "sentence": str}
"""what a task that refuses fails with, as `refusal`"""

WORDS = {str: "a text", int: "a whole number", float: "a number", bool: "true or false"}


def problems(playbook: str, told: Any) -> list[str]:
    """Everything that a playbook's `ondemand` lacks or has in another kind, each with its path; none for a playbook that isn't ours."""
    shape = HANDED_BACK.get(playbook)
    return [] if shape is None else list(unlike(shape, told, ""))


def complaint(playbook: str, found: list[str]) -> str:
    """The one sentence about all problems of a playbook's result."""
    return f"the collection's {playbook} handed back {'; '.join(found)}: {ADVICE}"


def unlike(shape: Any, value: Any, path: str) -> Iterator[str]:
    """What of a value is not as its shape says."""
    if isinstance(shape, Maybe):
        if value is not None:
            yield from unlike(shape.of, value, path)
    elif isinstance(shape, Mapping):
        if not isinstance(value, Mapping):
            yield _wrong(path, value, "a mapping")
            return
        for key, inner in shape.items():
            here = f"{path}.{key}" if path else key
            if key in value:
                yield from unlike(inner, value[key], here)
            else:
                yield f"no `{here}`"
    elif isinstance(shape, Table):
        if not isinstance(value, Mapping):
            yield _wrong(path, value, "a mapping")
            return
        for key, one in value.items():
            yield from unlike(shape.of, one, f"{path}.{key}")
    elif isinstance(shape, list):
        if not isinstance(value, list | tuple):
            yield _wrong(path, value, "a list")
            return
        for i, one in enumerate(value):
            yield from unlike(shape[0], one, f"{path}[{i}]")
    elif not _is(value, shape):
        yield _wrong(path, value, WORDS[shape])


def _is(value: Any, kind: type) -> bool:
    if isinstance(value, bool):
        return kind is bool
    return isinstance(value, int | float) if kind is float else isinstance(value, kind)


def _wrong(path: str, value: Any, right: str) -> str:
    given = "null" if value is None else type(value).__name__
    return f"`{path or 'ondemand'}` as {given} where {right} is right"
