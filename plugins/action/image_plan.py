# Copyright: (c) 2026, the ondemand.cluster contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""image_plan: from a role's variables to what it is to do. What it decides is decided in plugin_utils/image_plan.py."""

from __future__ import annotations

import time
import typing as t

from ansible.plugins.action import ActionBase
from ansible_collections.ondemand.cluster.plugins.module_utils._contract.refusal import Refusal
from ansible_collections.ondemand.cluster.plugins.plugin_utils import image_plan, lease_holder, work_dir

BREATH_S = 1.0
TEXTS = ("name", "work_dir", "source", "suite", "stock_script", "url", "url_sha256", "path", "cmdline", "role_path")
WORDS = ("sources", "packages", "units_disabled", "stack_packages", "stack_extra_packages", "controller")
FILE = {"src": {"type": "str", "required": True}, "dest": {"type": "str", "required": True}, "mode": {"type": "raw", "default": "0644"}}
ARGUMENTS: dict[str, dict[str, t.Any]] = {
    **{name: {"type": "str", "required": True} for name in TEXTS},
    **{name: {"type": "list", "elements": "str", "required": True} for name in WORDS},
    "hosts": {"type": "list", "elements": "dict", "required": True},
    "network": {"type": "dict", "required": True},
    "disk_gib": {"type": "int", "required": True},
    "build_boot_s": {"type": "int", "required": True},
    "wait_s": {"type": "float", "default": 0.0},
    "files": {"type": "list", "elements": "dict", "required": True, "options": FILE},
}


class ActionModule(ActionBase):
    """The action image_plan; see the module of that name for its documentation."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Refuse with every problem at once, or tell what is to be done."""
        super().run(tmp, task_vars)
        _result, asked = self.validate_argument_spec(argument_spec=ARGUMENTS)
        uid, *lacking = asked["controller"] or [""]
        problems = image_plan.problems(asked, uid, lacking)
        planned, other = {}, {}
        try:
            if not problems and not self._task.check_mode:
                other = _take(asked, lease_holder.holder(task_vars or {}))
            if not problems and not other:
                planned = image_plan.plan(asked, checking=self._task.check_mode)
        except OSError as error:
            problems = ["%s: %s" % (error.filename or "a file", error.strerror)]
        if problems:
            sentence = "The node image can't be built: %s." % "; ".join(problems)
            return {"changed": False, "failed": True, **Refusal("bad_input", sentence).result()}
        if other:
            told = Refusal("held", work_dir.words(image_plan.here(asked["work_dir"]), other, time.time()))
            return {"changed": False, "failed": True, **told.result()}
        return {"changed": False, "plan": planned}


def _take(asked: t.Mapping[str, t.Any], holder: str) -> dict[str, t.Any]:
    """The claim of the run that works in the folder also after the wait for it; empty where this run may now."""
    mine = {"token": lease_holder.new_token(), "holder": holder, "purpose": "the image %s" % asked["name"], "since": time.time()}
    until = time.monotonic() + asked["wait_s"]
    while True:
        other = work_dir.take(image_plan.here(asked["work_dir"]), mine)
        if not other or time.monotonic() >= until:
            return other
        time.sleep(BREATH_S)
