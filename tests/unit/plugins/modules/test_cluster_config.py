# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""cluster_config: what is refused before anything is pushed, what check mode tells, who else writes. On real clusters: tests/cluster/test_config.py."""

from __future__ import annotations

import dataclasses
import importlib

import pytest
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.cib_push import CHANGED_MEANWHILE, INVALID
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.membership_scripts import sections

from tests.unit.playbooks.wall_stage import record

from .a_task import run

CIB = sections(record())["cib"][1]
READ = {"cibadmin --query": (0, CIB, "")}
WANTED = {"config": {"properties": {"maintenance-mode": "true"}}, "members": ["cell-n1"]}
THERE = {"cell-n1": record()}


OPTIONS = '<cluster_options maintenance-mode="%s"/>'
EFFECT = '<effect><crm_config><cluster_property_set id="s"><nvpair id="m" name="maintenance-mode" value="%s"/></cluster_property_set></crm_config>%s</effect>'
BROUGHT = {"crm_verify": (0, EFFECT % ("true", OPTIONS % "true"), ""), **READ}


def pushes(door: object) -> list[str]:
    """The scripts that change the CIB, or try whether they might."""
    return [said for _host, said, _read in door.acts if "crm_verify" in said]  # type: ignore[attr-defined]


def test_all_problems_of_a_configuration_are_told_at_once_and_nobody_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    told, door = run(monkeypatch, "cluster_config", {"config": {"propertys": {}, "constraints": 5, "unless_set": {"odd": {}}}}, THERE)
    assert told["refusal"]["reason"] == "bad_input" and len(told["problems"]) >= 2
    assert all(one["path"] and one["should_be"] for one in told["problems"]) and door.acts == []


def test_what_is_wanted_is_told_by_check_mode_as_it_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    foretold, tried = run(monkeypatch, "cluster_config", WANTED, THERE, READ, check=True)
    told, door = run(monkeypatch, "cluster_config", WANTED, THERE, BROUGHT)
    assert told["changed"] and foretold["changed"] and told["diff"] == foretold["diff"] and "maintenance-mode" in told["diff"]["after"]
    (dry,), (real,) = pushes(tried), pushes(door)
    assert dry.split(" sh ")[-1].startswith("check ") and " push " in real.split(" sh ")[-1]


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (EFFECT % ("true", OPTIONS % "false"), "Pacemaker goes by maintenance-mode=false and not by true"),
        (EFFECT % ("false", OPTIONS % "false"), "maintenance-mode is false and not true (somebody else wrote it)"),
        ("<effect><rsc_defaults/></effect>", "maintenance-mode is gone and not true"),
        ("", "what came of it is not known"),
    ],
)
def test_a_value_that_is_written_and_does_not_count_is_told(said: str, why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    told, door = run(monkeypatch, "cluster_config", WANTED, THERE, {**BROUGHT, "crm_verify": (0, said, "")})
    assert (told["failed"], told["changed"], len(pushes(door))) == (True, True, 1) and why in told["msg"]


def test_only_where_values_change_they_are_read_back(monkeypatch: pytest.MonkeyPatch) -> None:
    resource = {"resources": [{"id": "agent", "agent": "ocf:pacemaker:Dummy"}]}
    told, door = run(monkeypatch, "cluster_config", {"config": resource, "members": ["cell-n1"]}, THERE, READ)
    assert told["changed"] and not pushes(door)[0].endswith(" values")
    assert pushes(run(monkeypatch, "cluster_config", WANTED, THERE, BROUGHT)[1])[0].endswith(" values")


def test_an_exception_that_a_rule_makes_of_a_stated_default_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    rule = '<rule id="r" score="INFINITY"><date_expression id="d" operation="gt" start="2001-01-01"/></rule>'
    sets = f'<meta_attributes id="night" score="9">{rule}<nvpair id="n" name="priority" value="5"/></meta_attributes>'
    said = {
        "crm_verify": (
            0,
            '<effect><rsc_defaults><meta_attributes><nvpair name="priority" value="1"/></meta_attributes></rsc_defaults></effect>',
            "",
        )
    }
    cib = CIB.replace("<rsc_defaults>", "<rsc_defaults>" + sets, 1)
    assert "night" in cib
    wanted = {"config": {"resource_defaults": {"priority": 1}}, "members": ["cell-n1"]}
    told, _door = run(monkeypatch, "cluster_config", wanted, THERE, {**said, "cibadmin --query": (0, cib, "")})
    assert told["changed"] and len(told["warnings"]) == 1 and "the set night (score 9, rule r) has 5" in told["warnings"][0]


def test_what_is_there_already_is_not_pushed(monkeypatch: pytest.MonkeyPatch) -> None:
    told, door = run(monkeypatch, "cluster_config", {"config": {}, "members": ["cell-n1"]}, THERE, READ)
    assert told["changed"] is False and pushes(door) == []


@pytest.mark.parametrize(
    ("code", "reason", "tries"), [(INVALID, "bad_input", 1), (CHANGED_MEANWHILE, "unstable", 6)], ids=["not valid", "somebody else writes"]
)
def test_what_does_not_get_into_the_cib_is_refused(code: int, reason: str, tries: int, monkeypatch: pytest.MonkeyPatch) -> None:
    told, door = run(monkeypatch, "cluster_config", WANTED, THERE, {"crm_verify": (code, "", ""), **READ})
    assert (told["failed"], told["refusal"]["reason"], told["changed"]) == (True, reason, False)
    assert len(pushes(door)) == tries


def test_where_nobody_is_reached_that_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    told, _door = run(monkeypatch, "cluster_config", WANTED)
    assert told["refusal"]["reason"] == "host_unreachable" and "cell-n1" in told["msg"]


OURS = (
    '<group id="note"><meta_attributes id="m"><nvpair id="m-s" name="ondemand-service" value="note"/></meta_attributes>'
    '<primitive id="note-app" class="ocf" provider="pacemaker" type="Dummy"/></group></resources>'
)
WHOLE = {"config": {}, "mode": "whole", "members": ["cell-n1"]}
STANDS = """<pacemaker-result><resources><resource id="note-app" role="%s" managed="true" failed="false">%s</resource></resources></pacemaker-result>"""
STOPPED, STARTED = STANDS % ("Stopped", ""), STANDS % ("Started", '<node name="cell-n1"/>')


def with_ours(
    monkeypatch: pytest.MonkeyPatch, stands: str, verify: tuple[int, str, str] = (0, "", ""), **more: object
) -> tuple[dict, object]:
    """A run on a cluster with a service of ours that is not named, and what the door saw."""
    # The first that fits counts: the guard of every change reads the CIB too.
    said = {"crm_verify": verify, "begin ": (0, stands, ""), "cibadmin --query": (0, CIB.replace("</resources>", OURS, 1), "")}
    return run(monkeypatch, "cluster_config", {**WHOLE, **more}, THERE, said)


def test_what_is_named_no_longer_is_stopped_waited_for_and_then_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    told, door = with_ours(monkeypatch, STOPPED)
    assert told["changed"] and not told.get("failed"), told
    order = [what for _host, said, _read in door.acts for what in ("crm_verify", "begin ", "--refresh") if what in said]  # type: ignore[attr-defined]
    assert order == ["crm_verify", "crm_verify", "begin ", "crm_verify", "--refresh"], "tried, told to stop, waited for, removed, forgotten"


def test_what_does_not_stop_is_not_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    told, door = with_ours(monkeypatch, STARTED)
    assert (told["failed"], told["refusal"]["reason"], told["changed"]) == (True, "stop_failed", True)
    assert len([one for one in pushes(door) if " push " in one.split(" sh ")[-1]]) == 1 and "note-app on cell-n1" in told["msg"]


def test_nothing_stops_for_what_pacemaker_would_not_take(monkeypatch: pytest.MonkeyPatch) -> None:
    told, door = with_ours(monkeypatch, STOPPED, verify=(INVALID, "wanted: error: ID x redefined\n", ""))
    assert (told["refusal"]["reason"], told["changed"]) == ("bad_input", False) and "ID x redefined. Nothing was changed" in told["msg"]
    assert [one for one in pushes(door) if " push " in one.split(" sh ")[-1]] == []


def test_what_becomes_a_problem_while_it_stops_is_told_with_what_was_done(monkeypatch: pytest.MonkeyPatch) -> None:
    plans = iter([[], [{"path": "config", "problem": "constraint theirs names note", "should_be": "corrected"}]])
    action = importlib.import_module("ansible_collections.ondemand.cluster.plugins.action.cluster_config")
    real = action.plan_cib
    monkeypatch.setattr(action, "plan_cib", lambda *given: dataclasses.replace(real(*given), problems=tuple(next(plans))))
    told, _door = with_ours(monkeypatch, STOPPED)
    assert (told["refusal"]["reason"], told["changed"]) == ("bad_input", True) and "Something was changed before" in told["msg"]


def test_where_nothing_may_be_removed_nothing_is_touched(monkeypatch: pytest.MonkeyPatch) -> None:
    told, door = with_ours(monkeypatch, STOPPED, remove=False)
    assert (told["refusal"]["reason"], told["changed"], pushes(door)) == ("bad_input", False, [])
    assert "note-app" in told["msg"] and "configure_services" in told["msg"]


STATED = (
    '<crm_config><cluster_property_set id="s"><nvpair id="s.1" name="ondemand-stated" value="properties:stop-orphan-actions"/>'
    '<nvpair id="s.2" name="stop-orphan-actions" value="true"/></cluster_property_set>'
)


@pytest.mark.parametrize("remove", [False, True])
def test_a_value_that_is_named_no_longer_goes_only_where_something_may(remove: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    assert CIB.count("<crm_config>") == 1
    read = {"cibadmin --query": (0, CIB.replace("<crm_config>", STATED), "")}
    asked = {"config": {}, "mode": "whole", "remove": remove, "members": ["cell-n1"]}
    told, door = run(monkeypatch, "cluster_config", asked, THERE, read)
    if remove:
        assert told["changed"] and "stop-orphan-actions" in told["diff"]["before"] and len(pushes(door)) == 1
    else:
        assert (told["refusal"]["reason"], told["changed"], pushes(door)) == ("bad_input", False, [])
        assert "stop-orphan-actions" in told["msg"] and "run configure_services" in told["msg"]
