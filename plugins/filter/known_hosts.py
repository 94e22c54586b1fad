# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

from ansible.errors import AnsibleFilterError
from ansible_collections.ondemand.cluster.plugins.module_utils._shared.known_hosts import render


def known_hosts(vms):
    """Text of a known_hosts file with one line for each VM that has a key."""
    try:
        return render(vms)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise AnsibleFilterError(f"known_hosts takes a list of VMs as vm_info returns them: {error}") from error


class FilterModule:
    """The filters of this file."""

    def filters(self):
        return {"known_hosts": known_hosts}
