# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""In which order Pacemaker reads sets of values, and which of them are not ours to write. Its own word on it: tests/cluster/test_config_oracle.py."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.cib_sets import (
    DEFAULTS,
    PROPERTIES,
    Foreign,
    foreign,
    overruling,
    pairs_read,
    plain_sets,
    rank,
)

TAG = "cluster_property_set"
RULE = '<rule id="r"/><rule id="q"/>'


def pair(name: str, value: str, one: str) -> str:
    return f'<nvpair id="{one}" name="{name}" value="{value}"/>'


def a_cib(sets: str, elsewhere: str = "") -> ElementTree.Element:
    return ElementTree.fromstring(f"<cib><configuration><crm_config>{sets}</crm_config>{elsewhere}</configuration></cib>")


def config_of(cib: ElementTree.Element) -> ElementTree.Element:
    found = cib.find("configuration/crm_config")
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("attributes", "read"),
    [
        ('id="a"', (False, 0)), ('id="a" score="+7"', (False, 7)), ('id="a" score="-INFINITY"', (False, -1000000)),
        ('id="a" score="INFINITY"', (False, 1000000)), ('id="a" score="odd"', (False, 0)), ('id="a" score="-123456789"', (False, -123456789)),
        ('id="cib-bootstrap-options" score="-5"', (True, 0)),
    ],
)  # fmt: skip
def test_how_early_a_set_is_read(attributes: str, read: tuple[bool, int]) -> None:
    assert rank(ElementTree.fromstring(f"<{TAG} {attributes}/>")) == read


def test_only_a_set_of_properties_is_always_first() -> None:
    assert rank(ElementTree.fromstring('<meta_attributes id="cib-bootstrap-options"/>')) == (False, 0)


def test_what_is_ours_to_write_has_no_rule_and_stands_here() -> None:
    cib = a_cib(
        f'<{TAG} id="a">{pair("x", "1", "a-x")}<nvpair id-ref="b-x" name="z"/></{TAG}><{TAG} id="b" score="4">{RULE}{pair("x", "2", "b-x")}</{TAG}>'
        f'<{TAG} id-ref="c"/><{TAG} id-ref="nowhere"/>',
        f'<op_defaults><meta_attributes id="c">{pair("y", "3", "c-y")}</meta_attributes></op_defaults>',
    )
    parent = config_of(cib)
    assert [one.get("id") for one in plain_sets(parent, TAG)] == ["a"]
    assert foreign(cib, parent, TAG) == [
        Foreign("a", (False, 0), (), "z", "2"), Foreign("b", (False, 4), ("r", "q"), "x", "2"), Foreign("c", (False, 0), (), "y", "3")
    ]  # fmt: skip
    assert foreign(cib, parent, TAG)[0].words == "the set a (score 0, referred to)"
    assert foreign(cib, parent, TAG)[1].words == "the set b (score 4, rule r, q)"
    assert pairs_read(plain_sets(parent, TAG), "z") == [], "a pair that only points elsewhere is not written"
    assert [one.get("id") for one in pairs_read(plain_sets(parent, TAG), "x")] == ["a-x"]


@pytest.mark.parametrize(
    ("mine", "theirs", "found"),
    [
        ("0", "1", ["b"]), ("0", "0", ["b"]), ("1", "0", []), ("INFINITY", "999999", []), ("-INFINITY", "-INFINITY", ["b"]),
    ],
)  # fmt: skip
def test_what_is_read_before_ours_or_as_early_overrules_it(mine: str, theirs: str, found: list[str]) -> None:
    cib = a_cib(
        f'<{TAG} id="a" score="{mine}">{pair("x", "1", "ax")}</{TAG}>'
        f'<{TAG} id="b" score="{theirs}">{RULE}{pair("x", "2", "bx")}{pair("w", "9", "bw")}</{TAG}>'
    )
    assert [one.set_id for one in overruling(cib, "crm_config", TAG, "x", "1")] == found
    assert overruling(cib, "crm_config", TAG, "x", "2") == [], "the same value does no harm"
    assert [one.set_id for one in overruling(cib, "crm_config", TAG, "w", "1")] == ["b"], "where we have none, theirs counts"
    assert overruling(cib, "rsc_defaults", "meta_attributes", "x", "1") == []


def test_a_pair_that_points_elsewhere_has_the_name_from_there_where_it_has_none() -> None:
    cib = a_cib(f'<{TAG} id="a"><nvpair id-ref="b-x"/><nvpair id="n"/></{TAG}><{TAG} id="b">{pair("x", "2", "b-x")}</{TAG}>')
    assert foreign(cib, config_of(cib), TAG) == [Foreign("a", (False, 0), (), "x", "2")]
    assert Foreign("a", (True, 0), ("r",), "x", "2").words == "the set a (which is always read first, rule r)"


def test_of_several_sets_the_one_with_the_highest_score_is_read_and_all_of_them_where_it_is_one() -> None:
    sets = "".join(
        f'<{TAG} id="{one}" score="{score}">{pair("x", "1", one + "x")}</{TAG}>' for one, score in (("a", 1), ("b", 5), ("c", 5))
    )
    assert [one.get("id") for one in pairs_read(plain_sets(config_of(a_cib(sets)), TAG), "x")] == ["bx", "cx"]


def test_nothing_overrules_the_set_that_is_always_first() -> None:
    cib = a_cib(
        f'<{TAG} id="b" score="INFINITY">{RULE}{pair("x", "2", "bx")}</{TAG}><{TAG} id="cib-bootstrap-options">{pair("x", "1", "ax")}</{TAG}>'
    )
    assert overruling(cib, "crm_config", TAG, "x", "1") == []


def test_a_set_that_has_not_the_name_counts_for_nothing() -> None:
    empty = f'<{TAG} id="c" score="9">{pair("w", "1", "cw")}</{TAG}>'
    cib = a_cib(f'{empty}<{TAG} id="a">{pair("x", "1", "ax")}</{TAG}><{TAG} id="b" score="5">{RULE}{pair("x", "2", "bx")}</{TAG}>')
    assert [one.get("id") for one in pairs_read(plain_sets(config_of(cib), TAG), "x")] == ["ax"]
    assert [one.set_id for one in overruling(cib, "crm_config", TAG, "x", "1")] == ["b"]


def test_the_sets_that_there_are_and_what_they_are_called_where_they_are_made() -> None:
    """In Pacemaker's and its tools' words."""
    assert [one[:3] for one in (PROPERTIES, *DEFAULTS)] == [
        ("properties", "crm_config", "cluster_property_set"),
        ("resource_defaults", "rsc_defaults", "meta_attributes"),
        ("operation_defaults", "op_defaults", "meta_attributes"),
    ]
    assert [one[3] for one in (PROPERTIES, *DEFAULTS)] == ["cib-bootstrap-options", "rsc_defaults-options", "op_defaults-options"]
