# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations


class ModuleDocFragment:
    """What every module that speaks to libvirt has in common."""

    DOCUMENTATION = r"""
options:
  deadline_s:
    description:
      - How long to wait for the connection to a host, in seconds.
    type: float
    default: 10
requirements:
  - The Python binding of libvirt (C(python3-libvirt) or C(libvirt-python)) on the controller.
notes:
  - Runs on the controller and needs nothing but libvirt on the hosts.
  - A libvirt URI with C(+ssh) never asks a person, the login must work by key.
"""

    ONE_HOST = r"""
options:
  uri:
    description:
      - The libvirt URI of the host.
    type: str
    required: true
"""

    HOSTS = r"""
options:
  hosts:
    description:
      - The hosts, as in the cluster file.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: Name of the host.
        type: str
        required: true
      uri:
        description: Its libvirt URI.
        type: str
        required: true
      zone:
        description: What fails together with it; the default is its name.
        type: str
      pool:
        description: Its storage pool.
        type: str
        default: ondemand
      ssh:
        description: Its address for Ansible. Not used here.
        type: str
      bridge:
        description: Its bridge, where it has not that of the network. Not used here.
        type: str
"""
