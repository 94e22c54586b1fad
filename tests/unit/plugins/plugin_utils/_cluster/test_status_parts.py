# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""Each part of an observation read for itself: members, votes, services, failures, and what can't be read. Small texts of our own."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster import corosync_conf, status, status_view
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.status import Member, Resource, Service, StatusError, Votes

CONF = """totem {
    version: 2
    cluster_name: shop
}
nodelist {
    node {
        ring0_addr: 192.0.2.1
        name: a
        nodeid: 1
    }
    node {
        ring0_addr: 192.0.2.2
        name: b
        nodeid: 2
    }
}
"""
VOTES = """Expected votes:   2
Highest expected: 3
Total votes:      1
Quorum:           2 Activity blocked
Flags:            2Node WaitForAll

Membership information
----------------------
    Nodeid      Votes Name
         1          1 a (local)
"""


def observed(nodes: str = "", seen: str = "", told: str = "", constraints: str = "", **sections: Any) -> dict[str, tuple[int, str]]:
    """An observation: nodes of the CIB, nodes of crm_mon, the rest of that, and whole sections in the place of the usual ones."""
    cib = f"<cib><configuration><nodes>{nodes}</nodes><constraints>{constraints}</constraints></configuration></cib>"
    usual = {
        "cib": (0, cib),
        "monitor": (0, f"<pacemaker-result><nodes>{seen}</nodes>{told}</pacemaker-result>"),
        "conf": (0, CONF),
        "votes": (2, VOTES),
    }
    return {name: said for name, said in {**usual, **sections}.items() if said is not None}


def test_a_number_in_the_list_that_is_none_is_told() -> None:
    with pytest.raises(status.StatusError, match="^corosync.conf cannot be read: nodeid 'x' of 192.0.2.2 is no number$"):
        status.parse(observed(conf=(0, CONF.replace("nodeid: 2", "nodeid: x"))))


def test_an_observation_without_the_rest_is_a_cluster_without_a_dc() -> None:
    a = Member("a", 1, "192.0.2.1", True, True, False, False, False, False, False)
    b = Member("b", 2, "192.0.2.2", True, False, False, False, False, False, False)
    votes = Votes(expected=2, total=1, needed=2, present=(1,), two_node=True)
    seen = status.parse(observed())
    assert seen == status.Status("shop", False, None, False, votes, (a, b), (), (), (), corosync_conf.parse(CONF))
    assert (seen.votes_total, seen.votes_expected) == (1, 2)
    assert seen.member("b") is seen.members[1]
    with pytest.raises(KeyError, match="c"):
        seen.member("c")


DCS = {
    "there and quorate": ('present="true" name="a" with_quorum="true"', "S_IDLE", ("a", True, True)),
    "there, busy and not quorate": ('present="true" name="a" with_quorum="false"', "S_TRANSITION", ("a", False, False)),
    "not there": ('present="false" name="a"', "", (None, False, False)),
}


@pytest.mark.parametrize("dc, said, expected", DCS.values(), ids=DCS.keys())
def test_the_dc_and_the_quorum_are_those_that_pacemaker_tells(dc: str, said: str, expected: tuple[str | None, bool, bool]) -> None:
    seen = status.parse(observed(told=f"<summary><current_dc {dc}/></summary>", dc=(0, f"Controller on a in state {said}: ok")))
    assert (seen.dc, seen.quorate, seen.idle) == expected


def test_all_constraints_are_named_and_those_told_that_a_move_made() -> None:
    names = ("x", "ondemand-move-x", "cli-prefer-x", "my-cli-x")
    seen = status.parse(observed(constraints="".join(f'<rsc_location id="{name}"/>' for name in names)))
    assert seen.constraints == names
    assert [one["temporary"] for one in status_view.view(seen)["constraints"]] == [False, True, True, False]


def test_what_a_tool_says_before_its_document_is_no_part_of_it() -> None:
    usual = observed('<node id="3" uname="c"/>', '<node name="a" online="true"/>')
    seen = status.parse({name: (rc, "warning: <no> answer\n" * (name in ("cib", "monitor")) + said) for name, (rc, said) in usual.items()})
    assert seen == status.parse(usual)


@pytest.mark.parametrize("said", ["online", "standby", "pending", "unclean"])
def test_of_a_member_that_is_told_what_pacemaker_says(said: str) -> None:
    member = status.parse(observed('<node id="7" uname="a"/>', f'<node name="a" {said}="true"/>')).member("a")
    expected = dict.fromkeys(("online", "standby", "pending", "unclean"), False)
    assert member == Member("a", 1, "192.0.2.1", True, True, **{**expected, said: True}), "its number is that of the list"


MARKS = {
    "a leave's": ('name="standby" id="ondemand-leaving-a"', "true", True),
    "a leave's that has ended": ('name="standby" id="ondemand-leaving-a"', "false", False),
    "a person's": ('name="standby" id="nodes-1-standby"', "true", False),
    "another value beside a person's": ('name="rack" id="ondemand-leaving-a"', "true", False),
}


@pytest.mark.parametrize("pair, standby, leaving", MARKS.values(), ids=MARKS.keys())
def test_whose_standby_it_is(pair: str, standby: str, leaving: bool) -> None:
    marked = f'<node id="1" uname="a"><instance_attributes><nvpair {pair} value="on"/></instance_attributes></node><node id="2" uname="b"/>'
    seen = status.parse(observed(marked, f'<node name="a" standby="{standby}"/><node name="b" standby="{standby}"/>'))
    assert (seen.member("a").leaving, seen.member("b").leaving) == (leaving, False)


WORKING = [
    ({}, True),
    ({"online": False}, False),
    ({"pending": True}, False),
    ({"standby": True}, False),
    ({"unclean": True}, True),
]


@pytest.mark.parametrize("change, working", WORKING)
def test_who_may_carry_services(change: dict[str, bool], working: bool) -> None:
    state = {"online": True, "standby": False, "pending": False, "unclean": False}
    assert Member("a", 1, "192.0.2.1", True, True, **{**state, **change}).working is working


OTHERS = {
    "one that left the list": ('<node id="2" uname="aa"/>', "", [("a", 1, True), ("aa", 2, False), ("b", 2, True)]),
    "one with a higher number": ('<node id="10" uname="aa"/>', "", [("a", 1, True), ("b", 2, True), ("aa", 10, False)]),
    "a remote node": (
        '<node id="r" uname="r" type="remote"/>',
        '<node name="r" type="remote" online="true"/>',
        [("a", 1, True), ("b", 2, True)],
    ),
    "a remote node with a number": ('<node id="3" uname="r" type="remote"/>', "", [("a", 1, True), ("b", 2, True)]),
    "one of other times": ('<node id="old" uname="old"/>', '<node name="old" online="false"/>', [("a", 1, True), ("b", 2, True)]),
    "one of other times that nobody sees": ('<node id="old" uname="old"/>', "", [("a", 1, True), ("b", 2, True)]),
    "one of other times that is remote now": (
        '<node id="old" uname="old"/>',
        '<node name="old" type="remote" online="true"/>',
        [("a", 1, True), ("b", 2, True)],
    ),
    "a listed one with another id": ('<node id="b" uname="b"/>', '<node name="b" online="true"/>', [("a", 1, True), ("b", 2, True)]),
    "digits of another script": ('<node id="٣" uname="aa"/>', "", [("a", 1, True), ("b", 2, True)]),
}


@pytest.mark.parametrize("nodes, seen, expected", OTHERS.values(), ids=OTHERS.keys())
def test_the_members_are_those_of_the_list_and_those_that_have_a_number_of_corosync_s(
    nodes: str, seen: str, expected: list[tuple[str, int, bool]]
) -> None:
    members = status.parse(observed(nodes, seen)).members
    assert [(one.name, one.id, one.listed) for one in members] == expected
    assert [(one.address, one.votes) for one in members if not one.listed] == [("", False)] * (len(expected) - 2)


def test_a_member_that_is_off_the_list_has_no_vote_whoever_has_its_number() -> None:
    old = [f"old{letter}" for letter in "abcdef"]
    members = status.parse(observed("".join(f'<node id="1" uname="{name}"/>' for name in reversed(old)))).members
    assert [(one.name, one.votes) for one in members] == [("a", True), *((name, False) for name in old), ("b", False)]


NUMBERS = "Expected votes:   5\nHighest expected: 6\nTotal votes:      4\nQuorum:           3\n"
COUNTED = {
    "ids in hexadecimal": ("Membership information\n  0x0000001f  1 x\n  0xa  1 y\n", (31, 10)),
    "ids in decimal": ("1 1 no-member\nMembership information\n  12  1 x\n", (12,)),
    "other flags": ("Flags:            Quorate AutoTieBreaker \n", ()),
    "no flags": ("Flags:            \n", ()),
    "numbers alone": ("", ()),
}


@pytest.mark.parametrize("text, present", COUNTED.values(), ids=COUNTED.keys())
def test_votes_are_read_as_quorumtool_prints_them(text: str, present: tuple[int, ...]) -> None:
    assert status.parse_votes(NUMBERS + text) == Votes(5, 4, 3, present, False)


@pytest.mark.parametrize("label", ["Expected votes", "Total votes", "Quorum"])
def test_a_count_without_one_of_its_numbers_is_none(label: str) -> None:
    """A 0 in its place would be taken for a cluster that has lost everybody."""
    lines = [line for line in NUMBERS.splitlines() if not line.startswith(label)]
    for text in (
        "\n".join(lines),
        "Cannot initialize QUORUM service\n" if label == "Expected votes" else "\n".join([*lines, f"{label}: no"]),
    ):
        with pytest.raises(status.StatusError, match=f"votes: corosync-quorumtool told no '{label}'"):
            status.parse_votes(text)


UNREADABLE = {
    "no CIB": ({"cib": None}, "cib: nothing was printed"),
    "a CIB that was refused": ({"cib": (102, " Could not connect\n")}, "cib: Could not connect"),
    "a code and no word": ({"monitor": (7, " \n")}, "monitor: code 7"),
    "no XML": ({"monitor": (0, "segfault")}, "monitor: not XML but 'segfault'"),
    "no list": ({"conf": None}, "conf: nothing was printed"),
    "a list that was refused": ({"conf": (1, "cat: Permission denied\n")}, "conf: cat: Permission denied"),
    "another list": (
        {"conf": (0, "totem {\n")},
        "corosync.conf cannot be read: the section 'totem' is not closed",
    ),
}


@pytest.mark.parametrize("sections, sentence", UNREADABLE.values(), ids=UNREADABLE.keys())
def test_what_cannot_be_read_is_named_with_the_reason(sections: dict[str, Any], sentence: str) -> None:
    with pytest.raises(StatusError) as raised:
        status.parse(observed(**sections))
    assert str(raised.value) == sentence


def test_a_number_that_is_none_of_corosync_s_is_told() -> None:
    with pytest.raises(StatusError) as raised:
        status.parse(observed('<node id="x1" uname="c"/>', '<node name="c" online="true"/>'))
    assert str(raised.value) == "cib: c is online and its id is 'x1', which is no number of Corosync's"


def one(inside: str, **more: str) -> str:
    """A resource of crm_mon's, with the nodes that it is on."""
    nodes = "".join(f'<node name="{name}"/>' for name in inside.split())
    fields = {"id": "r", "resource_agent": "ocf::x:y", "role": "Started" if nodes else "Stopped", **more}
    return f"<resource {' '.join(f'{name}={chr(34)}{value}{chr(34)}' for name, value in fields.items())}>{nodes}</resource>"


def read(resources: str, rest: str = "") -> tuple[Service, ...]:
    return status.parse(observed(told=f"{rest}<resources>{resources}</resources>")).services


PIECES = {
    "running": (one("a b"), ("a", "b"), "Started", {}),
    "stopped": (one(""), (), "Stopped", {}),
    "without a role": ('<resource id="r" resource_agent="ocf::x:y"/>', (), "Stopped", {}),
    "on its way": (one("a", pending="Stopping"), ("a",), "Started", {"pending": "Stopping"}),
    "failed": (one("a", failed="true"), ("a",), "Started", {"failed": True}),
    "not failed": (one("a", failed="false"), ("a",), "Started", {}),
    "stopped by a person": (one("", target_role="stopped"), (), "Stopped", {"disabled": True}),
    "wanted": (one("", target_role="Started"), (), "Stopped", {}),
    "running and not managed": (one("a", managed="false"), ("a",), "Started", {}),
    "stopped and not managed": (one("", managed="false"), (), "Stopped", {"disabled": True}),
    "stopped and managed": (one("", managed="true"), (), "Stopped", {}),
}


@pytest.mark.parametrize("text, nodes, role, more", PIECES.values(), ids=PIECES.keys())
def test_a_resource_is_read_with_its_places_and_what_a_person_wants(
    text: str, nodes: tuple[str, ...], role: str, more: dict[str, Any]
) -> None:
    wanted = Resource("r", "ocf:x:y", nodes, role, **{"pending": "", "failed": False, "disabled": False, **more})
    assert read(text) == (Service("r", "primitive", (wanted,), 0),)
    assert wanted.active is (role != "Stopped")


ALL_STOPPED = '<summary><cluster_options stop-all-resources="%s"/></summary>'
WISHES = {
    "the whole group": ('<group id="g" disabled="true">%s</group>', "", True),
    "a group": ('<group id="g" disabled="false">%s</group>', "", False),
    "every resource of the cluster": ('<group id="g">%s</group>', ALL_STOPPED % "true", True),
    "no resource of the cluster": ('<group id="g">%s</group>', ALL_STOPPED % "false", False),
}


@pytest.mark.parametrize("around, rest, disabled", WISHES.values(), ids=WISHES.keys())
def test_what_a_person_stopped_is_disabled_with_all_that_belongs_to_it(around: str, rest: str, disabled: bool) -> None:
    (service,) = read(around % (one("") + one("", id="s")), rest)
    assert (service.name, service.kind) == ("g", "group")
    assert [(piece.id, piece.disabled) for piece in service.resources] == [("r", disabled), ("s", disabled)]


def test_a_fencing_device_is_no_service_and_what_else_is_told_is_none() -> None:
    assert read(one("a", resource_agent="stonith:fence_x") + "<other/>" + '<clone id="c">%s</clone>' % one("a")) == (
        Service("c", "clone", (Resource("r", "ocf:x:y", ("a",), "Started", "", False),)),
    )


def test_a_resource_that_is_called_like_a_node_changes_no_places() -> None:
    (service,) = read('<clone id="c">%s</clone>' % (one("a", id="a") + one("b", id="a")))
    assert [piece.nodes for piece in service.resources] == [("a",), ("b",)]


def test_what_a_bundle_s_guest_runs_is_on_the_node_of_the_guest() -> None:
    replicas = "".join(
        f'<replica id="{number}">{one(node, id=f"guest-{number}")}{one(f"guest-{number}", id="app")}</replica>'
        for number, node in enumerate(("b", "a"))
    )
    (service,) = read(f'<bundle id="w">{replicas}</bundle>')
    assert service.kind == "bundle" and service.nodes == ("a", "b")
    assert [(piece.id, piece.nodes) for piece in service.resources] == [
        ("guest-0", ("b",)),
        ("app", ("b",)),
        ("guest-1", ("a",)),
        ("app", ("a",)),
    ]


FAILURES = {
    "as the agent says": (
        'op_key="my_app_start_0" node="a" exitcode="1" exitreason="port is taken" exitstatus="error" status="complete"',
        {"resource": "my_app", "node": "a", "operation": "start", "rc": 1, "because": "port is taken"},
    ),
    "as Pacemaker says": (
        'op_key="app_monitor_10000" node="a" exitcode="7" exitstatus="not running" status="complete"',
        {"resource": "app", "node": "a", "operation": "monitor", "rc": 7, "because": "not running"},
    ),
    "what came of the operation": (
        'op_key="vm_migrate_to_0" status="Timed Out"',
        {"resource": "vm", "node": "", "operation": "migrate_to", "rc": None, "because": "Timed Out"},
    ),
    "without a key": (
        'id="app" task="stop" exitcode="none"',
        {"resource": "app", "node": "", "operation": "stop", "rc": None, "because": "no reason was given"},
    ),
}


@pytest.mark.parametrize("text, failure", FAILURES.values(), ids=FAILURES.keys())
def test_a_failure_is_read_with_the_nearest_reason(text: str, failure: dict[str, Any]) -> None:
    assert status.parse(observed(told=f"<failures><failure {text}/></failures>")).failures == (failure,)


def test_failures_are_counted_for_the_service_of_their_resource() -> None:
    failures = "".join(f'<failure op_key="{name}_start_0" node="a"/>' for name in ("s", "s", "x", "r"))
    services = read(f'<group id="g">{one("a")}{one("", id="s")}</group>{one("", id="t")}', f"<failures>{failures}</failures>")
    assert [(service.name, service.failures) for service in services] == [("g", 3), ("t", 0)]


def test_services_that_run_in_several_places_are_not_moved() -> None:
    clone, bundle = '<clone id="c">%s</clone>' % one("a"), f'<bundle id="w"><replica>{one("a")}</replica></bundle>'
    seen = status.parse(
        observed(told=f"<resources>{one('a')}{clone}{bundle}<group id='g'>{one('a')}</group>{one('b', id='s')}</resources>")
    )
    assert (seen.movable_on("a"), seen.movable_on("b"), seen.movable_on("c")) == (["r", "g"], ["s"], [])


def piece(said: str) -> Resource:
    """r: runs, s: stopped, S: stopped by a person, f: failed, D: failed and is disabled, F: runs though it failed and is to stop, and what is under way."""
    pending = {"+": "Starting", "-": "Stopping", "m": "Monitoring", "p": "Promoting"}.get(said[1:], "")
    role = {"s": "Stopped", "S": "Stopped", "f": "Stopped", "D": "Stopped", "^": "Starting", "v": "Stopping"}.get(said[0], "Started")
    return Resource(said, "x", (), role, pending, said[0] in "fFD", said[0] in "SFD")


STATES = [
    ("primitive", "r", 0, "started"),
    ("primitive", "r", 1, "started"),
    ("primitive", "rm", 0, "started"),
    ("primitive", "rp", 0, "starting"),
    ("primitive", "s+", 0, "starting"),
    ("primitive", "^", 0, "starting"),
    ("primitive", "r-", 0, "stopping"),
    ("primitive", "v", 0, "stopping"),
    ("primitive", "s", 0, "stopped"),
    ("primitive", "s", 1, "failed"),
    ("primitive", "S", 0, "disabled"),
    ("primitive", "S", 1, "disabled"),
    ("primitive", "f", 0, "failed"),
    ("primitive", "F", 0, "failed"),
    ("primitive", "D", 0, "disabled"),
    ("group", "r r", 0, "started"),
    ("group", "r s", 0, "starting"),
    ("group", "r s", 1, "failed"),
    ("group", "r- s", 1, "stopping"),
    ("group", "r s+", 1, "starting"),
    ("group", "r S s", 0, "disabled"),
    ("group", "r s S", 0, "starting"),
    ("group", "S s", 1, "disabled"),
    ("group", "s s", 0, "stopped"),
    ("clone", "r s", 0, "started"),
    ("clone", "r s", 1, "started"),
    ("clone", "s s", 0, "stopped"),
    ("clone", "s s", 1, "failed"),
    ("clone", "S S", 0, "disabled"),
    ("clone", "S s", 0, "stopped"),
    ("clone", "", 0, "stopped"),
    ("bundle", "s r", 0, "started"),
]


@pytest.mark.parametrize("kind, pieces, failures, state", STATES)
def test_the_state_of_a_service_is_that_of_its_pieces_and_wishes(kind: str, pieces: str, failures: int, state: str) -> None:
    assert Service("s", kind, tuple(piece(said) for said in pieces.split()), failures).state == state


def test_idle_by_wish_is_what_a_person_disabled_and_what_stands_behind_it() -> None:
    group = '<group id="g">%s</group>' % (one("a") + one("", id="s", target_role="Stopped") + one("", id="t"))
    clone = '<clone id="c">%s</clone>' % (one("", id="u:0", target_role="Stopped") + one("", id="u:1", target_role="Stopped"))
    said = f"<warning>\n<pacemaker-result><resources>{group}{clone}{one('', id='v')}{one('a', id='w')}</resources></pacemaker-result>"
    assert status.idle_by_wish(said) == {"s", "t", "u"}
