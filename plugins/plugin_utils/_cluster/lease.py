# Copyright: (c) 2026, the ondemand.cluster contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One at a time: the lease of a cluster, which whoever changes it holds. Its place in the CIB, the fixed scripts, their reading. Pure.

The lease is one value in the CIB: token, end, begin, holder and purpose. It is made once and never removed; each taking, renewal and
giving back replaces the value as it was read (compare and swap: Pacemaker applies such requests one after another, on all members alike).
A given back lease keeps its last token. So a run that was paused for so long that somebody else acted meanwhile is told so, and
one that was not may go on. Times are seconds since the epoch by the clock of the member that was asked. Clocks that differ make somebody
wait longer, or act on a lease that another one takes over: whose token is no longer the last one is refused at its next change.
"""

from __future__ import annotations

import dataclasses
import typing as t
from urllib.parse import quote, unquote
from xml.etree import ElementTree

from ...module_utils._contract.refusal import Refusal
from .node_scripts import script

ID = "ondemand-lease"
_READABLE = "@:.-_/"

NONE_YET = 105

TAKE = script("take_lease")

GUARD = script("guard_lease")
KEEP = script("keep_lease")
BEGUN = 67
REFUSED = 69
_MARK = "ondemand-lease "


@dataclasses.dataclass(frozen=True)
class Lease:
    """The lease as a CIB has it: the last token, until when it is held (0: given back) and since when, by whom and for what."""

    token: str
    until: int
    since: int
    holder: str
    purpose: str

    def held(self, now: float) -> bool:
        """Is it held at this time of the member's clock?"""
        return self.until > now

    def result(self, now: float) -> dict[str, t.Any]:
        """The lease as cluster_info and cluster_lease tell it."""
        return {**dataclasses.asdict(self), "held": self.held(now)}


def parse_lease(value: str) -> Lease | None:
    """The lease of a value in the CIB; None where there is none, or where somebody wrote something else there."""
    words = value.split(" ")
    if len(words) != 5 or not (words[1].isdigit() and words[2].isdigit()):
        return None
    return Lease(words[0], int(words[1]), int(words[2]), unquote(words[3]), unquote(words[4]))


def in_cib(cib: ElementTree.Element | None) -> Lease | None:
    """The lease that a whole CIB holds."""
    pair = None if cib is None else cib.find("configuration/crm_config/cluster_property_set/nvpair[@id='%s']" % ID)
    return None if pair is None else parse_lease(pair.get("value", ""))


def parse_taken(stdout: str) -> tuple[int, str]:
    """What TAKE printed: the clock and the value. Raises ValueError where it printed something else."""
    words = (stdout.strip().splitlines() or [""])[-1].split(" ", 1)
    return int(words[0]), words[1].strip() if len(words) > 1 else ""


def quoted(text: str) -> str:
    """A holder or a purpose as one word that XML, XPath and the shell take as it is."""
    return quote(text, safe=_READABLE) or "-"


def why_refused(stderr: str) -> Refusal | None:
    """The refusal that GUARD told; None where something else failed."""
    line = next((one for one in stderr.splitlines() if one.startswith(_MARK)), None)
    if line is None:
        return None
    _mark, what, clock, *value = line.split(" ", 3)
    lease = parse_lease(value[0] if value else "")
    if what == "held" and lease:
        return held_by(lease, float(clock))
    if lease:
        sentence = "The lease of this run was taken over by %s for %s %s ago. Run it again: it looks at the cluster anew."
        return Refusal("held", sentence % (lease.holder, lease.purpose, _ago(float(clock) - lease.since)))
    return Refusal("held", "The cluster knows nothing of the lease of this run. Run it again: it looks at the cluster anew.")


def held_by(lease: Lease, now: float, waited_s: float = 0) -> Refusal:
    """The refusal for whoever comes second."""
    waited = " (waited %d s for it)" % waited_s if waited_s >= 1 else ""
    sentence = "The cluster is being changed by %s: %s, begun %s ago%s. Run it again when that has ended; should it have died, in %d s at the latest."
    return Refusal("held", sentence % (lease.holder, lease.purpose, _ago(now - lease.since), waited, max(1, lease.until - now)))


def _ago(seconds: float) -> str:
    return "%d s" % seconds if seconds < 120 else "%d min" % (seconds / 60)
