# Copyright: (c) 2026, the ondemand.cluster contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filters by which the playbooks keep what a run knows. What they decide is decided in plugin_utils/run_account.py."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError
from ansible_collections.ondemand.cluster.plugins.module_utils._contract.refusal import refusals_in
from ansible_collections.ondemand.cluster.plugins.plugin_utils import run_account


def after(run: t.Mapping[str, t.Any], event: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """What a run knows after an event."""
    try:
        return run_account.after(run, event)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise AnsibleFilterError(f"after takes what a run knows and one event of it ({', '.join(event)}): {error!r}") from error


def failed_but_for(result: t.Mapping[str, t.Any], reasons: t.Sequence[str]) -> bool:
    """Whether a task failed otherwise than by a refusal for one of the reasons; of a loop, whether any of its items did."""
    failed = [one for one in result.get("results") or [result] if one.get("failed") or one.get("unreachable")]
    told = [{refusal["reason"] for refusal in refusals_in(one)} for one in failed]
    return any(not why or why - set(reasons) for why in told)


class FilterModule:
    """Filters on what a run knows and on results of tasks."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Name of the filter to its function."""
        return {"after": after, "failed_but_for": failed_but_for}
