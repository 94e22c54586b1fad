# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""What is ours and named no longer goes once it has stopped; what has to stop first, and in whose place; marks that tell ours from others'."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import pytest
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.cib import parse_cib
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.cib_extras import hosts_of
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.cib_plan import CibPlan, plan_cib
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.services import wanted_resources
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.settle import why_not_stopped

from tests.cluster.edits import BASE, EDITS, MAIL, Edit, File, both, member, members, more, put, swapped, without

EMPTY = (
    '<cib admin_epoch="0" epoch="5" num_updates="0"><configuration><crm_config/><nodes/><resources>%s</resources>'
    "<constraints>%s</constraints></configuration><status/></cib>"
)


def cib(resources: str = "", constraints: str = "") -> ElementTree.Element:
    return parse_cib(EMPTY % (resources, constraints))


def plan(before: ElementTree.Element, file: File) -> CibPlan:
    return plan_cib(before, wanted_resources(file), "whole")


def made(file: File, before: ElementTree.Element | None = None) -> ElementTree.Element:
    """The CIB after the services of a file were configured."""
    done = plan(before if before is not None else cib(), file)
    assert done.problems == ()
    return parse_cib(done.wanted)


def after(*changes: Any) -> File:
    return Edit("", both(*changes), frozenset()).of(BASE)


FILES = [BASE]
for edit in EDITS:
    FILES.append(edit.of(FILES[-1]))


@pytest.mark.parametrize("number, edit", list(enumerate(EDITS)), ids=[edit.name for edit in EDITS])
def test_an_edit_gives_what_a_new_cluster_would_have_and_a_second_look_finds_nothing_to_do(number: int, edit: Edit) -> None:
    before = made(FILES[number])
    # As Pacemaker has it when what is to stop was told so.
    halting = plan(before, FILES[number + 1]).halting
    done = plan(parse_cib(halting) if halting else before, FILES[number + 1])
    assert done.problems == () and done.halting is None, "what is told to stop is not told again"
    fresh = plan(cib(), FILES[number + 1])
    ids = [sorted(e.get("id") for e in parse_cib(one.wanted).iter() if e.tag != "nvpair" and e.get("id")) for one in (done, fresh)]
    assert ids[0] == ids[1]
    again = plan(parse_cib(done.wanted), FILES[number + 1])
    assert (again.changed, again.halts, again.halting) == (False, (), None)


HALTS = {
    "nothing where something is added": ([more(MAIL)], ()),
    "nothing where an address becomes another one": ([put("note", address="10.98.0.92")], ()),
    "a member that is named no longer": ([members("note", "note-app")], ("note-data",)),
    "a whole service": ([without("note")], ("note-address", "note-app", "note-data")),
    "a service that becomes another kind": (
        [put("web", kind="movable", resource=None, group=[{"name": "web-app", "agent": "ocf:pacemaker:Dummy"}])],
        ("haproxy", "web"),
    ),
    "who holds the address that another service gets": (
        [put("note", address="10.98.0.92"), more({**MAIL, "address": "10.98.0.90"})],
        ("note-address",),
    ),
    "nothing where options change that several may have": (
        [member("note", 0, options={"fake": "x"}), member("note", 1, options={"fake": "x"})],
        (),
    ),
}


@pytest.mark.parametrize("changes, halts", HALTS.values(), ids=list(HALTS))
def test_stopped_first_is(changes: list[Any], halts: tuple[str, ...]) -> None:
    found = plan(made(BASE), after(*changes))
    assert found.halts == halts
    assert (found.halting is None) == (halts == ())


def test_addresses_that_are_swapped_are_both_given_up_first() -> None:
    with_mail = after(more(MAIL))
    assert plan(made(with_mail), Edit("", swapped, frozenset()).of(with_mail)).halts == ("mail-address", "note-address")


def test_a_file_system_is_given_up_before_another_service_mounts_it() -> None:
    disk = {"name": "note-data", "agent": "ocf:heartbeat:Filesystem", "options": {"device": "/dev/a", "directory": "/a", "fstype": "ext4"}}
    other = {**disk, "options": {**disk["options"], "device": "/dev/b", "directory": "/b"}}
    mail = {**MAIL, "group": [{**disk, "name": "mail-data"}]}
    before = made(after(member("note", 0, **disk)))
    assert plan(before, after(member("note", 0, **other), more(mail))).halts == ("note-data",)


def test_a_stop_is_told_to_the_outermost_and_takes_the_place_of_a_wish_to_run() -> None:
    before = made(after(put("note", meta={"target-role": "Started"})))
    halting = parse_cib(plan(before, after(without("note"))).halting or "")
    roles = {pair.get("id"): pair.get("value") for pair in halting.iter("nvpair") if pair.get("name") == "target-role"}
    assert roles == {"ondemand-stopped-note": "Stopped"}
    assert [pair.get("id") for pair in halting.iterfind(".//group[@id='note']/meta_attributes/nvpair") if pair.get("name") == "target-role"]


def test_what_a_person_disabled_is_not_told_to_stop_again_and_goes_all_the_same() -> None:
    before = made(after(put("note", meta={"target-role": "stopped"})))
    found = plan(before, after(without("note")))
    assert found.halting is None and found.halts == ("note-address", "note-app", "note-data")
    assert "note" not in [e.get("id") for e in parse_cib(found.wanted).iter()]


def test_what_others_put_into_a_group_of_ours_stays_when_the_group_goes() -> None:
    before = made(BASE)
    group = before.find("configuration/resources/group[@id='note']")
    assert group is not None
    group.append(ElementTree.fromstring('<primitive id="theirs" class="ocf" provider="pacemaker" type="Dummy"/>'))
    found = parse_cib(plan(before, after(without("note"))).wanted)
    left = sorted(str(e.get("id")) for e in found.iterfind("configuration/resources/*"))
    assert left == ["haproxy-clone", "still", "theirs", "web-address", "web-clone"]


NODES = '<nodes><node id="1" uname="n1"><instance_attributes id="a"><nvpair id="a-rack" name="rack" value="b"/></instance_attributes></node></nodes>'


def test_what_somebody_else_has_set_for_a_node_is_a_problem_and_what_we_set_is_ours_whole() -> None:
    there = parse_cib((EMPTY % ("", "")).replace("<nodes/>", NODES))
    stated = {**BASE, "pacemaker": {"nodes": [{"name": "n1", "attributes": {"rack": "a"}}]}}
    (problem,) = plan(there, stated).problems
    assert (problem["path"], problem["problem"]) == ("config.nodes[0].attributes", "rack of n1 is set by somebody else")
    row = {**BASE, "pacemaker": {"nodes": [{"name": "n1", "attributes": {"row": 3}}, {"name": "later", "attributes": {"row": 4}}]}}
    found = made(row, there)
    assert {p.get("name"): p.get("value") for p in found.iterfind("configuration/nodes/node//nvpair")} == {"rack": "b", "row": "3"}
    assert [p.get("name") for p in made(BASE, found).iterfind("configuration/nodes/node//nvpair")] == ["rack"]


def test_a_node_s_host_is_written_down_beside_what_others_set_and_stays_where_it_is_not_told() -> None:
    there = parse_cib((EMPTY % ("", "")).replace("<nodes/>", NODES))
    found = parse_cib(plan_cib(there, wanted_resources(BASE, {"n1": "hv1", "later": "hv2"}), "whole").wanted)
    assert {p.get("name"): p.get("value") for p in found.iterfind("configuration/nodes/node//nvpair")} == {
        "rack": "b",
        "ondemand-host": "hv1",
    }
    again = plan_cib(found, wanted_resources(BASE, {"n1": "hv1"}), "whole")
    assert not again.changed
    assert hosts_of(parse_cib(plan_cib(found, wanted_resources(BASE), "whole").wanted)) == {"n1": "hv1"}, "nobody showed its VM"
    moved = plan_cib(found, wanted_resources(BASE, {"n1": "hv2"}), "merge")
    assert hosts_of(parse_cib(moved.wanted)) == {"n1": "hv2"}
    assert 'value="hv1"' in moved.before and 'value="hv2"' in moved.after


def passed(**parts: Any) -> File:
    """BASE with this passed on."""
    return {**BASE, "pacemaker": parts}


def some(*ids: str, **more: Any) -> list[dict[str, Any]]:
    return [{"id": one, "agent": "ocf:pacemaker:Dummy", **more} for one in ids]


def test_what_a_person_disabled_stays_so_when_all_members_become_others() -> None:
    before = made(after(members("note", "a")))
    group = before.find("configuration/resources/group[@id='note']/meta_attributes")
    assert group is not None
    ElementTree.SubElement(group, "nvpair", {"id": "theirs", "name": "target-role", "value": "Stopped"})
    found = made(after(members("note", "b")), before)
    roles = [
        p.get("value") for p in found.iterfind("configuration/resources/group[@id='note']/meta_attributes/nvpair[@name='target-role']")
    ]
    assert roles == ["Stopped"]


def test_a_clone_around_a_group_whose_members_change_places_is_the_one_that_was_there() -> None:
    before = passed(
        resources=some("a", "b"),
        groups=[{"id": "g", "members": ["a"]}, {"id": "h", "members": ["b"]}],
        clones=[{"id": "k", "resource": "h"}],
    )
    there = made(before)
    clone = there.find("configuration/resources/clone[@id='k']/meta_attributes")
    assert clone is not None
    ElementTree.SubElement(clone, "nvpair", {"id": "theirs", "name": "target-role", "value": "Stopped"})
    wanted = passed(
        resources=some("a", "b", "c"),
        groups=[{"id": "g", "members": ["a", "b"]}, {"id": "h", "members": ["c"]}],
        clones=[{"id": "k", "resource": "h"}],
    )
    assert plan(there, wanted).halts == ("b",), "it ran on every node, and is to run on one"
    assert made(wanted, there).find("configuration/resources/clone[@id='k']/meta_attributes/nvpair[@id='theirs']") is not None


def test_a_role_that_the_file_states_outlives_our_own_stop() -> None:
    address = {"agent": "ocf:heartbeat:IPaddr2"}
    one = passed(
        resources=[
            {"id": "x", **address, "options": {"ip": "10.0.0.1"}, "meta": {"target-role": "Started"}},
            {"id": "y", **address, "options": {"ip": "10.0.0.2"}},
        ]
    )
    other = passed(
        resources=[
            {**one["pacemaker"]["resources"][0], "options": {"ip": "10.0.0.2"}},
            {"id": "y", **address, "options": {"ip": "10.0.0.1"}},
        ]
    )
    before = made(one)
    first = plan(before, other)
    done = plan(parse_cib(first.halting or ""), other)
    assert first.halts == ("x", "y") and first.after == done.after
    assert not plan(parse_cib(done.wanted), other).changed


EXCHANGES = {
    "a member that stands alone afterwards": (
        passed(resources=some("a", "b"), groups=[{"id": "g", "members": ["a", "b"]}]),
        passed(resources=some("a", "b"), groups=[{"id": "g", "members": ["a"]}]),
        (),
    ),
    "a clone of another resource": (
        passed(resources=some("a", "b"), clones=[{"id": "k", "resource": "a"}]),
        passed(resources=some("a", "b"), clones=[{"id": "k", "resource": "b"}]),
        ("a",),
    ),
    "a clone that is promotable no longer": (
        passed(resources=some("a"), clones=[{"id": "k", "resource": "a", "promotable": True}]),
        passed(resources=some("a"), clones=[{"id": "k", "resource": "a"}]),
        (),
    ),
    "options that are nothing": (passed(resources=some("a", options={"fake": "x"})), passed(resources=some("a", options=None)), ()),
}


@pytest.mark.parametrize("one, other, halts", EXCHANGES.values(), ids=list(EXCHANGES))
def test_what_is_passed_on_is_a_whole_too(one: File, other: File, halts: tuple[str, ...]) -> None:
    before = made(one)
    found = plan(before, other)
    assert (found.problems, found.halts, found.changed) == ((), halts, True)
    fresh = [
        sorted(str(sorted(e.attrib.items())) for e in parse_cib(p.wanted).iterfind("configuration/resources//*"))
        for p in (found, plan(cib(), other))
    ]
    assert fresh[0] == fresh[1]


def test_what_a_person_put_into_our_group_stays_in_it_through_an_edit() -> None:
    before = made(BASE)
    group = before.find("configuration/resources/group[@id='note']")
    assert group is not None
    group.append(ElementTree.fromstring('<primitive id="theirs" class="ocf" provider="pacemaker" type="Dummy"/>'))
    found = made(after(members("note", "note-data", "note-app", "note-tail")), before)
    ids = [e.get("id") for e in found.iterfind("configuration/resources/group[@id='note']/primitive")]
    assert ids == ["note-data", "note-app", "note-address", "note-tail", "theirs"]
    assert not plan(found, after(members("note", "note-data", "note-app", "note-tail"))).changed


def test_a_clone_of_older_times_that_is_passed_on_is_one() -> None:
    there = cib('<master id="m"><primitive id="a" class="ocf" provider="pacemaker" type="Stateful"/></master>')
    wanted = passed(resources=[{"id": "a", "agent": "ocf:pacemaker:Stateful"}], clones=[{"id": "m", "resource": "a", "promotable": True}])
    found = made(wanted, there)
    assert not plan(found, wanted).changed


def test_what_others_made_stays_whatever_it_is_called() -> None:
    theirs = '<primitive id="theirs" class="ocf" provider="pacemaker" type="Dummy"/>'
    rule = '<rsc_location id="their-rule" rsc="theirs" node="n" score="1"/><rsc_location id="cli-prefer-theirs" rsc="theirs" node="n" score="1"/>'
    before = made(BASE, cib(theirs, rule))
    found = parse_cib(plan(before, {**BASE, "services": []}).wanted)
    assert [e.get("id") for e in found.iterfind("configuration/resources/*")] == ["theirs"]
    assert [e.get("id") for e in found.iterfind("configuration/constraints/*")] == ["their-rule", "cli-prefer-theirs"]


def test_a_move_s_wish_goes_with_its_service_alone() -> None:
    wishes = "".join('<rsc_location id="ondemand-move-%s" rsc="%s" node="n" score="1"/>' % (one, one) for one in ("note", "still"))
    before = made(BASE)
    constraints = before.find("configuration/constraints")
    assert constraints is not None
    constraints.extend(ElementTree.fromstring("<a>%s</a>" % wishes))
    found = parse_cib(plan(before, after(without("note"))).wanted)
    assert [e.get("id") for e in found.iterfind("configuration/constraints/rsc_location")] == ["ondemand-move-still"]


def test_meta_attributes_that_are_stated_no_longer_go_and_a_person_s_stay() -> None:
    before = made(after(put("note", meta={"priority": 5, "resource-stickiness": 7})))
    group = before.find("configuration/resources/group[@id='note']/meta_attributes")
    assert group is not None
    ElementTree.SubElement(group, "nvpair", {"id": "theirs", "name": "failure-timeout", "value": "9"})
    found = parse_cib(plan(before, after(put("note", meta={"priority": 6}))).wanted)
    pairs = {p.get("name"): p.get("value") for p in found.iterfind("configuration/resources/group[@id='note']/meta_attributes/nvpair")}
    assert pairs == {"ondemand-service": "note", "ondemand-stated": "priority", "priority": "6", "failure-timeout": "9"}
    bare = parse_cib(plan(found, BASE).wanted)
    pairs = {p.get("name"): p.get("value") for p in bare.iterfind("configuration/resources/group[@id='note']/meta_attributes/nvpair")}
    assert pairs == {"ondemand-service": "note", "failure-timeout": "9"}


def test_a_stop_of_a_killed_run_is_taken_back_where_the_service_is_named() -> None:
    halting = plan(made(BASE), after(without("note"))).halting
    found = plan(parse_cib(halting or ""), BASE)
    assert found.changed and (found.halts, found.halting) == ((), None)
    assert "ondemand-stopped-" not in found.wanted


def test_what_names_something_that_goes_is_a_problem_before_anything_stops() -> None:
    before = made(BASE)
    constraints = before.find("configuration/constraints")
    assert constraints is not None
    ElementTree.SubElement(constraints, "rsc_location", {"id": "theirs", "rsc": "note", "node": "n", "score": "1"})
    (problem,) = plan(before, after(without("note"))).problems
    assert problem["problem"] == "constraint theirs names note, which would go" and problem["path"] == "config"


def test_merging_removes_and_stops_nothing() -> None:
    found = plan_cib(made(BASE), wanted_resources({**BASE, "services": []}), "merge")
    assert (found.changed, found.halts, found.halting) == (False, (), None)


SEEN = """<pacemaker-result><resources><group id="note">
<resource id="note-data" role="%s" managed="%s" failed="false"><node name="n1"/></resource>
<resource id="note-app" role="Stopped" managed="true" failed="false"/>
</group></resources><failures>%s</failures></pacemaker-result>"""
FAILED = '<failure op_key="note-data_stop_0" node="n1" exitstatus="error" exitreason="busy" exitcode="1"/>'


@pytest.mark.parametrize(
    "role, managed, failures, told",
    [
        ("Started", "true", FAILED, "note-data on n1 (stop: busy) is still there"),
        ("Started", "true", FAILED.replace("_stop_", "_monitor_"), "note-data on n1 (Pacemaker reports no failure) is still there"),
        ("Started", "false", "", "note-data on n1 (Pacemaker does not manage it) is still there"),
    ],
)
def test_what_did_not_stop_is_told_with_its_node_and_reason(role: str, managed: str, failures: str, told: str) -> None:
    seen = SEEN % (role, managed, failures)
    assert why_not_stopped(seen, ("note-data", "note-app")) == told
    assert why_not_stopped(seen, ("note-app",)) is None
