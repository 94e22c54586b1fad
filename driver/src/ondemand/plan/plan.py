# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""From what is there to what is wanted. Recomputable: from any half-done state the plan is the rest.

The rules are tried in their order; the first that has steps or a refusal is the plan. Nothing here looks at what was intended,
except the last rule, which runs an interrupted playbook again when nothing else shows what it left undone.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import cast

from ondemand._collection.module_utils._contract.refusal import REASONS, Reason
from ondemand._collection.plugin_utils._cluster import marks
from ondemand._collection.plugin_utils._config import limits
from ondemand.config.model import Cluster
from ondemand.members import (
    away,
    fits,
    ghosts,
    idle,
    idle_words,
    leaving,
    outdated,
    returned,
    size_words,
    switched_off,
    unfinished,
    unknown,
    unseen,
)
from ondemand.model import ClusterState, Node, Observation, Plan, Refusal, Step, StepKind, Verdict, Vm
from ondemand.plan import steps
from ondemand.plan.spread import emptied, evened, unfinished_services


@dataclass(frozen=True)
class Case:
    """What a rule looks at. `because` is why so many nodes are wanted, `interrupted` the step without a known end.

    `waited`: node that is away -> seconds; `held`: why no member may be removed now, `services`: the digest of edited ones; empty if none.
    """

    observation: Observation
    wanted: int
    cluster: Cluster
    because: str
    interrupted: StepKind | None
    barred: Collection[str]
    waited: Mapping[str, float]
    held: str
    services: str

    @property
    def state(self) -> ClusterState:
        """What the cluster says of itself. Not for the first two rules: only they know that there may be none."""
        return cast(ClusterState, self.observation.cluster)

    @property
    def long_away(self) -> set[str]:
        """Nodes that are away for so long that they are not just booting."""
        return {name for name, seconds in self.waited.items() if seconds >= self.cluster.recovery.after_s}

    @property
    def members(self) -> tuple[str, ...]:
        """Names of the nodes that are up and in."""
        return self.observation.members

    @property
    def most(self) -> int:
        """The most nodes that the cluster file allows."""
        return self.cluster.requirement.nodes.max

    @property
    def old(self) -> list[Vm]:
        """Members' VMs of another size than is asked for."""
        return outdated(self.observation, self.cluster.requirement.size)

    @property
    def goal(self) -> int:
        """Nodes to have next: one more than wanted while a node of another size is to be replaced and nothing is surplus."""
        return self.wanted + (1 if self.old and len(self.members) <= self.wanted < self.most else 0)

    @property
    def new_ones(self) -> list[Vm]:
        """Half-made VMs that can still become the nodes that are missing."""
        size = self.cluster.requirement.size
        usable = [one for one in unfinished(self.observation) if fits(one, size)]
        return usable[: max(0, self.goal - len(self.members))]


Found = Plan | Refusal | None


def plan(
    observation: Observation,
    wanted: int,
    cluster: Cluster,
    because: str = "",
    interrupted: StepKind | None = None,
    barred: Collection[str] = (),
    waited: Mapping[str, float] | None = None,
    held: str = "",
    services: str = "",
) -> Plan | Refusal:
    """The steps from the observation to `wanted` nodes of the required size with evenly spread services, or why there are none."""
    case = Case(observation, wanted, cluster, because or f"{wanted} nodes are wanted", interrupted, barred, waited or {}, held, services)
    for rule in RULES:
        found = rule(case)
        if isinstance(found, Plan) and not found.steps:
            return replace(found, because="; ".join(one for one in (found.because, away_words(case)) if one))
        if found is not None:
            return found
    told = f"{len(case.members)} nodes are members, as wanted, and their work is spread evenly"
    return Plan((), "; ".join(one for one in (told, idle_words(observation), away_words(case)) if one))


def away_words(case: Case) -> str:
    """A sentence about nodes that are away; empty if there are none."""
    names = [one.name for one in away(case.observation)]
    if not names:
        return ""
    return (
        f"{', '.join(names)} {'is' if len(names) == 1 else 'are'} known to the cluster and not online: nothing of it is deleted, and nothing "
        f"is done about it before it was away for {case.cluster.recovery.after_s:g} s"
    )


def within_limits(case: Case) -> Found:
    """Every VM that exists counts against the most, in whatever state it is: what fails to start must not multiply."""
    name = case.cluster.name
    no = limits.too_many(name, case.wanted, case.most) or limits.too_few(name, case.wanted, case.cluster.requirement.nodes.min)
    return None if no is None else Refusal(Reason(no.reason), no.sentence)


def first_cluster(case: Case) -> Found:
    """Without a cluster the requirement's least is created; not while a host is out of sight, for it may hold the cluster."""
    if case.observation.cluster is not None:
        return None
    if case.observation.unreachable:
        hosts = ", ".join(case.observation.unreachable)
        return Refusal(
            Reason.HOST_UNREACHABLE, f"no cluster is in sight, but {hosts} can't be reached and may hold it; bring the host back"
        )
    count = case.cluster.requirement.nodes.min
    why = f"{case.because}; there is no cluster yet"
    return Plan((steps.create(count, case.cluster.deadlines, why),), why)


def healthy(case: Case) -> Found:
    """A cluster that may not be changed is not changed; that is the collection's judgement."""
    verdict = case.state.may_change
    if verdict.allowed:
        return None
    return Refusal(_reason(verdict), "; ".join(one for one in (verdict.sentence.rstrip("."), unknown_words(case)) if one))


def _reason(verdict: Verdict) -> Reason:
    return Reason(verdict.reason) if verdict.reason in REASONS else Reason.UNSTABLE


def unknown_words(case: Case) -> str:
    """A sentence about nodes of which nobody knows whether they run; empty if there are none."""
    names = [one.name for one in unknown(case.observation)]
    if not names:
        return ""
    hosts = ", ".join(case.observation.unreachable)
    return (
        f"{', '.join(names)} may be on {hosts}, which can't be reached: bring the host back, or see that it is off and run recover_cluster "
        f"with confirm_dead={','.join(names)}"
    )


def returned_vms(case: Case) -> Found:
    """A VM that came back after its node was let go goes before anything else: it may take itself for the cluster."""
    names = returned(case.observation)
    if not names or not case.state.quorate:
        return None
    why = f"{', '.join(names)} came back with its host and is no member any more"
    members = min(case.wanted, len(case.members))
    return Plan((steps.recover(case.wanted, 0, members, case.cluster.deadlines, why),), why)


def lost_nodes(case: Case) -> Found:
    """Who is off by its host's word starts again at once; whose VM is gone from every host is let go and replaced, once it was away for long."""
    off = [one.name for one in switched_off(case.observation)]
    gone = [one.name for one in ghosts(case.observation) if one.name in case.long_away and case.members]
    if not off and not gone:
        return None
    told = [f"the VM of {name} is off" for name in off] + [f"the VM of {name} is gone from every host" for name in gone]
    why = f"{', '.join(told)}, and the cluster misses it"
    members = min(case.wanted, len(case.members) + len(off) + len(gone))
    return Plan((steps.recover(case.wanted, len(off) + len(gone), members, case.cluster.deadlines, why),), why)


def edited_services(case: Case) -> Found:
    """The file's services were edited: what they are comes before how many nodes carry them, and growing would refuse to guess."""
    if not case.services or not case.members:
        return None
    why = "the services of the cluster file were edited"
    return Plan((steps.configure(case.services, case.cluster.deadlines, why),), why)


def surplus_halves(case: Case) -> Found:
    """Half-made VMs that nobody waits for, or of a size that is no longer asked for, are deleted."""
    kept = {one.name for one in case.new_ones}
    extra = [one.name for one in unfinished(case.observation) if one.name not in kept]
    if not extra or not case.observation.serving:
        # Where nobody serves, first somebody has to: a node that was about to leave is taken back.
        return None
    why = f"{', '.join(extra)} is no member and not needed for {case.goal} nodes of {size_words(case.cluster.requirement.size)}"
    return Plan((steps.scale_in(_after(case, extra), extra, case.cluster.deadlines, why),), why)


def _after(case: Case, leavers: list[str]) -> int:
    """VMs of the cluster when these are gone; never told as fewer than the least, the playbook would refuse that.

    All VMs count, those of nodes that are away too: told a lower number, the playbook would let others go as well.
    """
    names = {one.name for one in case.observation.vms}
    return max(case.cluster.requirement.nodes.min, len(names - set(leavers)))


def _out(case: Case, wanted: int, new: int, why: str, back: Collection[str] = ()) -> Plan:
    return Plan((steps.scale_out(wanted, new, case.cluster.deadlines, why, list(back), unseen(case.observation)),), why)


def half_gone(case: Case) -> Found:
    """A member that an interrupted leave left in standby is taken back before a VM is made; the playbook does both."""
    back = [one.name for one in leaving(case.observation)]
    have = len(case.members)
    if not back or have > case.wanted:
        return None
    why = f"{case.because}; {', '.join(back)} was about to leave and is needed after all: it is taken back instead of a new VM"
    return _out(case, case.wanted, case.wanted - have, why, back)


def returning_nodes(case: Case) -> Found:
    """A node that is only away for a moment is waited for; a VM that a step of ours was joining is not."""
    joining = {one.name for one in case.observation.vms} if case.interrupted in (StepKind.CREATE, StepKind.OUT) else set()
    young = [one.name for one in away(case.observation) if one.name not in joining and one.name not in case.long_away]
    have = len(case.members)
    return Plan((), f"{have} of {case.wanted} are members") if have < case.wanted <= have + len(young) else None


def missing_nodes(case: Case) -> Found:
    """Fewer members than wanted: grow to it. The playbook also finishes what is half-made."""
    have = len(case.members)
    if have >= case.wanted:
        return None
    why = f"{case.because}; {have} of {case.wanted} are members"
    return _out(case, case.wanted, case.wanted - have, why)


def another_size(case: Case) -> Found:
    """As many as wanted, one of another size: first the new node joins, then the old one leaves (the rule below)."""
    have = len(case.members)
    if not case.old or have != case.wanted:
        return None
    why = f"{case.because}; {case.old[0].name} is replaced: a node of {size_words(case.cluster.requirement.size)} joins first"
    if case.goal == case.wanted:
        return Refusal(
            Reason.MAXIMUM,
            f"{case.old[0].name} can't be replaced: for a time {have + 1} nodes would be there and the cluster file allows "
            f"{case.most}; raise requirement.nodes.max",
        )
    return _out(case, case.goal, 1, why)


def surplus_away(case: Case) -> Found:
    """A node was away for long, and by the rules above none is missing without it: it goes before one that serves, with the collection's word only."""
    if case.held or case.observation.unreachable:
        return None
    rank = {name: i for i, name in enumerate(case.state.leave_order)}
    # Whose join was cut off is up and serves: a growth ends its join.
    gone = [one for one in away(case.observation) if not one.joining]
    long = [one.name for one in gone if one.may_leave.allowed and one.name in case.long_away]
    leavers = sorted(long, key=lambda name: (rank.get(name, len(rank)), name))
    if not leavers:
        return None
    was, leaves = ("was", "leaves") if len(leavers) == 1 else ("were", "leave")
    why = f"{case.because}; {', '.join(leavers)} {was} away for {case.cluster.recovery.after_s:g} s and more, and {leaves}"
    return Plan((steps.scale_in(_after(case, leavers), leavers, case.cluster.deadlines, why),), why)


def surplus_nodes(case: Case) -> Found:
    """More members than wanted: those beyond leave, another size first, their movable services before them."""
    surplus = len(case.members) - case.wanted
    if surplus <= 0:
        return None
    if case.held:
        return Plan((), case.held)
    if unknown(case.observation):
        return Refusal(Reason.HOST_UNREACHABLE, f"{unknown_words(case)}; until then none is removed")
    found = _leavers(case)
    if isinstance(found, Refusal):
        return found
    leavers = [one.name for one in found[:surplus]]
    rest = " the rest of the way: an earlier leave was cut off" if found[0].leaving else ""
    why = f"{case.because}; {len(case.members)} are members, and {', '.join(leavers)} {'leaves' if len(leavers) == 1 else 'leave'}{rest}"
    first = emptied(case.state, case.cluster.services, leavers, case.barred)
    made: list[Step] = [steps.move(one.service, one.to, case.cluster.deadlines, one.because) for one in first]
    return Plan((*made, steps.scale_in(_after(case, leavers), leavers, case.cluster.deadlines, why)), why)


def _leavers(case: Case) -> list[Node] | Refusal:
    """Those that may leave, in the collection's order; one that is on its way out before all others, then those of another size.

    One that a person put into standby is none: whoever did it lets it go, or has it back.
    """
    aside = {one.name for one in idle(case.observation)}
    nodes = {one.name: one for one in case.state.nodes if one.name in case.members and one.name not in aside}
    order = [name for name in case.state.leave_order if name in nodes]
    order += sorted(set(nodes) - set(order))
    old = {one.name for one in case.old}
    order.sort(key=lambda name: (not nodes[name].leaving, name not in old))
    seen = {one.name for one in case.observation.vms}
    found = [nodes[name] for name in order if nodes[name].may_leave.allowed and name in seen]
    if found:
        return found
    if not nodes:
        return Refusal(
            Reason.UNSTABLE, f"nobody can be told to leave: {idle_words(case.observation)}; take it out of standby or scale in by hand"
        )
    if not any(nodes[name].may_leave.allowed for name in order):
        verdict = nodes[order[0]].may_leave
        return Refusal(_reason(verdict), verdict.sentence or f"{order[0]} may not leave")
    if case.observation.unreachable:
        hosts = ", ".join(case.observation.unreachable)
        return Refusal(
            Reason.HOST_UNREACHABLE,
            f"{hosts} can't be reached, and no other host has a VM of the nodes that may leave; bring the host back",
        )
    return Refusal(
        Reason.NOT_FOUND, "no host shows a VM of the nodes that may leave, so none could be deleted; add the host that has it to the file"
    )


def settled(case: Case) -> Found:
    """Work is spread only in a cluster at rest: what is starting or stopping now has no place yet."""
    if not case.state.stable:
        return Plan((), f"{len(case.members)} nodes are members, as wanted; the cluster is still starting or stopping resources")
    waiting = unfinished_services(case.state, case.cluster.services)
    if waiting:
        return Plan((), f"{', '.join(waiting)} is not started; nothing is moved until it is, or its failure is cleaned up")
    return None


def traces_of_moves(case: Case) -> Found:
    """A move that was killed leaves its constraint; moving the service to where it runs takes it away."""
    for one in case.state.temporary:
        service = one.removeprefix(marks.MOVE)
        where = [node.name for node in case.state.nodes if service in node.services]
        if one.startswith(marks.MOVE) and where:
            why = f"an interrupted move of {service} left the constraint {one}"
            return Plan((steps.move(service, where[0], case.cluster.deadlines, why),), why)
    return None


def uneven_work(case: Case) -> Found:
    """Movable services go from the fullest node to the emptiest, so that a new node takes work over."""
    found = evened(case.state, case.cluster.services, case.barred)
    if not found:
        return None
    made = tuple(steps.move(one.service, one.to, case.cluster.deadlines, one.because) for one in found)
    return Plan(made, "; ".join(one.because for one in found))


def interrupted_step(case: Case) -> Found:
    """Everything in sight is right, yet a playbook was cut off: run again it finishes what can't be seen from here."""
    if case.interrupted not in (StepKind.CREATE, StepKind.RECOVER, StepKind.OUT, StepKind.IN):
        return None
    have = len(case.members)
    why = f"an earlier {case.interrupted.value} has no known good end; run again it finishes what is half done and is otherwise without change"
    return _out(case, have, 1, why)


RULES: tuple[Callable[[Case], Found], ...] = (
    within_limits,
    first_cluster,
    returned_vms,
    lost_nodes,
    healthy,
    edited_services,
    surplus_halves,
    half_gone,
    returning_nodes,
    missing_nodes,
    another_size,
    surplus_away,
    surplus_nodes,
    interrupted_step,
    settled,
    traces_of_moves,
    uneven_work,
)
