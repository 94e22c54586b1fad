# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""Cases of the rules on ways to hosts and VMs."""

from __future__ import annotations

from typing import Any


def hosted(*uris: Any) -> dict[str, Any]:
    """A cluster on hosts of these URIs."""
    return {"hosts": [{"name": f"hv{i}", "uri": uri} for i, uri in enumerate(uris, 1)]}


def kept_in(path: Any) -> dict[str, Any]:
    """A cluster that keeps its keys there."""
    return {"access": {"state_dir": path}}


WAYS: dict[str, dict[str, tuple[Any, dict[str, str]]]] = {
    "uris_lead_to_hosts": {
        "the usual ones": (hosted("qemu+ssh://root@hv1/system", "qemu:///system", "test:///default", 7), {}),
        "a program of its own": (
            hosted("qemu:///system", "qemu+ssh://hv1/system?command=/tmp/x"),
            {"cluster.hosts[1].uri": "has the parameter command"},
        ),
        "two of them": (
            hosted("qemu+ext://hv1/system", "qemu+ssh://-oProxyCommand=x/system"),
            {"cluster.hosts[0].uri": "begins with qemu+ext", "cluster.hosts[1].uri": "names a host that can't be one"},
        ),
    },
    "state_dir_reaches_ssh": {
        "plain ones": (kept_in("~/.local/state/ondemand/a b"), {}),
        "no text": (kept_in(7), {}),
        "a percent sign": (kept_in("/srv/100%"), {"cluster.access.state_dir": "has the sign %, which ssh would fill in"}),
    },
}
