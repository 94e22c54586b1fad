# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""What was seen on several hosts: a VM is its uuid and counts once, and what others claim is left to them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.ondemand.cluster.plugins.module_utils._libvirt.connection import HostAddress, Reading
from ansible_collections.ondemand.cluster.plugins.module_utils._libvirt.host.sightings import Claims, claims_of, seen, together, vms_as_data
from ansible_collections.ondemand.cluster.plugins.module_utils._libvirt.vm.state import parse

from ..cases import SPEC, domain_xml

RUNNING, PAUSED, STOPPED = 1, 3, 5


def vm(name="shop-n1", state=STOPPED, uuid="u1", cluster="shop"):
    return replace(parse(domain_xml(replace(SPEC, name=name, cluster=cluster)), state), uuid=uuid)


def on(host, *vms, because=""):
    return Reading(HostAddress(host, f"qemu+ssh://{host}/system", f"zone of {host}"), None if because else list(vms), because)


TWICE = [
    ("two URIs of one host", [vm(state=RUNNING)], [vm(state=RUNNING)], "h1"),
    ("a migration that left its source", [vm()], [vm(state=RUNNING)], "h2"),
    ("a migration under way", [vm(state=RUNNING)], [vm(state=PAUSED)], "h1"),
    ("paused at its new place", [vm()], [vm(state=PAUSED)], "h2"),
    ("off on both", [vm()], [vm()], "h1"),
]


@pytest.mark.parametrize(("sentence", "first", "second", "kept"), TWICE, ids=[case[0] for case in TWICE])
def test_a_vm_that_is_seen_twice_counts_once(sentence, first, second, kept):
    vms, twice = seen([on("h1", *first), on("h2", *second)])
    (other,) = {"h1", "h2"} - {kept}
    assert [(one["host"], one["zone"], one["uri"]) for one in vms] == [(kept, f"zone of {kept}", f"qemu+ssh://{kept}/system")]
    assert [(one["name"], one["host"], one["also"]) for one in twice] == [("shop-n1", kept, [other])]
    assert twice[0]["because"] == (
        f"shop-n1 is one VM and was seen on {kept} and on {other}: these are one host under two URIs, or a migration "
        f"left its source behind. It counts once, on {kept}. Name each host once, or undefine the VM where it doesn't belong."
    )


def test_three_sightings_are_told_as_one():
    _vms, twice = seen([on(name, vm()) for name in ("h1", "h2", "h3")])
    assert [one["also"] for one in twice] == [["h2", "h3"]]
    assert "was seen on h1 and on h2, h3: " in twice[0]["because"]


def test_two_vms_of_one_name_are_two():
    vms, twice = seen([on("h1", vm()), on("h2", vm(uuid="u2"))])
    assert (len(vms), twice) == (2, [])


def test_vms_are_listed_by_cluster_and_number_and_a_silent_host_has_none():
    readings = [on("h1", vm("shop-n10", uuid="u1"), vm("shop-n9", uuid="u2")), on("h2", vm("b-n1", uuid="u3", cluster="b"))]
    assert [one["name"] for one in vms_as_data([*readings, on("h3", because="off")])] == ["b-n1", "shop-n9", "shop-n10"]


def test_vms_without_a_number_or_a_cluster_are_listed_first_and_by_name():
    vms = [vm("shop-n1"), vm("shop-z"), vm("shop-a"), vm("z-n1", cluster="")]
    vms = [replace(one, uuid=one.name) for one in vms]
    assert [one["name"] for one in vms_as_data([on("h1", *vms, replace(vm("y"), uuid="y", mark=None))])] == [
        "y",
        "z-n1",
        "shop-a",
        "shop-z",
        "shop-n1",
    ]


def test_everything_that_is_no_vm_of_the_cluster_has_claims():
    foreign = replace(vm("elsewhere"), mark=None, macs=("m1", "m2"), addresses=("192.0.2.9",))
    claims = claims_of("h1", [vm("shop-n1"), vm("shop-n2", cluster="b"), foreign], "shop")
    assert claims == Claims(
        {"elsewhere": "h1 has a domain of that name", "shop-n2": "h1 has a domain of that name"},
        {
            "m1": "the domain elsewhere on h1 has its MAC m1",
            "m2": "the domain elsewhere on h1 has its MAC m2",
            SPEC.mac: f"the domain shop-n2 on h1 has its MAC {SPEC.mac}",
        },
        {"192.0.2.9": "the domain elsewhere on h1"},
    )


def test_nobody_claims_anything_where_nothing_is_told():
    assert claims_of("h1", [vm("shop-n1")], "shop") == Claims() == Claims({}, {}, {}) == together([])


def test_claims_of_all_hosts_are_put_together_and_further_names_do_not_replace_a_reason():
    both = together([Claims({"a": "1"}, {"m": "1"}, {"x": "1"}), Claims({"b": "2"}, {"n": "2"}, {"y": "2"})])
    assert both == Claims({"a": "1", "b": "2"}, {"m": "1", "n": "2"}, {"x": "1", "y": "2"})
    assert Claims({"a": "1"}, {"m": "1"}).with_names({"a": "3", "c": "3"}) == Claims({"a": "1", "c": "3"}, {"m": "1"})


CARDS = (
    "<domain><name>d</name><devices><interface><mac address='52:54:00:AA:00:01'/><ip address='192.0.2.7' prefix='24'/></interface>"
    "<interface><mac address='52:54:00:aa:00:02'/><filterref filter='f'><parameter name='IP' value='192.0.2.8'/>"
    "<parameter name='MAC' value='x'/></filterref></interface><interface/></devices></domain>"
)


def test_every_card_of_a_definition_is_read():
    state = parse(CARDS, STOPPED)
    assert state.macs == ("52:54:00:aa:00:01", "52:54:00:aa:00:02")
    assert state.addresses == ("192.0.2.7", "192.0.2.8")
    assert state.mac == "52:54:00:aa:00:01"
