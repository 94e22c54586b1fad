# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors

"""How many VMs a cluster file lets be wanted: the one judgement of `requirement.nodes`. Pure."""

from __future__ import annotations

from typing import Optional

from ...module_utils._contract.refusal import Refusal


def too_many(name: str, wanted: int, most: int) -> Optional[Refusal]:
    """Why so many VMs can't be wanted of the cluster, or None."""
    if wanted <= most:
        return None
    told = (wanted, name, most)
    return Refusal("maximum", "%d VMs are wanted, and the requirement of %s allows %d at most; raise requirement.nodes.max first" % told)


def too_few(name: str, wanted: int, least: int) -> Optional[Refusal]:
    """Why so few VMs can't be wanted of the cluster, or None."""
    if wanted >= least:
        return None
    what = "lower requirement.nodes.min first, or use destroy_cluster to end the cluster"
    return Refusal("minimum", "%d VMs are wanted, and the requirement of %s keeps %d at least; %s" % (wanted, name, least, what))
