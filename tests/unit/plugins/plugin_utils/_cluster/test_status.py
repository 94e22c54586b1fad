# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""Reading what the tools print. The case is a real observation of two nodes with a group, a clone and a failed start."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster import corosync_conf, status, status_view
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.membership_scripts import sections
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.quorum import Count

CASES = Path(__file__).parent / "status_cases"
TWO = (CASES / "two_nodes_with_a_failure.txt").read_text()
SEEN = status.parse(sections(TWO))


def test_membership_is_what_corosync_and_pacemaker_say_together() -> None:
    assert (SEEN.cluster, SEEN.dc, SEEN.quorate, SEEN.idle) == ("shop", "cell-n1", True, True)
    assert SEEN.votes == status.Votes(expected=2, total=2, needed=2, present=(1, 4), two_node=False)
    assert [(node.name, node.id, node.address, node.votes, node.online) for node in SEEN.members] == [
        ("cell-n1", 1, "10.98.0.11", True, True),
        ("cell-n2", 4, "10.98.0.12", True, True),
    ]


WEIGHED = """\
Votequorum information
----------------------
Expected votes:   5
Highest expected: 5
Total votes:      4
Quorum:           3
Flags:            Quorate Qdevice

Membership information
----------------------
    Nodeid      Votes    Qdevice Name
         1          2    A,V,NMW cell-n1 (local)
       0x4          1         NR cell-n2
         0          1            Qdevice
"""


def test_weights_and_a_device_s_vote_are_read_from_corosync_s_table() -> None:
    votes = status.parse_votes(WEIGHED)
    assert votes == status.Votes(5, 4, 3, (1, 4), False, weights=((1, 2),), device=1)
    assert votes.count == Count(5, {1: 2, 4: 1}, device=1, two_node=False, least=3)


def test_whose_join_was_cut_off_is_told_by_the_note_in_the_file_of_who_was_there_before() -> None:
    notes = "    %s\n    two_node: 1\n    wait_for_all: 0\n" % corosync_conf.PASSING_NOTE
    leaves = TWO.replace("quorum {\n", "quorum {\n" + notes)
    staged = TWO.replace("quorum {\n", "quorum {\n" + notes + "    %s cell-n2\n" % corosync_conf.JOINER_NOTE)
    assert staged != TWO

    def joining(text: str) -> list[str]:
        return [node.name for node in status.parse(sections(text)).members if node.joining]

    assert joining(staged) == ["cell-n2"] and joining(TWO) == []
    assert joining(leaves) == [], "the other one leaves, and this one stays"
    away = re.sub(r'(<node name="cell-n2" id="\d+") online="true"', r'\1 online="false"', staged)
    assert away != staged and joining(away) == []
    standby = '<nvpair id="ondemand-leaving-cell-n2" name="standby" value="on"/>'
    marked = staged.replace(
        '<node id="4" uname="cell-n2"/>', f'<node id="4" uname="cell-n2"><instance_attributes id="a">{standby}</instance_attributes></node>'
    )
    assert marked != staged and joining(marked) == [], "it is on its way out"


def test_a_member_whose_entry_has_no_name_is_one_member() -> None:
    nameless = status.parse(sections(TWO.replace("        name: cell-n2\n", "")))
    assert [(node.name, node.id, node.address, node.listed, node.votes) for node in nameless.members] == [
        ("cell-n1", 1, "10.98.0.11", True, True),
        ("cell-n2", 4, "10.98.0.12", True, True),
    ]
    assert nameless.conf is not None and nameless.conf.entry_of("cell-n2", 4) == "10.98.0.12"


def test_services_are_groups_clones_and_single_resources_with_their_state() -> None:
    assert [(service.name, service.kind, service.state, service.nodes) for service in SEEN.services] == [
        ("d", "primitive", "started", ("cell-n2",)),
        ("ledger", "group", "started", ("cell-n1",)),
        ("web-clone", "clone", "started", ("cell-n1", "cell-n2")),
        ("bad_one", "primitive", "failed", ()),
    ]


def test_only_what_runs_in_one_place_is_movable() -> None:
    assert SEEN.movable_on("cell-n1") == ["ledger"] and SEEN.movable_on("cell-n2") == ["d"]


def test_a_failure_is_told_with_its_reason() -> None:
    assert list(SEEN.failures) == [{"resource": "bad_one", "node": "cell-n2", "operation": "start", "rc": 6, "because": "[findif] failed"}]


def test_the_view_has_the_promised_keys() -> None:
    view = status_view.view(SEEN)
    assert set(view) == {
        "name",
        "quorate",
        "dc",
        "stable",
        "votes",
        "two_node",
        "may_change",
        "nodes",
        "services",
        "failures",
        "constraints",
        "lease",
        "leave_order",
        "withheld",
    }
    assert set(view["nodes"][0]) == {
        "name",
        "id",
        "address",
        "online",
        "standby",
        "pending",
        "unclean",
        "leaving",
        "joining",
        "host",
        "services",
        "resources",
        "may_leave",
    }
    assert view["nodes"][0]["resources"] == ["ledger-data", "ledger-address", "ledger-app", "web"]
    assert view["constraints"] == [{"id": "cli-prefer-d", "temporary": True}]
    assert view["nodes"][1]["may_leave"] == {"allowed": True, "reason": None, "sentence": "cell-n2 may leave."}
    assert view["may_change"] == {"allowed": True, "reason": None, "sentence": "shop may be changed."}
    assert status_view.view(replace(SEEN, quorate=False))["may_change"]["reason"] == "not_quorate"
    assert status_view.view(SEEN, min_nodes=2)["nodes"][1]["may_leave"]["reason"] == "minimum"


def resource(role: str, pending: str = "", failed: bool = False) -> status.Resource:
    """A resource in this role."""
    return status.Resource("r", "ocf:pacemaker:Dummy", () if role == "Stopped" else ("n1",), role, pending, failed)


@pytest.mark.parametrize(
    ("kind", "resources", "failures", "state"),
    [
        ("group", [resource("Started"), resource("Started")], 0, "started"),
        ("group", [resource("Started"), resource("Stopped")], 0, "starting"),
        ("group", [resource("Started"), resource("Stopped")], 1, "failed"),
        ("group", [resource("Started"), resource("Stopped", "Starting")], 0, "starting"),
        ("group", [resource("Started"), resource("Started", "Stopping")], 0, "stopping"),
        ("group", [resource("Started"), resource("Started", "Monitoring")], 0, "started"),
        ("group", [resource("Stopped"), resource("Stopped")], 0, "stopped"),
        ("primitive", [resource("Started", failed=True)], 1, "failed"),
        ("primitive", [resource("Started")], 1, "started"),
        ("clone", [resource("Started"), resource("Stopped")], 0, "started"),
    ],
)
def test_the_state_of_a_service(kind: str, resources: list[status.Resource], failures: int, state: str) -> None:
    assert status.Service("s", kind, tuple(resources), failures).state == state


@pytest.mark.parametrize(
    ("key", "found"),
    [("my_app_monitor_10000", ("my_app", "monitor")), ("vm_migrate_to_0", ("vm", "migrate_to")), ("a-b_stop_0", ("a-b", "stop"))],
)
def test_an_operation_key_is_taken_apart(key: str, found: tuple[str, str]) -> None:
    match = status.OPERATION_KEY.match(key)
    assert match and match.groups() == found


def test_a_node_that_left_the_list_but_not_the_cib_is_still_shown() -> None:
    text = TWO.replace("        name: cell-n2\n", "        name: other\n").replace("nodeid: 4", "nodeid: 9")
    assert [(node.name, node.listed) for node in status.parse(sections(text)).members] == [
        ("cell-n1", True),
        ("cell-n2", False),
        ("other", True),
    ]


@pytest.mark.parametrize(("cut", "said"), [("<cib ", "cib"), ("<pacemaker-result", "monitor"), ("totem {", "corosync.conf")])
def test_what_cannot_be_read_is_named(cut: str, said: str) -> None:
    with pytest.raises(status.StatusError, match=said):
        status.parse(sections(TWO.replace(cut, "}", 1)))


def test_a_section_that_was_cut_off_is_no_answer() -> None:
    assert "conf" not in sections("\n==ondemand-section== conf\ntotem {\n")
    assert sections("\n==ondemand-section== a\nx\n\n==ondemand-rc== 3\n") == {"a": (3, "x\n")}


ENTRY = '<node id="4" uname="cell-n2"><instance_attributes id="a"><nvpair id="%s" name="standby" value="on"/></instance_attributes></node>'


@pytest.mark.parametrize(
    "standby, entry, leaving", [(True, "ondemand-leaving-cell-n2", True), (True, "nodes-4-standby", False), (False, "", False)]
)
def test_a_standby_of_an_unfinished_leave_is_told_from_a_person_s(standby: bool, entry: str, leaving: bool) -> None:
    text = re.sub(r'<node id="4" uname="cell-n2"/>', ENTRY % entry, TWO) if entry else TWO
    assert (text != TWO) == bool(entry)
    if standby:
        text = re.sub(r'(<node name="cell-n2"[^>]*) standby="false"', r'\1 standby="true"', text)
    seen = status.parse(sections(text))
    assert (seen.member("cell-n2").standby, seen.member("cell-n2").leaving) == (standby, leaving)
    assert not seen.member("cell-n1").leaving
