# Copyright: (c) 2026, the ondemand.cluster contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filters with which the playbooks decide who joins, who leaves, and what becomes of who is lost."""

from __future__ import annotations

import typing as t

from ansible_collections.ondemand.cluster.plugins.module_utils._cluster.draining import drained
from ansible_collections.ondemand.cluster.plugins.module_utils._cluster.recovery import (
    clashing,
    in_state,
    powered_off,
    recovery,
    running,
    unseen,
    vanished,
    withheld_from_new,
)
from ansible_collections.ondemand.cluster.plugins.module_utils._cluster.scaling import (
    growth,
    shrinkage,
    unconfigurable,
    unreachable_refusals,
    wanted_refusals,
)


class FilterModule:
    """Filters on the data of vm_info, placement and cluster_info."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Name of the filter to its function."""
        functions = (
            *(clashing, drained, growth, in_state, powered_off, recovery, running, shrinkage),
            *(unconfigurable, unreachable_refusals, unseen, vanished, wanted_refusals, withheld_from_new),
        )
        return {function.__name__: function for function in functions}
