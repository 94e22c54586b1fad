# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""What a plan says of itself: why each step, what a refusal names, and what diff and check mode show of it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.ondemand.cluster.plugins.module_utils._contract.refusal import Refusal
from ansible_collections.ondemand.cluster.plugins.module_utils._libvirt.vm.plan import Changes, difference, plan, predicted
from ansible_collections.ondemand.cluster.plugins.module_utils._libvirt.vm.spec import DataDisk
from ansible_collections.ondemand.cluster.plugins.module_utils._libvirt.vm.state import as_data

from ..cases import KEY, SPEC, UUID
from .test_plan import PAUSED, RUNNING, STOPPED, foreign, vm

MISSING, HALF, GONE, LEFT = (
    "it doesn't exist",
    "an earlier run left it half made",
    "its overlay is gone",
    "it is left over from an earlier run",
)
PIN = ("pin", "its host key isn't in known_hosts")


def making(why):
    return [(kind, why) for kind in ("define", "overlay", "seed", "finish")]


WHY = [
    ("no domain", None, "running", {"pinned": False}, [*making(MISSING), ("start", "it shall run"), PIN]),
    ("no domain, but volumes", None, "present", {"leftovers": ("seed",)}, [("delete_seed", LEFT), *making(MISSING)]),
    ("half made", vm(STOPPED, None), "present", {}, [("delete_overlay", LEFT), ("delete_seed", LEFT), *making(HALF)]),
    (
        "half made and running",
        vm(RUNNING, None, ("seed",)),
        "present",
        {},
        [("destroy", HALF), ("delete_overlay", LEFT), *making(HALF)],
    ),
    ("no overlay", vm(STOPPED, missing=("overlay",)), "present", {"pinned": True}, [("delete_seed", LEFT), *making(GONE), PIN]),
    (
        "to go",
        vm(),
        "absent",
        {"pinned": True},
        [
            ("destroy", "it runs and shall not exist"),
            ("delete_overlay", "its overlay is there"),
            ("delete_seed", "its seed is there"),
            ("undefine", "it is defined"),
            ("unpin", "its host key is in known_hosts"),
        ],
    ),
    ("to stop", vm(), "stopped", {}, [("stop", "it shall not run")]),
    ("paused", vm(PAUSED), "running", {}, [("resume", "it is paused and shall run")]),
    ("no seed", vm(STOPPED, missing=("seed",)), "present", {"pinned": True}, [("reseed", "its seed is gone"), PIN]),
    ("no key", vm(), "present", {"pinned": False}, [PIN]),
    ("sizes", vm(memory_mib=512, vcpus=1, live=1), "present", {"vcpus": 2}, [("vcpus", "1 becomes 2"), ("memory_mib", "512 becomes 640")]),
    ("a start with its host", vm(autostart=False), "present", {}, [("autostart", "it shall start with its host")]),
    ("no start with its host", vm(), "present", {"autostart": False}, [("autostart", "it shall not start with its host")]),
    ("two in the mark", vm(zone="z", host="y"), "present", {}, [("remark", "differs: host, zone")]),
    ("two in the definition", vm(STOPPED, bridge="b", vcpus_max=4), "present", {}, [("redefine", "differs: vcpus_max, bridge")]),
]


@pytest.mark.parametrize(("sentence", "state", "want", "options", "expected"), WHY, ids=[case[0] for case in WHY])
def test_every_step_says_why(sentence, state, want, options, expected):
    options = dict(options)
    spec = replace(SPEC, **{key: options.pop(key) for key in ("vcpus", "autostart") if key in options})
    assert [(step.kind, step.because) for step in plan(spec, state, want, **options).steps] == expected


WHOSE = [
    (foreign(RUNNING), "a domain of this name exists and has no mark of ondemand.cluster"),
    (vm(cluster="other"), "a VM of this name belongs to the cluster 'other'"),
]


@pytest.mark.parametrize(("state", "why"), WHOSE)
def test_a_refusal_says_whose_it_is(state, why):
    sentence = f"shop-n1 was not touched: {why}. Choose another name, or remove that domain by hand."
    assert plan(SPEC, state, "running") == Changes(refusal=Refusal("not_ours", sentence))


@pytest.mark.parametrize(
    ("state", "builds"), [(None, True), (vm(STOPPED, None), True), (vm(), False), (vm(STOPPED, missing=("seed",)), False)]
)
def test_only_a_vm_that_is_made_needs_its_image(state, builds):
    assert plan(SPEC, state, "running").builds is builds


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


WHOLE = {
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
    "autostart": True,
}
HALF_MADE = {"half_made": True, "state": "stopped", "missing": ["seed"]}

# Before and after as they differ from WHOLE; None: absent.
DIFFS = [
    ("a making", None, "running", {}, {}, None, {}),
    ("a making for present", None, "present", {}, {}, None, {"state": "stopped"}),
    ("a making of one half made", vm(STOPPED, None, ("seed",)), "running", {}, {}, HALF_MADE, {}),
    ("a making that pins", None, "running", {"pinned": False}, {}, None, {"pinned": True}),
    ("a going", vm(), "absent", {"pinned": True}, {}, {"pinned": True}, None),
    ("nothing there to go", None, "absent", {}, {}, None, None),
    ("a stop", vm(), "stopped", {}, {}, {}, {"state": "stopped"}),
    ("a start", vm(STOPPED), "running", {}, {}, {"state": "stopped"}, {}),
    ("a resume", vm(PAUSED), "running", {}, {}, {"state": "paused"}, {}),
    (
        "a seed made anew",
        vm(STOPPED, missing=("seed",)),
        "present",
        {},
        {},
        {"state": "stopped", "missing": ["seed"]},
        {"state": "stopped"},
    ),
    ("a pin", vm(), "present", {"pinned": False}, {}, {"pinned": False}, {"pinned": True}),
    ("a key that is known", vm(), "present", {"pinned": True}, {}, {"pinned": True}, {"pinned": True}),
    ("another start with its host", vm(autostart=False), "present", {}, {}, {"autostart": False}, {}),
    ("another zone", vm(), "present", {}, {"zone": "q"}, {}, {"zone": "q"}),
    ("another size", vm(vcpus=1, live=1), "present", {}, {"vcpus": 2, "memory_mib": 700}, {}, {"vcpus": 2, "memory_mib": 700}),
    ("a disk that a restart would bring", vm(), "present", {}, {"disks": ()}, {}, {}),
    ("an address that a making anew would bring", vm(), "present", {}, {"address": "10.0.0.9"}, {}, {}),
    (
        "another definition",
        vm(STOPPED),
        "stopped",
        {},
        {"bridge": "br7", "memory_mib": 700, "disks": (DataDisk("new", "/n", False, "raw"),)},
        {"state": "stopped"},
        {"state": "stopped", "bridge": "br7", "memory_mib": 700, "disks": ["new"]},
    ),
]


@pytest.mark.parametrize(("sentence", "state", "want", "options", "change", "before", "after"), DIFFS, ids=[case[0] for case in DIFFS])
def test_a_diff_shows_every_field_as_it_is_and_as_the_steps_leave_it(sentence, state, want, options, change, before, after):
    told = shown(replace(SPEC, **change), state, want, **options)
    assert told == {
        name: {"state": "absent"} if differs is None else {**WHOLE, **differs} for name, differs in (("before", before), ("after", after))
    }


def test_a_redefinition_and_a_mark_keep_what_nobody_asked_for():
    spec = replace(SPEC, bridge="br7", host="hv9", zone="q", vcpus=2, disks=(), given=frozenset({"bridge", "zone"}))
    told = shown(spec, vm(STOPPED), "present")
    changed = {key for key in told["after"] if told["after"][key] != told["before"][key]}
    assert changed == {"bridge", "zone"}


TO_COME = {
    **{key: value for key, value in WHOLE.items() if key not in ("half_made", "bridge", "disks", "autostart")},
    "name": "shop-n1",
    "cluster": "shop",
    "uri": "test:///default",
    "pool": "ondemand",
    "uuid": None,
    "host_key": None,
    "created_at": None,
    "complete": True,
}
THERE = {**TO_COME, "uuid": UUID, "host_key": KEY, "created_at": 1790000000.5}

# The VM as check mode tells it: as it differs from TO_COME, or from THERE.
PREDICTED = [
    ("a making", None, "running", TO_COME),
    ("a making for present", None, "present", {**TO_COME, "state": "stopped"}),
    ("a making of one half made", vm(STOPPED, None, pool="old"), "running", {**TO_COME, "uuid": UUID}),
    ("no change", vm(pool="old"), "running", {**THERE, "pool": "old"}),
    ("more memory", vm(memory_mib=512), "running", THERE),
    ("a seed made anew", vm(STOPPED, missing=("seed",)), "running", {**THERE, "host_key": None}),
    ("a seed that is only told of", vm(missing=("seed",)), "running", {**THERE, "missing": ["seed"], "complete": False}),
    ("a going", vm(), "absent", None),
    ("nothing there to go", None, "absent", None),
]


@pytest.mark.parametrize(("sentence", "state", "want", "expected"), PREDICTED, ids=[case[0] for case in PREDICTED])
def test_check_mode_tells_the_vm_as_it_would_be_and_nothing_of_a_making_to_come(sentence, state, want, expected):
    for pinned in (None, False):
        assert predicted(SPEC, state, plan(SPEC, state, want, pinned=pinned), "test:///default") == expected


def test_check_mode_tells_every_field_that_the_real_run_tells():
    told = predicted(SPEC, None, plan(SPEC, None, "running"), "u")
    assert set(told) == set(as_data(vm(), "u"))
