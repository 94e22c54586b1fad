# Copyright: (c) 2026, the ondemand.cluster contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the actions on a running cluster share: refusals that carry more, and the first member that answers."""

from __future__ import annotations

import typing as t

from ..module_utils._contract.refusal import Refusal, Refused
from .nodes import NodeError, Nodes, Result


class RefusedTask(Refused):
    """A refusal on its way to the task's result, with more keys for it."""

    def __init__(self, reason: str, sentence: str, **more: t.Any) -> None:
        super().__init__(Refusal(reason, sentence))
        self.more = more

    def result(self) -> dict[str, t.Any]:
        """The result of the refused task; nothing was changed unless more says so."""
        return {"changed": False, "failed": True, **self.refusal.result(), **self.more}


def refuse_problems(problems: t.Sequence[t.Mapping[str, str]], changed: bool = False) -> RefusedTask:
    """All problems of an input at once; the result holds them as data too. changed: something was, before they were there."""
    told = "; ".join("%s: %s, it should be %s" % (one["path"], one["problem"], one["should_be"]) for one in problems)
    count = "1 problem" if len(problems) == 1 else "%d problems" % len(problems)
    state = "Something was changed before, and now" if changed else "Nothing was touched,"
    return RefusedTask("bad_input", "%s the input has %s: %s." % (state, count, told), problems=list(problems), changed=changed)


def first_answer(members: t.Sequence[str], ask: t.Callable[[str], Result]) -> tuple[str, Result]:
    """The first member on which a reading command works, and its answer; a refusal that tells why each one didn't."""
    said = []
    reached = False
    for member in members:
        try:
            return member, ask(member)
        except NodeError as error:
            reached = reached or not error.unreachable
            said.append(str(error))
    what = "No cluster answers" if reached else "No member was reached"
    sentence = "%s: %s. Start Pacemaker on one of them, or name other members." % (what, "; ".join(said))
    raise RefusedTask("not_found" if reached else "host_unreachable", sentence)


def here_or(members: t.Sequence[str] | None, nodes: Nodes) -> list[str]:
    """The members that a task names, or the host that it runs for."""
    return list(members) if members else [nodes.here]
