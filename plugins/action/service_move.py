# Copyright: (c) 2026, the ondemand.cluster contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Move a service to another node: stop it there, start it here, wait until it runs, leave no constraint behind."""

from __future__ import annotations

import re
import time
import typing as t

from ansible.plugins.action import ActionBase
from ansible_collections.ondemand.cluster.plugins.module_utils._contract.refusal import Refusal, Refused
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster import simulation
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.cib import CibError, parse_cib
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.membership_scripts import OBSERVE, sections
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.move_rules import Move, choose_move
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.moves import (
    CLEAR,
    MOVE,
    MoveReport,
    build_wish,
    constraint_of,
    parse_report,
    stale_wishes,
)
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.settle import NO_QUORUM_S, SETTLE
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.status import Status, StatusError, parse
from ansible_collections.ondemand.cluster.plugins.plugin_utils.cluster_task import RefusedTask, first_answer, here_or
from ansible_collections.ondemand.cluster.plugins.plugin_utils.look import ask
from ansible_collections.ondemand.cluster.plugins.plugin_utils.nodes import NodeError, Nodes

ARGUMENTS = {
    "service": {"type": "str", "required": True},
    "to": {"type": "str"},
    "avoid": {"type": "list", "elements": "str"},
    "members": {"type": "list", "elements": "str"},
    "deadline_s": {"type": "float", "default": 120.0},
    "lease": {"type": "str"},
}
LOOK = "date +%s\n" + OBSERVE
REST_S = 30


class ActionModule(ActionBase):
    """The action service_move; see the module of that name for its documentation."""

    TRANSFERS_FILES = False

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Look, decide, move; the result of the task."""
        super().run(tmp, task_vars)
        _result, args = self.validate_argument_spec(argument_spec=ARGUMENTS)
        try:
            return self._move(Nodes(self, task_vars or {}, args["lease"]), args)
        except RefusedTask as refusal:
            return refusal.result()
        except Refused as refused:
            return {"changed": False, "failed": True, **refused.refusal.result()}
        except (NodeError, StatusError, CibError) as error:
            return {"changed": False, "failed": True, "msg": "%s was not moved: %s" % (args["service"], error)}

    def _move(self, nodes: Nodes, args: dict[str, t.Any]) -> dict[str, t.Any]:
        service, deadline_s = args["service"], max(1.0, args["deadline_s"])
        members = here_or(args["members"], nodes)
        member, status, stale, node_now = self._look(nodes, members, service)
        busy = ""
        if not status.idle and not self._task.check_mode:
            # Where a change of this service is under way, a move on top of it would be told by the wrong end.
            own = " ".join(one.id for each in status.services if each.name == service for one in each.resources)
            arguments = ["%d" % REST_S, "%d" % REST_S, own, "%d" % NO_QUORUM_S]
            settled = nodes.script(member, SETTLE, arguments, timeout_s=REST_S + 90, check=False)
            busy = "" if settled.rc == 0 else settled.stderr.strip() or "it does not answer"
            member, status, stale, node_now = self._look(nodes, [member], service)
        plan = self._planned(nodes, member, status, node_now, args)
        result: dict[str, t.Any] = {
            "changed": plan.source != plan.target or bool(stale),
            "service": service,
            "from": plan.source,
            "to": plan.target,
            "stopped_at": None,
            "started_at": None,
            "diff": {"before": "%s on %s\n" % (service, plan.source), "after": "%s on %s\n" % (service, plan.target)},
        }
        if self._task.check_mode or not result["changed"]:
            return result
        if plan.source == plan.target:
            nodes.change(member, CLEAR, [" ".join(stale)])
            return result
        if busy:
            raise RefusedTask("unstable", "Pacemaker is busy with %s itself, so it was not moved (%s). Try again later." % (service, busy))
        report = self._moved(nodes, [member, *[one for one in members if one != member]], plan, stale, node_now, deadline_s)
        if report.outcome != "moved" or report.constraint_left:
            raise _refusal(plan, report, deadline_s)
        return {**result, "stopped_at": report.stopped_at, "started_at": report.started_at}

    def _planned(self, nodes: Nodes, member: str, status: Status, node_now: float, args: dict[str, t.Any]) -> Move:
        """The move that suits our rules and Pacemaker's own scheduler, which is asked with the wish in a copy of the CIB."""

        def why_not(move: Move) -> str:
            wish = build_wish(move.service, move.target, node_now, args["deadline_s"])
            found = simulation.moving(status.cib, wish, move.resources, move.target, lambda cib: ask(nodes, member, cib))
            return simulation.why_not_there(found, move.resources, move.target)

        plan = choose_move(status, args["service"], args["to"], args["avoid"] or [], why_not)
        if isinstance(plan, Refusal):
            raise RefusedTask(plan.reason, plan.sentence)
        return plan

    def _look(self, nodes: Nodes, members: list[str], service: str) -> tuple[str, Status, list[str], float]:
        """Who answered, the cluster as it tells it, wishes that nobody needs any more, and the clock there."""
        member, seen = first_answer(members, lambda one: nodes.script(one, LOOK, ["all"], untold=True))
        parts = sections(seen.stdout)
        others = members[members.index(member) + 1 :]
        try:
            status = parse(parts)
        except StatusError as error:
            if others:
                return self._look(nodes, others, service)
            told = (", ".join(members), error)
            raise RefusedTask("not_found", "No cluster answers on %s (%s). Start Pacemaker there, or name other members." % told) from error
        node_now = _clock(seen.stdout)
        return member, status, stale_wishes(parse_cib(parts["cib"][1]), service, node_now), node_now

    def _moved(self, nodes: Nodes, members: list[str], plan: Move, stale: list[str], node_now: float, deadline_s: float) -> MoveReport:
        args = [plan.service, plan.source, plan.target, "%d" % deadline_s, " ".join(plan.resources), " ".join(stale)]
        args.append(constraint_of(plan.service))
        wish = build_wish(plan.service, plan.target, node_now, deadline_s)
        try:
            # Three waits at most (rest before, move, rest or way back), each with the deadline, and a margin.
            done = nodes.change(members[0], MOVE, args, stdin=wish, timeout_s=3 * deadline_s + 60, once=True)
            return parse_report(done.stdout, time.time())
        except NodeError as error:
            # The member that carried the move out was lost; the wish would end by itself, but nobody should wait for that.
            for other in members[1:]:
                if nodes.change(other, CLEAR, [constraint_of(plan.service)], check=False).rc == 0:
                    break
            sentence = (
                "The move of %s was cut off: %s. Its constraint was removed or ends by itself; look where the service is and run it again."
            )
            raise RefusedTask("host_unreachable", sentence % (plan.service, error), changed=True) from error


def _clock(said: str) -> float:
    """The node's clock: the first line that is a number, whatever a login shell says before it."""
    found = re.search(r"^([0-9]{1,12})\s*$", said, re.MULTILINE)
    if not found:
        raise StatusError("the node told no time of its clock")
    return float(found.group(1))


def _refusal(plan: Move, report: MoveReport, deadline_s: float) -> RefusedTask:
    """What became of a move that did not end as wished, as a refusal."""
    where = "it runs on %s" % ", ".join(report.nodes) if report.nodes else "it does not run"
    if report.nodes == (plan.source,):
        where = "it is back on %s and runs there" % plan.source
    more: dict[str, t.Any] = {
        "changed": report.nodes != (plan.source,),
        "from": plan.source,
        "to": plan.target,
        "nodes": list(report.nodes),
    }
    if report.constraint_left:
        sentence = "The constraint %s could not be removed; it ends by itself. Remove it with cibadmin or run the move again."
        return RefusedTask("unstable", sentence % constraint_of(plan.service), **more)
    if report.outcome == "start_failed":
        sentence = "%s does not start on %s (%s); %s. Repair it on %s before moving it there."
        return RefusedTask("start_failed", sentence % (plan.service, plan.target, report.failure, where, plan.target), **more)
    if report.outcome == "drifted":
        sentence = (
            "%s ran on %s but did not stay (%s): the cluster prefers another node. Give it resource-stickiness, or look at its constraints."
        )
        return RefusedTask("unstable", sentence % (plan.service, plan.target, where), **more)
    if report.outcome == "deadline":
        sentence = "%s did not run on %s within %g s; %s. Look at its failures and constraints, or give it more time."
        return RefusedTask("deadline", sentence % (plan.service, plan.target, deadline_s, where), **more)
    sentence = "%s was not moved to %s: Pacemaker did not take the wish (%s); %s. Look at the member's log."
    return RefusedTask("unstable", sentence % (plan.service, plan.target, report.outcome, where), **more)
