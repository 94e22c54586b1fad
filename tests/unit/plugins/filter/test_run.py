# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""The filters after and failed_but_for, as a template calls them."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.ondemand.cluster.plugins.filter.run import FilterModule, after, failed_but_for

NO_PLACE = {"failed": True, "msg": "no", "refusal": {"reason": "no_place", "sentence": "no"}}
HELD = {"failed": True, "msg": "no", "refusal": {"reason": "held", "sentence": "no"}}
RESULTS: dict[str, tuple[dict[str, Any], bool]] = {
    "what went well": ({"changed": True}, False),
    "what was skipped": ({"skipped": True}, False),
    "an expected refusal": (NO_PLACE, False),
    "another refusal": (HELD, True),
    "what is no refusal": ({"failed": True, "msg": "a disk is full"}, True),
    "a host that is not reached": ({"unreachable": True, "msg": "ssh"}, True),
    "a loop of expected ones": ({"failed": True, "results": [{"changed": True}, NO_PLACE]}, False),
    "a loop with another one": ({"failed": True, "results": [NO_PLACE, HELD]}, True),
}


@pytest.mark.parametrize(("result", "failed"), RESULTS.values(), ids=RESULTS)
def test_only_what_was_not_expected_is_a_failure(result: dict[str, Any], failed: bool) -> None:
    assert failed_but_for(result, ["no_place", "not_found"]) is failed


def test_the_filters_are_offered() -> None:
    assert FilterModule().filters() == {"after": after, "failed_but_for": failed_but_for}


@pytest.mark.parametrize("event", [{}, {"odd": 1}, {"found": {}, "seen": {}}, {"found": {}}, {"found": None}])
def test_what_is_no_event_is_refused_in_words(event: dict[str, Any]) -> None:
    with pytest.raises(AnsibleFilterError, match="one event"):
        after({"absent": []}, event)
