# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""cluster_config on a running cluster: what it changes, what it leaves alone, and what it refuses."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.services import wanted_resources

from lab.faults.cells import frozen
from tests.cluster.conftest import FIRST, ROOT, Cluster, Playbook, wait_until
from tests.unit.playbooks.a_run import a_run

MONITOR = {"name": "monitor", "interval_s": 10, "timeout_s": 20}
CONFIG: dict[str, Any] = {
    "properties": {"stonith-enabled": False, "no-quorum-policy": "stop"},
    "resource_defaults": {"resource-stickiness": 100},
    "resources": [
        {"id": "note-data", "agent": "ocf:pacemaker:Dummy", "operations": [MONITOR]},
        {
            "id": "note-address",
            "agent": "ocf:heartbeat:IPaddr2",
            "options": {"ip": "10.98.0.90", "cidr_netmask": 24},
            "operations": [MONITOR],
        },
        {"id": "note-app", "agent": "ocf:pacemaker:Dummy"},
        {"id": "agent", "agent": "ocf:pacemaker:Dummy"},
    ],
    "groups": [{"id": "note", "members": ["note-data", "note-address", "note-app"]}],
    "clones": [{"resource": "agent", "meta": {"interleave": True}}],
    "constraints": {"location": [{"id": "ondemand-note-first", "resource": "note", "node": "cell-n2", "score": 10}]},
}


def configure(cluster: Cluster, config: dict[str, Any], *options: str, **more: Any) -> Playbook:
    return cluster.play([{"ondemand.cluster.cluster_config": {"config": config, "members": [FIRST, "cell-n2"], **more}}], *options)


def cib(cluster: Cluster, node: str = FIRST) -> str:
    return cluster.cells[node].run("cibadmin", "--query", "--scope", "configuration").stdout


@pytest.fixture(scope="module")
def formed(cluster: Cluster) -> Cluster:
    """A cluster of two nodes, made once."""
    cluster.be(2)
    return cluster


@pytest.fixture
def two(formed: Cluster) -> Cluster:
    """The cluster, with nothing of CONFIG in it."""
    cluster = formed
    names = ["ondemand-note-first", "note", "agent"]
    cluster.done(configure(cluster, {"absent": names}))
    cluster.cells[FIRST].run("crm_resource", "--cleanup")
    return cluster


def test_what_is_wanted_is_brought_and_runs_and_the_second_run_changes_nothing(two: Cluster) -> None:
    before = two.untouched_by(FIRST)
    checked = two.done(configure(two, CONFIG, "--check", "--diff"))
    assert "note-app" not in cib(two), "check mode touched something"
    real = two.done(configure(two, CONFIG, "--diff", wait_s=60))
    assert checked["changed"] and real["changed"]
    assert checked["diff"] == real["diff"]
    assert "note-address" in real["diff"]["after"] and "note-address" not in real["diff"]["before"]
    told = {one["name"]: one for one in two.info()["cluster"]["services"]}
    assert (told["note"]["state"], told["note"]["nodes"]) == ("started", ["cell-n2"])
    assert told["agent-clone"]["nodes"] == [FIRST, "cell-n2"]
    assert "10.98.0.90" in two.cells["cell-n2"].run("ip", "-o", "address").stdout
    same = cib(two)
    again = two.done(configure(two, CONFIG, "--diff", wait_s=60))
    assert not again["changed"] and again["diff"]["before"] == again["diff"]["after"] == real["diff"]["after"]
    assert cib(two) == same
    assert two.untouched_by(FIRST) == before, "another resource was disturbed"


def test_what_others_wrote_is_left_alone(two: Cluster) -> None:
    two.done(configure(two, CONFIG))
    first = two.cells[FIRST]
    first.run("crm_resource", "--resource", "note-app", "--meta", "--set-parameter", "target-role", "--parameter-value", "Stopped")
    first.run("crm_attribute", "--node", "cell-n2", "--name", "rack", "--update", "b")
    first.run("crm_attribute", "--name", "cluster-recheck-interval", "--update", "5min")
    kept = cib(two)
    assert not two.done(configure(two, CONFIG, wait_s=30))["changed"]
    assert cib(two) == kept and "target-role" in kept
    changed = {**CONFIG, "resources": [{**one, "meta": {"priority": 3}} if one["id"] == "note-app" else one for one in CONFIG["resources"]]}
    assert two.done(configure(two, changed))["changed"]
    for theirs in ("target-role", 'name="rack" value="b"', "cluster-recheck-interval", "witness"):
        assert theirs in cib(two)
    first.run("crm_resource", "--resource", "note-app", "--meta", "--delete-parameter", "target-role")


def test_what_a_person_disabled_is_no_failed_start_also_for_what_stands_behind_it(two: Cluster) -> None:
    two.done(configure(two, CONFIG, wait_s=60))
    first = two.cells[FIRST]
    first.run("crm_resource", "--resource", "note-data", "--meta", "--set-parameter", "target-role", "--parameter-value", "Stopped")
    first.run("crm_resource", "--wait")
    assert not two.done(configure(two, CONFIG, wait_s=30))["changed"]
    assert {one["name"]: one["state"] for one in two.info()["cluster"]["services"]}["note"] == "disabled"
    first.run("crm_resource", "--resource", "note-data", "--meta", "--delete-parameter", "target-role")


def test_no_verbosity_shows_what_a_cib_holds(two: Cluster) -> None:
    wanted = {"resources": [{"id": "agent", "agent": "ocf:pacemaker:Dummy", "options": {"passwd": "hush-hush"}}]}
    runs = [configure(two, wanted, "-vvvvv", wait_s=30), configure(two, wanted, "-vvvvv"), configure(two, wanted, "-vvvvv", "--check")]
    tasks = [
        {"ondemand.cluster.cluster_info": {"members": [FIRST]}},
        {"ondemand.cluster.service_move": {"service": "witness", "to": FIRST}},
    ]
    runs += [two.play([one], "-vvvvv") for one in tasks]
    assert "hush-hush" in cib(two)
    for run in runs:
        two.done(run)
        assert "hush-hush" not in run.output and "validate-with" not in run.output
    two.done(configure(two, {"absent": ["agent"]}))


def test_growth_waits_for_a_movable_service_when_the_load_balancer_has_learned_the_members(two: Cluster) -> None:
    disk = {"agent": "ocf:heartbeat:Filesystem", "options": {"device": "/dev/none", "directory": "/none", "fstype": "ext4"}}
    file = {
        "name": "cell",
        "network": {"prefix": 24},
        "access": {"state_dir": str(two.directory)},
        "services": [{"name": "note", "kind": "movable", "group": [{"name": "note-disk", **disk}]}],
        "deadlines": {"move_s": 30},
    }
    facts = {"ondemand_run": a_run(plan={"joining": []}, members=[FIRST, "cell-n2"])}
    tasks = ROOT / "playbooks/tasks"
    play = {
        "hosts": "localhost",
        "connection": "local",
        "gather_facts": False,
        "vars_files": [str(ROOT / "playbooks/vars/file.yml")],
        "tasks": [
            {"ansible.builtin.set_fact": facts},
            {"ansible.builtin.import_tasks": str(tasks / "join.yml")},
            {"ansible.builtin.assert": {"that": "ondemand_run.refusals == []"}},
            {"ansible.builtin.import_tasks": str(tasks / "tell_growth.yml"), "vars": {"ondemand_result": {"wanted": 2}}},
        ],
    }
    inventory = two.cells.inventory()
    for one in inventory["all"]["hosts"].values():  # type: ignore[index]
        one["ansible_connection"] = "ssh"
    run = two.play_whole([play], "-e", json.dumps({"cluster": file}), inventory=inventory)
    assert run.rc == 2 and "note-disk is not running" in run.last["msg"], run.output


FILE: dict[str, Any] = {"name": "cell", "network": {"prefix": 24}, "services": [], "fencing": {"method": "none"}}


def test_fencing_and_quorum_policy_that_an_operator_set_outlive_the_services_of_a_file(two: Cluster) -> None:
    first = two.cells[FIRST]
    two.done(configure(two, wanted_resources(FILE)))
    for name, value in (("stonith-enabled", "true"), ("no-quorum-policy", "freeze"), ("stonith-watchdog-timeout", "0")):
        first.run("crm_attribute", "--name", name, "--update", value)
    try:
        kept = cib(two)
        assert not two.done(configure(two, wanted_resources(FILE), wait_s=30))["changed"]
        assert cib(two) == kept
        first.run("crm_attribute", "--name", "stonith-enabled", "--delete")
        first.run("crm_attribute", "--name", "no-quorum-policy", "--delete")
        assert two.done(configure(two, wanted_resources(FILE)))["changed"]
        assert 'name="no-quorum-policy" value="stop"' in cib(two)
        assert "stonith-enabled" not in cib(two), "where fencing is set up, its switch is not ours, also where it is not stated"
    finally:
        first.run("crm_attribute", "--name", "stonith-watchdog-timeout", "--delete")
        for name, value in (("stonith-enabled", "false"), ("no-quorum-policy", "stop")):
            first.run("crm_attribute", "--name", name, "--update", value)


NIGHT = (
    '<cluster_property_set id="night" score="INFINITY"><rule id="night-rule" score="INFINITY"><date_expression id="night-date" operation="gt" '
    'start="2001-01-01"/></rule><nvpair id="night-policy" name="no-quorum-policy" value="freeze"/></cluster_property_set>'
)


def goes_by(cluster: Cluster) -> str:
    """What the second member's Pacemaker says of its properties."""
    said = cluster.cells["cell-n2"].run("crm_mon", "-1", "--output-as=xml").stdout
    return next(line for line in said.splitlines() if "<cluster_options" in line)


def test_a_stated_property_counts_before_a_rule_and_what_pacemaker_does_not_go_by_is_told(two: Cluster) -> None:
    first = two.cells[FIRST]
    first.run("crm_attribute", "--name", "no-quorum-policy", "--delete")
    first.run("cibadmin", "--create", "--scope", "crm_config", "--xml-text", NIGHT)
    try:
        assert 'no-quorum-policy="freeze"' in goes_by(two)
        assert two.done(configure(two, {"properties": {"no-quorum-policy": "demote"}}))["changed"]
        assert 'no-quorum-policy="demote"' in goes_by(two) and "night-policy" in cib(two)
        # This release takes the newer name for nothing, and crm_verify says no word of it.
        first.run("crm_attribute", "--name", "stonith-enabled", "--delete")
        told = configure(two, {"properties": {"fencing-enabled": False}})
        assert told.rc != 0 and told.last["changed"] and told.last["refusal"]["reason"] == "unstable"
        assert "Pacemaker goes by fencing-enabled=true and not by false, which was written" in told.last["msg"], told.output
    finally:
        first.run("cibadmin", "--delete", "--xml-text", '<cluster_property_set id="night"/>')
        first.run("crm_attribute", "--name", "fencing-enabled", "--delete", check=False)
        for name, value in (("stonith-enabled", "false"), ("no-quorum-policy", "stop")):
            first.run("crm_attribute", "--name", name, "--update", value)


def test_changes_of_others_at_the_same_time_are_kept_and_ours_arrive(two: Cluster) -> None:
    two.done(configure(two, CONFIG))
    busy = "i=0; while [ $i -lt 60 ]; do crm_attribute --node cell-n1 --name busy --update $i; i=$((i + 1)); done"
    others = subprocess.Popen(
        ["nsenter", "-t", str(two.cells["cell-n2"].pid), "--all", "sh", "-c", busy], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        results = [configure(two, {"properties": {"cluster-delay": f"{60 + n}s"}}) for n in range(2)]
    finally:
        others.wait(timeout=120)
    arrived = [one for one in results if one.rc == 0]
    # Each try may lose against a writer that never pauses; then it says so and changes nothing.
    assert all(one.last["refusal"]["reason"] == "unstable" for one in results if one.rc != 0)
    assert 'name="busy" value="59"' in cib(two)
    final = two.done(configure(two, {"properties": {"cluster-delay": "77s"}}))
    assert final["changed"] and 'name="cluster-delay" value="77s"' in cib(two)
    assert len(arrived) <= len(results)


@pytest.mark.parametrize(
    "config, reason, named",
    [
        (
            {"resources": [{"id": "a b"}], "propertys": {}},
            "bad_input",
            ["config.resources[0].id", "config.resources[0].agent", "config.propertys"],
        ),
        ({"groups": [{"id": "new", "members": ["nobody"]}]}, "bad_input", ["config.groups[0].members[0]"]),
        (
            {"constraints": {"location": [{"id": "c", "resource": "nobody", "node": "cell-n1", "score": 1}]}},
            "bad_input",
            ["config.constraints.location[0]", "constraint c names nobody", "Nothing was touched"],
        ),
    ],
)
def test_a_wrong_configuration_is_refused_before_anything_is_touched(
    two: Cluster, config: dict[str, Any], reason: str, named: list[str]
) -> None:
    before = cib(two)
    for options in ((), ("--check",)):
        refused = configure(two, config, *options)
        assert refused.rc != 0
        assert refused.last["refusal"]["reason"] == reason
        assert all(one in refused.last["msg"] for one in named), refused.last["msg"]
    assert cib(two) == before


def test_a_resource_that_does_not_start_is_told_with_its_reason(two: Cluster) -> None:
    config = {"resources": [{"id": "note", "agent": "ocf:heartbeat:IPaddr2", "options": {"ip": "not-an-address"}}]}
    refused = configure(two, config, wait_s=30)
    assert refused.rc != 0 and refused.last["changed"]
    assert refused.last["refusal"]["reason"] == "start_failed"
    assert "note is not running" in refused.last["msg"] and "start of note" in refused.last["msg"]
    again = configure(two, config, wait_s=3)
    assert again.rc != 0 and not again.last["changed"] and again.last["refusal"]["reason"] == "start_failed", (
        "nothing to change is not all well"
    )


def test_members_are_tried_in_order_and_without_a_cluster_it_says_so(two: Cluster) -> None:
    task = {"config": {"properties": {"no-quorum-policy": "stop"}}}
    assert two.done(two.play([{"ondemand.cluster.cluster_config": {**task, "members": ["cell-n4", "cell-n2"]}}]))["member"] == "cell-n2"
    refused = two.play([{"ondemand.cluster.cluster_config": {**task, "members": ["cell-n4"]}}])
    assert refused.rc != 0 and refused.last["refusal"]["reason"] == "not_found"
    assert "cell-n4" in refused.last["msg"]


def test_where_quorum_is_lost_nobody_waits_for_what_cannot_start(two: Cluster) -> None:
    two.done(configure(two, CONFIG, wait_s=60))
    more = {"resources": [{"id": "agent", "agent": "ocf:pacemaker:Dummy", "options": {"fake": "other"}}]}
    with frozen(two.cells["cell-n2"]):
        wait_until(two, lambda told: not told["quorate"])
        refused = configure(two, more, wait_s=300)
    wait_until(two, lambda told: told["quorate"] and told["stable"])
    assert refused.rc != 0 and refused.last["refusal"]["reason"] == "start_failed", refused.output
    assert "no quorum" in refused.last["msg"], refused.last["msg"]
