# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""One picture of a run over time: the load, the VMs and who carried the movable service, the latency, the actions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")

from matplotlib import pyplot  # the backend has to be chosen first
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from lab.checks.actions import Action
from lab.checks.run import Record, Run, Vm
from lab.workload.client_stats import percentile

SERVICE_COLOURS = ("#1f6fb2", "#d9822b", "#6a51a3", "#3b8a57")
STARTING, MEMBER, CARRIES, INK = "#cfd6dd", "#8db9de", "#d9822b", "#39424b"
WINDOW_S = 2.0
KEY: dict[str, Any] = {"framealpha": 1.0, "edgecolor": "white", "borderaxespad": 0.2}


@dataclass(frozen=True)
class Span:
    """A stretch of time, in seconds since the start."""

    begin_s: float
    end_s: float


def load_per_s(records: Sequence[Record], started_at: float, window_s: float = WINDOW_S) -> tuple[list[float], list[float]]:
    """Returns (times, transactions due per second), one value per window, windows without any included."""
    counts: dict[int, int] = defaultdict(int)
    for record in records:
        counts[int((record["due_at"] - started_at) // window_s)] += 1
    if not counts:
        return [], []
    windows = range(min(counts), max(counts) + 1)
    return [(one + 0.5) * window_s for one in windows], [counts[one] / window_s for one in windows]


def latency_ms(records: Sequence[Record], started_at: float, share: float, window_s: float = WINDOW_S) -> tuple[list[float], list[float]]:
    """Returns (times, the latency that `share` of a window's transactions stayed within, in milliseconds).

    A transaction counts in the window in which it was due; windows without acknowledged ones are left out.
    """
    windows: dict[int, list[float]] = defaultdict(list)
    for record in records:
        if record["acknowledged_at"] is not None:
            latency = (record["acknowledged_at"] - record["due_at"]) * 1000
            windows[int((record["due_at"] - started_at) // window_s)].append(latency)
    times = [(one + 0.5) * window_s for one in sorted(windows)]
    return times, [percentile(windows[one], share) or 0.0 for one in sorted(windows)]


def carried(run: Run, vm: Vm, service: str) -> list[Span]:
    """Returns the stretches in which the VM answered for a service that one node carries at a time."""
    spans: list[Span] = []
    previous = ""
    for record in run.acknowledged(service):
        at = record["acknowledged_at"] - run.started_at
        if record["node"] == vm.name and vm.was_there(record["acknowledged_at"]):
            if previous == vm.name and spans:
                spans[-1] = Span(spans[-1].begin_s, at)
            else:
                spans.append(Span(at, at))
        previous = record["node"]
    return spans


def draw(run: Run, vms: Sequence[Vm], actions: Sequence[Action], movable: str, path: Path) -> None:
    """Writes the picture as PNG to `path`; `movable` is the service that one node carries at a time."""
    end_s = max(1.0, run.ended_at - run.started_at)
    pyplot.rcParams.update({"font.size": 10, "axes.spines.top": False, "axes.spines.right": False, "text.color": INK})
    figure, panels = pyplot.subplots(
        3, 1, sharex=True, figsize=(12, 7.6), height_ratios=[1.1, 0.35 + 0.3 * max(len(vms), 2), 1.3], layout="constrained"
    )
    try:
        _draw_load(panels[0], run)
        _draw_vms(panels[1], run, vms, movable, end_s)
        _draw_latency(panels[2], run)
        panels[2].set_xlim(0, end_s * 1.01)
        _draw_actions(panels, run, actions)
        panels[2].set_xlabel("seconds since the start")
        figure.savefig(path, dpi=110)
    finally:
        pyplot.close(figure)


def _draw_load(axes: Axes, run: Run) -> None:
    for colour, service in zip(SERVICE_COLOURS, run.services(), strict=False):
        times, rates = load_per_s(run.transactions(service), run.started_at)
        axes.step(times, rates, where="mid", color=colour, label=service)
    axes.set_ylabel("load sent\n(transactions/s)")
    axes.set_ylim(bottom=0)
    if run.services():
        axes.legend(loc="upper right", ncols=4, **KEY)


def _draw_vms(axes: Axes, run: Run, vms: Sequence[Vm], movable: str, end_s: float) -> None:
    for row, vm in enumerate(vms):
        defined = vm.defined_at - run.started_at
        gone = end_s if vm.gone_at is None else vm.gone_at - run.started_at
        axes.barh(row, gone - defined, left=defined, height=0.62, color=STARTING)
        if vm.joined_at is not None:
            joined = vm.joined_at - run.started_at
            axes.barh(row, gone - joined, left=joined, height=0.62, color=MEMBER)
        for span in carried(run, vm, movable):
            axes.barh(row, max(span.end_s - span.begin_s, 0.2), left=span.begin_s, height=0.2, color=CARRIES)
    axes.set_yticks(range(len(vms)), [f"{vm.name} on {vm.host}\n{vm.memory_mib} MiB" for vm in vms])
    axes.set_ylim(len(vms) - 0.4, -0.6)
    key = [
        Patch(color=STARTING, label="VM starting"),
        Patch(color=MEMBER, label="member"),
        Patch(color=CARRIES, label=f"carries {movable}"),
    ]
    axes.legend(handles=key, loc="lower center", bbox_to_anchor=(0.5, 0.98), frameon=False, ncols=3)


def _draw_latency(axes: Axes, run: Run) -> None:
    for colour, service in zip(SERVICE_COLOURS, run.services(), strict=False):
        axes.plot(*latency_ms(run.transactions(service), run.started_at, 0.50), color=colour, linewidth=1.6)
        axes.plot(*latency_ms(run.transactions(service), run.started_at, 0.99), color=colour, linewidth=0.8, linestyle=":", marker=".")
    axes.set_yscale("log")
    axes.set_ylabel("latency (ms)")
    axes.grid(axis="y", which="major", color="#e4e8ec")
    key: list[Any] = [
        Line2D([], [], color=INK, label="half within"),
        Line2D([], [], color=INK, linestyle=":", marker=".", label="99 % within"),
    ]
    axes.legend(handles=key, loc="upper right", ncols=2, **KEY)


def _draw_actions(panels: Sequence[Axes], run: Run, actions: Sequence[Action]) -> None:
    width_s = panels[0].get_xlim()[1]
    last_begin, raised = -width_s, False
    for action in actions:
        begin = action.began_at - run.started_at
        end = begin if action.done_at is None else action.done_at - run.started_at
        for axes in panels:
            axes.axvline(begin, color=INK, linewidth=0.9, linestyle="--")
            axes.axvspan(begin, end, color=INK, alpha=0.05, linewidth=0, zorder=0)
        raised = begin - last_begin < 0.06 * width_s and not raised  # names of actions close together go on two levels
        last_begin = begin
        place: dict[str, Any] = {"xycoords": ("data", "axes fraction"), "textcoords": "offset points"}
        panels[0].annotate(action.kind, (begin, 1.0), xytext=(-2, 15 if raised else 2), fontweight="bold", **place)
