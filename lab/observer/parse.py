# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""What the witness reads, as plain values. Pure: text in, dicts out; raises ValueError with a sentence."""

from __future__ import annotations

import csv
import io
from typing import Any
from xml.etree import ElementTree

NAMESPACE = "urn:ondemand:cluster:vm:1"
OWNER = "ondemand.cluster"
UNITS_KIB = {"KiB": 1, "k": 1, "KB": 1000 / 1024, "MiB": 1024, "M": 1024, "GiB": 1024 * 1024, "G": 1024 * 1024}


def parse_domain(xml: str, cluster: str) -> dict[str, Any] | None:
    """Reads a domain's XML. Returns its facts (memory in MiB), or None when it is not a VM of `cluster`."""
    root = _tree(xml, "the domain's XML")
    mark = root.find(f"./metadata/{{{NAMESPACE}}}vm")
    if mark is None or mark.get("owner") != OWNER or mark.get("cluster") != cluster:
        return None
    memory = root.find("./currentMemory")
    memory = memory if memory is not None else root.find("./memory")
    vcpu = root.find("./vcpu")
    kib = 0.0 if memory is None else float(memory.text or 0) * UNITS_KIB[memory.get("unit", "KiB")]
    return {
        "name": root.findtext("./name", ""),
        "uuid": root.findtext("./uuid", ""),
        "address": mark.get("address"),
        "generation": mark.get("generation"),
        "image": mark.get("image"),
        "memory_mib": round(kib / 1024),
        "vcpus": 0 if vcpu is None else int(vcpu.get("current") or vcpu.text or 0),
    }


def parse_crm_mon(xml: str) -> dict[str, Any]:
    """Reads `crm_mon --output-as=xml`. Returns {dc, quorate, nodes: {name: state}, resources: {id: [nodes]}}.

    A node's state is online, standby, pending, unclean or offline. A resource counts as running on a node when it is
    active, Started and neither failed nor in the middle of something; a clone's copies share one id.
    """
    root = _tree(xml, "the output of crm_mon")
    dc = root.find("./summary/current_dc")
    if dc is None:
        raise ValueError("the output of crm_mon has no summary/current_dc")
    nodes = {node.get("name", ""): _node_state(node) for node in root.findall("./nodes/node")}
    resources: dict[str, set[str]] = {}
    for resource in root.iter("resource"):
        if "resource_agent" not in resource.attrib:
            continue  # a line of the operation history or of a ban, not a state
        running = resources.setdefault(resource.get("id", "").split(":")[0], set())
        settled = resource.get("failed") != "true" and not resource.get("pending")
        if settled and resource.get("active") == "true" and resource.get("role") in ("Started", "Promoted"):
            running.update(node.get("name", "") for node in resource.findall("./node"))
    return {
        "dc": dc.get("name"),
        "quorate": dc.get("with_quorum") == "true",
        "nodes": nodes,
        "resources": {one: sorted(where) for one, where in sorted(resources.items())},
    }


def _node_state(node: ElementTree.Element) -> str:
    for state in ("unclean", "pending", "standby"):
        if node.get(state) == "true":
            return state
    return "online" if node.get("online") == "true" else "offline"


def parse_balancer(text: str) -> dict[str, Any]:
    """Reads HAProxy's CSV statistics. Returns {servers: {PROXY/SERVER: status}, requests: {FRONTEND: total}}.

    Servers in maintenance are free slots: they are left out.
    """
    if not text.startswith("# pxname,svname,"):
        raise ValueError("the answer is not HAProxy's CSV statistics")
    servers: dict[str, str] = {}
    requests: dict[str, int] = {}
    for row in csv.DictReader(io.StringIO(text[2:])):
        if row["svname"] == "FRONTEND":
            requests[row["pxname"]] = int(row.get("req_tot") or 0)
        elif row["svname"] != "BACKEND" and not row["status"].startswith("MAINT"):
            servers[f"{row['pxname']}/{row['svname']}"] = row["status"]
    return {"servers": servers, "requests": requests}


# One trip reads what a member says of itself. The text is fixed: no value ever goes into it.
MEMBER_SCRIPT = """
echo '== packages'; dpkg-query -W -f '${Package} ${Version}\\n' corosync pacemaker haproxy
echo '== config'; sha256sum < /etc/corosync/corosync.conf
echo '== units'; systemctl show -p Id -p ActiveState -p ActiveEnterTimestampMonotonic corosync.service pacemaker.service
echo '== partition'; crm_node -p
"""


def parse_member(text: str) -> dict[str, Any]:
    """Reads MEMBER_SCRIPT's output. Returns {packages, config_sha256, states, started_us, partition}.

    `states` has each daemon's unit as systemd sees it now (active, failed, ...), `started_us` when it last became active, in
    microseconds of that VM's monotonic clock: that stays when it ends.
    """
    parts: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in text.splitlines():
        if line.startswith("== "):
            lines = parts.setdefault(line[3:], [])
        elif line.strip():
            lines.append(line.strip())
    missing = {"packages", "config", "units", "partition"} - set(parts)
    if missing or not parts["config"]:
        raise ValueError(f"the member's answer lacks {', '.join(sorted(missing)) or 'the checksum'}")
    started: dict[str, int] = {}
    states: dict[str, str] = {}
    unit: dict[str, str] = {}
    for line in parts["units"]:
        key, _, value = line.partition("=")
        unit[key] = value
        if len(unit) == 3:
            name = unit["Id"].removesuffix(".service")
            started[name], states[name] = int(unit["ActiveEnterTimestampMonotonic"] or 0), unit["ActiveState"]
            unit = {}
    return {
        "packages": dict(words for line in parts["packages"] if len(words := line.split(" ")) == 2),
        "config_sha256": parts["config"][0].split()[0],
        "states": states,
        "started_us": started,
        "partition": sorted(" ".join(parts["partition"]).split()),
    }


def _tree(xml: str, what: str) -> ElementTree.Element:
    try:
        return ElementTree.fromstring(xml)
    except ElementTree.ParseError as error:
        raise ValueError(f"{what} is not XML: {error}") from None
