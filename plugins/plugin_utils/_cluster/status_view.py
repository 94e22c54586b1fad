# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors

"""The cluster's status as the JSON that cluster_info returns (docs/exchange-formats.md, section 4). Pure."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Dict, Optional

from ...module_utils._contract.refusal import Refusal
from . import lease
from .change_rules import may_change
from .leave_rules import leave_order, may_leave
from .status import SPREAD, TEMPORARY_PREFIXES, Member, Service, Status
from .withheld import withheld


def view(status: Status, min_nodes: int = 1) -> Dict[str, Any]:
    """min_nodes: how many nodes have to stay online, for the verdict beside every node."""
    held = lease.in_cib(status.cib)
    return {
        "name": status.cluster,
        "quorate": status.quorate,
        "dc": status.dc,
        "stable": status.idle and not any(member.pending for member in status.members),
        "votes": {"expected": status.votes.expected, "total": status.votes.total, "needed": status.votes.needed},
        "two_node": status.votes.two_node,
        "may_change": _verdict(may_change(status), "%s may be changed." % status.cluster),
        "nodes": [_node(status, member, min_nodes) for member in status.members],
        "services": [_service(service) for service in status.services],
        "failures": list(status.failures),
        "constraints": [{"id": name, "temporary": name.startswith(TEMPORARY_PREFIXES)} for name in status.constraints],
        "leave_order": leave_order(status),
        "lease": asdict(held) if held else None,
        "withheld": [{"name": name, "address": address} for name, address in (withheld(status.conf) if status.conf else ())],
    }


def _node(status: Status, member: Member, min_nodes: int) -> Dict[str, Any]:
    resources = [resource.id for service in status.services for resource in service.resources if member.name in resource.nodes]
    return {
        "name": member.name,
        "id": member.id,
        "address": member.address,
        "online": member.online,
        "standby": member.standby,
        "pending": member.pending,
        "unclean": member.unclean,
        "leaving": member.leaving,
        "joining": member.joining,
        "host": member.host,
        "services": status.movable_on(member.name),
        "resources": resources,
        "may_leave": _verdict(may_leave(status, member.name, min_nodes), "%s may leave." % member.name),
    }


def _verdict(refusal: Optional[Refusal], yes: str) -> Dict[str, Any]:
    return {
        "allowed": refusal is None,
        "reason": refusal.reason if refusal else None,
        "sentence": refusal.sentence if refusal else yes,
    }


def _service(service: Service) -> Dict[str, Any]:
    return {
        "name": service.name,
        "kind": service.kind,
        "state": service.state,
        "node": service.nodes[0] if service.kind not in SPREAD and service.nodes else None,
        "nodes": list(service.nodes),
        "resources": [
            {
                "id": resource.id,
                "agent": resource.agent,
                "node": resource.nodes[0] if resource.nodes else None,
                "role": resource.role,
                "failed": resource.failed,
            }
            for resource in service.resources
        ],
    }
