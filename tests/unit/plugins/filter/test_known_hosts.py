# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""The filter known_hosts: the text of a file from VMs."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.ondemand.cluster.plugins.filter.known_hosts import FilterModule, differ_from, known_hosts

KEY = "ssh-ed25519 " + "A" * 68


def test_vms_become_lines():
    vms = [{"name": "a", "address": "10.0.0.2", "host_key": KEY}, {"name": "b", "address": None, "host_key": KEY}]
    assert FilterModule().filters()["known_hosts"](vms) == f"10.0.0.2,a {KEY}\n"
    assert known_hosts([]) == ""


def test_the_same_lines_in_another_order_are_no_difference():
    vms = [{"name": name, "address": f"10.0.0.{number}", "host_key": KEY} for number, name in enumerate("ab", 2)]
    before = f"10.0.0.3,b {KEY}\n10.0.0.2,a {KEY}\n"
    assert known_hosts(vms, before) == before and not differ_from(vms, before)
    assert differ_from(vms[:1], before) and differ_from(vms, "")
    assert known_hosts(vms[:1], before) == f"10.0.0.2,a {KEY}\n"


@pytest.mark.parametrize("value", [None, 3, [3], [{"name": "a\nb", "address": "x", "host_key": KEY}]])
def test_what_are_no_vms_is_refused_in_words(value):
    with pytest.raises(AnsibleFilterError, match="takes a list of VMs"):
        known_hosts(value)
