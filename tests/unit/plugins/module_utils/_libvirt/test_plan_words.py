# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""What a plan says of itself: why each step, what a refusal names, and what diff and check mode show of it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.ondemand.cluster.plugins.module_utils._libvirt.plan import difference, plan, predicted
from ansible_collections.ondemand.cluster.plugins.module_utils._libvirt.spec import DataDisk

from .cases import SPEC
from .test_plan import PAUSED, RUNNING, STOPPED, foreign, vm

WHY = [
    (
        "no domain",
        None,
        "running",
        {"pinned": False},
        {"define": "it doesn't exist", "overlay": "it doesn't exist", "start": "it shall run"},
    ),
    ("half made", vm(STOPPED, None), "present", {}, {"define": "an earlier run left it half made", "delete_seed": "it is left over"}),
    ("no overlay", vm(STOPPED, missing=("overlay",)), "present", {}, {"define": "its overlay is gone", "delete_seed": "it is left over"}),
    ("half made and running", vm(RUNNING, None), "present", {}, {"destroy": "an earlier run left it half made"}),
    ("to go", vm(), "absent", {"pinned": True}, {"destroy": "it runs and shall not exist", "delete_overlay": "its overlay is there"}),
    ("to go, the rest", vm(), "absent", {"pinned": True}, {"delete_seed": "its seed is there", "undefine": "it is defined"}),
    ("to go, its key", vm(), "absent", {"pinned": True}, {"unpin": "its host key is in known_hosts"}),
    ("to stop", vm(), "stopped", {}, {"stop": "it shall not run"}),
    ("paused", vm(PAUSED), "running", {}, {"resume": "it is paused and shall run"}),
    ("no seed", vm(STOPPED, missing=("seed",)), "present", {}, {"reseed": "its seed is gone"}),
    ("no key", vm(), "present", {"pinned": False}, {"pin": "its host key isn't in known_hosts"}),
    ("memory", vm(memory_mib=512), "present", {}, {"memory_mib": "512 becomes 640"}),
    ("two in the mark", vm(zone="z", host="y"), "present", {}, {"remark": "differs: host, zone"}),
    ("two in the definition", vm(STOPPED, bridge="b", vcpus_max=4), "present", {}, {"redefine": "differs: vcpus_max, bridge"}),
]


@pytest.mark.parametrize(("sentence", "state", "want", "options", "expected"), WHY, ids=[case[0] for case in WHY])
def test_every_step_says_why(sentence, state, want, options, expected):
    told = {step.kind: step.because for step in plan(SPEC, state, want, **options).steps}
    for kind, why in expected.items():
        assert told[kind].startswith(why)


def test_a_refusal_says_whose_it_is():
    assert "has no mark of ondemand.cluster" in plan(SPEC, foreign(RUNNING), "running").refusal.sentence
    other = plan(SPEC, vm(cluster="other"), "running").refusal.sentence
    assert "shop-n1 was not touched" in other
    assert "belongs to the cluster 'other'" in other


def test_a_stop_puts_right_what_needed_one_and_is_the_first_step():
    changes = plan(SPEC, vm(vcpus_max=4, vcpus=2, live=2), "stopped")
    assert [step.kind for step in changes.steps] == ["stop", "redefine"]
    assert changes.restart_required == ()
    assert plan(SPEC, vm(vcpus=2, live=2, vcpus_max=2), "stopped").steps[1].kind == "vcpus"


def test_a_half_made_vm_is_built_whatever_its_power_and_started_only_on_demand():
    for want, last in (("present", "finish"), ("stopped", "finish"), ("running", "start")):
        assert plan(SPEC, vm(RUNNING, None), want).steps[-1].kind == last


def test_what_an_update_leaves_over_is_told_beside_what_it_does():
    changes = plan(SPEC, vm(zone="z", bridge="b", address="10.0.0.9", vcpus=2), "running")
    assert [step.kind for step in changes.steps] == ["remark"]
    assert changes.restart_required == ("vcpus", "bridge")
    assert changes.rebuild_required == ("address",)
    assert changes.changed
    assert not changes.builds


SIZES = [
    ("as many as run", {"vcpus": 1}, 1, 1, []),
    ("one more", {"vcpus": 2}, 1, 1, ["vcpus"]),
    ("as many as may be", {"vcpus": 2}, 1, 2, ["vcpus"]),
    ("memory as much as may be", {"memory_mib": 1280}, 1, 1, ["memory_mib"]),
    ("memory beyond", {"memory_mib": 1281}, 1, 1, []),
]


@pytest.mark.parametrize(("sentence", "change", "defined", "live", "expected"), SIZES, ids=[case[0] for case in SIZES])
def test_what_a_running_vm_takes(sentence, change, defined, live, expected):
    spec = replace(SPEC, given=frozenset(change), **change)
    changes = plan(spec, vm(vcpus=defined, live=live), "present")
    assert [step.kind for step in changes.steps] == expected


def shown(spec, state, want, **options):
    return difference(spec, state, plan(spec, state, want, **options), options.get("pinned"))


def test_a_diff_shows_every_field_of_the_vm():
    before = shown(SPEC, vm(), "running")["before"]
    assert before == {
        "state": "running",
        "missing": [],
        "half_made": False,
        "vcpus": 1,
        "vcpus_max": 2,
        "memory_mib": 640,
        "memory_max_mib": 1280,
        "bridge": "br0",
        "mac": "52:54:00:20:4b:78",
        "role": "member",
        "host": "hv1",
        "zone": "a",
        "image": "debian",
        "generation": 3,
        "address": "10.0.0.2",
        "prefix": 24,
        "disks": ["ledger", "lun"],
    }


DIFFS = [
    ("a making", None, "running", {}, {}, {"state": "running", "half_made": False, "missing": [], "disks": ["ledger", "lun"]}),
    ("a making for present", None, "present", {}, {}, {"state": "stopped"}),
    ("a going", vm(), "absent", {}, {}, {"state": "absent"}),
    ("nothing there to go", None, "absent", {}, {}, {"state": "absent"}),
    ("a stop", vm(), "stopped", {}, {}, {"state": "stopped"}),
    ("a resume", vm(PAUSED), "running", {}, {}, {"state": "running"}),
    ("a seed made anew", vm(STOPPED, missing=("seed",)), "present", {}, {}, {"missing": []}),
    ("a pin", vm(), "present", {"pinned": False}, {}, {"pinned": True}),
    ("another disk", vm(STOPPED), "present", {}, {"disks": (DataDisk("new", "/n"),)}, {"disks": ["new"]}),
    ("another zone", vm(), "present", {}, {"zone": "q"}, {"zone": "q"}),
    (
        "another bridge with another size",
        vm(STOPPED),
        "present",
        {},
        {"bridge": "br7", "memory_mib": 700},
        {"bridge": "br7", "memory_mib": 700},
    ),
]


@pytest.mark.parametrize(("sentence", "state", "want", "options", "change", "expected"), DIFFS, ids=[case[0] for case in DIFFS])
def test_a_diff_shows_what_the_steps_lead_to(sentence, state, want, options, change, expected):
    told = shown(replace(SPEC, **change), state, want, **options)
    assert {key: told["after"][key] for key in expected} == expected
    unchanged = set(told["before"]) & set(told["after"]) - set(expected)
    assert {key: told["after"][key] for key in unchanged} == {key: told["before"][key] for key in unchanged}


def test_a_redefinition_keeps_what_nobody_asked_for():
    spec = replace(SPEC, bridge="br7", zone="q", vcpus=2, disks=(), given=frozenset({"bridge"}))
    told = shown(spec, vm(STOPPED), "present")
    changed = {key for key in told["after"] if told["after"][key] != told["before"][key]}
    assert changed == {"bridge"}


def test_check_mode_shows_a_vm_that_changes_with_what_it_keeps():
    state = vm(memory_mib=512)
    told = predicted(SPEC, state, shown(SPEC, state, "running")["after"], "test:///default")
    assert (told["uuid"], told["memory_mib"], told["pool"], told["uri"]) == (state.uuid, 640, "ondemand", "test:///default")
    assert told["complete"] is True
    assert "bridge" not in told
    lacking = vm(missing=("seed",))
    assert predicted(SPEC, lacking, shown(SPEC, lacking, "running")["after"], "u")["complete"] is False
