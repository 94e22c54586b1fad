# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""The rules that lose packets."""

from __future__ import annotations

import pytest

from lab.faults.cells import render_rules


def test_a_partition_loses_what_comes_and_what_goes() -> None:
    assert render_rules(["10.98.0.11", "10.98.0.12"]) == (
        "table inet ondemand-fault {\n"
        "chain input { type filter hook input priority 0; ip saddr { 10.98.0.11, 10.98.0.12 } drop; }\n"
        "chain output { type filter hook output priority 0; ip daddr { 10.98.0.11, 10.98.0.12 } drop; }\n"
        "}\n"
    )


def test_a_bad_link_loses_a_part() -> None:
    assert render_rules(["10.98.0.11"], 10).count("numgen random mod 100 < 10 drop") == 2


@pytest.mark.parametrize("percent", [0, -1, 101])
def test_what_is_no_percentage_is_refused(percent: int) -> None:
    with pytest.raises(ValueError, match="1 to 100"):
        render_rules(["10.98.0.11"], percent)
