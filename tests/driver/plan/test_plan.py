# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""Plans are followed step by step in a small model of the world, cut off anywhere: planned anew, the rest leads to the goal."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ondemand.members import fits
from ondemand.model import Node, Observation, Plan, Refusal, Step, StepKind, Verdict
from ondemand.plan import steps
from ondemand.plan.plan import plan
from ondemand.plan.spread import evened, weights
from ondemand.plan.steps import why_not_reached
from tests.driver.values import cluster, node, observation, vm

MOVABLE = [
    {"name": f"s{i}", "kind": "movable", "address": f"10.99.0.{100 + i}", "port": 1, "group": [{"name": f"s{i}-app", "agent": "systemd:x"}]}
    for i in range(4)
]
BALANCED = {"name": "web", "kind": "balanced", "address": "10.99.0.10", "port": 80, "resource": {"agent": "systemd:w", "port": 8080}}
SERVICES = [*MOVABLE, BALANCED]
CLUSTER = cluster({"services": SERVICES, "disks": [], "requirement": {"nodes": {"min": 1, "max": 5}}})


def after(step: Step, seen: Observation, part: int = 9) -> Observation:
    """The world after a step, or after the first `part` of its acts: VM made, joined; moved; left, VM deleted."""
    assert seen.cluster is not None or step.kind is StepKind.CREATE
    nodes = {one.name: one for one in (seen.cluster.nodes if seen.cluster else ())}
    vms = {one.name: one for one in seen.vms}
    acts = 0

    def act() -> bool:
        nonlocal acts
        acts += 1
        return acts <= part

    if step.kind in (StepKind.OUT, StepKind.CREATE):
        for one in list(nodes.values()):
            if one.leaving and act():
                nodes[one.name] = replace(one, standby=False, leaving=False)
        wanted = step.variables.get("wanted", 1)
        number = 1
        while len(vms) < wanted:
            while f"shop-n{number}" in vms or f"shop-n{number}" in nodes:
                number += 1
            if act():
                vms[f"shop-n{number}"] = vm(number)
            else:
                break
        for name in list(vms)[: max(wanted, len(nodes))]:
            if name not in nodes and act():
                nodes[name] = Node(name)
    elif step.kind is StepKind.MOVE:
        if act():
            nodes = {name: _without(one, step.variables["service"]) for name, one in nodes.items()}
            to = step.variables["to"]
            nodes[to] = replace(nodes[to], services=(*nodes[to].services, step.variables["service"]))
    else:
        for name in step.variables["leavers"]:
            if name in nodes and act():
                lost = nodes.pop(name)
                first = next(iter(nodes))
                nodes[first] = replace(nodes[first], services=(*nodes[first].services, *lost.services))
            if act():
                vms.pop(name, None)
    return observation(list(nodes.values()), list(vms.values()), seen.at + 1)


def _without(one: Node, service: str) -> Node:
    return replace(one, services=tuple(each for each in one.services if each != service))


@st.composite
def worlds(draw: st.DrawFn) -> Observation:
    """Any half-done state: members, some of them half gone, and half-made VMs, of the wanted size or another, services anywhere."""
    count = draw(st.integers(min_value=1, max_value=5))
    holder = [draw(st.integers(min_value=0, max_value=count - 1)) for _ in MOVABLE]
    nodes = [node(i + 1, [s["name"] for s, h in zip(MOVABLE, holder, strict=True) if h == i]) for i in range(count)]
    nodes = [replace(one, standby=True, leaving=True) if draw(st.integers(0, 4)) == 0 else one for one in nodes]
    nodes[0] = replace(nodes[0], resources=("web-address",))
    extra = draw(st.integers(min_value=0, max_value=5 - count))
    sizes = [draw(st.sampled_from([640, 640, 512])) for _ in range(count + extra)]
    return observation(nodes, [vm(i + 1, size) for i, size in enumerate(sizes)])


@settings(max_examples=400, deadline=None)
@given(worlds(), st.integers(min_value=1, max_value=4), st.data())
def test_from_any_half_done_state_the_plan_is_the_rest(seen: Observation, wanted: int, data: st.DataObject) -> None:
    cuts = 3
    for _ in range(60):
        found = plan(seen, wanted, CLUSTER)
        assert found == plan(seen, wanted, CLUSTER), "same input, same output"
        assert isinstance(found, Plan), found
        if not found.steps:
            break
        step = found.steps[0]
        names = {one.name for one in seen.vms} | set(seen.members)
        if step.kind is StepKind.OUT:
            assert max(step.variables["wanted"], len(names)) <= CLUSTER.requirement.nodes.max, "never above the most"
        if step.kind is StepKind.IN:
            rest = set(seen.members) - set(step.variables["leavers"])
            assert len(rest) >= min(wanted, len(seen.members)), "never below what is wanted"
        cut = cuts > 0 and data.draw(st.booleans())
        cuts -= cut
        seen = after(step, seen, data.draw(st.integers(min_value=0, max_value=2)) if cut else 9)
        if not cut:
            assert why_not_reached(step, seen) is None
    assert len(seen.members) == wanted
    assert {one.name for one in seen.vms} == set(seen.members) == set(seen.serving)
    assert all(fits(one, CLUSTER.requirement.size) for one in seen.vms)
    assert seen.cluster is not None
    load = weights(seen.cluster.nodes, CLUSTER.services)
    carried = sum(load.values())
    assert carried >= len(MOVABLE)
    assert max(load.values()) - min(load.values()) <= 1


@settings(max_examples=200, deadline=None)
@given(worlds())
def test_moves_are_as_few_as_the_spread_needs(seen: Observation) -> None:
    """Lower bound: a node above the ceiling of the mean must give up the difference, one below the floor must receive it."""
    assert seen.cluster is not None
    seen = replace(seen, cluster=replace(seen.cluster, nodes=tuple(replace(one, standby=False) for one in seen.cluster.nodes)))
    assert seen.cluster is not None
    load = weights(seen.cluster.nodes, CLUSTER.services)
    made = evened(seen.cluster, CLUSTER.services)
    total, count = sum(load.values()), len(load)
    floor, ceiling = total // count, -(-total // count)
    least = max(sum(max(0, one - ceiling) for one in load.values()), sum(max(0, floor - one) for one in load.values()))
    assert len(made) == least


@settings(max_examples=300, deadline=None)
@given(worlds(), st.integers(min_value=1, max_value=5), st.data())
def test_no_vm_of_a_node_that_is_away_goes_before_its_time_and_without_verdict(seen: Observation, wanted: int, data: st.DataObject) -> None:
    assert seen.cluster is not None
    waited, made = {}, []
    for one in seen.cluster.nodes:
        out, seconds, may = data.draw(st.booleans()), data.draw(st.sampled_from([0.0, 119.0, 120.0])), data.draw(st.booleans())
        if out:
            waited[one.name] = seconds
        made.append(replace(one, online=not out, may_leave=Verdict(may, "" if may else "quorum")))
    seen = replace(seen, cluster=replace(seen.cluster, nodes=tuple(made)))
    interrupted = data.draw(st.sampled_from([None, StepKind.OUT, StepKind.IN]))
    found = plan(seen, wanted, CLUSTER, "", interrupted, (), waited)
    for step in found.steps if isinstance(found, Plan) else ():
        leavers = step.variables.get("leavers", ())
        for one in made:
            if one.name in leavers:
                assert one.may_leave.allowed
                assert one.online or waited[one.name] >= 120
        if step.kind is StepKind.IN:
            there = {each.name for each in seen.vms}
            assert step.variables["wanted"] == len(there) - len(there & set(leavers)), "nobody else has to go for that number"
            assert len(made) - len(set(leavers) & {each.name for each in made}) >= min(wanted, len(made))


def test_with_a_host_out_of_sight_whoever_is_in_sight_leaves_unless_somebody_may_run_unseen() -> None:
    seen = observation([node(1), node(2), node(3)], unreachable=["hv2"])
    assert isinstance(plan(seen, 2, CLUSTER), Plan)
    found = plan(observation([node(1), node(2), node(3, online=False)], [vm(1), vm(2)], unreachable=["hv2"]), 1, CLUSTER)
    assert isinstance(found, Refusal)
    assert (found.reason.value, "hv2, which can't be reached" in found.sentence) == ("host_unreachable", True)


def test_members_of_which_no_host_shows_a_vm_are_not_told_to_leave() -> None:
    found = plan(observation([node(1), node(2)], []), 1, CLUSTER)
    assert isinstance(found, Refusal)
    assert found.reason.value == "not_found"


def test_what_is_held_removes_nobody_and_is_told() -> None:
    seen = observation([node(1, ["s0", "s1"]), node(2, ["s2", "s3"], standby=True, leaving=True)])
    assert plan(seen, 1, CLUSTER, held="no sample") == Plan((), "no sample")
    assert isinstance(plan(seen, 1, CLUSTER), Plan) and plan(seen, 1, CLUSTER) != Plan((), "no sample")


@pytest.mark.parametrize("name", ["s0", "s0-app", "s0-address", "web", "web-clone", "haproxy-clone"])
def test_what_is_ours_and_not_started_delays_the_spreading(name: str) -> None:
    crowded = [node(1, ["s0", "s1", "s2", "s3"]), node(2)]
    found = plan(observation(crowded, not_started=("legacy", name)), 2, CLUSTER)
    assert isinstance(found, Plan)
    assert (found.steps, found.because.startswith(f"{name} is not started")) == ((), True)
    others = plan(observation(crowded, not_started=("legacy", "s0-other")), 2, CLUSTER)
    assert isinstance(others, Plan)
    assert [one.kind for one in others.steps] == [StepKind.MOVE, StepKind.MOVE]


def test_a_step_whose_end_is_not_there_did_not_end_well() -> None:
    one = observation([node(1, ["s0"])])
    out = plan(one, 2, CLUSTER)
    assert isinstance(out, Plan)
    assert "1 of 2" in (why_not_reached(out.steps[0], one) or "")
    gone = Step(StepKind.IN, {}, "", {"gone": ["shop-n1"]}, 1.0)
    assert "still there" in (why_not_reached(gone, one) or "")
    moved = Step(StepKind.MOVE, {}, "", {"service": "s0", "node": "shop-n2"}, 1.0)
    assert "runs on shop-n1" in (why_not_reached(moved, one) or "")
    back = steps.scale_out(1, 1, CLUSTER.deadlines, "", ["shop-n1"])
    half = observation([node(1, standby=True, leaving=True)])
    assert "shop-n1 is not taken back" in (why_not_reached(back, half) or "")
    assert why_not_reached(back, one) is None
    assert why_not_reached(replace(moved, expected={"service": "s0", "node": "shop-n1"}), one) is None


def test_more_than_the_most_is_refused_whoever_asks() -> None:
    found = plan(observation([node(1)]), 6, CLUSTER)
    assert isinstance(found, Refusal)
    assert found.reason.value == "maximum"


def test_fewer_than_the_least_is_refused_whoever_asks() -> None:
    found = plan(observation([node(1)]), 0, CLUSTER)
    assert isinstance(found, Refusal)
    assert found.reason.value == "minimum"


def test_deadlines_grow_with_the_number_of_nodes_to_join() -> None:
    one = observation([node(1)], [vm(1)])
    limits = []
    for wanted in (2, 4):
        found = plan(one, wanted, CLUSTER)
        assert isinstance(found, Plan)
        limits.append(found.steps[0].deadline_s)
    assert limits == [300 + 2 * 180 + 120, 300 + 2 * 3 * 180 + 120]
