#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""Fails as a task of the collection does that refuses."""

from __future__ import annotations

from ansible.module_utils.basic import AnsibleModule

module = AnsibleModule(argument_spec={"reason": {"type": "str"}, "sentence": {"type": "str"}})
module.fail_json(msg=module.params["sentence"], refusal=dict(module.params))
