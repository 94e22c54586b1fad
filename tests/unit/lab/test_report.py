# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""The report says ok only when everything was seen, and names what was not."""

from __future__ import annotations

import copy
import json
from dataclasses import replace

import pytest

from lab.report import build_report, render_report
from lab.report_actions import actions_of
from lab.report_run import handovers, vms_of


def test_a_whole_run_is_ok_and_every_element_has_its_evidence(run):
    report = build_report(run, "ledger")
    assert report["problems"] == []
    assert report["ok"]
    assert list(report["elements"]) == [f"P{number}" for number in range(1, 13)]


def test_the_report_has_the_promised_fields_and_is_json(run):
    report = json.loads(json.dumps(build_report(run, "ledger"), allow_nan=False))
    assert {"name", "host", "defined_s", "reachable_s", "joined_s", "deleted_s"} <= report["vms"][0].keys()
    assert {"kind", "because", "breach_s", "decided_s", "done_s", "serving_s"} <= report["actions"][0].keys()
    wanted = {"sent", "acknowledged", "failed", "stored", "lost", "duplicated", "longest_gap_s", "p50_ms", "p99_ms"}
    assert wanted <= report["client"].keys()


def test_times_are_seconds_since_the_start(run):
    first = build_report(run, "ledger")["vms"][0]
    assert [first[key] for key in ("defined_s", "reachable_s", "joined_s", "deleted_s")] == [0.5, 1.0, 1.5, 7.4]


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
    assert grow.because == "lb.rate_per_node 25 above 15 for 6 s; 1 of 2 are members"  # the cause is told once
    assert (move.because, move.decided_at) == ("ledger goes to the emptier n2", zero + 1.79)
    assert shrink.because == "lb.rate_per_node 4 below 6 for 12 s; 3 are members, and n1 leaves"
    assert recording.moved_at < move.serving_at < recording.moved_at + 2
    assert replaced.serving_at is None  # n3 answered nobody in this run


def test_what_was_left_behind_is_a_problem_and_so_is_that_nobody_looked(run):
    found = [{**one, "found": ["the domain shop-n9 on hv1 is no member"]} if one["what"] == "leftovers" else one for one in run.events]
    assert build_report(replace(run, events=found), "ledger")["problems"] == ["the domain shop-n9 on hv1 is no member"]
    unseen = [one for one in run.events if one["what"] != "leftovers"]
    assert build_report(replace(run, events=unseen), "ledger")["problems"] == ["nobody looked for what was left behind"]
    stayed = ["the domain shop-n1 on hv1 is no member"]
    assert build_report(change(run, "events", lambda r: r["what"] == "destroyed", found=stayed), "ledger")["leftovers"] == stayed


def test_a_step_whose_driver_was_killed_counts_by_what_was_seen_of_its_vms(run):
    history = [entry for entry in run.history if entry["kind"] != "outcome"]
    killed = {"what": "kill", "at": run.started_at + 1, "whom": "the driver", "during": ["scale_out"]}
    report = build_report(replace(run, history=history, events=[*run.events, killed]), "ledger")
    assert report["actions"][0]["done_s"] is None
    assert [problem for problem in report["problems"] if "was decided and done" in problem] == []
    assert report["kills"] == [{"at_s": 1.0, "whom": "the driver", "during": ["scale_out"]}]


def test_a_step_that_failed_is_an_action_that_was_not_done(run):
    history = copy.deepcopy(list(run.history))
    next(entry for entry in history if entry["kind"] == "outcome")["ok"] = False
    report = build_report(replace(run, history=history), "ledger")
    assert report["actions"][0]["done_s"] is None
    assert "no grow was decided and done" in report["problems"]


def test_a_step_without_outcome_does_not_take_the_next_ones(run):
    history = [entry for entry in run.history if not (entry["kind"] == "outcome" and entry["facts"].get("wanted") == 2)]
    assert actions_of(replace(run, history=history))[0].done_at is None


def test_a_name_that_comes_back_is_another_vm(run):
    again = [{**r, "name": "n1"} if r["kind"] == "vm" and r["uuid"] == "uuid-n3" else r for r in run.witness]
    assert [(vm.name, vm.memory_mib) for vm in vms_of(replace(run, witness=again))] == [("n1", 640), ("n2", 640), ("n1", 512)]


def test_the_handover_is_what_the_clients_saw(run, recording):
    (handover,) = handovers(run, "ledger")
    assert (handover.old, handover.new) == ("n1", "n2")
    assert handover.last_old_at < recording.moved_at + 0.5 < handover.first_new_at + 0.5


def drop(run, field, test):
    return replace(run, **{field: [record for record in getattr(run, field) if not test(record)]})


def change(run, field, test, **values):
    return replace(run, **{field: [{**record, **values} if test(record) else record for record in getattr(run, field)]})


def is_view(record):
    return record["kind"] == "cluster"


def is_member(record, node):
    return record["kind"] == "member" and record["node"] == node


WITHOUT = {
    "P1 without a received requirement": lambda run: drop(run, "events", lambda r: r["what"] == "requirement"),
    "P1 with a requirement after the VM": lambda run: change(run, "events", lambda r: r["what"] == "requirement", at=run.started_at + 1),
    "P2 without the first VM running": lambda run: drop(
        run, "witness", lambda r: r.get("uuid") == "uuid-n1" and r.get("event") == "running"
    ),
    "P3 without Pacemaker on the first VM": lambda run: change(run, "witness", lambda r: is_member(r, "n1"), packages={"corosync": "3"}),
    "P3 with Pacemaker installed but not active": lambda run: change(
        run, "witness", lambda r: is_member(r, "n1"), started_us={"corosync": 21, "pacemaker": 0}
    ),
    "P4 without load balancing": lambda run: change(run, "witness", is_view, resources={"web": ["n1"]}),
    "P4 without quorum": lambda run: change(run, "witness", is_view, quorate=False),
    "P5 with two nodes at first": lambda run: change(run, "witness", is_view, nodes={"n1": "online", "n2": "online", "n3": "online"}),
    "P6 without a decrease": lambda run: drop(run, "history", lambda r: (r["kind"] == "step" and r["step"] != "scale_out") or r["at"] > 3),
    "P7 without a smaller statement": lambda run: drop(run, "events", lambda r: r["what"] == "statement"),
    "P7 without a smaller VM": lambda run: change(run, "witness", lambda r: r["kind"] == "vm", memory_mib=640),
    "P7 without the larger one going": lambda run: drop(run, "witness", lambda r: r.get("event") == "gone"),
    "P8 on one host": lambda run: change(run, "witness", lambda r: r["kind"] == "vm", host="hv1"),
    "P9 without the stack on a new VM": lambda run: drop(run, "witness", lambda r: is_member(r, "n2")),
    "P10 with a restart on the old member": lambda run: change(
        run, "witness", lambda r: is_member(r, "n1") and len(r["partition"]) > 1, started_us={"corosync": 99, "pacemaker": 99}
    ),
    "P10 with nothing changed on the old member": lambda run: change(
        run, "witness", lambda r: r["kind"] == "member", config_sha256="b" * 64
    ),
    "P10 with another file on the new one": lambda run: change(run, "witness", lambda r: is_member(r, "n2"), config_sha256="d" * 64),
    "P11 with the old node gone": lambda run: change(run, "witness", is_view, nodes={"n1": "offline", "n2": "online", "n3": "online"}),
    "P11 with one node answering all": lambda run: change(run, "client", lambda r: r["kind"] == "transaction", node="n1"),
    "P12 with no answer of a new VM": lambda run: change(run, "client", lambda r: r["kind"] == "transaction", node="n1"),
    "P12 without clients": lambda run: drop(run, "client", lambda r: r["kind"] == "target"),
}


@pytest.mark.parametrize("case", WITHOUT)
def test_an_element_that_was_not_seen_makes_the_report_not_ok(run, case):
    report = build_report(WITHOUT[case](run), "ledger")
    element = case.split(" ")[0]
    assert not report["ok"]
    assert report["elements"][element].startswith("not seen: ")
    assert any(problem.startswith(f"{element} not seen: ") for problem in report["problems"])


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        pytest.param(lambda run: replace(run, stored=run.stored[1:]), "1 acknowledged transactions were not stored", id="lost"),
        pytest.param(
            lambda run: replace(run, stored=[*run.stored, run.stored[0]]), "1 transactions were stored more than once", id="doubled"
        ),
        pytest.param(lambda run: replace(run, client=[]), "no transaction was acknowledged", id="no clients"),
        pytest.param(
            lambda run: drop(run, "history", lambda r: r.get("step") == "scale_in"), "no shrink was decided and done", id="no shrink"
        ),
        pytest.param(
            lambda run: drop(run, "history", lambda r: r.get("step") == "scale_out"), "no grow was decided and done", id="no grow"
        ),
        pytest.param(
            lambda run: change(run, "witness", lambda r: r["kind"] == "vm", host="hv1"), "ran on 1 host(s), not on two", id="one host"
        ),
    ],
)
def test_trouble_makes_the_report_not_ok_and_is_named(run, spoil, problem):
    report = build_report(spoil(run), "ledger")
    assert not report["ok"]
    assert any(problem in one for one in report["problems"])


def test_an_empty_recording_is_told_and_does_not_break(run):
    empty = replace(run, witness=[], client=[], stored=[], history=[], events=[])
    report = build_report(empty, "ledger")
    assert not report["ok"]
    assert all(text.startswith("not seen: ") for text in report["elements"].values())
    assert "NOT ok" in render_report(report)


def test_the_text_holds_every_vm_action_service_and_element(run):
    text = render_report(build_report(run, "ledger"))
    for word in ("n1 on hv1, 640 MiB", "n3 on hv1, 512 MiB", "grow:", "shrink:", "ledger:", "web:", "P12", "0 lost, 0 duplicated"):
        assert word in text
    assert text.endswith("\nok")
