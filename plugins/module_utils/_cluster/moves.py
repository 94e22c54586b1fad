# Copyright: (c) 2026, the ondemand.cluster contributors
# BSD-2-Clause license (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
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

from .._contract import marks
from .settle import LOOK
from .status import failure_of

# Of a wish's end, in UTC.
TIME = "%Y-%m-%d %H:%M:%SZ"
# The rule outlives the script's own deadline by this much, so that it never ends while the script still waits.
GRACE_S = 30

# $1 service, $2 from, $3 to, $4 seconds for each wait, $5 its resources, $6 constraints to remove first, $7 the wish's id; stdin: the wish, a constraint.
# Names hold no space (they were checked), so $5 and $6 are split on purpose. Reports lines "WORD VALUE".
MOVE = (
    LOOK
    + r"""
service=$1 from=$2 to=$3 wait_s=$4 resources=$5 stale=$6 ours=$7
remove() { cibadmin --delete --scope constraints --xml-text "<rsc_location id=\"$1\"/>" >/dev/null 2>&1; }
left() { cibadmin --query --xpath "//rsc_location[@id='$ours']" >/dev/null 2>&1; }
give_up_wish() {
  for n in 1 2 3 4 5 6 7 8 9 10; do remove "$ours" && ! left && return 0; sleep 0.5; done
  echo "constraint left"
}
trap 'give_up_wish; rm -rf "$d"' EXIT
trap 'exit 71' HUP INT TERM PIPE
now() { date +%s.%N; }
count_on() { up | awk -v node="$1" -v all="$resources" 'BEGIN { split(all, a, " "); for (i in a) ours[a[i]] = 1 }
  ($1 in ours) && $2 == node { n++ } END { print n + 0 }'; }
failure() { awk -v node="$to" -v all="$resources" 'BEGIN { n = split(all, a, " ") }
  /<failure / && index($0, " node=\"" node "\"") { for (i = 1; i <= n; i++)
    if (match($0, " op_key=\"" a[i] "_(migrate_to|migrate_from|[a-z-]+)_[0-9]+\"")) { print; exit } }' "$d/seen"; }
until_idle() {
  _since=
  until rested || [ "$(tick)" -ge "$1" ]; do breathe; done
}
wanted=0; for r in $resources; do wanted=$((wanted + 1)); done
for one in $stale; do remove "$one"; done
look || { echo "outcome unreadable"; exit 0; }
if [ -n "$(failure)" ]; then
  for r in $resources; do crm_resource --cleanup --resource "$r" --node "$to" >/dev/null 2>&1; done
  until_idle $(( $(tick) + wait_s )); look
fi
end=$(( $(tick) + wait_s ))
cat >"$d/wish"
cibadmin --modify --allow-create --scope constraints --xml-file "$d/wish" >/dev/null || { echo "outcome refused"; exit 0; }
outcome=deadline stopped=
while [ "$(tick)" -lt "$end" ]; do
  if look; then
    if [ -z "$stopped" ] && [ "$(count_on "$from")" -eq 0 ]; then stopped=$(now); echo "stopped_at $stopped"; fi
    if [ "$(count_on "$to")" -eq "$wanted" ]; then echo "started_at $(now)"; outcome=moved; break; fi
    failed=$(failure)
    if [ -n "$failed" ]; then echo "failure $failed"; outcome=start_failed; break; fi
  fi
  breathe
done
give_up_wish
end=$(( $(tick) + wait_s ))
if [ "$outcome" = moved ]; then
  # Without the wish only stickiness holds it: look until the DC has thought about it.
  until_idle "$end"
  [ "$(count_on "$to")" -eq "$wanted" ] || outcome=drifted
else
  # First back (where it runs, stickiness keeps it), then forget the failure: the other way round it would try again.
  while [ "$(tick)" -lt "$end" ]; do
    look && [ "$(count_on "$from")" -eq "$wanted" ] && { echo "back_at $(now)"; break; }
    breathe
  done
  for r in $resources; do crm_resource --cleanup --resource "$r" --node "$to" >/dev/null 2>&1; done
  until_idle "$end"
fi
echo "on $(up | awk -v all="$resources" 'BEGIN { split(all, a, " "); for (i in a) ours[a[i]] = 1 } ($1 in ours) { printf "%s ", $2 }')"
echo "outcome $outcome"
echo "clock $(now)"
"""
)

# Removes constraints that a killed move left; $1: their ids.
CLEAR = r"""
for one in $1; do cibadmin --delete --scope constraints --xml-text "<rsc_location id=\"$one\"/>" || exit 72; done
"""


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
