# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""The lab's values: topology, configuration files, and how its processes are recognised."""

from __future__ import annotations

import ipaddress
from pathlib import Path

import pytest

from lab.testbed.hypervisors import files, topology
from lab.testbed.hypervisors.topology import CABLES, HYPERVISORS, SPACES, Space

HV1 = topology.space("hv1")


def test_every_space_has_an_address_of_its_own_in_one_network():
    network = ipaddress.ip_network(f"{SPACES[0].address}/{topology.PREFIX_LENGTH}", strict=False)
    addresses = {ipaddress.ip_address(s.address) for s in SPACES}
    assert len(addresses) == len(SPACES)
    assert all(a in network for a in addresses)


def test_every_space_is_reached_by_cables_from_the_first_one():
    reached = {SPACES[0].name}
    for _ in CABLES:
        for cable in CABLES:
            ends = {cable.a[0], cable.b[0]}
            if ends & reached:
                reached |= ends
    assert reached == {s.name for s in SPACES}


def test_no_device_is_used_by_two_cables():
    ends = [end for cable in CABLES for end in (cable.a, cable.b)]
    assert len(ends) == len(set(ends))


def test_device_names_fit_the_kernel():
    assert all(len(device) <= 15 for cable in CABLES for _, device in (cable.a, cable.b))


def test_a_space_that_does_not_exist_is_answered_with_those_that_do():
    with pytest.raises(KeyError, match="hv1, hv2, ctl, cli"):
        topology.space("hv9")


def test_hosts_names_every_space_once():
    lines = files.render_hosts().splitlines()
    for space in SPACES:
        assert lines.count(f"{space.address} {space.name}") == 1


def test_sshd_accepts_keys_only_and_listens_on_its_own_address_only():
    text = files.render_sshd_config(HV1)
    assert "ListenAddress 10.99.0.1\n" in text
    assert "AuthenticationMethods publickey\n" in text
    assert "PasswordAuthentication no\n" in text
    assert f"AuthorizedKeysFile {HV1.directory}/sshd/authorized_keys\n" in text


def test_qemu_keeps_the_hidden_kvm_hidden():
    assert "namespaces = []\n" in files.render_qemu_conf()


def test_two_hypervisors_have_the_identity_they_are_given():
    assert 'host_uuid = "1-2-3"\n' in files.render_libvirtd_conf("1-2-3")


def test_known_hosts_pins_name_and_address_of_each_hypervisor():
    keys = {h.name: f"ssh-ed25519 KEY{h.name}" for h in HYPERVISORS}
    assert files.render_known_hosts(keys, HYPERVISORS) == ("hv1,10.99.0.1 ssh-ed25519 KEYhv1\nhv2,10.99.0.2 ssh-ed25519 KEYhv2\n")


@pytest.mark.parametrize("text", ["", "ssh-ed25519", "hello world"])
def test_what_is_no_public_key_is_refused(text):
    with pytest.raises(ValueError, match="not a public key"):
        files.bare_public_key(text)


def test_a_public_key_loses_its_comment():
    assert files.bare_public_key("ssh-ed25519 AAAA somebody at home\n") == "ssh-ed25519 AAAA"


OWN = "80 79 254:0 /var/lib/ondemand-lab/hv1/etc /etc/libvirt rw - ext4 /dev/vda rw"
MARKED = {
    "a bind mount of the space's directory": (OWN, True),
    "the directory is on a file system mounted at /var": (OWN.replace("/var/lib", "/lib"), True),
    "the directory was deleted meanwhile": (OWN.replace("/etc /etc", "/etc//deleted /etc"), True),
    "another space's directory": (OWN.replace("hv1", "hv2"), False),
    "a space whose name begins alike": (OWN.replace("hv1", "hv10"), False),
    "a mount point, not a source, in the directory": ("80 79 254:0 /x /var/lib/ondemand-lab/hv1/etc rw - ext4 d rw", False),
    "nothing": ("", False),
    "a torn line": ("80 79", False),
}


@pytest.mark.parametrize(("text", "expected"), MARKED.values(), ids=MARKED.keys())
def test_a_process_is_ours_if_it_has_a_directory_of_the_space_mounted(text, expected):
    assert files.is_marked(text, Path("/var/lib/ondemand-lab/hv1")) is expected


def test_a_namespace_is_never_called_as_plainly_as_somebody_elses():
    assert Space("hv1", "10.0.0.1", "hypervisor").netns == f"{topology.LAB}-hv1"


@pytest.mark.parametrize("name", ["../x", "A", "a b", "x" * 17])
def test_a_lab_name_that_could_lead_elsewhere_is_refused(name):
    with pytest.raises(ValueError, match="ONDEMAND_LAB"):
        topology.lab_name(name)


def test_the_lab_is_called_ondemand_unless_told_otherwise():
    assert [topology.lab_name(n) for n in (None, "", "other")] == ["ondemand", "ondemand", "other"]
