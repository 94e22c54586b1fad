# Copyright: (c) 2026, the ondemand.cluster contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""hosts_lease: what only the controller knows of a lease on hosts, its run's token and whether another's run is over; and the wait for it."""

from __future__ import annotations

import time
import typing as t

from ansible.plugins.action import ActionBase
from ansible_collections.ondemand.cluster.plugins.plugin_utils import lease_holder

BREATH_S = 2.0


class ActionModule(ActionBase):
    """Runs the module of this name until it has the lease, or until the wait for it is over."""

    TRANSFERS_FILES = False
    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Take or give back, report."""
        result = super().run(tmp, task_vars)
        args = dict(self._task.args)
        if args.get("state") in ("held", "kept"):
            args["holder"] = args.get("holder") or lease_holder.holder(task_vars or {})
        if args.get("state") == "held":
            args["token"] = args.get("token") or lease_holder.new_token()
        wait_s, begun = float(args.get("wait_s") or 0), None
        while True:
            done = self._execute_module(module_name="ondemand.cluster.hosts_lease", module_args=args, task_vars=task_vars)
            # Only what another run held it for is a wait, not what the task itself takes.
            waited_s = 0.0 if begun is None else time.monotonic() - begun
            if (done.get("refusal") or {}).get("reason") != "held" or args.get("state") != "held":
                return {**result, **done, "waited_s": round(waited_s, 1)}
            begun = time.monotonic() if begun is None else begun
            other = done.get("lease") or {}
            over = lease_holder.is_dead(other.get("token", ""))
            if over and args.get("over") != other["token"]:
                args["over"] = other["token"]
                continue
            if waited_s >= wait_s:
                return {**result, **done, "waited_s": round(waited_s, 1)}
            time.sleep(BREATH_S)
