# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""A property with two names is one. That Pacemaker's own scheduler goes by it: tests/driver/test_cli_what_if.py."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster import renamed, simulation

RULE = '<rule id="r"/>'


def a_cib(sets: str, feature_set: str = "3.20.5") -> ElementTree.Element:
    told = f' crm_feature_set="{feature_set}"' if feature_set else ""
    return ElementTree.fromstring(f"<cib{told}><configuration><crm_config>{sets}</crm_config></configuration></cib>")


def a_set(one: str, rule: str = "", **values: str) -> str:
    pairs = "".join(f'<nvpair id="{one}-{name}" name="{name.replace("_", "-")}" value="{value}"/>' for name, value in values.items())
    return f'<cluster_property_set id="{one}">{rule}{pairs}</cluster_property_set>'


def read(cib: ElementTree.Element) -> list[str]:
    """Every pair as SET NAME=VALUE."""
    sets = cib.findall("configuration/crm_config/cluster_property_set")
    return [f"{one.get('id')} {pair.get('name')}={pair.get('value')}" for one in sets for pair in one.iter("nvpair")]


NEWER, BOTH = a_set("o", fencing_enabled="false"), a_set("o", stonith_enabled="true", fencing_enabled="false", batch_limit="4")
CASES = {
    "the newer name alone": (NEWER, "3.20.5", ["o stonith-enabled=false"]),
    "the older name alone": (a_set("o", stonith_enabled="false"), "3.20.5", ["o stonith-enabled=false"]),
    "of both the newer one counts": (BOTH, "3.20.5", ["o stonith-enabled=false", "o batch-limit=4"]),
    "of both in two sets too": (a_set("s", stonith_enabled="true") + NEWER, "3.20.5", ["o stonith-enabled=false"]),
    "for a later release too": (BOTH, "3.21.0", ["o stonith-enabled=false", "o batch-limit=4"]),
    "for one that does not say what it is too": (BOTH, "", ["o stonith-enabled=false", "o batch-limit=4"]),
    "for one that says something odd too": (BOTH, "3.x.1", ["o stonith-enabled=false", "o batch-limit=4"]),
    "an earlier release reads the older name alone": (BOTH, "3.20.4", ["o stonith-enabled=true", "o batch-limit=4"]),
    "and the newer one for nothing": (NEWER, "3.16.2", []),
    "what only a rule sets leaves the other its value": (
        a_set("n", RULE, fencing_enabled="false", stonith_enabled="yes") + a_set("o", stonith_enabled="true"), "3.20.5",
        ["n stonith-enabled=false", "o stonith-enabled=true"],
    ),
    "each of them": (
        a_set("o", fencing_action="off", fencing_timeout="9s", fencing_watchdog_timeout="8s", fencing_max_attempts="3", fencing_reaction="panic",
              stop_removed_resources="false", cancel_removed_actions="false"), "3.20.5",
        ["o stonith-action=off", "o stonith-timeout=9s", "o stonith-watchdog-timeout=8s", "o stonith-max-attempts=3", "o fence-reaction=panic",
         "o stop-orphan-resources=false", "o stop-orphan-actions=false"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_a_scheduler_of_any_release_is_told_by_what_the_cluster_goes(case: str) -> None:
    sets, feature_set, expected = CASES[case]
    cib = a_cib(sets, feature_set)
    before = ElementTree.tostring(cib)
    assert read(renamed.for_any_scheduler(cib)) == expected
    assert read(ElementTree.fromstring(simulation.question(cib))) == expected
    assert ElementTree.tostring(cib) == before, "only the copy is changed"


def test_a_cib_without_properties_is_asked_about_as_it_is() -> None:
    assert simulation.question(ElementTree.fromstring("<cib/>")) == "<cib />"


@pytest.mark.parametrize(
    ("schema", "asked"),
    [("pacemaker-4.0", "pacemaker-3.9"), ("pacemaker-3.10", "pacemaker-3.9"), ("pacemaker-3.9", "pacemaker-3.9"), ("pacemaker-2.10", "pacemaker-2.10"),
     ("none", "none")],
)  # fmt: skip
def test_an_earlier_scheduler_is_asked_in_a_schema_that_it_has_and_is_not_told_the_release(schema: str, asked: str) -> None:
    cib = ElementTree.fromstring(f'<cib crm_feature_set="3.20.5" validate-with="{schema}"/>')
    assert ElementTree.fromstring(simulation.question(cib)).attrib == {"validate-with": asked}


def test_what_is_set_under_one_name_is_set_under_the_other() -> None:
    cib = a_cib(a_set("o", fencing_enabled="false", stonith_timeout="9s", batch_limit="4"))
    assert renamed.there(cib) == {"stonith-enabled", "fencing-timeout"}


def test_a_stated_property_is_brought_under_the_other_name_where_that_is_set() -> None:
    cib = a_cib(a_set("o", fencing_enabled="false"))
    config = {"properties": {"stonith-enabled": True, "stonith-action": "off", "batch-limit": 4}}
    assert renamed.with_other_names(cib, config)["properties"] == {**config["properties"], "fencing-enabled": True}
    stated = {"properties": {"stonith-enabled": True, "fencing-enabled": False}}
    assert renamed.with_other_names(cib, stated) is stated and renamed.with_other_names(cib, {}) == {}


def test_two_values_of_one_property_contradict_each_other() -> None:
    assert renamed.contradictions({"stonith-enabled": True, "fencing-enabled": False}) == [("fencing-enabled", "stonith-enabled")]
    assert renamed.contradictions({"stonith-enabled": True, "fencing-enabled": True, "fencing-action": "off"}) == []
