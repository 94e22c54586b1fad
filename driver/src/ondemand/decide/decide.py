# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""From signals and memory to a decision. Several policies: any may grow, all must agree to shrink, none may guess.

A decision to shrink counts for the moment it is made in. Nobody carries it over: the next one is made from what is there then.
"""

from __future__ import annotations

from dataclasses import replace

from ondemand.config.model import Requirement, Scaling
from ondemand.decide.threshold import Vote, stale_after_s, vote, why_unusable, windows_after
from ondemand.decide.wish import Standing, standing
from ondemand.members import idle, leaving, outdated, size_words
from ondemand.memory import Memory, Window, decided
from ondemand.model import Cause, Decision, Kind, Observation


def decide(observation: Observation, requirement: Requirement, scaling: Scaling, memory: Memory, now: float) -> tuple[Decision, Memory]:
    """What should be, and the memory with it. Pure: the same values give the same decision."""
    stands = standing(observation, requirement, scaling, memory, now)
    votes, windows = _votes(observation, scaling, stands.memory, now)
    kept = replace(stands.memory, windows=windows)
    decision = _stated(requirement, kept, now) or _by_votes(votes, observation, requirement, scaling, kept, now)
    if decision.kind is Kind.HOLD:
        decision = _replacement(observation, requirement, decision, memory, now) or decision
    decision = _told(decision, stands)
    return decision, replace(decided(kept, decision), held=_held(observation, requirement, scaling, decision, now))


def _told(decision: Decision, stands: Standing) -> Decision:
    """The decision with what became of the former wish: whatever was found is told, an end of a wish where nothing follows it."""
    if not stands.note or not (stands.found or decision.kind is Kind.HOLD):
        return decision
    return replace(decision, because=f"{stands.note}; {decision.because}", code=f"{'found' if stands.found else 'ended'}:{decision.code}")


def _wanted(memory: Memory) -> int:
    return memory.wanted or 0


def _votes(observation: Observation, scaling: Scaling, memory: Memory, now: float) -> tuple[list[Vote], dict[str, Window]]:
    votes, windows = [], {}
    stale_s = stale_after_s(scaling)
    wanted, aside = _wanted(memory), len(idle(observation))
    for policy in scaling.policies:
        signal = observation.signals.get(policy.signal)
        unusable = why_unusable(policy.signal, signal, now, stale_s)
        if unusable is not None:
            signal = None
        mine = windows_after(policy, signal, memory.windows, now, stale_s, observation.busy_s)
        windows.update(mine)
        votes.append(vote(policy, scaling, signal, unusable, mine, wanted, aside))
    return votes, windows


def _stated(requirement: Requirement, memory: Memory, now: float) -> Decision | None:
    """A statement outranks measurements: the cluster file's least and most hold at once, without window and cooldown."""
    least, most, before = requirement.nodes.min, requirement.nodes.max, _wanted(memory)
    if before < least:
        told = f"the cluster file asks for at least {least} nodes, and {before} are wanted"
        return Decision(Kind.GROW, least, told, "stated", now, Cause.STATED)
    if before > most:
        told = f"the cluster file allows at most {most} nodes, and {before} are wanted"
        return Decision(Kind.SHRINK, most, told, "stated", now, Cause.STATED)
    return None


def _by_votes(
    votes: list[Vote], observation: Observation, requirement: Requirement, scaling: Scaling, memory: Memory, now: float
) -> Decision:
    wanted = _wanted(memory)
    if not votes:
        return Decision(Kind.HOLD, wanted, "the cluster file has no policy, so only its least and most count", "no_policy")
    targets = [one.target for one in votes if one.target is not None]
    asked = max(targets, default=wanted)
    if asked > wanted:
        winner = next(one for one in votes if one.target == asked)
        return _grow(winner, asked, observation, requirement, scaling, memory, now)
    if len(targets) == len(votes) and asked < wanted:
        return _shrink(votes, asked, observation, requirement, scaling, memory, now)
    told = [one for one in votes if one.target is None or one.target >= wanted]
    codes = ",".join(f"{one.policy}:{one.code}" for one in told)
    return Decision(Kind.HOLD, wanted, "; ".join(one.because for one in told), f"hold:{codes}")


def _grow(
    winner: Vote, asked: int, observation: Observation, requirement: Requirement, scaling: Scaling, memory: Memory, now: float
) -> Decision:
    members, wanted, most = len(observation.members), _wanted(memory), requirement.nodes.max
    if members < wanted:
        return Decision(Kind.HOLD, wanted, f"{winner.because}; {wanted} nodes are wanted already, {members} are there", "hold:growing")
    if wanted >= most:
        return Decision(Kind.HOLD, wanted, f"{winner.because}; {wanted} nodes are the most that the cluster file allows", "hold:most")
    rest = _left(memory.grown_at, scaling.scale_out.cooldown_s, now)
    if rest > 0:
        return Decision(
            Kind.HOLD,
            wanted,
            f"{winner.because}; the last growth was less than {scaling.scale_out.cooldown_s:g} s ago",
            "hold:cooldown_out",
        )
    target = min(asked, most)
    clamp = f", of {asked} asked for: the cluster file allows no more" if target < asked else ""
    told = f"{winner.because}: {target} nodes instead of {wanted}{clamp}"
    return Decision(Kind.GROW, target, told, "grow", winner.breach_at, Cause.LOAD)


def _shrink(
    votes: list[Vote], asked: int, observation: Observation, requirement: Requirement, scaling: Scaling, memory: Memory, now: float
) -> Decision:
    members, wanted, least = len(observation.members), _wanted(memory), requirement.nodes.min
    because = "; ".join(one.because for one in votes)
    if wanted <= least:
        return Decision(Kind.HOLD, wanted, f"{because}; {wanted} nodes are the least that the cluster file allows", "hold:least")
    if members > wanted:
        return Decision(Kind.HOLD, wanted, f"{because}; {wanted} nodes are wanted already, {members} are still there", "hold:shrinking")
    missed = _uncovered(observation, scaling)
    if missed:
        return Decision(Kind.HOLD, wanted, f"{because}, but {missed}: nothing is removed on half a picture", "hold:uncovered")
    for at, what in ((memory.grown_at, "growth"), (memory.shrunk_at, "shrinking")):
        if _left(at, scaling.scale_in.cooldown_s, now) > 0:
            why = f"the last {what} was less than {scaling.scale_in.cooldown_s:g} s ago"
            return Decision(Kind.HOLD, wanted, f"{because}; {why}", f"hold:cooldown_in_{what}")
    # What is not there yet needn't come, and then none of those that are there leaves.
    there = wanted if memory.known is None else memory.known
    goal = there if there < wanted else asked
    clamp = f", not {goal}: the cluster file asks for no fewer" if goal < least else ", as many as are there" if there < wanted else ""
    target = max(goal, least)
    breach_at = max(one.breach_at for one in votes if one.breach_at is not None)
    return Decision(Kind.SHRINK, target, f"{because}: {target} nodes instead of {wanted}{clamp}", "shrink", breach_at, Cause.LOAD)


def _held(observation: Observation, requirement: Requirement, scaling: Scaling, decision: Decision, now: float) -> str:
    """Why a leave that was cut off may not go on at this moment: that fewer nodes do has to be seen on those that serve."""
    half = ", ".join(one.name for one in leaving(observation))
    beyond = len(observation.members) > requirement.nodes.max
    if not half or beyond or decision.cause is Cause.SIZE or decision.cause is Cause.STATED:
        return ""
    why = [why_unusable(one.signal, observation.signals.get(one.signal), now, stale_after_s(scaling)) for one in scaling.policies]
    why += [_uncovered(observation, scaling)]
    why += [
        f"{one.signal} is above {one.above:g}"
        for one in scaling.policies
        if one.signal in observation.signals and observation.signals[one.signal].value > one.above
    ]
    told = next((one for one in why if one), "")
    return f"{half} was about to leave, and stays half-way for now: {told}" if told else ""


def _uncovered(observation: Observation, scaling: Scaling) -> str:
    """Which serving members some signal says nothing about; empty if each covers all of them. One in standby has no load to tell of."""
    members = set(observation.serving)
    for policy in scaling.policies:
        signal = observation.signals.get(policy.signal)
        missing = sorted(members - set(signal.nodes if signal else ()))
        if missing:
            return f"{policy.signal} says nothing about {', '.join(missing)}"
    return ""


def _left(at: float | None, cooldown_s: float, now: float) -> float:
    return 0.0 if at is None else at + cooldown_s - now


def _replacement(observation: Observation, requirement: Requirement, hold: Decision, memory: Memory, now: float) -> Decision | None:
    """Another size stated is a change of need too: larger nodes are growth, smaller ones shrinking, in the same number."""
    old = outdated(observation, requirement.size)
    if not old:
        return None
    sizes = {(one.vcpus, one.memory_mib) for one in old}
    larger = any(requirement.size.vcpus > vcpus or requirement.size.memory_mib > memory for vcpus, memory in sizes)
    names = ", ".join(one.name for one in old)
    because = (
        f"the cluster file asks for nodes of {size_words(requirement.size)}, and {names} {'has' if len(old) == 1 else 'have'} another size"
    )
    breach_at = memory.breach_at if memory.because == because else now
    return Decision(Kind.GROW if larger else Kind.SHRINK, hold.wanted, because, "stated_size", breach_at, Cause.SIZE)
