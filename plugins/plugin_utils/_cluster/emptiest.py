# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors

"""Whereto a service goes when nobody names a node: one choice for a move, a leave and the driver's spreading. Pure."""

from __future__ import annotations

from typing import Container, Mapping, Optional


def emptiest(carried: Mapping[str, int], barred: Container[str] = ()) -> Optional[str]:
    """The node that carries least and is not barred; among equals the first one, None where there is none.

    carried: node -> how many movable services and addresses it carries, the oldest node first: it is the last one to leave.
    """
    return min((one for one in carried if one not in barred), key=lambda one: carried[one], default=None)
