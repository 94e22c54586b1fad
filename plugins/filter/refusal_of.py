# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The filter with which a rescue finds out what was refused."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError
from ansible_collections.ondemand.cluster.plugins.module_utils._contract import refusal


def refusal_of(result: t.Any) -> t.Optional[t.Dict[str, str]]:
    """The refusal that a failed task's result tells, or none."""
    if not isinstance(result, t.Mapping):
        raise AnsibleFilterError("refusal_of takes a task's result, a mapping such as ansible_failed_result")
    return refusal.refusal_of(result)


class FilterModule:
    """The filter of this file."""

    def filters(self) -> t.Dict[str, t.Callable[..., t.Any]]:
        """Name of the filter to its function."""
        return {"refusal_of": refusal_of}
