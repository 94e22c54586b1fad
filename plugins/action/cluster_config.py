# Copyright: (c) 2026, the ondemand.cluster contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bring Pacemaker's configuration to what is wanted: read the CIB, build the wanted one aside, push the smallest patch."""

from __future__ import annotations

import functools
import typing as t

from ansible.plugins.action import ActionBase
from ansible_collections.ondemand.cluster.plugins.module_utils._contract.refusal import Refused
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.cib import CibError, parse_cib, serialise, xml_root
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.cib_effect import Awaited, why_not_in_effect
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.cib_plan import CibPlan, plan_cib
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.cib_push import (
    CHANGED_MEANWHILE,
    FORGET,
    INVALID,
    PUSH,
    push_input,
    verify_sentence,
)
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.cib_spec import check_config
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.settle import (
    CIB_AND_LOOK,
    NO_QUORUM_S,
    NOT_IDLE,
    SEEN_MARK,
    SETTLE,
    why_not_settled,
    why_not_stopped,
)
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.status import idle_by_wish
from ansible_collections.ondemand.cluster.plugins.plugin_utils.cluster_task import RefusedTask, first_answer, here_or, refuse_problems
from ansible_collections.ondemand.cluster.plugins.plugin_utils.nodes import NodeError, Nodes, Result

ARGUMENTS = {
    "config": {"type": "dict", "required": True},
    "mode": {"type": "str", "choices": ["merge", "whole", "replace"], "default": "merge"},
    "members": {"type": "list", "elements": "str"},
    "remove": {"type": "bool", "default": True},
    "wait_s": {"type": "float", "default": 0.0},
    "wait_for": {"type": "list", "elements": "str"},
    "lease": {"type": "str"},
}
# What gets on may take so many times the time without progress that wait_s allows.
MOST = 2
# Others may write to the CIB while we plan; each try plans anew from what is there then, and so does what follows a stop.
TRIES = 6
NOT_THE_FILE = (
    "The cluster has what would have to be stopped first: %s. It is not named any more, or holds what another one is to get, so the services were "
    "made by another statement than this one. Nothing of them was changed; run configure_services with the file that counts."
)
NOT_STATED = (
    "The cluster has properties or defaults that are not named any more: %s, so its services were made by another statement than this one. Nothing of "
    "them was changed; run configure_services with the file that counts."
)
# How long a stop may go without progress where nobody waits for the rest.
STOP_S = 60.0


class ActionModule(ActionBase):
    """The action cluster_config; see the module of that name for its documentation."""

    TRANSFERS_FILES = False

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Check, plan, push, wait; the result of the task."""
        super().run(tmp, task_vars)
        _result, args = self.validate_argument_spec(argument_spec=ARGUMENTS)
        nodes = Nodes(self, task_vars or {}, args["lease"])
        self._changed = False
        try:
            problems = check_config(args["config"])
            if problems:
                raise refuse_problems(problems)
            return self._bring(nodes, args)
        except RefusedTask as refusal:
            return refusal.result()
        except Refused as refused:
            return {"changed": self._changed, "failed": True, **refused.refusal.result()}
        except (NodeError, CibError) as error:
            where = "may be in place, but what came of it is not known" if self._changed else "was not brought to what is wanted"
            return {
                "changed": self._changed,
                "failed": True,
                "msg": "the configuration of the cluster %s: %s" % (where, error),
            }

    def _bring(self, nodes: Nodes, args: dict[str, t.Any]) -> dict[str, t.Any]:
        members = here_or(args["members"], nodes)
        waits = args["wait_s"] > 0 and not self._task.check_mode
        stopped: set[str] = set()
        first: CibPlan | None = None
        for _try in range(TRIES):
            member, answer = first_answer(members, lambda one: _read(nodes, one, waits))
            cib, _mark, seen = answer.stdout.partition("\n%s\n" % SEEN_MARK)
            plan = plan_cib(parse_cib(cib), args["config"], args["mode"])
            if plan.problems:
                raise refuse_problems(plan.problems, self._changed)
            if plan.halts and not args["remove"]:
                raise RefusedTask("bad_input", NOT_THE_FILE % ", ".join(plan.halts))
            if plan.unstated and not args["remove"]:
                raise RefusedTask("bad_input", NOT_STATED % ", ".join(plan.unstated))
            first = first or plan
            if not stopped.issuperset(plan.halts) and not self._task.check_mode:
                self._try(nodes, member, plan)
                if plan.halting is None or self._pushed(nodes, member, plan, plan.halting):
                    self._stop(nodes, member, plan.halts, args["wait_s"] or STOP_S)
                    stopped.update(plan.halts)
            elif not plan.changed or self._pushed(nodes, member, plan, plan.wanted, plan.awaited):
                break
        else:
            raise RefusedTask(
                "unstable",
                "the CIB was changed by somebody else during each of %d tries; run it again when that has ended" % TRIES,
                changed=self._changed,
            )
        if stopped - set(plan.owned):
            nodes.change(member, FORGET, sorted(stopped - set(plan.owned)), timeout_s=120, check=False)
        result = {
            "changed": plan.changed or self._changed,
            "member": member,
            "diff": {"before": first.before, "after": plan.after, "before_header": "the cluster's CIB", "after_header": "what is wanted"},
        }
        if plan.warnings:
            result["warnings"] = list(plan.warnings)
        awaited = [one for one in plan.owned if args["wait_for"] is None or one in args["wait_for"]]
        settled = not plan.changed and seen.strip() and _why_not_settled(seen, awaited) is None
        if waits and not settled:
            self._wait(nodes, member, awaited, args["wait_s"], result)
        return result

    def _try(self, nodes: Nodes, member: str, plan: CibPlan) -> None:
        """Refused where Pacemaker would not take the wanted document: nothing stops for what can't be."""
        tried = nodes.script(member, PUSH, ["check", plan.version], stdin=push_input(plan.original, plan.wanted), check=False)
        if tried.rc == INVALID:
            raise RefusedTask("bad_input", verify_sentence(tried.stdout, self._changed), changed=self._changed)

    def _stop(self, nodes: Nodes, member: str, halts: t.Sequence[str], wait_s: float) -> None:
        """Wait until these have stopped; refused where one doesn't."""
        seen, late = self._settled(nodes, member, halts, wait_s)
        why = why_not_stopped(seen, halts)
        if why or late:
            sentence = "What is to be removed or changed was told to stop, but %s. The rest was not done: mend it there, then run it again."
            raise RefusedTask("stop_failed", sentence % "; ".join(one for one in (late, why) if one), changed=self._changed)

    def _pushed(self, nodes: Nodes, member: str, plan: CibPlan, wanted: str, values: t.Sequence[Awaited] = ()) -> bool:
        """Whether this document is valid and (not in check mode) in place; False where the CIB was changed meanwhile.

        Refused where one of these values is in place and Pacemaker does not go by it.
        """
        what = "check" if self._task.check_mode else "push"
        before = self._changed
        # While nobody knows what became of it, it counts as done.
        self._changed = before or what == "push"
        run = functools.partial(nodes.change, once=True) if what == "push" else nodes.script
        try:
            asked = [what, plan.version, "values" if values else ""]
            done = run(member, PUSH, asked, stdin=push_input(plan.original, wanted), check=False)
        except Refused:
            self._changed = before
            raise
        self._changed = before or (what == "push" and done.rc == 0)
        if done.rc == INVALID:
            raise RefusedTask("bad_input", verify_sentence(done.stdout, before), changed=before)
        if done.rc == CHANGED_MEANWHILE:
            return False
        if done.rc != 0:
            raise NodeError(member, ["cibadmin", "--patch"], done.rc, done.stderr or done.stdout)
        why = why_not_in_effect(done.stdout, values) if values and what == "push" else ""
        if why:
            raise RefusedTask("unstable", "The configuration is in place, but not all of it counts: %s." % why, changed=True)
        return True

    def _settled(self, nodes: Nodes, member: str, resources: t.Sequence[str], wait_s: float) -> tuple[str, str]:
        """What Pacemaker shows once it has nothing left to do with these, and, where the time is over before that, what is left."""
        most_s = MOST * max(1, wait_s)
        arguments = ["%d" % max(1, wait_s), "%d" % most_s, " ".join(resources), "%d" % NO_QUORUM_S]
        seen = nodes.change(member, SETTLE, arguments, timeout_s=most_s + 90, check=False)
        if seen.rc not in (0, NOT_IDLE) or not seen.stdout.strip():
            raise NodeError(member, ["crm_mon"], seen.rc, seen.stderr)
        return serialise(xml_root(seen.stdout, "pacemaker-result")), seen.stderr.strip() if seen.rc == NOT_IDLE else ""

    def _wait(self, nodes: Nodes, member: str, awaited: list[str], wait_s: float, result: dict[str, t.Any]) -> None:
        seen, late = self._settled(nodes, member, awaited, wait_s)
        why = _why_not_settled(seen, awaited)
        if why or late:
            told = "the configuration is in place, but %s" % "; ".join(one for one in (late, why) if one)
            raise RefusedTask("start_failed", told, changed=result["changed"], diff=result["diff"])


def _read(nodes: Nodes, member: str, waits: bool) -> Result:
    if waits:
        return nodes.script(member, CIB_AND_LOOK, untold=True)
    return nodes.run(member, ["cibadmin", "--query"], untold=True)


def _why_not_settled(seen: str, awaited: list[str]) -> str | None:
    return why_not_settled(serialise(xml_root(seen, "pacemaker-result")), set(awaited) - idle_by_wish(seen))
