# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
from __future__ import annotations

import pytest
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.emptiest import emptiest

CASES = {
    "who carries least takes it": ({"n1": 2, "n2": 1, "n3": 3}, (), "n2"),
    "among equals the oldest takes it, whatever its name": ({"n10": 1, "n2": 1}, (), "n10"),
    "a barred one takes nothing": ({"n1": 0, "n2": 4}, ("n1",), "n2"),
    "nobody takes it where all are barred": ({"n1": 0}, ("n1",), None),
    "nobody takes it where nobody is": ({}, (), None),
}


@pytest.mark.parametrize("case", CASES)
def test_the_target_of_a_move(case: str) -> None:
    carried, barred, wanted = CASES[case]
    assert emptiest(carried, barred) == wanted
