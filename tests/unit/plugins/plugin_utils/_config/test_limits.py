# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""How many VMs may be wanted: the limits themselves may, one beyond them is refused with what to do."""

from __future__ import annotations

import pytest
from ansible_collections.ondemand.cluster.plugins.module_utils._contract.refusal import Refusal
from ansible_collections.ondemand.cluster.plugins.plugin_utils._config import limits

MOST = "5 VMs are wanted, and the requirement of shop allows 4 at most; raise requirement.nodes.max first"
LEAST = "1 VMs are wanted, and the requirement of shop keeps 2 at least; lower requirement.nodes.min first, or use destroy_cluster to end the cluster"


@pytest.mark.parametrize(
    ("wanted", "many", "few"),
    [(5, Refusal("maximum", MOST), None), (4, None, None), (2, None, None), (1, None, Refusal("minimum", LEAST))],
)
def test_the_limits_may_be_wanted_and_nothing_beyond_them(wanted: int, many: Refusal | None, few: Refusal | None) -> None:
    assert (limits.too_many("shop", wanted, 4), limits.too_few("shop", wanted, 2)) == (many, few)
