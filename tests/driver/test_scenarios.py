# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""Runs tests/scenarios/*.yml: policy, memory and observation in, decision and steps out. A new case is a new file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from ondemand.config.model import Cluster
from ondemand.decide.decide import decide
from ondemand.memory import Memory
from ondemand.model import Cause, Decision, Node, Observation, Plan, Refusal, Signal, StepKind, Verdict, Vm
from ondemand.plan.plan import plan
from tests.driver.values import cluster, observation

FILES = sorted((Path(__file__).resolve().parents[1] / "scenarios").glob("*.yml"))
KEYS = {"cluster", "memory", "nodes", "vms", "state", "looks", "decision", "wanted", "because", "plan", "why"}


def node_of(data: dict[str, Any]) -> Node:
    """A node of a scenario; `leave: REASON` is a verdict that says no."""
    more = {key: data[key] for key in ("online", "standby", "pending", "unclean", "leaving", "joining") if key in data}
    verdict = Verdict(False, data["leave"], f"{data['name']} must not leave") if "leave" in data else Verdict(True)
    services = tuple(data.get("services", ()))
    return Node(data["name"], services=services, resources=(*services, *data.get("resources", ())), may_leave=verdict, **more)


def vm_of(data: dict[str, Any]) -> Vm:
    """A VM of a scenario, of the demo's size unless it says otherwise."""
    return Vm(data["name"], data.get("host", "hv1"), data.get("state", "running"), data.get("vcpus", 1), data.get("memory_mib", 640))


def observations(case: dict[str, Any]) -> list[Observation]:
    """One observation per look: the same cluster, other signals."""
    nodes = [node_of(one) for one in case.get("nodes", [])]
    vms = [vm_of(one) for one in case["vms"]] if "vms" in case else None
    state = {
        key: tuple(map(tuple, value)) if key == "failures" else tuple(value) if isinstance(value, list) else value
        for key, value in case.get("state", {}).items()
    }
    made = []
    for look in case["looks"]:
        signals = {}
        for name, one in look.get("signals", {}).items():
            nodes_of = tuple(one.get("nodes", [each.name for each in nodes if not each.standby]))
            signals[name] = Signal(float(one["value"]), "", look["at"] - one.get("age", 0), nodes_of)
        made.append(replace(observation(nodes, vms, float(look["at"]), signals, **state), busy_s=float(look.get("busy_s", 0))))
    return made


def run(case: dict[str, Any]) -> tuple[Decision, Memory, Plan | Refusal]:
    """Decides once per look, plans after the last one."""
    assert set(case) <= KEYS, set(case) - KEYS
    made: Cluster = cluster(case.get("cluster"))
    given = dict(case.get("memory", {}))
    if "unfinished" in given:
        given["unfinished"] = StepKind(given["unfinished"])
    if "cause" in given:
        given["cause"] = Cause(given["cause"])
    memory = Memory(**given)
    for seen in observations(case):
        decision, memory = decide(seen, made.requirement, made.scaling, memory, seen.at)
    found = plan(seen, memory.wanted or 0, made, memory.because, memory.unfinished, memory.barred, memory.waited(seen.at), memory.held)
    return decision, memory, found


@pytest.mark.parametrize("path", FILES, ids=[one.stem for one in FILES])
def test_scenario(path: Path) -> None:
    case = yaml.safe_load(path.read_text())
    decision, memory, found = run(case)
    assert (decision.kind.value, memory.wanted) == (case["decision"], case["wanted"]), decision
    assert case["because"] in decision.because
    expected = case["plan"]
    if isinstance(expected, dict):
        assert isinstance(found, Refusal), found
        assert found.reason.value == expected["refused"]
        assert found.sentence.strip()
    else:
        assert isinstance(found, Plan), found
        assert case.get("why", "") in found.because
        assert [{one.kind.value: dict(one.variables)} for one in found.steps] == expected
        assert all(one.because and one.deadline_s > 0 and one.expected for one in found.steps)


def test_there_are_scenarios() -> None:
    assert len(FILES) >= 30
