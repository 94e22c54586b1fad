# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""Every list of steps over all clusters of up to five nodes: cut off anywhere the next list begins with the rest and ends the same, the votes are
as foretold and stay a quorum, and what is refused on the way is taken back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest
from ansible_collections.ondemand.cluster.plugins.module_utils._contract.refusal import Refusal
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster import corosync_conf as cc
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster import leave_rules, membership, step_lists
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.membership_plan import Wanted, steps
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.quorum import needed
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.steps import FILES, OFF, ON, Step, way_back

from .membership_world import KEY, LEAVE, WISH, Host, World, done, halves

MOST = 5
ADDRESS = "10.99.0.2%d"


def node(number: int, votes: int = 1) -> cc.Node:
    """The entry of a node."""
    return cc.Node(f"n{number}", ADDRESS % number, number, votes)


def cluster(size: int, down: Sequence[int] = (), votes: Sequence[int] = (), edit: Callable[[str], str] = str, **more: Any) -> World:
    """A cluster of n1, n2, ..., each with a piece of work, and one VM more; some of them are down for long."""
    weights = dict(enumerate(votes, 1))
    conf = cc.first_conf("shop", node(1, weights.get(1, 1)), 3000)
    for number in range(2, size + 1):
        conf = cc.with_node(conf, node(number, weights.get(number, 1)))
    text = edit(cc.render(conf))
    numbers = range(1, size + 1)
    lost = frozenset(f"n{number}" for number in down)
    hosts = {f"n{number}": Host(f"n{number}", text, KEY, number not in down, text if number not in down else "") for number in numbers}
    hosts = {name: replace(host, remembers=lost) if host.running else host for name, host in hosts.items()}
    hosts[f"n{size + 1}"] = Host(f"n{size + 1}")
    up = [f"n{number}" for number in numbers if number not in down]
    least = needed(sum(weights.get(number, 1) for number in numbers))
    return replace(World(hosts, {f"n{number}": number for number in numbers}, {}, dict.fromkeys(up, 1), least if down else 1), **more)


@dataclass(frozen=True)
class Case:
    """A world and what is wanted of one of its nodes. quorate: whether it has quorum all the time."""

    world: World
    wanted: Wanted
    quorate: bool = True

    def steps(self, world: World) -> tuple[Step, ...]:
        """The list from the world as it is."""
        lost = ()
        if self.wanted.gone:
            lost = leave_rules.lost_in(
                world.status(next(host.name for host in world.running() if host.name != self.wanted.name)), self.wanted.gone
            )
        made = steps(world.observed(self.wanted.name, lost, settled=self.wanted.state != "standby"), self.wanted)
        assert not isinstance(made, Refusal), made
        return made


def by_hand(two_node: str) -> Callable[[str], str]:
    """A person's edit of the section about quorum."""
    return lambda text: text.replace("    provider: corosync_votequorum\n", "    provider: corosync_votequorum\n" + two_node)


def cases() -> Iterator[tuple[str, Case]]:
    """Every change over every size."""
    for size in range(1, MOST):
        new = Wanted("member", f"n{size + 1}", ADDRESS % (size + 1))
        whole = cluster(size)
        yield f"{size} and one joins", Case(whole, new)
        yield f"{size} and one joins that was in another cluster of this name", Case(whole.with_host(new.name, text="", key="x" * 64), new)
        yield f"{size} and one joins with a heavy one there", Case(cluster(size, votes=(2,)), new)
        yield f"{size} and one joins where the votes are stated", Case(cluster(size, edit=by_hand(f"    expected_votes: {size}\n")), new)
        ghosts = {f"n{number}": frozenset({"n8", "n9"}) for number in range(1, size + 1)}
        haunted = whole
        for name, remembers in ghosts.items():
            haunted = haunted.with_host(name, remembers=remembers)
        yield f"{size} and one joins while others are remembered", Case(haunted, new)
    for size in range(2, MOST + 1):
        yield from leaves(size)
        yield from returns(size)
        yield from stands(size)
    for lost in ((2,), (3,), (2, 3), (1, 3)):
        yield from lettings_go(3, lost)
    for lost in ((2, 5), (3, 4, 5), (2, 3, 4, 5)):
        yield from lettings_go(5, lost)
    yield from lettings_go(2, (2,))


def leaves(size: int) -> Iterator[tuple[str, Case]]:
    """Each one goes, as it is, out of a standby, and out of a leave that was begun; a person's settings stay."""
    for number in range(1, size + 1):
        gone = Wanted("absent", f"n{number}")
        for state, kind in (("", ""), (", out of somebody's standby", WISH), (", whose leave was begun", LEAVE)):
            standby = {gone.name: kind} if kind else {}
            yield f"n{number} of {size} leaves{state}", Case(cluster(size, standby=standby), gone)
        yield (
            f"n{number} of {size} leaves where the votes are stated",
            Case(cluster(size, edit=by_hand(f"    expected_votes: {size}\n")), gone),
        )
    if size == 2:
        yield "n2 of 2 leaves where a person set two_node", Case(cluster(2, edit=by_hand("    two_node: 1\n")), Wanted("absent", "n2"))
    if size > 2:
        aside = by_hand("    # set aside while there are more than two nodes (ondemand): two_node: 1\n")
        yield f"n3 of {size} leaves where two_node is set aside", Case(cluster(size, edit=aside), Wanted("absent", "n3"))
        yield f"n{size} of {size} leaves, which is off", Case(cluster(size, down=(size,)), Wanted("absent", f"n{size}"))


def returns(size: int) -> Iterator[tuple[str, Case]]:
    """One that was off comes back: with its files, without them, and out of a leave that was begun."""
    back = Wanted("member", f"n{size}", ADDRESS % size)
    off = cluster(size, down=(size,))
    yield f"n{size} of {size} comes back", Case(off, back, quorate=size > 2)
    yield f"n{size} of {size} comes back without its files", Case(off.with_host(back.name, text="", key=""), back, quorate=size > 2)
    yield f"n{size} of {size} stays after all", Case(cluster(size, standby={back.name: LEAVE}), back)


def stands(size: int) -> Iterator[tuple[str, Case]]:
    """Into standby and out of it."""
    whole = cluster(size)
    yield f"n1 of {size} goes to standby", Case(whole, Wanted("standby", "n1"))
    yield f"n2 of {size} is active again", Case(replace(whole, standby={"n2": WISH}, work={"n1": 2}), Wanted("active", "n2"))
    yield f"n2 of {size}, whose leave was begun, is to stand by", Case(replace(whole, standby={"n2": LEAVE}), Wanted("standby", "n2"))


def lettings_go(size: int, lost: tuple[int, ...]) -> Iterator[tuple[str, Case]]:
    """VMs that are gone for certain."""
    world = cluster(size, down=lost)
    names = tuple(f"n{number}" for number in lost)
    there = replace(world, hosts={name: host for name, host in world.hosts.items() if name not in names})
    for may_return in ((), names[:1]):
        wanted = Wanted("absent", names[0], gone=names, may_return=may_return)
        kept = f", {may_return[0]} may return" if may_return else ""
        yield f"{', '.join(names)} of {size} are let go{kept}", Case(there, wanted, quorate=size - len(lost) > size // 2)


CASES = dict(cases())


def outline(steps: Sequence[Step]) -> list[tuple[str, ...]]:
    """What is done where, with which content."""
    return [(step.what, step.host, step.node, step.text, *step.forgets) for step in steps]


@pytest.mark.parametrize("case", CASES)
def test_cut_off_anywhere_the_next_list_is_the_rest(case: str) -> None:
    one = CASES[case]
    plan, world = one.steps(one.world), one.world
    assert plan, "a case without a step shows nothing"
    ends = []
    for number, step in enumerate(plan):
        for half in list(halves(world, step))[:-1]:
            assert outline(one.steps(half)) == outline(plan[number:]), f"cut off in step {number}, {step.words}"
            ends.append(finished(half, one.steps(half)))
        world = done(world, step)
        assert outline(one.steps(world)) == outline(plan[number + 1 :]), f"cut off after step {number}, {step.words}"
    assert all(end == world for end in ends)
    assert {host.text for host in world.running()} == {host.loaded for host in world.running()}
    assert len({host.text for host in world.running()}) == 1, "the members have one file"


def finished(world: World, plan: Sequence[Step]) -> World:
    """The world after a list."""
    for step in plan:
        world = done(world, step)
    return world


@pytest.mark.parametrize("case", CASES)
def test_the_votes_are_as_foretold_and_stay_a_quorum(case: str) -> None:
    one = CASES[case]
    world, teller = one.world, one.world.observed(one.wanted.name, one.wanted.gone).teller
    assert world.with_quorum() is one.quorate
    had = one.quorate
    for step in one.steps(world):
        for half in halves(world, step):
            assert half.with_quorum() or not had, step.words
        world = done(world, step)
        count = world.count(teller)
        foretold = (step.count.expected, step.count.total, step.count.needed, step.count.two_node)
        assert foretold == (count.expected, count.total, count.needed, count.two_node), step.words
        had = had or world.with_quorum()
    assert world.with_quorum()
    assert "(ondemand):\n" not in world.hosts[teller].text, "what stands in passing is gone"


@pytest.mark.parametrize("case", CASES)
def test_a_file_that_is_refused_on_the_way_leaves_every_member_with_one_that_it_runs_with(case: str) -> None:
    one = CASES[case]
    plan, world = one.steps(one.world), one.world
    for number, step in enumerate(plan):
        if step.what in FILES:
            refused = [(world, plan[:number])]
            if step.what == "load":
                refused.append((next(halves(world, step)), plan[: number + 1]))
            for broken, so_far in refused:
                after = finished(broken, way_back(so_far))
                assert not any(after.seen(host.name).stale for host in after.running()), step.words
                lasting = {cc.render(cc.with_one_vote_enough(cc.parse(host.text), False)) for host in after.running()}
                assert len(lasting) == 1, step.words
                if all(before.what in (*FILES, "install", "standby") for before in plan[:number]):
                    assert {name: host.text for name, host in after.hosts.items()} == {
                        name: host.text for name, host in one.world.hosts.items()
                    }
                    assert not any(kind == LEAVE for name, kind in after.standby.items() if one.wanted.state == "absent")
        world = done(world, step)


@pytest.mark.parametrize(
    "text", ["", "totem {\n  cluster_name: debian\n}\nnodelist {\n  node {\n    nodeid: 1\n    ring0_addr: 127.0.0.1\n  }\n}\n"]
)
def test_a_create_that_is_cut_off_is_finished_by_the_rest(text: str) -> None:
    def listed(world: World) -> list[Step]:
        plan = membership.plan_create(world.seen("n1"), "shop", "n1", ADDRESS % 1, 3000)
        assert isinstance(plan, membership.Plan)
        return step_lists.creating(world.seen("n1"), plan)

    world = World({"n1": Host("n1", text)})
    plan = listed(world)
    assert [step.what for step in plan] == ["install", "start", "settle"]
    assert [step.count.quorate for step in plan] == [False, True, True]
    for number, step in enumerate(plan):
        for half in list(halves(world, step))[:-1]:
            assert outline(listed(half)) == outline(plan[number:])
        world = done(world, step)
        # Until the short wait of the first start is taken back nobody knows whether the start was waited for.
        assert outline(listed(world))[-len(plan[number + 1 :]) or len(plan) :] == outline(plan[number + 1 :])
    assert listed(world) == [] and world.with_quorum()


@pytest.mark.parametrize(
    ("settled", "kinds"), [(True, []), (False, ["standby"])], ids=["and nothing is under way", "and it is being emptied"]
)
def test_who_is_in_standby_and_not_empty_is_waited_for_only_while_something_happens(settled: bool, kinds: list[str]) -> None:
    """What stays there with nobody at work (unmanaged, blocked) is no reason for a task that never ends unchanged."""
    world = cluster(3, standby={"n2": WISH})
    made = steps(world.observed("n2", settled=settled), Wanted("standby", "n2"))
    assert not isinstance(made, Refusal) and [step.what for step in made] == kinds


@pytest.mark.parametrize(("kind", "kinds"), [(LEAVE, ["standby"]), (WISH, []), (None, [])])
def test_what_an_earlier_run_began_is_undone_too(kind: str | None, kinds: list[str]) -> None:
    world = cluster(3, standby={"n2": kind} if kind else {}, work={})
    begun = step_lists.begun(world.observed("n2"), "n2")
    assert [step.what for step in begun] == kinds
    assert [(step.what, step.node, step.before, step.text) for step in way_back(begun)] == [("active", "n2", ON, OFF)] * len(kinds)
