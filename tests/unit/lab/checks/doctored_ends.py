# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""Runs that ended with something missing, down or left behind. See doctored."""

from __future__ import annotations

from tests.unit.lab import world
from tests.unit.lab.checks.doctoring import Worlds, add, at_the_end, both, change, drop, ended, fail, is_view, is_vm, note, sent, vm
from tests.unit.lab.world import N1, N2, at

NO_NODE: dict[str, list[str]] = {one: [] for service in world.SERVICES.values() for one in service["resources"]}

ENDS: Worlds = {
    "both services inactive at the end": (
        at_the_end(resources=NO_NODE),
        [
            "web did not run as it should at the end (457.5 s): haproxy on no node, web on no node, web-address on no node",
            "ledger did not run as it should at the end (457.5 s): ledger-data on no node, ledger-app on no node, ledger-address on no node",
        ],
    ),
    "no view after the last shrink": (
        drop("witness", lambda r: is_view(r) and r["at"] > at(434)),
        ["the last view of the cluster is of 433.5 s, and the driver was at work until 450.0 s"],
    ),
    "all nodes offline at the end": (
        at_the_end(nodes={N2: "offline"}),
        [
            "not every node was online at the end (457.5 s): shop-n2 is offline",
            "web did not run as it should at the end (457.5 s): haproxy on shop-n2, web on shop-n2",
            "ledger did not run as it should at the end (457.5 s): no node is online",
        ],
    ),
    "VMs stopped at the end": (
        add("witness", *world.vm_events(N2, "uuid-3", "hv2", 512, "10.99.0.21", stopped=at(455))),
        ["libvirt showed VMs that didn't run at the end: shop-n2 (stopped)"],
    ),
    "kills asked for, none done": (
        change("events", lambda r: r["what"] == "driver", kills=3),
        ["3 kills of the driver were asked for and 0 were done"],
    ),
    "leftovers in the first of two looks": (
        both(change("events", lambda r: r["what"] == "leftovers", found=["the file x on hv1 is left"]), note("leftovers", 460.5, found=[])),
        ["the file x on hv1 is left"],
    ),
    "leftovers in the second of two looks": (note("leftovers", 460.5, found=["the constraint x is left"]), ["the constraint x is left"]),
    "not destroyed at all": (drop("events", lambda r: r["what"] == "destroyed"), ["the cluster was not destroyed at the end"]),
    "the client failed without a failed transaction": (
        ended("client", 1),
        ["the client ended with exit code 1 although its record has no failed transaction"],
    ),
    "the driver failed": (ended("driver", 4), ["the driver ended with exit code 4"]),
    "the client lies about failures": (
        both(fail(lambda r: sent(r, "ledger", 172, 195), 24.0), ended("client", 0)),
        [
            "ledger: 8 of 241 transactions failed and no move explains it, the first one due at 187.3 s",
            "the client ended with exit code 0 although its record has a failed transaction",
        ],
    ),
    "one more kill than was asked for": (
        note("kill", 240, whom="the driver", during=[]),
        ["0 kills of the driver were asked for and 1 were done"],
    ),
    "the driver was never started": (drop("events", lambda r: r["what"] == "driver"), ["the driver was never started"]),
    "not quorate at the end": (at_the_end(quorate=False), ["the cluster was not quorate at the end (457.5 s)"]),
    "a node in standby at the end": (
        at_the_end(nodes={N2: "standby"}),
        [
            "not every node was online at the end (457.5 s): shop-n2 is standby",
            "web did not run as it should at the end (457.5 s): haproxy on shop-n2, web on shop-n2",
            "ledger did not run as it should at the end (457.5 s): no node is online",
        ],
    ),
    "a node without a VM at the end": (
        at_the_end(nodes={N1: "online", N2: "online"}),
        [
            "the cluster's nodes at the end were shop-n1, shop-n2, its VMs shop-n2",
            "web did not run as it should at the end (457.5 s): haproxy on shop-n2, web on shop-n2",
        ],
    ),
    "a VM without a node at the end": (
        vm("shop-n3", "uuid-9", defined=300, running=301, reachable=310),
        [
            "the cluster's nodes at the end were shop-n2, its VMs shop-n2, shop-n3",
            "nobody saw shop-n3 (UUID uuid-9) go when the cluster was destroyed",
        ],
    ),
    "the address of web is nowhere at the end": (
        at_the_end(resources={"web-address": []}),
        ["web did not run as it should at the end (457.5 s): web-address on no node"],
    ),
    "the ledger runs twice at the end": (
        at_the_end(resources={"ledger-app": [N1, N2]}),
        ["ledger did not run as it should at the end (457.5 s): ledger-app on shop-n1 and shop-n2"],
    ),
    "no load balancing at the end": (
        at_the_end(resources={"haproxy": []}),
        ["web did not run as it should at the end (457.5 s): haproxy on no node"],
    ),
    "nobody saw the driver's end": (
        drop("events", lambda r: r["what"] == "ended" and r["name"] == "driver"),
        ["nobody saw the end of the driver"],
    ),
    "the witness failed": (ended("witness", 1), ["the witness ended with exit code 1"]),
    "the client was killed": (ended("client", -9), ["the client ended with exit code -9 although its record has no failed transaction"]),
    "destroyed, and a VM is still there": (
        drop("witness", lambda r: is_vm(r, "uuid-3", "gone")),
        ["nobody saw shop-n2 (UUID uuid-3) go when the cluster was destroyed"],
    ),
    "leftovers after the end": (
        change("events", lambda r: r["what"] == "destroyed", found=["the domain x on hv1 is left"]),
        ["the domain x on hv1 is left"],
    ),
    "nobody looked for leftovers": (drop("events", lambda r: r["what"] == "leftovers"), ["nobody looked for what was left behind"]),
    "the requirement named no service": (
        change("events", lambda r: r["what"] == "requirement", services={}),
        [
            "P11 not seen: ledger going over from a member to a new VM while both were online",
            "P12 not seen: a client",
            "ledger: nothing was acknowledged for 11.6 s from 187.3 s on, 11.6 s of it outside of any move",
            "ledger: nothing was acknowledged for 12.3 s from 234.3 s on, 12.3 s of it outside of any move",
            "ledger: nothing was acknowledged for 11.8 s from 362.3 s on, 11.8 s of it outside of any move",
            "the requirement names no service",
        ],
    ),
}
