# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""A look with its load: sampled before and after, of the nodes that serve."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from ondemand.model import Observation, Signal
from ondemand.preview import with_load
from tests.driver.values import node, observation, vm


class Reader:
    """A reader that knows a rate from its second sample on, as counters do."""

    def __init__(self) -> None:
        self.asked: list[dict[str, str]] = []

    def read(self, members: Mapping[str, str]) -> tuple[dict[str, Signal], list[str]]:
        self.asked.append(dict(members))
        found = {"lb.rate": Signal(7.0, "requests/s", 1.0, tuple(members))} if len(self.asked) > 1 else {}
        return found, [f"look {len(self.asked)}"]

    def forget(self) -> None:
        raise AssertionError("what was measured is needed")

    def close(self) -> None:
        pass


@pytest.mark.parametrize(("look_s", "waited"), [(0.2, 0.8), (5.0, 0.0)])
def test_the_load_is_sampled_before_and_after_the_look_and_a_second_apart(look_s: float, waited: float) -> None:
    now, waits, reader = [100.0], [], Reader()

    def look() -> Observation:
        assert len(reader.asked) == 1
        now[0] += look_s
        return observation([node(1), node(2, standby=True)], [vm(1), vm(2)])

    seen, problems = with_load(reader, look, lambda: now[0], waits.append)
    assert reader.asked == [{}, {"shop-n1": "10.99.0.20"}]
    assert seen.signals["lb.rate"].value == 7.0
    assert problems == ["look 2"]
    assert waits == [pytest.approx(waited)]
