# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""Services are a stated whole: what a file no longer names is stopped and removed, and what an edit is not about goes on undisturbed."""

from __future__ import annotations

import contextlib
import re
import subprocess
from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.cib import RESOURCE_TAGS, parse_cib
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.services import wanted_resources

from tests.cluster.conftest import FIRST, Cluster, Playbook
from tests.cluster.edits import BASE, EDITS, MAIL, RECHECK, Edit, File, more, put, without

SECOND = "cell-n2"


def config_of(file: File) -> dict[str, Any]:
    """What Pacemaker is to have; a cell has no systemd, so a stand-in runs in HAProxy's place."""
    config = wanted_resources(file)
    for one in config["resources"]:
        one["agent"] = "ocf:pacemaker:Dummy" if one["id"] == "haproxy" else one["agent"]
    return config


def task(file: File, **more_options: Any) -> dict[str, Any]:
    return {
        "ondemand.cluster.cluster_config": {
            "config": config_of(file),
            "mode": "whole",
            "members": [FIRST, SECOND],
            "wait_s": 60,
            **more_options,
        }
    }


def configure(cluster: Cluster, file: File, *options: str, **more_options: Any) -> Playbook:
    return cluster.play([task(file, **more_options)], *options)


def document(cluster: Cluster) -> Any:
    return parse_cib(cluster.cells[FIRST].run("cibadmin", "--query").stdout)


def ids(cluster: Cluster) -> set[str]:
    return {e.get("id") for e in document(cluster).iterfind("configuration/resources//*") if e.tag in RESOURCE_TAGS}


def starts(cluster: Cluster) -> dict[tuple[str, str], str]:
    """When each copy of each resource was started, by what the members remember; the call's number tells two starts of one second apart."""
    found = {}
    for state in document(cluster).iterfind("status/node_state"):
        for resource in state.iterfind("lrm//lrm_resource"):
            for op in resource.iterfind("lrm_rsc_op"):
                if op.get("operation") == "start":
                    found[state.get("uname", ""), resource.get("id", "").split(":")[0]] = (
                        f"{op.get('last-rc-change')} call {op.get('call-id')}"
                    )
    return found


def owners(file: File) -> dict[str, str]:
    """The service of each primitive."""
    return {one["id"]: one["meta"]["ondemand-service"] for one in config_of(file)["resources"]}


@contextlib.contextmanager
def never_twice(cluster: Cluster) -> Iterator[None]:
    """While it lasts, no address of a service is on both nodes at once, not for a moment: the kernel tells of each that comes or goes."""
    listen = ["--net", "--", "ip", "-ts", "-o", "-4", "monitor", "address"]
    watches = {
        one: subprocess.Popen(["nsenter", "-t", str(cluster.cells[one].pid), *listen], stdout=subprocess.PIPE, text=True)
        for one in (FIRST, SECOND)
    }
    held = {one: cluster.cells[one].run("ip", "-o", "-4", "address").stdout.splitlines() for one in (FIRST, SECOND)}
    try:
        yield
    finally:
        watched = [watch.poll() is None for watch in watches.values()]
        for watch in watches.values():
            watch.terminate()
        told = [(one, line) for one, watch in watches.items() for line in watch.communicate(timeout=20)[0].splitlines()]
    changes = [(one, " " + line) for one in held for line in held[one]] + sorted(told, key=lambda change: change[1])
    assert all(watched), "a watch of the addresses ended by itself"
    assert on_both(changes) == [], "an address was on both nodes"


def on_both(changes: Iterable[tuple[str, str]]) -> list[str]:
    """The addresses of services that came to one node while another had them. Takes lines of `ip` in the order of time, each with its node."""
    holders: dict[str, set[str]] = {}
    found = []
    for node, line in changes:
        told = re.search(r" (Deleted )?\d+: \S+ +inet (10\.98\.0\.[89]\d*)/", line)
        if told is None:
            continue
        have = holders.setdefault(told[2], set())
        (have.discard if told[1] else have.add)(node)
        if len(have) > 1:
            found.append(told[2])
    return found


def test_an_address_on_two_nodes_is_seen() -> None:
    came, went = " 2: eth0    inet 10.98.0.81/24 scope", "[2026-01-01T00:00:03] Deleted 2: eth0    inet 10.98.0.81/24 scope"
    assert on_both([("a", came), ("a", went), ("b", came), ("b", came)]) == []
    assert on_both([("a", came), ("b", "[2026-01-01T00:00:02]" + came), ("a", went)]) == ["10.98.0.81"]


@pytest.fixture(scope="module")
def two(cluster: Cluster) -> Cluster:
    """Two nodes with the file's services."""
    cluster.be(2)
    cluster.done(configure(cluster, BASE))
    return cluster


@pytest.fixture(scope="module")
def made() -> list[File]:
    """The files that were carried out, the newest last: an edit follows on the one before, also where that one was not run."""
    return [BASE]


FILES = [BASE]
for edit in EDITS:
    FILES.append(edit.of(FILES[-1]))


@pytest.mark.parametrize("number, edit", list(enumerate(EDITS)), ids=[edit.name for edit in EDITS])
def test_an_edit_is_carried_out_and_disturbs_nothing_else(two: Cluster, made: list[File], number: int, edit: Edit) -> None:
    before, after = FILES[number], FILES[number + 1]
    if made[-1] != before:
        two.done(configure(two, before))
    made.append(after)
    kept = starts(two)
    with never_twice(two):
        run = two.play([{**task(after), "check_mode": True, "diff": True}, {**task(after), "diff": True}, {**task(after), "diff": True}])
    assert run.rc == 0, run.output
    foretold, real, again = run.results[-3:]
    assert foretold["changed"] and real["changed"] and foretold["diff"] == real["diff"]
    assert not again["changed"] and again["diff"]["before"] == again["diff"]["after"] == real["diff"]["after"]
    there = ids(two)
    assert not there & set(edit.gone)
    wanted = config_of(after)
    assert there == {"witness", *(one["id"] for kind in ("resources", "groups", "clones") for one in wanted[kind] if "id" in one)} | {
        one.get("id", one["resource"] + "-clone") for one in wanted["clones"]
    }
    now, owner = starts(two), {**owners(before), **owners(after)}
    for one, started in kept.items():
        if owner.get(one[1], "witness") not in edit.touches:
            assert now.get(one) == started, f"{one} was disturbed"
    remembered = {resource for _node, resource in now}
    assert not remembered & (set(owners(before)) - set(owners(after))), "what is gone is remembered"
    assert "ondemand-stopped-" not in two.cells[FIRST].run("cibadmin", "--query").stdout
    assert two.told()["failures"] == []
    passed = after.get("pacemaker", {})
    assert sorted(e.get("id") for e in document(two).iterfind("configuration/alerts/alert")) == sorted(
        e["id"] for e in passed.get("alerts", [])
    )
    sets = [e.get("id") for e in document(two).iterfind("configuration/nodes/node/*") if e.get("id").startswith("ondemand-")]
    assert bool(sets) == ("nodes" in passed)
    values = {name for kind in ("properties", "operation_defaults") for name in passed.get(kind, {})}
    stated = {RECHECK, "stop-orphan-actions", "timeout", "ondemand-stated"}
    pairs = [*document(two).iterfind("configuration/crm_config//nvpair"), *document(two).iterfind("configuration/op_defaults//nvpair")]
    assert {e.get("name") for e in pairs} & stated == values | ({"ondemand-stated"} if values else set())


def test_what_a_person_made_stays_and_what_would_name_nothing_is_refused_before_anything_stops(two: Cluster) -> None:
    file = FILES[-1]
    with_mail = Edit("", more(MAIL), frozenset()).of(file)
    two.done(configure(two, with_mail))
    first = two.cells[FIRST]
    theirs = '<rsc_location id="theirs" rsc="mail" node="cell-n2" score="10"/>'
    first.run("cibadmin", "--create", "--scope", "constraints", "--xml-text", theirs)
    before = first.run("cibadmin", "--query", "--scope", "configuration").stdout
    refused = configure(two, file)
    assert refused.last["refusal"]["reason"] == "bad_input" and "theirs names mail" in refused.last["msg"]
    assert not refused.last["changed"] and first.run("cibadmin", "--query", "--scope", "configuration").stdout == before
    first.run("cibadmin", "--delete", "--scope", "constraints", "--xml-text", theirs)
    two.done(configure(two, file))
    assert "witness" in ids(two) and "mail" not in ids(two)


def test_what_a_killed_run_stopped_is_removed_by_the_next_one_or_started_again_where_it_is_wanted(two: Cluster) -> None:
    file = FILES[-1]
    with_mail = Edit("", more(MAIL), frozenset()).of(file)
    two.done(configure(two, with_mail))
    ours = '<nvpair id="ondemand-stopped-mail" name="target-role" value="Stopped"/>'
    held = f'<group id="mail"><meta_attributes id="mail-meta_attributes">{ours}</meta_attributes></group>'
    for wanted, there in ((with_mail, True), (file, False)):
        two.cells[FIRST].run("cibadmin", "--modify", "--allow-create", "--scope", "resources", "--xml-text", held)
        two.cells[FIRST].run("crm_resource", "--wait")
        assert two.done(configure(two, wanted))["changed"]
        assert ("mail" in ids(two)) == there
        assert {one["name"]: one["state"] for one in two.told()["services"]}.get("mail") == ("started" if there else None)


def test_what_does_not_stop_is_told_and_not_removed(two: Cluster) -> None:
    file = FILES[-1]
    with_mail = Edit("", more(MAIL), frozenset()).of(file)
    two.done(configure(two, with_mail))
    manage = ["crm_resource", "--resource", "mail-app", "--meta", "--set-parameter", "is-managed", "--parameter-value"]
    two.cells[FIRST].run(*manage, "false")
    refused = configure(two, file, wait_s=20)
    assert refused.last["refusal"]["reason"] == "stop_failed" and refused.last["changed"]
    assert "mail-app on cell-n" in refused.last["msg"] and "does not manage" in refused.last["msg"]
    assert "mail" in ids(two)
    two.cells[FIRST].run(*manage, "true")
    two.done(configure(two, file))
    assert "mail" not in ids(two)


def test_a_service_that_a_person_disabled_stays_so_through_an_edit_and_goes_when_it_is_not_named(two: Cluster) -> None:
    file = FILES[-1]
    with_mail = Edit("", more(MAIL), frozenset()).of(file)
    two.done(configure(two, with_mail))
    two.cells[FIRST].run("crm_resource", "--resource", "mail", "--meta", "--set-parameter", "target-role", "--parameter-value", "Stopped")
    edited = Edit("", put("mail", monitor_s=20), frozenset()).of(with_mail)
    two.done(configure(two, edited))
    assert {one["name"]: one["state"] for one in two.told()["services"]}["mail"] == "disabled"
    two.done(configure(two, Edit("", without("mail"), frozenset()).of(edited)))
    assert "mail" not in ids(two)
