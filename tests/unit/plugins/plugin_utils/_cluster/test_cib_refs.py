# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""Ids of a CIB, piece by piece: where a configuration states them, none twice, and none named that is not there."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import pytest
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.cib_refs import dangling, paths_of, settle_ids


def test_every_id_has_the_path_where_it_is_stated() -> None:
    config: dict[str, Any] = {
        "absent": ["old", "older"],
        "resources": [{"id": "web"}, {"id": "mail"}],
        "groups": [{"id": "g", "members": ["mail"]}],
        "clones": [{"resource": "web"}, {"id": "everywhere", "resource": "g"}],
        "constraints": {
            "location": [{"id": "l"}],
            "colocation": [{"id": "c"}, {"id": "d"}],
            "order": [{"id": "o"}],
            "tickets": [{"id": "t"}],
        },
    }
    assert paths_of(config) == {
        "old": "config.absent[0]",
        "older": "config.absent[1]",
        "web": "config.resources[0]",
        "mail": "config.resources[1]",
        "g": "config.groups[0]",
        "web-clone": "config.clones[0]",
        "everywhere": "config.clones[1]",
        "l": "config.constraints.location[0]",
        "c": "config.constraints.colocation[0]",
        "d": "config.constraints.colocation[1]",
        "o": "config.constraints.order[0]",
        "t": "config.constraints.tickets[0]",
    }
    assert paths_of({}) == {}
    assert paths_of({"resources": None, "absent": None, "constraints": {"order": None}}) == {}


def cib(inside: str) -> ElementTree.Element:
    """A CIB of a configuration with this in it."""
    return ElementTree.fromstring(f"<cib><configuration>{inside}</configuration></cib>")


def settled(old: str, new: str, paths: dict[str, str]) -> tuple[list[tuple[str, str | None]], list[Any]]:
    """Tag and id of what is new, with what is old before it, and the problems."""
    tree = cib(old + "<new>" + new + "</new>")
    made = next(tree.iter("new"))
    there = [element for element in tree.iter() if element not in set(made.iter()) or element is made]
    problems = settle_ids(tree, there, paths)
    return [(element.tag, element.get("id")) for element in made.iter() if element is not made], problems


ALREADY = {"path": "config.x", "problem": "a is the id of a nvpair already", "should_be": "an id that nothing else has"}
OLD = '<nvpair id="a"/><nvpair id="b"/><nvpair id="b-1"/><nvpair/>'
SETTLED = {
    "one that nothing has stays": (OLD, '<nvpair id="c"/>', [("nvpair", "c")], []),
    "one that nobody chose gets a number": (OLD, '<nvpair id="a"/>', [("nvpair", "a-1")], []),
    "and the next where that is taken": (OLD, '<nvpair id="b"/>', [("nvpair", "b-2")], []),
    "two new ones of one id differ": (OLD, '<op id="n"/><op id="n"/>', [("op", "n"), ("op", "n-1")], []),
    "three new ones of one id too": (
        "",
        '<op id="n"/><op id="n"/><op id="n"/>',
        [("op", "n"), ("op", "n-1"), ("op", "n-2")],
        [],
    ),
    "what has none gets none": (OLD, "<op/>", [("op", None)], []),
    "a chosen one is not changed but told": (OLD, '<primitive id="a"/>', [("primitive", "a")], [ALREADY]),
    "a chosen one of a constraint too": (OLD, '<rsc_ticket id="a"/>', [("rsc_ticket", "a")], [ALREADY]),
    "a chosen one that nothing has is kept": (OLD, '<group id="c"/>', [("group", "c")], []),
}


@pytest.mark.parametrize("old, new, expected, problems", SETTLED.values(), ids=SETTLED.keys())
def test_each_new_element_gets_an_id_of_its_own(old: str, new: str, expected: list[Any], problems: list[Any]) -> None:
    assert settled(old, new, {"a": "config.x"}) == (expected, problems)


def test_an_id_without_a_path_is_told_of_the_whole_configuration() -> None:
    _made, problems = settled(OLD, '<clone id="b"/>', {})
    assert [(one["path"], one["problem"]) for one in problems] == [("config", "b is the id of a nvpair already")]


def test_what_is_old_keeps_its_id_also_behind_a_new_one() -> None:
    tree = cib('<new id="n"/><old id="n"/>')
    settle_ids(tree, list(tree.iter("old")), {})
    assert [(one.tag, one.get("id")) for one in tree.iter() if one.get("id")] == [("new", "n-1"), ("old", "n")]


SPELLINGS = {
    "rsc": '<rsc_location id="h" rsc="x"/>',
    "with-rsc": '<rsc_colocation id="h" rsc="there" with-rsc="x"/>',
    "first": '<rsc_order id="h" first="x" then="there"/>',
    "then": '<rsc_order id="h" first="there" then="x"/>',
    "a set": '<rsc_ticket id="h"><resource_set id="s"><resource_ref id="x"/></resource_set></rsc_ticket>',
}
THERE = '<resources><primitive id="there"/>%s</resources>'


def problems_of(before: str, after: str, paths: dict[str, str]) -> list[tuple[str, str, str]]:
    return [(one["path"], one["problem"], one["should_be"]) for one in dangling(cib(before), cib(after), paths)]


@pytest.mark.parametrize("constraint", SPELLINGS.values(), ids=SPELLINGS.keys())
def test_whatever_way_a_constraint_names_a_resource_it_is_told(constraint: str) -> None:
    with_x, without = THERE % '<primitive id="x"/>', THERE % ""
    there = f"<constraints>{constraint}</constraints>"
    found = [("config", "constraint h names x, which would go", "h corrected first, or named in absent too")]
    assert problems_of(with_x + there, without + there, {}) == found
    assert problems_of(with_x + there, with_x + there, {}) == []
    assert problems_of(without + there, without + there, {}) == [], "it names nobody already"


def test_a_reference_is_no_resource() -> None:
    refs = '<tags><tag id="blue"><obj_ref id="x"/></tag></tags>'
    there = '<constraints><rsc_location id="h" rsc="x"/></constraints>'
    assert [what for _path, what, _should_be in problems_of("", refs + there, {})] == [
        "constraint h names x, which would go",
        "tag blue names x, which would go",
    ]


BY_ACL = '<acls><acl_role id="r"><acl_permission id="p" reference="x"/><acl_permission id="q" xpath="/cib"/></acl_role></acls>'
BY_TAG = '<tags><tag id="blue"><obj_ref id="x"/></tag></tags>'
BY_BOTH = '<constraints><rsc_colocation id="h" rsc="x" with-rsc="x"/></constraints>'
HOLDERS = {
    "a permission": (BY_ACL, {}, [("config", "permission p names x, which would go", "p corrected first, or named in absent too")]),
    "a tag": (BY_TAG, {}, [("config", "tag blue names x, which would go", "blue corrected first, or named in absent too")]),
    "one that names it twice": (
        BY_BOTH,
        {},
        [("config", "constraint h names x, which would go", "h corrected first, or named in absent too")],
    ),
    "where it shall go": (
        BY_BOTH,
        {"x": "config.absent[3]", "h": "config.constraints.order[0]"},
        [("config.absent[3]", "constraint h names x", "h corrected first, or named in absent too")],
    ),
    "where the constraint is stated": (
        BY_BOTH,
        {"x": "config.resources[0]", "h": "config.constraints.order[0]"},
        [("config.constraints.order[0]", "constraint h names x", "the id of a resource that is stated here or in the CIB")],
    ),
}


@pytest.mark.parametrize("holder, paths, expected", HOLDERS.values(), ids=HOLDERS.keys())
def test_who_names_what_is_not_there_is_told_where_it_can_be_mended(holder: str, paths: dict[str, str], expected: list[Any]) -> None:
    assert problems_of(THERE % '<primitive id="x"/>' + holder, holder, paths) == expected
