# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors

"""What if a node left, stood by, were lost or joined, or a service moved: the verdict that a playbook would give, over saved files. Pure.

The files may be of any cluster, also of one that this collection did not make. The scheduler is handed in as a function, so that the same
thinking serves a live cluster.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import asdict, dataclass, replace
from typing import Any, Callable, Container, Dict, Mapping, Optional, Sequence, Tuple

from ...module_utils._contract.names import name_problem
from ...module_utils._contract.refusal import Refusal
from . import corosync_conf, quorum_options, simulation
from .cib import is_true, parse_cib, xml_root
from .corosync_conf import Conf, Section
from .join_rules import nowhere
from .membership_plan import Wanted, steps
from .move_rules import Move, choose_move
from .moves import build_wish
from .quorum import Count
from .seen import Seen
from .status import Status, StatusError, parse
from .step_lists import told_by
from .steps import Step, votes_data

Votes = Mapping[str, Any]
"""Expected, total and needed votes, and whether that is a quorum."""
Scheduler = Callable[[ET.Element], str]
"""A CIB in, what simulation.SIMULATE prints of it out."""
QUESTIONS = ("leave", "standby", "lose", "join", "move")
"""What can be asked; each about a node, the last one about a service."""
FOREVER = 4e9
"""A wish's moment of expiry in epoch seconds that no simulation reaches."""


class WrongQuestion(ValueError):
    """What is asked about is not there, or has no name that could be; nothing is wrong with the cluster."""


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
    online = {node.get("name", "") for node in seen.iterfind("nodes/node") if node.get("online") == "true"}
    conf = corosync_conf.parse(conf_text) if conf_text is not None else _conf_of(cib, online)
    uncounted = quorum_options.why_nobody_counts(conf) if conf_text is not None and votes_text is None else None
    if uncounted:
        raise StatusError(uncounted)
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


def _conf_of(cib: ET.Element, online: Container[str]) -> Conf:
    """A list of the members that the CIB has. A number that is none of Corosync's is replaced.

    Among members with numbers one that has none and is away is what an earlier life of the cluster left: Corosync knows nobody of that id.
    """
    nodes = [node for node in cib.iterfind("configuration/nodes/node") if node.get("type", "member") == "member"]
    if any(_is_number(node.get("id", "")) for node in nodes):
        nodes = [node for node in nodes if _is_number(node.get("id", "")) or node.get("uname") in online]
    numbers = [node.get("id", "") for node in nodes]
    proper = all(map(_is_number, numbers))
    entries = tuple(
        Section("node", (("ring0_addr", ""), ("name", node.get("uname", "")), ("nodeid", numbers[i] if proper else str(i + 1))))
        for i, node in enumerate(nodes)
    )
    return Conf(Section("", (Section("nodelist", entries),)))


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit()


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


def answer(status: Status, question: str, name: str, scheduler: Scheduler, minimum: int = 1, to: Optional[str] = None) -> Answer:
    """The answer to one of QUESTIONS. minimum: nodes that have to stay, of a leave; to: where the service of a move goes.

    WrongQuestion where the cluster has no such node, or a name is none; StatusError where too little of the cluster was read.
    """
    names = [member.name for member in status.members]
    if question in ("leave", "standby", "lose") and name not in names:
        raise WrongQuestion("the cluster has no node %s; it has %s" % (name, ", ".join(names) or "none"))
    problem = name_problem(name, "name") if question == "join" else None
    if problem:
        raise WrongQuestion(problem)
    if question == "leave":
        return leave(status, name, minimum, scheduler)
    if question == "move":
        return move(status, name, to, scheduler)
    return {"standby": standby, "lose": lose, "join": join}[question](status, name, scheduler)


def leave(status: Status, name: str, minimum: int, scheduler: Scheduler) -> Answer:
    """The node leaves for good. Unknown names raise KeyError."""
    found = _emptied(status, name, scheduler)
    return _changed(replace(status, simulated={name: found}), Wanted("absent", name, min_nodes=minimum), name + " may leave.", found)


def standby(status: Status, name: str, scheduler: Scheduler) -> Answer:
    """The node carries nothing and stays a member. Unknown names raise KeyError."""
    found = _emptied(status, name, scheduler)
    return _changed(replace(status, simulated={name: found}), Wanted("standby", name), name + " may go to standby.", found)


def join(status: Status, name: str, scheduler: Scheduler) -> Answer:
    """Another node joins."""
    found = simulation.effects(scheduler(simulation.with_node(_cib(status), name)))
    if any(member.name == name and member.online for member in status.members):
        return _answer(status, Refusal("in_use", "%s did not join: it is a member already." % name), "", (), found)
    address = next((member.address for member in status.members if member.name == name and member.listed), None)
    # Who is listed has the files already.
    files = told_by(status, name, [name]).files if address is not None else ()
    return _changed(status, Wanted("member", name, nowhere(status.conf) if address is None else address), name + " may join.", found, files)


def _changed(status: Status, wanted: Wanted, message: str, found: simulation.Effects, own: Sequence[Seen] = ()) -> Answer:
    """The very list of steps that a playbook would carry out. own: the node's files, where it has any."""
    observed = replace(told_by(status, wanted.name), node=own[0] if own else None)
    made = steps(observed, wanted)
    if isinstance(made, Refusal):
        return _answer(status, made, "", (), found)
    return _answer(status, None, message, made, found)


def lose(status: Status, name: str, scheduler: Scheduler) -> Answer:
    """The node is gone at once. Whether its loss is survived: with quorum, and with a place for all that runs. Unknown names raise KeyError."""
    member = status.member(name)
    then = status.votes.count.without(member.id)
    found = simulation.effects(scheduler(simulation.without_node(_cib(status), name, then.quorate)), name, scheduler(_cib(status)))
    # Where nobody can fence the lost node, what it ran stays its own for Pacemaker, and starts nowhere else.
    stuck = sorted(one for one, places in found.places.items() if places == (name,))
    unreckoned = quorum_options.why_not_reckoned(status.conf) if status.conf is not None else None
    refusal = None
    if unreckoned:
        refusal = Refusal("quorum", "What the loss of %s would do can't be told: %s." % (name, unreckoned))
    elif not then.quorate:
        why = "%d of %d expected votes would be left, and %d are needed: the others would stop what they run"
        refusal = Refusal("quorum", "%s must not be lost: %s." % (name, why % (then.total, then.expected, then.needed)))
    elif found.stops or stuck:
        refusal = Refusal("no_place", "%s must not be lost: %s would run nowhere." % (name, ", ".join([*found.stops, *stuck])))
    elif found.demoted:
        refusal = Refusal("no_place", "%s must not be lost: no copy of %s would be promoted." % (name, ", ".join(found.demoted)))
    return _answer(status, refusal, "The loss of %s would be survived." % name, (Step("lose", name, "", then, node=name),), found)


def move(status: Status, service: str, to: Optional[str], scheduler: Scheduler) -> Answer:
    """The service goes to another node, None: to the one that suits best."""

    def outcome(one: Move) -> simulation.Effects:
        wish = build_wish(one.service, one.target, FOREVER, 0)
        return simulation.moving(_cib(status), wish, one.resources, one.target, scheduler)

    plan = choose_move(status, service, to, (), lambda one: simulation.why_not_there(outcome(one), one.resources, one.target))
    if isinstance(plan, Refusal):
        return _answer(status, plan, "", (), simulation.Effects())
    if plan.source == plan.target:
        return _answer(status, None, "%s is on %s." % (service, plan.target), (), simulation.Effects())
    count = status.votes.count
    moved = tuple(
        Step(what + " service", node, "", count, service=service) for what, node in (("stop", plan.source), ("start", plan.target))
    )
    return _answer(status, None, "%s may move from %s to %s." % (service, plan.source, plan.target), moved, outcome(plan))


def _cib(status: Status) -> ET.Element:
    if status.cib is None:
        raise StatusError("no CIB was read")
    return status.cib


def _emptied(status: Status, name: str, scheduler: Scheduler) -> simulation.Effects:
    if not status.member(name).online:
        return simulation.Effects()
    return simulation.emptying(_cib(status), name, scheduler)


def _answer(status: Status, refusal: Optional[Refusal], message: str, made: Tuple[Step, ...], found: simulation.Effects) -> Answer:
    count = made[-1].count if made else status.votes.count
    return Answer(
        allowed=refusal is None,
        reason=str(refusal.reason) if refusal else None,
        message=refusal.sentence if refusal else message,
        steps=tuple(step.data() for step in made),
        votes=votes_data(count),
        stops=(*found.stops, *("%s (promoted)" % one for one in found.demoted)),
        moves={name: {"from": before, "to": after} for name, (before, after) in found.moves.items()},
        stays=tuple(name for name, _managed in found.stays),
        survives=count.losses,
    )
