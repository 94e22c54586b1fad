# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""Moves as values: which are allowed and whereto, the wish with its end, and the report."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.ondemand.cluster.plugins.module_utils._contract.refusal import Refusal
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.cib import parse_cib
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.cib_push import verify_sentence
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.move_rules import Move, plan_move
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.moves import (
    MOVE,
    MoveReport,
    build_wish,
    parse_report,
    stale_wishes,
)
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.status import Member, Resource, Service, Status, Votes

NOON = 1795435200.0  # 2026-11-23 12:00:00 UTC


def member(number: int, **more: Any) -> Member:
    known = {"online": True, "standby": False, "pending": False, "unclean": False, "listed": True, "votes": True}
    return Member(name=f"n{number}", id=number, address=f"10.0.0.{number}", **{**known, **more})


def service(name: str, *nodes: str, kind: str = "group", role: str = "Started") -> Service:
    return Service(name, kind, tuple(Resource(f"{name}-{part}", "ocf:x:y", nodes, role, "", False) for part in ("data", "app")))


def status(*services: Service, members: tuple[Member, ...] = (member(1), member(2), member(3)), quorate: bool = True) -> Status:
    votes = Votes(3, 3, 2, (1, 2, 3), False)
    return Status("c", quorate, "n1", True, votes, members, services, (), ())


LEDGER = service("ledger", "n1")


def test_a_move_names_all_resources_of_the_service() -> None:
    assert plan_move(status(LEDGER), "ledger", "n2") == Move("ledger", ("ledger-data", "ledger-app"), "n1", "n2")


def test_the_default_is_the_emptiest_other_node_and_among_equals_the_oldest() -> None:
    assert plan_move(status(LEDGER), "ledger", None) == Move("ledger", ("ledger-data", "ledger-app"), "n1", "n2")
    found = plan_move(status(LEDGER, service("mail", "n2"), service("web-clone", "n3", kind="clone")), "ledger", None)
    assert isinstance(found, Move) and found.target == "n3", "a clone is no movable service"
    away = status(LEDGER, members=(member(1), member(2, standby=True), member(3)))
    found = plan_move(away, "ledger", None)
    assert isinstance(found, Move) and found.target == "n3"


def test_a_node_that_leaves_next_is_no_default() -> None:
    found = plan_move(status(LEDGER), "ledger", None, avoid=["n2"])
    assert isinstance(found, Move) and found.target == "n3"
    found = plan_move(status(LEDGER), "ledger", "n2", avoid=["n2"])
    assert isinstance(found, Move) and found.target == "n2", "who names a node means it"
    refused = plan_move(status(LEDGER), "ledger", None, avoid=["n2", "n3"])
    assert isinstance(refused, Refusal) and refused.reason == "last_node" and "n2 is to be avoided" in refused.sentence


def test_a_service_that_is_there_already_stays_even_if_others_could_not_take_it() -> None:
    alone = status(LEDGER, members=(member(1), member(2, online=False)))
    assert plan_move(alone, "ledger", "n1") == Move("ledger", ("ledger-data", "ledger-app"), "n1", "n1")


@pytest.mark.parametrize(
    "seen, wanted, reason, said",
    [
        (status(LEDGER), ("mail", None), "not_found", "ledger"),
        (status(service("web-clone", "n1", kind="clone")), ("web-clone", None), "bad_input", "every node"),
        (status(Service("a b", "primitive", (Resource("a b", "x", ("n1",), "Started", "", False),))), ("a b", None), "bad_input", "a b"),
        (status(LEDGER, quorate=False), ("ledger", None), "not_quorate", "no quorum"),
        (status(service("ledger", role="Stopped")), ("ledger", None), "unstable", "stopped"),
        (status(service("ledger", "n1", "n2")), ("ledger", None), "unstable", "n1, n2"),
        (status(LEDGER), ("ledger", "n9"), "not_found", "n1, n2, n3"),
        (status(LEDGER, members=(member(1), member(2, online=False))), ("ledger", "n2"), "unstable", "offline"),
        (status(LEDGER, members=(member(1), member(2, unclean=True))), ("ledger", "n2"), "unstable", "unclean"),
        (status(LEDGER, members=(member(1), member(2, standby=True))), ("ledger", "n2"), "unstable", "standby"),
        (status(LEDGER, members=(member(1), member(2, pending=True))), ("ledger", None), "last_node", "n2 is only just joining"),
        (status(LEDGER, members=(member(1),)), ("ledger", None), "last_node", "n1 is the only one"),
    ],
)
def test_a_move_that_cannot_be_is_refused_with_a_sentence(seen: Status, wanted: tuple[str, str | None], reason: str, said: str) -> None:
    refusal = plan_move(seen, *wanted)
    assert isinstance(refusal, Refusal)
    assert refusal.reason == reason
    assert said in refusal.sentence


def test_the_wish_is_for_one_node_and_ends_after_the_deadline_and_its_grace() -> None:
    assert build_wish("ledger", "n2", NOON + 0.9, 120) == (
        '<rsc_location id="ondemand-move-ledger" rsc="ledger">'
        '<rule id="ondemand-move-ledger-rule" score="INFINITY" boolean-op="and">'
        '<expression id="ondemand-move-ledger-node" attribute="#uname" operation="eq" value="n2" />'
        '<date_expression id="ondemand-move-ledger-until" operation="lt" end="2026-11-23 12:02:30Z" />'
        "</rule></rsc_location>"
    )


def until(one: str, *ends: str) -> str:
    """A constraint with so many ends."""
    dates = "".join(f'<date_expression id="{one}-{i}" operation="lt" end="{end}"/>' for i, end in enumerate(ends))
    return f'<rsc_location id="{one}" rsc="x"><rule id="{one}-rule" score="INFINITY">{dates}</rule></rsc_location>'


BEFORE, AFTER = "2026-11-23 11:59:59Z", "2026-11-23 12:00:01Z"

# Is a wish, which is not the asked service's own, needed no more at noon?
WISHES = {
    "one that has ended": (until("ondemand-move-mail", BEFORE), True),
    "one that ends this second": (until("ondemand-move-mail", "2026-11-23 12:00:00Z"), True),
    "one that goes on": (until("ondemand-move-mail", AFTER), False),
    "one of which a part goes on": (until("ondemand-move-mail", BEFORE, AFTER), False),
    "one that ends nowhere": (until("ondemand-move-mail"), False),
    "one whose end can't be read": (until("ondemand-move-mail", "tomorrow"), False),
    "one of another hand's, ended or not": (until("cli-prefer-mail", BEFORE), False),
    "the service's own, ended or not": (until("ondemand-move-ledger", AFTER), True),
}


@pytest.mark.parametrize("wish, is_stale", WISHES.values(), ids=WISHES.keys())
def test_a_wish_that_nobody_needs_is_the_service_s_own_or_has_ended(wish: str, is_stale: bool) -> None:
    cib = parse_cib("<cib><configuration><constraints>%s</constraints></configuration></cib>" % wish)
    found = [one.get("id") for one in cib.iter("rsc_location") if is_stale]
    assert stale_wishes(cib, "ledger", NOON) == found


def test_a_wish_is_found_again_by_its_own_end() -> None:
    cib = parse_cib("<cib><configuration><constraints>%s</constraints></configuration></cib>" % build_wish("mail", "n2", NOON, 120))
    assert stale_wishes(cib, "web", NOON + 149) == []
    assert stale_wishes(cib, "web", NOON + 151) == ["ondemand-move-mail"]


def test_the_report_tells_times_of_the_controllers_clock() -> None:
    said = "stopped_at 100.5004\nstarted_at 101.25\nback_at 101.5\non n2 n1 n2 \noutcome moved\nclock 102.0\n"
    assert parse_report(said, now=1000.0) == MoveReport("moved", 998.5, 999.25, 999.5, ("n1", "n2"), None, False)


def test_a_report_that_was_cut_off_says_nothing_else() -> None:
    assert parse_report("stopped_at 1\n", now=2.0) == MoveReport("cut_off", None, None, None, (), None, False)


FAILED = {
    "what the agent said": (
        'op_key="my_app_start_0" exitstatus="error" exitreason="port 80 is taken"',
        "start of my_app: port 80 is taken",
    ),
    "what Pacemaker makes of it": ('op_key="app_start_0" exitstatus="not installed" exitreason=""', "start of app: not installed"),
    "nothing": ('op_key="app_monitor_10000"', "monitor of app: no reason was given"),
    "of a live migration": ('op_key="my_vm_migrate_to_0" exitstatus="error"', "migrate_to of my_vm: error"),
}


@pytest.mark.parametrize("said, told", FAILED.values(), ids=FAILED.keys())
def test_the_report_tells_what_failed_and_what_was_left(said: str, told: str) -> None:
    report = parse_report(f'failure <failure {said} node="n2"/>\nconstraint left\noutcome start_failed\nclock 1\n', now=1.0)
    assert report == MoveReport("start_failed", None, None, None, (), told, True)


def test_a_failure_that_cannot_be_read_is_told_as_it_came() -> None:
    assert parse_report("failure <failure op_key=\n", now=1.0).failure == "<failure op_key="


@pytest.mark.parametrize(
    "failed, is_ours",
    [
        ('op_key="vm_start_0" node="n2"', True),
        ('op_key="vm_migrate_from_0" node="n2"', True),
        ('op_key="vm_start_0" node="n1"', False),
        ('op_key="vm_old_start_0" node="n2"', False),
        ('op_key="my-vm_start_0" node="n2"', False),
    ],
)
def test_a_move_looks_at_failures_of_its_own_resources_on_its_target(failed: str, is_ours: bool, tmp_path: Path) -> None:
    line = f'<failure {failed} exitstatus="error"/>\n'
    (tmp_path / "seen").write_text(line)
    function = MOVE[MOVE.index("failure() {") : MOVE.index("until_idle() {")]
    command = ["/bin/sh", "-c", f"d=$1 to=n2 resources='data vm'\n{function}\nfailure", "sh", str(tmp_path)]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == (line if is_ours else "")


def test_only_what_is_new_is_told_of_pacemakers_check() -> None:
    said = (
        "wanted: (unpack) \terror: Resource start-up disabled\n"
        'wanted: /tmp/x/wanted:11: element rsc_location: validity error : IDREF attribute rsc references an unknown ID "nope"\n'
        "original: (unpack) \terror: Resource start-up disabled\n"
    )
    sentence = verify_sentence(said)
    assert 'unknown ID "nope"' in sentence
    assert "start-up" not in sentence
    assert "/tmp" not in sentence


@pytest.mark.parametrize("clock", ["", "clock\n", "clock 12.%N\n", "clock soon\n"])
def test_a_clock_that_cannot_be_read_gives_no_times_and_no_traceback(clock: str) -> None:
    report = parse_report("stopped_at 100.5\nstarted_at x\non n2 \noutcome moved\n" + clock, now=1000.0)
    assert (report.outcome, report.stopped_at, report.started_at, report.nodes) == ("moved", None, None, ("n2",))
