# Copyright: (c) 2026, the ondemand.cluster contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The events of a run that takes nodes out, lets lost ones go, changes the services or ends the cluster; see run_account. Pure."""

from __future__ import annotations

import typing as t

from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.draining import drained as end_of_drain
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.recovery import recovery
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.scaling import shrinkage, unconfigurable, unreachable_refusals
from ansible_collections.ondemand.cluster.plugins.plugin_utils.run_refusals import once, why

Data = t.Mapping[str, t.Any]
Changes = t.Dict[str, t.Any]


def shrinking(run: Data, told: Data) -> Changes:
    """Who leaves, so that told wanted VMs stay; told leavers (names, or a text of them) go first."""
    named = told["leavers"] or []
    leavers = [name.strip() for name in named.split(",")] if isinstance(named, str) else list(named)
    plan = shrinkage(run["vms"], run["view"], int(told["wanted"]), leavers, run["unreachable"])
    everybody = plan["stay"] + plan["leave"]
    begun = {"left": [], "removed": [], "refusals": []}
    return {
        **begun,
        "plan": {**plan, **_order(plan, run["view"])},
        "servers": everybody,
        "draining": plan["leave"],
        "refused": plan["refusals"],
    }


def _order(plan: Data, view: t.Optional[Data]) -> Changes:
    """Who goes in which order, and what is to be done with each."""
    services = {node["name"]: node["services"] for node in (view or {}).get("nodes", [])}
    # The lost ones first: as long as they are listed, their votes are missing.
    order = [*plan["gone"], *plan["leave"], *plan["delete"]]
    steps = [
        {
            "name": name,
            "services": services.get(name, []),
            "is_member": name not in plan["delete"],
            "has_vm": name not in plan["gone"],
            # Nothing moves onto a node that leaves next: its clients would be moved twice.
            "avoid": [other for other in plan["leave"] if other != name],
        }
        for name in order
    ]
    return {"going": steps, "away": [*plan["gone"], *plan["lost"]]}


def drained(run: Data, told: Data) -> Changes:
    """The drain is over; told results are what told balancers said, at_end and deadline_s what the file says. Who still has sessions may stay."""
    said = dict(zip(told["balancers"], told["results"]))
    end = end_of_drain(run["plan"]["leave"], said, told["at_end"], float(told["deadline_s"]))
    plan = {**run["plan"], "leave": end["leave"]}
    return {"plan": {**plan, **_order(plan, run["view"])}, "busy": end["busy"], "refusals": [*run["refusals"], *end["refusals"]]}


def gone(run: Data, node: str) -> Changes:
    """The node is no member any more."""
    return {"servers": [name for name in run["servers"] if name != node]}


def left(run: Data, told: Data) -> Changes:
    """told node's VM (told vm) is deleted; leave is cluster_node's result, deleted vm's."""
    entry = {
        "name": told["node"],
        "host": told["vm"]["host"],
        "left_at": (told["leave"].get("timings") or {}).get("left_at"),
        "deleted_at": told["deleted"]["timings"]["deleted_at"],
    }
    return {"left": [*run["left"], told["node"]], "removed": [*run["removed"], entry]}


def kept(run: Data, told: Data) -> Changes:
    """told node did not leave, for what told failed says."""
    return {"refusals": [*run["refusals"], why(told["failed"], "unstable", told["node"] + " did not leave: %s")]}


def undrained(run: Data, _told: t.Any) -> Changes:
    """Nobody is drained any more: whoever could not leave serves again."""
    return {"draining": []}


def recovering(run: Data, told: Data) -> Changes:
    """Who is let go, with told confirmed, names of which a person says that they don't run, within told limits of nodes."""
    limits = told["limits"]
    found = recovery(run["vms"], run["view"], run["unreachable"], told["confirmed"], limits["min"], limits["max"])
    withheld = {one["name"] for one in (run["view"] or {}).get("withheld", [])}
    found["forget"] = [name for name in found["delete"] if name in withheld]
    return {"recovery": found, "members": run["online"], "refused": found["refusals"]}


def recovered(run: Data, _told: t.Any) -> Changes:
    """What there is to say at the end: who is waited for, what did not start, what to look out for."""
    found = run["recovery"]
    return {"sentences": [*(one["sentence"] for one in [*found["waits"], *run["slept"]]), *found["warnings"]]}


def configuring(run: Data, _told: t.Any) -> Changes:
    """The services are to be as the file has them: on which members, if they may be changed at all."""
    nodes = (run["view"] or {}).get("nodes", [])
    idle = [node["name"] for node in nodes if node["standby"]]
    refused = unconfigurable(run["view"], run["unreachable"])
    begun = {"refusals": [], "changed": False, "draining": []}
    return {**begun, "members": run["online"], "servers": run["online"], "plan": {"idle": idle}, "refused": refused}


def configured(run: Data, told: Data) -> Changes:
    """Whether anything was changed, by told services, Pacemaker's result, and told balancers, those of every member's load balancer."""
    return {"changed": any(result.get("changed") for result in [told["services"], *told["balancers"]])}


def told_up(run: Data, told: t.Sequence[t.Sequence[Data]]) -> Changes:
    """The end of a configuration: what each member refused itself."""
    return {"refused": once(*told)}


def ending(run: Data, told: Data) -> Changes:
    """The cluster named told name is to be deleted; told confirm must say its name."""
    sentence = "confirm is %s; nothing was touched. To delete all VMs of %s with all that is on their own disks, confirm must be %s"
    confirm, name = told["confirm"], told["name"]
    wrong = {"reason": "bad_input", "sentence": sentence % (confirm or "missing", name, name)}
    return {"refused": [] if confirm == name else [wrong]}


def moving(run: Data, told: Data) -> Changes:
    """told service is to move; it must be a movable one of told file."""
    movable = [one["name"] for one in told["file"]["services"] if one["kind"] == "movable"]
    words = (told["service"] or "missing", told["file"]["name"], ", ".join(movable) or "none")
    wrong = {"reason": "not_found", "sentence": "service is %s; %s has these movable services: %s" % words}
    return {"refused": [] if told["service"] in movable else [wrong]}


def unmoved(run: Data, told: Data) -> Changes:
    """Where no VM runs nothing can be moved; told name is the cluster's."""
    sentence = "no VM of %s runs, so nothing was moved. Create the cluster, or start its VMs" % told["name"]
    nobody = unreachable_refusals(run["unreachable"]) or [{"reason": "not_found", "sentence": sentence}]
    return {"refused": [] if run["running"] else nobody}


EVENTS = frozenset(
    {shrinking, drained, gone, left, kept, undrained, recovering, recovered, configuring, configured, told_up, ending, moving, unmoved}
)
