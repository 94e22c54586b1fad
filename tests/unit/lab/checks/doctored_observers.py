# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""Runs whose observers were blind, in trouble or silent. See doctored."""

from __future__ import annotations

from dataclasses import replace

from tests.unit.lab.checks.doctoring import Worlds, add, both, drop, is_view, troubled, unseen_join
from tests.unit.lab.world import at

OBSERVERS: Worlds = {
    "trouble of the observers everywhere": (
        troubled,
        [
            "the eye on host hv1 was in trouble for 428.0 s of 451.2 s",
            "the eye on host hv2 was in trouble for 428.0 s of 451.2 s",
            "the eye on the cluster was in trouble for 382.5 s of 383.0 s",
            "the eye on web's load balancer was in trouble for 285.5 s of 381.0 s",
        ],
    ),
    "one host blind after the first second": (
        both(
            drop("witness", lambda r: r["kind"] == "host" and r["host"] == "hv2" and r["at"] > at(10.5)),
            add("witness", {"at": at(11), "kind": "host", "host": "hv2", "ok": False, "because": "Connection reset"}),
        ),
        ["the eye on host hv2 was blind for 451.0 s from 10.0 s on"],
    ),
    "a member never told of itself": (
        drop("witness", lambda r: r["kind"] == "member" and r["uuid"] == "uuid-2"),
        [
            "P4 not seen: failover processing on shop-n2",
            "P9 not seen: Corosync and Pacemaker among the packages of shop-n2",
            unseen_join("shop-n2 at 145.5 s"),
            "shop-n2 was a member from 145.5 s on and never told of itself",
        ],
    ),
    "the witness died half-way": (
        drop("witness", lambda r: r["at"] > at(300)),
        [
            "P7 not seen: a smaller VM after the requirement had been stated smaller",
            "shop-n2 (UUID uuid-3) was never reached by SSH",
            "the eye on host hv1 was blind for 161.0 s from 300.0 s on",
            "the eye on host hv2 was blind for 161.0 s from 300.0 s on",
            "the eye on the cluster was blind for 165.5 s from 295.5 s on",
            "the eye on web's load balancer was blind for 162.0 s from 299.0 s on",
            "the last view of the cluster is of 295.5 s, and the driver was at work until 450.0 s",
            "nobody saw shop-n1 (UUID uuid-1) go when the cluster was destroyed",
            "nobody saw shop-n2 (UUID uuid-3) go when the cluster was destroyed",
        ],
    ),
    "nobody read the load balancer": (
        drop("witness", lambda r: r["kind"] == "balancer"),
        ["the eye on web's load balancer saw nothing from 80.0 s to 461.0 s"],
    ),
    "nobody ever saw the cluster": (
        drop("witness", is_view),
        [
            "P3 not seen: an initial VM",
            "P4 not seen: a member",
            "P5 not seen: a cluster with an online node",
            "P7 not seen: a VM defined after the increase was determined",
            "P9 not seen: a later VM",
            "P10 not seen: a join",
            "P11 not seen: ledger going over from a member to a new VM while both were online",
            "P12 not seen: a new VM that answered what was sent to web's address",
            "the eye on the cluster saw nothing from 78.0 s to 461.0 s",
            "nobody ever saw the cluster",
        ],
    ),
    "the witness's clock was put back": (
        lambda run: replace(run, witness=[{**r, "at": r["at"] - 95} if r["at"] > at(400) else r for r in run.witness]),
        [
            unseen_join("shop-n2 at 331.5 s"),
            "28 transactions were acknowledged by shop-n1, which was no VM of the run then (the first at 336.3 s)",
            "73 transactions were acknowledged by shop-n2, which was no VM of the run then (the first at 374.1 s)",
            "shop-n1 was a member and went at 336.0 s without a shrink of the driver",
            "shop-n2 was a member and went at 373.5 s without a shrink of the driver",
            "the witness's times run backwards: 306.0 s after 400.0 s",
            "the last view of the cluster is of 362.5 s, and the driver was at work until 450.0 s",
        ],
    ),
}
