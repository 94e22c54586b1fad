# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""Which move is refused with which sentence, and which node is the default: one case for each part of each rule."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.ondemand.cluster.plugins.module_utils._contract.refusal import Refusal
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.move_rules import (
    Move,
    choose_move,
    plan_move,
    why_not_node,
    why_not_running,
)
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.status import Member, Resource, Service, Status, Votes


def member(number: int, **more: Any) -> Member:
    """A healthy node."""
    facts = {"online": True, "standby": False, "pending": False, "unclean": False, "listed": True, "votes": True, **more}
    return Member(name=f"n{number}", id=number, address=f"10.0.0.{number}", **facts)


def service(name: str, *nodes: str, kind: str = "group", role: str = "Started") -> Service:
    """A service of one resource, running on these nodes."""
    return Service(name, kind, (Resource(f"{name}-app", "ocf:x:y", nodes, role, "", False),))


def status(*services: Service, nodes: tuple[Member, ...] = (member(1), member(2), member(3)), quorate: bool = True) -> Status:
    """A cluster at rest."""
    return Status("c", quorate, "n1", True, Votes(3, 3, 2, (1, 2, 3), False), nodes, services, (), ())


LEDGER, MAIL, WEB = service("ledger", "n1"), service("mail", "n2"), service("web-clone", "n1", "n2", kind="clone")
ODD = Service(
    "ledger", "group", (Resource("data", "x", ("n1",), "Started", "", False), Resource("a b", "x", ("n1",), "Started", "", False))
)

REFUSED: dict[str, tuple[Status, tuple[str, str | None], str, str]] = {
    "a service that is not there, beside others": (
        status(LEDGER, WEB, MAIL), ("shop", None), "not_found", "The cluster has no service 'shop'; it could move ledger, mail.",
    ),
    "a service that is not there, beside a clone": (status(WEB), ("shop", None), "not_found", "it could move none."),
    "a clone": (status(LEDGER, WEB), ("web-clone", None), "bad_input", "web-clone runs on every node"),
    "an id that isn't safe": (status(ODD), ("ledger", None), "bad_input", "Resource 'a b' of ledger"),
    "no quorum, and not running": (status(service("ledger", role="Stopped"), quorate=False), ("ledger", None), "not_quorate", "no quorum"),
    "not there, and no quorum": (status(LEDGER, quorate=False), ("shop", None), "not_found", "no service"),
    "running nowhere": (status(service("ledger", role="Stopped")), ("ledger", None), "unstable", "ledger is stopped, not running on one node"),
    "running twice": (status(service("ledger", "n1", "n2")), ("ledger", None), "unstable", "ledger is started on n1, n2, not running on one node"),
    "starting": (status(service("ledger", "n1", role="Starting")), ("ledger", None), "unstable", "ledger is starting on n1, not"),
    "no such node": (status(LEDGER), ("ledger", "n9"), "not_found", "The cluster has no node 'n9'; it has n1, n2, n3."),
    "a node that can't": (status(LEDGER, nodes=(member(1), member(2, standby=True))), ("ledger", "n2"), "unstable", "Node n2 is in standby, so"),
    "no other node that can": (
        status(LEDGER, nodes=(member(1), member(2, online=False), member(3, pending=True))),
        ("ledger", None), "last_node", "No other node can take the service: n2 is offline; n3 is only just joining.",
    ),
    "no other node": (status(LEDGER, nodes=(member(1),)), ("ledger", None), "last_node", "No other node can take the service: n1 is the only one."),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_a_refused_move_says_why(case: str) -> None:
    seen, wanted, reason, said = REFUSED[case]
    refusal = plan_move(seen, *wanted)
    assert isinstance(refusal, Refusal) and (refusal.reason, said in refusal.sentence) == (reason, True), refusal


@pytest.mark.parametrize(
    ("nodes", "others", "avoid", "target"),
    [
        ((member(1), member(2), member(3)), (), (), "n2"),
        ((member(1), member(3), member(2)), (), (), "n2"),
        ((member(1), member(2), member(3)), (MAIL,), (), "n3"),
        ((member(1), member(2), member(3)), (MAIL, service("shop", "n3"), service("paint", "n3")), (), "n2"),
        ((member(1), member(2), member(3)), (WEB,), (), "n2"),
        ((member(1), member(2), member(3)), (), ("n2",), "n3"),
        ((member(1), member(2, unclean=True), member(3)), (), (), "n3"),
        ((member(1), member(2, pending=True), member(3)), (), (), "n3"),
    ],
)
def test_the_default_is_the_emptiest_and_of_these_the_oldest(
    nodes: tuple[Member, ...], others: tuple[Service, ...], avoid: tuple[str, ...], target: str
) -> None:
    assert plan_move(status(LEDGER, *others, nodes=nodes), "ledger", None, avoid) == Move("ledger", ("ledger-app",), "n1", target)


@pytest.mark.parametrize(
    ("more", "clause"),
    [
        ({}, None),
        ({"standby": True}, "is in standby"),
        ({"standby": True, "pending": True}, "is only just joining"),
        ({"standby": True, "pending": True, "online": False}, "is offline"),
        ({"online": False, "unclean": True}, "is unclean"),
    ],
)
def test_of_what_is_wrong_with_a_node_the_worst_is_told(more: dict[str, Any], clause: str | None) -> None:
    assert why_not_node(member(2, **more)) == clause


def test_a_service_that_is_not_there_is_left_to_the_rule_that_says_so() -> None:
    assert why_not_running(status(), "ledger") is None


def test_the_service_that_is_named_moves_and_no_other() -> None:
    assert plan_move(status(MAIL, LEDGER), "ledger", "n3") == Move("ledger", ("ledger-app",), "n1", "n3")


def test_who_wants_it_where_it_runs_already_is_not_asked_whether_that_node_is_fit() -> None:
    leaving = status(LEDGER, nodes=(member(1, standby=True), member(2)))
    assert plan_move(leaving, "ledger", "n1") == Move("ledger", ("ledger-app",), "n1", "n1")


TRIED: list[str] = []


def no_to(*nodes: str) -> Callable[[Move], str]:
    """A scheduler that takes nothing on these nodes; whom it was asked about stands in TRIED."""
    TRIED.clear()

    def why_not(move: Move) -> str:
        TRIED.append(move.target)
        return f"not on {move.target}" if move.target in nodes else ""

    return why_not


def test_the_first_node_that_the_scheduler_takes_is_chosen() -> None:
    assert choose_move(status(LEDGER), "ledger", None, (), no_to()) == Move("ledger", ("ledger-app",), "n1", "n2") and TRIED == ["n2"]
    assert choose_move(status(LEDGER), "ledger", None, (), no_to("n2")) == Move("ledger", ("ledger-app",), "n1", "n3") and TRIED == [
        "n2",
        "n3",
    ]
    assert choose_move(status(LEDGER), "ledger", None, ["n2"], no_to()) == Move("ledger", ("ledger-app",), "n1", "n3") and TRIED == ["n3"]
    assert choose_move(status(LEDGER), "ledger", "n3", (), no_to("n2")) == Move("ledger", ("ledger-app",), "n1", "n3") and TRIED == ["n3"]


def test_where_the_service_is_already_nobody_is_asked() -> None:
    assert choose_move(status(LEDGER), "ledger", "n1", (), no_to("n1")) == Move("ledger", ("ledger-app",), "n1", "n1") and TRIED == []


def test_where_the_scheduler_takes_it_nowhere_each_node_is_told_with_its_reason() -> None:
    refusal = choose_move(status(LEDGER), "ledger", None, (), no_to("n2", "n3"))
    assert refusal == Refusal("no_place", "No other node can take ledger: n2: not on n2; n3: not on n3.")
    named = choose_move(status(LEDGER), "ledger", "n3", (), no_to("n3"))
    assert named == Refusal("no_place", "ledger can't move to n3: not on n3. Name another node, or mend that first.") and TRIED == ["n3"]


def test_what_our_own_rules_refuse_is_refused_before_the_scheduler_is_asked() -> None:
    refusal = choose_move(status(LEDGER), "mail", None, (), no_to())
    assert isinstance(refusal, Refusal) and refusal.reason == "not_found" and TRIED == []


def test_a_disabled_service_is_told_so_and_its_rest_moves_without_what_is_disabled() -> None:
    whole = Service("legacy", "primitive", (Resource("legacy", "ocf:x:y", (), "Stopped", "", False, disabled=True),))
    refusal = why_not_running(status(whole), "legacy")
    assert refusal == Refusal("unstable", "legacy is disabled by somebody's hand, so there is nothing to move. Enable it first.")
    part = Service(
        "g",
        "group",
        (Resource("a", "ocf:x:y", ("n1",), "Started", "", False), Resource("b", "ocf:x:y", (), "Stopped", "", False, disabled=True)),
    )
    assert part.state == "disabled" and plan_move(status(part), "g", "n2") == Move("g", ("a",), "n1", "n2")


@pytest.mark.parametrize(("kind", "said"), [("clone", "on every node"), ("bundle", "in several places")])
def test_what_runs_in_several_places_is_told_by_its_kind(kind: str, said: str) -> None:
    refusal = plan_move(status(service("web", "n1", "n2", kind=kind)), "web", None)
    assert refusal == Refusal("bad_input", f"web runs {said}, so it cannot move; name a movable service.")
