# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""What observe hands back, as frozen values."""

from __future__ import annotations

from typing import Any

import pytest

from ondemand.errors import ObserveError
from ondemand.observe.facts import observation

STATE = {"online": True, "standby": True, "pending": False, "unclean": False, "services": [], "resources": []}
NODE: dict[str, Any] = {"name": "shop-n1", **STATE, "may_leave": {"allowed": True}}


def facts(**more: object) -> dict[str, Any]:
    return {"vms": [], "cluster": {"quorate": True, "stable": True, "services": [], "nodes": [{**NODE, **more}]}}


@pytest.mark.parametrize(
    ("more", "leaving"), [({}, False), ({"leaving": None}, False), ({"leaving": False}, False), ({"leaving": True}, True)]
)
def test_a_node_is_leaving_only_where_the_collection_says_so(more: dict[str, object], leaving: bool) -> None:
    seen = observation(facts(**more), 1.0)
    assert seen.cluster is not None
    assert [one.leaving for one in seen.cluster.nodes] == [leaving]
    assert (seen.members, seen.serving) == (("shop-n1",), ())


@pytest.mark.parametrize(
    ("state", "unfinished"),
    [("started", False), ("disabled", False), ("starting", True), ("stopping", True), ("stopped", True), ("failed", True)],
)
def test_a_service_that_somebody_wants_stopped_is_nothing_unfinished(state: str, unfinished: bool) -> None:
    told = facts()
    told["cluster"]["services"] = [{"name": "ledger", "state": state}]
    seen = observation(told, 1.0)
    assert seen.cluster is not None
    assert seen.cluster.not_started == (("ledger",) if unfinished else ())


def test_a_word_that_is_no_truth_is_told_with_its_path() -> None:
    with pytest.raises(ObserveError, match="ondemand.cluster.nodes\\[0\\].leaving as str, bool is right"):
        observation(facts(leaving="yes"), 1.0)
