# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""Lists of steps to the last field, case by case. That each finds its rest and keeps the quorum: test_membership_plan.py."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from ansible_collections.ondemand.cluster.plugins.module_utils._contract.refusal import Refusal
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster import corosync_conf as cc
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster import step_lists
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.seen import Loaded, Seen
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.status import StatusError
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.step_lists import Observed, told_by
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.steps import BEGUN, OFF, ON, Step

from .membership_world import LEAVE, WISH, Host, World
from .test_membership_plan import ADDRESS, cluster, node

Told = tuple[str, str, str, str, str, str]


def listed(*numbers: int) -> str:
    """The file of a cluster that had as many nodes as the highest number, and has these; the first cluster's own words."""
    conf = cc.first_conf("shop", node(1), 3000)
    for number in range(2, max(numbers) + 1):
        conf = cc.with_node(conf, node(number))
    for number in range(1, max(numbers) + 1):
        conf = conf if number in numbers else cc.without_node(conf, f"n{number}")
    return cc.render(conf)


def told(made: Sequence[Step] | Refusal) -> list[Told]:
    """Every step: what, host, node, how, why, and which nodes its content lists, before and after."""
    assert not isinstance(made, Refusal), made
    return [(one.what, one.host, one.node, one.how, one.why, f"{content(one.before)}>{content(one.text)}") for one in made]


def content(text: str) -> str:
    """A content in short: the numbers of a file's nodes (with ! for the passing two_node), or a standby's word."""
    if text in (ON, OFF, BEGUN):
        return {ON: "on", OFF: "off", BEGUN: "begun"}[text]
    conf = cc.parse(text)
    return "".join(str(one.id) for one in conf.nodes) + ("!" if conf.two_node else "")


def gone(number: int, *hosts: int) -> list[Told]:
    """The forgetting of a node on hosts."""
    return [("forget", f"n{host}", f"n{number}", "", "it is on no list any more", ">") for host in hosts]


STANDBYS = {
    "": ("leave", "off>on"),
    WISH: ("on", "on>on"),
    LEAVE: ("leave", "begun>on"),
}


@pytest.mark.parametrize("kind", STANDBYS)
def test_a_leave_from_three_to_two(kind: str) -> None:
    how, change = STANDBYS[kind]
    world = cluster(3, standby={"n2": kind} if kind else {})
    busy = replace(world.observed("n2"), status=replace(world.status("n1"), idle=False))
    assert told(step_lists.leaving(busy, "n2")) == [
        ("standby", "n1", "n2", how, "it leaves", change), ("stop", "n2", "", "", "it leaves", "123>"),
        ("write", "n1", "", "", "n2 is gone", "123>13"), ("load", "n3", "", "", "n2 is gone", "123>13"), *gone(2, 1, 3),
    ]  # fmt: skip


def test_a_leave_from_two_to_one_has_two_node_in_passing() -> None:
    assert told(step_lists.leaving(cluster(2).observed("n2"), "n2")) == [
        ("standby", "n1", "n2", "leave", "it leaves", "off>on"), ("load", "n1", "", "", "one of two is enough while n2 stops", "12>12!"),
        ("stop", "n2", "", "", "it leaves", "12>"), ("load", "n1", "", "", "n2 is gone", "12!>1"), *gone(2, 1),
    ]  # fmt: skip


def test_who_is_in_standby_and_empty_is_not_put_there_again() -> None:
    world = cluster(3, standby={"n2": WISH}, work={"n1": 1})
    assert [one.what for one in step_lists.leaving(world.observed("n2"), "n2")] == ["stop", "write", "load", "forget", "forget"]


def test_who_is_in_standby_and_empty_is_waited_for_while_its_work_starts_elsewhere() -> None:
    world = cluster(3, standby={"n2": WISH}, work={"n1": 1})
    busy = replace(world.observed("n2"), status=replace(world.status("n1"), idle=False))
    assert step_lists.leaving(busy, "n2")[0].what == "standby"


def test_who_is_off_and_has_files_of_this_cluster_is_cleaned_and_who_has_others_is_left_alone() -> None:
    off = cluster(3, down=(3,))
    assert [one.what for one in step_lists.leaving(off.observed("n3"), "n3")] == ["stop", "write", "load", "forget", "forget"]
    for text in (listed(1).replace("cluster_name: shop", "cluster_name: other"), "", listed(1).replace("10.99.0.21", "127.0.0.1")):
        other = off.with_host("n3", text=text)
        assert [one.what for one in step_lists.leaving(other.observed("n3"), "n3")] == ["write", "load", "forget", "forget"]


def test_who_is_nowhere_is_no_step() -> None:
    assert step_lists.leaving(cluster(2).observed("n9"), "n9") == []


def test_whom_nobody_asked_about_is_forgotten_only_along_with_somebody() -> None:
    world = cluster(3).with_host("n3", remembers=frozenset({"n8"}))
    assert step_lists.leaving(world.observed("n9"), "n9") == []
    assert told(step_lists.leaving(world.observed("n2"), "n2"))[-3:] == [*gone(2, 1, 3), *gone(8, 3)]
    assert told(step_lists.leaving(world.observed("n8"), "n8")) == gone(8, 3)
    ghost = replace(world, cib={**world.cib, "n7": 7})
    assert step_lists.leaving(ghost.observed("n9"), "n9") == []


def test_an_old_node_of_a_number_that_is_another_s_by_now_is_forgotten() -> None:
    world = replace(cluster(3), cib={**cluster(3).cib, "old": 1}).with_host("n3", remembers=frozenset({"old"}))
    assert told(step_lists.leaving(world.observed("n2"), "n2"))[-1:] == [("forget", "n3", "old", "", "it is on no list any more", ">")]


def test_a_lost_one_that_is_still_listed_is_not_forgotten() -> None:
    world = cluster(4, down=(4,))
    assert told(step_lists.leaving(world.observed("n2"), "n2"))[-3:] == gone(2, 1, 3, 4)


def test_letting_go_writes_one_list_without_all_of_them() -> None:
    world = cluster(5, down=(2, 4))
    there = replace(world, hosts={name: host for name, host in world.hosts.items() if name not in ("n2", "n4")})
    assert told(step_lists.letting_go(there.observed("n2", ("n2", "n4")), ["n2", "n4"])) == [
        ("write", "n1", "", "", "n2, n4 are lost", "12345>135"), ("write", "n3", "", "", "n2, n4 are lost", "12345>135"),
        ("load", "n5", "", "", "n2, n4 are lost", "12345>135"), *gone(2, 1, 3, 5), *gone(4, 1, 3, 5),
    ]  # fmt: skip
    one = replace(cluster(2, down=(2,)), hosts={"n1": cluster(2, down=(2,)).hosts["n1"]})
    assert told(step_lists.letting_go(one.observed("n2", ("n2",)), ["n2"]))[0][4] == "n2 is lost"


def test_files_that_differ_make_no_list() -> None:
    world = cluster(3).with_host("n3", text=listed(1, 2, 3).replace("token: 3000", "token: 4000"))
    for made in (
        step_lists.leaving(world.observed("n2"), "n2"),
        step_lists.letting_go(world.observed("n2", ("n2",)), ["n2"]),
        step_lists.joining(world.observed("n4"), "n4", ADDRESS % 4),
    ):
        assert isinstance(made, Refusal) and "differs" in made.sentence


def test_a_join_from_one_to_two() -> None:
    assert told(step_lists.joining(cluster(1).observed("n2"), "n2", ADDRESS % 2)) == [
        ("install", "n2", "", "fresh", "it is to be a member", ">12"),
        ("load", "n1", "", "", "n2 is added, and until it is there one of two is enough", "1>12!"), ("start", "n2", "", "", "it joins", ">"),
        ("load", "n1", "", "", "both are there", "12!>12"),
    ]  # fmt: skip


def test_a_join_to_two_whose_file_the_node_has_not() -> None:
    assert told(step_lists.joining(cluster(2).observed("n3"), "n3", ADDRESS % 3)) == [
        ("install", "n3", "", "fresh", "it is to be a member", ">123"), ("write", "n1", "", "", "n3 is added", "12>123"),
        ("load", "n2", "", "", "n3 is added", "12>123"), ("start", "n3", "", "", "it joins", ">"),
    ]  # fmt: skip


def test_a_member_with_an_older_file_keeps_what_pacemaker_knew() -> None:
    """It was off while another one came."""
    whole = cluster(4)
    old = whole.with_host("n3", text=listed(1, 2, 3), running=False, loaded="")
    assert told(step_lists.joining(old.observed("n3"), "n3", ADDRESS % 3)) == [
        ("install", "n3", "", "keep", "it is to be a member", "123>1234"), ("start", "n3", "", "", "it joins", ">"),
    ]  # fmt: skip


def test_who_is_about_to_leave_is_taken_back_and_who_works_is_left() -> None:
    begun = cluster(2, standby={"n2": LEAVE})
    assert told(step_lists.joining(begun.observed("n2"), "n2", ADDRESS % 2)) == [
        ("active", "n1", "n2", "", "a leave of it was begun and not ended", "begun>off")
    ]
    assert step_lists.joining(cluster(2).observed("n2"), "n2", ADDRESS % 2) == []
    assert step_lists.joining(cluster(2, standby={"n2": WISH}).observed("n2"), "n2", ADDRESS % 2) == []


@pytest.mark.parametrize("lack", ["online", "votes", "pending", "daemons"])
def test_who_does_not_work_yet_is_started(lack: str) -> None:
    observed = cluster(3).observed("n3")
    member = observed.status.member("n3")
    changed = {"online": {"online": False}, "votes": {"votes": False}, "pending": {"pending": True}}.get(lack, {})
    members = tuple(replace(one, **changed) if one is member else one for one in observed.status.members)
    host = observed.node if lack != "daemons" or observed.node is None else replace(observed.node, active=False)
    halted = replace(observed, status=replace(observed.status, members=members), node=host)
    assert [one.what for one in step_lists.joining(halted, "n3", ADDRESS % 3)] == ["start"]


def test_whom_the_others_remember_the_joiner_has_forgotten() -> None:
    world = cluster(2).with_host("n1", remembers=frozenset({"n8"})).with_host("n2", remembers=frozenset({"n8", "n3"}))
    last = step_lists.joining(world.observed("n3"), "n3", ADDRESS % 3)
    assert not isinstance(last, Refusal)
    assert (last[-1].what, last[-1].host, last[-1].forgets, last[-1].why) == ("start", "n3", ("n8",), "the others still remember n8")


STANDING = {
    "into standby": ("", True, [("standby", "n1", "n2", "on", "that is wanted", "off>on")]),
    "it is so already": (WISH, True, []),
    "what a leave began becomes somebody's wish": (LEAVE, True, [("standby", "n1", "n2", "on", "that is wanted", "begun>on")]),
    "out of it": (WISH, False, [("active", "n1", "n2", "", "that is wanted", "on>off")]),
    "out of a leave": (LEAVE, False, [("active", "n1", "n2", "", "that is wanted", "begun>off")]),
    "it works already": ("", False, []),
}


@pytest.mark.parametrize("case", STANDING)
def test_a_standby(case: str) -> None:
    kind, wanted, steps = STANDING[case]
    world = cluster(2, standby={"n2": kind} if kind else {})
    assert told(step_lists.standing(world.observed("n2"), "n2", wanted)) == steps


def test_a_first_member_is_made_or_its_making_is_ended() -> None:
    fresh = World({"n1": Host("n1")}).seen("n1")
    plan = step_lists.membership.plan_create(fresh, "shop", "n1", ADDRESS % 1, 3000)
    assert not isinstance(plan, Refusal)
    made = step_lists.creating(fresh, plan)
    assert told(made) == [
        ("install", "n1", "", "first", "it is the first member", ">1"), ("start", "n1", "", "", "it makes the cluster", ">"),
        ("settle", "n1", "", "", "it has started", ">"),
    ]  # fmt: skip
    assert [one.count.total for one in made] == [0, 1, 1]
    text = plan.node_text
    for host, kinds in (
        (Seen("n1", text, cc.parse(text), "k", False, True), []),
        (Seen("n1", text, cc.parse(text), "k", True, True), ["start", "settle"]),
        (Seen("n1", text, cc.parse(text), "k", False, False), ["start"]),
    ):
        kept = step_lists.membership.plan_create(host, "shop", "n1", ADDRESS % 1, 3000)
        assert not isinstance(kept, Refusal)
        assert [one.what for one in step_lists.creating(host, kept)] == kinds


def test_a_status_alone_tells_of_the_listed_members_but_the_one_in_question() -> None:
    status = replace(cluster(3).status("n1"), loaded=None)
    observed = told_by(status, "n2")
    assert (observed.teller, [one.host for one in observed.files], observed.node, observed.away) == ("n1", ["n1", "n3"], None, "")
    assert {(one.text, one.key, one.active, one.loaded) for one in observed.files} == {(listed(1, 2, 3), "-", False, None)}
    some = told_by(replace(status, loaded=Loaded((1, 2), False)), "n2", ["n3"])
    assert (some.teller, [(one.host, one.active, one.stale) for one in some.files]) == ("n3", [("n3", True, True)])
    unlisted = replace(status, members=tuple(replace(one, listed=one.name != "n3") for one in status.members))
    assert [one.host for one in told_by(unlisted, "n2").files] == ["n1"]
    with pytest.raises(StatusError, match="no corosync.conf was read"):
        told_by(replace(status, conf=None), "n2")


def test_an_entry_without_a_name_is_listed_by_its_number() -> None:
    """n3's entry has no name; its leave is not mistaken for that of a node that is on no list."""
    nameless = listed(1, 2, 3).replace("        name: n3\n", "")
    world = cluster(3)
    for name in ("n1", "n2", "n3"):
        world = world.with_host(name, text=nameless, loaded=nameless, remembers=frozenset({"n3"}) if name == "n1" else frozenset())
    status = replace(world.status("n1"), members=cluster(3).status("n1").members)
    observed = Observed(status, "n1", (world.seen("n1"), world.seen("n3")), world.seen("n2"))
    assert [one.node for one in step_lists.leaving(observed, "n2") if one.what == "forget"] == ["n2", "n2"]
