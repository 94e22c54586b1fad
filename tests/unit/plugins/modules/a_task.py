# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""A task of a module that is an action, in this process: all of it but the door to nodes, which answers from what a test writes down."""

from __future__ import annotations

import importlib
import subprocess
import time
import types
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from ansible_collections.ondemand.cluster.plugins.plugin_utils import nodes as door

BASE = "ansible_collections.ondemand.cluster.plugins.action"
HERE = "cell-n1"


class Door:
    """What was asked of which node.

    told: node -> what it prints when it is looked at, a text or one for each look; who has none is away. replies: a part of a script or command
    -> (code, output, errors); whatever else is run succeeds in silence. The scheduler is the machine's own, which needs no cluster.
    """

    def __init__(self, told: Mapping[str, str | list[str]], replies: Mapping[str, tuple[int, str, str]]) -> None:
        self.told, self.replies = dict(told), dict(replies)
        self.looks: list[str] = []
        self.acts: list[tuple[str, str, str]] = []
        """(node, script with its arguments, what it reads) of everything that was more than a question"""

    def answer(self, host: str, argv: Sequence[str], _command: str, stdin: Any, timeout_s: float) -> tuple[int, str, str]:
        """In the place of Nodes._answer, whose nodes it does not need: a bound method of this object, so it gets the host first."""
        said = " ".join(argv)
        if host not in self.told:
            raise door.NodeError(host, argv, None, "nobody is there")
        if "crm_simulate --xml-file" in said:
            done = subprocess.run(argv, input=stdin, capture_output=True, text=True, timeout=timeout_s, check=False)
            return done.returncode, done.stdout, done.stderr
        if "section key " in said:
            self.looks.append(host)
            mine = self.told[host]
            seen = mine if isinstance(mine, str) else mine.pop(0) if len(mine) > 1 else mine[0]
            return 0, (f"{time.time():.0f}\n" if "date +%s" in said else "") + seen, ""
        self.acts.append((host, said, str(stdin or "")))
        return next((reply for part, reply in self.replies.items() if part in said), (0, "", ""))


def run(
    monkeypatch: pytest.MonkeyPatch,
    module: str,
    args: Mapping[str, Any],
    told: Mapping[str, str | list[str]] | None = None,
    replies: Mapping[str, tuple[int, str, str]] | None = None,
    *,
    check: bool = False,
) -> tuple[dict[str, Any], Door]:
    """The result of a task, and the door that it went through."""
    action = importlib.import_module(f"{BASE}.{module}")
    mine = Door(told or {}, replies or {})
    monkeypatch.setattr(door.Nodes, "_answer", mine.answer)
    task = types.SimpleNamespace(args=dict(args), action=f"ondemand.cluster.{module}", check_mode=check, async_val=0, delegate_to=None)
    made = action.ActionModule(task, types.SimpleNamespace(_shell=types.SimpleNamespace(tmpdir=None)), None, None, None, None)
    return made.run(task_vars={"inventory_hostname": HERE, "hostvars": {}}), mine
