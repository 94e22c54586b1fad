# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""What observe hands back, as frozen values. What the collection really hands back is held against the same in the tests of its playbooks."""

from __future__ import annotations

from typing import Any

import pytest

from ondemand import wall
from ondemand.errors import ObserveError
from ondemand.model import Verdict
from ondemand.observe.facts import observation
from tests.driver.values import handed_back


def test_the_playbooks_result_becomes_values() -> None:
    told = handed_back()
    told["cluster"]["nodes"][0]["may_leave"].update(allowed=False, reason="last_node", sentence="no")
    told["cluster"]["services"][0].update(name="b", state="failed")
    told["cluster"]["failures"][0].update(resource="b", node="shop-n1")
    told["cluster"]["constraints"] = [{"id": "ondemand-move-a", "temporary": True}, {"id": "mine", "temporary": False}]
    told["cluster"]["may_change"].update(allowed=False, reason="unclean", sentence="not now")
    told["unreachable"][0]["host"] = "hv2"
    told["seen_twice"][0]["because"] = "shop-n1 is one VM and was seen twice"
    seen = observation(told, 5.0)
    assert (seen.members, seen.unreachable) == (("shop-n1",), ("hv2",))
    assert seen.seen_twice == ("shop-n1 is one VM and was seen twice",)
    assert seen.cluster is not None
    assert seen.cluster.not_started == ("b",)
    assert seen.cluster.temporary == ("ondemand-move-a",)
    assert seen.cluster.failures == (("b", "shop-n1"),)
    assert seen.cluster.nodes[0].may_leave.reason == "last_node"
    assert seen.cluster.may_change == Verdict(False, "unclean", "not now")


def test_a_node_is_leaving_only_where_the_collection_says_so() -> None:
    told = handed_back()
    (node,) = told["cluster"]["nodes"]
    node.update(standby=True)
    seen = observation(told, 1.0)
    assert seen.cluster is not None
    assert [one.leaving for one in seen.cluster.nodes] == [False]
    assert (seen.members, seen.serving) == (("shop-n1",), ())
    node.update(leaving=True)
    seen = observation(told, 1.0)
    assert seen.cluster is not None
    assert [one.leaving for one in seen.cluster.nodes] == [True]


@pytest.mark.parametrize(
    ("state", "unfinished"),
    [("started", False), ("disabled", False), ("starting", True), ("stopping", True), ("stopped", True), ("failed", True)],
)
def test_a_service_that_somebody_wants_stopped_is_nothing_unfinished(state: str, unfinished: bool) -> None:
    told = handed_back()
    told["cluster"]["services"][0].update(name="ledger", state=state)
    seen = observation(told, 1.0)
    assert seen.cluster is not None
    assert seen.cluster.not_started == (("ledger",) if unfinished else ())


def test_without_a_cluster_null_is_told_and_a_missing_key_is_no_null() -> None:
    told = handed_back()
    told["cluster"] = None
    assert observation(told, 1.0).cluster is None
    del told["cluster"]
    with pytest.raises(ObserveError, match="handed back no `cluster`: collection and driver of different versions"):
        observation(told, 1.0)


def test_all_that_is_wrong_is_told_at_once() -> None:
    told = handed_back()
    del told["vms"][0]["state"], told["unreachable"]
    told["vms"][0]["vcpus"] = True
    told["cluster"]["nodes"][0].update(leaving="yes", online=None)
    told["cluster"]["failures"] = {}
    with pytest.raises(ObserveError) as caught:
        observation(told, 1.0)
    for words in (
        "the collection's observe handed back ",
        "no `vms[0].state`",
        "no `unreachable`",
        "`vms[0].vcpus` as bool where a whole number is right",
        "`cluster.nodes[0].leaving` as str where true or false is right",
        "`cluster.nodes[0].online` as null where true or false is right",
        "`cluster.failures` as dict where a list is right",
        "install both of one version",
    ):
        assert words in str(caught.value)


@pytest.mark.parametrize("told", [None, [], "", 5])
def test_what_is_no_mapping_is_told(told: Any) -> None:
    with pytest.raises(ObserveError, match="`ondemand` as .* where a mapping is right"):
        observation(told, 1.0)


def test_whole_numbers_are_times_too_and_truths_are_no_numbers() -> None:
    shape = {"at": wall.SECONDS, "count": int, "maybe": wall.Maybe(int)}
    assert list(wall.unlike(shape, {"at": 5, "count": 5, "maybe": None}, "")) == []
    assert len(list(wall.unlike(shape, {"at": True, "count": 5.0, "maybe": "5"}, ""))) == 3


def test_of_a_playbook_that_is_not_ours_nothing_is_known() -> None:
    assert wall.problems("hang", {}) == []
    assert wall.problems("scale_in", {"wanted": 1, "nodes": []}) == ["no `removed`", "no `busy`"]
