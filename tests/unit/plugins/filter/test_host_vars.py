# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""The filters host_vars and cluster_defaults, as a template calls them."""

from __future__ import annotations

import os

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.ondemand.cluster.plugins.filter.host_vars import FilterModule, cluster_defaults, host_vars

CLUSTER = {"name": "shop", "hosts": [{"name": "hv1", "uri": "qemu:///system"}]}
VM = {"name": "shop-n1", "cluster": "shop", "address": "10.0.0.2"}


def test_both_filters_are_offered():
    assert set(FilterModule().filters()) == {"host_vars", "cluster_defaults"}


def test_the_state_directory_becomes_absolute():
    full = cluster_defaults(CLUSTER)
    assert full["access"]["state_dir"] == os.path.expanduser("~/.local/state/ondemand/shop")
    assert cluster_defaults(full) == full


def test_a_vm_of_a_cluster_file_without_defaults_is_reached_by_its_key():
    variables = host_vars(VM, CLUSTER)
    assert variables["ansible_host"] == "10.0.0.2"
    assert variables["ansible_ssh_private_key_file"] == os.path.expanduser("~/.local/state/ondemand/shop/id_ed25519")
    assert "StrictHostKeyChecking=yes" in variables["ansible_ssh_common_args"]


@pytest.mark.parametrize("value", [None, [], "shop", {"name": "shop", "hosts": [{}]}, {"name": "shop", "hosts": [3]}])
def test_what_is_no_cluster_is_refused_in_words(value):
    with pytest.raises(AnsibleFilterError, match="cluster"):
        cluster_defaults(value)


def test_what_is_no_vm_is_refused_in_words():
    with pytest.raises(AnsibleFilterError, match="takes a VM"):
        host_vars({"name": "x"}, CLUSTER)
