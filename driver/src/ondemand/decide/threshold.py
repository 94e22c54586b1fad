# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""One threshold policy over one signal: is it breached, since when, and for how many nodes does that ask?"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from ondemand.config.model import Policy, ScaleIn, Scaling
from ondemand.memory import Window
from ondemand.model import Signal

PER_NODE = ("vm.cpu", "lb.rate_per_node")
"""signals whose value falls when the same work is spread over more nodes"""


@dataclass(frozen=True)
class Vote:
    """A policy's word. `target` is the number of nodes that it asks for or allows; None: it can't say."""

    policy: str
    target: int | None
    code: str
    because: str
    breach_at: float | None = None


def stale_after_s(scaling: Scaling) -> float:
    """A sample older than three looks (and two seconds for the look itself) says nothing any more."""
    return 3 * scaling.every_s + 2


def why_unusable(name: str, signal: Signal | None, now: float, stale_s: float) -> str | None:
    """Why a signal can't be used, or None. Missing is not zero, and neither is a number that is none."""
    if signal is None:
        return f"there is no sample of {name}"
    if not math.isfinite(signal.value) or signal.value < 0:
        return f"the sample of {name}, {signal.value}, is no usable number"
    if name in PER_NODE and not signal.nodes:
        return f"the sample of {name} covers no node"
    if not math.isfinite(signal.at) or signal.at > now + 1:
        return f"the sample of {name} claims to be from the future"
    if now - signal.at > stale_s:
        return f"the newest sample of {name} is {now - signal.at:.0f} s old, more than {stale_s:g} s"
    return None


def window_key(policy: Policy, side: str) -> str:
    """What a window is kept under. Another signal or threshold is another condition, also under the name of a former policy."""
    return f"{policy.name}.{side}.{policy.signal}.{policy.above if side == 'above' else policy.below:g}"


def windows_after(
    policy: Policy,
    signal: Signal | None,
    windows: Mapping[str, Window],
    now: float,
    stale_s: float,
    busy_s: float,
) -> dict[str, Window]:
    """The policy's windows with this sample; None: there is none that can be used.

    A gap must never lead to a removal: without a usable sample, or after more than `stale_s` without one, `below` begins anew. A gap
    should not delay a growth: `above` goes on over one that is four times as long, for example while a host is slow to answer.
    What the driver itself spent observing or acting, `busy_s`, is no gap of the load's: a look takes longer than `stale_s` where VMs are
    slow, comes every minute, and would let no window below ever last. Rates and CPU shares after it are means over the whole of it.
    """
    kept = {}
    for side, longest_s in (("above", 4 * stale_s + busy_s), ("below", stale_s + busy_s)):
        key = window_key(policy, side)
        old = windows.get(key)
        if signal is not None:
            held = signal.value > policy.above if side == "above" else signal.value < policy.below
            if held:
                goes_on = old if old and old.since <= signal.at and signal.at - old.seen_at <= longest_s else None
                kept[key] = Window(goes_on.since if goes_on else signal.at, signal.at)
        elif side == "above" and old and 0 <= now - old.seen_at <= longest_s:
            kept[key] = old
    return kept


def vote(
    policy: Policy,
    scaling: Scaling,
    signal: Signal | None,
    unusable: str | None,
    windows: Mapping[str, Window],
    wanted: int,
    aside: int,
) -> Vote:
    """What the policy asks for, given its windows up to now; `unusable`: why there is no signal.

    `aside`: how many of the wanted nodes carry nothing (standby).
    """
    if signal is None:
        return Vote(policy.name, None, "no_data", f"policy {policy.name} can't tell: {unusable}")
    words = f"{policy.signal} {_number(signal.value)}{_unit(signal.unit)}"
    above, below = (windows.get(window_key(policy, side)) for side in ("above", "below"))
    if above:
        return _settled(
            policy, "above", above, signal, scaling.scale_out.after_s, words, _more(policy, scaling, signal, wanted, aside), wanted
        )
    if below:
        return _settled(
            policy, "below", below, signal, scaling.scale_in.after_s, words, _fewer(policy, scaling.scale_in, signal, wanted, aside), wanted
        )
    return Vote(policy.name, wanted, "between", f"{words} lies between {_number(policy.below)} and {_number(policy.above)}")


def _settled(
    policy: Policy, side: str, window: Window, signal: Signal, after_s: float, words: str, target: tuple[int, str], wanted: int
) -> Vote:
    limit = policy.above if side == "above" else policy.below
    lasted = signal.at - window.since
    told = f"{words} is {side} {_number(limit)} for {lasted:.0f} s"
    if lasted < after_s:
        return Vote(policy.name, wanted, f"{side}_soon", f"{told}, and {after_s:g} s are asked for", window.since)
    count, note = target
    return Vote(policy.name, count, side if count != wanted else f"{side}_but", told + note, window.since)


def _more(policy: Policy, scaling: Scaling, signal: Signal, wanted: int, aside: int) -> tuple[int, str]:
    """At least one node more; for a value per node as many as bring it to the threshold, within most_at_once.

    Formula: needed = ceil(value x nodes measured / above) + nodes in standby.
    """
    most = wanted + scaling.scale_out.most_at_once
    needed = wanted + 1
    if policy.signal in PER_NODE:
        carried = min(signal.value * len(signal.nodes) / policy.above, most)
        needed = max(needed, math.ceil(carried) + aside)
    return min(needed, most), ""


def _fewer(policy: Policy, scale_in: ScaleIn, signal: Signal, wanted: int, aside: int) -> tuple[int, str]:
    """As few as most_at_once allows without breaching `above` at once: value x nodes measured / fewer must stay below it.

    Those aside (in standby by a person's wish) stay, so the fewer are fewer of the others, of which at least one remains.
    """
    if aside and wanted <= 1 + aside:
        return wanted, f", but {aside} of {wanted} nodes are in standby by somebody's hand, and one has to serve"
    if policy.signal not in PER_NODE or wanted <= 1:
        return max(1 + aside if aside else 0, wanted - scale_in.most_at_once), ""
    work = signal.value * len(signal.nodes)
    for count in range(max(1 + aside, wanted - scale_in.most_at_once), wanted):
        if work / (count - aside) < policy.above:
            return count, ""
    after = _number(work / (wanted - 1 - aside))
    return wanted, f", but with {wanted - 1} nodes it would be {after}, not below {_number(policy.above)}"


def _number(value: float) -> str:
    return f"{value:.3g}" if value < 999.5 else f"{value:.0f}"


def _unit(unit: str) -> str:
    return f" {unit}" if unit else ""
