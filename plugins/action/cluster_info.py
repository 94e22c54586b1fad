# Copyright: (c) 2026, the ondemand.cluster contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""cluster_info: the cluster as one of its members tells it. Documented in plugins/modules/cluster_info.py."""

from __future__ import annotations

import typing as t

from ansible.plugins.action import ActionBase
from ansible_collections.ondemand.cluster.plugins.module_utils._cluster.leave_rules import leave_order, may_leave
from ansible_collections.ondemand.cluster.plugins.module_utils._cluster.status_view import view
from ansible_collections.ondemand.cluster.plugins.module_utils._contract import names
from ansible_collections.ondemand.cluster.plugins.module_utils._contract.refusal import Refusal, Refused, all_problems
from ansible_collections.ondemand.cluster.plugins.plugin_utils.look import Look, look_through, simulated
from ansible_collections.ondemand.cluster.plugins.plugin_utils.nodes import Nodes

ARGUMENT_SPEC = {
    "members": {"type": "list", "elements": "str"},
    "min_nodes": {"type": "int", "default": 1},
}


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
            return {**result, "changed": False, **_read(nodes, options["members"] or [nodes.here], options["min_nodes"])}
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


def _read(nodes: Nodes, members: list[str], min_nodes: int) -> dict[str, t.Any]:
    """The result: the cluster, or null where all members answer and none runs one."""
    problems = [names.name_problem(member, "members[%d]" % index) for index, member in enumerate(members)]
    found = [problem for problem in problems if problem]
    if found:
        raise Refused(all_problems(found))
    look, because, unsure = look_through(nodes, members)
    if look is None and unsure:
        # "There is no cluster" would be a guess, and a dear one: somebody might create a second.
        raise Refused(
            Refusal(
                "host_unreachable",
                "It is not known whether there is a cluster: no member tells of one, and %s; mend that first." % because[unsure[0]],
            )
        )
    if look is not None:
        look = _with_candidate(nodes, look, min_nodes)
    return {"cluster": view(look.status, min_nodes) if look else None, "asked": look.host if look else None, "because": because}
