# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""Each rule of the cluster file by itself, at its boundaries; whole files are in tests/cluster_files."""

from __future__ import annotations

import ipaddress
from typing import Any

import pytest
from ansible_collections.ondemand.cluster.plugins.plugin_utils._config import rules

from .rule_cases import RULES


def told(rule: str, cluster: Any) -> dict[str, str]:
    """What a rule says: path -> both sentences."""
    found = list(next(one for one in rules.RULES if one.__name__ == rule)(cluster))
    assert all(what and should_be for _path, what, should_be in found)
    said: dict[str, str] = {}
    for path, what, should_be in found:
        said.setdefault(rules.path_text(path), f"{what}; {should_be}")
    return said


@pytest.mark.parametrize(("rule", "case"), [(rule, case) for rule, cases in RULES.items() for case in cases])
def test_a_rule(rule: str, case: str) -> None:
    cluster, expected = RULES[rule][case]
    said = told(rule, cluster)
    assert list(said) == list(expected)
    for path, words in expected.items():
        assert all(piece in said[path] for piece in words.split("; ")), said[path]


def test_every_rule_has_cases_and_is_asked() -> None:
    assert {rule.__name__ for rule in rules.RULES} == set(RULES)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize(
    "cluster", [None, 7, "x", [], [1], {}, {"services": 7, "hosts": "x", "network": [], "scaling": [], "access": 1}], ids=repr
)
def test_a_rule_leaves_a_wrong_shape_to_the_schema(rule: str, cluster: Any) -> None:
    assert told(rule, cluster) == {}


@pytest.mark.parametrize(
    ("text", "bounds"),
    [
        ("10.99.0.20-10.99.0.29", ("10.99.0.20", "10.99.0.29")),
        ("10.99.0.0/24", ("10.99.0.1", "10.99.0.254")),
        ("10.99.0.0/30", ("10.99.0.1", "10.99.0.2")),
        ("10.99.0.0/31", ("10.99.0.0", "10.99.0.1")),
        ("10.99.0.7/32", ("10.99.0.7", "10.99.0.7")),
        ("10.99.0.1/24", None),
        ("10.99.0.20", None),
        ("a-b", None),
        ("fe80::1-fe80::2", None),
        (7, None),
    ],
)
def test_a_range_is_its_first_and_last_usable_address(text: Any, bounds: tuple[str, str] | None) -> None:
    assert rules.address_range(text) == (tuple(map(ipaddress.IPv4Address, bounds)) if bounds else None)


TOO_MUCH = {
    "as many values as may be": ([1] * 19999, False),
    "one more": ([1] * 20000, True),
    "as many, as names and values": (dict.fromkeys(range(9999), 1), False),
    "too many, as names and values": (dict.fromkeys(range(10000), 1), True),
    "as long a text as may be": ("a" * 1000000, False),
    "one sign more": (["a" * 500000, "a" * 500001], True),
    "a long name": ({"a" * 1000001: 1}, True),
    "numbers are no characters": (["a" * 999999, *[1] * 9], False),
    "a small tuple and a small set": ((1, {2, 3}), False),
    "a large tuple": ((1,) * 20000, True),
    "a large set": (set(range(20000)), True),
}


@pytest.mark.parametrize("case", TOO_MUCH)
def test_data_that_is_too_large_is_told_once_and_not_looked_at(case: str) -> None:
    data, is_too_much = TOO_MUCH[case]
    found = rules.too_much(data)
    assert [one["path"] for one in found] == (["cluster"] if is_too_much else [])
    if is_too_much:
        assert "20000 values or 1000000 characters" in found[0]["problem"] and "aliases" in found[0]["should_be"]
        assert rules.with_rules([], data) == found


def test_data_that_holds_itself_is_told() -> None:
    ring: list[Any] = []
    ring.append(ring)
    assert [one["path"] for one in rules.too_much(ring)] == ["cluster"]


def test_of_several_problems_at_a_path_the_first_is_told_and_all_are_in_order() -> None:
    shape = [
        rules.problem(("cluster", "name"), "does not fit", "a name"),
        rules.problem(("cluster", "zeal"), "is no field here", "left out"),
    ]
    found = rules.with_rules(shape, {"name": "members", "access": {"user": "admin\n"}})
    assert [one["path"] for one in found] == ["cluster.access.user", "cluster.name", "cluster.zeal"]
    assert "line break" in found[0]["problem"] and found[1] == shape[0]
