# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""The filter refusal_of, as a rescue calls it."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.ondemand.cluster.plugins.filter.refusal_of import FilterModule


def test_a_refusal_is_taken_out_of_a_result():
    refusal_of = FilterModule().filters()["refusal_of"]
    assert refusal_of({"failed": True, "refusal": {"reason": "quorum", "sentence": "no"}}) == {"reason": "quorum", "sentence": "no"}
    assert refusal_of({"failed": True, "msg": "no"}) is None


@pytest.mark.parametrize("value", [None, "failed", [{"failed": True}]])
def test_what_is_no_result_is_refused_in_words(value):
    with pytest.raises(AnsibleFilterError, match="takes a task's result"):
        FilterModule().filters()["refusal_of"](value)
