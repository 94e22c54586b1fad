# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""Host variables: every VM is reached strictly, by the key that we made."""

from __future__ import annotations

import shlex

import pytest
from ansible_collections.ondemand.cluster.plugins.plugin_utils import inventory

KEY = "ssh-ed25519 " + "A" * 68
VM = {"name": "shop-n1", "cluster": "shop", "host": "hv1", "address": "10.0.0.2", "host_key": KEY, "role": "member", "zone": None}
CLUSTER = {"access": {"user": "root", "state_dir": "/var/lib/some where/shop"}}


def options(variables):
    words = shlex.split(variables["ansible_ssh_common_args"])
    assert words[::2] == ["-o"] * (len(words) // 2)
    return dict(word.split("=", 1) for word in words[1::2])


@pytest.mark.parametrize("pin", ["file", "command"])
def test_checking_is_strict_and_no_other_file_counts(pin):
    given = options(inventory.host_vars(VM, CLUSTER, pin))
    assert given["StrictHostKeyChecking"] == "yes"
    assert given["GlobalKnownHostsFile"] == "/dev/null"
    assert given["BatchMode"] == "yes"


def test_no_setting_of_a_project_comes_before_ours():
    given = inventory.host_vars(VM, CLUSTER)
    assert given["ansible_host_key_checking"] is given["ansible_ssh_host_key_checking"] is True
    assert given["ansible_connection"] == "ssh"
    assert "StrictHostKeyChecking=yes" in given["ansible_ssh_args"].split()


def test_the_file_of_the_state_directory_is_named_even_with_a_space_in_it():
    assert options(inventory.host_vars(VM, CLUSTER))["UserKnownHostsFile"] == '"/var/lib/some where/shop/known_hosts"'


def test_the_key_of_the_metadata_is_pinned_without_a_file():
    given = options(inventory.host_vars(VM, CLUSTER, "command"))
    assert given["KnownHostsCommand"] == f"/bin/echo 10.0.0.2,shop-n1 {KEY}"
    assert given["UserKnownHostsFile"] == "/dev/null"


def test_a_vm_without_a_key_yet_is_pinned_by_the_file():
    assert "KnownHostsCommand" not in options(inventory.host_vars(dict(VM, host_key=None), CLUSTER, "command"))


def test_a_hostile_key_never_reaches_the_command_line():
    with pytest.raises(ValueError, match="public SSH key"):
        inventory.host_vars(dict(VM, host_key="ssh-ed25519 x; reboot"), CLUSTER, "command")


def test_what_is_known_of_the_vm_becomes_variables_and_what_is_not_does_not():
    variables = inventory.host_vars(VM, CLUSTER)
    assert variables["ondemand_host"] == "hv1"
    assert variables["ansible_host"] == "10.0.0.2"
    assert "ondemand_zone" not in variables


def test_a_vm_is_in_its_clusters_group_and_in_its_roles():
    assert inventory.groups(dict(VM, cluster="my-shop")) == ["ondemand_my_shop", "ondemand_members"]


def test_a_connection_to_a_vm_that_died_is_noticed() -> None:
    words = inventory.host_vars(VM, CLUSTER)["ansible_ssh_args"].split()
    told = dict(word.split("=", 1) for word in words[1::2])
    assert int(told["ServerAliveInterval"]) * int(told["ServerAliveCountMax"]) <= 30
