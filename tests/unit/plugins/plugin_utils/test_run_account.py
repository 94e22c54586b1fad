# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""What a run knows after an event. Every event is tried."""

from __future__ import annotations

import copy

import pytest
from ansible_collections.ondemand.cluster.plugins.plugin_utils import run_account
from ansible_collections.ondemand.cluster.plugins.plugin_utils.run_account import after

from tests.unit.playbooks.a_run import FILE, a_run
from tests.unit.plugins.plugin_utils.run_cases import CHANGES, GROWING, HELD, NEW, REFUSED, SHRINKING, TWO, Data, joined, node, view, vm


@pytest.mark.parametrize(("before", "event", "known"), CHANGES.values(), ids=CHANGES)
def test_after_an_event(before: Data, event: Data, known: Data) -> None:
    held = copy.deepcopy(before)
    run = after(before, event)
    assert {key: run[key] for key in known} == known
    assert before == held, "what the run knew before was changed"


@pytest.mark.parametrize(("before", "event", "reason", "words"), REFUSED.values(), ids=REFUSED)
def test_refused_is(before: Data, event: Data, reason: str, words: str) -> None:
    (refusal,) = after(before, event)["refused"]
    assert refusal["reason"] == reason and words in refusal["sentence"]


OLD: Data = {key: ["of before"] for key in ("draining", "joined", "refusals", "left", "removed", "servers")}
BEGINNINGS: dict[str, tuple[Data, Data, set[str]]] = {
    "who there is to be": (TWO, {"named": {"wanted": 1}}, {"draining"}),
    "growth": (TWO, {"growing": {"wanted": 2, "first": False}}, {"draining", "joined", "refusals"}),
    "shrinkage": (TWO, {"shrinking": {"wanted": 2, "leavers": None}}, {"draining", "left", "removed", "refusals"}),
    "configuration": (TWO, {"configuring": {}}, {"draining", "refusals"}),
    "a drain that is over": (TWO, {"undrained": {}}, {"draining"}),
}


@pytest.mark.parametrize(("before", "event", "forgotten"), BEGINNINGS.values(), ids=BEGINNINGS)
def test_what_begins_anew_forgets_what_was_before(before: Data, event: Data, forgotten: set[str]) -> None:
    run = after({**before, **OLD}, event)
    assert {key: run[key] for key in forgotten} == {key: [] for key in forgotten}


ADDED: dict[str, tuple[Data, str]] = {
    "a member": ({"joined": joined()}, "joined"),
    "a leaver": ({"left": {"node": "n2", "vm": vm("n2"), "leave": {}, "deleted": {"timings": {"deleted_at": 4}}}}, "left"),
    "what a leaver was": ({"left": {"node": "n2", "vm": vm("n2"), "leave": {}, "deleted": {"timings": {"deleted_at": 4}}}}, "removed"),
    "one that is deleted": ({"absent": "n2"}, "absent"),
    "one that did not join": ({"unjoined": {"node": "n3", "join": {}, "failed": HELD}}, "refusals"),
    "one that did not leave": ({"kept": {"node": "n2", "failed": HELD}}, "refusals"),
    "a session that did not end": (
        {"drained": {"balancers": ["n1"], "results": [{}], "at_end": "keep", "deadline_s": 1}},
        "refusals",
    ),
}


@pytest.mark.parametrize(("event", "key"), ADDED.values(), ids=ADDED)
def test_what_is_added_keeps_what_was_before(event: Data, key: str) -> None:
    run = after({**GROWING, "plan": {**GROWING["plan"], **SHRINKING["plan"]}, key: ["of before"]}, event)
    assert run[key][0] == "of before" and len(run[key]) == 2


def test_a_host_that_the_file_names_no_longer_was_not_asked_for_whom_it_carried() -> None:
    run = after(a_run(vms=[vm("n1")]), {"seen": {"cluster": view(node("n1"), node("n2", host="hv9"))}})
    assert [one["host"] for one in run["unreachable"]] == ["hv9"] and run["missed"] == []
    assert run["node_hosts"] == {"n1": "hv1"}
    counted = after(run, {"counted": {}})
    assert counted["unreachable"] == run["unreachable"] and counted["node_hosts"] == {"n1": "hv1"}
    lost = after(run, {"seen": {"cluster": view(node("n1"), node("n2", host="hv9", online=False))}})
    plan = after(lost, {"recovering": {"confirmed": "", "limits": {"min": 1, "max": 3}}})
    assert plan["recovery"]["lost"] == [] and "hv9" in plan["recovery"]["waits"][0]["sentence"]
    told = {"cluster": view(node("n1"), node("n2", host="hv9"))}
    assert after(a_run(vms=[vm("n1")]), {"counting_all": told})["refused"][0]["reason"] == "host_unreachable"
    assert after(a_run(vms=[vm("n1")]), {"counting_all": {"skipped": True}})["refused"] == []


def test_who_joined_in_this_run_may_tell_too_but_nobody_who_was_deleted() -> None:
    made = a_run(vms=[vm("n1", new=True), vm("n2", new=True)], members=["n1"])
    assert made["may_tell"] == ["n1"] and made["running"] == []
    assert a_run(vms=[vm("n1"), NEW], members=["n1", "n3"], absent=["n1"])["may_tell"] == ["n3"]


def test_beside_a_cluster_that_is_there_none_is_created() -> None:
    seen = view(node("n1", online=False), node("n2", pending=True))
    run = after(a_run(vms=[vm("n1")], view=seen), {"growing": {"wanted": 1, "first": True}})
    told = after(run, {"joining": {"node": "n1", "ready": ["n1"], "refusal": None}})
    assert told["refused"][0]["reason"] == "unstable" and "second one" in told["refused"][0]["sentence"]
    alone = after(a_run(vms=[vm("n1")], view=view(node("n1", pending=True))), {"growing": {"wanted": 1, "first": True}})
    begun = after(alone, {"joining": {"node": "n1", "ready": ["n1"], "refusal": None}})
    assert (begun["joins_as"], begun["refused"]) == ("created", []), "its making goes on"
    first = after(a_run(vms=[NEW]), {"growing": {"wanted": 1, "first": True}})
    assert after(first, {"joining": {"node": "n3", "ready": ["n3"], "refusal": None}})["refused"] == []


def test_a_run_begins_with_nothing() -> None:
    empty = {
        key: [] for key in ("vms", "silent", "members", "servers", "draining", "joined", "left", "removed", "absent", "started", "slept")
    }
    run = after({}, {"begun": FILE})
    assert {key: run[key] for key in empty} == empty
    assert (run["plan"], run["refusals"], run["refused"], run["view"]) == ({}, [], [], None)
    assert not run["unheld"], "a cluster that was not seen is nobody's"


def test_every_event_is_tried() -> None:
    tried = {name for _before, event, *_rest in [*CHANGES.values(), *REFUSED.values()] for name in event}
    assert tried | {"shrinking"} == set(run_account.EVENTS)


def test_who_leaves_goes_in_order_and_each_is_told_what_is_done_with_it() -> None:
    nodes = [node(name, services=[name + "-work"]) for name in ("n1", "n2", "n3")]
    run = a_run(vms=[vm("n1"), vm("n2"), vm("n3"), vm("n5")], view=view(*nodes, node("n4", online=False)))
    run = after(run, {"shrinking": {"wanted": "1", "leavers": "n2, n3"}})
    assert [one["name"] for one in run["plan"]["going"]] == ["n4", "n2", "n3", "n5"]
    assert [(one["is_member"], one["has_vm"]) for one in run["plan"]["going"]] == [(True, False), (True, True), (True, True), (False, True)]
    assert run["plan"]["going"][1] == {"name": "n2", "services": ["n2-work"], "is_member": True, "has_vm": True, "avoid": ["n3"]}
    assert run["plan"]["away"] == ["n4"] and run["draining"] == ["n2", "n3"] and sorted(run["servers"]) == ["n1", "n2", "n3"]
    assert (run["left"], run["removed"], run["refusals"]) == ([], [], [])


def test_a_leaver_that_the_cluster_misses_is_away_and_its_vm_is_powered_off() -> None:
    run = a_run(vms=[vm("n1"), vm("n2")], view=view(node("n1"), node("n2", online=False)))
    run = after(run, {"shrinking": {"wanted": 1, "leavers": ["n2"]}})
    assert (run["plan"]["lost"], run["plan"]["away"]) == (["n2"], ["n2"])


def test_who_still_has_sessions_stays_and_does_not_go() -> None:
    busy = {"busy": [{"server": "n2", "service": "web", "sessions": 1, "clients": ["10.0.0.9"]}]}
    told = {"balancers": ["n1", "n2"], "results": [busy, {"busy": []}], "at_end": "keep", "deadline_s": 180}
    run = after(SHRINKING, {"drained": told})
    assert (run["plan"]["leave"], run["plan"]["going"]) == ([], [])
    assert run["busy"][0]["balancer"] == "n1" and run["refusals"][0]["reason"] == "deadline"
    assert [one["name"] for one in after(SHRINKING, {"drained": {**told, "at_end": "cut"}})["plan"]["going"]] == ["n2"]


def test_a_load_balancer_that_told_nothing_keeps_everybody() -> None:
    told = {"balancers": ["n1", "n2"], "results": [{}, {"busy": []}], "at_end": "keep", "deadline_s": 180}
    assert after(SHRINKING, {"drained": told})["plan"]["going"] == []


def test_what_is_deleted_in_a_recovery_is_withheld_no_longer() -> None:
    withheld = [{"name": "n5", "address": "10.0.0.5"}, {"name": "n6", "address": "10.0.0.6"}]
    run = a_run(vms=[vm("n1"), vm("n5"), vm("n7")], view=view(node("n1"), node("n2", online=False), withheld=withheld))
    found = after(run, {"recovering": {"confirmed": [], "limits": {"min": 1, "max": 3}}})["recovery"]
    assert (found["lost"], found["delete"], found["forget"], found["wanted"]) == (["n2"], ["n5", "n7"], ["n5"], 2)


@pytest.mark.parametrize("event", [{}, {"odd": {}}, {"absent": "n1", "gone": "n1"}])
def test_what_is_no_event_raises(event: Data) -> None:
    with pytest.raises(ValueError, match="an event is one of"):
        after(a_run(), event)
