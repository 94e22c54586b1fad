# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""Whether the observers saw: how long each of the witness's eyes went without a view. What nobody saw proves nothing. Pure."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from lab.checks.case import Case
from lab.checks.run import Record

BLIND_S = 90.0
"""So long may an eye see nothing: on a busy machine a look at a member may run into its deadline of 30 s twice."""
TROUBLED_SHARE = 0.4
"""Such a part of the time may an eye be in trouble, in however many pieces."""


def observer_problems(case: Case) -> list[str]:
    """Returns which eyes were blind for how long, as sentences."""
    run = case.run
    watched_from = min((record["at"] for record in run.witness), default=run.started_at)
    created = (run.event("created") or {"at": run.ended_at})["at"]
    client = (run.event("client") or {"at": run.ended_at})["at"]
    found = []
    for host in (run.event("requirement") or {"hosts": ()})["hosts"]:
        found += eye_problems(case, f"the eye on host {host}", watched_from, host_views(case, host), host_troubles(case, host))
    found += eye_problems(case, "the eye on the cluster", created, _times(run.seen("cluster")), _troubles(case, "cluster"))
    for service, told in run.expected().items():
        if told["kind"] == "balanced":
            views = [record["at"] for record in run.seen("balancer") if record["service"] == service]
            found += eye_problems(case, f"the eye on {service}'s load balancer", client, views, _troubles(case, f"balancer {service}"))
    for one, other in itertools.pairwise(run.witness):
        if other["at"] < one["at"] - BLIND_S:
            found.append(f"the witness's times run backwards: {case.s(other['at'])} after {case.s(one['at'])}")
            break
    return found + member_problems(case)


def _times(records: Sequence[Record]) -> list[float]:
    return [record["at"] for record in records]


def host_views(case: Case, host: str) -> list[float]:
    """When a host was said to be in sight."""
    return [r["at"] for r in case.run.seen("host") if r["host"] == host and r["ok"]]


def host_troubles(case: Case, host: str) -> list[float]:
    """When a host was said to be out of sight."""
    return [r["at"] for r in case.run.seen("host") if r["host"] == host and not r["ok"]] + _troubles(case, f"host {host}")


def _troubles(case: Case, eye: str) -> list[float]:
    return [r["at"] for r in case.run.seen("trouble") if r["eye"] == eye or r["eye"].startswith(f"{eye} ")]


def eye_problems(case: Case, eye: str, since: float, views: Sequence[float], troubles: Sequence[float]) -> list[str]:
    """Of one eye, from `since` to the end: its longest time without a view, and the share of the time that it was in trouble."""
    until = case.run.ended_at
    if since >= until:
        return []
    seen = [since, *(at for at in sorted(views) if since <= at <= until), until]
    begin, end = max(itertools.pairwise(seen), key=lambda pair: pair[1] - pair[0])
    if len(seen) == 2:
        return [f"{eye} saw nothing from {case.s(since)} to {case.s(until)}"]
    if end - begin > BLIND_S:
        return [f"{eye} was blind for {end - begin:.1f} s from {case.s(begin)} on"]
    troubled = 0.0
    for one, other in itertools.pairwise(seen):
        troubled += other - min([other, *(at for at in troubles if at >= one)])
    if troubled > TROUBLED_SHARE * (until - since) and troubled > BLIND_S / 10:
        return [f"{eye} was in trouble for {troubled:.1f} s of {until - since:.1f} s"]
    return []


def member_problems(case: Case) -> list[str]:
    """Members that were asked again and again and never told of themselves while they were members."""
    found = []
    for vm in case.vms:
        if vm.joined_at is not None and not case.accounts(vm):
            found.append(f"{vm.name} was a member from {case.s(vm.joined_at)} on and never told of itself")
    return found
