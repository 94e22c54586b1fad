# Copyright: (c) 2026, the ondemand.cluster contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Let a playbook say no the way the modules do: with a reason for programs and a sentence for people."""

from __future__ import annotations

import typing as t

from ansible.plugins.action import ActionBase
from ansible_collections.ondemand.cluster.plugins.module_utils._contract.refusal import REASONS, as_one

ARGUMENTS = {
    "refusals": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": {"reason": {"type": "str", "required": True, "choices": sorted(REASONS)}, "sentence": {"type": "str", "required": True}},
    },
}


class ActionModule(ActionBase):
    """The action refuse; see the module of that name for its documentation."""

    TRANSFERS_FILES = False
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Fail with the refusals, if there are any; the first one's reason counts, every sentence is told."""
        super().run(tmp, task_vars)
        _result, args = self.validate_argument_spec(argument_spec=ARGUMENTS)
        refusals = args["refusals"]
        if not refusals:
            return {"changed": False, "msg": "nothing is refused"}
        return {"changed": False, "failed": True, **as_one(refusals).result()}
