# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors

"""A change of the membership as a list of steps: what, on which node, with which content, why, Corosync's count after it, and the way back. Pure.

Lists are made in step_lists.py, asked for in membership_plan.py, and carried out by cluster_node; `changed`, the diff, check mode and
`ondemand what-if` come from the same list.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any, Dict, List, Optional, Sequence, Tuple

from . import corosync_conf
from .quorum import Count
from .seen import Loaded, Seen

WORDS = {
    "install": "install the key and corosync.conf on {host}",
    "write": "write corosync.conf on {host}",
    "load": "write corosync.conf on {host} and have every member load it",
    "start": "start the cluster on {host}",
    "standby": "put {node} in standby",
    "active": "take {node} out of standby",
    "stop": "stop the cluster on {host}",
    "forget": "have {host} forget {node}",
    "settle": "take back the short wait of the first start on {host}",
    "lose": "lose {node}",
    "stop service": "stop {service} on {host}",
    "start service": "start {service} on {host}",
}
"""Every kind of step, and how a person is told of it."""
FILES = ("write", "load")
OFF, ON, BEGUN = "off\n", "on\n", "on, for a leave that was begun\n"
"""The content of a node's standby, as a diff shows it."""


@dataclass(frozen=True)
class Step:
    """One step. what: a key of WORDS; host: where it is carried out; count: Corosync's count afterwards.

    node, service: whom it is about, where that is not the host; text, before: the content that is to be there, and that is there now; how: for
    install "first" (with a new key), "fresh" (what Pacemaker knew before is forgotten) or "keep", for standby "leave" (a leave's own) or "on"
    (somebody's wish); forgets: nodes that a start has the cluster forget.
    """

    what: str
    host: str
    why: str
    count: Count
    node: str = ""
    service: str = ""
    text: str = ""
    before: str = ""
    how: str = ""
    forgets: Tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """The step as a clause."""
        return WORDS[self.what].format(host=self.host, node=self.node, service=self.service)

    def data(self) -> Dict[str, Any]:
        """The step as plain values, without its content; what does not apply is empty."""
        back = _reverse(self)
        told: Dict[str, Any] = {"step": self.what, "words": self.words, "host": self.host, "node": self.node, "service": self.service}
        return {**told, "why": self.why, "votes": votes_data(self.count), "undo": back.words if back else None}


def votes_data(count: Count) -> Dict[str, Any]:
    """A count as plain values."""
    return {"expected": count.expected, "total": count.total, "needed": count.needed, "quorate": count.quorate}


class Making:
    """A list in the making, with the files and the count as they are after the steps so far."""

    def __init__(self, files: Sequence[Seen], count: Count) -> None:
        self.files = tuple(files)
        self.count = count
        self.steps: List[Step] = []

    def add(self, what: str, host: str, why: str, count: Optional[Count] = None, **more: Any) -> None:
        """One step more; count: Corosync's count after it, where that changes."""
        self.count = self.count if count is None else count
        self.steps.append(Step(what, host, why, self.count, **more))

    def configure(self, text: str, why: str) -> None:
        """The text onto every member that has another one, and one reload at the end, which all members hear; that alone where one is stale."""
        stale = [one for one in self.files if one.stale]
        differing = [one for one in self.files if one.text != text] or stale[-1:]
        if not differing:
            return
        conf = corosync_conf.parse(text)
        # Only whose Corosync runs can have all read theirs.
        last = ([one for one in differing if one.active] or [one for one in self.files if one.active] or differing)[-1]
        for one in differing:
            if one is not last:
                self.add("write", one.host, why, text=text, before=one.text)
        then = self.count.reloaded(conf.expected_votes, conf.two_node)
        self.add("load", last.host, why, then, text=text, before=last.text)
        loaded = Loaded(tuple(sorted(node.id for node in conf.nodes)), conf.two_node)
        self.files = tuple(replace(one, text=text, conf=conf, loaded=loaded) for one in self.files)


def first_without_quorum(steps: Sequence[Step], before: Count, had: bool) -> Optional[Step]:
    """The first step that would cost the cluster the quorum which it has by then. None where it is never lost.

    before: Corosync's count now; had: whether that is a quorum, by Corosync's own word.
    """
    for step in steps:
        if step.count != before:
            if had and not step.count.quorate:
                return step
            before, had = step.count, step.count.quorate
    return None


def diff(steps: Sequence[Step]) -> List[Dict[str, str]]:
    """What --diff shows: content before the first step and after the last one; equal changes of several nodes are shown once.

    The standby of a node that is forgotten afterwards is no change that stays.
    """
    forgotten = {step.node for step in steps if step.what == "forget"}
    ends: Dict[Tuple[str, str], Tuple[str, str]] = {}
    for step in steps:
        if step.what in ("standby", "active"):
            key = ("standby of %s", step.node)
        elif step.what in (*FILES, "install", "stop"):
            key = ("corosync.conf on %s", step.host)
        else:
            continue
        if step.node not in forgotten:
            ends[key] = (ends[key][0] if key in ends else step.before, step.text)
    groups: Dict[Tuple[str, str, str], List[str]] = {}
    for (header, name), (before, after) in ends.items():
        if before != after:
            groups.setdefault((header, before, after), []).append(name)
    return [_shown(header % ", ".join(names), before, after) for (header, before, after), names in groups.items()]


def _shown(header: str, before: str, after: str) -> Dict[str, str]:
    return {"before_header": header, "after_header": header, "before": before, "after": after}


def way_back(done: Sequence[Step]) -> Tuple[Step, ...]:
    """The steps that undo what was done, from the end to the last one that can't be undone.

    Files go back in the order in which they were written, so that the one reload is again the last of them.
    """
    back: List[Step] = []
    for _text, group in groupby(reversed(done), key=lambda step: step.text if step.what in FILES else None):
        steps = list(group)
        for step in reversed(steps) if steps[0].what in FILES else steps:
            undone = _reverse(step)
            if undone is None:
                return tuple(back)
            back.append(undone)
    return tuple(back)


def _reverse(step: Step) -> Optional[Step]:
    """The step that undoes this one; None where nothing does, so that the next run goes on from there."""
    back = replace(step, text=step.before, before=step.text, why="it was not ended")
    if step.what in FILES:
        return back
    if step.what == "install":
        # Who was in no cluster must not come with its next boot.
        return back if step.how == "keep" else replace(back, what="stop")
    if step.what == "standby" and step.how == "leave":
        return replace(back, what="active")
    return None
