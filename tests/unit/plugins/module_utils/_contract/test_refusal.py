# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""A refusal is data with a reason that is known."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from ansible_collections.ondemand.cluster.plugins.module_utils._contract.refusal import REASONS, Refusal, all_problems, as_one, refusal_of

CHECKOUT = Path(__file__).resolve().parents[5]


def test_an_unknown_reason_is_a_mistake_of_ours():
    with pytest.raises(ValueError, match="no reason"):
        Refusal("because", "no")


def test_a_refusal_becomes_the_keys_of_a_failed_task():
    assert Refusal("maximum", "No.").result() == {"msg": "No.", "refusal": {"reason": "maximum", "sentence": "No."}}


def test_all_problems_stand_in_one_refusal():
    assert all_problems(["a: x", "b: y"]).sentence == "Nothing was touched, the input is wrong: a: x; b: y."


def test_several_refusals_are_one_with_the_first_ones_reason():
    told = [{"reason": "maximum", "sentence": "a"}, {"reason": "no_room", "sentence": "b"}, {"reason": "maximum", "sentence": "a"}]
    assert as_one(told) == Refusal("maximum", "a; b")


FAILED = {"failed": True, "msg": "no", "refusal": {"reason": "quorum", "sentence": "no"}}
OTHER = {"failed": True, "msg": "no", "refusal": {"reason": "minimum", "sentence": "never"}}


@pytest.mark.parametrize(
    ("result", "refusal"),
    [
        (FAILED, {"reason": "quorum", "sentence": "no"}),
        (
            {"failed": True, "msg": "Two items failed", "results": [FAILED, {"failed": False}, OTHER]},
            {"reason": "quorum", "sentence": "no; never"},
        ),
        # What an item was refused that was tried again with success, or that was to be ignored, ended nothing.
        ({"failed": True, "results": [{**OTHER, "failed": False}, FAILED]}, {"reason": "quorum", "sentence": "no"}),
        ({"failed": True, "msg": "a disk is full"}, None),
        ({"failed": True, "refusal": {"reason": "whim", "sentence": "no"}}, None),
        ({"failed": True, "refusal": "no", "results": None}, None),
        ({}, None),
    ],
)
def test_what_a_failed_task_refused_is_found_in_its_result(result, refusal):
    assert refusal_of(result) == refusal


def test_every_reason_that_the_exchange_formats_promise_is_known():
    text = (CHECKOUT / "docs" / "exchange-formats.md").read_text()
    paragraph = text[text.index("Reasons of a refusal") :].split("A refused task", 1)[0]
    promised = set(re.findall(r"`([a-z_]+)`", paragraph.split("failed task):", 1)[1]))
    assert len(promised) >= 18
    assert promised <= REASONS
