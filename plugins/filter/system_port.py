# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The filter by which a role takes a port from its one home, plugin_utils/_config/ports.py."""

from __future__ import annotations

from ansible.errors import AnsibleFilterError
from ansible_collections.ondemand.cluster.plugins.plugin_utils._config import ports

PORTS = {"gate": ports.GATE_PORT, "stats": ports.STATS_PORT}


def system_port(name):
    """The port of that name."""
    if name not in PORTS:
        raise AnsibleFilterError(f"system_port takes one of {', '.join(PORTS)}, not {name!r}")
    return PORTS[name]


class FilterModule:
    """The filter of this file."""

    def filters(self):
        return {"system_port": system_port}
