# Copyright: (c) 2026, the ondemand.cluster contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a CIB may hold and this collection does not make: each is refused by its name, and left as it is where somebody made it. Pure."""

from __future__ import annotations

import typing as t

WORDS = {
    "bundles": "containers that Pacemaker runs (bundles)",
    "templates": "templates of resources",
    "acls": "permissions (ACLs)",
    "tags": "tags",
    "fencing-topology": "levels of fencing (the topology)",
}
"""the CIB's own words, as its tools use them too -> what they are"""


def why_unmanaged(name: t.Any) -> t.Optional[t.Tuple[str, str]]:
    """The problem with a part of a configuration that has this name, and what should be; None where it is none of these, however it is spelt."""
    plain = str(name).lower().replace("_", "-")
    words = WORDS.get(plain) or WORDS.get(plain + "s")
    if words is None:
        return None
    return (
        "%s are not managed by this collection" % words,
        "left out: make them by pcs, crmsh or cibadmin; what is there of them is left untouched",
    )
