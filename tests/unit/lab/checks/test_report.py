# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""The whole report: of the good run word for word, of a bad one, and of nothing at all."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from lab.checks.report import build_report, render_report
from tests.unit.lab.checks.doctoring import both, change, drop, ended, fail, failed_step, is_vm, note, sent
from tests.unit.lab.world import ZERO, good_world

GOLDEN = Path(__file__).parent / "golden"
EMPTY = replace(good_world(), witness=[], client=[], stored=[], history=[], events=[])


def test_the_good_run_word_for_word():
    report = build_report(good_world(), "ledger")
    assert json.loads(json.dumps(report, allow_nan=False)) == json.loads((GOLDEN / "good_report.json").read_text())
    assert list(report["elements"]) == [f"P{number}" for number in range(1, 13)]


def test_the_good_run_as_text():
    assert render_report(build_report(good_world(), "ledger")) + "\n" == (GOLDEN / "good_report.txt").read_text()


def test_of_nothing_nothing_was_seen():
    report = build_report(EMPTY, "ledger")
    assert report == {
        "ok": False,
        "problems": [
            "P1 not seen: a requirement and a VM after it",
            "P2 not seen: a VM that libvirt showed running before the creation was over",
            "P3 not seen: an initial VM",
            "P4 not seen: a member",
            "P5 not seen: a cluster with an online node",
            "P6 not seen: an increase after the load had risen",
            "P7 not seen: a VM defined after the increase was determined",
            "P8 not seen: VMs running on two hosts; they ran on none",
            "P9 not seen: a later VM",
            "P10 not seen: a join",
            "P11 not seen: ledger going over from a member to a new VM while both were online",
            "P12 not seen: a client",
            "no transaction was acknowledged",
            "the client's record has no end: it was cut off, or there was no client",
            "no grow was decided and done",
            "no move was decided and done",
            "no shrink was decided and done",
            "nobody ever saw the cluster",
            "nobody saw the end of the client",
            "nobody saw the end of the driver",
            "nobody saw the end of the witness",
            "the driver was never started",
            "the cluster was not destroyed at the end",
            "nobody looked for what was left behind",
        ],
        "vms": [],
        "actions": [],
        "client": {
            "sent": 0,
            "acknowledged": 0,
            "failed": 0,
            "answered_twice": 0,
            "stored": 0,
            "lost": 0,
            "duplicated": 0,
            "invented": 0,
            "longest_gap_s": 0.0,
            "p50_ms": None,
            "p99_ms": None,
            "services": {},
        },
        "image": {"names": [], "generations": [], "seconds": None},
        "elements": {problem.split(" ")[0]: problem.split(" ", 1)[1] for problem in report["problems"][:12]},
        "kills": [],
        "leftovers": ["nobody looked for what was left behind"],
        "allowances": {"silence_s": 5.0, "blind_s": 90.0},
    }


def test_a_service_that_stores_and_that_nobody_sent_to_has_no_line_of_its_own():
    client = build_report(drop("client", lambda r: sent(r, "ledger"))(good_world()), "ledger")["client"]
    assert (list(client["services"]), client["stored"], client["invented"]) == (["web"], 241, 241)


def test_a_problem_is_told_once_and_what_ended_the_demo_early_comes_first():
    twice = both(
        change("events", lambda r: r["what"] == "leftovers", found=["the file x is left"]),
        change("events", lambda r: r["what"] == "destroyed", found=["the file x is left"]),
    )(good_world())
    report = build_report(twice, "ledger", ["interrupted", "the file x is left", "interrupted"])
    assert (report["ok"], report["problems"], report["leftovers"]) == (False, ["interrupted", "the file x is left"], ["the file x is left"])


def test_the_image_is_what_the_definitions_say():
    two = both(
        change("witness", lambda r: is_vm(r, "uuid-1", "defined"), image="debian-13-node", generation="2"),
        change("witness", lambda r: is_vm(r, "uuid-2", "defined"), image=None, generation=None),
        change("witness", lambda r: is_vm(r, "uuid-3", "running"), image="not read here", generation="9"),
    )(good_world())
    assert build_report(two, "ledger")["image"] == {
        "names": ["debian-12-node", "debian-13-node"],
        "generations": ["1", "2"],
        "seconds": 6.5,
    }


def test_kills_are_told_with_their_time():
    killed = note("kill", 240.25, whom="the driver", during=["move_service"])(good_world())
    assert build_report(killed, "ledger")["kills"] == [{"at_s": 240.25, "whom": "the driver", "during": ["move_service"]}]


def test_the_clients_totals_add_the_services_up():
    run = both(
        fail(lambda r: sent(r, "web", 100, 101)),
        fail(lambda r: sent(r, "ledger", 120, 122)),
        change("client", lambda r: sent(r, "web", 140, 141), mixed_up=1),
    )(good_world())
    client = build_report(run, "ledger")["client"]
    services = client["services"].values()
    totals = {key: client[key] for key in ("sent", "acknowledged", "failed", "answered_twice")}
    assert totals == {"sent": 657, "acknowledged": 652, "failed": 5, "answered_twice": 3}
    assert totals == {key: sum(service[key] for service in services) for key in totals}


def test_a_bad_run_as_text():
    run = both(
        failed_step("move_service", 160, 210, "it did not start"),
        drop("history", lambda r: r["kind"] != "step" and r["at"] > ZERO + 215 or r["kind"] == "step" and r["at"] > ZERO + 172),
        drop("witness", lambda r: is_vm(r, "uuid-2", "reachable")),
        ended("driver", 4),
    )(good_world())
    report = build_report(run, "ledger")
    lines = render_report(report).split("\n")
    assert lines[2:11] == [
        "  shop-n1 on hv1, 640 MiB          26.0       45.0    55.5    431.0",
        "  shop-n2 on hv2, 640 MiB         105.0          -   145.5    281.5",
        "  shop-n2 on hv2, 512 MiB         291.0      316.0   331.5        -",
        "",
        "Actions",
        "  grow: lb.rate_per_node 2.5 above 1.5 for 6 s; 1 of 2 are members (breach 91.3 s, decided 97.5 s, done 165.0 s, serving 150.5 s)",
        "  move: ledger goes to the emptier shop-n2 (breach 91.3 s, decided 171.2 s, serving 198.9 s; failed: it did not start)",
        "",
        "Clients",
    ]
    end = lines.index("NOT ok:")
    assert lines[end - 1 :] == ["", "NOT ok:", *(f"  {problem}" for problem in report["problems"])]
    assert report["problems"][-1] == "the driver ended with exit code 4"
