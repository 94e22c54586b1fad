# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""The role driver asks each family's system for what its own tasks need there."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

FAMILIES = yaml.safe_load((Path(__file__).parents[3] / "roles/driver/vars/main.yml").read_text())["__driver_family_packages"]
NEEDS = {
    "ansible.builtin.pip reads names of packages": {"python3-packaging", "python3-setuptools"},
    "libvirt's binding is compiled": {"gcc"},
    "nodes and hypervisors are reached": {"openssh-client", "openssh-clients"},
}


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("need", NEEDS)
def test_a_minimal_system_gets_what_the_tasks_need(family, need):
    assert NEEDS[need] & set(FAMILIES[family])
