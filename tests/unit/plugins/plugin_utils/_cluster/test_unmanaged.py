# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""What we do not make is refused by its name, in the words of the CIB and of its tools; and what somebody made of it stays."""

from __future__ import annotations

import pytest
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.cib import parse_cib, same, section
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.cib_plan import plan_cib
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.cib_spec import check_config
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.unmanaged import why_unmanaged


@pytest.mark.parametrize("name", ["bundles", "bundle", "templates", "acls", "tag", "fencing-topology", "fencing_topology", "Tags"])
def test_it_is_refused_with_what_to_do(name: str) -> None:
    (found,) = check_config({name: []})
    assert found["path"] == f"config.{name}" and found["problem"].endswith(" are not managed by this collection")
    assert found["should_be"] == "left out: make them by pcs, crmsh or cibadmin; what is there of them is left untouched"


@pytest.mark.parametrize("name", ["propertys", "resource", "", 5])
def test_what_is_only_wrong_is_told_what_there_is(name: object) -> None:
    assert why_unmanaged(name) is None
    assert check_config({name: []})[0]["problem"] == "unknown"


def test_what_is_there_of_them_is_left_untouched() -> None:
    """Also where everything of ours that is not named goes."""
    dummy = 'class="ocf" provider="pacemaker" type="Dummy"'
    text = (
        '<cib admin_epoch="0" epoch="7" num_updates="0"><configuration><crm_config/><nodes/><resources>'
        f'<template id="shape" {dummy}/><bundle id="box"><podman image="x"/><primitive id="in" {dummy}/></bundle></resources><constraints/>'
        '<fencing-topology><fencing-level id="l" target="n1" index="1" devices="x"/></fencing-topology>'
        '<acls><acl_role id="role"/></acls><tags><tag id="blue"><obj_ref id="in"/></tag></tags></configuration><status/></cib>'
    )
    config = {"resources": [{"id": "a", "agent": "systemd:a"}]}
    plan = plan_cib(parse_cib(text), config, "whole")
    before, after = parse_cib(plan.original), parse_cib(plan.wanted)
    assert plan.changed and plan.problems == ()
    for part in ("fencing-topology", "acls", "tags"):
        assert same(section(before, part), section(after, part))
    for one, other in zip(section(before, "resources"), section(after, "resources"), strict=False):
        assert same(one, other)
