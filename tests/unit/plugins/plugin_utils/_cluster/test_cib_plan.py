# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""Planning a CIB: golden pairs (cib_cases/, named as what must hold), refusals, and what holds for every configuration.

A pair is the CIB that comes of config.yml, and what people are told of it: before, after, and whose running is waited for.
ONDEMAND_WRITE_GOLDEN=1 writes the pairs anew; look at the difference before keeping it.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.cib import CibError, parse_cib, same, to_text
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.cib_plan import CibPlan, plan_cib
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.cib_spec import check_config
from hypothesis import given, settings
from hypothesis import strategies as st

CASES = Path(__file__).parent / "cib_cases"
PRESENT = (CASES / "present.xml").read_text()
NAMES = sorted(path.parent.name for path in CASES.glob("*/config.yml"))


def planned(config: dict[str, Any], mode: str = "merge", cib: str = PRESENT) -> CibPlan:
    """The plan for a configuration that is in order."""
    assert check_config(config) == []
    return plan_cib(parse_cib(cib), config, mode)


def shown(xml: str) -> str:
    """A CIB as text that people can compare."""
    return to_text(parse_cib(xml))


@pytest.mark.parametrize("name", NAMES)
def test_the_wanted_cib_is_the_golden_one(name: str) -> None:
    case = yaml.safe_load((CASES / name / "config.yml").read_text())
    plan = planned(case["config"], case.get("mode", "merge"))
    assert plan.problems == ()
    told = "== before\n%s== after\n%s== owned\n%s\n" % (plan.before, plan.after, " ".join(plan.owned))
    for file, text in (("after.xml", shown(plan.wanted)), ("told.txt", told)):
        if os.environ.get("ONDEMAND_WRITE_GOLDEN"):
            (CASES / name / file).write_text(text)
        assert text == (CASES / name / file).read_text()


@pytest.mark.parametrize("name", NAMES)
def test_planning_twice_is_empty(name: str) -> None:
    case = yaml.safe_load((CASES / name / "config.yml").read_text())
    first = planned(case["config"], case.get("mode", "merge"))
    second = planned(case["config"], case.get("mode", "merge"), first.wanted)
    assert not second.changed
    assert second.before == second.after
    assert same(parse_cib(second.original), parse_cib(second.wanted))


def test_the_difference_shows_what_is_named_and_nothing_else() -> None:
    plan = planned({"resources": [{"id": "mail", "agent": "ocf:pacemaker:Dummy", "options": {"fake": "three"}}]})
    assert plan.changed
    assert 'value="one"' in plan.before
    assert 'value="three"' in plan.after
    assert "files" not in plan.before + plan.after
    assert plan.version == "0:41"


def test_no_change_leaves_the_version_and_a_change_raises_it() -> None:
    same_one = planned({"properties": {"stonith-enabled": False}})
    assert not same_one.changed
    assert same_one.wanted == same_one.original
    changed = parse_cib(planned({"properties": {"stonith-enabled": True}}).wanted)
    assert (changed.get("epoch"), changed.get("num_updates")) == ("42", "0")


def test_what_nodes_reported_is_in_no_patch() -> None:
    plan = planned({"properties": {"stonith-enabled": True}})
    assert "node_state" not in plan.original + plan.wanted


def test_secrets_are_hidden_and_a_new_one_still_shows_as_a_difference() -> None:
    def fence(password: str) -> dict[str, Any]:
        return {"resources": [{"id": "fence", "agent": "stonith:fence_ipmilan", "options": {"passwd": password, "ip": "192.0.2.9"}}]}

    first = planned(fence("old secret"))
    second = planned(fence("new secret"), cib=first.wanted)
    for plan in (first, second):
        assert "secret" not in plan.before + plan.after
        assert plan.before != plan.after
    assert "new secret" in second.wanted


NOWHERE = "the id of a primitive that is stated here or in the CIB"
REFUSED: list[tuple[dict[str, Any], str, str, str]] = [
    (
        {"groups": [{"id": "files", "members": ["files-app"]}]},
        "config.groups[0].members",
        "files-data is in the group now and isn't named",
        "among the members, or named in absent to be removed",
    ),
    ({"groups": [{"id": "g", "members": ["nobody"]}]}, "config.groups[0].members[0]", "nobody is nowhere", NOWHERE),
    ({"groups": [{"id": "g", "members": ["mail", "files"]}]}, "config.groups[0].members[1]", "files is a group", NOWHERE),
    (
        {"groups": [{"id": "mail", "members": ["files-app"]}]},
        "config.groups[0]",
        "mail is a primitive already",
        "an id that nothing else has",
    ),
    (
        {"resources": [{"id": "agent-clone", "agent": "systemd:x"}]},
        "config.resources[0]",
        "agent-clone is a clone already",
        "an id that nothing else has",
    ),
    (
        {"clones": [{"id": "files", "resource": "mail"}]},
        "config.clones[0]",
        "files is a group already",
        "an id that nothing else has",
    ),
    (
        {"clones": [{"resource": "nobody"}]},
        "config.clones[0].resource",
        "nobody is nowhere",
        "the id of a primitive or group that is stated here or in the CIB",
    ),
    (
        {"clones": [{"id": "agent-clone", "resource": "mail"}]},
        "config.clones[0].resource",
        "the clone holds agent now",
        "agent, or another id for the new clone",
    ),
]


@pytest.mark.parametrize("config, path, what, should_be", REFUSED)
def test_what_does_not_fit_the_cluster_is_refused_with_its_path(config: dict[str, Any], path: str, what: str, should_be: str) -> None:
    assert planned(config).problems == ({"path": path, "problem": what, "should_be": should_be},)


@pytest.mark.parametrize("text", ["", "<cib>", "<other/>", "<cib/>", "<!DOCTYPE cib [<!ENTITY a 'b'>]><cib><configuration/></cib>"])
def test_what_is_no_cib_is_refused(text: str) -> None:
    with pytest.raises(CibError):
        parse_cib(text)


# Any printable text: quotes, angle brackets, ampersands, signs beyond ASCII.
VALUES = st.one_of(st.booleans(), st.integers(-10, 10**6), st.text(st.characters(codec="utf-8", exclude_categories=["C"]), max_size=30))
KEYS = st.from_regex(r"[a-z][a-z0-9_-]{0,12}", fullmatch=True)
SETS = st.dictionaries(KEYS, VALUES, max_size=4)
IDS = st.sampled_from(["mail", "files-data", "files-app", "agent", "new-a", "new-b"])
TIMES = {"interval_s": st.sampled_from([0, 10, 0.5]), "timeout_s": st.integers(1, 99)}
OPERATIONS = st.lists(
    st.fixed_dictionaries({"name": st.sampled_from(["monitor", "start", "stop"]), **TIMES}),
    max_size=3,
    unique_by=lambda one: (one["name"], one["interval_s"]),
)
RESOURCES = st.lists(
    st.fixed_dictionaries(
        {"id": IDS, "agent": st.sampled_from(["systemd:a", "ocf:x:b"])}, optional={"options": SETS, "meta": SETS, "operations": OPERATIONS}
    ),
    max_size=4,
    unique_by=lambda one: one["id"],
)
CONFIGS = st.fixed_dictionaries(
    {"resources": RESOURCES}, optional={"properties": SETS, "resource_defaults": SETS, "operation_defaults": SETS}
)


@settings(max_examples=150, deadline=None)
@given(config=CONFIGS, mode=st.sampled_from(["merge", "replace"]))
def test_for_any_configuration_the_second_plan_is_empty_and_values_stay_values(config: dict[str, Any], mode: str) -> None:
    first = planned(config, mode)
    again = planned(config, mode, first.wanted)
    assert not again.changed
    assert again.after == again.before
    root = parse_cib(first.wanted)
    for one in config["resources"]:
        element = next(e for e in root.iter("primitive") if e.get("id") == one["id"])
        own = {pair.get("name"): pair.get("value") for pair in element.iterfind("./instance_attributes[1]/nvpair")}
        for name, value in one.get("options", {}).items():
            text = ("true" if value else "false") if isinstance(value, bool) else str(value)
            assert own[name] == text


@settings(max_examples=100, deadline=None)
@given(config=CONFIGS)
def test_merging_leaves_every_element_that_is_not_named(config: dict[str, Any]) -> None:
    before, after = parse_cib(PRESENT), parse_cib(planned(config).wanted)
    named = {one["id"] for one in config["resources"]}
    for tag in ("nodes", "constraints"):
        assert same(_only(before, tag), _only(after, tag))
    kept = {e.get("id"): e for e in after.iter("primitive")}
    for element in before.iter("primitive"):
        if element.get("id") not in named:
            assert same(element, kept[element.get("id")])
        else:
            ruled = [e for e in element.findall("instance_attributes") if e.find("rule") is not None]
            assert all(any(same(one, other) for other in kept[element.get("id")]) for one in ruled)


def _only(cib: ElementTree.Element, tag: str) -> ElementTree.Element:
    found = cib.find("configuration/" + tag)
    assert found is not None
    return found
