# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""Whose value counts: what somebody set stays, what is wanted is written where Pacemaker reads it, and ids are given once."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.cib import parse_cib
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.cib_plan import CibPlan, plan_cib
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.cib_spec import check_config
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.services import RESOURCE_DEFAULTS, wanted_resources

FILE = {"name": "shop", "network": {"prefix": 24}, "services": [], "fencing": {"method": "none"}}
RULE = '<rule id="r" score="INFINITY"><date_expression id="d" operation="gt" start="2001-01-01"/></rule>'
DEVICE = '<primitive id="fence" class="stonith" type="fence_virt"/>'


def a_cib(options: str = "", resources: str = "", constraints: str = "", more: str = "") -> str:
    return (
        '<cib validate-with="pacemaker-3.9" admin_epoch="0" epoch="7" num_updates="0"><configuration>'
        f"<crm_config>{options}</crm_config><nodes/><resources>{resources}</resources><constraints>{constraints}</constraints>{more}"
        "</configuration><status/></cib>"
    )


def properties(set_id: str, more: str = "", **values: str) -> str:
    """A set of properties; a name's underscores are hyphens, and two of them one underscore."""
    pairs = "".join(
        f'<nvpair id="{set_id}.{name}" name="{name.replace("__", " ").replace("_", "-").replace(" ", "_")}" value="{value}"/>'
        for name, value in values.items()
    )
    return f'<cluster_property_set id="{set_id}">{more}{pairs}</cluster_property_set>'


def planned(cib: str, config: dict[str, Any], mode: str = "merge") -> CibPlan:
    assert check_config(config) == []
    return plan_cib(parse_cib(cib), config, mode)


def values(cib: str, where: str) -> dict[tuple[str | None, str | None], str | None]:
    """Set and name to value."""
    return {(one.get("id"), pair.get("name")): pair.get("value") for one in parse_cib(cib).iterfind(where) for pair in one.iter("nvpair")}


PROPERTIES, DEFAULTS = "configuration/crm_config/*", "configuration/rsc_defaults/*"


def test_a_cluster_that_nobody_has_set_gets_the_policy_of_the_file_and_keeps_it() -> None:
    first = planned(a_cib(properties("cib-bootstrap-options", have_watchdog="false", cluster_name="shop")), wanted_resources(FILE))
    assert values(first.wanted, PROPERTIES) == {
        ("cib-bootstrap-options", "have-watchdog"): "false",
        ("cib-bootstrap-options", "cluster-name"): "shop",
        ("cib-bootstrap-options", "stonith-enabled"): "false",
        ("cib-bootstrap-options", "no-quorum-policy"): "stop",
    }
    assert {name: value for (_one, name), value in values(first.wanted, DEFAULTS).items()} == RESOURCE_DEFAULTS
    assert "stonith-enabled" in first.after and "stonith-enabled" not in first.before
    assert not planned(first.wanted, wanted_resources(FILE)).changed


@pytest.mark.parametrize(
    "options, resources, more",
    [
        (properties("cib-bootstrap-options", stonith_enabled="true", no_quorum_policy="freeze"), DEVICE, ""),
        (properties("site", stonith_enabled="true") + properties("cib-bootstrap-options", no_quorum_policy="suicide"), "", ""),
        (properties("cib-bootstrap-options", RULE, stonith_enabled="true", no_quorum_policy="demote"), DEVICE, ""),
        (properties("cib-bootstrap-options", fencing_enabled="true", no_quorum_policy="fence"), "", ""),
        (properties("cib-bootstrap-options", fencing_enabled="false", no_quorum_policy="stop"), "", ""),
        (properties("old", stonith__enabled="true", no__quorum__policy="ignore"), "", ""),
        (properties("cib-bootstrap-options", have_watchdog="true", no_quorum_policy="stop"), "", ""),
        (properties("cib-bootstrap-options", stonith_watchdog_timeout="10", no_quorum_policy="stop"), "", ""),
        (properties("cib-bootstrap-options", fence_reaction="panic", no_quorum_policy="stop"), "", ""),
        (properties("cib-bootstrap-options", no_quorum_policy="stop"), DEVICE, ""),
        (properties("cib-bootstrap-options", no_quorum_policy="stop"), f'<clone id="c">{DEVICE}</clone>', ""),
        (
            properties("cib-bootstrap-options", no_quorum_policy="stop"),
            "",
            '<fencing-topology><fencing-level id="l" target="n1" index="1" devices="x"/></fencing-topology>',
        ),
    ],
)
def test_fencing_and_quorum_policy_that_are_there_stay(options: str, resources: str, more: str) -> None:
    plan = planned(a_cib(options, resources, more=more), wanted_resources(FILE))
    assert values(plan.wanted, PROPERTIES) == values(plan.original, PROPERTIES)
    assert not planned(plan.wanted, wanted_resources(FILE)).changed


def test_a_default_of_resources_that_is_set_stays_and_the_others_are_added() -> None:
    theirs = '<rsc_defaults><meta_attributes id="m"><nvpair id="s" name="resource-stickiness" value="INFINITY"/></meta_attributes></rsc_defaults>'
    plan = planned(a_cib(more=theirs), wanted_resources(FILE))
    assert values(plan.wanted, DEFAULTS) == {
        ("m", name): value for name, value in {**RESOURCE_DEFAULTS, "resource-stickiness": "INFINITY"}.items()
    }


def test_replacing_leaves_what_is_only_to_be_set_where_nothing_is() -> None:
    cib = a_cib(properties("cib-bootstrap-options", stonith_enabled="true", cluster_delay="9s"))
    plan = planned(cib, {"properties": {"cluster-delay": "8s"}, "unless_set": {"properties": {"stonith-enabled": False}}}, "replace")
    assert values(plan.wanted, PROPERTIES) == {
        ("cib-bootstrap-options", "stonith-enabled"): "true",
        ("cib-bootstrap-options", "cluster-delay"): "8s",
    }


def test_what_is_only_for_the_unset_is_checked_like_the_rest() -> None:
    assert [one["path"] for one in check_config({"unless_set": []})] == []
    assert [one["path"] for one in check_config({"unless_set": "x"})] == ["config.unless_set"]
    found = check_config({"unless_set": {"property": {}, "properties": {"a b": 1}}})
    assert [one["path"] for one in found] == ["config.unless_set.property", "config.unless_set.properties"]


SITE, OURS = properties("site", no_quorum_policy="freeze"), properties("cib-bootstrap-options", no_quorum_policy="ignore")


@pytest.mark.parametrize(
    "options, changed",
    [
        (SITE + OURS, {"cib-bootstrap-options"}),
        (OURS + SITE.replace('id="site"', 'id="site" score="500"'), {"cib-bootstrap-options"}),
        (SITE + SITE.replace("site", "other"), {"site", "other"}),
        (SITE + SITE.replace('id="site', 'score="5" id="high'), {"high"}),
        (SITE.replace('id="site"', 'id="site" score="-INFINITY"') + SITE.replace("site", "other"), {"other"}),
        (properties("night", RULE, no_quorum_policy="demote") + SITE, {"site", "cib-bootstrap-options"}),
        (properties("night", RULE, no_quorum_policy="demote") + SITE.replace('id="site"', 'id="site" score="1"'), {"site"}),
        (properties("night", RULE, no_quorum_policy="stop") + SITE, {"night", "site"}),
        (properties("night", RULE, no_quorum_policy="demote"), {"cib-bootstrap-options"}),
    ],
)
def test_a_value_is_written_where_pacemaker_reads_it(options: str, changed: set[str]) -> None:
    plan = planned(a_cib(options), {"properties": {"no-quorum-policy": "stop"}})
    before, after = values(plan.original, PROPERTIES), values(plan.wanted, PROPERTIES)
    assert {one for (one, _name), value in after.items() if value == "stop"} == changed
    assert plan.problems == () and plan.warnings == ()
    assert {key: value for key, value in after.items() if key[0] not in changed} == {
        key: value for key, value in before.items() if key[0] not in changed
    }
    assert not planned(plan.wanted, {"properties": {"no-quorum-policy": "stop"}}).changed


@pytest.mark.parametrize("switch", ["stonith-enabled", "fencing-enabled"])
def test_where_fencing_is_set_up_its_switch_is_not_set_under_either_name(switch: str) -> None:
    config = {"unless_set": {"properties": {switch: False, "stonith-action": "off"}}}
    plan = planned(a_cib(properties("cib-bootstrap-options", fencing_action="reboot"), DEVICE), config)
    assert not plan.changed, "what is set under its newer name is set"
    bare = planned(a_cib(), config)
    assert {name: value for (_set, name), value in values(bare.wanted, PROPERTIES).items()} == {switch: "false", "stonith-action": "off"}


def test_a_stated_property_is_brought_under_both_its_names_where_both_are_set_and_shown_so() -> None:
    plan = planned(a_cib(properties("cib-bootstrap-options", fencing_enabled="false")), {"properties": {"stonith-enabled": True}})
    assert {name: value for (_set, name), value in values(plan.wanted, PROPERTIES).items()} == {
        "fencing-enabled": "true",
        "stonith-enabled": "true",
    }
    assert "fencing-enabled" in plan.before and plan.after.count('value="true"') == 2
    told = planned(a_cib(), {"properties": {"stonith-enabled": True, "fencing-enabled": False}}).problems
    assert [one["path"] for one in told] == ["config.properties.stonith-enabled"]


def test_where_nothing_can_be_read_before_a_rule_the_property_is_refused_by_its_name() -> None:
    """The set that is always read first has the rule."""
    plan = planned(
        a_cib(properties("cib-bootstrap-options", RULE, no_quorum_policy="demote")), {"properties": {"no-quorum-policy": "stop"}}
    )
    (problem,) = plan.problems
    assert problem["path"] == "config.properties.no-quorum-policy"
    assert problem["problem"].startswith("the set cib-bootstrap-options (which is always read first, rule r) has no-quorum-policy=demote")


STICKY = '<meta_attributes id="mine"><nvpair id="mine-s" name="resource-stickiness" value="1"/></meta_attributes>'
OTHER = '<meta_attributes id="theirs" score="{}">{}<nvpair id="t-s" name="resource-stickiness" value="{}"/></meta_attributes>'


@pytest.mark.parametrize(
    ("score", "value", "told"), [("9", "2", 1), ("INFINITY", "2", 1), ("0", "2", 1), ("-1", "2", 0), ("-INFINITY", "2", 0), ("9", "1", 0)]
)
def test_a_default_with_an_exception_by_a_rule_is_brought_and_the_exception_told(score: str, value: str, told: int) -> None:
    cib = a_cib(more=f"<rsc_defaults>{STICKY}{OTHER.format(score, RULE, value)}</rsc_defaults>")
    plan = planned(cib, {"resource_defaults": {"resource-stickiness": 1}})
    assert (plan.changed, plan.problems, len(plan.warnings)) == (False, (), told)
    assert all("resource_defaults.resource-stickiness: the set theirs (score " in one and "rule r) has 2" in one for one in plan.warnings)


def test_a_default_that_a_set_without_a_rule_overrules_from_elsewhere_is_refused() -> None:
    options = '<nvpair id="p-s" name="resource-stickiness" value="7"/>'
    mail = f'<primitive id="mail" class="systemd" type="x"><meta_attributes id="p" score="3">{options}</meta_attributes></primitive>'
    cib = a_cib(resources=mail, more=f'<rsc_defaults>{STICKY}<meta_attributes id-ref="p"/></rsc_defaults>')
    plan = planned(cib, {"resource_defaults": {"resource-stickiness": 1}})
    assert [one["path"] for one in plan.problems] == ["config.resource_defaults.resource-stickiness"] and plan.warnings == ()
    assert "the set p (score 3, referred to) has resource-stickiness=7" in plan.problems[0]["problem"]
    unset = {"unless_set": {"resource_defaults": {"resource-stickiness": 1, "priority": 2}}}
    late = planned(cib.replace(STICKY, ""), unset)
    assert {name for _set, name in values(late.wanted, DEFAULTS)} == {"priority"}, "what is only referred to is set too"


def test_the_values_that_change_are_to_be_seen_and_no_others() -> None:
    cib = a_cib(properties("cib-bootstrap-options", no_quorum_policy="ignore", cluster_delay="9s", symmetric_cluster="false"))
    config = {
        "properties": {"no-quorum-policy": "stop", "cluster-delay": "9s", "ondemand-stated": "x"},
        "resource_defaults": {"priority": 3},
        "unless_set": {"properties": {"symmetric-cluster": True, "batch-limit": 4}},
    }
    plan = planned(cib, config)
    assert set(plan.awaited) == {
        ("properties", "no-quorum-policy", "stop"), ("properties", "batch-limit", "4"), ("resource_defaults", "priority", "3")
    }  # fmt: skip
    assert planned(plan.wanted, config).awaited == ()


def test_what_else_is_in_the_set_that_is_read_first_stays_there() -> None:
    options = properties("cib-bootstrap-options", dc_version="3.0.2") + properties("night", RULE, no_quorum_policy="demote") + SITE
    plan = planned(a_cib(options), {"properties": {"no-quorum-policy": "stop"}})
    assert {name: value for (one, name), value in values(plan.wanted, PROPERTIES).items() if one == "cib-bootstrap-options"} == {
        "dc-version": "3.0.2", "no-quorum-policy": "stop"
    }  # fmt: skip


def test_a_default_of_operations_is_brought_and_its_exception_told_too() -> None:
    more = f"<op_defaults>{OTHER.format(9, RULE, 2).replace('resource-stickiness', 'timeout')}</op_defaults>"
    plan = planned(a_cib(more=more), {"operation_defaults": {"timeout": "9s"}})
    assert values(plan.wanted, "configuration/op_defaults/*")[("op_defaults-options", "timeout")] == "9s"
    assert "config.operation_defaults.timeout: the set theirs" in plan.warnings[0] and plan.awaited == (
        ("operation_defaults", "timeout", "9s"),
    )


def test_an_option_that_is_not_wanted_goes_out_of_every_set_that_would_give_it() -> None:
    sets = "".join(
        f'<instance_attributes id="{one}"><nvpair id="{one}x" name="fake" value="{one}"/></instance_attributes>'
        for one in ("first", "second")
    )
    cib = a_cib(resources=f'<primitive id="mail" class="ocf" provider="pacemaker" type="Dummy">{sets}</primitive>')
    plan = planned(cib, {"resources": [{"id": "mail", "agent": "ocf:pacemaker:Dummy", "options": {"state": "/run/x"}}]})
    pairs = [pair.get("name") for pair in parse_cib(plan.wanted).iterfind(".//primitive//nvpair")]
    assert pairs == ["state"]


def test_values_and_operations_that_are_only_referred_to_become_its_own() -> None:
    there = (
        '<primitive id="a" class="systemd" type="x"><instance_attributes id="s"><nvpair id="n" name="fake" value="1"/></instance_attributes>'
        '<operations id="o"><op id="m" name="monitor" interval="5s"/></operations></primitive>'
        '<primitive id="b" class="systemd" type="x"><instance_attributes id-ref="s"/><operations id-ref="o"/></primitive>'
    )
    config = {
        "resources": [{"id": "b", "agent": "systemd:x", "options": {"fake": 2}, "operations": [{"name": "monitor", "interval_s": 9}]}]
    }
    plan = planned(a_cib(resources=there), config)
    wanted = parse_cib(plan.wanted).find(".//primitive[@id='b']")
    assert wanted is not None and [e.get("id-ref") for e in wanted.iter() if e.get("id-ref")] == []
    assert [e.get("value") for e in wanted.iter("nvpair")] == ["2"] and [e.get("interval") for e in wanted.iter("op")] == ["9s"]
    assert not planned(plan.wanted, config).changed


RULED_DEFAULTS = f'<rsc_defaults><meta_attributes id="rsc_defaults-options">{RULE}<nvpair id="v" name="priority" value="1"/></meta_attributes></rsc_defaults>'


def test_a_new_set_value_or_operation_gets_an_id_that_nothing_else_has() -> None:
    config = {
        "resource_defaults": {"priority": 2},
        "resources": [{"id": "mail", "agent": "ocf:pacemaker:Dummy", "options": {"fake": "a"}, "operations": [{"name": "monitor"}]}],
    }
    taken = ("mail-instance_attributes", "mail-instance_attributes-1", "mail-instance_attributes-fake", "mail-monitor-interval-0s")
    theirs = "".join(f'<rsc_location id="{one}" rsc="other" node="n1" score="1"/>' for one in taken)
    other = '<primitive id="other" class="ocf" provider="pacemaker" type="Dummy"/>'
    plan = planned(a_cib(resources=other, constraints=theirs, more=RULED_DEFAULTS), config)
    ids = [e.get("id") for e in parse_cib(plan.wanted).iter() if e.get("id")]
    assert plan.problems == () and len(ids) == len(set(ids))
    assert {"rsc_defaults-options-1", "mail-instance_attributes-2"} <= set(ids)
    assert not planned(plan.wanted, config).changed


@pytest.mark.parametrize(
    "config, path, said",
    [
        ({"resources": [{"id": "shape", "agent": "ocf:pacemaker:Dummy"}]}, "config.resources[0]", "shape is the id of a template already"),
        ({"resources": [{"id": "ledger", "agent": "ocf:pacemaker:Dummy"}]}, "config.resources[0]", "ledger is of the template shape"),
        ({"resources": [{"id": "near", "agent": "systemd:x"}]}, "config.resources[0]", "near is the id of a rsc_location already"),
        ({"clones": [{"id": "near", "resource": "mail"}]}, "config.clones[0]", "near is the id of a rsc_location already"),
        (
            {"constraints": {"order": [{"id": "mail", "first": "ledger", "then": "other"}]}},
            "config.constraints.order[0]",
            "mail is the id of a primitive already",
        ),
        ({"absent": ["mail"]}, "config.absent[0]", "constraint near names mail"),
        ({"absent": ["other"]}, "config.absent[0]", "constraint both names other"),
        ({"absent": ["secret"]}, "config.absent[0]", "permission read names secret"),
        ({"absent": ["tagged"]}, "config.absent[0]", "tag blue names tagged"),
        ({"absent": ["only"]}, "config", "constraint pack-near names pack, which would go"),
        (
            {"constraints": {"colocation": [{"id": "c", "resource": "mail", "with": "nobody"}]}},
            "config.constraints.colocation[0]",
            "constraint c names nobody",
        ),
    ],
)
def test_what_pacemaker_s_schema_would_refuse_is_refused_in_words(config: dict[str, Any], path: str, said: str) -> None:
    dummy = 'class="ocf" provider="pacemaker" type="Dummy"'
    resources = (
        f'<template id="shape" {dummy}/><primitive id="ledger" template="shape"/>'
        f'<group id="pack"><primitive id="only" {dummy}/></group>'
        + "".join(f'<primitive id="{one}" {dummy}/>' for one in ("mail", "other", "tagged", "secret"))
    )
    constraints = (
        '<rsc_location id="near" rsc="mail" node="n1" score="5"/><rsc_location id="pack-near" rsc="pack" node="n1" score="5"/>'
        '<rsc_order id="both"><resource_set id="s"><resource_ref id="other"/><resource_ref id="ledger"/></resource_set></rsc_order>'
    )
    acls = '<acls><acl_role id="role"><acl_permission id="read" kind="read" reference="secret"/></acl_role></acls>'
    cib = a_cib(resources=resources, constraints=constraints, more=acls + '<tags><tag id="blue"><obj_ref id="tagged"/></tag></tags>')
    plan = planned(cib, config)
    assert [(one["path"], one["problem"]) for one in plan.problems] == [(path, said)]


def test_a_constraint_that_goes_too_stands_in_nobody_s_way() -> None:
    cib = a_cib(
        resources='<primitive id="mail" class="systemd" type="x"/>',
        constraints='<rsc_location id="near" rsc="mail" node="n1" score="5"/><rsc_location id="lost" rsc="nobody" node="n1" score="5"/>',
    )
    assert planned(cib, {"absent": ["mail", "near"]}).problems == (), "and what names nobody already is no news"


LEASE = '<cluster_property_set id="ondemand-lease-set"><nvpair id="ondemand-lease" name="ondemand-lease" value="t 1 2 a b"/></cluster_property_set>'
STICKS = '<rsc_defaults><meta_attributes id="rd"><nvpair id="rd.1" name="resource-stickiness" value="7"/></meta_attributes></rsc_defaults>'


def values_of(plan: CibPlan) -> dict[str, str | None]:
    """Every value of the wanted document's properties and defaults."""
    return {str(pair.get("name")): pair.get("value") for pair in parse_cib(plan.wanted).iterfind("configuration//nvpair")}


def stating(pacemaker: dict[str, Any]) -> dict[str, Any]:
    return wanted_resources({**FILE, "pacemaker": pacemaker})


def test_a_value_that_the_file_states_no_longer_goes_and_a_person_s_stays() -> None:
    theirs = a_cib(properties("cib-bootstrap-options", symmetric_cluster="false", stop__all="x") + LEASE, more=STICKS)
    both = {"properties": {"cluster-recheck-interval": "5min", "no-quorum-policy": "freeze"}, "operation_defaults": {"timeout": "90s"}}
    first = planned(theirs, stating(both), "whole")
    assert (
        values_of(first)["ondemand-stated"] == "operation_defaults:timeout properties:cluster-recheck-interval properties:no-quorum-policy"
    )
    assert not planned(first.wanted, stating(both), "whole").changed
    one = planned(first.wanted, stating({"properties": {"cluster-recheck-interval": "5min"}}), "whole")
    left = {
        "stonith-enabled": "false",
        "symmetric-cluster": "false",
        "stop_all": "x",
        "ondemand-lease": "t 1 2 a b",
        "resource-stickiness": "7",
    }
    rest = {name: value for name, value in values_of(one).items() if name not in RESOURCE_DEFAULTS or name in left}
    stated = {"cluster-recheck-interval": "5min", "ondemand-stated": "properties:cluster-recheck-interval"}
    assert rest == {**left, **stated, "no-quorum-policy": "stop"}, "our own default is back"
    assert 'name="timeout"' in one.before and 'name="timeout"' not in one.after and "freeze" in one.before
    none = planned(one.wanted, stating({}), "whole")
    assert not {"cluster-recheck-interval", "ondemand-stated"} & set(values_of(none))
    assert "recheck" in none.before and "ondemand-stated" in none.before and "recheck" not in none.after
    assert not planned(none.wanted, stating({}), "whole").changed


@pytest.mark.parametrize("mode", ["merge", "replace"])
def test_only_the_whole_of_a_file_takes_away_what_it_stated_before(mode: str) -> None:
    first = planned(a_cib(properties("cib-bootstrap-options")), stating({"properties": {"cluster-recheck-interval": "5min"}}), "whole")
    assert values_of(planned(first.wanted, stating({}), mode))["cluster-recheck-interval"] == "5min"


def test_replacing_the_properties_leaves_the_lease_to_its_holder() -> None:
    plan = planned(
        a_cib(properties("cib-bootstrap-options", symmetric_cluster="true", a="1") + LEASE), {"properties": {"b": "2"}}, "replace"
    )
    assert values_of(plan) == {"ondemand-lease": "t 1 2 a b", "b": "2"}
    assert "lease" not in plan.before + plan.after


@pytest.mark.parametrize("device", [{}, {"resources": [{"id": "fence", "agent": "stonith:fence_virt"}]}], ids=["alone", "with its device"])
def test_a_switch_of_fencing_that_is_stated_no_longer_leaves_the_cluster_s_own_default(device: dict[str, Any]) -> None:
    switched = stating({"properties": {"stonith-enabled": True}, **device})
    first = planned(a_cib(properties("cib-bootstrap-options")), switched, "whole")
    assert values_of(first)["stonith-enabled"] == "true"
    assert values_of(planned(first.wanted, stating({}), "whole"))["stonith-enabled"] == "false", (
        "with no device Pacemaker's own would start nothing"
    )


def test_a_merge_keeps_knowing_what_was_stated_before_and_a_whole_tells_what_goes() -> None:
    first = planned(a_cib(properties("cib-bootstrap-options")), stating({"properties": {"cluster-recheck-interval": "5min"}}), "whole")
    second = planned(first.wanted, stating({"properties": {"stop-orphan-actions": True}}), "merge")
    assert values_of(second)["ondemand-stated"] == "properties:cluster-recheck-interval properties:stop-orphan-actions"
    last = planned(second.wanted, stating({"properties": {"stop-orphan-actions": True}}), "whole")
    assert last.unstated == ("cluster-recheck-interval",) and "cluster-recheck-interval" not in values_of(last)
    assert planned(last.wanted, stating({}), "merge").unstated == ()
