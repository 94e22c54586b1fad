# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""The filter system_port, as a role calls it."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.ondemand.cluster.plugins.filter.system_port import FilterModule
from ansible_collections.ondemand.cluster.plugins.plugin_utils._config.ports import SYSTEM_PORTS


def test_a_port_is_one_that_no_service_may_take():
    system_port = FilterModule().filters()["system_port"]
    assert [SYSTEM_PORTS[system_port(name)] for name in ("gate", "stats")] == ["the gate at boot", "the load balancer's statistics"]


def test_a_name_without_a_port_is_refused_in_words():
    with pytest.raises(AnsibleFilterError, match="takes one of gate, stats, not 'web'"):
        FilterModule().filters()["system_port"]("web")
