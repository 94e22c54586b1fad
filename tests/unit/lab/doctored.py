# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""Runs that a broken product, or a broken demo, would leave: {name: (change of the good run, what a sentence of the report has to say)}."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from lab.report_run import Run
from tests.unit.lab import world
from tests.unit.lab.doctoring import (
    add,
    at_the_end,
    between,
    both,
    change,
    drop,
    ended,
    every_other,
    fail,
    failed_step,
    first_views,
    inactive,
    is_view,
    is_vm,
    note,
    sent,
    troubled,
    vm,
    without_steps,
)
from tests.unit.lab.world import N1, N2, at

NO_NODE: dict[str, list[str]] = {one: [] for service in world.SERVICES.values() for one in service["resources"]}
EVERYTHING_ON_N1 = change("client", lambda r: r["kind"] == "transaction", node=N1)

# What a broken product, or a broken demo, would leave: the change, and what a sentence of the report has to say.
WORLDS: dict[str, tuple[Callable[[Run], Run], str]] = {
    # Those that an earlier report called ok.
    "no move in the journal": (without_steps("move_service"), "ledger went from shop-n1 to shop-n2 at 198.8 s without a move"),
    "no move in the journal, as a kind": (without_steps("move_service"), "no move was decided and done"),
    "a move failed": (failed_step("move_service", 160, 210, "it did not start"), "move of ledger to shop-n2 at 171.5 s was not done"),
    "the last move failed": (
        failed_step("move_service", 354, 384, "it did not start"),
        "the move of ledger to shop-n2 at 355.0 s was not done and not repeated with success: it did not start",
    ),
    "half of the web transactions failed": (fail(every_other(lambda r: sent(r, "web"))), "web: 1"),
    "half of the web transactions failed at once": (fail(every_other(lambda r: sent(r, "web")), 0.02), "of 3927 transactions failed"),
    "web was away for 80 s": (fail(lambda r: sent(r, "web", 100, 180)), "web: 2000 of 3927 transactions failed and no move explains it"),
    "the ledger was away for 75 s": (fail(lambda r: sent(r, "ledger", 100, 175)), "ledger: 600 of 1938 transactions failed"),
    "both services inactive at the end": (at_the_end(resources=NO_NODE), "web did not run as it should at the end"),
    "the ledger inactive at the end": (at_the_end(resources=NO_NODE), "ledger did not run as it should at the end"),
    "another DC than the first node": (
        first_views(dc="shop-n9"),
        "P5 not seen: shop-n1 as the DC of its own cluster; the first view has shop-n9",
    ),
    "the first cluster was not quorate": (first_views(quorate=False), "P5 not seen: a quorate cluster of one"),
    "trouble of the observers everywhere": (troubled, "the eye on the cluster was in trouble for"),
    "trouble of the hosts' eyes everywhere": (troubled, "the eye on host hv1 was in trouble for"),
    "one host blind after the first second": (
        both(
            drop("witness", lambda r: r["kind"] == "host" and r["host"] == "hv2" and r["at"] > at(10.5)),
            add("witness", {"at": at(11), "kind": "host", "host": "hv2", "ok": False, "because": "Connection reset"}),
        ),
        "the eye on host hv2 was blind for 451.0 s",
    ),
    "a VM was never reached by SSH": (
        drop("witness", lambda r: is_vm(r, "uuid-2", "reachable")),
        "shop-n2 (UUID uuid-2) was never reached by SSH",
    ),
    "the first VM was never reached by SSH": (
        drop("witness", lambda r: is_vm(r, "uuid-1", "reachable")),
        "P2 not seen: the SSH banner of shop-n1",
    ),
    "no generation and image": (
        change("witness", lambda r: r["kind"] == "vm", image=None, generation=None),
        "shop-n1 (UUID uuid-1) has no image or no generation",
    ),
    "no view after the last shrink": (
        drop("witness", lambda r: is_view(r) and r["at"] > at(434)),
        "the last view of the cluster is of 433.5 s, and the driver was at work until 450.0 s",
    ),
    "all nodes offline at the end": (
        at_the_end(nodes={N2: "offline"}),
        "not every node was online at the end (457.5 s): shop-n2 is offline",
    ),
    "VMs stopped at the end": (
        add("witness", *world.vm_events(N2, "uuid-3", "hv2", 512, "10.99.0.21", stopped=at(455))),
        "libvirt showed VMs that didn't run at the end: shop-n2 (stopped)",
    ),
    "kills asked for, none done": (
        change("events", lambda r: r["what"] == "driver", kills=3),
        "3 kills of the driver were asked for and 0 were done",
    ),
    "Corosync inactive now": (
        inactive(N1, "corosync", 50, 80),
        "P3 not seen: Corosync and Pacemaker running on shop-n1: corosync inactive",
    ),
    "Corosync inactive on the new VM": (inactive(N2, "corosync", 300, 460), "P9 not seen: Corosync and Pacemaker running on shop-n2"),
    "a shrink without a reason": (
        change("history", lambda r: r["kind"] == "step" and r["step"] == "scale_in", because=""),
        "a step (scale_in) of 258.0 s has no reason",
    ),
    "times of the history reversed": (lambda run: replace(run, history=list(reversed(run.history))), "the journal's times run backwards"),
    "answers of a node that is no VM": (
        change("client", lambda r: sent(r, "web", 120, 125), node="shop-n7"),
        "125 transactions were acknowledged by shop-n7, which was no VM of the run then",
    ),
    "leftovers in the first of two looks": (
        both(change("events", lambda r: r["what"] == "leftovers", found=["the file x on hv1 is left"]), note("leftovers", 460.5, found=[])),
        "the file x on hv1 is left",
    ),
    "leftovers in the second of two looks": (note("leftovers", 460.5, found=["the constraint x is left"]), "the constraint x is left"),
    "not destroyed at all": (drop("events", lambda r: r["what"] == "destroyed"), "the cluster was not destroyed at the end"),
    "doubled web answers": (
        lambda run: add("client", *[r for r in run.client if sent(r, "web", 120, 121)])(run),
        "web: 25 answers came twice",
    ),
    "the client failed without a failed transaction": (
        ended("client", 1),
        "the client ended with exit code 1 although its record has no failed",
    ),
    "the driver failed": (ended("driver", 4), "the driver ended with exit code 4"),
    # Those that it refused.
    "a VM never ran": (drop("witness", lambda r: is_vm(r, "uuid-1", "running")), "P2 not seen: a VM that libvirt showed running"),
    "the larger VM stayed": (
        drop("witness", lambda r: is_vm(r, "uuid-1") and r["event"] in ("gone", "stopped")),
        "P7 not seen: a larger VM that went after shop-n2 had joined",
    ),
    "stored under another client": (
        lambda run: replace(run, stored=[one.replace("c1/", "c2/") for one in run.stored]),
        "1938 acknowledged transactions were not stored",
    ),
    "stored twice": (lambda run: replace(run, stored=[*run.stored, run.stored[0]]), "1 transactions were stored more than once"),
    # What clients had to bear.
    "web was silent for 20 s beside a move of the ledger": (
        change("client", lambda r: sent(r, "web", 180, 200), acknowledged_at=at(200), ended_at=at(200)),
        "web: nothing was acknowledged for 20",
    ),
    "web was silent while a VM joined": (
        change("client", lambda r: sent(r, "web", 140, 160), acknowledged_at=at(160), ended_at=at(160)),
        "web: nothing was acknowledged for 20.0 s from 140.",
    ),
    "web was silent all the time of a leave": (
        change("client", lambda r: sent(r, "web", 386, 430), acknowledged_at=at(430), ended_at=at(430)),
        "longer than a going over takes",
    ),
    "the ledger was silent outside of a move": (
        change("client", lambda r: sent(r, "ledger", 300, 320), acknowledged_at=at(320), ended_at=at(320)),
        "20.0 s of it outside of any move",
    ),
    "one transaction failed while others were served": (
        fail(lambda r: sent(r, "ledger", 310, 310.2)),
        "ledger: 1 of 1938 transactions failed",
    ),
    "the client lies about failures": (
        both(fail(lambda r: sent(r, "ledger", 172, 195), 24.0), ended("client", 0)),
        "the client ended with exit code 0 although its record has a failed transaction",
    ),
    "answers of other transactions": (
        change("client", lambda r: sent(r, "web", 100, 100.1), mixed_up=1),
        "or for another transaction than the one asked",
    ),
    "acknowledged before it was due": (
        change("client", lambda r: sent(r, "web", 100, 100.1), acknowledged_at=at(99)),
        "was acknowledged before it was due",
    ),
    "stored what nobody sent": (
        lambda run: replace(run, stored=[*run.stored, "c1/99999"]),
        "1 transactions were stored that the client never sent",
    ),
    "one acknowledged transaction is lost": (
        lambda run: replace(run, stored=run.stored[:-1]),
        "1 acknowledged transactions were not stored",
    ),
    "the client was away for 20 s": (
        drop("client", lambda r: sent(r, "web", 300, 320) or sent(r, "ledger", 300, 320)),
        "web: the client had nothing due for 20",
    ),
    "the client's record was cut off": (drop("client", lambda r: r["kind"] == "end"), "the client's record has no end"),
    "the client ended half-way": (
        both(
            drop("client", lambda r: r["kind"] == "transaction" and r["due_at"] > at(300)),
            change("client", lambda r: r["kind"] == "end", stopped_at=at(300)),
        ),
        "the client ended at 300.0 s, before the last step of the driver began",
    ),
    "nobody sent to web": (drop("client", lambda r: sent(r, "web")), "nobody sent to web"),
    "clients sent past the virtual IP": (
        change("client", lambda r: r["kind"] == "target" and r["service"] == "web", address="10.99.0.20:80"),
        "P12 not seen: clients of web at its virtual cluster IP 10.99.0.10:80; they sent to 10.99.0.20:80",
    ),
    "the virtual IP is a VM's own": (
        change("witness", lambda r: r["kind"] == "vm" and r["uuid"] == "uuid-1", address="10.99.0.10"),
        "P12 not seen: a virtual cluster IP of web: 10.99.0.10:80 is shop-n1's own address",
    ),
    "only the first node ever answered": (EVERYTHING_ON_N1, "P11 not seen: ledger going over"),
    # What the driver did or didn't do.
    "the ledger failed over by itself": (
        without_steps("move_service", 220, 260),
        "ledger went from shop-n2 to shop-n1 at 246.6 s without a move",
    ),
    "a growth has no end and nobody was killed": (
        drop("history", lambda r: r["kind"] == "outcome" and between(r, 340, 352)),
        "the replace at 287.0 s was not done and not repeated with success: its end is not known",
    ),
    "a growth failed for good": (
        failed_step("scale_out", 286, 352, "no room"),
        "the replace at 287.0 s was not done and not repeated with success: no room",
    ),
    "a failure without a word": (failed_step("move_service", 160, 210, ""), "ended before it began, or failed without a reason"),
    "the journal is another run's": (
        lambda run: replace(run, history=[{**r, "at": r["at"] - 3600} for r in run.history]),
        "entries of the journal are not of this run",
    ),
    "the journal is empty": (lambda run: replace(run, history=[]), "no grow was decided and done"),
    "a decision without a reason": (
        change("history", lambda r: r.get("decision") == "grow", because=" "),
        "a decision (grow) of 97.5 s has no reason",
    ),
    "it grew before the load rose": (
        change("client", lambda r: r["kind"] == "rate" and r["at"] == at(85.3), at=at(98)),
        "P6 not seen: an increase after the load had risen",
    ),
    "a joined VM was rolled back": (
        both(
            vm("shop-n3", "uuid-9", defined=110, running=111, reachable=120, gone=150),
            change("witness", lambda r: is_view(r) and between(r, 125, 140), nodes={N1: "online", "shop-n3": "online"}),
        ),
        "shop-n3 was a member and went at 150.0 s without a shrink",
    ),
    "a VM that nobody asked for": (vm("shop-n3", "uuid-9", defined=215, running=216, reachable=217), "no growth of the driver was at work"),
    "a member's VM vanished": (without_steps("scale_in", 250, 290), "shop-n2 was a member and went at 281.5 s without a shrink"),
    "two VMs with one name": (
        vm(N1, "uuid-9", defined=110, running=111, reachable=120, gone=150),
        "two VMs had one name or address at 110.0 s",
    ),
    "one more kill than was asked for": (
        note("kill", 240, whom="the driver", during=[]),
        "0 kills of the driver were asked for and 1 were done",
    ),
    "the driver was never started": (drop("events", lambda r: r["what"] == "driver"), "the driver was never started"),
    # What the observers saw at its time.
    "the observer never saw the file": (
        drop("witness", lambda r: r["kind"] == "file"),
        "P1 not seen: the arrival of examples/demo.yml by the witness",
    ),
    "the observer saw another file": (
        change("witness", lambda r: r["kind"] == "file", sha256="3" * 64),
        "P1 not seen: the arrival of examples/demo.yml",
    ),
    "the file arrived after the first VM": (
        change("witness", lambda r: r["kind"] == "file" and r["at"] < at(100), at=at(30)),
        "P1 not seen: the requirement came at 30.0 s, the first VM already at 26.0 s",
    ),
    "a host was out of sight when the first VM came": (
        drop("witness", lambda r: r["kind"] == "host" and r["host"] == "hv2" and r["at"] < at(27)),
        "P1 not seen: hv2 without a VM before 26.0 s",
    ),
    "the smaller requirement never arrived": (
        drop("witness", lambda r: r["kind"] == "file" and r["at"] > at(100)),
        "P7 not seen: the arrival of the file with the smaller requirement",
    ),
    "never quorate while a member": (
        change("witness", lambda r: is_view(r) and r["at"] >= at(326), quorate=False),
        "P4 not seen: membership and load balancing on shop-n2",
    ),
    "no DC at first": (first_views(dc=None), "P5 not seen: shop-n1 as the DC of its own cluster; the first view has none"),
    "the old member's daemons were restarted for the join": (
        change(
            "witness",
            lambda r: r["kind"] == "member" and r["node"] == N1 and r["at"] > at(140),
            started_us={"corosync": 91, "pacemaker": 92},
        ),
        "P10 not seen: for the join of shop-n2 at 145.5 s an old member that took the new configuration over without a restart",
    ),
    "the cluster never had the ledger on the old node": (
        change("witness", lambda r: is_view(r) and r["at"] < at(440), resources={"haproxy": [N1, N2], "web": [N1, N2]}),
        "P11 not seen: ledger going over",
    ),
    "a member never told of itself": (
        drop("witness", lambda r: r["kind"] == "member" and r["uuid"] == "uuid-2"),
        "shop-n2 was a member from 145.5 s on and never told of itself",
    ),
    "the witness died half-way": (drop("witness", lambda r: r["at"] > at(300)), "the eye on the cluster was blind for 16"),
    "nobody read the load balancer": (drop("witness", lambda r: r["kind"] == "balancer"), "the eye on web's load balancer saw nothing"),
    "reached before it ran": (
        change("witness", lambda r: is_vm(r, "uuid-3", "reachable"), at=at(291.2)),
        "shop-n2 was reached by SSH before it ran",
    ),
    # How it ended.
    "not quorate at the end": (at_the_end(quorate=False), "the cluster was not quorate at the end (457.5 s)"),
    "a node in standby at the end": (at_the_end(nodes={N2: "standby"}), "shop-n2 is standby"),
    "a node without a VM at the end": (
        at_the_end(nodes={N1: "online", N2: "online"}),
        "the cluster's nodes at the end were shop-n1, shop-n2, its VMs shop-n2",
    ),
    "a VM without a node at the end": (vm("shop-n3", "uuid-9", defined=300, running=301, reachable=310), "its VMs shop-n2, shop-n3"),
    "the address of web is nowhere at the end": (at_the_end(resources={"web-address": []}), "web-address on no node"),
    "the ledger runs twice at the end": (at_the_end(resources={"ledger-app": [N1, N2]}), "ledger-app on shop-n1 and shop-n2"),
    "no load balancing at the end": (at_the_end(resources={"haproxy": []}), "haproxy on no node"),
    "nobody ever saw the cluster": (drop("witness", is_view), "nobody ever saw the cluster"),
    "nobody saw the driver's end": (
        drop("events", lambda r: r["what"] == "ended" and r["name"] == "driver"),
        "nobody saw the end of the driver",
    ),
    "the witness failed": (ended("witness", 1), "the witness ended with exit code 1"),
    "the client was killed": (ended("client", -9), "the client ended with exit code -9"),
    "destroyed, and a VM is still there": (
        drop("witness", lambda r: is_vm(r, "uuid-3", "gone")),
        "nobody saw shop-n2 (UUID uuid-3) go when the cluster was destroyed",
    ),
    "leftovers after the end": (
        change("events", lambda r: r["what"] == "destroyed", found=["the domain x on hv1 is left"]),
        "the domain x on hv1 is left",
    ),
    "nobody looked for leftovers": (drop("events", lambda r: r["what"] == "leftovers"), "nobody looked for what was left behind"),
}
