# Copyright: (c) 2026, the ondemand.cluster contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""cluster_lease: be the only one who changes a cluster. Documented in plugins/modules/cluster_lease.py."""

from __future__ import annotations

import dataclasses
import time
import typing as t

from ansible.plugins.action import ActionBase
from ansible_collections.ondemand.cluster.plugins.module_utils._contract import names
from ansible_collections.ondemand.cluster.plugins.module_utils._contract.refusal import Refusal, Refused, all_problems
from ansible_collections.ondemand.cluster.plugins.plugin_utils import lease_holder
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster import lease
from ansible_collections.ondemand.cluster.plugins.plugin_utils.cluster_task import RefusedTask, first_answer, here_or
from ansible_collections.ondemand.cluster.plugins.plugin_utils.nodes import Nodes

ARGUMENT_SPEC = {
    "state": {"type": "str", "required": True, "choices": ["held", "kept", "free"]},
    "members": {"type": "list", "elements": "str"},
    "token": {"type": "str"},
    "holder": {"type": "str"},
    "purpose": {"type": "str", "default": "a change"},
    "for_s": {"type": "float", "default": 120.0},
    "wait_s": {"type": "float", "default": 0.0},
}
BREATH_S = 1.0


@dataclasses.dataclass(frozen=True)
class Wish:
    """What is asked of the lease: who shall have it, and for how long (0: nobody any more)."""

    token: str
    for_s: int
    holder: str
    purpose: str


class ActionModule(ActionBase):
    """One trip to one member where nobody else holds it."""

    TRANSFERS_FILES = False
    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Check, take or give back, report."""
        result = super().run(tmp, task_vars)
        _validation, options = self.validate_argument_spec(ARGUMENT_SPEC)
        options["holder"] = options["holder"] or lease_holder.holder(task_vars or {})
        nodes = Nodes(self, task_vars or {}, options["token"])
        try:
            return {**result, "changed": False, **self._done(nodes, options)}
        except Refused as refused:
            return {**result, "failed": True, "changed": False, **refused.refusal.result()}

    def _done(self, nodes: Nodes, options: dict[str, t.Any]) -> dict[str, t.Any]:
        members = here_or(options["members"], nodes)
        problems = [names.name_problem(member, "members[%d]" % index) for index, member in enumerate(members)]
        if not 1 <= options["for_s"] <= 86400:
            problems.append("for_s: %g is no time to hold it; 1 to 86400 seconds are right" % options["for_s"])
        if options["state"] != "held" and not options["token"]:
            problems.append("token: none was given; name that of the lease that is kept or given back")
        found = [problem for problem in problems if problem]
        if found:
            raise Refused(all_problems(found))
        if self._task.check_mode:
            return {"lease": None}
        if options["state"] == "kept":
            return keep(nodes, members, options["for_s"])
        token = options["token"] or lease_holder.new_token()
        held = options["state"] == "held"
        wish = Wish(token, int(options["for_s"]) if held else 0, options["holder"], options["purpose"])
        return take(nodes, members, wish, options["wait_s"]) if held else give_back(nodes, members, wish)


def take(nodes: Nodes, members: t.Sequence[str], wish: Wish, wait_s: float) -> dict[str, t.Any]:
    """The lease as ours; raises Refused where another one holds it after wait_s seconds, or no cluster answers.

    waited_s counts from when another one was met: who meets nobody has waited for nobody, however long the question took.
    """
    begun: float | None = None
    over = ""
    while True:
        now, value = _exchange(nodes, members, wish, over)
        waited_s = 0.0 if begun is None else time.monotonic() - begun
        found = lease.parse_lease(value)
        if found and found.token == wish.token and found.held(now):
            # However short the wait was, another one was met.
            return {"lease": found.result(now), "waited_s": 0.0 if begun is None else max(0.1, round(waited_s, 1))}
        begun = time.monotonic() if begun is None else begun
        # Where the run that holds it is over nobody is waited for. One that is free was not had because somebody else was faster: again.
        over = value if found and found.held(now) and lease_holder.is_dead(found.token) else ""
        if over:
            continue
        if waited_s >= wait_s:
            raise Refused(_why_not(found, now, waited_s))
        time.sleep(BREATH_S)


def _why_not(found: lease.Lease | None, now: float, waited_s: float) -> Refusal:
    if found and found.held(now):
        return lease.held_by(found, now, waited_s)
    return Refusal("held", "The lease of the cluster could not be had: others were faster each time. Run it again.")


def keep(nodes: Nodes, members: t.Sequence[str], for_s: float) -> dict[str, t.Any]:
    """Nothing, if the lease is still ours; raises Refused if it is another's. Where no cluster answers there is none."""
    try:
        first_answer(members, lambda one: nodes.keep_lease(one, for_s))
    except RefusedTask:
        return {"lease": None}
    return {}


def give_back(nodes: Nodes, members: t.Sequence[str], wish: Wish) -> dict[str, t.Any]:
    """The lease as nobody's, if it is still ours; where no cluster answers any more there is none to give back."""
    try:
        now, value = _exchange(nodes, members, wish, "")
    except RefusedTask:
        return {"lease": None}
    found = lease.parse_lease(value)
    return {"lease": found.result(now) if found else None}


def _exchange(nodes: Nodes, members: t.Sequence[str], wish: Wish, over: str) -> tuple[int, str]:
    """The clock, and the lease after the attempt, told by the first member that has a CIB. over: the value of a run that is over."""
    words = [wish.token, "%d" % wish.for_s, lease.quoted(wish.holder), lease.quoted(wish.purpose), over]
    member, answer = first_answer(members, lambda one: nodes.script(one, lease.TAKE, words))
    try:
        return lease.parse_taken(answer.stdout)
    except ValueError as error:
        sentence = "%s did not tell who changes the cluster, so nothing was begun: %r is no time. Look at what its login shell prints."
        raise Refused(Refusal("unstable", sentence % (member, answer.stdout[:100]))) from error
