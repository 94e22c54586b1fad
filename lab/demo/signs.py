# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""Signs that things go on while the demo waits: what the driver's journal, the witness and the client have that is new.

A look that shows what the one before showed is none, nor is a decision that only holds: else a wait would never end.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
import time
from collections.abc import Hashable
from pathlib import Path
from typing import Any

from lab.demo.state import Tail, newest_node, nodes_online, vms_present


class Signs:
    """`newest()` is another value whenever something happened; `told()` is what was seen last, as a sentence."""

    def __init__(self, witness: Tail, client: Tail, journal: Path, movable: str) -> None:
        self._witness, self._client, self._journal, self._movable = witness, client, journal, movable

    def newest(self) -> Hashable:
        """VMs that came and went, the cluster as it is seen, who carries the movable service, the driver's steps and their ends."""
        seen = self._witness.look()
        cluster = next((one for one in reversed(seen) if one["kind"] == "cluster"), {})
        state = {key: cluster.get(key) for key in ("dc", "quorate", "nodes", "resources")}
        events = sum(1 for one in seen if one["kind"] == "vm")
        entry = self._entry()
        return events, json.dumps(state, sort_keys=True), newest_node(self._client.look(), self._movable), entry and entry["id"]

    def told(self) -> str:
        """What was seen last."""
        seen = self._witness.look()
        vms = ", ".join(f"{one['name']} ({one['event']} on {one['host']})" for one in vms_present(seen).values())
        entry = self._entry()
        driver = "none"
        if entry:
            kind = f"{entry['step']}{'' if entry['kind'] == 'step' else ' done' if entry['ok'] else ' failed'}"
            driver = f"{kind} {max(0.0, time.time() - entry['at']):.0f} s ago: {entry['because']}"
        return (
            f"VMs {vms or 'none'}; nodes online {', '.join(nodes_online(seen)) or 'none'}; "
            f"{self._movable} answered from {newest_node(self._client.look(), self._movable) or 'nowhere'}; the driver's newest step: {driver}"
        )

    def _entry(self) -> dict[str, Any] | None:
        """The newest step or outcome in the driver's journal; None while there is none, or it can't be read just now."""
        words = "SELECT id, at, kind, data FROM entries WHERE kind IN ('step', 'outcome') ORDER BY id DESC LIMIT 1"
        with contextlib.suppress(sqlite3.Error, ValueError):
            if self._journal.exists():
                with contextlib.closing(sqlite3.connect(f"{self._journal.resolve().as_uri()}?mode=ro", uri=True, timeout=1)) as journal:
                    row = journal.execute(words).fetchone()
                return {**json.loads(row[3]), "id": row[0], "at": row[1], "kind": row[2]} if row else None
        return None
