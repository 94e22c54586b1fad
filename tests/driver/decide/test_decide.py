# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""What must hold for every history of samples, however broken. The single cases are in tests/scenarios."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ondemand.decide.decide import decide
from ondemand.memory import Memory, begun, pause_s, remember
from ondemand.model import Cause, ClusterState, Kind, Observation, Outcome, Signal, Step, StepKind, Verdict
from tests.driver.values import cluster, node, observation

CLUSTER = cluster({"scaling": {"scale_out": {"most_at_once": 3}, "scale_in": {"most_at_once": 3}}})
LEAST, MOST = CLUSTER.requirement.nodes.min, CLUSTER.requirement.nodes.max
NAMES = ("shop-n1", "shop-n2", "shop-n3")

values = st.floats(allow_nan=True, allow_infinity=True) | st.sampled_from([0.0, 1.0, 5.9, 6.0, 15.0, 15.1, 1e308, -1.0])
looks = st.lists(
    st.tuples(
        st.floats(min_value=0.1, max_value=60),
        st.none() | st.tuples(values, st.floats(min_value=-100, max_value=100) | st.just(0.0), st.sets(st.sampled_from(NAMES))),
        st.integers(min_value=0, max_value=3),
    ),
    max_size=25,
)


@settings(max_examples=400, deadline=None)
@given(looks, st.none() | st.integers(min_value=-2, max_value=9))
@example([(1.0, (16.0, 0.0, {"shop-n1"}), 1)], 3)
def test_wanted_stays_within_the_limits_and_nothing_shrinks_on_bad_or_partial_data(
    made: list[tuple[float, tuple[float, float, set[str]] | None, int]], wanted: int | None
) -> None:
    memory, now = Memory(wanted=wanted), 1000.0
    for pause, sample, count in made:
        now += pause
        signals = {}
        if sample is not None:
            value, age, covered = sample
            signals["lb.rate_per_node"] = Signal(value, "", now - age, tuple(sorted(covered)))
        seen = observation([node(i + 1) for i in range(count)], at=now, signals=signals)
        before = memory.wanted
        decision, after = decide(seen, CLUSTER.requirement, CLUSTER.scaling, memory, now)
        assert (decision, after) == decide(seen, CLUSTER.requirement, CLUSTER.scaling, memory, now), "same input, same output"
        assert decision.because
        if decision.kind is Kind.HOLD and count:
            between = [one for one in (before, count) if one is not None]
            assert min(between) <= (after.wanted or 0) <= max(between), (
                "a hold keeps the wish, gives up of it what is not asked for, or takes what is there"
            )
        if count or before is not None:
            assert after.wanted is not None
            assert LEAST <= after.wanted <= max(MOST, before or 0)
        if LEAST <= (after.wanted or 0) < count <= MOST:
            assert sample is not None, "fewer than there are: only on a sample of this moment"
            value, age, covered = sample
            assert math.isfinite(value)
            assert 0 <= value < 6
            assert -1 <= age <= 8
            assert set(seen.members) <= covered
        memory = after


def low(at: float, value: float = 1.0, count: int = 2) -> Observation:
    """Nodes of which each serves so many requests."""
    signals = {"lb.rate_per_node": Signal(value, "", at, NAMES[:count])}
    return observation([node(i + 1) for i in range(count)], at=at, signals=signals)


def test_a_policy_that_changed_under_its_name_begins_its_seconds_anew() -> None:
    memory = Memory(wanted=2, cause=Cause.NONE, known=2)
    before, after = (
        cluster({"scaling": {"policies": [{"name": "requests", "signal": "lb.rate_per_node", "above": 15, "below": below}]}}).scaling
        for below in (6, 3)
    )
    for at in (100.0, 106.0, 112.0):
        decision, _ = decide(low(at), CLUSTER.requirement, before if at < 112 else after, memory, at)
        _, memory = decide(low(at), CLUSTER.requirement, before, memory, at)
    assert "is below 3 for 0 s" in decision.because
    assert decide(low(112.0), CLUSTER.requirement, before, memory, 112.0)[0].kind is Kind.SHRINK


def test_a_failed_step_begins_the_windows_anew_and_a_good_move_does_not() -> None:
    memory = Memory(wanted=2, cause=Cause.NONE, known=2)
    for at in (100.0, 106.0, 111.0):
        _, memory = decide(low(at), CLUSTER.requirement, CLUSTER.scaling, memory, at)
    moved, failed, grown = (remember(memory, step, outcome(ok), 111.5) for step, ok in ((MOVE, True), (MOVE, False), (STEP, True)))
    assert (moved.windows, failed.windows, grown.windows) == (memory.windows, {}, {})
    kinds = [decide(low(112.0), CLUSTER.requirement, CLUSTER.scaling, one, 112.0)[0].kind for one in (moved, failed, grown)]
    assert kinds == [Kind.SHRINK, Kind.HOLD, Kind.HOLD]


def test_after_a_step_of_the_drivers_own_another_number_of_nodes_is_nobodys_hand() -> None:
    memory = remember(begun(Memory(wanted=2, cause=Cause.NONE, known=2), LEAVE), LEAVE, outcome(True), 100.0)
    decision, memory = decide(low(101.0, count=1), CLUSTER.requirement, CLUSTER.scaling, memory, 101.0)
    assert (memory.wanted, memory.known) == (2, 1), "a lost node left, and is replaced"
    assert "by hand" not in decision.because
    decision, memory = decide(low(103.0, count=3), CLUSTER.requirement, CLUSTER.scaling, memory, 103.0)
    assert (memory.wanted, memory.grown_at, memory.windows["requests.below.lb.rate_per_node.6"].since) == (3, 103.0, 103.0)
    assert "by hand" in decision.because and memory.because in decision.because


def test_another_number_cause_or_cluster_is_another_wish_and_another_sentence_is_none() -> None:
    wish = Memory(wanted=5, cause=Cause.LOAD, known=2, because="for 4 s")
    assert wish.same_wish(replace(wish, because="for 6 s", asked_at=3.0))
    for other in (replace(wish, wanted=3), replace(wish, cause=Cause.STATED), replace(wish, known=3)):
        assert not wish.same_wish(other)


def test_who_is_away_is_waited_for_from_when_it_was_first_seen_so() -> None:
    memory, seen = Memory(), replace(low(0.0), cluster=ClusterState(True, True, Verdict(True), (node(1), node(2, online=False))))
    for at in (100.0, 150.0):
        _, memory = decide(seen, CLUSTER.requirement, CLUSTER.scaling, memory, at)
    assert memory.waited(160.0) == {"shop-n2": 60.0}
    _, memory = decide(low(170.0), CLUSTER.requirement, CLUSTER.scaling, memory, 170.0)
    assert memory.waited(180.0) == {}


@settings(max_examples=200, deadline=None)
@given(st.lists(st.floats(min_value=6.01, max_value=14.99), min_size=5, max_size=60), st.integers(min_value=1, max_value=3))
def test_noise_between_the_thresholds_changes_nothing(noise: list[float], count: int) -> None:
    memory = Memory(wanted=count)
    nodes = [node(i + 1) for i in range(count)]
    for i, value in enumerate(noise):
        now = 1000.0 + 2 * i
        signals = {"lb.rate_per_node": Signal(value, "", now, NAMES[:count])}
        decision, memory = decide(observation(nodes, at=now, signals=signals), CLUSTER.requirement, CLUSTER.scaling, memory, now)
        assert decision.kind is Kind.HOLD


def outcome(ok: bool) -> Outcome:
    return Outcome(ok, {}, "why", 10.0, 20.0)


STEP = Step(StepKind.OUT, {"wanted": 2}, "why", {"members": 2}, 60.0)
LEAVE = Step(StepKind.IN, {"wanted": 2, "leavers": ["shop-n2"]}, "why", {"gone": ["shop-n2"]}, 60.0)
MOVE = Step(StepKind.MOVE, {"service": "ledger", "to": "shop-n2"}, "why", {"service": "ledger", "node": "shop-n2"}, 60.0)


def test_pauses_double_from_10_s_to_300_s() -> None:
    assert [pause_s(n) for n in range(1, 8)] == [10, 20, 40, 80, 160, 300, 300]
    assert pause_s(10**6) == 300


def test_a_failed_step_leaves_a_pause_and_its_kind_a_good_one_leaves_neither() -> None:
    memory = remember(Memory(wanted=2, unfinished=StepKind.OUT), STEP, outcome(False), 20.0)
    assert (memory.failures, memory.retry_at, memory.unfinished) == (1, 30.0, StepKind.OUT)
    memory = remember(memory, STEP, outcome(True), 50.0)
    assert (memory.failures, memory.retry_at, memory.unfinished, memory.grown_at, memory.shrunk_at) == (0, None, None, 50.0, None)


def test_a_failed_move_is_barred_for_an_hour() -> None:
    memory = remember(Memory(wanted=2), MOVE, outcome(False), 20.0)
    assert memory.barred == {"ledger@shop-n2": 3620.0}
    assert remember(memory, MOVE, outcome(False), 9999.0).barred == {"ledger@shop-n2": 9999.0 + 3600}


@pytest.mark.parametrize(("kind", "grown", "shrunk"), [(StepKind.OUT, 7.0, None), (StepKind.IN, None, 7.0), (StepKind.MOVE, None, None)])
def test_cooldowns_begin_when_the_step_has_ended(kind: StepKind, grown: float | None, shrunk: float | None) -> None:
    memory = remember(Memory(), Step(kind, {}, "", {}, 1.0), outcome(True), 7.0)
    assert (memory.grown_at, memory.shrunk_at) == (grown, shrunk)
