# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""What a run knows, for tests that play a part of a playbook."""

from __future__ import annotations

from typing import Any

from ansible_collections.ondemand.cluster.plugins.plugin_utils import run_account

FILE = {"hosts": [{"name": "hv1"}, {"name": "hv2"}], "deadlines": {"boot_s": 60, "join_s": 60}, "requirement": {"nodes": {"max": 3}}}


def a_run(**known: Any) -> dict[str, Any]:
    """A run that has just begun and knows this besides."""
    run = {**run_account.after({}, {"begun": FILE}), **known}
    return {**run, **run_account.derived(run)}
