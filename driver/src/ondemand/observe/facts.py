# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""The playbook observe's result as frozen values. Pure; what is not as wall.py declares it is told, all of it, and nothing is guessed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ondemand import wall
from ondemand.errors import ObserveError
from ondemand.model import ClusterState, Node, Observation, Verdict, Vm

DISABLED = "disabled"
"""a service that somebody wants stopped: nothing about it is unfinished"""


def _vm(data: Mapping[str, Any]) -> Vm:
    # A VM that is half made may have no address yet: null is libvirt's word, not a missing key.
    return Vm(data["name"], data["host"], data["state"], data["vcpus"], data["memory_mib"], data["address"] or "")


def _verdict(data: Mapping[str, Any]) -> Verdict:
    return Verdict(data["allowed"], data["reason"] or "", data["sentence"])


def _node(data: Mapping[str, Any]) -> Node:
    return Node(
        name=data["name"],
        online=data["online"],
        standby=data["standby"],
        pending=data["pending"],
        unclean=data["unclean"],
        services=tuple(data["services"]),
        resources=tuple(data["resources"]),
        may_leave=_verdict(data["may_leave"]),
        leaving=data["leaving"],
        joining=data["joining"],
    )


def _cluster(data: Mapping[str, Any]) -> ClusterState:
    return ClusterState(
        quorate=data["quorate"],
        may_change=_verdict(data["may_change"]),
        stable=data["stable"],
        nodes=tuple(_node(one) for one in data["nodes"]),
        not_started=tuple(one["name"] for one in data["services"] if one["state"] not in ("started", DISABLED)),
        failures=tuple((one["resource"], one["node"]) for one in data["failures"]),
        temporary=tuple(one["id"] for one in data["constraints"] if one["temporary"]),
        leave_order=tuple(data["leave_order"]),
        withheld=tuple(one["name"] for one in data["withheld"]),
    )


def observation(facts: Any, at: float) -> Observation:
    """An observation without signals. Raises ObserveError with the path of everything that is missing or wrong."""
    wrong = wall.problems("observe", facts)
    if wrong:
        raise ObserveError(wall.complaint("observe", wrong))
    state = facts["cluster"]
    return Observation(
        at=at,
        vms=tuple(_vm(one) for one in facts["vms"]),
        unreachable=tuple(one["host"] for one in facts["unreachable"]),
        seen_twice=tuple(one["because"] for one in facts["seen_twice"]),
        cluster=None if state is None else _cluster(state),
    )
