# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""A cluster as plain values in which steps can be carried out, whole or cut off half-way. It says what an observation of it would tell."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster import corosync_conf as cc
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.quorum import Count
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.seen import Loaded, Seen
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.status import Member, Resource, Service, Status, Votes
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.step_lists import Observed
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.steps import Step

KEY = "k" * 64
# What an entry of standby is: none, somebody's wish, or a leave's own.
WISH, LEAVE = "on", "leave"


@dataclass(frozen=True)
class Host:
    """A VM. running: Corosync and Pacemaker do; loaded: the file that Corosync has taken over; remembers: whom Pacemaker knows as lost."""

    name: str
    text: str = ""
    key: str = ""
    running: bool = False
    loaded: str = ""
    remembers: frozenset[str] = frozenset()
    seeded: bool = False


@dataclass(frozen=True)
class World:
    """hosts: all VMs that answer; cib: Pacemaker's nodes, with their numbers; work: how many resources are on a node; needed: the least that a
    loss leaves (Corosync never lowers it without a reload)."""

    hosts: dict[str, Host] = field(default_factory=dict)
    cib: dict[str, int] = field(default_factory=dict)
    standby: dict[str, str] = field(default_factory=dict)
    work: dict[str, int] = field(default_factory=dict)
    needed: int = 1

    def with_host(self, name: str, **more: Any) -> World:
        """The world with one host otherwise."""
        return replace(self, hosts={**self.hosts, name: replace(self.hosts[name], **more)})

    def running(self) -> list[Host]:
        """The members that run, of the one cluster that there is."""
        return [host for host in self.hosts.values() if host.running]

    def count(self, teller: str) -> Count:
        """What Corosync counts on a member."""
        conf = cc.parse(self.hosts[teller].loaded)
        votes = {node.id: node.votes for node in conf.nodes}
        present = {cc.parse(host.loaded).node(host.name): host for host in self.running()}
        there = {node.id: votes.get(node.id, 0) for node in present if node is not None and node.id in votes}
        return Count(max(conf.expected_votes, sum(there.values())), there, 0, conf.two_node, self.needed)

    def status(self, teller: str) -> Status:
        """The cluster as a member tells it."""
        conf, count = cc.parse(self.hosts[teller].text), self.count(teller)
        numbers = {**self.cib, **{node.name: node.id for node in conf.nodes}}
        running = {host.name for host in self.running()}
        members = tuple(
            Member(
                name, number, next((node.address for node in conf.nodes if node.name == name), ""), conf.node(name) is not None,
                number in count.present, name in running and name in self.cib, name in self.standby, False, False, self.standby.get(name) == LEAVE,
            )
            for name, number in sorted(numbers.items(), key=lambda item: item[1])
        )  # fmt: skip
        resources = [
            Resource(f"r{name}{at}", "ocf:x:y", (name,), "Started", "", False) for name, amount in self.work.items() for at in range(amount)
        ]
        weights = tuple((one, votes) for one, votes in count.present.items() if votes != 1)
        votes = Votes(count.expected, count.total, count.needed, tuple(count.present), count.two_node, weights)
        services = tuple(Service(one.id, "primitive", (one,)) for one in resources)
        return Status("shop", count.quorate, teller, True, votes, members, services, (), (), conf, self.seen(teller).loaded)

    def seen(self, name: str) -> Seen:
        """One host's files and daemons."""
        host = self.hosts[name]
        loaded = None
        if host.running:
            conf = cc.parse(host.loaded)
            loaded = Loaded(tuple(sorted(node.id for node in conf.nodes)), conf.two_node)
        conf_there = cc.parse(host.text) if host.text else None
        return Seen(name, host.text, conf_there, host.key, host.seeded, host.running, loaded, tuple(sorted(host.remembers)))

    def observed(self, name: str, lost: tuple[str, ...] = (), settled: bool = True) -> Observed:
        """What a change of this node is planned from. settled: Pacemaker was waited for, so that nothing is under way."""
        teller = next(host.name for host in self.running() if host.name != name)
        status = replace(self.status(teller), idle=settled or not any(self.work.get(one) for one in self.standby))
        staying = [one.name for one in status.members if one.listed and one.name not in (name, *lost)]
        files = tuple(self.seen(one) for one in dict.fromkeys([teller, *staying]))
        return Observed(status, teller, files, self.seen(name) if name in self.hosts and name not in lost else None)

    def with_quorum(self) -> bool:
        """Have all members that run quorum, as their Corosync counts?"""
        return all(self.count(host.name).quorate for host in self.running())


def done(world: World, step: Step) -> World:
    """The world after a step."""
    return list(halves(world, step))[-1]


def halves(world: World, step: Step) -> Iterator[World]:
    """The worlds in which a step may be cut off, then the one after it."""
    yield from HALVES[step.what](world, step)


def _install(world: World, step: Step) -> Iterator[World]:
    if step.how != "keep":
        world = world.with_host(step.host, key=KEY, running=False, loaded="")
        yield world
    yield world.with_host(step.host, text=step.text, seeded=step.how == "first")


def _write(world: World, step: Step) -> Iterator[World]:
    yield world.with_host(step.host, text=step.text)


def _load(world: World, step: Step) -> Iterator[World]:
    world = world.with_host(step.host, text=step.text)
    yield world
    for host in world.running():
        world = world.with_host(host.name, loaded=host.text)
    yield replace(world, needed=1)


def _start(world: World, step: Step) -> Iterator[World]:
    world = world.with_host(step.host, running=True, loaded=world.hosts[step.host].text)
    node = cc.parse(world.hosts[step.host].text).node(step.host)
    assert node is not None
    world = replace(world, cib={**world.cib, step.host: node.id})
    for host in world.running():
        world = world.with_host(host.name, remembers=host.remembers - {step.host})
    if step.forgets:
        yield world
    for host in world.running():
        world = world.with_host(host.name, remembers=world.hosts[host.name].remembers - set(step.forgets))
    yield world


def _standby(world: World, step: Step) -> Iterator[World]:
    kind = LEAVE if step.how == "leave" else WISH
    world = replace(world, standby={**world.standby, step.node: kind})
    if world.work.get(step.node):
        yield world
    yield replace(world, work={**world.work, step.node: 0})


def _active(world: World, step: Step) -> Iterator[World]:
    yield replace(world, standby={name: kind for name, kind in world.standby.items() if name != step.node})


def _stop(world: World, step: Step) -> Iterator[World]:
    needed = max((world.count(host.name).needed for host in world.running() if host.name != step.host), default=1)
    world = replace(world.with_host(step.host, running=False, loaded=""), needed=needed)
    for host in world.running():
        world = world.with_host(host.name, remembers=host.remembers | {step.host})
    yield world
    yield world.with_host(step.host, text="", key="", remembers=frozenset())


def _forget(world: World, step: Step) -> Iterator[World]:
    world = replace(
        world,
        **{which: {name: value for name, value in getattr(world, which).items() if name != step.node} for which in ("cib", "standby")},
    )
    yield world
    yield world.with_host(step.host, remembers=world.hosts[step.host].remembers - {step.node})


def _settle(world: World, step: Step) -> Iterator[World]:
    yield world.with_host(step.host, seeded=False)


HALVES = {
    "install": _install, "write": _write, "load": _load, "start": _start, "standby": _standby, "active": _active, "stop": _stop,
    "forget": _forget, "settle": _settle,
}  # fmt: skip
