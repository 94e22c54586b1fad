# Copyright: (c) 2026, the ondemand.cluster contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""cluster_node: create a cluster's first member, join, leave, standby. Documented in plugins/modules/cluster_node.py.

Every change is looked at, planned (purely, in membership_plan.py), then carried out step by step. It may be run again after it was killed
anywhere: the plan is made from what is there, and is then the rest.
"""

from __future__ import annotations

import time
import typing as t

from ansible.plugins.action import ActionBase
from ansible_collections.ondemand.cluster.plugins.module_utils._contract import names
from ansible_collections.ondemand.cluster.plugins.module_utils._contract.refusal import Refusal, Refused, all_problems
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster import membership, step_lists, steps
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.corosync_conf import ConfError
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.membership_plan import Wanted
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.membership_plan import steps as steps_of
from ansible_collections.ondemand.cluster.plugins.plugin_utils.look import look_at
from ansible_collections.ondemand.cluster.plugins.plugin_utils.membership_act import Act
from ansible_collections.ondemand.cluster.plugins.plugin_utils.membership_look import observe
from ansible_collections.ondemand.cluster.plugins.plugin_utils.membership_run import carry_out
from ansible_collections.ondemand.cluster.plugins.plugin_utils.nodes import NodeError, Nodes

ARGUMENT_SPEC = {
    "name": {"type": "str"},
    "state": {"type": "str", "required": True, "choices": ["created", "member", "standby", "active", "absent"]},
    "address": {"type": "str"},
    "cluster": {"type": "str"},
    "members": {"type": "list", "elements": "str"},
    "gone": {"type": "list", "elements": "str"},
    "may_return": {"type": "list", "elements": "str"},
    "token_ms": {"type": "int", "default": 3000},
    "min_nodes": {"type": "int", "default": 1},
    "deadline_s": {"type": "float", "default": 180.0},
    "lease": {"type": "str"},
}


def _failed(act: Act | None) -> dict[str, t.Any]:
    """What a failed task tells besides why: whether anything was done before, and whether the node is a member all the same."""
    if act is None:
        return {"failed": True, "changed": False}
    return {"failed": True, "changed": act.touched, "node": act.name, "timings": act.timings}


def _bring(act: Act, state: str) -> None:
    """Bring the node into the state, or in check mode say how that would be done."""
    plan, members, begun = _planned(act, state)
    act.changed, act.diff, act.steps = bool(plan), steps.diff(plan), [step.data() for step in plan]
    if act.check or not plan:
        return
    carry_out(act, plan, members, begun)
    if state == "member" and any(step.what == "active" for step in plan):
        act.joined()
    if state == "absent":
        act.timings["left_at"] = time.time()


def _planned(act: Act, state: str) -> tuple[t.Sequence[steps.Step], list[str], list[steps.Step]]:
    """The steps, the members that stay (the one that told of the cluster first), and what an earlier run did of the same."""
    if state == "created":
        host = look_at(act.nodes, act.name)
        files = membership.plan_create(host, act.cluster, act.name, act.address, act.token_ms)
        if isinstance(files, Refusal):
            raise Refused(files)
        return step_lists.creating(host, files), [], []
    wanted = Wanted(state, act.name, act.address, act.min_nodes, tuple(act.gone), tuple(act.may_return))
    observed = observe(act, wanted)
    if observed is None:
        return (), [], []
    plan = steps_of(observed, wanted)
    if isinstance(plan, Refusal):
        raise Refused(plan)
    begun = step_lists.begun(observed, act.name) if state == "absent" else []
    return plan, [observed.teller, *(one.host for one in observed.files)], begun


class ActionModule(ActionBase):
    """Runs the cluster's own tools on the nodes over their connections and thinks on the controller."""

    TRANSFERS_FILES = False
    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Load, act, report."""
        result = super().run(tmp, task_vars)
        _validation, options = self.validate_argument_spec(ARGUMENT_SPEC)
        act = None
        try:
            act = self._act(options, task_vars or {})
            _bring(act, options["state"])
        except Refused as refused:
            return {**result, **_failed(act), **refused.refusal.result()}
        except NodeError as error:
            return {**result, **_failed(act), "msg": str(error)}
        except ConfError as error:
            return {**result, **_failed(act), **Refusal("join_refused", "%s was not changed: %s." % (options["name"], error)).result()}
        told = {
            "changed": act.changed,
            "node": act.name,
            "timings": act.timings,
            "diff": act.diff,
            "unready": act.unready,
            "steps": act.steps,
        }
        return {**result, **told, "warnings": [one + "." for one in act.unready]}

    def _act(self, options: dict[str, t.Any], task_vars: dict[str, t.Any]) -> Act:
        """The task's options, checked; raises Refused with every problem at once."""
        nodes = Nodes(self, task_vars, options["lease"])
        name = options["name"] or nodes.here
        address = options["address"] or ""
        state, members = options["state"], options["members"] or []
        if not address and state in ("created", "member"):
            address = self._address_of(name, task_vars["hostvars"])
        problems = [names.name_problem(name, "name")]
        problems += [names.name_problem(member, "members[%d]" % index) for index, member in enumerate(members)]
        for option in ("gone", "may_return"):
            problems += [names.name_problem(lost, "%s[%d]" % (option, index)) for index, lost in enumerate(options[option] or [])]
        if state in ("created", "member"):
            problems.append(names.address_problem(address, "address"))
        if state == "created":
            problems.append(names.name_problem(options["cluster"], "cluster"))
        if not 100 <= options["token_ms"] <= 600000:
            problems.append("token_ms: %d is no token time; 100 to 600000 milliseconds are right" % options["token_ms"])
        if options["deadline_s"] <= 0:
            problems.append("deadline_s: %g is no time to wait; above 0 is right" % options["deadline_s"])
        if options["min_nodes"] < 1:
            problems.append("min_nodes: %d nodes are no cluster; 1 and above are right" % options["min_nodes"])
        found = [problem for problem in problems if problem]
        if found:
            raise Refused(all_problems(found))
        return Act(
            nodes=nodes,
            name=name,
            address=address,
            cluster=options["cluster"] or "",
            members=members,
            gone=options["gone"] or [],
            may_return=options["may_return"] or [],
            token_ms=options["token_ms"],
            min_nodes=options["min_nodes"],
            deadline_s=options["deadline_s"],
            check=bool(self._task.check_mode),
        )

    def _address_of(self, name: str, hostvars: t.Mapping[str, t.Any]) -> str:
        """The address by which Ansible knows the node, empty where the inventory has none."""
        # hostvars gives an undefined value for an unknown host, not a KeyError.
        if name not in hostvars or "ansible_host" not in hostvars[name]:
            return ""
        return str(self._templar.template(hostvars[name]["ansible_host"]))
