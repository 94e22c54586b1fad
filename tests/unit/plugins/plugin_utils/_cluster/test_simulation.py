# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""What is put into a copy of the CIB, and what is read of the scheduler's answer. The scheduler itself is asked in tests/cluster."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Callable

import pytest
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.cib import CibError
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.simulation import (
    Effects,
    effects,
    emptying,
    moving,
    why_not_there,
    with_constraint,
    with_move,
    with_node,
    with_standby,
    without_node,
)

PLAIN = '<cib><configuration><nodes><node id="1" uname="n1"/><node id="2" uname="n2"/></nodes><constraints/></configuration></cib>'
TWO_SETS = (
    '<cib><configuration><nodes><node id="1" uname="n1"><instance_attributes id="a"><nvpair id="b" name="standby" value="off"/>'
    "</instance_attributes></node></nodes></configuration></cib>"
)


def standby(cib: ET.Element, node: str) -> list[str]:
    """The values of standby that a node has, in the order in which they stand."""
    return [pair.get("value", "") for pair in cib.findall(f".//node[@uname='{node}']//nvpair[@name='standby']")]


def test_a_node_in_standby_is_one_in_a_copy_alone() -> None:
    cib = ET.fromstring(PLAIN)
    changed = with_standby(cib, "n2")
    assert (standby(changed, "n1"), standby(changed, "n2")) == ([], ["on"])
    (attributes,) = changed.findall(".//node[@uname='n2']/instance_attributes")
    assert ET.tostring(attributes, encoding="unicode") == (
        '<instance_attributes id="ondemand-what-if"><nvpair id="ondemand-what-if-standby" name="standby" value="on" /></instance_attributes>'
    )
    assert ET.tostring(cib, encoding="unicode") == ET.tostring(ET.fromstring(PLAIN), encoding="unicode")


def test_a_standby_that_is_switched_off_is_on_in_the_copy_whichever_set_pacemaker_reads() -> None:
    changed = with_standby(ET.fromstring(TWO_SETS), "n1")
    assert standby(changed, "n1") == ["on", "on"]
    assert [held.get("id") for held in changed.iter("instance_attributes")] == ["ondemand-what-if", "a"], (
        "the first set is the one that counts"
    )


def test_a_node_that_the_cib_does_not_have_is_told() -> None:
    with pytest.raises(CibError, match="no node n9"):
        with_standby(ET.fromstring(PLAIN), "n9")


def test_a_wish_stands_once_whatever_stood_there_before() -> None:
    once = with_constraint(ET.fromstring(PLAIN), '<rsc_location id="w" rsc="a" node="n1" score="1"/>')
    twice = with_constraint(once, '<rsc_location id="w" rsc="a" node="n2" score="1"/>')
    assert [item.get("node") for item in twice.iter("rsc_location")] == ["n2"]
    other = with_constraint(once, '<rsc_location id="v" rsc="a" node="n2" score="1"/>')
    assert [item.get("id") for item in other.iter("rsc_location")] == ["w", "v"]
    with pytest.raises(CibError, match="no <constraints>"):
        with_constraint(ET.fromstring(TWO_SETS), '<rsc_location id="w"/>')


STATES = PLAIN.replace(
    "</cib>", '<status><node_state id="2" uname="n2" in_ccm="true" crmd="online" join="member" expected="member"/></status></cib>'
)


def test_a_new_member_is_online_and_carries_nothing() -> None:
    changed = with_node(ET.fromstring(STATES), "n3")
    assert [(item.get("id"), item.get("uname")) for item in changed.findall("configuration/nodes/node")] == [
        ("1", "n1"),
        ("2", "n2"),
        ("3", "n3"),
    ]
    state = changed.findall("status/node_state")[-1]
    assert state.attrib == {"id": "3", "uname": "n3", "in_ccm": "true", "crmd": "online", "join": "member", "expected": "member"}
    assert state.find("lrm/lrm_resources") is not None and not list(state.iter("lrm_resource"))
    assert ET.tostring(with_node(changed, "n3")) == ET.tostring(changed), "a member is not added twice"
    with pytest.raises(CibError, match="no <status>"):
        with_node(ET.fromstring(PLAIN), "n3")
    with pytest.raises(CibError, match="no <nodes>"):
        with_node(ET.fromstring("<cib><configuration/><status/></cib>"), "n3")


@pytest.mark.parametrize(("nodes", "number"), [("", "1"), ('<node id="7" uname="n1"/><node uname="n2"/><node id="n3" uname="x"/>', "8")])
def test_a_new_member_gets_a_number_above_all_that_are_numbers(nodes: str, number: str) -> None:
    changed = with_node(ET.fromstring(f"<cib><configuration><nodes>{nodes}</nodes></configuration><status/></cib>"), "n9")
    assert [node.get("id") for node in changed.iter("node")][-1] == number
    assert [state.get("id") for state in changed.iter("node_state")] == [number] == [lrm.get("id") for lrm in changed.iter("lrm")]


@pytest.mark.parametrize("quorate", [True, False])
def test_a_lost_member_is_gone_without_a_word_and_the_others_know_whether_they_have_quorum(quorate: bool) -> None:
    changed = without_node(ET.fromstring(STATES), "n2", quorate)
    state = changed.findall("status/node_state")[0]
    assert state.attrib == {"id": "2", "uname": "n2", "in_ccm": "false", "crmd": "offline", "join": "down", "expected": "member"}
    assert changed.get("have-quorum") == ("1" if quorate else "0")
    assert without_node(ET.fromstring(STATES), "n1", True).findall("status/node_state")[0].get("crmd") == "online"


FAILED = "<cib><configuration><constraints/></configuration><status>%s</status></cib>" % "".join(
    f'<node_state uname="{node}"><transient_attributes id="t{node}"><instance_attributes id="i{node}">'
    '<nvpair id="a" name="fail-count-app#start_0" value="INFINITY"/>'
    '<nvpair id="b" name="last-failure-app#start_0" value="1"/><nvpair id="c" name="fail-count-application#start_0" value="1"/>'
    '<nvpair id="d" name="fail-count-app" value="1"/></instance_attributes></transient_attributes><lrm><lrm_resources><lrm_resource id="app"/>'
    '<lrm_resource id="application"/></lrm_resources></lrm></node_state>'
    for node in ("n1", "n2")
)


def test_old_failures_of_what_moves_are_forgotten_on_the_node_that_it_moves_to_as_the_move_itself_forgets_them() -> None:
    changed = with_move(ET.fromstring(FAILED), '<rsc_location id="w"/>', ("app",), "n2")

    def left(node: str) -> list[str]:
        (state,) = changed.findall(f"status/node_state[@uname='{node}']")
        return [item.get("name", "") for item in state.iter("nvpair")] + [item.get("id", "") for item in state.iter("lrm_resource")]

    assert left("n2") == ["fail-count-application#start_0", "application"]
    standing = ET.fromstring(FAILED.replace('name="fail-count-app"', 'name="standby"'))
    assert "standby" in [pair.get("name") for pair in with_move(standing, '<rsc_location id="w"/>', ("app",), "n2").iter("nvpair")]
    assert len(left("n1")) == 6 and [item.get("id") for item in changed.iter("rsc_location")] == ["w"]


def resource(name: str, *nodes: str, more: str = "", managed: bool = True) -> str:
    """A resource as crm_simulate tells it, active where it has nodes."""
    places = "".join(f'<node name="{node}"/>' for node in nodes)
    return f'<resource id="{name}" active="{str(bool(nodes)).lower()}" managed="{str(managed).lower()}" {more}>{places}</resource>'


def answer(before: str, after: str) -> str:
    """What crm_simulate prints, a word of it included."""
    status = f"<cluster_status><resources>{before}</resources></cluster_status>"
    revised = f"<revised_cluster_status><resources>{after}</resources></revised_cluster_status>"
    return f'warning: words before\n<pacemaker-result>{status}<actions/>{revised}<status code="0"/></pacemaker-result>\n'


CASES = {
    "what goes elsewhere runs": (
        resource("a", "n1"), resource("a", "n2"), Effects(places={"a": ("n2",)}, moves={"a": (("n1",), ("n2",))}),
    ),
    "what has no place stops": (resource("a", "n1"), resource("a"), Effects(stops=("a",))),
    "what never ran does not stop": (resource("a"), resource("a"), Effects()),
    "what runs nowhere runs nowhere, whatever it is called": ('<resource id="a" active="true"/>', "", Effects()),
    "what is told of a node where it does not run": ('<resource id="a" active="false"><node name="n1"/></resource>', "", Effects()),
    "a copy that a person stops": (resource("a:0", "n1", more='target_role="stopped"'), "", Effects()),
    "what a person stops is no harm": (resource("a", "n1", more='target_role="Stopped"'), resource("a"), Effects()),
    "what is configured no more is no harm": (resource("a", "n1", more='orphaned="true"'), "", Effects()),
    "a clone that runs somewhere runs": (
        '<clone id="c">' + resource("a:0", "n1") + resource("a:1", "n2") + "</clone>",
        '<clone id="c">' + resource("a:0") + resource("a:1", "n2") + "</clone>",
        Effects(places={"a": ("n2",)}, moves={"a": (("n1", "n2"), ("n2",))}),
    ),
    "a clone whose last copy stops is a stop": (resource("a", "n1"), '<clone id="c">' + resource("a") + "</clone>", Effects(stops=("a",))),
    "what nobody manages stays": (
        resource("a", "n1", managed=False), resource("a", "n1", managed=False), Effects(stays=(("a", False),), places={"a": ("n1",)}),
    ),
    "what is blocked stays": (resource("a", "n1"), resource("a", "n1"), Effects(stays=(("a", True),), places={"a": ("n1",)})),
    "a bundle's replica": (
        '<bundle id="b"><replica id="0">' + resource("b-docker-0", "n1") + resource("b-0", "n1") + "</replica></bundle>",
        '<bundle id="b"><replica id="0">' + resource("b-docker-0") + resource("b-0") + "</replica></bundle>",
        Effects(stops=("b",)),
    ),
    "a bundle that has a replica less": (
        f'<bundle id="b"><replica>{resource("b-docker-0", "n1")}{resource("r:0", "b-0")}</replica>{resource("b-docker-1", "n2")}</bundle>',
        f'<bundle id="b"><replica>{resource("b-docker-0")}</replica>{resource("b-docker-1", "n2")}{resource("r:1", "b-1")}</bundle>',
        Effects(places={"b": ("b-1", "n2")}, moves={"b": (("b-0", "n1", "n2"), ("b-1", "n2"))}),
    ),
    "a promoted copy that is promoted elsewhere": (
        resource("a", "n1", more='role="Promoted"') + resource("a", "n2", more='role="Unpromoted"'),
        resource("a") + resource("a", "n2", more='role="Promoted"'),
        Effects(places={"a": ("n2",)}, moves={"a": (("n1", "n2"), ("n2",))}),
    ),
    "a promoted copy that nobody follows": (
        resource("a:0", "n1", more='role="Master"') + resource("a:1", "n2", more='role="Slave"'),
        resource("a:0") + resource("a:1", "n2", more='role="Slave"'),
        Effects(demoted=("a",), places={"a": ("n2",)}, moves={"a": (("n1", "n2"), ("n2",))}),
    ),
    "a promoted copy that runs nowhere is a stop": (
        resource("a", "n1", more='role="Promoted"'), resource("a"), Effects(stops=("a",)),
    ),
    "a promotion that is past is none": (
        resource("a", more='role="Promoted"') + resource("a", "n2"), resource("a", "n2"), Effects(places={"a": ("n2",)}),
    ),
    "all that would stop is told, in order": (resource("b", "n1") + resource("a", "n1"), "", Effects(stops=("a", "b"))),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_what_becomes_of_the_services_when_n1_is_emptied(case: str) -> None:
    before, after, found = CASES[case]
    assert effects(answer(before, after), "n1") == found


def one_after_another(*said: str) -> tuple[list[ET.Element], Callable[[ET.Element], str]]:
    """A scheduler that says this, and the CIBs that it was asked with."""
    asked: list[ET.Element] = []

    def ask(cib: ET.Element) -> str:
        asked.append(cib)
        return said[len(asked) - 1]

    return asked, ask


RUNS = resource("a", "n1") + resource("b", "n2")


def test_what_moves_anyway_is_no_effect_of_the_step() -> None:
    cib = ET.fromstring(PLAIN)
    then = answer(RUNS, resource("a", "n2") + resource("b", "n3"))
    asked, ask = one_after_another(then, answer(RUNS, resource("a", "n1") + resource("b", "n3")))
    assert emptying(cib, "n1", ask).moves == {"a": (("n1",), ("n2",))}
    assert (standby(asked[0], "n1"), standby(asked[1], "n1")) == (["on"], []), "first with the step, then the CIB as it is"
    _asked, ask = one_after_another(then, answer(RUNS, resource("a", "n1") + resource("b", "n1")))
    assert emptying(cib, "n1", ask).moves["b"] == (("n2",), ("n3",)), "it moves otherwise without the step"
    asked, ask = one_after_another(answer(RUNS, resource("a", "n2") + resource("b", "n2")))
    assert list(emptying(cib, "n1", ask).moves) == ["a"] and len(asked) == 1, "nobody else moves, so nobody is asked again"


def test_copies_that_only_start_elsewhere_move_nobody() -> None:
    cib = ET.fromstring(PLAIN)
    copy = resource("c:0", "n2")
    asked, ask = one_after_another(answer(RUNS + copy, resource("a", "n2") + resource("b", "n2") + copy + resource("c:1", "n3")))
    assert list(emptying(cib, "n1", ask).moves) == ["a"] and len(asked) == 1
    _asked, ask = one_after_another(*2 * [answer(RUNS + copy, resource("a", "n2") + resource("b", "n2") + resource("c:1", "n3"))])
    assert emptying(cib, "n1", ask).moves == {}, "as without the step"
    then = answer(RUNS + copy, resource("a", "n2") + resource("b", "n2") + resource("c:1", "n3"))
    _asked, ask = one_after_another(then, answer(RUNS + copy, RUNS + copy))
    assert emptying(cib, "n1", ask).moves["c"] == (("n2",), ("n3",)), "the copy on n2 stops"


def test_who_is_demoted_anyway_is_not_demoted_by_the_step() -> None:
    cib = ET.fromstring(PLAIN)
    before = resource("a", "n1") + resource("c:0", "n2", more='role="Promoted"')
    then = answer(before, resource("a", "n2") + resource("c:0", "n2", more='role="Unpromoted"'))
    _asked, ask = one_after_another(then, answer(before, before))
    assert emptying(cib, "n1", ask).demoted == ("c",)
    _asked, ask = one_after_another(then, answer(before, resource("a", "n1") + resource("c:0", "n2", more='role="Unpromoted"')))
    assert emptying(cib, "n1", ask).demoted == ()
    lost = answer("", resource("a", "n2") + resource("c:0", "n2", more='role="Unpromoted"'))
    assert effects(lost, "n1", answer(before, before)).demoted == ("c",)
    assert effects(lost, "n1", answer(before, resource("c:0", "n2", more='role="Unpromoted"'))).demoted == ()


def test_a_copy_that_nothing_configures_does_not_hide_the_clone_that_something_does() -> None:
    orphan = resource("c", more='orphaned="true" role="Stopped"')
    before = resource("c", "n1", more='role="Promoted"') + orphan
    assert effects(answer(before, orphan), "n1").stops == ("c",)
    assert effects(answer(before, resource("c", "n2", more='role="Unpromoted"')), "n1").demoted == ("c",)
    assert effects(answer(resource("c", "n1", more='orphaned="true"') + orphan, orphan), "n1").stops == ()


def test_of_a_move_only_what_was_named_moves_by_it() -> None:
    wish = '<rsc_location id="w" rsc="a" node="n2" score="1"/>'
    asked, ask = one_after_another(answer(RUNS, resource("a", "n2") + resource("b", "n2")))
    assert moving(ET.fromstring(PLAIN), wish, ("a",), "n2", ask).places["a"] == ("n2",)
    assert [item.get("id") for item in asked[0].iter("rsc_location")] == ["w"] and len(asked) == 1
    asked, ask = one_after_another(*2 * [answer(RUNS, resource("a", "n2") + resource("b", "n1"))])
    assert "b" not in moving(ET.fromstring(PLAIN), wish, ("a",), "n2", ask).moves
    assert list(asked[1].iter("rsc_location")) == []


def test_after_a_loss_the_cib_as_it_was_tells_what_ran() -> None:
    lost = answer(resource("a"), resource("a"))
    assert effects(lost, "n1").stops == ()
    assert effects(lost, "n1", answer(resource("a", "n1"), "")).stops == ("a",)


def test_a_step_that_empties_no_node_leaves_nothing_behind() -> None:
    assert effects(answer(resource("a", "n1"), resource("a", "n1"))).stays == ()
    assert effects(answer(resource("a", ""), resource("a", ""))).stays == ()


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("", "nothing was printed"),
        ("crm_simulate: not found", "not XML"),
        ('<pacemaker-result><status code="65" message="Invalid data"/></pacemaker-result>', "told no outcome: Invalid data"),
        ("<pacemaker-result/>", "told no outcome: no reason"),
        ("<pacemaker-result><cluster_status/></pacemaker-result>", "told no outcome: no reason"),
        ("<pacemaker-result><revised_cluster_status/></pacemaker-result>", "told no outcome: no reason"),
        ("<other><cluster_status/><revised_cluster_status/></other>", "not a document of crm_simulate"),
    ],
)
def test_an_answer_that_is_none_is_told(said: str, why: str) -> None:
    with pytest.raises(CibError, match=why):
        effects(said, "n1")


SEE = "there (see the constraints, and what is in maintenance)"
THERE = {
    "all of it there": (Effects(places={"a": ("n2",), "b": ("n2",)}), ""),
    "one of it elsewhere": (Effects(places={"a": ("n2",), "b": ("n1",)}), f"Pacemaker would not run b {SEE}"),
    "one of it in two places": (Effects(places={"a": ("n1", "n2"), "b": ("n2",)}), f"Pacemaker would not run a {SEE}"),
    "one of it nowhere": (Effects(stops=("a",), places={"b": ("n2",)}), f"Pacemaker would not run a {SEE}"),
    "it stops itself on the way, and is there": (Effects(stops=("a",), places={"a": ("n2",), "b": ("n2",)}), ""),
    "another one loses its promoted copy": (
        Effects(demoted=("c",), places={"a": ("n2",), "b": ("n2",)}),
        "no copy of c would be promoted then",
    ),
    "what is tied to it goes the same way": (
        Effects(places={"a": ("n2",), "b": ("n2",)}, moves={"a": (("n1",), ("n2",)), "b": (("n1",), ("n2",)), "c": (("n1",), ("n2",))}),
        "",
    ),
    "others make room": (
        Effects(
            places={"a": ("n2",), "b": ("n2",)},
            moves={"a": (("n1",), ("n2",)), "d": (("n2", "n4"), ("n3",)), "c": (("n2",), ("n1", "n3"))},
        ),
        "c would go from n2 to n1 and n3, d would go from n2 and n4 to n3 too (see the constraints)",
    ),
    "it drives another one out": (Effects(stops=("c", "d"), places={"a": ("n2",), "b": ("n2",)}), "c, d would run nowhere then"),
}


@pytest.mark.parametrize("case", THERE)
def test_a_place_suits_where_all_of_the_service_would_run_and_nothing_else_would_stop(case: str) -> None:
    found, why = THERE[case]
    assert why_not_there(found, ("a", "b"), "n2") == why
