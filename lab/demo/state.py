# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""What the demo knows while it runs: its files, its own notes, and the newest words of the witness and the client."""

from __future__ import annotations

import contextlib
import copy
import hashlib
import json
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml


def read_lines(path: Path) -> list[dict[str, Any]]:
    """Returns the records of a file of JSON lines; a last line that is still being written is left out."""
    if not path.exists():
        return []
    whole, _, _ = path.read_text(encoding="utf-8", errors="replace").rpartition("\n")
    return records_of(whole.splitlines())


def records_of(lines: Sequence[str | bytes]) -> list[dict[str, Any]]:
    """Returns the lines' records; one that is no record (a full disk cuts lines in the middle) is left out."""
    found = []
    for line in lines:
        with contextlib.suppress(ValueError):
            record = json.loads(line)
            found += [record] if isinstance(record, dict) else []
    return found


class Tail:
    """The records of a growing file of JSON lines; each look reads only what is new."""

    def __init__(self, path: Path) -> None:
        self._path, self._offset = path, 0
        self.records: list[dict[str, Any]] = []

    def look(self) -> list[dict[str, Any]]:
        """Returns all records so far."""
        if self._path.exists():
            with self._path.open("rb") as file:
                file.seek(self._offset)
                whole, newline, _ = file.read().rpartition(b"\n")
            self._offset += len(whole) + len(newline)
            self.records += records_of(whole.splitlines())
        return self.records


class Notes:
    """The demo's own notes, {at, what, ...}: what it did and when; kept in a file for later."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.records: list[dict[str, Any]] = []

    def has(self, what: str) -> bool:
        """Whether there is a note of that kind."""
        return any(record["what"] == what for record in self.records)

    def add(self, what: str, **facts: Any) -> float:
        """Writes a note; returns its time (epoch seconds)."""
        record = {"at": time.time(), "what": what, **facts}
        self.records.append(record)
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(record) + "\n")
        return float(record["at"])


def vms_present(witness: Sequence[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Returns {UUID: facts} of the VMs that libvirt showed last."""
    present: dict[str, dict[str, Any]] = {}
    for record in witness:
        if record["kind"] == "vm":
            if record["event"] == "gone":
                present.pop(record["uuid"], None)
            else:
                present[record["uuid"]] = {**present.get(record["uuid"], {}), **record}
    return present


def nodes_online(witness: Sequence[dict[str, Any]]) -> list[str]:
    """Returns the nodes that were online in the newest read-back of the cluster."""
    newest = next((record for record in reversed(witness) if record["kind"] == "cluster"), None)
    return [] if newest is None else sorted(name for name, state in newest["nodes"].items() if state == "online")


def answering(client: Sequence[dict[str, Any]], service: str, since: float) -> set[str]:
    """Returns the nodes whose answers to the service's clients came at or after `since`."""
    return {
        record["node"]
        for record in client
        if record["kind"] == "transaction" and record["service"] == service and (record["acknowledged_at"] or 0) >= since
    }


def newest_node(client: Sequence[dict[str, Any]], service: str) -> str | None:
    """Returns the node that answered the service's last acknowledged transaction."""
    answers = [r for r in client if r["kind"] == "transaction" and r["service"] == service and r["acknowledged_at"]]
    return max(answers, key=lambda record: record["acknowledged_at"])["node"] if answers else None


def set_stats_of(output: str) -> dict[str, Any]:
    """Returns the key `ondemand` that a playbook handed back, from its output with custom statistics shown."""
    told = [line.strip() for line in output.splitlines() if line.strip().startswith("RUN: ")]
    return dict(json.loads(told[-1].removeprefix("RUN: "))["ondemand"])


def with_size(document: dict[str, Any], memory_mib: int) -> dict[str, Any]:
    """Returns the cluster file with another memory size of a node stated."""
    changed = copy.deepcopy(document)
    changed["cluster"]["requirement"]["size"]["memory_mib"] = memory_mib
    return changed


def summarize_requirement(document: dict[str, Any]) -> str:
    """Returns the requirement in a few words."""
    requirement, services = document["cluster"]["requirement"], document["cluster"]["services"]
    nodes, size = requirement["nodes"], requirement["size"]
    names = ", ".join(f"{one['name']} ({one['kind']})" for one in services)
    return f"{nodes['min']} to {nodes['max']} nodes of {size['vcpus']} vCPU and {size['memory_mib']} MiB, services {names}"


def stated_services(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Returns {NAME: {kind, address, resources}}: what the requirement means in Pacemaker, by the ids that the collection gives."""
    found = {}
    for one in document["cluster"]["services"]:
        own = ["haproxy", one["name"]] if one["kind"] == "balanced" else [member["name"] for member in one["group"]]
        resources = [*own, f"{one['name']}-address"]
        found[one["name"]] = {"kind": one["kind"], "address": f"{one['address']}:{one['port']}", "resources": resources}
    return found


def write_cluster_file(path: Path, document: dict[str, Any]) -> str:
    """Replaces the demo's cluster file in one step, so that nobody reads half of it; returns its SHA-256."""
    text = "# Written by script/demo from examples/demo.yml.\n" + yaml.safe_dump(document, sort_keys=False)
    aside = path.with_suffix(".new")
    aside.write_text(text, encoding="utf-8")
    os.replace(aside, path)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def write_rates(path: Path, rates: dict[str, float]) -> None:
    """Replaces the client's control file in one step."""
    aside = path.with_suffix(".new")
    aside.write_text(json.dumps(rates), encoding="utf-8")
    os.replace(aside, path)
