# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""Single elements of the CIB brought to what is wanted: what is named changes, what others wrote stays as and where it is."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import pytest
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster import cib_build


def element(text: str) -> ElementTree.Element:
    """An element written without the quotes' escapes and blanks between tags."""
    return ElementTree.fromstring("".join(line.strip() for line in text.splitlines()))


def text(found: ElementTree.Element) -> str:
    """An element as text."""
    return ElementTree.tostring(found, encoding="unicode")


def same(found: ElementTree.Element, wanted: str) -> bool:
    """Whether an element is this one, attribute for attribute and child for child."""
    assert ElementTree.canonicalize(text(found)) == ElementTree.canonicalize(text(element(wanted)))
    return True


@pytest.mark.parametrize(
    ("written", "ms"),
    [
        ("10", 10000), ("10s", 10000), ("10sec", 10000), ("10ms", 10), ("10msec", 10), ("2000us", 2), ("2000usec", 2), ("2m", 120000),
        ("2min", 120000), ("1h", 3600000), ("1hr", 3600000), ("0", 0), ("", 0), (None, 0), (" 10 s ", 10000),
        ("10d", None), ("s", None), ("P1D", None), ("-1", None), ("1.5s", None), ("10s 5", None),
    ],
)  # fmt: skip
def test_an_interval_is_read_in_every_unit_that_pacemaker_has(written: str | None, ms: float | None) -> None:
    assert cib_build.interval_ms(written) == ms


@pytest.mark.parametrize(("value", "written"), [(10, "10s"), (0, "0s"), (1.5, "1500ms"), (2.0, "2s"), (0.0004, "0ms"), (0.0016, "2ms")])
def test_seconds_are_written_whole_or_in_milliseconds(value: float, written: str) -> None:
    assert cib_build.seconds(value) == written


PAIR = '<nvpair id="m-{0}" name="{0}" value="{1}"/>'
OWN = '<meta_attributes id="m">' + PAIR.format("a", "1") + PAIR.format("b", "2") + "</meta_attributes>"
MADE = '<meta_attributes id="m">' + PAIR.format("a", "1") + "</meta_attributes>"
RULED = '<meta_attributes id="r"><rule id="x"/><nvpair id="r-a" name="a" value="9"/></meta_attributes>'
LINKED = '<meta_attributes id-ref="other"/>'
VALUES: dict[str, tuple[str, dict[str, Any] | None, bool, tuple[str, ...], str]] = {
    "not stated changes nothing, whole or not": (OWN, None, True, (), OWN),
    "a value that is there is changed where it stands": (OWN, {"b": 3}, False, (), OWN.replace('value="2"', 'value="3"')),
    "a new value is added behind": (OWN, {"c": True}, False, (), OWN.replace("</meta", PAIR.format("c", "true") + "</meta")),
    "a name that an id can't hold is written with dashes in it": (
        OWN, {"c:d#e": 1}, False, (), OWN.replace("</meta", '<nvpair id="m-c-d-e" name="c:d#e" value="1"/></meta'),
    ),
    "merged, the others stay": (OWN, {}, False, (), OWN),
    "whole, the others go": (OWN, {"a": 1}, True, (), OWN.replace(PAIR.format("b", "2"), "")),
    "whole, those to be kept stay": (OWN, {"a": 1}, True, ("b",), OWN),
    "a whole set of nothing goes with its element": (OWN, {}, True, (), ""),
    "nothing wanted and nothing there makes no element": ("", {}, True, (), ""),
    "where there is no set one is made": ("", {"a": 1}, True, (), MADE),
    "a set with a rule belongs to its writer": (RULED, {"a": 1}, True, (), RULED + MADE),
    "a set with a rule stays when all others go": (RULED + OWN, {}, True, (), RULED),
    "a set that only points elsewhere is not ours": (LINKED, {"a": 1}, False, (), LINKED + MADE),
    "a value in a second set is changed there": (
        OWN + OWN.replace('"m', '"n').replace('"a"', '"c"'), {"c": 5}, False, (),
        OWN + OWN.replace('"m', '"n').replace('"a"', '"c"').replace('value="1"', 'value="5"'),
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", VALUES)
def test_a_set_of_values(case: str) -> None:
    before, values, whole, keep, after = VALUES[case]
    parent = element(f"<rsc_defaults>{before}</rsc_defaults>")
    cib_build.bring_values(parent, "meta_attributes", "m", values, whole, keep)
    assert same(parent, f"<rsc_defaults>{after}</rsc_defaults>")


@pytest.mark.parametrize("behind", ["operations", "utilization"])
def test_a_new_set_of_a_primitive_stands_where_the_schema_wants_it(behind: str) -> None:
    parent = element(f'<primitive id="p"><{behind}/></primitive>')
    cib_build.bring_values(parent, "meta_attributes", "p-m", {"a": 1}, whole=False)
    cib_build.bring_values(parent, "instance_attributes", "p-i", {"a": 1}, whole=True)
    assert [child.tag for child in parent] == ["instance_attributes", "meta_attributes", behind]


@pytest.mark.parametrize(
    ("tag", "child"),
    [("group", "primitive"), ("clone", "primitive"), ("clone", "group"), ("master", "primitive"), ("rsc_defaults", "rule")],
)
def test_a_new_set_stands_before_the_members(tag: str, child: str) -> None:
    parent = element(f"<{tag}><{child}/></{tag}>")
    cib_build.bring_values(parent, "meta_attributes", "m", {"a": 1}, whole=False)
    first = ["meta_attributes", child] if tag != "rsc_defaults" else [child, "meta_attributes"]
    assert [found.tag for found in parent] == first


def test_options_stand_behind_what_is_not_of_the_schema_s_order() -> None:
    parent = element("<primitive><description/><meta_attributes/></primitive>")
    cib_build.bring_values(parent, "instance_attributes", "i", {"a": 1}, whole=True)
    assert [child.tag for child in parent] == ["description", "instance_attributes", "meta_attributes"]


MONITOR = '<op id="by-hand" name="monitor" interval="10" timeout="20s"/>'
OPERATIONS: dict[str, tuple[str, list[dict[str, Any]] | None, str]] = {
    "not stated changes nothing": (f"<operations>{MONITOR}</operations>", None, f"<operations>{MONITOR}</operations>"),
    "none wanted and none there": ("", [], ""),
    "none wanted takes all": (f"<operations>{MONITOR}</operations>", [], ""),
    "one that is there keeps its id and its spelling": (
        f"<operations>{MONITOR}</operations>", [{"name": "monitor", "interval_s": 10, "timeout_s": 20}], f"<operations>{MONITOR}</operations>",
    ),
    "another timeout is written": (
        f"<operations>{MONITOR}</operations>", [{"name": "monitor", "interval_s": 10, "timeout_s": 1.5}],
        f'<operations>{MONITOR.replace("20s", "1500ms")}</operations>',
    ),
    "what is no longer wanted of one goes": (
        f"<operations>{MONITOR}</operations>", [{"name": "monitor", "interval_s": 10}],
        f"<operations>{MONITOR.replace(' timeout=' + chr(34) + '20s' + chr(34), '')}</operations>",
    ),
    "another interval is another operation": (
        f"<operations>{MONITOR}</operations>", [{"name": "monitor", "interval_s": 11}],
        '<operations><op id="p-monitor-interval-11s" name="monitor" interval="11s"/></operations>',
    ),
    "another role is another operation": (
        f"<operations>{MONITOR}</operations>", [{"name": "monitor", "interval_s": 10, "role": "Promoted"}],
        '<operations><op id="p-monitor-interval-10s-Promoted" name="monitor" interval="10s" role="Promoted"/></operations>',
    ),
    "one of each field": (
        "", [{"name": "start", "timeout_s": 30, "start_delay_s": 2, "on_fail": "restart"}],
        '<operations><op id="p-start-interval-0s" name="start" interval="0s" timeout="30s" start-delay="2s" on-fail="restart"/></operations>',
    ),
    "an interval that can't be read is compared as it stands": (
        '<operations><op id="x" name="monitor" interval="P1D"/></operations>', [{"name": "monitor"}],
        '<operations><op id="p-monitor-interval-0s" name="monitor" interval="0s"/></operations>',
    ),
    "a time that means the same keeps its spelling": (
        '<operations><op id="x" name="stop" interval="0" timeout="20000ms"/></operations>', [{"name": "stop", "timeout_s": 20}],
        '<operations><op id="x" name="stop" interval="0" timeout="20000ms"/></operations>',
    ),
    "another name is another operation": (
        '<operations><op id="x" name="start" interval="0s"/></operations>', [{"name": "stop"}],
        '<operations><op id="p-stop-interval-0s" name="stop" interval="0s"/></operations>',
    ),
    "of two intervals each keeps its id, and so does the one of a role": (
        '<operations><op id="x" name="monitor" interval="10s"/><op id="y" name="monitor" interval="20s" role="Promoted"/></operations>',
        [{"name": "monitor", "interval_s": 20, "role": "Promoted"}, {"name": "monitor", "interval_s": 10}],
        '<operations><op id="y" name="monitor" interval="20s" role="Promoted"/><op id="x" name="monitor" interval="10s"/></operations>',
    ),
    "the order is the wanted one": (
        f'<operations>{MONITOR}<op id="s" name="stop" interval="0s"/></operations>',
        [{"name": "stop"}, {"name": "monitor", "interval_s": 10, "timeout_s": 20}],
        f'<operations><op id="s" name="stop" interval="0s"/>{MONITOR}</operations>',
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", OPERATIONS)
def test_the_operations_of_a_primitive(case: str) -> None:
    before, wanted, after = OPERATIONS[case]
    parent = element(f'<primitive id="p">{before}</primitive>')
    cib_build.bring_operations(parent, wanted)
    assert same(parent, f'<primitive id="p">{after}</primitive>')


@pytest.mark.parametrize(
    ("agent", "written"),
    [
        ("ocf:heartbeat:IPaddr2", {"class": "ocf", "provider": "heartbeat", "type": "IPaddr2"}),
        ("systemd:web", {"class": "systemd", "type": "web"}),
        ("systemd:web@a:b", {"class": "systemd", "type": "web@a:b"}),
        ("stonith:fence_x", {"class": "stonith", "type": "fence_x"}),
    ],
)
def test_an_agent_is_written_in_its_parts_and_the_former_one_leaves_none(agent: str, written: dict[str, str]) -> None:
    parent = element('<primitive id="p" class="ocf" provider="old" type="Old"/>')
    cib_build.bring_primitive(parent, {"id": "p", "agent": agent})
    assert parent.attrib == {"id": "p", **written}


def test_options_are_brought_whole_and_meta_attributes_merged() -> None:
    parent = element(
        """<primitive id="p" class="systemd" type="a">
        <instance_attributes id="i"><nvpair id="i-x" name="x" value="1"/><nvpair id="i-y" name="y" value="2"/></instance_attributes>
        <meta_attributes id="m"><nvpair id="m-target-role" name="target-role" value="Stopped"/></meta_attributes></primitive>"""
    )
    cib_build.bring_primitive(parent, {"id": "p", "agent": "systemd:a", "options": {"x": 5}, "meta": {"priority": 1}})
    assert same(
        parent,
        """<primitive id="p" class="systemd" type="a">
        <instance_attributes id="i"><nvpair id="i-x" name="x" value="5"/></instance_attributes>
        <meta_attributes id="m"><nvpair id="m-target-role" name="target-role" value="Stopped"/>
        <nvpair id="m-priority" name="priority" value="1"/></meta_attributes></primitive>""",
    )


def test_a_new_primitive_has_sets_that_are_named_after_it() -> None:
    parent = element('<primitive id="p"/>')
    cib_build.bring_primitive(
        parent, {"id": "p", "agent": "systemd:a", "options": {"x": 5}, "meta": {"y": 6}, "operations": [{"name": "stop", "timeout_s": 9}]}
    )
    assert same(
        parent,
        """<primitive id="p" class="systemd" type="a">
        <instance_attributes id="p-instance_attributes"><nvpair id="p-instance_attributes-x" name="x" value="5"/></instance_attributes>
        <meta_attributes id="p-meta_attributes"><nvpair id="p-meta_attributes-y" name="y" value="6"/></meta_attributes>
        <operations><op id="p-stop-interval-0s" name="stop" interval="0s" timeout="9s"/></operations></primitive>""",
    )


@pytest.mark.parametrize(
    ("wanted", "pairs"),
    [
        ({"resource": "a"}, {}),
        ({"resource": "a", "meta": {"clone-max": 2}}, {"clone-max": "2"}),
        ({"resource": "a", "promotable": True}, {"promotable": "true"}),
        ({"resource": "a", "promotable": False, "meta": {"clone-max": 2}}, {"clone-max": "2", "promotable": "false"}),
    ],
)
def test_a_clone_s_meta_attributes(wanted: dict[str, Any], pairs: dict[str, str]) -> None:
    parent = element('<clone id="a-clone"><primitive id="a"/></clone>')
    cib_build.bring_clone(parent, wanted)
    assert {pair.get("name"): pair.get("value") for pair in parent.iter("nvpair")} == pairs
    assert [found.get("id") for found in parent.findall("meta_attributes")] == (["a-clone-meta_attributes"] if pairs else [])


def test_what_others_set_of_a_clone_stays() -> None:
    parent = element('<clone id="c"><meta_attributes id="m"><nvpair id="t" name="target-role" value="Stopped"/></meta_attributes></clone>')
    cib_build.bring_clone(parent, {"id": "c", "resource": "a", "promotable": True})
    assert {pair.get("name"): pair.get("value") for pair in parent.iter("nvpair")} == {"target-role": "Stopped", "promotable": "true"}


CONSTRAINTS: list[tuple[str, dict[str, Any], str]] = [
    ("location", {"resource": "a", "node": "n1", "score": 5}, '<rsc_location id="c" rsc="a" node="n1" score="5"/>'),
    ("location", {"resource": "a", "node": "n1", "score": 0, "role": "Started"}, '<rsc_location id="c" rsc="a" role="Started" node="n1" score="0"/>'),
    ("colocation", {"resource": "a", "with": "b"}, '<rsc_colocation id="c" rsc="a" with-rsc="b" score="INFINITY"/>'),
    (
        "colocation", {"resource": "a", "with": "b", "score": -7, "role": "Started", "with_role": "Promoted"},
        '<rsc_colocation id="c" rsc="a" with-rsc="b" score="-7" rsc-role="Started" with-rsc-role="Promoted"/>',
    ),
    ("order", {"first": "a", "then": "b"}, '<rsc_order id="c" first="a" then="b"/>'),
    (
        "order", {"first": "a", "then": "b", "kind": "Optional", "symmetrical": False, "first_action": "promote", "then_action": "start"},
        '<rsc_order id="c" first="a" then="b" kind="Optional" symmetrical="false" first-action="promote" then-action="start"/>',
    ),
    ("tickets", {"resource": "a", "ticket": "city"}, '<rsc_ticket id="c" rsc="a" ticket="city"/>'),
    (
        "tickets", {"resource": "a", "ticket": "city", "loss_policy": "stop", "role": "Promoted"},
        '<rsc_ticket id="c" rsc="a" ticket="city" loss-policy="stop" rsc-role="Promoted"/>',
    ),
    (
        "location", {"resource": "a", "rule": {"score": 1, "expressions": [{"attribute": "x", "operation": "defined"}]}},
        '<rsc_location id="c" rsc="a"><rule id="c-rule" score="1" boolean-op="and">'
        '<expression id="c-rule-expression-0" attribute="x" operation="defined"/></rule></rsc_location>',
    ),
    (
        "location",
        {
            "resource": "a",
            "rule": {
                "score": "-INFINITY", "boolean_op": "or",
                "expressions": [{"attribute": "x", "operation": "defined"}, {"attribute": "#uname", "operation": "eq", "value": "n1"}],
            },
        },
        '<rsc_location id="c" rsc="a"><rule id="c-rule" score="-INFINITY" boolean-op="or">'
        '<expression id="c-rule-expression-0" attribute="x" operation="defined"/>'
        '<expression id="c-rule-expression-1" attribute="#uname" operation="eq" value="n1"/></rule></rsc_location>',
    ),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "wanted", "written"), CONSTRAINTS)
def test_a_constraint_is_written_in_pacemaker_s_words(kind: str, wanted: dict[str, Any], written: str) -> None:
    assert same(cib_build.build_constraint(kind, {"id": "c", **wanted}), written)


def test_a_constraint_takes_the_place_of_the_one_with_its_id_and_a_new_one_comes_last() -> None:
    constraints = element('<constraints><rsc_order id="a" first="x" then="y"/><rsc_order id="b" first="x" then="y"/></constraints>')
    cib_build.bring_constraint(constraints, element('<rsc_order id="a" first="y" then="x"/>'))
    cib_build.bring_constraint(constraints, element('<rsc_order id="c" first="y" then="x"/>'))
    assert [(found.get("id"), found.get("first")) for found in constraints] == [("a", "y"), ("b", "x"), ("c", "y")]


def test_a_constraint_that_is_there_already_stays_the_one_it_is() -> None:
    constraints = element('<constraints><rsc_order id="a" first="x" then="y"/></constraints>')
    there = constraints[0]
    cib_build.bring_constraint(constraints, element('<rsc_order then="y" first="x" id="a"/>'))
    assert list(constraints) == [there] and constraints[0] is there
