# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""Runs in which the driver left something undone, or something came or went that it didn't do. See doctored."""

from __future__ import annotations

from dataclasses import replace

from tests.unit.lab.checks.doctoring import Worlds, between, both, change, drop, failed_step, is_view, is_vm, unseen_join, vm, without_steps
from tests.unit.lab.world import N1, at

DRIVER: Worlds = {
    "no move in the journal": (
        without_steps("move_service"),
        [
            "ledger: nothing was acknowledged for 11.6 s from 187.3 s on, 11.6 s of it outside of any move",
            "ledger: nothing was acknowledged for 12.3 s from 234.3 s on, 12.3 s of it outside of any move",
            "ledger: nothing was acknowledged for 11.8 s from 362.3 s on, 11.8 s of it outside of any move",
            "no move was decided and done",
            "ledger went from shop-n1 to shop-n2 at 198.9 s without a move that the driver did",
            "ledger went from shop-n2 to shop-n1 at 246.6 s without a move that the driver did",
            "ledger went from shop-n1 to shop-n2 at 374.1 s without a move that the driver did",
        ],
    ),
    "a move failed": (
        failed_step("move_service", 160, 210, "it did not start"),
        [
            "the move of ledger to shop-n2 at 171.5 s was not done and not repeated with success: it did not start",
            "ledger went from shop-n1 to shop-n2 at 198.9 s without a move that the driver did",
        ],
    ),
    "the last move failed": (
        failed_step("move_service", 354, 384, "it did not start"),
        [
            "the move of ledger to shop-n2 at 355.0 s was not done and not repeated with success: it did not start",
            "ledger went from shop-n1 to shop-n2 at 374.1 s without a move that the driver did",
        ],
    ),
    "a VM was never reached by SSH": (
        drop("witness", lambda r: is_vm(r, "uuid-2", "reachable")),
        ["shop-n2 (UUID uuid-2) was never reached by SSH"],
    ),
    "no generation and image": (
        change("witness", lambda r: r["kind"] == "vm", image=None, generation=None),
        [
            "shop-n1 (UUID uuid-1) has no image or no generation in its metadata",
            "shop-n2 (UUID uuid-2) has no image or no generation in its metadata",
            "shop-n2 (UUID uuid-3) has no image or no generation in its metadata",
        ],
    ),
    "a shrink without a reason": (
        change("history", lambda r: r["kind"] == "step" and r["step"] == "scale_in", because=""),
        ["a step (scale_in) of 258.0 s has no reason", "a step (scale_in) of 385.0 s has no reason"],
    ),
    "times of the history reversed": (
        lambda run: replace(run, history=list(reversed(run.history))),
        [
            "P6 not seen: an increase after the load had risen",
            "P7 not seen: a smaller VM after the requirement had been stated smaller",
            "ledger: nothing was acknowledged for 11.6 s from 187.3 s on, 11.6 s of it outside of any move",
            "ledger: nothing was acknowledged for 12.3 s from 234.3 s on, 12.3 s of it outside of any move",
            "ledger: nothing was acknowledged for 11.8 s from 362.3 s on, 11.8 s of it outside of any move",
            "the journal's times run backwards: the step of 385.0 s is after the outcome of 434.0 s",
            "the move of 355.0 s began before its cause was there",
            "the shrink of 258.0 s began before its cause was there",
            "the move of 228.5 s began before its cause was there",
            "the move of 171.5 s began before its cause was there",
            "the grow of 98.0 s began before its cause was there",
            "the grow at 98.0 s was not done and not repeated with success: its end is not known",
            "ledger went from shop-n1 to shop-n2 at 198.9 s without a move that the driver did",
            "ledger went from shop-n2 to shop-n1 at 246.6 s without a move that the driver did",
            "ledger went from shop-n1 to shop-n2 at 374.1 s without a move that the driver did",
            "shop-n1 was a member and went at 431.0 s without a shrink of the driver",
            "shop-n2 was a member and went at 281.5 s without a shrink of the driver",
        ],
    ),
    "the ledger failed over by itself": (
        without_steps("move_service", 220, 260),
        [
            "ledger: nothing was acknowledged for 12.3 s from 234.3 s on, 12.3 s of it outside of any move",
            "ledger went from shop-n2 to shop-n1 at 246.6 s without a move that the driver did",
        ],
    ),
    "a growth has no end and nobody was killed": (
        drop("history", lambda r: r["kind"] == "outcome" and between(r, 340, 352)),
        ["the replace at 287.0 s was not done and not repeated with success: its end is not known"],
    ),
    "a growth failed for good": (
        failed_step("scale_out", 286, 352, "no room"),
        ["the replace at 287.0 s was not done and not repeated with success: no room"],
    ),
    "a failure without a word": (
        failed_step("move_service", 160, 210, ""),
        [
            "the outcome of move_service at 206.0 s ended before it began, or failed without a reason",
            "the move of ledger to shop-n2 at 171.5 s was not done and not repeated with success: it failed without a reason",
            "ledger went from shop-n1 to shop-n2 at 198.9 s without a move that the driver did",
        ],
    ),
    "the journal is another run's": (
        lambda run: replace(run, history=[{**r, "at": r["at"] - 3600} for r in run.history]),
        [
            "P6 not seen: an increase after the load had risen",
            "26 entries of the journal are not of this run, the first is the decision of -3516.0 s",
            "the grow of -3502.0 s began before its cause was there",
            "the move of -3428.5 s began before its cause was there",
            "the move of -3371.5 s began before its cause was there",
            "the shrink of -3342.0 s began before its cause was there",
            "the grow of -3313.0 s began before its cause was there",
            "the move of -3245.0 s began before its cause was there",
            "the shrink of -3215.0 s began before its cause was there",
        ],
    ),
    "the journal is empty": (
        lambda run: replace(run, history=[]),
        [
            "P6 not seen: an increase after the load had risen",
            "P7 not seen: a VM defined after the increase was determined",
            "ledger: nothing was acknowledged for 11.6 s from 187.3 s on, 11.6 s of it outside of any move",
            "ledger: nothing was acknowledged for 12.3 s from 234.3 s on, 12.3 s of it outside of any move",
            "ledger: nothing was acknowledged for 11.8 s from 362.3 s on, 11.8 s of it outside of any move",
            "no grow was decided and done",
            "no move was decided and done",
            "no shrink was decided and done",
            "ledger went from shop-n1 to shop-n2 at 198.9 s without a move that the driver did",
            "ledger went from shop-n2 to shop-n1 at 246.6 s without a move that the driver did",
            "ledger went from shop-n1 to shop-n2 at 374.1 s without a move that the driver did",
            "shop-n1 was a member and went at 431.0 s without a shrink of the driver",
            "shop-n2 was defined at 105.0 s and no growth of the driver was at work",
            "shop-n2 was a member and went at 281.5 s without a shrink of the driver",
            "shop-n2 was defined at 291.0 s and no growth of the driver was at work",
        ],
    ),
    "a decision without a reason": (
        change("history", lambda r: r.get("decision") == "grow", because=" "),
        ["a decision (grow) of 97.5 s has no reason"],
    ),
    "a joined VM was rolled back": (
        both(
            vm("shop-n3", "uuid-9", defined=110, running=111, reachable=120, gone=150),
            change("witness", lambda r: is_view(r) and between(r, 125, 140), nodes={N1: "online", "shop-n3": "online"}),
        ),
        [
            "P4 not seen: load balancing and failover processing on shop-n3",
            "P9 not seen: Corosync and Pacemaker among the packages of shop-n3",
            unseen_join("shop-n3 at 127.5 s"),
            "shop-n3 was a member and went at 150.0 s without a shrink of the driver",
            "shop-n3 was a member from 127.5 s on and never told of itself",
        ],
    ),
    "a VM that nobody asked for": (
        vm("shop-n3", "uuid-9", defined=215, running=216, reachable=217),
        [
            "shop-n3 was defined at 215.0 s and no growth of the driver was at work",
            "the cluster's nodes at the end were shop-n2, its VMs shop-n2, shop-n3",
            "nobody saw shop-n3 (UUID uuid-9) go when the cluster was destroyed",
        ],
    ),
    "a member's VM vanished": (
        without_steps("scale_in", 250, 290),
        ["shop-n2 was a member and went at 281.5 s without a shrink of the driver"],
    ),
    "two VMs with one name": (
        vm(N1, "uuid-9", defined=110, running=111, reachable=120, gone=150),
        [
            "P4 not seen: failover processing on shop-n1",
            "P9 not seen: Corosync and Pacemaker among the packages of shop-n1",
            unseen_join("shop-n1 at 115.5 s"),
            "shop-n1 was a member and went at 150.0 s without a shrink of the driver",
            "two VMs had one name or address at 110.0 s: shop-n1 and shop-n1",
            "shop-n1 was a member from 115.5 s on and never told of itself",
        ],
    ),
    "reached before it ran": (
        change("witness", lambda r: is_vm(r, "uuid-3", "reachable"), at=at(291.2)),
        ["shop-n2 was reached by SSH before it ran"],
    ),
    "it never shrank": (
        without_steps("scale_in"),
        [
            "no shrink was decided and done",
            "shop-n1 was a member and went at 431.0 s without a shrink of the driver",
            "shop-n2 was a member and went at 281.5 s without a shrink of the driver",
        ],
    ),
    "it never grew": (
        without_steps("scale_out"),
        [
            "P6 not seen: an increase after the load had risen",
            "P7 not seen: a VM defined after the increase was determined",
            "no grow was decided and done",
            "shop-n2 was defined at 105.0 s and no growth of the driver was at work",
            "shop-n2 was defined at 291.0 s and no growth of the driver was at work",
        ],
    ),
    "a VM that never joined went by itself": (
        vm("shop-n3", "uuid-9", defined=110, running=111, reachable=120, gone=215),
        ["shop-n3 was never a member and went at 215.0 s without a growth or shrink of the driver"],
    ),
    "two VMs with one address": (
        both(
            vm("shop-n3", "uuid-9", defined=110, running=111, reachable=120, gone=150),
            change("witness", lambda r: is_vm(r, "uuid-9"), address="10.99.0.20"),
        ),
        ["two VMs had one name or address at 110.0 s: shop-n1 and shop-n3"],
    ),
    "an outcome from before its step": (
        change("history", lambda r: r["kind"] == "outcome" and between(r, 160, 170), began_at=at(170)),
        ["the outcome of scale_out at 165.0 s ended before it began, or failed without a reason"],
    ),
}
