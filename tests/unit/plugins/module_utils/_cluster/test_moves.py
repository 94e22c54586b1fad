# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""Moves as values: which are allowed and whereto, the wish with its end, the report; and reading what Pacemaker shows."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import pytest
from ansible_collections.ondemand.cluster.plugins.module_utils._cluster.cib import parse_cib
from ansible_collections.ondemand.cluster.plugins.module_utils._cluster.cib_push import verify_sentence
from ansible_collections.ondemand.cluster.plugins.module_utils._cluster.move_rules import Move, plan_move
from ansible_collections.ondemand.cluster.plugins.module_utils._cluster.moves import build_wish, parse_report, stale_wishes
from ansible_collections.ondemand.cluster.plugins.module_utils._cluster.settle import parse_copies, parse_failures, why_not_settled
from ansible_collections.ondemand.cluster.plugins.module_utils._cluster.status import Member, Resource, Service, Status, Votes
from ansible_collections.ondemand.cluster.plugins.module_utils._contract.refusal import Refusal

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
        (status(LEDGER, quorate=False), ("ledger", None), "not_quorate", "quorate"),
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


def test_the_wish_is_for_one_node_and_ends_after_the_deadline() -> None:
    wish = ElementTree.fromstring(build_wish("ledger", "n2", NOON, 120))
    rule = wish.find("rule")
    assert rule is not None
    assert (wish.get("id"), wish.get("rsc"), rule.get("score"), rule.get("boolean-op")) == (
        "ondemand-move-ledger",
        "ledger",
        "INFINITY",
        "and",
    )
    assert [(e.get("attribute"), e.get("operation"), e.get("value")) for e in rule.findall("expression")] == [("#uname", "eq", "n2")]
    assert [(e.get("operation"), e.get("end")) for e in rule.findall("date_expression")] == [("lt", "2026-11-23 12:02:30Z")]


def test_wishes_that_nobody_needs_are_own_ones_and_expired_ones() -> None:
    other = build_wish("mail", "n2", NOON, 120)
    cib = parse_cib(
        "<cib><configuration><constraints>%s%s%s%s</constraints></configuration></cib>"
        % (
            build_wish("ledger", "n2", NOON, 120),
            other,
            '<rsc_location id="ondemand-move-x" rsc="x" node="n1"/>',
            '<rsc_location id="cli-prefer-x" rsc="x"/>',
        )
    )
    assert stale_wishes(cib, "ledger", NOON) == ["ondemand-move-ledger"]
    assert stale_wishes(cib, "web", NOON + 149) == []
    assert stale_wishes(cib, "web", NOON + 151) == ["ondemand-move-ledger", "ondemand-move-mail"]


def test_the_report_tells_times_of_the_controllers_clock() -> None:
    report = parse_report("stopped_at 100.5\nstarted_at 101.25\non n2 n2 n2 \noutcome moved\nclock 102.0\n", now=1000.0)
    assert (report.outcome, report.stopped_at, report.started_at, report.back_at) == ("moved", 998.5, 999.25, None)
    assert (report.nodes, report.failure, report.constraint_left) == (("n2",), None, False)


def test_the_report_tells_what_failed_and_what_was_left() -> None:
    line = '<failure op_key="my_app_start_0" node="n2" exitstatus="error" exitreason="port 80 is taken" exitcode="1"/>'
    report = parse_report("failure %s\nconstraint left\noutcome start_failed\nclock 1\n" % line, now=1.0)
    assert (report.failure, report.constraint_left, report.nodes) == ("start of my_app: port 80 is taken", True, ())
    assert parse_report("stopped_at 1\n", now=2.0).outcome == "cut_off"


SEEN = """<pacemaker-result><resources>
<group id="ledger"><resource id="data" role="Started" managed="true" failed="false"><node name="n1"/></resource>
<resource id="app" role="Stopped" managed="true" failed="false"/></group>
<clone id="web-clone"><resource id="web" role="Started" managed="true" failed="false"><node name="n1"/></resource>
<resource id="web" role="Starting" managed="true" failed="false" pending="Starting"><node name="n2"/></resource></clone>
<resource id="off" role="Stopped" target_role="Stopped" managed="true" failed="false"/>
<resource id="hands-off" role="Stopped" managed="false" failed="false"/>
<resource id="sick" role="Started" managed="true" failed="true"><node name="n1"/></resource>
</resources><failures>
<failure op_key="app_start_0" node="n1" exitstatus="not installed" exitreason="no such unit" exitcode="5"/>
<failure op_key="sick_monitor_10000" node="n1" exitstatus="not running" exitreason="" exitcode="7"/>
</failures></pacemaker-result>"""


def test_what_pacemaker_shows_is_read() -> None:
    copies = {(one.resource, one.node): (one.up, one.excused) for one in parse_copies(SEEN)}
    assert copies == {
        ("data", "n1"): (True, False),
        ("app", None): (False, False),
        ("web", "n1"): (True, False),
        ("web", "n2"): (False, False),
        ("off", None): (False, True),
        ("hands-off", None): (False, True),
        ("sick", "n1"): (False, False),
    }
    assert [(one["resource"], one["operation"], one["node"], one["because"]) for one in parse_failures(SEEN)] == [
        ("app", "start", "n1", "no such unit"),
        ("sick", "monitor", "n1", "not running"),
    ]


@pytest.mark.parametrize(
    "named, said",
    [
        (["data", "web", "off", "hands-off"], None),
        (["ledger", "nobody"], None),
        (["app"], "app is not running (start of app on n1: no such unit)"),
        (["app", "sick"], "app, sick are not running (start of app on n1: no such unit; monitor of sick on n1: not running)"),
    ],
)
def test_only_named_resources_that_nobody_stopped_must_run(named: list[str], said: str | None) -> None:
    assert why_not_settled(SEEN, named) == said


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
