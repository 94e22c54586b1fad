#!/usr/bin/python
# Copyright: (c) 2026, the ondemand.cluster contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: refuse
short_description: Say no the way this collection's modules do
version_added: 0.1.0
author:
  - The ondemand.cluster contributors (!UNKNOWN)
description:
  - Fails with RV(refusal), a reason for programs and a sentence for people, if there is anything to refuse.
  - Runs on the controller and needs no connection.
attributes:
  check_mode:
    description: Can run in check mode and tells the same.
    support: full
  diff_mode:
    description: Tells the differences.
    support: none
options:
  refusals:
    description: What is to be refused. Nothing happens where the list is empty.
    type: list
    elements: dict
    required: true
    suboptions:
      reason:
        description: The reason.
        type: str
        required: true
        choices:
          - bad_input
          - deadline
          - held
          - host_unreachable
          - in_use
          - join_refused
          - last_node
          - maximum
          - minimum
          - no_address
          - no_image
          - no_place
          - no_room
          - not_found
          - not_ours
          - not_quorate
          - quorum
          - start_failed
          - stop_failed
          - unclean
          - unmanaged
          - unstable
          - wrong_checksum
      sentence:
        description: What is refused, why, and what to do.
        type: str
        required: true
"""

EXAMPLES = r"""
- name: Refuse a number of VMs that the requirement does not allow
  ondemand.cluster.refuse:
    refusals: "{{ cluster | ondemand.cluster.wanted_refusals(wanted, 'out') }}"
"""

RETURN = r"""
refusal:
  description: C(reason) of the first refusal, and C(sentence) with the sentences of all.
  returned: failed
  type: dict
  sample:
    reason: maximum
    sentence: 4 VMs are wanted, and the requirement of shop allows 3 at most; raise requirement.nodes.max first
"""
