# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""What a run left behind that belongs to no VM of the cluster: read back from the hosts, the cluster and the state directory. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Standing:
    """What stands at the end: per host the names of its domains and the files in its pool, and the lines of known_hosts.

    `cluster` is the view of `observe`, None where the cluster was destroyed. `jobs` are the command lines of processes of
    playbooks that run on, though nothing is to be done any more.
    """

    domains: Mapping[str, Sequence[str]]
    files: Mapping[str, Sequence[str]]
    known_hosts: Sequence[str]
    cluster: Mapping[str, Any] | None
    jobs: Sequence[str]


def leftovers(name: str, standing: Standing) -> list[str]:
    """Returns a sentence for everything of the cluster `name` that no member needs; empty when there is nothing."""
    cluster = standing.cluster or {"nodes": [], "constraints": []}
    members = {node["name"]: node["address"] for node in cluster["nodes"] if node["online"]}
    found = []
    for host, domains in standing.domains.items():
        found += [f"the domain {one} on {host} is no member" for one in domains if one.startswith(f"{name}-") and one not in members]
        found += [f"the lease {one} is left on {host}" for one in domains if one == f"ondemand-lease-{name}"]
    for host, files in standing.files.items():
        own = {f"{vm}{end}" for vm in standing.domains[host] if vm in members for end in (".qcow2", "-seed.iso")}
        found += [f"the file {one} on {host} belongs to no member's VM" for one in files if one.startswith(f"{name}-") and one not in own]
    pinned = [line.split()[0].split(",")[0] for line in standing.known_hosts if line.strip()]
    found += [f"known_hosts has a line for {one}, which is no member" for one in pinned if one not in {*members, *members.values()}]
    found += [f"known_hosts has {pinned.count(one)} lines for {one}" for one in sorted(set(pinned)) if pinned.count(one) > 1]
    found += [f"the constraint {one['id']} is left" for one in cluster["constraints"] if one["temporary"]]
    found += [f"{node['name']} is in standby" for node in cluster["nodes"] if node["standby"]]
    found += [f"{node['name']} is listed and not online" for node in cluster["nodes"] if not node["online"]]
    found += [f"a playbook's process runs on: {command}" for command in standing.jobs]
    return found
