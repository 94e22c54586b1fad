# SPDX-License-Identifier: BSD-2-Clause
# Copyright: (c) 2026, the ondemand.cluster contributors

"""From the wanted VM and the one there is to the steps between them. Pure: check mode and diff come from here too.

Order of making: the domain with our mark first, so that nothing of ours is ever without an owner; then the overlay and
the seed; then `created_at` into the mark; then the start. A crash at any point leaves a domain of ours without
`created_at`, which the next run makes anew, or a finished VM, which it starts. Order of deleting: before any step what
could be refused later (vms.release), then the volumes, and the domain last, so that a crash leaves the mark for the next run.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Dict, Iterable, List, Optional, Tuple

from ansible_collections.ondemand.cluster.plugins.module_utils._contract.refusal import Refusal
from ansible_collections.ondemand.cluster.plugins.module_utils._libvirt.vm.spec import VmSpec
from ansible_collections.ondemand.cluster.plugins.module_utils._libvirt.vm.state import VmState, as_data

LIVE = ("vcpus", "memory_mib")  # can change while the VM runs, up to the maxima
DEFINED = ("vcpus_max", "memory_max_mib", "bridge", "mac", "disks")  # stand in the domain; need a restart
BUILT = ("image", "generation", "address", "prefix")  # stand in the disk or the seed; need a VM made anew
MARKED = ("role", "host", "zone")  # stand in the mark only
BESIDE = ("autostart",)  # libvirt keeps it beside the domain, and changes it at any time


@dataclass(frozen=True)
class Step:
    """One thing to do: `kind` names its doer in vms.DOERS."""

    kind: str
    because: str


@dataclass(frozen=True)
class Changes:
    """All steps in order, and what would need more than this module does by itself."""

    steps: Tuple[Step, ...] = ()
    restart_required: Tuple[str, ...] = ()
    rebuild_required: Tuple[str, ...] = ()
    refusal: Optional[Refusal] = None

    @property
    def changed(self) -> bool:
        return bool(self.steps)

    @property
    def builds(self) -> bool:
        return self.has("overlay")

    @property
    def fresh_key(self) -> bool:
        """Whether the VM gets a host key that nobody knows yet."""
        return self.has("define") or self.has("reseed")

    def has(self, kind: str) -> bool:
        return any(step.kind == kind for step in self.steps)


def _not_ours(spec: VmSpec, state: Optional[VmState]) -> Optional[Refusal]:
    if state is None:
        return None
    if state.mark is None:
        why = "a domain of this name exists and has no mark of ondemand.cluster"
    elif state.mark.get("cluster") != spec.cluster:
        why = f"a VM of this name belongs to the cluster {state.mark.get('cluster')!r}"
    else:
        return None
    return Refusal("not_ours", f"{spec.name} was not touched: {why}. Choose another name, or remove that domain by hand.")


def _value(state: VmState, field: str) -> Any:
    if field in MARKED + BUILT:
        return (state.mark or {}).get(field)
    return getattr(state, field)


def _differing(spec: VmSpec, state: VmState, fields: Tuple[str, ...]) -> List[str]:
    asked = [field for field in fields if field in spec.given]
    return [field for field in asked if _value(state, field) != getattr(spec, field)]


def _fits(field: str, spec: VmSpec, state: VmState) -> bool:
    """Whether the VM as it is defined can take the value: memory both ways, vcpus of a running VM only upward.

    Linux may refuse to give a vcpu back, and then libvirt waits in vain.
    """
    if field == "vcpus":
        least = max(state.vcpus, state.vcpus_live or state.vcpus) if state.running else 1
        return least <= spec.vcpus <= state.vcpus_max
    return spec.memory_mib <= state.memory_max_mib


def _removal(spec: VmSpec, state: Optional[VmState], leftovers: Tuple[str, ...], pinned: bool) -> Changes:
    steps = []
    if state and state.running:
        steps.append(Step("destroy", "it runs and shall not exist"))
    volumes = set(leftovers)
    if state:
        volumes |= {what for what in ("overlay", "seed") if what not in state.missing}
    for what in sorted(volumes):
        steps.append(Step("delete_" + what, f"its {what} is there"))
    if state:
        steps.append(Step("undefine", "it is defined"))
    if pinned:
        steps.append(Step("unpin", "its host key is in known_hosts"))
    return Changes(tuple(steps))


def _build(state: Optional[VmState], leftovers: Tuple[str, ...]) -> List[Step]:
    steps = []
    volumes = set(leftovers)
    because = "it doesn't exist"
    if state:
        because = "an earlier run left it half made" if not state.finished else "its overlay is gone"
        volumes |= {what for what in ("overlay", "seed") if what not in state.missing}
        if state.running:
            steps.append(Step("destroy", because))
    for what in sorted(volumes):
        steps.append(Step("delete_" + what, "it is left over from an earlier run"))
    return steps + [Step(kind, because) for kind in ("define", "overlay", "seed", "finish")]


def _update(spec: VmSpec, state: VmState) -> Changes:
    """What differs of a finished VM, where it can be put right."""
    steps, restart = [], []
    redefine = _differing(spec, state, DEFINED)
    if redefine and not state.running:
        steps.append(Step("redefine", "differs: " + ", ".join(redefine)))
        redefine = []
    else:
        for field in _differing(spec, state, LIVE):
            if _fits(field, spec, state):
                steps.append(Step(field, f"{_value(state, field)} becomes {getattr(spec, field)}"))
            else:
                restart.append(field)
    if _differing(spec, state, BESIDE):
        steps.append(Step("autostart", "it shall start with its host" if spec.autostart else "it shall not start with its host"))
    marked = _differing(spec, state, MARKED)
    if marked:
        steps.append(Step("remark", "differs: " + ", ".join(marked)))
    if state.running:
        restart += state.missing
    elif state.missing:
        steps.append(Step("reseed", "its seed is gone"))
    return Changes(tuple(steps), tuple(restart + redefine), tuple(_differing(spec, state, BUILT)))


def plan(spec: VmSpec, state: Optional[VmState], want: str, leftovers: Tuple[str, ...] = (), pinned: Optional[bool] = None) -> Changes:
    """The changes that lead from `state` (None: no domain) to `want` (present, running, stopped or absent).

    `leftovers`: which of "overlay" and "seed" exist though there is no domain. `pinned`: whether known_hosts has the
    VM's key, None if no such file is kept.
    """
    refusal = _not_ours(spec, state)
    if refusal:
        return Changes(refusal=refusal)
    if want == "absent":
        return _removal(spec, state, leftovers, bool(pinned))
    if want == "stopped" and state is not None and state.running and state.finished:
        # Whatever needed a restart can be put right in the same run, once the VM is off.
        then = plan(spec, replace(state, state="stopped"), want, leftovers, pinned)
        return replace(then, steps=(Step("stop", "it shall not run"), *then.steps))
    update = Changes()
    if state is None or not state.finished or ("overlay" in state.missing and not state.running):
        steps, power = _build(state, leftovers), "stopped"
    else:
        update = _update(spec, state)
        steps, power = list(update.steps), state.state
    if want == "running" and power != "running":
        steps.append(Step("resume", "it is paused and shall run") if power == "paused" else Step("start", "it shall run"))
    changes = Changes(tuple(steps), update.restart_required, update.rebuild_required)
    if pinned is not None and (changes.fresh_key or not pinned):
        changes = replace(changes, steps=(*changes.steps, Step("pin", "its host key isn't in known_hosts")))
    return changes


SHOWN = LIVE + DEFINED  # of a domain, in a diff
ONLY_IN_A_DIFF = ("half_made", "pinned", "bridge", "disks", *BESIDE)


def _told(value: Any) -> Any:
    return [disk.name for disk in value] if isinstance(value, tuple) else value


def _wanted(spec: VmSpec, fields: Iterable[str]) -> Dict[str, Any]:
    return {field: _told(getattr(spec, field)) for field in fields}


def _shown(state: Optional[VmState], pinned: Optional[bool]) -> Dict[str, Any]:
    if state is None:
        return {"state": "absent"}
    data: Dict[str, Any] = {"state": state.state, "missing": list(state.missing), "half_made": not state.finished}
    data.update({field: _told(_value(state, field)) for field in SHOWN + BESIDE + MARKED + BUILT})
    if pinned is not None:
        data["pinned"] = pinned
    return data


def difference(spec: VmSpec, state: Optional[VmState], changes: Changes, pinned: Optional[bool] = None) -> Dict[str, Any]:
    """`before` and `after` for Ansible's diff: what the steps lead to, the same in check mode and in the real run."""
    before = _shown(state, pinned)
    if changes.has("undefine"):
        return {"before": before, "after": {"state": "absent"}}
    after = dict(before)
    if changes.has("define"):
        after.update(_wanted(spec, SHOWN + BESIDE + MARKED + BUILT), state="stopped", missing=[], half_made=False)
    for kind, fields in (
        ("redefine", SHOWN),
        ("vcpus", ("vcpus",)),
        ("memory_mib", ("memory_mib",)),
        ("autostart", BESIDE),
        ("remark", MARKED),
    ):
        if changes.has(kind):
            after.update(_wanted(spec, spec.given.intersection(fields)))
    if changes.has("reseed"):
        after["missing"] = []
    for kind, result in (("stop", "stopped"), ("start", "running"), ("resume", "running")):
        if changes.has(kind):
            after["state"] = result
    if changes.has("pin"):
        after["pinned"] = True
    return {"before": before, "after": after}


def predicted(spec: VmSpec, state: Optional[VmState], changes: Changes, uri: str) -> Optional[Dict[str, Any]]:
    """The VM as the steps would leave it, for check mode. What only the making itself tells (uuid, host key) is None."""
    after = difference(spec, state, changes)["after"]
    if after["state"] == "absent":
        return None
    data = as_data(state, uri) if state else {"name": spec.name, "cluster": spec.cluster, "uri": uri, "uuid": None}
    data.update({key: value for key, value in after.items() if key not in ONLY_IN_A_DIFF})
    if changes.has("define"):
        data.update(pool=spec.pool, created_at=None)
    if changes.fresh_key:
        data["host_key"] = None
    data["complete"] = not data["missing"]
    return data
