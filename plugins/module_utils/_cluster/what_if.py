# SPDX-License-Identifier: BSD-2-Clause
# Copyright: (c) 2026, the ondemand.cluster contributors

"""What if a node left, stood by, were lost or joined, or a service moved: the verdict that a playbook would give, over saved files. Pure.

The files may be of any cluster, also of one that this collection did not make. The scheduler is handed in as a function, so that the same
thinking serves a live cluster.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import asdict, dataclass, replace
from typing import Any, Callable, Dict, Mapping, Optional, Tuple

from .._contract.refusal import Refusal
from . import corosync_conf, leave_rules, membership, simulation
from .cib import is_true, parse_cib, xml_root
from .corosync_conf import Conf, Section
from .move_rules import Move, choose_move
from .moves import build_wish
from .quorum import Count
from .status import Status, StatusError, parse

Votes = Mapping[str, Any]
"""Expected, total and needed votes, and whether that is a quorum."""
Scheduler = Callable[[ET.Element], str]
"""A CIB in, what simulation.SIMULATE prints of it out."""
FOREVER = 4e9
"""A wish's moment of expiry in epoch seconds that no simulation reaches."""


@dataclass(frozen=True)
class Step:
    """One step of a change: what, on which node or with which service (empty: on all members), and Corosync's count after it."""

    what: str
    count: Count
    node: str = ""
    service: str = ""

    def data(self) -> Dict[str, Any]:
        """The same as plain values."""
        named = {"service": self.service, "node": self.node}
        return {"step": self.what, **{key: value for key, value in named.items() if value}, "votes": _votes(self.count)}


@dataclass(frozen=True)
class Answer:
    """allowed, and if not the reason and message of the refusal; the steps with the votes after each; what would become of the resources.

    stops: would run nowhere; stays: on a node that is to be empty; moves: from where to where; survives: how many further members may be
    lost, whichever they are, until the quorum is.
    """

    allowed: bool
    reason: Optional[str]
    message: str
    steps: Tuple[Mapping[str, Any], ...]
    votes: Votes
    stops: Tuple[str, ...]
    moves: Mapping[str, Mapping[str, Tuple[str, ...]]]
    stays: Tuple[str, ...]
    survives: int

    def data(self) -> Dict[str, Any]:
        """The same as plain values."""
        return asdict(self)


def observed(cib_text: str, conf_text: Optional[str], votes_text: Optional[str], scheduler: Scheduler) -> Status:
    """The cluster that saved files tell of.

    Without a corosync.conf every member of the CIB has one vote; without Corosync's count those vote who are online. Raises CibError,
    ConfError and StatusError with what can't be read.
    """
    cib = parse_cib(cib_text)
    seen = xml_root(scheduler(cib), simulation.ROOT).find("cluster_status")
    if seen is None:
        raise StatusError("the scheduler told no status of the cluster; see what crm_verify says of the CIB")
    conf = corosync_conf.parse(conf_text) if conf_text is not None else _conf_of(cib)
    online = {node.get("name", "") for node in seen.iterfind("nodes/node") if node.get("online") == "true"}
    if votes_text is None:
        count = Count(conf.expected_votes, {node.id: node.votes for node in conf.nodes if node.name in online}, two_node=conf.two_node)
        votes_text, quorate = _told(count), is_true(cib.get("have-quorum", "1"))
    else:
        quorate = re.search(r"^Quorate:\s+Yes", votes_text, re.MULTILINE) is not None
    texts = {
        "cib": ET.tostring(cib, encoding="unicode"),
        "conf": corosync_conf.render(conf),
        "votes": votes_text,
        "monitor": _monitor(seen, min(online, default=""), quorate),
        "dc": "S_IDLE",
    }
    return parse({name: (0, text) for name, text in texts.items()})


def _conf_of(cib: ET.Element) -> Conf:
    """A list of the members that the CIB has. A number that is none of Corosync's is replaced."""
    nodes = [node for node in cib.iterfind("configuration/nodes/node") if node.get("type", "member") == "member"]
    numbers = [node.get("id", "") for node in nodes]
    proper = all(number.isascii() and number.isdigit() for number in numbers)
    entries = tuple(
        Section("node", (("ring0_addr", ""), ("name", node.get("uname", "")), ("nodeid", numbers[i] if proper else str(i + 1))))
        for i, node in enumerate(nodes)
    )
    return Conf(Section("", (Section("nodelist", entries),)))


def _told(count: Count) -> str:
    """A count as corosync-quorumtool tells it."""
    rows = "".join("%10d %10d node\n" % one for one in count.present.items())
    head = "Expected votes: %d\nTotal votes: %d\nQuorum: %d\n" % (count.expected, count.total, count.needed)
    return head + "Flags: %s\nMembership information\n" % ("2Node" if count.two_node else "") + rows


def _monitor(seen: ET.Element, dc: str, quorate: bool) -> str:
    """The cluster's status as crm_mon tells it."""
    result = ET.Element(simulation.ROOT)
    summary = ET.SubElement(result, "summary")
    ET.SubElement(summary, "current_dc", {"present": str(bool(dc)).lower(), "name": dc, "with_quorum": str(quorate).lower()})
    result.extend(seen)
    return ET.tostring(result, encoding="unicode")


def leave(status: Status, name: str, minimum: int, scheduler: Scheduler) -> Answer:
    """The node leaves for good. Unknown names raise KeyError."""
    found = _emptied(status, name, scheduler)
    status = replace(status, simulated={name: found})
    refusal = leave_rules.may_leave(status, name, minimum)
    return _answer(status, refusal, name + " may leave.", () if refusal else _leaving(status, name), found)


def standby(status: Status, name: str, scheduler: Scheduler) -> Answer:
    """The node carries nothing and stays a member. Unknown names raise KeyError."""
    found = _emptied(status, name, scheduler)
    refusal = leave_rules.may_be_empty(replace(status, simulated={name: found}), name)
    steps = () if refusal else (Step("standby", status.votes.count, name),)
    return _answer(status, refusal, name + " may go to standby.", steps, found)


def join(status: Status, name: str, scheduler: Scheduler) -> Answer:
    """Another node joins."""
    refusal = membership.join_refusal(status, name)
    if refusal is None and any(member.name == name and member.online for member in status.members):
        refusal = Refusal("in_use", "%s did not join: it is a member already." % name)
    found = simulation.effects(scheduler(simulation.with_node(_cib(status), name)))
    return _answer(status, refusal, name + " may join.", () if refusal else _joining(status, name), found)


def lose(status: Status, name: str, scheduler: Scheduler) -> Answer:
    """The node is gone at once. Whether its loss is survived: with quorum, and with a place for all that runs. Unknown names raise KeyError."""
    member = status.member(name)
    then = status.votes.count.without(member.id)
    found = simulation.effects(scheduler(simulation.without_node(_cib(status), name, then.quorate)))
    refusal = None
    if not then.quorate:
        why = "%d of %d expected votes would be left, and %d are needed: the others would stop what they run"
        refusal = Refusal("quorum", "%s must not be lost: %s." % (name, why % (then.total, then.expected, then.needed)))
    elif found.stops:
        refusal = Refusal("no_place", "%s must not be lost: %s would run nowhere." % (name, ", ".join(found.stops)))
    return _answer(status, refusal, "The loss of %s would be survived." % name, (Step("lose", then, name),), found)


def move(status: Status, service: str, to: Optional[str], scheduler: Scheduler) -> Answer:
    """The service goes to another node, None: to the one that suits best."""

    def outcome(one: Move) -> simulation.Effects:
        wish = build_wish(one.service, one.target, FOREVER, 0)
        return simulation.effects(scheduler(simulation.with_move(_cib(status), wish, one.resources, one.target)))

    plan = choose_move(status, service, to, (), lambda one: simulation.why_not_there(outcome(one), one.resources, one.target))
    if isinstance(plan, Refusal):
        return _answer(status, plan, "", (), simulation.Effects())
    if plan.source == plan.target:
        return _answer(status, None, "%s is on %s." % (service, plan.target), (), simulation.Effects())
    steps = tuple(Step(what, status.votes.count, node, service) for what, node in (("stop", plan.source), ("start", plan.target)))
    return _answer(status, None, "%s may move from %s to %s." % (service, plan.source, plan.target), steps, outcome(plan))


def _cib(status: Status) -> ET.Element:
    if status.cib is None:
        raise StatusError("no CIB was read")
    return status.cib


def _conf(status: Status) -> Conf:
    if status.conf is None:
        raise StatusError("no corosync.conf was read")
    return status.conf


def _emptied(status: Status, name: str, scheduler: Scheduler) -> simulation.Effects:
    if not status.member(name).online:
        return simulation.Effects()
    return simulation.effects(scheduler(simulation.with_standby(_cib(status), name)), name)


def _leaving(status: Status, name: str) -> Tuple[Step, ...]:
    """The steps of a leave, as cluster_node takes them, with Corosync's count after each."""
    member, conf, count = status.member(name), _conf(status), status.votes.count
    final = corosync_conf.without_node(conf, conf.entry_of(name, member.id))
    passing = member.listed and corosync_conf.staged(conf).two_node and not conf.two_node
    steps = [Step("standby", count, name)] if member.online else []
    if passing:
        count = replace(count, two_node=True)
        steps.append(Step("set two_node", count))
    if member.votes:
        count = count.without(member.id)
        steps.append(Step("stop", count, name))
    count = count.reloaded(final.expected_votes, final.two_node)
    return (*steps, Step("shorten the list", count, name), Step("forget", count, name))


def _joining(status: Status, name: str) -> Tuple[Step, ...]:
    """The steps of a join, with Corosync's count after each."""
    conf = _conf(status)
    known = [member.id for member in status.members if member.name == name and member.listed]
    number = known[0] if known else conf.highest_id + 1
    if not known:
        conf = corosync_conf.with_node(conf, corosync_conf.Node(name, "192.0.2.1", number))
    node = next(one for one in conf.nodes if one.id == number)
    staged = corosync_conf.staged(conf)
    count = status.votes.count.reloaded(staged.expected_votes, staged.two_node)
    steps = [Step("lengthen the list", count, name)]
    count = replace(count, present={**count.present, number: node.votes})
    steps.append(Step("start", count, name))
    if staged.two_node and not conf.two_node:
        count = count.reloaded(conf.expected_votes, conf.two_node)
        steps.append(Step("remove two_node", count))
    return tuple(steps)


def _votes(count: Count) -> Votes:
    return {"expected": count.expected, "total": count.total, "needed": count.needed, "quorate": count.quorate}


def _answer(status: Status, refusal: Optional[Refusal], message: str, steps: Tuple[Step, ...], found: simulation.Effects) -> Answer:
    count = steps[-1].count if steps else status.votes.count
    return Answer(
        allowed=refusal is None,
        reason=str(refusal.reason) if refusal else None,
        message=refusal.sentence if refusal else message,
        steps=tuple(step.data() for step in steps),
        votes=_votes(count),
        stops=found.stops,
        moves={name: {"from": before, "to": after} for name, (before, after) in found.moves.items()},
        stays=tuple(name for name, _managed in found.stays),
        survives=count.losses,
    )
