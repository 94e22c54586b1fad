# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""The plan: from every state that a crash can leave, the steps that are left; twice is never more than once."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.ondemand.cluster.plugins.module_utils._libvirt.vm.plan import difference, plan
from ansible_collections.ondemand.cluster.plugins.module_utils._libvirt.vm.spec import Boot
from ansible_collections.ondemand.cluster.plugins.module_utils._libvirt.vm.state import parse
from hypothesis import given
from hypothesis import strategies as st

from ..cases import SPEC, domain_xml

STOPPED, RUNNING, PAUSED = 5, 1, 3
BUILD = ["define", "overlay", "seed", "finish"]


def vm(state=RUNNING, created_at=1790000000.5, missing=(), live=None, autostart=True, **changes):
    """The VM of SPEC with something else about it."""
    found = parse(domain_xml(replace(SPEC, **changes), boot=Boot(), created_at=created_at), state, live)
    return replace(found, autostart=autostart, has_overlay="overlay" not in missing, has_seed="seed" not in missing)


def foreign(state):
    return replace(vm(state), mark=None)


def steps(changes):
    return [step.kind for step in changes.steps]


CASES = [
    ("a missing VM is built and started", None, "running", {}, [*BUILD, "start"]),
    ("a missing VM is built and left stopped", None, "stopped", {}, BUILD),
    ("a missing VM is built for present", None, "present", {}, BUILD),
    ("a new VM's key is pinned", None, "running", {"pinned": False}, [*BUILD, "start", "pin"]),
    ("leftovers go first", None, "running", {"leftovers": ("seed", "overlay")}, ["delete_overlay", "delete_seed", *BUILD, "start"]),
    ("defined only", vm(STOPPED, None, ("overlay", "seed")), "running", {}, [*BUILD, "start"]),
    ("died before the seed", vm(STOPPED, None, ("seed",)), "running", {}, ["delete_overlay", *BUILD, "start"]),
    ("died within the seed", vm(STOPPED, None), "running", {}, ["delete_overlay", "delete_seed", *BUILD, "start"]),
    ("half made and started by somebody", vm(RUNNING, None), "running", {}, ["destroy", "delete_overlay", "delete_seed", *BUILD, "start"]),
    (
        "half made and started by somebody, not to run",
        vm(RUNNING, None),
        "stopped",
        {"pinned": True},
        ["destroy", "delete_overlay", "delete_seed", *BUILD, "pin"],
    ),
    ("died before the start", vm(STOPPED), "running", {}, ["start"]),
    ("died before the pin", vm(RUNNING), "running", {"pinned": False}, ["pin"]),
    ("its overlay is gone", vm(STOPPED, missing=("overlay",)), "running", {}, ["delete_seed", *BUILD, "start"]),
    ("its seed is gone", vm(STOPPED, missing=("seed",)), "running", {}, ["reseed", "start"]),
    ("its seed is gone and known_hosts kept", vm(STOPPED, missing=("seed",)), "running", {"pinned": True}, ["reseed", "start", "pin"]),
    ("it runs as wanted", vm(), "running", {"pinned": True}, []),
    ("it exists as wanted", vm(), "present", {}, []),
    ("it is stopped as wanted", vm(STOPPED), "stopped", {}, []),
    ("it runs and shall not", vm(), "stopped", {}, ["stop"]),
    ("it is paused and shall run", vm(PAUSED), "running", {}, ["resume"]),
    ("it goes", vm(), "absent", {"pinned": True}, ["destroy", "delete_overlay", "delete_seed", "undefine", "unpin"]),
    ("died within the deletion", vm(STOPPED, missing=("overlay",)), "absent", {}, ["delete_seed", "undefine"]),
    ("died before the key was forgotten", None, "absent", {"pinned": True}, ["unpin"]),
    ("leftovers go without a domain", None, "absent", {"leftovers": ("seed",)}, ["delete_seed"]),
    ("it is gone as wanted", None, "absent", {"pinned": False}, []),
    ("more memory within the headroom", vm(memory_mib=512), "running", {}, ["memory_mib"]),
    ("less memory", vm(memory_mib=800), "running", {}, ["memory_mib"]),
    ("more vcpus within the headroom", vm(vcpus=1, live=1), "running", {"spec": {"vcpus": 2}}, ["vcpus"]),
    ("died between live and definition", vm(vcpus=1, live=2), "running", {"spec": {"vcpus": 2}}, ["vcpus"]),
    ("fewer vcpus of a stopped one", vm(STOPPED, vcpus=2), "stopped", {}, ["vcpus"]),
    ("another maximum of a stopped one", vm(STOPPED, vcpus_max=4), "running", {}, ["redefine", "start"]),
    ("another disk of a stopped one", vm(STOPPED, disks=()), "stopped", {}, ["redefine"]),
    ("another MAC of a stopped one", vm(STOPPED, mac="52:54:00:00:00:01"), "stopped", {}, ["redefine"]),
    ("a running one without its overlay, to stop", vm(missing=("overlay",)), "stopped", {}, ["stop", "delete_seed", *BUILD]),
    ("it does not start with its host", vm(autostart=False), "running", {}, ["autostart"]),
    ("it starts with its host and shall not", vm(STOPPED), "stopped", {"spec": {"autostart": False}}, ["autostart"]),
    ("another zone in the mark", vm(zone="z"), "running", {}, ["remark"]),
]


@pytest.mark.parametrize(("sentence", "state", "want", "options", "expected"), CASES, ids=[case[0] for case in CASES])
def test_the_steps_from_a_state(sentence, state, want, options, expected):
    options = dict(options)
    spec = replace(SPEC, **options.pop("spec", {}))
    changes = plan(spec, state, want, **options)
    assert steps(changes) == expected
    assert changes.refusal is None
    assert all(step.because for step in changes.steps)


LEFT = [
    ("another maximum of a running one", vm(vcpus_max=4, memory_max_mib=2000), {}, ("vcpus_max", "memory_max_mib"), ()),
    ("fewer vcpus of a running one", vm(vcpus=2), {}, ("vcpus",), ()),
    ("another image", vm(image="other"), {}, (), ("image",)),
    ("another generation", vm(generation=2), {}, (), ("generation",)),
    ("another address", vm(address="10.0.0.9"), {}, (), ("address",)),
    ("a running one without its seed", vm(missing=("seed",)), {}, ("seed",), ()),
    ("a running one without its overlay", vm(missing=("overlay",)), {}, ("overlay",), ()),
    (
        "fewer vcpus than run now, though more than defined",
        vm(vcpus=1, live=3, vcpus_max=4),
        {"vcpus": 2, "given": frozenset({"vcpus"})},
        ("vcpus",),
        (),
    ),
    ("a bridge of a running one", vm(bridge="br9"), {}, ("bridge",), ()),
    ("more vcpus than defined", vm(STOPPED), {"vcpus": 9, "given": frozenset({"vcpus"})}, ("vcpus",), ()),
    ("more memory than defined", vm(), {"memory_mib": 9000, "given": frozenset({"memory_mib"})}, ("memory_mib",), ()),
]


@pytest.mark.parametrize(("sentence", "state", "change", "restart", "rebuild"), LEFT, ids=[case[0] for case in LEFT])
def test_what_cannot_be_done_now_is_named_and_not_done(sentence, state, change, restart, rebuild):
    changes = plan(replace(SPEC, **change), state, "present")
    assert steps(changes) == []
    assert (changes.restart_required, changes.rebuild_required) == (restart, rebuild)


@pytest.mark.parametrize("want", ["present", "running", "stopped", "absent"])
@pytest.mark.parametrize("state", [foreign(RUNNING), foreign(STOPPED), vm(cluster="other"), vm(STOPPED, None, cluster="other")])
def test_what_is_not_ours_is_never_touched(state, want):
    changes = plan(SPEC, state, want, ("overlay", "seed"), True)
    assert changes.refusal.reason == "not_ours"
    assert steps(changes) == []


def test_what_was_not_asked_for_is_not_compared():
    state = vm(vcpus_max=9, memory_mib=777, zone="z", bridge="br9", address="10.0.0.9")
    assert plan(replace(SPEC, given=frozenset()), state, "running").changed is False


def after_the_steps(state, spec, changes):
    """What the doers make of a state, as far as a plan looks at it."""
    kinds = steps(changes)
    if "undefine" in kinds:
        return None
    if "define" in kinds or "redefine" in kinds:
        made = replace(parse(domain_xml(spec, boot=Boot(), created_at=1790000000.5), STOPPED), autostart=spec.autostart)
        state = (
            made
            if "define" in kinds
            else replace(made, autostart=state.autostart, state=state.state, mark=state.mark, has_seed=state.has_seed)
        )
    if state is None:
        return None
    for kind in ("vcpus", "memory_mib", "autostart"):
        if kind in kinds:
            state = replace(state, **{kind: getattr(spec, kind)})
    if "remark" in kinds:
        state = replace(state, mark=dict(state.mark, role=spec.role, host=spec.host, zone=spec.zone))
    if "reseed" in kinds:
        state = replace(state, has_seed=True)
    ends = {"start": "running", "resume": "running", "stop": "stopped", "destroy": "stopped"}
    for kind in kinds:
        state = replace(state, state=ends.get(kind, state.state))
    return state


STATES = st.one_of(
    st.none(),
    st.builds(
        vm,
        st.sampled_from([STOPPED, RUNNING, PAUSED]),
        st.sampled_from([None, 1790000000.5]),
        st.sets(st.sampled_from(["overlay", "seed"])),
        vcpus=st.integers(1, 2),
        memory_mib=st.integers(600, 700),
        vcpus_max=st.integers(2, 3),
        zone=st.sampled_from(["a", "b"]),
        autostart=st.booleans(),
    ),
)


@given(STATES, st.sampled_from(["present", "running", "stopped", "absent"]))
def test_after_the_steps_a_second_plan_is_empty_and_the_diff_told_the_truth(state, want):
    changes = plan(SPEC, state, want)
    then = after_the_steps(state, SPEC, changes)
    again = plan(SPEC, then, want)
    assert steps(again) == []
    told = difference(SPEC, state, changes)["after"]
    assert told == difference(SPEC, then, again)["before"]


def test_a_diff_of_no_change_shows_none():
    shown = difference(SPEC, vm(), plan(SPEC, vm(), "running", pinned=True), True)
    assert shown["before"] == shown["after"]
    nothing = difference(SPEC, None, plan(SPEC, None, "absent", ("seed",), True), True)
    assert nothing == {"before": {"state": "absent"}, "after": {"state": "absent"}}
