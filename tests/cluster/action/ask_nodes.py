# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""An action for tests: makes each call of O(calls) through the door to nodes and returns what came back."""

from __future__ import annotations

from ansible.plugins.action import ActionBase
from ansible_collections.ondemand.cluster.plugins.plugin_utils.nodes import NodeError, Nodes


class ActionModule(ActionBase):
    """Each call is {host, argv or script, args, stdin, timeout_s}."""

    def run(self, tmp=None, task_vars=None):
        """The answers in the calls' order; an error as {error, rc, unreachable, timed_out}."""
        result = super().run(tmp, task_vars)
        nodes = Nodes(self, task_vars)
        return {**result, "answers": [self._answer(nodes, dict(call)) for call in self._task.args["calls"]]}

    @staticmethod
    def _answer(nodes, call):
        try:
            if "change" in call:
                done = nodes.change(call["host"], call["change"], check=call.get("check", True), once=call["once"])
            elif "script" in call:
                done = nodes.script(
                    call["host"], call["script"], call.get("args", ()), stdin=call.get("stdin"), check=call.get("check", True)
                )
            else:
                done = nodes.run(
                    call["host"], call["argv"], stdin=call.get("stdin"), timeout_s=call.get("timeout_s", 60), check=call.get("check", True)
                )
        except NodeError as error:
            return {"error": str(error), "rc": error.rc, "unreachable": error.unreachable, "timed_out": error.timed_out}
        return {"rc": done.rc, "stdout": done.stdout, "stderr": done.stderr}
