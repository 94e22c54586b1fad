# Copyright: (c) 2026, the ondemand.cluster contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The events of a run that makes VMs and joins them; see run_account. Pure."""

from __future__ import annotations

import typing as t

from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.recovery import unseen, withheld_from_new
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.scaling import growth, unreachable_refusals
from ansible_collections.ondemand.cluster.plugins.plugin_utils.run_refusals import once, why

Data = t.Mapping[str, t.Any]
Changes = t.Dict[str, t.Any]
BESIDE = (
    "%s did not join: a cluster is there and none of its members is whole, so it would be made a second one. Look at the members (observe), then run "
    "recover_cluster"
)


def clashed(run: Data, told: Data) -> Changes:
    """The first choice of places may clash with what no host shows: how many to place (of told wanted), and what is withheld from them."""
    view, existing = run["view"], [vm for vm in run["vms"] if not vm.get("new")]
    hidden = [vm for vm in unseen(existing, view) if vm["online"]] if run["unreachable"] else []
    return {
        "unseen": hidden,
        "to_place": max(0, int(told["wanted"]) - len(hidden)),
        "withheld": withheld_from_new(existing, view),
        # Where no cluster tells what is taken.
        "refused": unreachable_refusals(run["unreachable"]) if view is None else [],
    }


def named(run: Data, told: Data) -> Changes:
    """There is to be a cluster of told wanted VMs: who is made, and who balances the load between whom."""
    names = [vm["name"] for vm in run["vms"]]
    return {"making": names[: int(told["wanted"])], "servers": names, "draining": []}


def stopped(run: Data, failed: Data) -> Changes:
    """Nobody may join, for what the failed task says: the new VMs that were begun are taken back, unless another run goes on with them."""
    refused = why(failed, "unstable")
    return {"refused": [refused], "taken_back": [] if refused["reason"] == "held" else run["new"]}


def growing(run: Data, told: Data) -> Changes:
    """Who joins, so that the cluster has told wanted members; told first says whether there may be none yet."""
    plan = growth(run["vms"], run["view"], int(told["wanted"]), told["first"])
    return {
        "plan": plan,
        "members": plan["members"],
        "servers": plan["members"] + plan["joining"],
        "draining": [],
        "joined": [],
        "refusals": [],
        "refused": plan["refusals"],
    }


def joining(run: Data, told: Data) -> Changes:
    """The next one joins, told node: as what, and why not if it did not get ready (told ready: names, told refusal: what it said itself)."""
    node, why_not = told["node"], told["refusal"]
    silent = {"reason": "join_refused", "sentence": "%s did not get ready to join; the tasks before say why" % node}
    # A cluster is never created beside one that is there: where the only member was about to leave, it comes out of standby.
    alone = "active" if node in run["plan"]["back"] else "created"
    joins_as = "member" if run["members"] else alone
    # One that lists nobody else is the cluster that an earlier run began to make of it.
    beside = [one["name"] for one in (run["view"] or {}).get("nodes", []) if one["name"] != node]
    second = [{"reason": "unstable", "sentence": BESIDE % node}]
    not_ready = [] if node in told["ready"] else [why_not or silent]
    return {"joins_as": joins_as, "refused": second if joins_as == "created" and beside else not_ready}


def joined(run: Data, told: Data) -> Changes:
    """told node is a member: join is cluster_node's result, vm the VM, made and begun the timings of its making."""
    timings = {**(told["made"].get("timings") or {}), **{key: value for key, value in told["begun"].items() if value is not None}}
    entry = {
        "name": told["node"],
        "host": told["vm"]["host"],
        "address": told["vm"]["address"],
        # Where making it and waiting for it were two tasks, the first one knows when it was made.
        "timings": timings,
        "join_started_at": told["join"]["timings"]["started_at"],
        "joined_at": told["join"]["timings"]["joined_at"],
    }
    return {"members": [*run["members"], told["node"]], "joined": [*run["joined"], entry]}


def unjoined(run: Data, told: Data) -> Changes:
    """Something went wrong (told failed) while told node joined; told join is the last result of cluster_node, which may be of another node.

    Whatever went wrong after it had become a member: it has votes and may carry work, so it stays and serves. A member that is away
    is not given up either: its votes count, and it may come back with its work. Nor is a VM with which another run goes on.
    """
    node, join = told["node"], told["join"]
    refused = why(told["failed"], "join_refused")
    is_member = join.get("node") == node and (join.get("timings") or {}).get("joined_at") is not None
    counted = is_member and node not in run["members"]
    return {
        "refusals": [*run["refusals"], refused],
        "members": [*run["members"], node] if counted else run["members"],
        "given_up": node in run["plan"]["expendable"] and not is_member and refused["reason"] != "held",
    }


def balancing(run: Data, _told: t.Any) -> Changes:
    """Who is a member now balances the load, between all members; there has to be one."""
    return {"servers": run["members"], "draining": [], "refused": [] if run["members"] else run["refusals"]}


def grown(run: Data, told: Data) -> Changes:
    """The end of growth: told told are what the members refused themselves, told now the time, told check whether nothing was done."""
    foreseen = run["plan"]["joining"] if told["check"] else []
    return {
        "nodes": sorted(run["members"] + foreseen),
        "serving_at": None if told["check"] else float(told["now"]),
        "refused": once(run["refusals"], *told["told"]),
    }


EVENTS = frozenset({clashed, named, stopped, growing, joining, joined, unjoined, balancing, grown})
