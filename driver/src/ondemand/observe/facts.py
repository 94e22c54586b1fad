# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""The playbook observe's result (exchange formats, sections 4 and 5) as frozen values. Pure; a wrong shape is told with its path."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from ondemand.errors import ObserveError
from ondemand.model import ClusterState, Node, Observation, Verdict, Vm

T = TypeVar("T")
MISSING = object()
DISABLED = "disabled"
"""a service that somebody wants stopped: nothing about it is unfinished"""


def _at(data: Any, key: str, path: str, kind: type[T], default: Any = MISSING) -> T:
    if not isinstance(data, Mapping):
        raise ObserveError(f"observe handed back {path} as {type(data).__name__}, a mapping is right")
    value = data.get(key, MISSING)
    if value is MISSING or value is None:
        if default is MISSING:
            raise ObserveError(f"observe handed back no {path}.{key}")
        return default  # type: ignore[no-any-return]
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise ObserveError(f"observe handed back {path}.{key} as {type(value).__name__}, {kind.__name__} is right")
    return value


def _each(data: Any, key: str, path: str, make: Callable[[Any, str], T], default: Any = MISSING) -> tuple[T, ...]:
    entries = _at(data, key, path, list, default)
    return tuple(make(one, f"{path}.{key}[{i}]") for i, one in enumerate(entries))


def _text(data: Any, path: str) -> str:
    if not isinstance(data, str):
        raise ObserveError(f"observe handed back {path} as {type(data).__name__}, a text is right")
    return data


def _vm(data: Any, path: str) -> Vm:
    return Vm(
        name=_at(data, "name", path, str),
        host=_at(data, "host", path, str, ""),
        state=_at(data, "state", path, str, ""),
        vcpus=_at(data, "vcpus", path, int),
        memory_mib=_at(data, "memory_mib", path, int),
        address=_at(data, "address", path, str, ""),
    )


def _node(data: Any, path: str) -> Node:
    verdict = _at(data, "may_leave", path, dict)
    return Node(
        name=_at(data, "name", path, str),
        online=_at(data, "online", path, bool),
        standby=_at(data, "standby", path, bool),
        pending=_at(data, "pending", path, bool),
        unclean=_at(data, "unclean", path, bool),
        services=_each(data, "services", path, _text),
        resources=_each(data, "resources", path, _text),
        may_leave=Verdict(
            allowed=_at(verdict, "allowed", f"{path}.may_leave", bool),
            reason=_at(verdict, "reason", f"{path}.may_leave", str, ""),
            sentence=_at(verdict, "sentence", f"{path}.may_leave", str, ""),
        ),
        leaving=_at(data, "leaving", path, bool, False),
    )


def _cluster(data: Any, path: str) -> ClusterState:
    services = _at(data, "services", path, list)
    states = [
        (_at(one, "name", f"{path}.services[{i}]", str), _at(one, "state", f"{path}.services[{i}]", str)) for i, one in enumerate(services)
    ]
    failed = [
        (_at(one, "resource", f"{path}.failures[{i}]", str, ""), _at(one, "node", f"{path}.failures[{i}]", str, ""))
        for i, one in enumerate(_at(data, "failures", path, list, []))
    ]
    marks = [
        _at(one, "id", f"{path}.constraints[{i}]", str)
        for i, one in enumerate(_at(data, "constraints", path, list, []))
        if _at(one, "temporary", f"{path}.constraints[{i}]", bool, False)
    ]
    return ClusterState(
        quorate=_at(data, "quorate", path, bool),
        stable=_at(data, "stable", path, bool),
        nodes=_each(data, "nodes", path, _node),
        not_started=tuple(name for name, state in states if state not in ("started", DISABLED)),
        failures=tuple(failed),
        temporary=tuple(marks),
        leave_order=_each(data, "leave_order", path, _text, []),
    )


def _host_name(data: Any, path: str) -> str:
    return data if isinstance(data, str) else _at(data, "host", path, str)


def observation(facts: Mapping[str, Any], at: float) -> Observation:
    """An observation without signals. Raises ObserveError with the path of what is wrong."""
    state = facts.get("cluster")
    return Observation(
        at=at,
        vms=_each(facts, "vms", "ondemand", _vm),
        unreachable=_each(facts, "unreachable", "ondemand", _host_name, []),
        cluster=None if state is None else _cluster(state, "ondemand.cluster"),
    )
