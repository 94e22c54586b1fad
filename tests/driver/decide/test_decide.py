# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""What must hold for every history of samples, however broken. The single cases are in tests/scenarios."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ondemand.decide.decide import decide
from ondemand.decide.memory import Memory, pause_s, remember
from ondemand.model import Kind, Outcome, Signal, Step, StepKind
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
        assert decision.kind is not Kind.HOLD or before in (None, after.wanted)
        if before is not None and LEAST <= before <= MOST:
            assert LEAST <= (after.wanted or 0) <= MOST
            if (after.wanted or 0) < before:
                assert sample is not None
                value, age, covered = sample
                assert math.isfinite(value)
                assert 0 <= value < 6
                assert -1 <= age <= 8
                assert count != before or set(seen.members) <= covered
        memory = after


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
