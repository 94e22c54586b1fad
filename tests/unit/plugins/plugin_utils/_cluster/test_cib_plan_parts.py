# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""What a plan does with groups, clones, and all that a replacing configuration does not name. Small CIBs, whole sections compared."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.cib import parse_cib, to_text
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.cib_plan import CibPlan, plan_cib
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.cib_spec import check_config

AGENT = "systemd:x"


def one(name: str, inside: str = "") -> str:
    return f'<primitive id="{name}" class="systemd" type="x">{inside}</primitive>'


def near(name: str, resource: str) -> str:
    return f'<rsc_location id="{name}" rsc="{resource}" node="n1" score="5"/>'


def planned(
    resources: str, config: dict[str, Any], mode: str = "merge", constraints: str = "", options: str = "", more: str = ""
) -> CibPlan:
    assert check_config(config) == []
    cib = (
        '<cib validate-with="pacemaker-3.9"><configuration>'
        f'<crm_config><cluster_property_set id="cib-bootstrap-options">{options}</cluster_property_set></crm_config><nodes/>'
        f"<resources>{resources}</resources><constraints>{constraints}</constraints>{more}</configuration><status/></cib>"
    )
    plan = plan_cib(parse_cib(cib), config, mode)
    if not plan.problems:
        again = plan_cib(parse_cib(plan.wanted), config, mode)
        assert (again.changed, again.before) == (False, again.after)
    return plan


def section(plan: CibPlan, tag: str) -> str:
    """A section of the wanted CIB as tags with ids, what is inside in brackets; values and attributes left out."""

    def shown(element: Any) -> str:
        inside = " ".join(shown(child) for child in element if child.tag != "nvpair")
        return element.get("id", element.tag) + (f"({inside})" if inside else "")

    found = parse_cib(plan.wanted).find(f"configuration/{tag}")
    assert plan.problems == () and found is not None
    return " ".join(shown(child) for child in found)


TWO = f'<group id="g">{one("a")}{one("b")}</group>'
META = '<meta_attributes id="m"><nvpair id="n" name="priority" value="1"/></meta_attributes>'
MOVES: dict[str, tuple[str, dict[str, Any], str, str]] = {
    "members change places": (TWO, {"groups": [{"id": "g", "members": ["b", "a"]}]}, "merge", "g(b a)"),
    "members stand behind the group's own values": (
        f'<group id="g">{META}{one("a")}</group>{one("c")}',
        {"groups": [{"id": "g", "members": ["c", "a"], "meta": {"is-managed": True}}]},
        "merge",
        "g(m c a)",
    ),
    "who is named in absent goes out of the group": (TWO, {"groups": [{"id": "g", "members": ["b"]}], "absent": ["a"]}, "merge", "g(b)"),
    "a member goes over to a group that is stated later": (
        TWO + f'<group id="h">{one("c")}</group>',
        {"groups": [{"id": "g", "members": ["a"]}, {"id": "h", "members": ["b", "c"]}]},
        "merge",
        "g(a) h(b c)",
    ),
    "a member becomes a clone": (
        TWO,
        {"groups": [{"id": "g", "members": ["a"]}], "clones": [{"resource": "b"}]},
        "merge",
        "g(a) b-clone(b)",
    ),
    "a group that all its members leave is gone": (TWO, {"groups": [{"id": "h", "members": ["b", "a"]}]}, "merge", "h(b a)"),
    "a group becomes a clone": (TWO, {"clones": [{"id": "everywhere", "resource": "g"}]}, "merge", "everywhere(g(a b))"),
    "a clone of a group that loses all its members is gone with it": (
        f'<clone id="c">{TWO}</clone>',
        {"absent": ["a", "b"]},
        "merge",
        "",
    ),
    "a clone of older times is a clone": (
        f'<master id="a-clone">{one("a")}</master>',
        {"clones": [{"resource": "a", "meta": {"interleave": True}}]},
        "merge",
        "a-clone(a-clone-meta_attributes a)",
    ),
    "replacing, who is named but in no group stands alone": (
        TWO,
        {"resources": [{"id": "b", "agent": AGENT}], "groups": [{"id": "g", "members": ["a"]}]},
        "replace",
        "g(a) b",
    ),
    "replacing, what holds a named one stays": (
        f'<clone id="c">{one("a")}</clone>{TWO.replace("a", "x")}{one("d")}',
        {"resources": [{"id": "a", "agent": AGENT}]},
        "replace",
        "c(a)",
    ),
    "replacing, clones and their resources stay": (
        f'<clone id="c">{one("a")}</clone><clone id="d">{one("b")}</clone>{one("e")}',
        {"clones": [{"id": "c", "resource": "a"}]},
        "replace",
        "c(a)",
    ),
    "replacing, groups and their members stay": (TWO + one("c"), {"groups": [{"id": "g", "members": ["a", "b"]}]}, "replace", "g(a b)"),
    "replacing, an id within a resource is not its name": (
        one("a", '<operations><op id="x" name="monitor" interval="9s"/></operations>') + one("b"),
        {"resources": [{"id": "b", "agent": AGENT}], "constraints": {"location": [{"id": "x", "resource": "b", "node": "n1", "score": 1}]}},
        "replace",
        "b",
    ),
}


@pytest.mark.parametrize("resources, config, mode, expected", MOVES.values(), ids=MOVES.keys())
def test_resources_come_where_the_configuration_has_them(resources: str, config: dict[str, Any], mode: str, expected: str) -> None:
    assert section(planned(resources, config, mode), "resources") == expected


def test_an_older_clone_is_no_group_and_a_group_no_clone() -> None:
    problems = [
        planned(f'<master id="c">{one("a")}</master>', {"groups": [{"id": "c", "members": ["a"]}]}).problems,
        planned(f'<bundle id="c"><podman image="x"/>{one("a")}</bundle>', {"clones": [{"id": "c", "resource": "a"}]}).problems,
    ]
    assert [(found[0]["path"], found[0]["problem"]) for found in problems] == [
        ("config.groups[0]", "c is a master already"),
        ("config.clones[0]", "c is a bundle already"),
    ]


def test_what_a_group_s_own_values_are_besides_stays() -> None:
    config = {"groups": [{"id": "g", "members": ["a"], "meta": {"is-managed": True}}]}
    plan = planned(f'<group id="g">{META}{one("a")}</group>', config)
    assert [(pair.get("name"), pair.get("value")) for pair in parse_cib(plan.wanted).iter("nvpair")] == [
        ("priority", "1"),
        ("is-managed", "true"),
    ]


CONSTRAINTS = near("one", "a") + near("two", "a") + near("three", "a")
STATED = {"location": [{"id": "two", "resource": "a", "node": "n1", "score": 5}], "colocation": None}
LEFT: dict[str, tuple[dict[str, Any], str, str]] = {
    "merging, all stay": ({"constraints": STATED}, "merge", "one two three"),
    "merging, the absent go": ({"constraints": STATED, "absent": ["one"]}, "merge", "two three"),
    "replacing, the stated stay in their places": (
        {"constraints": {"location": [STATED["location"][0], {**STATED["location"][0], "id": "one"}]}},  # type: ignore[index]
        "replace",
        "one two",
    ),
    "replacing, the others go": ({"constraints": STATED}, "replace", "two"),
    "replacing without any, all go": ({}, "replace", ""),
}


@pytest.mark.parametrize("config, mode, expected", LEFT.values(), ids=LEFT.keys())
def test_constraints_stay_or_go(config: dict[str, Any], mode: str, expected: str) -> None:
    config = {"resources": [{"id": "a", "agent": AGENT}], **config}
    assert section(planned(one("a"), config, mode, CONSTRAINTS), "constraints") == expected


OWN = ("cluster-infrastructure", "cluster-name", "dc-version", "have-watchdog", "last-lrm-refresh")
OPTIONS = "".join(f'<nvpair id="{name}" name="{name}" value="0"/>' for name in (*OWN, "cluster-delay", "no-quorum-policy"))


def names(plan: CibPlan) -> list[str | None]:
    return [pair.get("name") for pair in parse_cib(plan.wanted).iterfind("configuration/crm_config/*/nvpair")]


def test_replacing_properties_leaves_those_that_pacemaker_writes_itself_and_shows_the_others() -> None:
    plan = planned("", {"properties": {"cluster-delay": "9s"}}, "replace", options=OPTIONS)
    assert names(plan) == [*OWN, "cluster-delay"]
    assert plan.before == (
        '<nvpair id="cluster-delay" name="cluster-delay" value="0"/>\n<nvpair id="no-quorum-policy" name="no-quorum-policy" value="0"/>\n'
    )
    assert plan.after == '<nvpair id="cluster-delay" name="cluster-delay" value="9s"/>\n'


@pytest.mark.parametrize("config", [{}, {"properties": None}, {"unless_set": {"properties": None, "resource_defaults": {}}}])
def test_replacing_without_properties_leaves_and_shows_none_of_them(config: dict[str, Any]) -> None:
    plan = planned("", config, "replace", options=OPTIONS)
    assert (plan.changed, plan.before, plan.after) == (False, "", "")


def test_a_value_that_is_only_for_the_unset_is_shown_as_it_is() -> None:
    plan = planned("", {"unless_set": {"properties": {"cluster-delay": "9s", "batch-limit": 3}}}, options=OPTIONS)
    kept = '<nvpair id="cluster-delay" name="cluster-delay" value="0"/>\n'
    made = '<nvpair id="cib-bootstrap-options-batch-limit" name="batch-limit" value="3"/>\n'
    assert (plan.before, plan.after) == (kept, kept + made)


SWITCH = {"unless_set": {"properties": {"stonith-enabled": False}}}


@pytest.mark.parametrize(
    "name, value, is_fencing",
    [
        *[("have-watchdog", word, True) for word in ("true", "TRUE", "on", "yes", "y", "1")],
        *[("have-watchdog", word, False) for word in ("false", "no", "0", "")],
        ("symmetric-cluster", "true", False),
        ("fenceless", "1", False),
        ("fencing-timeout", "9", True),
    ],
)
def test_the_switch_of_fencing_is_set_only_where_there_is_none(name: str, value: str, is_fencing: bool) -> None:
    plan = planned("", SWITCH, options=f'<nvpair id="o" name="{name}" value="{value}"/>')
    assert names(plan) == ([name] if is_fencing else [name, "stonith-enabled"])


def test_the_switch_of_fencing_is_no_default_of_resources() -> None:
    plan = planned("", {**SWITCH, "properties": {"stonith-watchdog-timeout": 5}})
    assert names(plan) == ["stonith-watchdog-timeout", "stonith-enabled"], "fencing is what was there before"


def test_what_a_problem_left_out_is_told_once() -> None:
    config: dict[str, Any] = {
        "clones": [{"resource": "nobody"}],
        "constraints": {"location": [{"id": "c", "resource": "nobody", "node": "n1", "score": 1}]},
    }
    assert [found["path"] for found in planned("", config).problems] == ["config.clones[0].resource"]


def test_a_document_without_a_version_gets_the_first_one() -> None:
    plan = planned("", {"properties": {"batch-limit": 3}})
    assert (plan.version, parse_cib(plan.wanted).get("epoch"), parse_cib(plan.wanted).get("num_updates")) == ("0:0", "1", "0")


def test_what_held_a_named_one_is_shown_as_it_is_left() -> None:
    plan = planned(TWO + one("c"), {"groups": [{"id": "h", "members": ["b"]}], "absent": ["never-was"]})
    assert plan.before == "".join(to_text(e) for e in parse_cib(plan.original).iterfind(".//group"))
    assert plan.after == "".join(to_text(e) for e in parse_cib(plan.wanted).iterfind(".//group"))
    assert section(plan, "resources") == "g(a) c h(b)"


def test_an_id_within_a_resource_that_is_named_shows_nothing() -> None:
    plan = planned(one("a", '<operations><op id="x" name="monitor" interval="9s"/></operations>'), {"absent": ["x"]})
    assert (plan.changed, plan.before, plan.after) == (False, "", "")


def test_owned_is_what_is_stated_and_stays() -> None:
    config: dict[str, Any] = {
        "resources": [{"id": "a", "agent": AGENT}],
        "groups": [{"id": "g", "members": ["b"]}],
        "clones": [{"resource": "a"}],
        "constraints": {"order": [{"id": "o", "first": "a-clone", "then": "g"}], "tickets": None},
        "absent": ["old"],
    }
    assert planned(one("b") + one("old"), config).owned == ("a", "a-clone", "b", "g", "o")
    assert planned("", {"resources": None, "groups": None, "clones": None, "constraints": None, "absent": None}).owned == ()
