# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""The defaults of the cluster file are those that docs/exchange-formats.md names."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path

import pytest
import yaml
from ansible_collections.ondemand.cluster.plugins.module_utils._contract.config_defaults import uri_host, with_defaults

CHECKOUT = Path(__file__).resolve().parents[5]


@pytest.fixture
def demo():
    return yaml.safe_load((CHECKOUT / "examples" / "demo.yml").read_text())["cluster"]


def test_the_defaults_of_the_demo_are_those_of_the_exchange_formats(demo):
    given = demo.pop("deadlines")
    full = with_defaults(demo)
    bridge = full["network"]["bridge"]
    host = {"name": "hv1", "uri": "qemu+ssh://root@hv1/system", "zone": "a"}
    assert full["hosts"][0] == {**host, "pool": "ondemand", "ssh": "hv1", "bridge": bridge}
    assert full["access"] == {"user": "root", "state_dir": "~/.local/state/ondemand/shop"}
    assert full["network"]["dns"] == []
    assert full["requirement"]["headroom"] == {"vcpus_max": 2, "memory_max_mib": 1280}
    assert full["deadlines"] == {
        "boot_s": 300,
        "join_s": 180,
        "move_s": 120,
        "drain_s": 180,
        "leave_s": 180,
        "connect_s": 10,
        "lease_s": 60,
    }
    assert full["scaling"]["scale_in"]["drain_end"] == "keep"
    assert with_defaults({**demo, "deadlines": given})["deadlines"] == {**full["deadlines"], **given}
    assert full["disks"][0]["shareable"] is True
    assert full["fencing"] == {"method": "none"}
    assert full["recovery"] == {"after_s": 120, "autostart": True}
    assert with_defaults({**demo, "recovery": {"after_s": 9}})["recovery"] == {"after_s": 9, "autostart": True}


def test_what_is_given_stays(demo):
    demo["deadlines"] = {"boot_s": 7}
    demo["requirement"]["headroom"] = {"vcpus_max": 9}
    demo["hosts"][0]["pool"] = "mine"
    full = with_defaults(demo)
    assert full["deadlines"]["boot_s"] == 7
    assert full["deadlines"]["join_s"] == 180
    assert full["requirement"]["headroom"] == {"vcpus_max": 9, "memory_max_mib": 1280}
    assert full["hosts"][0]["pool"] == "mine"


def test_filling_in_twice_is_filling_in_once_and_leaves_the_input_alone(demo):
    before = deepcopy(demo)
    full = with_defaults(demo)
    assert demo == before
    assert with_defaults(full) == full


def test_a_host_without_a_zone_is_its_own():
    assert with_defaults({"name": "a", "hosts": [{"name": "h", "uri": "qemu:///system"}]})["hosts"][0]["zone"] == "h"


@pytest.mark.parametrize(
    ("uri", "host"),
    [("qemu+ssh://root@hv1/system", "hv1"), ("qemu:///system", "localhost"), ("qemu+ssh://[::1]:22/system", "::1"), ("q://[", "localhost")],
)
def test_the_host_of_a_uri(uri, host):
    assert uri_host(uri) == host
