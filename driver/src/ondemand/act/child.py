# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""Runs one playbook: `python -m ondemand.act.child`, a job as JSON on stdin, the result as JSON on stdout.

The only file that imports ansible_runner. A process of its own, because the library replaces signal handlers, may exit, and
leaves a dead job running when a callback raises.
"""

from __future__ import annotations

import json
import os
import queue
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import ansible_runner  # type: ignore[import-untyped]

from ondemand import wall

FAILED = ("runner_on_failed", "runner_on_unreachable", "runner_item_on_failed")
WANTED = ("playbook_on_stats", *FAILED)
TAIL = 2000


def result_of(events: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The playbook's `ondemand` and what failed, from its events. A failure that carries a refusal tells more than one without."""
    facts: dict[str, Any] = {}
    failures = []
    for event in events:
        data = event.get("event_data") or {}
        if event.get("event") == "playbook_on_stats":
            facts = (data.get("artifact_data") or {}).get("ondemand") or {}
        elif event.get("event") in FAILED and not data.get("ignore_errors"):
            failures.append({"task": str(data.get("task", "")), "node": str(data.get("host", "")), **_told(data.get("res") or {})})
    first = next((one for one in failures if one["reason"]), failures[0] if failures else None)
    return {"facts": facts, "failure": first}


def _told(result: Mapping[str, Any]) -> dict[str, Any]:
    """A failed task's words, and its reason if it is a refusal. One that can't be read as a refusal is told with all that is wrong."""
    refusal = result.get("refusal")
    if refusal is None:
        return {"because": result.get("msg"), "reason": None}
    wrong = list(wall.unlike(wall.REFUSAL, refusal, "refusal"))
    if wrong:
        return {"because": f"{result.get('msg')} ({wall.complaint('refusal', wrong)})", "reason": None}
    return {"because": refusal["sentence"], "reason": refusal["reason"]}


def run(job: Mapping[str, Any]) -> dict[str, Any]:
    """Runs the job's playbook in its private folder; the variables are files there, never arguments."""
    seen: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()

    def only_enqueue(event: dict[str, Any]) -> bool:
        if event.get("event") in WANTED:
            seen.put(event)
        return False

    files = " ".join(f"-e @{path}" for path in job["variable_files"])
    done = ansible_runner.run(
        private_data_dir=job["folder"],
        playbook=job["playbook"],
        cmdline=files,
        suppress_env_files=True,
        quiet=True,
        event_handler=only_enqueue,
        cancel_callback=lambda: False,
    )
    events = []
    while not seen.empty():
        events.append(seen.get())
    return {"status": done.status, "rc": done.rc, **result_of(events), "tail": _tail(Path(job["folder"]))}


def _tail(folder: Path) -> str:
    """The end of Ansible's output, for playbooks that failed before any task did."""
    texts = [path.read_text(errors="replace") for path in folder.glob("artifacts/*/stdout")]
    return texts[0][-TAIL:] if texts else ""


def main() -> None:
    """Keeps stdout for the result alone: whatever a library prints goes to stderr."""
    answer = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    job = json.load(sys.stdin)
    json.dump(run(job), answer)
    answer.close()


if __name__ == "__main__":
    main()
