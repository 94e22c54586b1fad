# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""What no member needs is told, each kind by its own sentence; what members need is not."""

from __future__ import annotations

import copy

import pytest

from lab.demo.leftovers import Standing, leftovers


def standing():
    """A cluster of one that left nothing behind, beside VMs and files of others."""
    return Standing(
        domains={"hv1": ["shop-n2", "tale-n7"], "hv2": []},
        files={"hv1": ["shop-n2.qcow2", "shop-n2-seed.iso", "tale-n7.qcow2", "debian-12-node.json"], "hv2": ["debian-12-node.json"]},
        known_hosts=["10.99.0.21,shop-n2 ssh-ed25519 AAAA"],
        cluster={
            "nodes": [{"name": "shop-n2", "address": "10.99.0.21", "online": True, "standby": False}],
            "constraints": [{"id": "ondemand-web-with-haproxy", "temporary": False}],
        },
        jobs=[],
    )


def test_a_whole_cluster_has_no_leftovers():
    assert leftovers("shop", standing()) == []


@pytest.mark.parametrize(
    "change, told",
    [
        (lambda one: one.domains["hv2"].append("shop-n3"), ["the domain shop-n3 on hv2 is no member"]),
        (lambda one: one.files["hv2"].append("shop-n2.qcow2"), ["the file shop-n2.qcow2 on hv2 belongs to no member's VM"]),
        (lambda one: one.files["hv1"].append("shop-n3-seed.iso"), ["the file shop-n3-seed.iso on hv1 belongs to no member's VM"]),
        (
            lambda one: one.known_hosts.append("10.99.0.22,shop-n3 ssh-ed25519 B"),
            ["known_hosts has a line for 10.99.0.22, which is no member"],
        ),
        (lambda one: one.known_hosts.append(one.known_hosts[0]), ["known_hosts has 2 lines for 10.99.0.21"]),
        (lambda one: one.cluster["constraints"].append({"id": "x", "temporary": True}), ["the constraint x is left"]),
        (lambda one: one.cluster["nodes"][0].update(standby=True), ["shop-n2 is in standby"]),
        (
            lambda one: one.cluster["nodes"].append({"name": "shop-n1", "address": "10.99.0.20", "online": False, "standby": False}),
            ["shop-n1 is listed and not online"],
        ),
    ],
)
def test_each_kind_of_leftover_is_told(change, told):
    one = copy.deepcopy(standing())
    change(one)
    assert leftovers("shop", one) == told


def test_playbooks_that_run_on_are_leftovers():
    one = standing()
    assert leftovers("shop", Standing(one.domains, one.files, one.known_hosts, one.cluster, ["12: ssh x", "13: ssh y"])) == [
        "a playbook's process runs on: 12: ssh x",
        "a playbook's process runs on: 13: ssh y",
    ]


def test_of_a_destroyed_cluster_nothing_may_be_left():
    one = standing()
    assert leftovers("shop", Standing(one.domains, one.files, one.known_hosts, None, [])) == [
        "the domain shop-n2 on hv1 is no member",
        "the file shop-n2.qcow2 on hv1 belongs to no member's VM",
        "the file shop-n2-seed.iso on hv1 belongs to no member's VM",
        "known_hosts has a line for 10.99.0.21, which is no member",
    ]
    assert leftovers("gone", Standing(one.domains, one.files, [], None, [])) == []


def test_a_lease_that_nobody_gave_back_is_told():
    one = standing()
    domains = {host: [*names, "ondemand-lease-shop", "ondemand-lease-other"] for host, names in one.domains.items()}
    found = leftovers("shop", Standing(domains, one.files, one.known_hosts, one.cluster, []))
    assert sorted(line for line in found if "lease" in line) == [
        f"the lease ondemand-lease-shop is left on {host}" for host in sorted(domains)
    ]
