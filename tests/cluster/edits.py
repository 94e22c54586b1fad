# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""Edits of a cluster file's services as data: each follows on the one before, and names the services whose resources it may touch."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

File = dict[str, Any]
DUMMY = "ocf:pacemaker:Dummy"
BASE: File = {
    "name": "cell",
    "network": {"prefix": 24},
    "fencing": {"method": "none"},
    "services": [
        {"name": "web", "kind": "balanced", "address": "10.98.0.80", "port": 80, "resource": {"agent": DUMMY, "port": 8080}},
        {
            "name": "note",
            "kind": "movable",
            "address": "10.98.0.90",
            "port": 5000,
            "group": [{"name": "note-data", "agent": DUMMY}, {"name": "note-app", "agent": DUMMY}],
        },
        # Nothing but growth, moves and its own edits may touch it.
        {"name": "still", "kind": "movable", "address": "10.98.0.99", "port": 5001, "group": [{"name": "still-app", "agent": DUMMY}]},
    ],
}


@dataclass(frozen=True)
class Edit:
    """What is done to the file, the services that it may touch, and the ids that are gone afterwards."""

    name: str
    change: Callable[[File], None]
    touches: frozenset[str]
    gone: tuple[str, ...] = ()

    def of(self, before: File) -> File:
        """The file after it."""
        after = copy.deepcopy(before)
        self.change(after)
        return after


def service(file: File, name: str) -> dict[str, Any]:
    """A service of the file."""
    return next(one for one in file["services"] if one["name"] == name)


def put(name: str, /, **fields: Any) -> Callable[[File], None]:
    """Fields of a service; None takes one out."""

    def change(file: File) -> None:
        one = service(file, name)
        for field, value in fields.items():
            one.pop(field, None) if value is None else one.update({field: value})

    return change


def member(name: str, number: int, /, **fields: Any) -> Callable[[File], None]:
    """Fields of a group's member."""
    return lambda file: service(file, name)["group"][number].update(fields)


def without(name: str) -> Callable[[File], None]:
    """Without a service."""
    return lambda file: file["services"].remove(service(file, name))


def more(*services: dict[str, Any]) -> Callable[[File], None]:
    """With more services."""
    return lambda file: file["services"].extend(copy.deepcopy(services))


def top(**fields: Any) -> Callable[[File], None]:
    """Fields of the cluster itself; None takes one out."""

    def change(file: File) -> None:
        for field, value in fields.items():
            file.pop(field, None) if value is None else file.update({field: value})

    return change


def both(*changes: Callable[[File], None]) -> Callable[[File], None]:
    """Several at once."""

    def change(file: File) -> None:
        for one in changes:
            one(file)

    return change


def members(name: str, *names: str) -> Callable[[File], None]:
    """A group of these members, in this order; those that are there keep what they have."""

    def change(file: File) -> None:
        there = {one["name"]: one for one in service(file, name)["group"]}
        service(file, name)["group"] = [there.get(one, {"name": one, "agent": DUMMY}) for one in names]

    return change


def swapped(file: File) -> None:
    """Two services get each other's address."""
    one, other = service(file, "note"), service(file, "mail")
    one["address"], other["address"] = other["address"], one["address"]


MAIL = {"name": "mail", "kind": "movable", "address": "10.98.0.91", "port": 5002, "group": [{"name": "mail-app", "agent": DUMMY}]}
API = {"name": "api", "kind": "balanced", "address": "10.98.0.81", "port": 81, "resource": {"agent": DUMMY, "port": 8081}}
BOTH = {"id": "spare", "agent": "ocf:pacemaker:Stateful"}
MORE = {
    "options": {"state": "/run/spare"},
    "operations": [{"name": "monitor", "interval_s": 11, "role": "Promoted"}],
    "meta": {"priority": 1},
}
RACK = {"name": "cell-n1", "attributes": {"rack": "a"}, "utilization": {"memory": 100}}
ALERT = {
    "id": "tell",
    "path": "/usr/bin/true",
    "options": {"what": "all"},
    "recipients": [{"id": "to-me", "value": "me"}, {"id": "to-you", "value": "you"}],
}
PASSED = frozenset({"pacemaker"})
RECHECK = "cluster-recheck-interval"
OURS = {"id": "spare", "agent": DUMMY}
NOTE, MAILS, WEB, NONE = frozenset({"note"}), frozenset({"mail"}), frozenset({"web", "haproxy"}), frozenset[str]()

EDITS = [
    Edit("a movable service more", more(MAIL), MAILS),
    Edit("a balanced service more", more(API), frozenset({"api"})),
    Edit("another address of a movable service", put("note", address="10.98.0.92"), NOTE),
    Edit("another address of a balanced service", put("api", address="10.98.0.82"), frozenset({"api"})),
    Edit("a member more in the middle", members("note", "note-data", "note-index", "note-app"), NOTE),
    Edit("a member more at the end", members("note", "note-data", "note-index", "note-app", "note-tail"), NOTE),
    Edit("members in another order", members("note", "note-index", "note-data", "note-app", "note-tail"), NOTE),
    Edit("a member less at the end", members("note", "note-index", "note-data", "note-app"), NOTE, ("note-tail",)),
    Edit("a member less in front", members("note", "note-data", "note-app"), NOTE, ("note-index",)),
    Edit("an option", member("note", 1, options={"state": "/run/note-app"}), NOTE),
    Edit("an option less", member("note", 1, options={}), NOTE),
    Edit("another agent under the same name", member("note", 0, agent="ocf:pacemaker:Stateful"), NOTE),
    Edit("and back", member("note", 0, agent=DUMMY), NOTE),
    Edit("an operation", member("note", 1, operations=[{"name": "stop", "interval_s": 0, "timeout_s": 90}]), NOTE),
    Edit("an operation's failure", member("note", 1, operations=[{"name": "monitor", "interval_s": 20, "on_fail": "restart"}]), NOTE),
    Edit("another pace of monitors", both(put("note", monitor_s=15), member("note", 1, operations=[])), NOTE),
    Edit("meta attributes", both(put("mail", meta={"priority": 5}), member("note", 1, meta={"migration-threshold": 7})), NONE),
    Edit("meta attributes less", both(put("mail", meta={"resource-stickiness": 7}), member("note", 1, meta={})), NONE),
    Edit("a service that is told to stop", put("mail", meta={"target-role": "Stopped"}), MAILS),
    Edit("and to start", put("mail", meta=None), MAILS),
    Edit(
        "services apart",
        top(constraints={"colocation": [{"name": "apart", "service": "mail", "with": "note", "score": -500}]}),
        MAILS | NOTE,
    ),
    Edit(
        "one after another",
        top(constraints={"order": [{"name": "first", "first": "note", "then": "mail", "kind": "Optional"}]}),
        MAILS | NOTE,
    ),
    Edit("a place", top(constraints={"location": [{"name": "there", "service": "mail", "node": "cell-n2", "score": 500}]}), MAILS),
    Edit("no constraints", top(constraints=None), MAILS),
    Edit("addresses of two services swapped", swapped, MAILS | NOTE),
    Edit("a movable service renamed", put("mail", name="post"), frozenset({"mail", "post"}), ("mail", "mail-address")),
    Edit("a balanced service renamed", put("api", name="rest"), frozenset({"api", "rest"}), ("api-clone", "api", "api-address")),
    Edit(
        "a balanced service becomes movable",
        put("rest", kind="movable", resource=None, group=[{"name": "rest-app", "agent": DUMMY}]),
        frozenset({"rest"}),
        ("rest-clone",),
    ),
    Edit(
        "and back",
        put("rest", kind="balanced", group=None, resource={"agent": DUMMY, "port": 8081}),
        frozenset({"rest"}),
        ("rest-app",),
    ),
    Edit(
        "a service takes another one's address and goes on",
        both(without("post"), put("note", address="10.98.0.92")),
        NOTE | {"post"},
        ("post",),
    ),
    Edit(
        "what Pacemaker is handed as it is",
        top(pacemaker={"resources": [OURS], "clones": [{"resource": "spare", "promotable": False}]}),
        NONE,
    ),
    Edit("more of what is passed on", top(pacemaker={"resources": [{**OURS, **MORE}], "clones": [{"resource": "spare"}]}), PASSED),
    Edit("and less", top(pacemaker={"resources": [OURS], "clones": [{"resource": "spare"}]}), PASSED),
    Edit("a promotable clone", top(pacemaker={"resources": [BOTH], "clones": [{"resource": "spare", "promotable": True}]}), PASSED),
    Edit(
        "what resources need and nodes have",
        top(pacemaker={"resources": [{**OURS, "utilization": {"memory": 10}}], "nodes": [RACK]}),
        PASSED,
        ("spare-clone",),
    ),
    Edit(
        "more of it", top(pacemaker={"resources": [{**OURS, "utilization": {"cores": 1}}], "nodes": [{**RACK, "utilization": {}}]}), PASSED
    ),
    Edit("alerts", top(pacemaker={"alerts": [ALERT, {**ALERT, "id": "other", "recipients": []}]}), PASSED, ("spare",)),
    Edit(
        "an alert less, another recipient",
        top(pacemaker={"alerts": [{**ALERT, "recipients": [{"id": "to-them", "value": "them"}]}]}),
        PASSED,
    ),
    Edit("and no longer", top(pacemaker=None), PASSED),
    Edit("properties and defaults", top(pacemaker={"properties": {RECHECK: "7min"}, "operation_defaults": {"timeout": "33s"}}), NONE),
    Edit("other ones", top(pacemaker={"properties": {RECHECK: "8min", "stop-orphan-actions": True}}), NONE),
    Edit("and none", top(pacemaker=None), NONE),
    Edit("a balanced service less", without("rest"), frozenset({"rest"}), ("rest-clone", "rest", "rest-address")),
    Edit("no balanced service", without("web"), WEB, ("web-clone", "web", "web-address", "haproxy-clone", "haproxy")),
    Edit(
        "one service goes and another comes to its address",
        both(without("note"), more({**API, "address": "10.98.0.92"})),
        NOTE | {"api", "haproxy"},
        ("note", "note-data", "note-app", "note-address"),
    ),
    Edit("all but one go", without("api"), frozenset({"api", "haproxy"}), ("api-clone", "haproxy-clone")),
]
