#!/usr/bin/python
# -*- coding: utf-8 -*-
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of the action plugin of the same name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cluster_check
version_added: 0.1.0
short_description: Checks a cluster file and tells every problem at once
description:
  - Checks the data of a cluster file against its schema and against the rules that compare fields with each other, for example that
    service addresses are unique and lie outside the range of the VMs.
  - Everything happens on the controller. No host and no node is contacted, nothing is changed.
  - The task fails if there is any problem, and tells all of them, each with its path and with what would be right.
options:
  cluster:
    description:
      - The value of the key C(cluster) of the cluster file, as it was written.
    type: dict
    required: true
attributes:
  check_mode:
    support: full
    description: Nothing is ever changed, so check mode does the same.
  diff_mode:
    support: none
    description: There is no change to show.
requirements:
  - jsonschema (on the controller)
author:
  - The ondemand.cluster contributors (@ondemand-cluster)
"""

EXAMPLES = r"""
- name: Tell every problem of the cluster file before anything is touched
  ondemand.cluster.cluster_check:
    cluster: "{{ cluster }}"
"""

RETURN = r"""
problems:
  description: Everything that is wrong, ordered by path. Empty if the file is right.
  returned: always
  type: list
  elements: dict
  contains:
    path:
      description: Where, for example C(cluster.hosts[0].uri).
      type: str
      returned: always
    problem:
      description: What is wrong there.
      type: str
      returned: always
    should_be:
      description: What would be right.
      type: str
      returned: always
  sample:
    - path: cluster.requirement.nodes.min
      problem: 3 is above max, 2
      should_be: at most 2
refusal:
  description: The reason and the sentence of the refusal.
  returned: when there are problems
  type: dict
  sample:
    reason: bad_input
    sentence: The cluster file has 1 problem; nothing was touched.
"""
