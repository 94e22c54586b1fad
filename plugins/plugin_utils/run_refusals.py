# Copyright: (c) 2026, the ondemand.cluster contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run refuses, from the results of failed tasks; see run_account. Pure."""

from __future__ import annotations

import typing as t

from ansible_collections.ondemand.cluster.plugins.module_utils._contract import refusal

Data = t.Mapping[str, t.Any]


def why(failed: Data, reason: str, sentence: str = "%s") -> Data:
    """The refusal that a failed task's result tells; where it failed otherwise, one of this reason, with its message in the sentence."""
    return refusal.refusal_of(failed) or {"reason": reason, "sentence": sentence % (failed.get("msg") or "no reason was given")}


def once(*told: t.Sequence[Data]) -> list[Data]:
    """The refusals of several, each only once."""
    found: list[Data] = []
    for one in (one for refusals in told for one in refusals):
        if one not in found:
            found.append(one)
    return found
