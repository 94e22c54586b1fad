# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""Reading what Pacemaker's own crm_mon says of saved CIBs: what a person stopped, bundles, odd ids, and words around the XML."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.ondemand.cluster.plugins.module_utils._contract.refusal import Refusal
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.cib import CibError, parse_cib, xml_root
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.move_rules import Move, plan_move
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.status import Status, StatusError, idle_by_wish, parse
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.status_view import view

CONF = """totem {
  version: 2
  cluster_name: shop
  transport: knet
}
nodelist {
%s}
quorum {
  provider: corosync_votequorum
}
"""
NODE = "  node {\n    ring0_addr: 192.0.2.%d\n    name: n%d\n    nodeid: %d\n  }\n"
VOTES = """Expected votes:   2
Total votes:      2
Quorum:           2
Membership information
----------------------
Nodeid Votes Name
 1 1 n1
 2 1 n2
"""
DUMMY = 'class="ocf" provider="pacemaker" type="Dummy"'
COUNTER = iter(range(10000))


def meta(**values: str) -> str:
    number = next(COUNTER)
    pairs = "".join(f'<nvpair id="m{number}.{name}" name="{name.replace("_", "-")}" value="{value}"/>' for name, value in values.items())
    return f'<meta_attributes id="m{number}">{pairs}</meta_attributes>'


def primitive(name: str, inside: str = "", what: str = DUMMY) -> str:
    return f'<primitive id="{name}" {what}>{inside}</primitive>'


def history(node: int, name: str, started: bool, agent: str = "Dummy", provider: str = "pacemaker") -> str:
    """What a node reported: the resource was started there, or was looked for and not found."""
    operation, rc, magic = ("start", 0, "0:0;1:1:0") if started else ("monitor", 7, "0:7;1:1:7")
    key = magic.partition(";")[2]
    end = "00000000-0000-0000-0000-000000000001"
    return (
        f'<lrm_resource id="{name}" type="{agent}" class="ocf" provider="{provider}"><lrm_rsc_op id="{name}_last_0"'
        f' operation_key="{name}_{operation}_0" operation="{operation}" crm_feature_set="3.16.1" transition-key="{key}:{end}"'
        f' transition-magic="{magic}:{end}" on_node="n{node}" call-id="5" rc-code="{rc}" op-status="0" interval="0"'
        ' last-rc-change="1700000000"/></lrm_resource>'
    )


def a_cib(resources: str, on: dict[str, int], off: tuple[str, ...] = (), options: str = "", more: str = "", nodes: str = "") -> str:
    """Two nodes; on: resource to the node that runs it; off: resources that run nowhere."""
    pairs = f'<nvpair id="o1" name="stonith-enabled" value="false"/>{options}'
    states = ""
    for number in (1, 2):
        told = "".join(history(number, name, at == number) for name, at in on.items()) + "".join(history(number, one, False) for one in off)
        states += (
            f'<node_state id="{number}" uname="n{number}" in_ccm="true" crmd="online" join="member" expected="member">'
            f'<lrm id="{number}"><lrm_resources>{told}</lrm_resources></lrm></node_state>'
        )
    return (
        '<cib crm_feature_set="3.16.1" validate-with="pacemaker-3.9" epoch="3" num_updates="0" admin_epoch="0" have-quorum="1" dc-uuid="1">'
        f'<configuration><crm_config><cluster_property_set id="cib-bootstrap-options">{pairs}</cluster_property_set></crm_config>'
        f'<nodes><node id="1" uname="n1"/><node id="2" uname="n2"/>{nodes}</nodes><resources>{resources}</resources><constraints/>{more}'
        f"</configuration><status>{states}</status></cib>"
    )


def monitor(cib: str, directory: Path) -> str:
    path = directory / "cib.xml"
    path.write_text(cib)
    environment = {**os.environ, "LC_ALL": "C", "CIB_file": str(path)}
    done = subprocess.run(["crm_mon", "-1", "--output-as=xml"], capture_output=True, text=True, timeout=60, env=environment, check=True)
    return done.stdout


def parts(cib: str, said: str) -> dict[str, tuple[int, str]]:
    conf = CONF % "".join(NODE % (number, number, number) for number in (1, 2))
    return {"conf": (0, conf), "votes": (0, VOTES), "cib": (0, cib), "monitor": (0, said), "dc": (0, "S_IDLE")}


def seen(cib: str, directory: Path) -> Status:
    return parse(parts(cib, monitor(cib, directory)))


def states(cib: str, directory: Path) -> dict[str, str]:
    return {one.name: one.state for one in seen(cib, directory).services}


STOPPED = meta(target_role="Stopped")
TEMPLATE = f'<template id="t" {DUMMY}>{meta(target_role="stopped")}</template>'
DEFAULT = f"<rsc_defaults>{meta(target_role='Stopped')}</rsc_defaults>"


@pytest.mark.parametrize(
    "resources, more, options, state",
    [
        (primitive("legacy"), "", "", "stopped"),
        (primitive("legacy", STOPPED), "", "", "disabled"),
        (primitive("legacy", meta(target_role="STOPPED")), "", "", "disabled"),
        (primitive("legacy", meta(is_managed="false")), "", "", "disabled"),
        (TEMPLATE + primitive("legacy", what='template="t"'), "", "", "disabled"),
        (primitive("legacy"), DEFAULT, "", "disabled"),
        (primitive("legacy", meta(target_role="Started")), DEFAULT, "", "stopped"),
        (f'<group id="g">{STOPPED}{primitive("legacy")}</group>', "", "", "disabled"),
        (f'<group id="g">{meta(is_managed="false")}{primitive("legacy")}</group>', "", "", "disabled"),
        (f'<clone id="c">{STOPPED}{primitive("legacy")}</clone>', "", "", "disabled"),
        (f'<clone id="c">{primitive("legacy", STOPPED)}</clone>', "", "", "disabled"),
        (f'<clone id="c">{STOPPED}<group id="g">{primitive("legacy")}</group></clone>', "", "", "disabled"),
        (primitive("legacy"), "", '<nvpair id="o2" name="stop-all-resources" value="true"/>', "disabled"),
    ],
)
def test_what_a_person_stopped_is_disabled_and_not_unfinished(resources: str, more: str, options: str, state: str, tmp_path: Path) -> None:
    cib = a_cib(resources, {}, ("legacy",), options=options, more=more)
    assert list(states(cib, tmp_path).values()) == [state]


def test_what_runs_is_told_as_running_whoever_manages_it(tmp_path: Path) -> None:
    cib = a_cib(primitive("ledger", meta(is_managed="false")) + primitive("mail", meta(target_role="Started")), {"ledger": 1, "mail": 2})
    assert states(cib, tmp_path) == {"ledger": "started", "mail": "started"}


@pytest.mark.parametrize("stopped, state", [("two", "disabled"), ("three", "disabled"), ("nobody", "starting")])
def test_a_group_of_which_a_person_stopped_a_member_is_as_it_is_to_be_and_its_rest_moves(stopped: str, state: str, tmp_path: Path) -> None:
    names = ("one", "two", "three")
    group = "".join(primitive(one, STOPPED if one == stopped else "") for one in names)
    running = names[: names.index(stopped)] if stopped in names else names[:1]
    cib = a_cib(f'<group id="ledger">{group}</group>', dict.fromkeys(running, 1), tuple(one for one in names if one not in running))
    status = seen(cib, tmp_path)
    assert [(one.name, one.state) for one in status.services] == [("ledger", state)]
    plan = plan_move(status, "ledger", None)
    if state == "disabled":
        assert plan == Move("ledger", running, "n1", "n2")
    else:
        assert isinstance(plan, Refusal) and plan.reason == "unstable"


def test_what_stands_behind_a_disabled_member_is_no_failed_start(tmp_path: Path) -> None:
    group = "".join(primitive(one, STOPPED if one == "one" else "") for one in ("one", "two"))
    cib = a_cib(f'<group id="ledger">{group}</group>{primitive("mail")}', {}, ("one", "two", "mail"))
    assert idle_by_wish(monitor(cib, tmp_path)) == {"one", "two"}


def test_a_move_of_what_is_disabled_whole_says_so(tmp_path: Path) -> None:
    refusal = plan_move(seen(a_cib(primitive("legacy", STOPPED), {}, ("legacy",)), tmp_path), "legacy", None)
    assert isinstance(refusal, Refusal) and refusal.reason == "unstable" and "disabled" in refusal.sentence


BUNDLE = (
    '<bundle id="web"><podman image="localhost/web:1" replicas="2"/><network ip-range-start="192.0.2.100"><port-mapping id="w" port="80"/>'
    f"</network>{primitive('webc')}</bundle>"
)


def test_a_bundle_is_a_service_and_its_replicas_are_on_their_nodes(tmp_path: Path) -> None:
    cib = a_cib(BUNDLE + primitive("ledger"), {"ledger": 1})
    for number, other in ((1, 2), (2, 1)):
        told = "".join(history(number, f"web-podman-{one - 1}", one == number, "podman", "heartbeat") for one in (number, other)) + history(
            number, f"web-{number - 1}", True, "remote"
        )
        cib = cib.replace(f'<lrm id="{number}"><lrm_resources>', f'<lrm id="{number}"><lrm_resources>{told}')
    status = seen(cib, tmp_path)
    assert [(one.name, one.kind, one.nodes) for one in status.services] == [
        ("web", "bundle", ("n1", "n2")),
        ("ledger", "primitive", ("n1",)),
    ]
    nodes = {one["name"]: one for one in view(status)["nodes"]}
    assert "web-podman-0" in nodes["n1"]["resources"] and "web-podman-1" in nodes["n2"]["resources"]
    assert nodes["n1"]["services"] == ["ledger"], "a bundle is no service that moves"
    refusal = plan_move(status, "web", None)
    assert isinstance(refusal, Refusal) and refusal.reason == "bad_input"


def test_what_runs_in_a_replica_is_on_the_node_of_its_container(tmp_path: Path) -> None:
    said = monitor(a_cib(BUNDLE, {}), tmp_path)
    inside = '<resource id="webc" resource_agent="ocf:pacemaker:Dummy" role="Started"><node name="web-0"/></resource>'
    connection = '<resource id="web-0" resource_agent="ocf:pacemaker:remote" role="Started"><node name="n2"/></resource>'
    bundle = f'<resources><bundle id="web"><replica id="0">{inside}{connection}</replica></bundle></resources>'
    said = said[: said.index("<resources>")] + bundle + said[said.index("</resources>") + 12 :]
    status = parse(parts(a_cib(BUNDLE, {}), said))
    assert [(one.state, one.nodes) for one in status.services] == [("started", ("n2",))]


@pytest.mark.parametrize("odd", ["edge1", "5f0c1a4e-7f2b-4a10-9c55-0d5f6f1c2a3b", ""])
def test_a_node_whose_id_is_a_text_is_passed_over_while_it_is_no_member(odd: str, tmp_path: Path) -> None:
    cib = a_cib(primitive("ledger"), {"ledger": 1})
    said = monitor(cib, tmp_path)
    cib = cib.replace("</nodes>", f'<node id="{odd}" uname="edge1"/></nodes>')
    assert [one.name for one in parse(parts(cib, said)).members] == ["n1", "n2"]
    away = said.replace("</nodes>", f'<node name="edge1" id="{odd}" online="false" type="member"/></nodes>')
    assert [one.name for one in parse(parts(cib, away)).members] == ["n1", "n2"]
    online = away.replace('online="false" type="member"/></nodes>', 'online="true" type="member"/></nodes>')
    with pytest.raises(StatusError, match="edge1 is online"):
        parse(parts(cib, online))
    listed = cib.replace('id="1" uname="n1"', f'id="{odd}x" uname="n1"')
    assert parse(parts(listed, said)).member("n1").id == 1, "the list of Corosync counts"


WORDS = "Schema validation of configuration is disabled (see <man> pages)\n"


@pytest.mark.parametrize("before, after", [(WORDS, ""), ("", "warning: it is late\n"), (WORDS, WORDS), ('<?xml version="1.0"?>\n', "")])
def test_words_around_the_xml_are_nobody_s_business(before: str, after: str, tmp_path: Path) -> None:
    cib = a_cib(primitive("ledger"), {"ledger": 1})
    said = monitor(cib, tmp_path)
    around = before + cib + "\n" + after
    assert parse_cib(around).get("epoch") == "3"
    assert [one.name for one in parse(parts(around, before + said + after)).services] == ["ledger"]


@pytest.mark.parametrize(
    "text", ["", "cibadmin: Connection refused\n", "<cib", "a < b and nothing", "<cib \udce4='1'/>", "<!DOCTYPE a><cib/>"]
)
def test_what_is_no_xml_is_told_in_a_sentence(text: str) -> None:
    with pytest.raises(CibError):
        xml_root(text, "cib")
    good: dict[str, Any] = parts("<cib/>", "<pacemaker-result/>")
    with pytest.raises(StatusError, match="^cib: "):
        parse({**good, "cib": (0, text)})
