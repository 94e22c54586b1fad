# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""From the services of a cluster file to what Pacemaker is to run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.errors import AnsibleFilterError
from ansible_collections.ondemand.cluster.plugins.filter.wanted_resources import wanted
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.cib_spec import check_config
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.services import ServicesError, wanted_resources

DEMO = yaml.safe_load((Path(__file__).parents[5] / "examples/demo.yml").read_text())["cluster"]


def cluster(*services: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"name": "shop", "network": {"prefix": 24}, "services": list(services), **more}


WEB = {
    "name": "web",
    "kind": "balanced",
    "address": "10.0.0.5",
    "port": 80,
    "resource": {"agent": "systemd:web", "port": 8080, "check": "/"},
}
LEDGER = {
    "name": "ledger",
    "kind": "movable",
    "address": "10.0.0.6",
    "port": 5000,
    "group": [
        {"name": "data", "agent": "ocf:heartbeat:Filesystem", "options": {"directory": "/srv"}},
        {"name": "app", "agent": "systemd:app"},
    ],
}


def ids(config: dict[str, Any], kind: str) -> list[str]:
    return [one["id"] for one in config[kind]]


def test_the_demo_is_a_configuration_in_order() -> None:
    config = wanted_resources(DEMO)
    assert check_config(config) == []
    assert ids(config, "groups") == ["ledger"]
    assert ids(config, "clones") == ["haproxy-clone", "web-clone"]


def test_a_balanced_service_runs_everywhere_and_its_address_beside_haproxy() -> None:
    config = wanted_resources(cluster(WEB))
    assert ids(config, "resources") == ["haproxy", "web", "web-address"]
    assert [(one["id"], one["resource"]) for one in config["clones"]] == [("haproxy-clone", "haproxy"), ("web-clone", "web")]
    assert config["constraints"]["colocation"] == [
        {"id": "ondemand-web-address-with-haproxy", "resource": "web-address", "with": "haproxy-clone", "score": "INFINITY"}
    ]
    assert [(one["first"], one["then"]) for one in config["constraints"]["order"]] == [("haproxy-clone", "web-address")]
    assert config["resources"][2]["options"] == {"ip": "10.0.0.5", "cidr_netmask": 24, "arp_count": 5, "arp_interval": 100}


def test_two_balanced_services_share_one_haproxy() -> None:
    config = wanted_resources(cluster(WEB, {**WEB, "name": "api", "address": "10.0.0.7"}))
    assert ids(config, "clones") == ["haproxy-clone", "web-clone", "api-clone"]
    assert len(config["constraints"]["colocation"]) == 2


@pytest.mark.parametrize(
    "group, members",
    [
        (["app"], ["ledger-address", "app"]),
        (["data", "app"], ["data", "ledger-address", "app"]),
        (["disk", "data", "app"], ["disk", "data", "ledger-address", "app"]),
    ],
)
def test_the_address_of_a_movable_service_stands_before_the_last_member(group: list[str], members: list[str]) -> None:
    service = {**LEDGER, "group": [{"name": name, "agent": "systemd:x"} for name in group]}
    config = wanted_resources(cluster(service))
    assert [(one["id"], one["members"]) for one in config["groups"]] == [("ledger", members)]
    assert ids(config, "resources") == members
    assert config["clones"] == []


def test_a_movable_service_without_address_has_no_address_resource() -> None:
    service = {key: value for key, value in LEDGER.items() if key != "address"}
    assert wanted_resources(cluster(service))["groups"][0]["members"] == ["data", "app"]


def test_no_services_is_a_configuration_too() -> None:
    config = wanted_resources(cluster())
    assert check_config(config) == []
    assert config["resources"] == config["groups"] == config["clones"] == []
    assert set(config) & {"properties", "resource_defaults", "operation_defaults"} == set(), "nothing that is set is changed"
    assert config["unless_set"]["properties"] == {"stonith-enabled": False, "no-quorum-policy": "stop"}
    assert config["unless_set"]["resource_defaults"]["resource-stickiness"] == "100"


def test_a_given_operation_replaces_ours_of_that_name_and_the_others_stay() -> None:
    slow = {"name": "start", "interval_s": 0, "timeout_s": 300}
    service = {**LEDGER, "group": [{"name": "app", "agent": "systemd:app", "operations": [slow]}]}
    app = next(one for one in wanted_resources(cluster(service))["resources"] if one["id"] == "app")
    assert {one["name"]: one["timeout_s"] for one in app["operations"]} == {"monitor": 60, "stop": 60, "start": 300}


def test_what_is_ours_among_constraints_begins_with_ondemand() -> None:
    constraints = wanted_resources(cluster(WEB, LEDGER))["constraints"]
    assert all(one["id"].startswith("ondemand-") for kind in constraints.values() for one in kind)


@pytest.mark.parametrize(
    "services, said",
    [
        ([{**WEB, "kind": "floating"}], "balanced or movable"),
        ([WEB, WEB], "web"),
        ([WEB, {**LEDGER, "group": [{"name": "haproxy", "agent": "systemd:x"}]}], "haproxy"),
        ([{**LEDGER, "group": [{"name": "ledger-address", "agent": "systemd:x"}]}], "ledger-address"),
    ],
)
def test_services_that_cannot_be_carried_out_are_refused_by_name(services: list[dict[str, Any]], said: str) -> None:
    with pytest.raises(ServicesError, match=said):
        wanted_resources(cluster(*services))


@pytest.mark.parametrize("value", [None, [], "shop", {"services": []}, cluster({**WEB, "kind": "x"}), cluster({"kind": "movable"})])
def test_the_filter_fails_with_a_sentence_for_what_is_no_cluster(value: Any) -> None:
    with pytest.raises(AnsibleFilterError, match="wanted_resources"):
        wanted(value)


def test_the_filter_gives_what_the_function_gives() -> None:
    assert wanted(DEMO) == wanted_resources(DEMO)


def test_everything_carries_the_mark_of_its_service_and_the_names_that_the_file_states() -> None:
    app = {"name": "app", "agent": "systemd:app", "meta": {"priority": 3, "migration-threshold": 5}}
    config = wanted_resources(cluster(WEB, {**LEDGER, "group": [app], "meta": {"resource-stickiness": 7}}))
    marks = {one.get("id", ""): one["meta"]["ondemand-service"] for kind in ("resources", "groups", "clones") for one in config[kind]}
    assert marks == {
        **dict.fromkeys(("haproxy", "haproxy-clone"), "haproxy"),
        **dict.fromkeys(("web", "web-clone", "web-address"), "web"),
        **dict.fromkeys(("ledger", "app", "ledger-address"), "ledger"),
    }
    assert config["groups"][0]["meta"] == {"ondemand-service": "ledger", "ondemand-stated": "resource-stickiness", "resource-stickiness": 7}
    stated = next(one["meta"] for one in config["resources"] if one["id"] == "app")
    assert stated["ondemand-stated"] == "migration-threshold priority" and stated["priority"] == 3


def test_constraints_between_services_name_what_stands_for_a_service_in_pacemaker() -> None:
    stated = {
        "location": [{"name": "there", "service": "web", "node": "shop-n1", "score": 5}],
        "colocation": [{"name": "apart", "service": "ledger", "with": "web", "score": "-INFINITY"}],
        "order": [{"name": "after", "first": "web", "then": "ledger", "kind": "Optional"}],
    }
    config = wanted_resources(cluster(WEB, LEDGER, constraints=stated))
    assert check_config(config) == []
    last = {kind: items[-1] for kind, items in config["constraints"].items()}
    assert last == {
        "location": {"id": "ondemand-file-there", "resource": "web-clone", "node": "shop-n1", "score": 5},
        "colocation": {"id": "ondemand-file-apart", "resource": "ledger", "with": "web-clone", "score": "-INFINITY"},
        "order": {"id": "ondemand-file-after", "first": "web-clone", "then": "ledger", "kind": "Optional"},
    }


def test_what_is_passed_on_to_pacemaker_carries_a_mark_too() -> None:
    passed = {
        "properties": {"cluster-recheck-interval": "5min"},
        "resources": [{"id": "spare", "agent": "ocf:pacemaker:Stateful", "meta": {"priority": 1}}],
        "clones": [{"resource": "spare", "promotable": True}],
        "constraints": {"tickets": [{"id": "site", "resource": "spare-clone", "ticket": "a"}]},
    }
    config = wanted_resources(cluster(pacemaker=passed))
    assert check_config(config) == []
    assert config["properties"] == {**passed["properties"], "ondemand-stated": "properties:cluster-recheck-interval"}
    assert config["resources"][0]["meta"] == {"ondemand-service": "pacemaker", "ondemand-stated": "priority", "priority": 1}
    assert config["constraints"] == {"tickets": [{"id": "ondemand-file-site", "resource": "spare-clone", "ticket": "a"}]}
