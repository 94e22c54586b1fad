# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""Checking a wanted configuration: every problem at once, with its path; hostile values never get through."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.cib_spec import check_config

RESOURCE = {"id": "a", "agent": "systemd:a"}
RULE = {"score": 1, "expressions": [{"attribute": "x", "operation": "defined"}]}
WITH = {"id": "c", "resource": "a", "with": "b"}
ORDER = {"id": "c", "first": "a", "then": "b"}

WRONG: list[tuple[str, Any, list[str]]] = [
    ("no mapping", [], ["config"]),
    ("an unknown key", {"resource": []}, ["config.resource"]),
    ("no list", {"resources": {"id": "a"}}, ["config.resources"]),
    ("an item that is no mapping", {"groups": ["a"]}, ["config.groups[0]"]),
    ("no agent", {"resources": [{"id": "a"}]}, ["config.resources[0].agent"]),
    ("an agent of no class", {"resources": [{"id": "a", "agent": "nginx"}]}, ["config.resources[0].agent"]),
    ("an agent without provider", {"resources": [{"id": "a", "agent": "ocf:Dummy"}]}, ["config.resources[0].agent"]),
    ("an unknown field", {"resources": [{**RESOURCE, "optoins": {}}]}, ["config.resources[0].optoins"]),
    (
        "an operation without name",
        {"resources": [{**RESOURCE, "operations": [{"interval_s": 1}]}]},
        ["config.resources[0].operations[0].name"],
    ),
    (
        "a time that is no number",
        {"resources": [{**RESOURCE, "operations": [{"name": "monitor", "timeout_s": "20s"}]}]},
        ["config.resources[0].operations[0].timeout_s"],
    ),
    ("a group of nobody", {"groups": [{"id": "g", "members": []}]}, ["config.groups[0].members"]),
    ("a member twice", {"groups": [{"id": "g", "members": ["a", "a"]}]}, ["config.groups[0].members"]),
    ("an id twice", {"resources": [RESOURCE], "absent": ["a"]}, ["config.absent[0]"]),
    ("a clone with another's id", {"resources": [{**RESOURCE, "id": "a-clone"}], "clones": [{"resource": "a"}]}, ["config.clones[0].id"]),
    (
        "a location without node",
        {"constraints": {"location": [{"id": "c", "resource": "a", "score": 1}]}},
        ["config.constraints.location[0].node"],
    ),
    (
        "a rule beside a node",
        {
            "constraints": {
                "location": [
                    {
                        "id": "c",
                        "resource": "a",
                        "node": "n",
                        "rule": {"score": 1, "expressions": [{"attribute": "x", "operation": "defined"}]},
                    }
                ]
            }
        },
        ["config.constraints.location[0].node"],
    ),
    (
        "a rule without expressions",
        {"constraints": {"location": [{"id": "c", "resource": "a", "rule": {"score": 1}}]}},
        ["config.constraints.location[0].rule.expressions"],
    ),
    (
        "a score that is none",
        {"constraints": {"colocation": [{**WITH, "score": "much"}]}},
        ["config.constraints.colocation[0].score"],
    ),
    (
        "an unknown kind of order",
        {"constraints": {"order": [{**ORDER, "kind": "mandatory"}]}},
        ["config.constraints.order[0].kind"],
    ),
    ("an unknown kind of constraint", {"constraints": {"locations": []}}, ["config.constraints.locations"]),
    ("constraints that are no mapping", {"constraints": ["x"]}, ["config.constraints"]),
    ("properties that are no mapping", {"properties": ["a"]}, ["config.properties"]),
]
HOSTILE = ["a\nb", "a\rb", "a\tb", "a\x00b", "a\x1bb", "\ud800", "\ufffe", None, ["a"], {"a": 1}]
HOSTILE_IDS = ["", "a b", "a'", 'a"', "<a>", "a/b", "a&b", "a\n", "1a", "-a", "a" * 128, "ä", None, 7]


@pytest.mark.parametrize("config, paths", [case[1:] for case in WRONG], ids=[case[0] for case in WRONG])
def test_a_wrong_configuration_is_refused_at_its_path(config: Any, paths: list[str]) -> None:
    found = check_config(config)
    assert [one["path"] for one in found] == paths
    assert all(one["problem"] and one["should_be"] for one in found)


def test_all_problems_are_told_at_once() -> None:
    config = {
        "properties": {"a b": 1},
        "resources": [{"id": "1"}, {"id": "b", "agent": "systemd:b", "meta": "x"}],
        "constraints": {"order": [{"id": "o"}]},
        "absent": "a",
    }
    assert sorted(one["path"] for one in check_config(config)) == [
        "config.absent",
        "config.constraints.order[0].first",
        "config.constraints.order[0].then",
        "config.properties",
        "config.resources[0].agent",
        "config.resources[0].id",
        "config.resources[1].meta",
    ]


@pytest.mark.parametrize("value", HOSTILE, ids=repr)
@pytest.mark.parametrize("field", ["options", "meta", "properties"])
def test_a_value_that_no_line_or_xml_can_hold_is_refused(field: str, value: Any) -> None:
    config = {"properties": {"p": value}} if field == "properties" else {"resources": [{**RESOURCE, field: {"p": value}}]}
    assert len(check_config(config)) == 1


@pytest.mark.parametrize("one", HOSTILE_IDS, ids=repr)
def test_an_id_that_is_none_is_refused_wherever_it_stands(one: Any) -> None:
    places: list[dict[str, Any]] = [
        {"resources": [{**RESOURCE, "id": one}]},
        {"groups": [{"id": "g", "members": [one]}]},
        {"clones": [{"id": "c", "resource": one}]},
        {"constraints": {"colocation": [{"id": "c", "resource": "a", "with": one}]}},
        {"absent": [one]},
    ]
    for config in places:
        assert check_config(config), config


@pytest.mark.parametrize("agent", ["systemd:a b", "systemd:a;b", "ocf:x:y z", "ocf:x:$(y)", "systemd:a\n", "shell:a", "ocf:x/y:z"])
def test_an_agent_that_is_no_name_is_refused(agent: str) -> None:
    assert [one["path"] for one in check_config({"resources": [{"id": "a", "agent": agent}]})] == ["config.resources[0].agent"]


def test_a_configuration_of_everything_is_in_order() -> None:
    rule = {"score": "-INFINITY", "boolean_op": "or", "expressions": [{"attribute": "#uname", "operation": "eq", "value": "n1"}]}
    operation = {"name": "monitor", "interval_s": 1.5, "timeout_s": 20, "start_delay_s": 0, "on_fail": "restart", "role": "Promoted"}
    config = {
        "properties": {"stonith-enabled": False, "cluster-delay": 60},
        "resource_defaults": {"resource-stickiness": 100},
        "operation_defaults": {},
        "resources": [{"id": "a", "agent": "ocf:heartbeat:Dummy", "options": {"x": "' \" < > & ;"}, "meta": {}, "operations": [operation]}],
        "groups": [{"id": "g", "members": ["a", "other"], "meta": {"priority": 1}}],
        "clones": [{"resource": "g", "promotable": True}],
        "constraints": {
            "location": [{"id": "l", "resource": "g", "node": "n1", "score": 5}, {"id": "m", "resource": "g", "rule": rule}],
            "colocation": [{"id": "c", "resource": "g", "with": "b", "score": -7, "role": "Started", "with_role": "Promoted"}],
            "order": [
                {
                    "id": "o",
                    "first": "a",
                    "then": "b",
                    "kind": "Optional",
                    "symmetrical": False,
                    "first_action": "promote",
                    "then_action": "start",
                }
            ],
            "tickets": [{"id": "t", "resource": "g", "ticket": "city", "loss_policy": "stop", "role": "Promoted"}],
        },
        "absent": ["gone"],
    }
    assert check_config(config) == []
