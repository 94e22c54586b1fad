# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""The filters that make a VM a host of Ansible's, as a template calls them."""

from __future__ import annotations

import os

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.ondemand.cluster.plugins.filter.host_vars import (
    FilterModule,
    cluster_defaults,
    host_login,
    host_vars,
    network_card,
    run_host,
)

CLUSTER = {"name": "shop", "hosts": [{"name": "hv1", "uri": "qemu:///system"}]}
VM = {"name": "shop-n1", "cluster": "shop", "address": "10.0.0.2"}


def test_the_filters_are_offered():
    assert set(FilterModule().filters()) == {"host_vars", "cluster_defaults", "run_host", "network_card", "host_login"}


RUN_HOSTS = {
    "one that exists": ({}, [], ["ondemand_my_shop"]),
    "a new one, which begins to boot at once": ({"new": True}, [], ["ondemand_my_shop", "ondemand_NEW"]),
    "a new one while a host is away, which may have its name": ({"new": True}, [{"host": "hv2", "because": "off"}], ["ondemand_my_shop"]),
}


@pytest.mark.parametrize(("more", "unreachable", "groups"), RUN_HOSTS.values(), ids=RUN_HOSTS)
def test_a_vm_is_a_host_of_the_run(more, unreachable, groups):
    cluster, vm = {**CLUSTER, "name": "my-shop"}, {**VM, **more}
    host = run_host(vm, cluster, unreachable)
    assert (host["name"], host["groups"], host["ondemand_vm"]) == ("shop-n1", groups, vm)
    assert host["ansible_host"] == "10.0.0.2"


@pytest.mark.parametrize("gateway", [{}, {"gateway": "10.0.0.1"}])
def test_the_card_of_a_vm_has_a_gateway_where_the_file_names_one(gateway):
    network = {"bridge": "br0", "dns": ["10.0.0.53"], "gateway": None, "prefix": 16, **gateway}
    vm = {**VM, "host": "hv1", "prefix": 24, "mac": "52:54:00:00:00:01"}
    card = network_card(vm, {"network": network, "hosts": [{"name": "hv1"}]})
    assert card == {"bridge": "br0", "dns": ["10.0.0.53"], "address": "10.0.0.2", "prefix": 24, "mac": "52:54:00:00:00:01", **gateway}


@pytest.mark.parametrize(("host", "bridge"), [("hv1", "br0"), ("hv2", "vmbr7"), ("hv3", "br0")])
def test_a_vm_s_card_is_on_the_bridge_of_its_host(host, bridge):
    file = {**CLUSTER, "network": {"bridge": "br0"}, "hosts": [{"name": "hv1", "uri": "qemu:///system"}, HV2]}
    for cluster in (file, cluster_defaults(file)):
        assert network_card({**VM, "host": host, "prefix": 24}, cluster)["bridge"] == bridge


HV2 = {"name": "hv2", "uri": "qemu+ssh://root@hv2/system", "bridge": "vmbr7"}
STRICT = {"ansible_host_key_checking": True, "ansible_ssh_host_key_checking": True}
# URI, and the address for Ansible that the file names -> what Ansible is told.
LOGINS = {
    "this machine": ("qemu:///system", None, {"ansible_host": "localhost", "ansible_connection": "local"}),
    "by ssh": ("qemu+ssh://me@hv1/system", None, {"ansible_host": "hv1", "ansible_connection": "ssh", "ansible_user": "me"}),
    "as ssh is configured": ("qemu+ssh://hv1/system", None, {"ansible_host": "hv1", "ansible_connection": "ssh"}),
    "with a port and a key": (
        "qemu+ssh://me@hv1:2222/system?no_tty=1&keyfile=/etc/a%20key",
        None,
        {
            "ansible_host": "hv1",
            "ansible_connection": "ssh",
            "ansible_user": "me",
            "ansible_port": 2222,
            "ansible_ssh_private_key_file": "/etc/a key",
        },
    ),
    "libvirt's own ssh": (
        "qemu+libssh://[fd00::1]:22/system?keyfile=/k",
        None,
        {"ansible_host": "fd00::1", "ansible_connection": "ssh", "ansible_port": 22, "ansible_ssh_private_key_file": "/k"},
    ),
    "a plus is a plus": (
        "qemu+ssh://hv1/system?keyfile=/etc/a+key",
        None,
        {"ansible_host": "hv1", "ansible_connection": "ssh", "ansible_ssh_private_key_file": "/etc/a+key"},
    ),
    "parameters are parted by semicolons too": (
        "qemu+ssh://hv1/system?no_tty=1;keyfile=/k;mode=auto",
        None,
        {"ansible_host": "hv1", "ansible_connection": "ssh", "ansible_ssh_private_key_file": "/k"},
    ),
    "a name in capitals is the same host": (
        "qemu+ssh://HV1:2222/system",
        "HV1",
        {"ansible_host": "HV1", "ansible_connection": "ssh", "ansible_port": 2222},
    ),
    "another address for Ansible has another port": (
        "qemu+ssh://hv1:2222/system?keyfile=/k",
        "10.0.0.9",
        {"ansible_host": "10.0.0.9", "ansible_connection": "ssh", "ansible_ssh_private_key_file": "/k"},
    ),
    "libvirt's port is no port of ssh": ("qemu+tls://hv1:16514/system", None, {"ansible_host": "hv1", "ansible_connection": "ssh"}),
}


@pytest.mark.parametrize(("uri", "ssh", "told"), LOGINS.values(), ids=LOGINS.keys())
def test_a_host_is_reached_as_libvirt_reaches_it(uri, ssh, told):
    host = {"name": "hv1", "uri": uri, **({"ssh": ssh} if ssh else {})}
    assert host_login(cluster_defaults({"name": "shop", "hosts": [host]})["hosts"][0]) == {"name": "hv1", **told, **STRICT}


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
