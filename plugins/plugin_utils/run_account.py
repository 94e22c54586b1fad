# Copyright: (c) 2026, the ondemand.cluster contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run of the playbooks knows, as one value: after(run, event) gives the run as it is after the event. Pure.

A run is a mapping. Its keys are those of BEGINNING, what ``derived`` reads off them, and what single events add. An event is a
mapping of one key, the name of the event, to what is told with it: mostly the result of a task. All that a playbook decides is
decided here and in the rooms that this one asks; the playbooks loop over it and hand it on.
"""

from __future__ import annotations

import typing as t

from ansible_collections.ondemand.cluster.plugins.plugin_utils import run_growth, run_refusals, run_shrinkage
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.recovery import (
    clashing,
    in_state,
    powered_off,
    running,
    unnamed,
    unseen,
    vanished,
)
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.scaling import unconfigurable, unreachable_refusals, wanted_refusals

Data = t.Mapping[str, t.Any]
Changes = t.Dict[str, t.Any]

BEGINNING: Changes = {
    "vms": [],
    "silent": [],
    "view": None,
    "lease": "",
    "hosts_lease": "",
    "plan": {},
    "members": [],
    "servers": [],
    "draining": [],
    "joined": [],
    "left": [],
    "removed": [],
    "absent": [],
    "started": [],
    "slept": [],
    "refusals": [],
    "refused": [],
}
# What is of one part of a run alone.
ANEW: Changes = {"placed": False, "unseen": [], "withheld": []}


def begun(run: Data, file: Data) -> Changes:
    """The run knows the cluster file. What an earlier part of it knows stays: recover_cluster goes on as scale_out."""
    deadlines = file["deadlines"]
    return {
        **{key: run.get(key, value) for key, value in BEGINNING.items()},
        **ANEW,
        "most": file["requirement"]["nodes"]["max"],
        "hosts": [host["name"] for host in file["hosts"]],
        # Between two changes nothing takes longer than a boot.
        "lease_s": deadlines["boot_s"] + 60,
        # Until there is a member: VMs boot side by side, then the first one makes the cluster.
        "hosts_lease_s": 2 * deadlines["boot_s"] + deadlines["join_s"] + 60,
    }


def wished(run: Data, told: Data) -> Changes:
    """The number of VMs that is wished for, told wanted, against the requirement of told file; told direction is out or in."""
    return {"refused": wanted_refusals(told["file"], told["wanted"], told["direction"])}


def found(run: Data, told: Data) -> Changes:
    """vm_info's result: the VMs that there are."""
    names = [vm["name"] for vm in told["vms"]]
    absent = [name for name in run["absent"] if name not in names]
    return {"vms": told["vms"], "silent": told["unreachable_hosts"], "absent": absent}


def placed(run: Data, told: Data) -> Changes:
    """placement's result: those that there are to be, and the members whose host does not answer, if they were counted before."""
    return {"vms": [*told["vms"], *run["unseen"]], "silent": told["unreachable_hosts"], "placed": True}


def counted(run: Data, _told: t.Any) -> Changes:
    """Members whose host does not answer count, by the cluster's word."""
    return {"vms": [*run["vms"], *(vm for vm in unseen(run["vms"], run["view"]) if vm["online"])]}


def seen(run: Data, told: Data) -> Changes:
    """cluster_info's result: the cluster as its members see it. Nothing where it was not asked."""
    return {"view": told.get("cluster")}


def counting_all(run: Data, told: Data) -> Changes:
    """Every VM counts, so every host has to have told of its own; told is cluster_info's result, which tells of hosts that the file names no longer."""
    return {"refused": unreachable_refusals([*run["silent"], *unnamed(run["vms"], told.get("cluster"), run["hosts"])])}


def asking(run: Data, _told: t.Any) -> Changes:
    """The cluster is to be asked, so somebody has to run."""
    return {"refused": [] if run["running"] else unconfigurable(None, run["unreachable"])}


def leased(run: Data, told: Data) -> Changes:
    """cluster_lease's result: the token of the lease that the run holds. None where no member could tell."""
    return {"lease": (told.get("lease") or {}).get("token") or ""}


def hosts_leased(run: Data, told: Data) -> Changes:
    """hosts_lease's result: the token of the lease on the hosts. None where it was given back."""
    return {"hosts_lease": (told.get("lease") or {}).get("token") or ""}


def begun_to_wake(run: Data, told: Data) -> Changes:
    """The result of starting what is off, a VM an item: who can be waited for."""
    return {"waking": _succeeded(told), "slept": _refused(told)}


def woken(run: Data, told: Data) -> Changes:
    """The result of waiting until they answer: who runs now."""
    started = _succeeded(told)
    return {"started": started, "slept": [*run["slept"], *_refused(told)], "vms": in_state(run["vms"], started, "running")}


def _succeeded(told: Data) -> t.List[str]:
    return [one["item"] for one in told.get("results", []) if "vm" in one and "refusal" not in one]


def _refused(told: Data) -> t.List[Data]:
    return [one["refusal"] for one in told.get("results", []) if "refusal" in one]


def refused(run: Data, told: Data) -> Changes:
    """A task's failure that ends nothing, to be told at the end. Also of a host that is no controller, which knows nothing else."""
    return {"refusals": [*run.get("refusals", []), run_refusals.why(told, "unstable")]}


def absent(run: Data, node: str) -> Changes:
    """The node's VM is deleted, so it can't be asked any more."""
    return {"absent": [*run["absent"], node]}


def made(run: Data, told: Data) -> Changes:
    """vm's result on the new VM itself: when it was made. Whatever went wrong, the task that waits for the VM tells."""
    return {"begun": told.get("timings") or {}}


def unready(run: Data, told: Data) -> Changes:
    """A failure on the VM itself: why it may not join."""
    return {"refusal": run_refusals.why(told, "join_refused")}


def derived(run: Data) -> Changes:
    """What can be read off the rest of the run."""
    vms, view = run["vms"], run["view"]
    asked = running(vms)
    unreachable = [*run["silent"], *unnamed(vms, view, run["hosts"])]
    lease = ((view or {}).get("lease") or {}).get("token") or ""
    return {
        "existing": [vm["name"] for vm in vms if not vm.get("new")],
        "new": [vm["name"] for vm in vms if vm.get("new")],
        "running": asked,
        "off": powered_off(vms),
        # Also who joined in this run, which of a new cluster is everybody.
        "may_tell": [name for name in dict.fromkeys([*asked, *run["members"]]) if name not in run["absent"]],
        "clashing": clashing(vms, view),
        "unreachable": unreachable,
        "missed": vanished(vms, view, unreachable),
        "node_hosts": {vm["name"]: vm["host"] for vm in vms if not vm.get("unseen")},
        "online": [node["name"] for node in (view or {}).get("nodes", []) if node["online"]],
        # Seen without the lease: the cluster came up meanwhile, or it is the other part of two.
        "unheld": view is not None and lease != run["lease"],
        "hosts_lease_state": "kept" if run["hosts_lease"] else "held",
        # A maximum that was lowered below what there is must not keep the surplus from being drained.
        "slots": max(run["most"], len(run["servers"])),
    }


EVENTS: t.Dict[str, t.Callable[[Data, t.Any], Changes]] = {
    function.__name__: function
    for function in (
        *(begun, wished, found, placed, counted, counting_all, seen, asking),
        *(leased, hosts_leased, begun_to_wake, woken, refused, absent, made, unready),
        *run_growth.EVENTS,
        *run_shrinkage.EVENTS,
    )
}


def after(run: Data, event: Data) -> t.Dict[str, t.Any]:
    """The run after an event. Raises ValueError for an event that there is none of, or where not exactly one is told."""
    if len(event) != 1 or next(iter(event)) not in EVENTS:
        raise ValueError("an event is one of %s, not %s" % (", ".join(sorted(EVENTS)), ", ".join(event)))
    ((name, told),) = event.items()
    now = {**run, **EVENTS[name](run, told)}
    # Only the controller's run knows of VMs; that of a host knows what happened on it.
    return {**now, **derived(now)} if "vms" in now else now
