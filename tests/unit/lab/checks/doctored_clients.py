# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""Runs whose clients had to bear what they should not, or whose client can't be right. See doctored."""

from __future__ import annotations

from dataclasses import replace

from tests.unit.lab.checks.doctoring import Worlds, add, both, change, drop, every_other, fail, sent
from tests.unit.lab.world import at

CLIENTS: Worlds = {
    "half of the web transactions failed": (
        fail(every_other(lambda r: sent(r, "web"))),
        [
            "web: 208 of 416 transactions failed and no move explains it, the first one due at 82.3 s",
            "web: nothing was acknowledged for 62.0 s from 442.3 s on, 62.0 s of it outside of any move",
        ],
    ),
    "half of the web transactions failed at once": (
        fail(every_other(lambda r: sent(r, "web")), 0.02),
        ["web: 208 of 416 transactions failed and no move explains it, the first one due at 82.3 s"],
    ),
    "web was away for 80 s": (
        fail(lambda r: sent(r, "web", 100, 180)),
        [
            "web: 200 of 416 transactions failed and no move explains it, the first one due at 100.1 s",
            "web: nothing was acknowledged for 80.0 s from 100.1 s on, 80.0 s of it outside of any move",
        ],
    ),
    "the ledger was away for 75 s": (
        fail(lambda r: sent(r, "ledger", 100, 175)),
        [
            "ledger: 75 of 241 transactions failed and no move explains it, the first one due at 100.3 s",
            "ledger: nothing was acknowledged for 75.0 s from 100.3 s on, 71.2 s of it outside of any move",
        ],
    ),
    "answers of a node that is no VM": (
        change("client", lambda r: sent(r, "web", 120, 125), node="shop-n7"),
        ["13 transactions were acknowledged by shop-n7, which was no VM of the run then (the first at 120.1 s)"],
    ),
    "doubled web answers": (
        lambda run: add("client", *[r for r in run.client if sent(r, "web", 120, 121)])(run),
        ["web: 3 answers came twice, or for another transaction than the one asked"],
    ),
    "stored under another client": (
        lambda run: replace(run, stored=[one.replace("c1/", "c2/") for one in run.stored]),
        ["241 acknowledged transactions were not stored"],
    ),
    "stored twice": (lambda run: replace(run, stored=[*run.stored, run.stored[0]]), ["1 transactions were stored more than once"]),
    "web was silent for 20 s beside a move of the ledger": (
        change("client", lambda r: sent(r, "web", 180, 200), acknowledged_at=at(200), ended_at=at(200)),
        ["web: nothing was acknowledged for 19.9 s from 180.1 s on, 19.9 s of it outside of any move"],
    ),
    "web was silent while a VM joined": (
        change("client", lambda r: sent(r, "web", 140, 160), acknowledged_at=at(160), ended_at=at(160)),
        ["web: nothing was acknowledged for 19.9 s from 140.1 s on, 19.9 s of it outside of any move"],
    ),
    "web was silent all the time of a leave": (
        change("client", lambda r: sent(r, "web", 386, 430), acknowledged_at=at(430), ended_at=at(430)),
        ["web: nothing was acknowledged for 43.7 s from 386.3 s on, longer than a going over takes (14.2 s)"],
    ),
    "the ledger was silent outside of a move": (
        change("client", lambda r: sent(r, "ledger", 300, 320), acknowledged_at=at(320), ended_at=at(320)),
        ["ledger: nothing was acknowledged for 19.7 s from 300.3 s on, 19.7 s of it outside of any move"],
    ),
    "one transaction failed while others were served": (
        fail(lambda r: sent(r, "ledger", 310, 311)),
        ["ledger: 1 of 241 transactions failed and no move explains it, the first one due at 310.3 s"],
    ),
    "answers of other transactions": (
        change("client", lambda r: sent(r, "web", 100, 100.5), mixed_up=1),
        ["web: 1 answers came twice, or for another transaction than the one asked"],
    ),
    "acknowledged before it was due": (
        change("client", lambda r: sent(r, "web", 100, 100.5), acknowledged_at=at(99)),
        ["web: c1/40 was acknowledged before it was due"],
    ),
    "stored what nobody sent": (
        lambda run: replace(run, stored=[*run.stored, "c1/99999"]),
        ["1 transactions were stored that the client never sent"],
    ),
    "one acknowledged transaction is lost": (
        lambda run: replace(run, stored=run.stored[:-1]),
        ["1 acknowledged transactions were not stored"],
    ),
    "the client was away for 20 s": (
        drop("client", lambda r: sent(r, "web", 300, 320) or sent(r, "ledger", 300, 320)),
        [
            "10 transactions were stored that the client never sent",
            "web: the client had nothing due for 22.0 s from 298.3 s on, at 0.5 a second",
            "ledger: the client had nothing due for 22.0 s from 298.3 s on, at 0.5 a second",
        ],
    ),
    "the client's record was cut off": (
        drop("client", lambda r: r["kind"] == "end"),
        [
            "the client's record has no end: it was cut off, or there was no client",
            "web: the client had nothing due for 16.7 s from 444.3 s on, at 0.5 a second",
            "ledger: the client had nothing due for 16.7 s from 444.3 s on, at 0.5 a second",
        ],
    ),
    "the client ended half-way": (
        both(
            drop("client", lambda r: r["kind"] == "transaction" and r["due_at"] > at(300)),
            change("client", lambda r: r["kind"] == "end", stopped_at=at(300)),
        ),
        ["73 transactions were stored that the client never sent", "the client ended at 300.0 s, before the last step of the driver began"],
    ),
    "nobody sent to web": (
        drop("client", lambda r: sent(r, "web")),
        [
            "P12 not seen: a new VM that answered what was sent to web's address",
            "nobody sent to web",
            "web: the client had nothing due for 117.0 s from 85.3 s on, at 2.5 a second",
            "web: the client had nothing due for 245.7 s from 202.3 s on, at 0.5 a second",
        ],
    ),
    "no client at all": (
        lambda run: replace(run, client=[]),
        [
            "P6 not seen: an increase after the load had risen",
            "P11 not seen: ledger going over from a member to a new VM while both were online",
            "P12 not seen: clients of web at its virtual cluster IP 10.99.0.10:80; they sent to nobody",
            "no transaction was acknowledged",
            "241 transactions were stored that the client never sent",
            "nobody sent to web and ledger",
            "the client's record has no end: it was cut off, or there was no client",
            "the client was never told a rate for web",
            "the client was never told a rate for ledger",
        ],
    ),
}
