# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""What saved files tell of a cluster, and the steps of a change with the votes after each. The real scheduler is asked in tests/cluster."""

from __future__ import annotations

import dataclasses
import xml.etree.ElementTree as ET
from typing import Any

import pytest
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster import what_if
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.status import Status, StatusError


def cib(count: int, ids: str = "", **more: str) -> str:
    """Members n1, n2, ...; ids: their ids begin so."""
    nodes = "".join(f'<node id="{ids}{number}" uname="n{number}"/>' for number in range(1, count + 1))
    attributes = "".join(f' {key.replace("_", "-")}="{value}"' for key, value in more.items())
    return f"<cib{attributes}><configuration><nodes>{nodes}</nodes><resources/><constraints/></configuration><status/></cib>"


def scheduler(online: int, total: int, ledger: tuple[str, str] = ("n1", "n2")) -> what_if.Scheduler:
    """One that finds so many members online and lets the ledger go from one node to another (empty: nowhere)."""

    def status(place: str) -> str:
        nodes = "".join(
            f'<node name="n{number}" id="{number}" online="{str(number <= online).lower()}" type="member"/>'
            for number in range(1, total + 1)
        )
        where = f'<node name="{place}"/>' if place else ""
        state = f'role="{"Started" if place else "Stopped"}" active="{str(bool(place)).lower()}" managed="true"'
        resource = f'<resource id="ledger" resource_agent="ocf:x:y" {state}>{where}</resource>'
        return f"<nodes>{nodes}</nodes><resources>{resource}</resources>"

    def ask(_cib: ET.Element) -> str:
        before, after = (status(place) for place in ledger)
        return f"<pacemaker-result><cluster_status>{before}</cluster_status><revised_cluster_status>{after}</revised_cluster_status></pacemaker-result>"

    return ask


def seen(online: int, total: int, conf: str | None = None, votes: str | None = None, **more: str) -> Status:
    """What saved files of such a cluster tell."""
    return what_if.observed(cib(total, **more), conf, votes, scheduler(online, total))


def votes(expected: int, total: int, needed: int, quorate: bool = True) -> dict[str, Any]:
    """The votes as an answer has them."""
    return {"expected": expected, "total": total, "needed": needed, "quorate": quorate}


def outline(answer: what_if.Answer) -> list[tuple[str, dict[str, Any]]]:
    """What is done where, and the votes after each step."""
    return [
        (f"{one['step']} {one.get('node') or one.get('service') or ''}@{one['host']}".replace(" @", "@"), one["votes"])
        for one in answer.steps
    ]


def test_a_cib_alone_is_a_cluster_in_which_who_is_online_votes() -> None:
    status = seen(2, 3)
    assert (status.votes.expected, status.votes.total, status.votes.needed, status.votes.present) == (3, 2, 2, (1, 2))
    assert [(one.name, one.id, one.listed, one.votes, one.online) for one in status.members] == [
        ("n1", 1, True, True, True), ("n2", 2, True, True, True), ("n3", 3, True, False, False),
    ]  # fmt: skip
    assert (status.quorate, status.idle, status.dc) == (True, True, "n1")
    assert [(one.name, one.state, one.nodes) for one in status.services] == [("ledger", "started", ("n1",))]


def test_who_is_no_member_has_no_vote_and_numbers_stay() -> None:
    text = '<node id="4" uname="n1"/><node id="7" uname="n2" type="member"/><node id="edge" uname="edge" type="remote"/>'
    one = cib(0).replace("<nodes></nodes>", f"<nodes>{text}</nodes>")
    status = what_if.observed(one, None, None, scheduler(2, 2))
    assert [(member.name, member.id, member.address) for member in status.members] == [("n1", 4, ""), ("n2", 7, "")]
    assert (status.votes.expected, status.votes.present) == (2, (4, 7))


@pytest.mark.parametrize("odd", ["\u00b2", "uuid", ""])
def test_where_one_number_is_none_all_are_replaced(odd: str) -> None:
    one = cib(0).replace("<nodes></nodes>", f'<nodes><node id="9" uname="n1"/><node id="{odd}" uname="n2"/></nodes>')
    assert [(member.name, member.id) for member in what_if.observed(one, None, None, scheduler(2, 2)).members] == [("n1", 1), ("n2", 2)]


def test_who_has_no_number_among_those_with_one_and_is_away_is_of_other_times() -> None:
    one = cib(0).replace("<nodes></nodes>", '<nodes><node id="9" uname="n1"/><node id="old" uname="n2"/></nodes>')
    status = what_if.observed(one, None, None, scheduler(1, 2))
    assert ([(member.name, member.id) for member in status.members], status.votes.expected) == ([("n1", 9)], 1)


def test_of_a_cluster_in_which_nobody_is_online_there_is_no_dc() -> None:
    status = seen(0, 2)
    assert (status.dc, status.votes.total, status.quorate) == (None, 0, True)


def test_numbers_that_corosync_would_not_know_are_replaced() -> None:
    assert [(one.name, one.id) for one in seen(2, 2, ids="uuid-").members] == [("n1", 1), ("n2", 2)]


@pytest.mark.parametrize(("text", "quorate"), [("Quorate:          Yes\n", True), ("Quorate:          No\n", False), ("", False)])
def test_corosync_s_own_count_says_whether_there_is_a_quorum(text: str, quorate: bool) -> None:
    told = text + "Expected votes:   4\nTotal votes:      3\nQuorum:           3\nMembership information\n 1 2 n1\n 2 1 n2\n"
    status = seen(2, 2, votes=told, have_quorum="1" if not quorate else "0")
    assert (status.quorate, status.votes.expected, status.votes.weights) == (quorate, 4, ((1, 2),))


def test_without_that_count_the_cib_says_it() -> None:
    for value, quorate in {"1": True, "true": True, "Yes": True, "on": True, "0": False, "false": False, "": False}.items():
        assert seen(2, 2, have_quorum=value).quorate is quorate
    assert seen(1, 3).quorate


def test_a_cib_of_which_the_scheduler_tells_nothing_is_told_so() -> None:
    with pytest.raises(StatusError, match="told no status"):
        what_if.observed(cib(1), None, None, lambda _cib: "<pacemaker-result/>")


def test_the_steps_of_a_leave_from_three_to_two() -> None:
    answer = what_if.leave(seen(3, 3), "n1", 1, scheduler(3, 3))
    assert answer.data() == {
        "allowed": True, "reason": None, "message": "n1 may leave.",
        "steps": answer.steps,
        "votes": votes(2, 2, 2), "stops": (), "moves": {"ledger": {"from": ("n1",), "to": ("n2",)}}, "stays": (), "survives": 0,
    }  # fmt: skip
    assert outline(answer) == [
        ("standby n1@n2", votes(3, 3, 2)), ("stop@n1", votes(3, 2, 2)), ("write@n2", votes(3, 2, 2)), ("load@n3", votes(2, 2, 2)),
        ("forget n1@n2", votes(2, 2, 2)), ("forget n1@n3", votes(2, 2, 2)),
    ]  # fmt: skip
    assert answer.steps[0] == {
        "step": "standby", "host": "n2", "node": "n1", "service": "", "why": "it leaves", "words": "put n1 in standby", "votes": votes(3, 3, 2),
        "undo": "take n1 out of standby",
    }  # fmt: skip


def test_the_steps_of_a_leave_from_two_to_one() -> None:
    answer = what_if.leave(seen(2, 2), "n1", 1, scheduler(2, 2))
    assert outline(answer) == [
        ("standby n1@n2", votes(2, 2, 2)), ("load@n2", votes(2, 2, 1)), ("stop@n1", votes(2, 1, 1)), ("load@n2", votes(1, 1, 1)),
        ("forget n1@n2", votes(1, 1, 1)),
    ]  # fmt: skip


def test_a_member_that_is_away_is_only_taken_off_the_list() -> None:
    answer = what_if.leave(seen(2, 3), "n3", 1, scheduler(2, 3))
    assert [what for what, _votes in outline(answer)] == ["write@n1", "load@n2", "forget n3@n1", "forget n3@n2"] and answer.moves == {}


def test_a_refused_leave_has_no_steps_and_the_votes_of_now() -> None:
    answer = what_if.leave(seen(3, 3), "n1", 3, scheduler(3, 3))
    assert (answer.allowed, answer.reason, answer.steps, answer.votes, answer.survives) == (False, "minimum", (), votes(3, 3, 2), 1)
    nowhere = what_if.leave(seen(3, 3), "n1", 1, scheduler(3, 3, ("n1", "")))
    assert (nowhere.reason, nowhere.stops) == ("no_place", ("ledger",))


def test_a_standby_keeps_its_vote() -> None:
    answer = what_if.standby(seen(2, 2), "n1", scheduler(2, 2))
    assert (answer.allowed, answer.message, outline(answer)) == (True, "n1 may go to standby.", [("standby n1@n2", votes(2, 2, 2))])
    stuck = what_if.standby(seen(2, 2), "n1", scheduler(2, 2, ("n1", "n1")))
    assert (stuck.allowed, stuck.reason, stuck.stays, stuck.steps) == (False, "unstable", ("ledger",), ())


LISTED = (
    "nodelist {\n" + "".join(f"node {{\nring0_addr: 192.0.2.{n}\nname: n{n}\nnodeid: {n}\nquorum_votes: {n}\n}}\n" for n in (1, 2)) + "}\n"
)


def test_a_two_node_that_a_person_set_is_neither_set_nor_removed() -> None:
    stated = LISTED.replace("quorum_votes: 2", "quorum_votes: 1") + "quorum {\nprovider: corosync_votequorum\ntwo_node: 1\n}\n"
    leave = what_if.leave(seen(2, 2, conf=stated), "n1", 1, scheduler(2, 2))
    assert [one["step"] for one in leave.steps] == ["standby", "stop", "load", "forget"]
    assert leave.steps[1]["votes"] == votes(2, 1, 1), "one of two is enough already"
    first = stated[: stated.index("node {\nring0_addr: 192.0.2.2")] + "}\nquorum {\nprovider: corosync_votequorum\ntwo_node: 1\n}\n"
    join = what_if.join(seen(1, 1, conf=first), "n2", scheduler(1, 1, ("n1", "n1")))
    assert [one["step"] for one in join.steps] == ["install", "load", "start"]


def test_who_is_on_no_list_leaves_without_two_node() -> None:
    answer = what_if.leave(seen(2, 3, conf=LISTED + VOTEQUORUM % ""), "n3", 1, scheduler(2, 3))
    assert [one["step"] for one in answer.steps] == ["forget", "forget"]


def test_a_member_that_is_away_comes_back_with_its_own_votes() -> None:
    answer = what_if.join(seen(2, 2, conf=LISTED, votes=COUNTED), "n1", scheduler(1, 2, ("n2", "n2")))
    assert answer.reason == "in_use"
    away = COUNTED.replace(" 1 1 n1\n", "")

    def without_n1(one: ET.Element) -> str:
        return scheduler(2, 2)(one).replace('id="1" online="true"', 'id="1" online="false"')

    back = what_if.join(what_if.observed(cib(2), LISTED, away, without_n1), "n1", without_n1)
    assert outline(back) == [("load@n2", votes(3, 2, 1)), ("start@n1", votes(3, 3, 1)), ("load@n2", votes(3, 3, 2))]


COUNTED = "Quorate: Yes\nExpected votes: 3\nTotal votes: 3\nQuorum: 2\nMembership information\n 1 1 n1\n 2 2 n2\n"


def test_a_join_is_refused_for_the_weightier_reason() -> None:
    assert what_if.join(seen(2, 2, have_quorum="0"), "n3", scheduler(2, 2)).reason == "not_quorate"


@pytest.mark.parametrize("lacking", ["cib", "conf"])
def test_what_was_not_read_is_told(lacking: str) -> None:
    status = dataclasses.replace(seen(3, 3), **{lacking: None})
    with pytest.raises(StatusError, match="^no .* was read$"):
        what_if.leave(status, "n1", 1, scheduler(3, 3))


@pytest.mark.parametrize(
    ("total", "reason", "then", "survives"),
    [(3, None, votes(3, 2, 2), 0), (5, None, votes(5, 4, 3), 1), (2, "quorum", votes(2, 1, 2, quorate=False), 0)],
)
def test_a_loss_is_survived_where_the_others_have_quorum(total: int, reason: str | None, then: dict[str, Any], survives: int) -> None:
    answer = what_if.lose(seen(total, total), "n1", scheduler(total, total))
    assert (answer.allowed, answer.reason, answer.votes, answer.survives) == (reason is None, reason, then, survives)
    assert outline(answer) == [("lose n1@n1", then)] and answer.steps[0]["words"] == "lose n1"


def test_a_loss_that_leaves_a_service_nowhere_is_not_survived() -> None:
    answer = what_if.lose(seen(3, 3), "n1", scheduler(3, 3, ("n1", "")))
    assert (answer.reason, answer.message) == ("no_place", "n1 must not be lost: ledger would run nowhere.")


def by_loss(before: str, after: str) -> what_if.Scheduler:
    """One that sees these resources run in the CIB as it is, and after the loss of n1 has those."""

    def ask(cib: ET.Element) -> str:
        lost = cib.find("status/node_state[@uname='n1'][@crmd='offline']") is not None
        told = f"<nodes>{NODES}</nodes><resources>{after if lost else before}</resources>"
        return f"<pacemaker-result><cluster_status>{told}</cluster_status><revised_cluster_status>{told}</revised_cluster_status></pacemaker-result>"

    return ask


NODES = "".join(f'<node name="n{number}" id="{number}" online="true" type="member"/>' for number in (1, 2, 3))
ACTIVE = '<resource id="a" role="%s" active="true" managed="true"><node name="%s"/></resource>'
LOSSES = {
    "it runs elsewhere": (ACTIVE % ("Started", "n1"), ACTIVE % ("Started", "n2"), None, ""),
    "it runs nowhere, and what runs after the loss does not tell that it did": (ACTIVE % ("Started", "n1"), "", "no_place", "a would run nowhere"),
    "nobody can fence the node, so it starts nowhere else": (
        ACTIVE % ("Started", "n1"), ACTIVE % ("Started", "n1"), "no_place", "a would run nowhere",
    ),
    "no copy is promoted any more": (
        ACTIVE % ("Promoted", "n1") + ACTIVE % ("Unpromoted", "n2"), ACTIVE % ("Unpromoted", "n2"), "no_place", "no copy of a would be promoted",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("before", "after", "reason", "why"), LOSSES.values(), ids=LOSSES.keys())
def test_what_ran_on_the_lost_node_counts(before: str, after: str, reason: str | None, why: str) -> None:
    state = '<node_state id="1" uname="n1" in_ccm="true" crmd="online"/>'
    told = cib(3).replace("<status/>", f"<status>{state}</status>").replace("<status></status>", f"<status>{state}</status>")
    assert state in told
    status = what_if.observed(told, None, None, by_loss(before, after))
    answer = what_if.lose(status, "n1", by_loss(before, after))
    assert (answer.reason, why in answer.message) == (reason, True)


def test_the_steps_of_a_join() -> None:
    second = what_if.join(seen(1, 1), "n2", scheduler(1, 1, ("n1", "n1")))
    assert outline(second) == [
        ("install@n2", votes(1, 1, 1)), ("load@n1", votes(2, 1, 1)), ("start@n2", votes(2, 2, 1)), ("load@n1", votes(2, 2, 2)),
    ]  # fmt: skip
    third = what_if.join(seen(2, 2), "n3", scheduler(2, 2, ("n1", "n1")))
    assert outline(third) == [
        ("install@n3", votes(2, 2, 2)), ("write@n1", votes(2, 2, 2)), ("load@n2", votes(3, 2, 2)), ("start@n3", votes(3, 3, 2)),
    ]  # fmt: skip
    assert (third.allowed, third.message, third.survives) == (True, "n3 may join.", 1)


def test_a_join_that_would_cost_the_quorum_and_one_of_a_member_are_refused() -> None:
    costly = what_if.join(seen(2, 3), "n4", scheduler(2, 3))
    assert (costly.reason, costly.steps) == ("quorum", ()) and "with it 4 are expected and 3 needed" in costly.message
    assert what_if.join(seen(2, 2), "n2", scheduler(2, 2)).reason == "in_use"


def test_a_join_where_one_address_is_too_few_is_refused() -> None:
    entries = "".join(f"node {{\nring0_addr: 192.0.2.{n}\nring1_addr: 198.51.100.{n}\nname: n{n}\nnodeid: {n}\n}}\n" for n in (1, 2))
    answer = what_if.join(seen(2, 2, conf="nodelist {\n" + entries + "}\n" + VOTEQUORUM % ""), "n3", scheduler(2, 2))
    assert (answer.reason, answer.steps) == ("join_refused", ())
    assert answer.message.startswith("n3 did not join: in its corosync.conf its nodes have the links 0, 1;")


def test_a_move_goes_where_the_scheduler_takes_it() -> None:
    answer = what_if.move(seen(2, 2), "ledger", None, scheduler(2, 2))
    assert (answer.allowed, answer.message) == (True, "ledger may move from n1 to n2.")
    assert outline(answer) == [("stop service ledger@n1", votes(2, 2, 2)), ("start service ledger@n2", votes(2, 2, 2))]
    banned = what_if.move(seen(3, 3), "ledger", None, scheduler(3, 3, ("n1", "n1")))
    assert (banned.reason, banned.steps) == ("no_place", ()) and banned.message.startswith("No other node can take ledger: n2: Pacemaker")
    named = what_if.move(seen(3, 3), "ledger", "n3", scheduler(3, 3, ("n1", "n1")))
    assert named.message.startswith("ledger can't move to n3: Pacemaker would not run ledger there")
    there = what_if.move(seen(2, 2), "ledger", "n1", scheduler(2, 2))
    assert (there.allowed, there.message, there.steps) == (True, "ledger is on n1.", ())
    assert what_if.move(seen(2, 2), "mail", None, scheduler(2, 2)).reason == "not_found"


VOTEQUORUM = "quorum {\nprovider: corosync_votequorum\n%s}\n"


def listed(count: int) -> str:
    return "nodelist {\n%s}\n" % "".join(f"node {{\nring0_addr: 192.0.2.{n}\nname: n{n}\nnodeid: {n}\n}}\n" for n in range(1, count + 1))


def test_a_loss_is_not_judged_where_corosync_reckons_otherwise() -> None:
    status = seen(4, 4, listed(4) + VOTEQUORUM % "auto_tie_breaker: 1\n")
    answer = what_if.answer(status, "lose", "n4", scheduler(3, 4))
    assert (answer.allowed, answer.reason) == (False, "quorum")
    assert answer.message.startswith("What the loss of n4 would do can't be told: its corosync.conf has auto_tie_breaker, ")
    assert what_if.answer(seen(4, 4, listed(4) + VOTEQUORUM % ""), "lose", "n4", scheduler(3, 4)).reason is None


@pytest.mark.parametrize("quorum", ["", "quorum {\n}\n", "quorum {\nprovider: other\n}\n"])
def test_a_cluster_in_which_nobody_counts_votes_is_refused(quorum: str) -> None:
    with pytest.raises(StatusError, match="names no quorum provider corosync_votequorum, so that nobody counts votes"):
        seen(2, 2, listed(2) + quorum)
    assert seen(2, 2, listed(2) + quorum, votes=COUNTED).quorate, "where Corosync's own count was saved somebody did"
