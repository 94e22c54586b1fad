# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""Small changes of a recorded run, each a function from run to run, to be put together."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from lab.checks.run import Run
from tests.unit.lab import world
from tests.unit.lab.world import N1, at

Record = dict[str, Any]
Worlds = dict[str, tuple[Callable[[Run], Run], list[str]]]
"""Name -> the change of the good run, and every problem that the report has to tell of it, in order."""


def drop(field: str, test: Callable[[Record], bool]) -> Callable[[Run], Run]:
    """Takes records away."""
    return lambda run: replace(run, **{field: [r for r in getattr(run, field) if not test(r)]})


def change(field: str, test: Callable[[Record], bool], **values: Any) -> Callable[[Run], Run]:
    """Changes records."""
    return lambda run: replace(run, **{field: [{**r, **values} if test(r) else r for r in getattr(run, field)]})


def add(field: str, *records: Record) -> Callable[[Run], Run]:
    """Adds records, in their place by time where they have one."""

    def added(run: Run) -> Run:
        both = [*getattr(run, field), *records]
        return replace(run, **{field: both if field == "client" else sorted(both, key=lambda r: r["at"])})

    return added


def both(*changes: Callable[[Run], Run]) -> Callable[[Run], Run]:
    """One change after another."""
    return lambda run: functools.reduce(lambda so_far, one: one(so_far), changes, run)


def between(record: Record, since: float, until: float, key: str = "at") -> bool:
    """Whether a record is of that time."""
    return at(since) <= record[key] < at(until)


def is_vm(record: Record, uuid: str, event: str | None = None) -> bool:
    return record["kind"] == "vm" and record["uuid"] == uuid and event in (None, record["event"])


def sent(record: Record, service: str, since: float = 0.0, until: float = 999.0) -> bool:
    return record["kind"] == "transaction" and record["service"] == service and between(record, since, until, "due_at")


def fail(test: Callable[[Record], bool], tried_s: float = 60.0) -> Callable[[Run], Run]:
    """Has the client give transactions up after so many seconds, ends with the exit code that tells of it, and unsays what was stored."""

    def failed(run: Run) -> Run:
        given_up = {"acknowledged_at": None, "node": None, "because": "no answer in time"}
        client = [{**r, **given_up, "ended_at": r["due_at"] + tried_s} if test(r) else r for r in run.client]
        gone = {r["id"] for r in run.client if test(r) and r.get("service") == "ledger"}
        return ended("client", 1)(replace(run, client=client, stored=[one for one in run.stored if one not in gone]))

    return failed


def every_other(test: Callable[[Record], bool]) -> Callable[[Record], bool]:
    return lambda r: test(r) and int(r["id"].split("/")[1]) % 2 == 0


def ended(name: str, code: int) -> Callable[[Run], Run]:
    return change("events", lambda r: r["what"] == "ended" and r["name"] == name, code=code)


def note(what: str, seconds: float, **facts: Any) -> Callable[[Run], Run]:
    return add("events", {"at": at(seconds), "what": what, **facts})


def at_the_end(**values: Any) -> Callable[[Run], Run]:
    """Has the last views of the cluster show something else; `resources` are merged into what it shows."""

    def doctored(run: Run) -> Run:
        def one(r: Record) -> Record:
            if r["kind"] != "cluster" or r["at"] < at(450):
                return r
            return {**r, **values, "resources": {**r["resources"], **values.get("resources", {})}}

        return replace(run, witness=[one(r) for r in run.witness])

    return doctored


def without_steps(kind: str, since: float = 0.0, until: float = 999.0) -> Callable[[Run], Run]:
    return drop("history", lambda r: r["kind"] in ("step", "outcome") and r["step"] == kind and between(r, since, until))


def failed_step(kind: str, since: float, until: float, because: str) -> Callable[[Run], Run]:
    return change("history", lambda r: r["kind"] == "outcome" and r["step"] == kind and between(r, since, until), ok=False, because=because)


def troubled(run: Run) -> Run:
    eyes = ["balancer web", f"cluster through {N1}", "host hv1", "host hv2", f"member {N1}"]
    every = [{"at": at(s + 0.5), "kind": "trouble", "eye": eye, "because": "timed out"} for s in range(10, 461) for eye in eyes]
    return add("witness", *every)(run)


def vm(node: str, uuid: str, **times: float) -> Callable[[Run], Run]:
    """Adds another VM."""
    return add("witness", *world.vm_events(node, uuid, "hv2", 640, "10.99.0.29", **{k: at(s) for k, s in times.items()}))


def is_view(record: Record) -> bool:
    return record["kind"] == "cluster"


def first_views(**values: Any) -> Callable[[Run], Run]:
    return change("witness", lambda r: is_view(r) and r["at"] < at(80), **values)


def inactive(node: str, unit: str, since: float, until: float) -> Callable[[Run], Run]:
    states = {"corosync": "active", "pacemaker": "active", unit: "inactive"}
    return change("witness", lambda r: r["kind"] == "member" and r["node"] == node and between(r, since, until), states=states)


def unseen_join(new: str) -> str:
    """Returns what the report says of a join that was not seen on both sides; `new` is like "shop-n2 at 145.5 s"."""
    wanted = "an old member that took the new configuration over without a restart, and a new one with the same file"
    return f"P10 not seen: for the join of {new} {wanted}"
