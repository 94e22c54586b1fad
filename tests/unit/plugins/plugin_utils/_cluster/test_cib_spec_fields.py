# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""Each field of a wanted configuration by itself: what Pacemaker takes is taken, the rest is refused at its path."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.cib_spec import check_config, clone_id, value_text

RESOURCE = {"id": "a", "agent": "systemd:a"}
RULE = {"score": 1, "expressions": [{"attribute": "x", "operation": "defined"}]}
WITH = {"id": "c", "resource": "a", "with": "b"}
ORDER = {"id": "c", "first": "a", "then": "b"}

ROLES = ["Started", "Promoted", "Unpromoted", "Stopped", "Master", "Slave"]
ACTIONS = ["start", "stop", "promote", "demote"]
# Kind -> an item with nothing but what is needed, and what else it may have: field -> values that are right, values that are not.
SCORES = ([0, -7, 1000000, "INFINITY", "-INFINITY", "+INFINITY", "+5"], ["much", "infinity", True, 1.5, "12345678", ""])
SETS = ([{}, {"a-b": "x", "#c": 1, "d.e:f": True, "g" * 127: 0.5}], [["a"], "a", {"a b": 1}, {"": 1}, {7: 1}, {"g" * 128: 1}, {"a": None}])
BOOLEANS: tuple[list[Any], list[Any]] = ([True, False], ["true", 1, 0, "no"])
TIMES = ([0, 1, 0.5, 9999999], [-1, 10000000, True, "10s"])
FIELDS: dict[str, tuple[dict[str, Any], dict[str, tuple[list[Any], list[Any]]]]] = {
    "resources": (
        RESOURCE,
        {
            "options": SETS,
            "meta": SETS,
            "agent": (
                ["ocf:heartbeat:IPaddr2", "systemd:a@b.c", "stonith:fence_x", "service:a", "lsb:a"],
                ["ocf:a", "lsb:", "upstart:a", "x-systemd:a", 7],
            ),
        },
    ),
    "groups": ({"id": "g", "members": ["a"]}, {"meta": SETS, "members": ([["a", "b"]], [[], "a", ["a", "a"], ["a", "1"], ["a", 7], {"a": 1}])}),
    "clones": ({"resource": "a"}, {"id": (["mine"], ["1", 7]), "meta": SETS, "promotable": BOOLEANS}),
    "location": (
        {"id": "c", "resource": "a", "node": "n1", "score": 1},
        {"role": (ROLES, ["started", "Leader", 1]), "score": SCORES, "node": (["n1", "Node 7"], ["", 7, "a\nb"])},
    ),
    "colocation": (WITH, {"score": SCORES, "role": (ROLES, ["started"]), "with_role": (ROLES, ["started"])}),
    "order": (
        ORDER,
        {
            "kind": (["Mandatory", "Optional", "Serialize"], ["mandatory", True]),
            "symmetrical": BOOLEANS,
            "first_action": (ACTIONS, ["Start", "monitor"]),
            "then_action": (ACTIONS, ["Start", "monitor"]),
        },
    ),
    "tickets": (
        {"id": "c", "resource": "a", "ticket": "city"},
        {"loss_policy": (["stop", "demote", "fence", "freeze"], ["Stop", "block"]), "role": (ROLES, ["started"])},
    ),
}  # fmt: skip
ON_FAIL = ["ignore", "block", "stop", "restart", "standby", "fence", "demote", "restart-container"]
OPERATION_FIELDS = {
    "interval_s": TIMES, "timeout_s": TIMES, "start_delay_s": TIMES, "on_fail": (ON_FAIL, ["Fence", "nothing"]), "role": (ROLES, ["started"]),
}  # fmt: skip
EXPRESSION = {"attribute": "x", "operation": "eq", "value": "1"}
EXPRESSION_FIELDS = {
    "attribute": (["#uname", "a.b"], ["", "a b", 7]),
    "operation": (["eq", "ne", "lt", "gt", "lte", "gte", "defined", "not_defined"], ["==", "EQ"]),
    "value": (["1", "a b"], ["", 1, "a\nb"]),
}


def where(kind: str) -> str:
    """The path of a kind's list."""
    return f"config.{kind}" if kind in ("resources", "groups", "clones") else f"config.constraints.{kind}"


def holding(kind: str, *items: dict[str, Any]) -> dict[str, Any]:
    """A configuration of these items of one kind."""
    return {kind: list(items)} if kind in ("resources", "groups", "clones") else {"constraints": {kind: list(items)}}


def wrong_at(config: dict[str, Any]) -> list[tuple[str, str]]:
    """Paths and kinds of the problems."""
    return [(one["path"], one["problem"]) for one in check_config(config)]


@pytest.mark.parametrize("kind", FIELDS)
def test_what_is_needed_is_missed_where_it_is_not_there_and_nothing_else_is(kind: str) -> None:
    item, _more = FIELDS[kind]
    assert check_config(holding(kind, item)) == []
    for field in item:
        for rest in ({name: value for name, value in item.items() if name != field}, {**item, field: None}):
            assert wrong_at(holding(kind, rest)) == [(f"{where(kind)}[0].{field}", "missing")]


@pytest.mark.parametrize(("kind", "field"), [(kind, field) for kind, (_item, more) in FIELDS.items() for field in more])
def test_a_field_takes_what_pacemaker_takes_and_refuses_the_rest_at_its_path(kind: str, field: str) -> None:
    item, more = FIELDS[kind]
    right, wrong = more[field]
    for value in right:
        assert check_config(holding(kind, {**item, field: value})) == [], value
    for value in wrong:
        assert wrong_at(holding(kind, {**item, field: value})) == [(f"{where(kind)}[0].{field}", "wrong value")], value


@pytest.mark.parametrize("field", OPERATION_FIELDS)
def test_a_field_of_an_operation(field: str) -> None:
    right, wrong = OPERATION_FIELDS[field]
    for value in right:
        assert check_config(holding("resources", {**RESOURCE, "operations": [{"name": "monitor", field: value}]})) == [], value
    for value in wrong:
        found = wrong_at(holding("resources", {**RESOURCE, "operations": [{"name": "monitor"}, {"name": "stop", field: value}]}))
        assert found == [(f"config.resources[0].operations[1].{field}", "wrong value")], value


def ruled(**rule: Any) -> dict[str, Any]:
    """A location with a rule."""
    return holding("location", {"id": "c", "resource": "a", "rule": {"score": 1, "expressions": [EXPRESSION], **rule}})


@pytest.mark.parametrize("field", EXPRESSION_FIELDS)
def test_a_field_of_a_rule_s_expression(field: str) -> None:
    right, wrong = EXPRESSION_FIELDS[field]
    for value in right:
        assert check_config(ruled(expressions=[{**EXPRESSION, field: value}])) == [], value
    for value in wrong:
        path = f"config.constraints.location[0].rule.expressions[0].{field}"
        assert wrong_at(ruled(expressions=[{**EXPRESSION, field: value}])) == [(path, "wrong value")], value


@pytest.mark.parametrize(
    ("rule", "field", "problem"),
    [
        ({"boolean_op": "and"}, None, None),
        ({"boolean_op": "or"}, None, None),
        ({"boolean_op": "xor"}, "boolean_op", "wrong value"),
        ({"score": None}, "score", "missing"),
        ({"score": "much"}, "score", "wrong value"),
        ({"expression": []}, "expression", "unknown"),
        ({"expressions": "x"}, "expressions", "not a list"),
        ({"expressions": [7]}, "expressions[0]", "not a mapping"),
    ],
)
def test_a_rule_has_a_score_and_expressions(rule: dict[str, Any], field: str | None, problem: str | None) -> None:
    expected = [] if field is None else [(f"config.constraints.location[0].rule.{field}", problem)]
    assert wrong_at(ruled(**rule)) == expected


def test_a_rule_stands_alone_or_node_and_score_do() -> None:
    location = {"id": "c", "resource": "a"}
    path = "config.constraints.location[0]"
    assert wrong_at(holding("location", location)) == [(f"{path}.node", "missing"), (f"{path}.score", "missing")]
    both = holding("location", {**location, "node": "n1", "score": 1, "rule": RULE})
    assert wrong_at(both) == [(f"{path}.node", "given beside a rule"), (f"{path}.score", "given beside a rule")]
    assert wrong_at(holding("location", {**location, "rule": 7})) == [
        (f"{path}.rule", "not a mapping"),
        (f"{path}.rule.expressions", "missing"),
    ]


@pytest.mark.parametrize(
    ("config", "path", "problem", "said"),
    [
        ([], "config", "not a mapping", "documentation"),
        ({"proprties": {}}, "config.proprties", "unknown", "properties, resource_defaults, operation_defaults, unless_set, resources"),
        ({"constraints": {"locations": []}}, "config.constraints.locations", "unknown", "location, colocation, order, tickets"),
        ({"constraints": [1]}, "config.constraints", "not a mapping", "location, colocation, order, tickets"),
        ({"properties": {"a": []}}, "config.properties", "wrong value", "a text, a number or a boolean for a"),
        ({"resource_defaults": 7}, "config.resource_defaults", "wrong value", "a mapping"),
        ({"operation_defaults": {"a": "\x1f"}}, "config.operation_defaults", "wrong value", "without control characters for a"),
        ({"absent": ["a", "a"]}, "config.absent", "wrong value", "each once"),
        ({"absent": ["a", "1"]}, "config.absent", "wrong value", "'1' is none: an id"),
        ({"absent": 7}, "config.absent", "wrong value", "a list of ids"),
        ({"groups": 7}, "config.groups", "not a list", "a list"),
        ({"groups": [7]}, "config.groups[0]", "not a mapping", "a mapping with id, members, meta"),
        ({"groups": [{"id": "g", "members": ["a"], "rule": {}}]}, "config.groups[0].rule", "unknown", "one of id, members, meta"),
        ({"resources": [{**RESOURCE, "rule": 1}]}, "config.resources[0].rule", "unknown", "agent, id, meta, operations, options"),
        ({"resources": [{**RESOURCE, "operations": {}}]}, "config.resources[0].operations", "not a list", "a list"),
        ({"resources": [{"id": "a"}]}, "config.resources[0].agent", "missing", "systemd:UNIT"),
        ({"constraints": {"order": [{**ORDER, "kind": 1}]}}, "config.constraints.order[0].kind", "wrong value", "Mandatory, Optional, Serialize"),
        ({"clones": [{"resource": "a", "promotable": 1}]}, "config.clones[0].promotable", "wrong value", "true or false"),
    ],
)  # fmt: skip
def test_a_problem_says_where_what_and_what_would_be_right(config: Any, path: str, problem: str, said: str) -> None:
    found = check_config(config)
    assert [(one["path"], one["problem"]) for one in found] == [(path, problem)]
    assert said in found[0]["should_be"]


@pytest.mark.parametrize(
    ("config", "path", "first"),
    [
        ({"resources": [RESOURCE, RESOURCE]}, "config.resources[1].id", "a is named at config.resources[0].id already"),
        ({"resources": [RESOURCE], "groups": [{"id": "a", "members": ["b"]}]}, "config.groups[0].id", "a is named at config.resources[0].id already"),
        ({"clones": [{"resource": "a"}, {"resource": "a"}]}, "config.clones[1].id", "a-clone is named at config.clones[0].id already"),
        ({"clones": [{"resource": "a", "id": "x"}], "absent": ["x"]}, "config.absent[0]", "x is named at config.clones[0].id already"),
        ({"constraints": {"order": [{**ORDER, "id": "g"}]}, "absent": ["b", "g"]}, "config.absent[1]", "g is named at config.constraints.order[0].id already"),
    ],
)  # fmt: skip
def test_an_id_is_given_once_in_the_whole_configuration(config: dict[str, Any], path: str, first: str) -> None:
    assert wrong_at(config) == [(path, first)]


@pytest.mark.parametrize("kind", [*FIELDS, "absent", "properties", "constraints"])
def test_what_is_there_without_a_value_is_not_stated(kind: str) -> None:
    inside = {"constraints": {kind: None}} if kind in ("location", "colocation", "order", "tickets") else {kind: None}
    assert check_config(inside) == []


@pytest.mark.parametrize(
    ("one", "right"), [("a" * 127, True), ("a" * 128, False), ("_", True), ("A.b-c_9", True), ("9a", False), (".a", False)]
)
def test_an_id_is_one_that_xml_takes(one: str, right: bool) -> None:
    assert (check_config({"resources": [{**RESOURCE, "id": one}]}) == []) is right


def test_several_of_one_kind_are_each_told_at_their_place() -> None:
    config = holding("resources", RESOURCE, {"id": "b", "agent": "x"}, {"id": "c", "agent": "systemd:c", "operations": [{}]})
    assert wrong_at(config) == [("config.resources[1].agent", "wrong value"), ("config.resources[2].operations[0].name", "missing")]


@pytest.mark.parametrize(("value", "text"), [(True, "true"), (False, "false"), (1, "1"), (0.5, "0.5"), ("a b", "a b")])
def test_a_value_is_written_as_pacemaker_writes_it(value: Any, text: str) -> None:
    assert value_text(value) == text


def test_a_clone_has_its_own_id_or_that_of_its_resource() -> None:
    assert (clone_id({"resource": "a"}), clone_id({"id": "c", "resource": "a"})) == ("a-clone", "c")


AT = "config.constraints.location[0]"
LOCATION = {"id": "c", "resource": "a", "node": "n1", "score": 1}
ODD: dict[str, tuple[dict[str, Any], list[tuple[str, str]]]] = {
    "an expression of nothing": (
        ruled(expressions=[{"value": "1"}]),
        [(f"{AT}.rule.expressions[0].attribute", "missing"), (f"{AT}.rule.expressions[0].operation", "missing")],
    ),
    "ids that are lists": (
        holding("resources", {**RESOURCE, "id": ["a"]}, {**RESOURCE, "id": ["a"]}),
        [("config.resources[0].id", "wrong value"), ("config.resources[1].id", "wrong value")],
    ),
    "two without an id are not the same": (
        holding("resources", {"agent": "systemd:a"}, {"agent": "systemd:b"}),
        [("config.resources[0].id", "missing"), ("config.resources[1].id", "missing")],
    ),
    "a location that is no mapping": (holding("location", 7), [(AT, "not a mapping")]),  # type: ignore[arg-type]
    "a resource that is no mapping": (holding("resources", 7), [("config.resources[0]", "not a mapping")]),  # type: ignore[arg-type]
    "a group has no operations, whatever is in them": (
        holding("groups", {"id": "g", "members": ["a"], "operations": [{}]}), [("config.groups[0].operations", "unknown")],
    ),
    "a constraint without an id is not called like a clone": (
        {"clones": [{"resource": "a"}], "constraints": {"location": [{**LOCATION, "id": None}]}}, [(f"{AT}.id", "missing")],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", ODD)
def test_what_is_odd_is_told_once_and_breaks_nothing(case: str) -> None:
    config, expected = ODD[case]
    assert wrong_at(config) == expected


def test_what_stands_beside_a_rule_should_be_absent() -> None:
    found = check_config(holding("location", {**LOCATION, "rule": RULE}))
    assert [one["should_be"] for one in found] == ["absent", "absent"]
