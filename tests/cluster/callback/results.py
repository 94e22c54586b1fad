# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""Writes every task's result as one JSON line into the file that ONDEMAND_TEST_RESULTS names, for tests to read."""

from __future__ import annotations

import json
import os
import time

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: results
type: aggregate
short_description: results of tasks as JSON lines
description: [For the tests of this collection.]
"""


class CallbackModule(CallbackBase):
    """One line for each host's task that ended."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "results"
    CALLBACK_NEEDS_ENABLED = True

    def v2_playbook_on_task_start(self, task, is_conditional):
        self._began = time.monotonic()

    def _write(self, result, unreachable=False):
        with open(os.environ["ONDEMAND_TEST_RESULTS"], "a", encoding="utf-8") as results:
            clean = json.loads(json.dumps(result._result, default=str))
            results.write(
                json.dumps(
                    {"host": result._host.get_name(), "unreachable": unreachable, "seconds": time.monotonic() - self._began, **clean}
                )
                + "\n"
            )

    def v2_runner_on_ok(self, result):
        self._write(result)

    def v2_runner_on_failed(self, result, ignore_errors=False):
        self._write(result)

    def v2_runner_on_unreachable(self, result):
        self._write(result, unreachable=True)
