# Copyright: (c) 2026, the ondemand.cluster contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Moving a service: what is to be done, the script that does it on a member in one trip, and the reading of its report. Pure.

The wish is a location constraint of ours with a rule that expires by itself; the script removes it whatever happens to the run
that started it. Should the member die in between, the rule ends with the deadline and the next move removes what is left.
"""

from __future__ import annotations

import calendar
import dataclasses
import re
import time
import typing as t
from xml.etree import ElementTree

from . import marks
from .node_scripts import script
from .status import failure_of

# Of a wish's end, in UTC.
TIME = "%Y-%m-%d %H:%M:%SZ"
# The rule outlives the script's own deadline by this much, so that it never ends while the script still waits.
GRACE_S = 30

MOVE = script("move")

CLEAR = script("clear_moves")


@dataclasses.dataclass(frozen=True)
class MoveReport:
    """What the script saw: times are epoch seconds of the controller's clock, None where it did not come to that."""

    outcome: str
    stopped_at: t.Optional[float]
    started_at: t.Optional[float]
    back_at: t.Optional[float]
    nodes: t.Tuple[str, ...]
    failure: t.Optional[str]
    constraint_left: bool


def constraint_of(service: str) -> str:
    """The id of the wish to have a service elsewhere."""
    return marks.MOVE + service


def build_wish(service: str, node: str, node_now: float, deadline_s: float) -> str:
    """The constraint: the service on this node, until deadline_s (and some grace) after node_now, the members' clock in epoch seconds."""
    one = constraint_of(service)
    wish = ElementTree.Element("rsc_location", {"id": one, "rsc": service})
    rule = ElementTree.SubElement(wish, "rule", {"id": one + "-rule", "score": "INFINITY", "boolean-op": "and"})
    ElementTree.SubElement(rule, "expression", {"id": one + "-node", "attribute": "#uname", "operation": "eq", "value": node})
    end = time.strftime(TIME, time.gmtime(node_now + deadline_s + GRACE_S))
    ElementTree.SubElement(rule, "date_expression", {"id": one + "-until", "operation": "lt", "end": end})
    return ElementTree.tostring(wish, encoding="unicode")


def stale_wishes(cib: ElementTree.Element, service: str, node_now: float) -> t.List[str]:
    """Ids of wishes that no move needs any more: any earlier one for this service, and those of others that have expired."""
    found = []
    for wish in cib.iterfind("configuration/constraints/rsc_location"):
        one = wish.get("id", "")
        if not one.startswith(marks.MOVE):
            continue
        ends = [date.get("end", "") for date in wish.iter("date_expression")]
        if one == constraint_of(service) or (ends and all(_has_passed(end, node_now) for end in ends)):
            found.append(one)
    return found


def _has_passed(end: str, node_now: float) -> bool:
    try:
        return calendar.timegm(time.strptime(end, TIME)) <= node_now
    except ValueError:
        return False


def parse_report(said: str, now: float) -> MoveReport:
    """The script's report; now is the controller's clock as its last line came, so that times are told by one clock."""
    values: t.Dict[str, str] = {}
    for line in said.splitlines():
        word, _space, value = line.partition(" ")
        values[word] = value.strip()

    def number(word: str) -> float | None:
        return float(values[word]) if re.match(r"[0-9]{1,12}(\.[0-9]{1,12})?\Z", values.get(word, "")) else None

    clock = number("clock")

    def at(word: str) -> float | None:
        seen = number(word)
        return None if seen is None or clock is None else round(seen + now - clock, 3)

    return MoveReport(
        outcome=values.get("outcome", "cut_off"),
        stopped_at=at("stopped_at"),
        started_at=at("started_at"),
        back_at=at("back_at"),
        nodes=tuple(sorted(set(values.get("on", "").split()))),
        failure=_failure_sentence(values["failure"]) if "failure" in values else None,
        constraint_left="constraint" in values,
    )


def _failure_sentence(line: str) -> str:
    try:
        failure = failure_of(ElementTree.fromstring(line))
    except ElementTree.ParseError:
        return line
    return "%(operation)s of %(resource)s: %(because)s" % failure
