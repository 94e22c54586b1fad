# Copyright: (c) 2026, the ondemand.cluster contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter by which the role image describes what it has built. See plugin_utils/image_plan.py."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError
from ansible_collections.ondemand.cluster.plugins.plugin_utils import image_plan


def image_manifest(
    plan: t.Mapping[str, t.Any], contents: t.Sequence[str], sha256: str, seen: t.Sequence[t.Mapping[str, t.Any]]
) -> dict[str, t.Any]:
    """The manifest of an image that was built by a plan."""
    try:
        return image_plan.manifest(plan, contents, sha256, seen)
    except (AttributeError, KeyError, StopIteration, TypeError, ValueError) as error:
        raise AnsibleFilterError(
            f"image_manifest takes a plan, the lines that its node printed, a checksum and hosts: {error!r}"
        ) from error


class FilterModule:
    """Filters on images."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Name of the filter to its function."""
        return {"image_manifest": image_manifest}
