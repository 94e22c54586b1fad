# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""Runs in which an element of the method was not seen. See doctored."""

from __future__ import annotations

from tests.unit.lab.checks.doctoring import Worlds, change, drop, first_views, inactive, is_view, is_vm, unseen_join
from tests.unit.lab.world import N1, N2, at

EVERYTHING_ON_N1 = change("client", lambda r: r["kind"] == "transaction", node=N1)

ELEMENTS: Worlds = {
    "another DC than the first node": (
        first_views(dc="shop-n9"),
        ["P5 not seen: shop-n1 as the DC of its own cluster; the first view has shop-n9"],
    ),
    "the first cluster was not quorate": (
        first_views(quorate=False),
        ["P5 not seen: a quorate cluster of one; the first one seen, at 55.5 s, was not quorate"],
    ),
    "the first VM was never reached by SSH": (
        drop("witness", lambda r: is_vm(r, "uuid-1", "reachable")),
        ["P2 not seen: the SSH banner of shop-n1", "shop-n1 (UUID uuid-1) was never reached by SSH"],
    ),
    "Corosync inactive now": (
        inactive(N1, "corosync", 50, 80),
        ["P3 not seen: Corosync and Pacemaker running on shop-n1: corosync inactive at 62.0 s"],
    ),
    "Corosync inactive on the new VM": (
        inactive(N2, "corosync", 300, 460),
        [
            "P9 not seen: Corosync and Pacemaker running on shop-n2: corosync inactive at 333.0 s",
            unseen_join("shop-n2 at 331.5 s"),
        ],
    ),
    "a VM never ran": (
        drop("witness", lambda r: is_vm(r, "uuid-1", "running")),
        [
            "P2 not seen: a VM that libvirt showed running before the creation was over",
            "P8 not seen: VMs running on two hosts; they ran on hv2",
            "464 transactions were acknowledged by shop-n1, which was no VM of the run then (the first at 80.3 s)",
        ],
    ),
    "the larger VM stayed": (
        drop("witness", lambda r: is_vm(r, "uuid-1") and r["event"] in ("gone", "stopped")),
        [
            "P7 not seen: a larger VM that went after shop-n2 had joined",
            "the cluster's nodes at the end were shop-n2, its VMs shop-n1, shop-n2",
            "nobody saw shop-n1 (UUID uuid-1) go when the cluster was destroyed",
        ],
    ),
    "clients sent past the virtual IP": (
        change("client", lambda r: r["kind"] == "target" and r["service"] == "web", address="10.99.0.20:80"),
        ["P12 not seen: clients of web at its virtual cluster IP 10.99.0.10:80; they sent to 10.99.0.20:80"],
    ),
    "the virtual IP is a VM's own": (
        change("witness", lambda r: r["kind"] == "vm" and r["uuid"] == "uuid-1", address="10.99.0.10"),
        ["P12 not seen: a virtual cluster IP of web: 10.99.0.10:80 is shop-n1's own address"],
    ),
    "only the first node ever answered": (
        EVERYTHING_ON_N1,
        [
            "P11 not seen: ledger going over from a member to a new VM while both were online",
            "P12 not seen: a new VM that answered what was sent to web's address",
            "14 transactions were acknowledged by shop-n1, which was no VM of the run then (the first at 432.3 s)",
        ],
    ),
    "it grew before the load rose": (
        change("client", lambda r: r["kind"] == "rate" and r["at"] == at(85.3), at=at(98)),
        ["P6 not seen: an increase after the load had risen"],
    ),
    "the observer never saw the file": (
        drop("witness", lambda r: r["kind"] == "file"),
        [
            "P1 not seen: the arrival of examples/demo.yml by the witness",
            "P7 not seen: the arrival of the file with the smaller requirement by the witness",
        ],
    ),
    "the observer saw another file": (
        change("witness", lambda r: r["kind"] == "file", sha256="3" * 64),
        [
            "P1 not seen: the arrival of examples/demo.yml by the witness",
            "P7 not seen: the arrival of the file with the smaller requirement by the witness",
        ],
    ),
    "the file arrived after the first VM": (
        change("witness", lambda r: r["kind"] == "file" and r["at"] < at(100), at=at(30)),
        ["P1 not seen: the requirement came at 30.0 s, the first VM already at 26.0 s"],
    ),
    "a host was out of sight when the first VM came": (
        drop("witness", lambda r: r["kind"] == "host" and r["host"] == "hv2" and r["at"] < at(27)),
        ["P1 not seen: hv2 without a VM before 26.0 s: the witness could not look there"],
    ),
    "the smaller requirement never arrived": (
        drop("witness", lambda r: r["kind"] == "file" and r["at"] > at(100)),
        ["P7 not seen: the arrival of the file with the smaller requirement by the witness"],
    ),
    "never quorate while a member": (
        change("witness", lambda r: is_view(r) and r["at"] >= at(326), quorate=False),
        ["P4 not seen: membership and load balancing on shop-n2", "the cluster was not quorate at the end (457.5 s)"],
    ),
    "no DC at first": (first_views(dc=None), ["P5 not seen: shop-n1 as the DC of its own cluster; the first view has none"]),
    "the old member's daemons were restarted for the join": (
        change(
            "witness",
            lambda r: r["kind"] == "member" and r["node"] == N1 and r["at"] > at(140),
            started_us={"corosync": 91, "pacemaker": 92},
        ),
        [unseen_join("shop-n2 at 145.5 s")],
    ),
    "the cluster never had the ledger on the old node": (
        change("witness", lambda r: is_view(r) and r["at"] < at(440), resources={"haproxy": [N1, N2], "web": [N1, N2]}),
        ["P11 not seen: ledger going over from a member to a new VM while both were online"],
    ),
    "a requirement that came after the first VM": (
        change("events", lambda r: r["what"] == "requirement", at=at(30)),
        ["P1 not seen: the requirement came at 30.0 s, the first VM already at 26.0 s"],
    ),
    "the first VM without Pacemaker": (
        change("witness", lambda r: r["kind"] == "member" and r["node"] == N1, packages={"corosync": "3"}),
        ["P3 not seen: Corosync and Pacemaker among the packages of shop-n1"],
    ),
    "Pacemaker installed on the first VM and never started": (
        change("witness", lambda r: r["kind"] == "member" and r["node"] == N1, started_us={"corosync": 21, "pacemaker": 0}),
        [
            "P3 not seen: Corosync and Pacemaker running on shop-n1: pacemaker active without a time of its start at 62.0 s",
            unseen_join("shop-n2 at 145.5 s"),
        ],
    ),
    "no load balancing on any member": (
        change("witness", is_view, resources={"web": [N1]}),
        [
            "P4 not seen: load balancing on shop-n1",
            "P11 not seen: ledger going over from a member to a new VM while both were online",
            "web did not run as it should at the end (457.5 s): haproxy on no node, web on shop-n1, web-address on no node",
            "ledger did not run as it should at the end (457.5 s): ledger-data on no node, ledger-app on no node, ledger-address on no node",
        ],
    ),
    "never quorate at all": (
        change("witness", is_view, quorate=False),
        [
            "P4 not seen: membership and load balancing on shop-n1",
            "P5 not seen: a quorate cluster of one; the first one seen, at 55.5 s, was not quorate",
            "the cluster was not quorate at the end (457.5 s)",
        ],
    ),
    "a cluster of two at first": (
        first_views(nodes={N1: "online", N2: "online"}),
        ["P5 not seen: a cluster of shop-n1 alone; the first one seen had shop-n1, shop-n2"],
    ),
    "only growth in the journal": (
        drop("history", lambda r: r.get("step", "scale_out") != "scale_out" or r["at"] > at(200)),
        [
            "P6 not seen: a decrease after the load had fallen or less was asked for",
            "ledger: nothing was acknowledged for 11.6 s from 187.3 s on, 11.6 s of it outside of any move",
            "ledger: nothing was acknowledged for 12.3 s from 234.3 s on, 12.3 s of it outside of any move",
            "ledger: nothing was acknowledged for 11.8 s from 362.3 s on, 11.8 s of it outside of any move",
            "no move was decided and done",
            "no shrink was decided and done",
            "ledger went from shop-n1 to shop-n2 at 198.9 s without a move that the driver did",
            "ledger went from shop-n2 to shop-n1 at 246.6 s without a move that the driver did",
            "ledger went from shop-n1 to shop-n2 at 374.1 s without a move that the driver did",
            "shop-n1 was a member and went at 431.0 s without a shrink of the driver",
            "shop-n2 was a member and went at 281.5 s without a shrink of the driver",
            "shop-n2 was defined at 291.0 s and no growth of the driver was at work",
        ],
    ),
    "no new statement": (
        drop("events", lambda r: r["what"] == "statement"),
        ["P7 not seen: a statement of a smaller need"],
    ),
    "the replacement is as large as what it replaces": (
        change("witness", lambda r: r["kind"] == "vm", memory_mib=640),
        ["P7 not seen: a smaller VM after the requirement had been stated smaller"],
    ),
    "all on one host": (
        change("witness", lambda r: r["kind"] == "vm", host="hv1"),
        [
            "P8 not seen: VMs running on two hosts; they ran on hv1",
        ],
    ),
    "the old member's file never changed": (
        change("witness", lambda r: r["kind"] == "member", config_sha256="b" * 64),
        [unseen_join("shop-n2 at 145.5 s")],
    ),
    "the new member has another file": (
        change("witness", lambda r: r["kind"] == "member" and r["node"] == N2, config_sha256="f" * 64),
        [unseen_join("shop-n2 at 145.5 s")],
    ),
    "the old node was offline when the new one took over": (
        change("witness", lambda r: is_view(r) and r["at"] >= at(198), nodes={N1: "offline", N2: "online"}),
        [
            unseen_join("shop-n2 at 295.5 s"),
            "P11 not seen: ledger going over from a member to a new VM while both were online",
            "not every node was online at the end (457.5 s): shop-n1 is offline",
            "the cluster's nodes at the end were shop-n1, shop-n2, its VMs shop-n2",
        ],
    ),
    "clients that never said where they send": (
        drop("client", lambda r: r["kind"] == "target"),
        ["P12 not seen: clients of web at its virtual cluster IP 10.99.0.10:80; they sent to nobody"],
    ),
    "there never was a VM": (
        drop("witness", lambda r: r["kind"] == "vm"),
        [
            "P1 not seen: a requirement and a VM after it",
            "P2 not seen: a VM that libvirt showed running before the creation was over",
            "P3 not seen: an initial VM",
            "P4 not seen: a member",
            "P5 not seen: a VM of the cluster",
            "P7 not seen: a VM defined after the increase was determined",
            "P8 not seen: VMs running on two hosts; they ran on none",
            "P9 not seen: a later VM",
            "P10 not seen: a join",
            "P11 not seen: ledger going over from a member to a new VM while both were online",
            "P12 not seen: a new VM that answered what was sent to web's address",
            "464 transactions were acknowledged by shop-n1, which was no VM of the run then (the first at 80.3 s)",
            "193 transactions were acknowledged by shop-n2, which was no VM of the run then (the first at 150.5 s)",
            "libvirt showed no VM of the cluster at the end",
            "the cluster's nodes at the end were shop-n2, its VMs none",
        ],
    ),
}
