# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""The report can't lie: a good run with one thing wrong in it is refused, and its sentence names what; legal variation is not."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import replace

import pytest

from lab.checks.report import build_report
from lab.checks.run import Run
from ondemand.model import Kind
from tests.unit.lab import world
from tests.unit.lab.checks.doctored import WORLDS
from tests.unit.lab.checks.doctoring import add, between, both, change, drop, fail, is_vm, note, sent, vm, without_steps
from tests.unit.lab.world import GROWN, IN, MOVE, N1, N2, OUT, Diary, at

good = functools.cache(world.good_world)


@pytest.mark.parametrize("name", WORLDS)
def test_a_doctored_world_is_refused_with_all_that_is_wrong_in_it(name):
    doctor, problems = WORLDS[name]
    report = build_report(doctor(good()), "ledger")
    assert (report["problems"], report["ok"]) == (problems, False)


def test_the_good_world_is_ok():
    report = build_report(good(), "ledger")
    assert (report["problems"], report["ok"]) == ([], True)


def written(write: Callable[[Diary], None], *more: Callable[[Run], Run]) -> Callable[[Run], Run]:
    """Adds to the journal what `write` writes."""

    def changed(run: Run) -> Run:
        diary = Diary()
        write(diary)
        return both(add("history", *diary.entries()), *more)(run)

    return changed


def failed_growth(diary: Diary) -> None:
    diary.decision(86.3, Kind.GROW, 2, GROWN, 86.0)
    diary.step(OUT, f"{GROWN}; 1 of 2 are members", (86.5, 96.0), 86.0, {"wanted": 2}, failed="the VM did not boot")


def failed_move(diary: Diary) -> None:
    diary.step(MOVE, f"ledger goes to the emptier {N2}", (166.0, 170.0), 91.3, {"service": "ledger", "to": N2}, failed="start_failed")


def interrupted(run: Run) -> Run:
    """The driver is killed in the first move, which Pacemaker ends; its successor closes the step."""
    words = {"ok": False, "reason": "interrupted", "because": "the driver ended while it ran", "facts": {}}
    return both(
        change("history", lambda r: r["kind"] == "outcome" and between(r, 200, 210), **words),
        change("events", lambda r: r["what"] == "driver", kills=1),
        note("kill", 180, whom="the driver and its playbook", during=["move_service"]),
    )(run)


def longer_move(run: Run) -> Run:
    """The ledger takes so long to go over that the client gives what was due first up."""
    slow = both(
        change("history", lambda r: r.get("step") == "move_service" and between(r, 171, 172), at=at(128)),
        drop("history", lambda r: r["kind"] == "plan" and between(r, 171, 172)),
        fail(lambda r: sent(r, "ledger", 131, 137)),
        change("client", lambda r: sent(r, "ledger", 137, 198.8), acknowledged_at=at(198.9), ended_at=at(198.9), node=N2),
    )(run)
    # The growth was over before the move began.
    shorter = change("history", lambda r: r["kind"] == "outcome" and between(r, 160, 170), at=at(126), ended_at=at(126))(slow)
    early = change("history", lambda r: r["kind"] == "decision" and between(r, 165, 166), at=at(127))(shorter)
    earlier = change("witness", lambda r: is_vm(r, "uuid-2", "reachable"), at=at(120))(early)
    return replace(earlier, history=sorted(earlier.history, key=lambda r: r["at"]))


LEGAL: dict[str, Callable[[Run], Run]] = {
    "one growth failed, was taken back and repeated": written(
        failed_growth,
        vm(N2, "uuid-9", defined=88, running=88.5, gone=95.5),
        change("witness", lambda r: is_vm(r, "uuid-9"), address="10.99.0.21"),
    ),
    "one move failed and was repeated": written(failed_move),
    "a kill that was asked for and done": interrupted,
    "a move that took longer than the client waits": longer_move,
    "a kept cluster is not destroyed": both(
        change("events", lambda r: r["what"] == "start", keep=True),
        drop("events", lambda r: r["what"] == "destroyed"),
        drop("witness", lambda r: r["at"] > at(461)),
    ),
    "a host out of sight for a while": both(
        drop("witness", lambda r: r["kind"] == "host" and r["host"] == "hv1" and between(r, 195, 225)),
        add("witness", {"at": at(195), "kind": "host", "host": "hv1", "ok": False, "because": "Connection reset"}),
    ),
    "a look at a member that failed": add(
        "witness", {"at": at(430), "kind": "trouble", "eye": f"cluster through {N1}", "because": "did not answer within 30 s"}
    ),
    "web slow for some seconds while a VM boots": change(
        "client", lambda r: sent(r, "web", 108, 112), acknowledged_at=at(112), ended_at=at(112)
    ),
    "another client's entries in the ledger": lambda run: replace(run, stored=["old/1", "old/1", *run.stored]),
}


@pytest.mark.parametrize("name", LEGAL)
def test_legal_variation_is_ok(name):
    report = build_report(LEGAL[name](good()), "ledger")
    assert (report["problems"], report["ok"]) == ([], True)


def test_the_reason_of_an_early_end_is_the_first_problem():
    report = build_report(good(), "ledger", ["interrupted while waiting for the second VM to join"])
    assert (report["ok"], report["problems"]) == (False, ["interrupted while waiting for the second VM to join"])


def test_a_leave_may_take_the_work_with_it():
    """Where the driver lets a carrier leave without a move of its own, the leave does it, and explains the silence."""
    run = without_steps("move_service", 220, 260)(good())
    earlier = change("history", lambda r: r["kind"] == "step" and r["step"] == IN.value and between(r, 258, 259), at=at(230))(run)
    report = build_report(replace(earlier, history=sorted(earlier.history, key=lambda r: r["at"])), "ledger")
    assert (report["problems"], report["ok"]) == ([], True)
