# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""A run whose clients and services were real processes: the report understands what they really wrote."""

from __future__ import annotations

from dataclasses import replace

from lab.checks.actions import actions_of
from lab.checks.report import build_report, render_report
from lab.checks.run import handovers, vms_of


def test_a_whole_run_is_ok_and_its_text_says_so(run):
    report = build_report(run, "ledger")
    assert (report["problems"], report["ok"]) == ([], True)
    assert render_report(report).endswith("\nok")


def test_the_actions_tell_why_when_and_from_when_clients_were_served(run, recording):
    grow, move, replaced, shrink = actions_of(run)
    zero = recording.started_at
    assert [(one.kind, one.nodes) for one in (grow, move, replaced, shrink)] == [
        ("grow", ("n2",)),
        ("move", ("n2",)),
        ("replace", ("n3",)),
        ("shrink", ("n1",)),
    ]
    assert (grow.breach_at, grow.decided_at, grow.done_at) == (zero + 0.2, zero + 0.5, zero + 1.7)
    assert recording.moved_at < move.serving_at == recording.ledger_acknowledged("n2")[0]
    assert replaced.serving_at is None  # n3 answered nobody in this run


def test_the_handover_is_what_the_clients_saw(run, recording):
    (handover,) = handovers(run, "ledger")
    assert (handover.old, handover.new) == ("n1", "n2")
    assert handover.last_old_at == recording.ledger_acknowledged("n1")[-1]
    assert handover.first_new_at == recording.ledger_acknowledged("n2")[0] > recording.moved_at


def test_a_name_that_comes_back_is_another_vm(run):
    again = [{**r, "name": "n1"} if r["kind"] == "vm" and r["uuid"] == "uuid-n3" else r for r in run.witness]
    assert [(vm.name, vm.memory_mib) for vm in vms_of(replace(run, witness=again))] == [("n1", 640), ("n2", 640), ("n1", 512)]
