# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

from ansible.errors import AnsibleFilterError
from ansible_collections.ondemand.cluster.plugins.module_utils._shared.known_hosts import render


def known_hosts(vms, before=""):
    """Text of a known_hosts file with one line for each VM that has a key; the one before where it has the same lines in another order."""
    try:
        text = render(vms)
        return before if sorted(before.splitlines()) == sorted(text.splitlines()) else text
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise AnsibleFilterError(f"known_hosts takes a list of VMs as vm_info returns them: {error}") from error


def differ_from(vms, before):
    """Whether a known_hosts file with this text lacks the key of a VM, or has one of nobody."""
    return known_hosts(vms, before) != before


class FilterModule:
    """The filters of this file."""

    def filters(self):
        return {"known_hosts": known_hosts, "differ_from": differ_from}
