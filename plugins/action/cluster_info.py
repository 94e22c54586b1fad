# Copyright: (c) 2026, the ondemand.cluster contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""cluster_info: the cluster as one of its members tells it. Documented in plugins/modules/cluster_info.py."""

from __future__ import annotations

import time
import typing as t

from ansible.plugins.action import ActionBase
from ansible_collections.ondemand.cluster.plugins.module_utils._contract import names
from ansible_collections.ondemand.cluster.plugins.module_utils._contract.refusal import Refusal, Refused, all_problems
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster import status, what_if
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.cib import CibError
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.corosync_conf import ConfError
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.leave_rules import leave_order, may_leave
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.status_view import view
from ansible_collections.ondemand.cluster.plugins.plugin_utils.look import NO_PACEMAKER, Look, ask, look_through, simulated
from ansible_collections.ondemand.cluster.plugins.plugin_utils.nodes import NodeError, Nodes

ARGUMENT_SPEC = {
    "members": {"type": "list", "elements": "str"},
    "min_nodes": {"type": "int", "default": 1},
    "settle_s": {"type": "float", "default": 0.0},
    "gone": {"type": "list", "elements": "str"},
    "what_if": {
        "type": "dict",
        "options": {**{question: {"type": "str"} for question in what_if.QUESTIONS}, "to": {"type": "str"}},
        "mutually_exclusive": [what_if.QUESTIONS],
        "required_one_of": [what_if.QUESTIONS],
    },
}


SETTLE_BREATH_S = 1.0


class ActionModule(ActionBase):
    """One trip to one member; everything else is reading."""

    TRANSFERS_FILES = False
    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Load, read, report."""
        result = super().run(tmp, task_vars)
        _validation, options = self.validate_argument_spec(ARGUMENT_SPEC)
        nodes = Nodes(self, task_vars or {})
        try:
            look, because = _look(nodes, options["members"] or [nodes.here], options["settle_s"], options["gone"] or [])
            told = {"because": because, "asked": look.host if look else None, "cluster": None}
            if look is not None:
                look = _with_candidate(nodes, look, options["min_nodes"])
                told["cluster"] = view(look.status, options["min_nodes"])
            if options["what_if"] is not None:
                told["answer"] = _answer(nodes, look, options["what_if"], options["min_nodes"])
            return {**result, "changed": False, **told}
        except Refused as refused:
            return {**result, "failed": True, "changed": False, **refused.refusal.result()}


def _with_candidate(nodes: Nodes, look: Look, min_nodes: int) -> Look:
    """The look with Pacemaker's word on the first node that may leave, in the order in which they would; each costs a run of its scheduler."""
    for name in leave_order(look.status):
        if may_leave(look.status, name, min_nodes) is None and look.status.member(name).online:
            look = simulated(nodes, look, [name])
            if may_leave(look.status, name, min_nodes) is None:
                break
    return look


def _settled(
    nodes: Nodes, members: t.Sequence[str], settle_s: float, gone: t.Container[str]
) -> tuple[Look | None, dict[str, str], list[str]]:
    """A look at the cluster once all the members asked that it lists are online and it misses all that are gone.

    It is looked at until nothing has changed for settle_s seconds; with 0 seconds it is the first look.
    """
    seen, before, since = look_through(nodes, members), "", time.monotonic()
    while settle_s > 0 and not _is_settled(seen, members, gone) and time.monotonic() - since < settle_s:
        now = repr((seen[0].status.members, seen[0].status.votes) if seen[0] else sorted(seen[1]))
        if now != before:
            before, since = now, time.monotonic()
        time.sleep(SETTLE_BREATH_S)
        seen = look_through(nodes, members)
    return seen


def _is_settled(seen: tuple[Look | None, dict[str, str], list[str]], members: t.Sequence[str], gone: t.Container[str]) -> bool:
    look, because, unsure = seen
    if unsure or any(why == NO_PACEMAKER % host for host, why in because.items()):
        return False
    if look is None:
        return True
    if not look.status.dc:
        return False
    if any(one.online or one.votes for one in look.status.members if one.name in gone):
        return False
    return all(one.online and not one.pending for one in look.status.members if one.listed and one.name in members)


def _look(nodes: Nodes, members: list[str], settle_s: float, gone: list[str]) -> tuple[Look | None, dict[str, str]]:
    """The cluster, None where all members answer and none runs one; and why some gave no answer."""
    problems = [names.name_problem(member, "members[%d]" % index) for index, member in enumerate(members)]
    found = [problem for problem in problems if problem]
    if found:
        raise Refused(all_problems(found))
    look, because, unsure = _settled(nodes, members, settle_s, gone)
    if look is None and unsure:
        # "There is no cluster" would be a guess, and a dear one: somebody might create a second.
        raise Refused(
            Refusal(
                "host_unreachable",
                "It is not known whether there is a cluster: no member tells of one, and %s; mend that first." % because[unsure[0]],
            )
        )
    return look, because


def _answer(nodes: Nodes, look: Look | None, asked: t.Mapping[str, str | None], min_nodes: int) -> dict[str, t.Any]:
    """What would become of the cluster if that happened, by the very rules and steps of the tasks that do it."""
    question, name = next((question, asked[question] or "") for question in what_if.QUESTIONS if asked[question] is not None)
    if look is None:
        raise Refused(Refusal("not_found", "There is no cluster that could be asked about; run create_cluster first."))
    problem = None if question == "move" else names.name_problem(name, "what_if.%s" % question)
    if problem:
        raise Refused(all_problems([problem]))
    try:
        told = what_if.answer(look.status, question, name, lambda cib: ask(nodes, look.host, cib), min_nodes, asked["to"])
    except what_if.WrongQuestion as error:
        raise Refused(Refusal("bad_input", "%s can't be asked about: %s." % (name, error))) from error
    except status.StatusError as error:
        raise Refused(Refusal("unstable", "%s can't be asked about: %s." % (name, error))) from error
    except ConfError as error:
        raise Refused(Refusal("unstable", "%s can't be asked about: corosync.conf of %s: %s." % (name, look.host, error))) from error
    except (CibError, NodeError) as error:
        raise Refused(Refusal("unstable", "Pacemaker did not tell what would become of the services: %s; try it again." % error)) from error
    return told.data()
