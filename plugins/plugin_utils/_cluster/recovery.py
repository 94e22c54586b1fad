# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors

"""What has to become of nodes that are lost, and of VMs that came back without being members any more. Pure; the playbooks do it.

A node that is away may still run what it ran. It is let go only where that is out of the question: its VM is gone from every host and all
hosts answer, its host says that it is off, or a person says so (confirm_dead).
"""

from __future__ import annotations

import typing as t

Data = t.Mapping[str, t.Any]
Refusals = t.List[t.Dict[str, str]]


def unseen(vms: t.Sequence[Data], view: t.Optional[Data]) -> t.List[t.Dict[str, t.Any]]:
    """The nodes that the cluster lists and whose VMs no host shows, as VMs of which only name, address and `online` are known."""
    shown = {vm["name"] for vm in vms}
    nodes = [node for node in (view or {}).get("nodes", []) if node["name"] not in shown]
    return [{"name": node["name"], "address": node["address"], "online": node["online"], "new": False, "unseen": True} for node in nodes]


def unnamed(vms: t.Sequence[Data], view: t.Optional[Data], named: t.Container[str]) -> t.List[t.Dict[str, str]]:
    """Hosts that the cluster file names no longer though they carried nodes that are listed and whose VMs no other host shows: nobody can ask them.

    named: the hosts of the file. As vm_info has it of hosts that do not answer: host, uri (not known), because.
    """
    shown = [vm for vm in vms if not vm.get("new") and not vm.get("unseen")]
    carried: t.Dict[str, t.List[str]] = {}
    hosts = {node["name"]: node["host"] for node in (view or {}).get("nodes", [])}
    for one in unseen(shown, view):
        host = hosts[one["name"]]
        if host and host not in named:
            carried.setdefault(host, []).append(one["name"])
    because = "the cluster file names it no longer, and it carried %s"
    return [{"host": host, "uri": "", "because": because % ", ".join(names)} for host, names in sorted(carried.items())]


def running(vms: t.Sequence[Data]) -> t.List[str]:
    """Names of the VMs that exist and run."""
    return [vm["name"] for vm in vms if not vm.get("new") and vm.get("state") == "running"]


def powered_off(vms: t.Sequence[Data]) -> t.List[str]:
    """Names of the VMs that were made whole and don't run. What is half made is the matter of whoever makes it."""
    return [vm["name"] for vm in vms if not vm.get("new") and vm.get("complete") and vm.get("state") != "running"]


def in_state(vms: t.Sequence[Data], names: t.Container[str], state: str) -> t.List[t.Dict[str, t.Any]]:
    """The VMs, those of these names in another state, as after they were started."""
    return [dict(vm, state=state) if vm["name"] in names else dict(vm) for vm in vms]


def vanished(vms: t.Sequence[Data], view: t.Optional[Data], unreachable: t.Sequence[Data]) -> t.List[str]:
    """Names of the nodes that the cluster sees online though their VMs certainly don't run: it will miss them in a moment."""
    states = {vm["name"]: vm.get("state") for vm in vms}
    online = [node["name"] for node in (view or {}).get("nodes", []) if node["online"] or node.get("pending")]
    return [name for name in online if (name not in states and not unreachable) or states.get(name) in ("stopped", "crashed")]


def withheld_from_new(vms: t.Sequence[Data], view: t.Optional[Data]) -> t.List[str]:
    """Names and addresses that no new VM may get: of nodes whose VM no host shows, and of VMs that may come back with their host."""
    told = [*unseen(vms, view), *(view or {}).get("withheld", [])]
    return sorted({word for one in told for word in (one["name"], one["address"]) if word})


def clashing(vms: t.Sequence[Data], view: t.Optional[Data]) -> t.List[str]:
    """The new ones of the placed VMs that were given what is withheld."""
    taken = set(withheld_from_new([vm for vm in vms if not vm.get("new")], view))
    return [vm["name"] for vm in vms if vm.get("new") and taken & {vm["name"], vm["address"]}]


def recovery(
    vms: t.Sequence[Data],
    view: t.Optional[Data],
    unreachable: t.Sequence[Data],
    confirmed: t.Union[str, t.Sequence[str], None],
    least: int,
    most: int,
) -> t.Dict[str, t.Any]:
    """Who is let go, what is deleted, who is waited for, and how many members there are to be.

    confirmed: names of which a person says that they don't run. ``lost`` are let go, ``may_return`` those of them whose VM no host was
    asked about; ``delete`` are VMs that the cluster does not know (any more); ``wanted`` is as many members as are listed, within the limits, but those
    that are waited for; ``waits`` says of each of these what it is waited for.
    """
    if view is None:
        away = "; ".join("%s: %s" % (one["host"], one["because"]) for one in unreachable)
        sentence = "no VM tells of a cluster, so there is none to recover; run create_cluster"
        if away:
            sentence = "no VM tells of a cluster, and not every host answers (%s), so it may be there; bring the host back" % away
        refused = [_refusal("host_unreachable" if away else "not_found", sentence)]
        return {"lost": [], "may_return": [], "delete": [], "waits": [], "wanted": 0, "warnings": [], "refusals": refused}
    states = {vm["name"]: vm["state"] for vm in vms}
    named = confirmed.split(",") if isinstance(confirmed, str) else list(confirmed or [])
    off = [node["name"] for node in view["nodes"] if not node["online"] and not node.get("pending")]
    refusals = [one for one in (_not_dead(name.strip(), view, states) for name in named) if one]
    gone = [name for name in off if name not in states and not unreachable]
    stopped = [name for name in off if states.get(name, "running") not in ("running", "paused")]
    by_word = [name for name in off if name in [one.strip() for one in named] and name not in gone + stopped]
    lost = [name for name in off if name in gone + stopped + by_word]
    waits = [_waits(name, states, unreachable) for name in off if name not in lost]
    known = {node["name"] for node in view["nodes"]} - set(lost)
    if not view["quorate"] and not lost:
        sentence = "%s has no quorum, and none of its nodes can be let go: %s"
        why = "; ".join(one["sentence"] for one in waits) or "all of them are online; see Corosync's log on them"
        refusals.append(_refusal("not_quorate", sentence % (view["name"], why)))
    may_return = [name for name in by_word if name not in states]
    return {
        "lost": lost,
        "may_return": may_return,
        "delete": [vm["name"] for vm in vms if vm["name"] not in known],
        "waits": waits,
        "wanted": max(least, min(most, len(view["nodes"]) - len([one for one in waits if one["node"] not in states]))),
        "warnings": _warnings(may_return, len(view["nodes"])),
        "refusals": refusals,
    }


def _warnings(may_return: t.Sequence[str], listed: int) -> t.List[str]:
    """What a person has to know of those who were let go by their word: a majority of the old list has quorum without the others."""
    if 2 * len(may_return) <= listed:
        return []
    sentence = (
        "%s are more than half of the %d nodes of the list that they have: should they come back together where no member of that list answers "
        "them at their boot, they would have quorum among themselves and serve beside the others until the driver, or recover_cluster, stops them. "
        "Keep their host from starting them, or off the network, where that may be"
    )
    return [sentence % (", ".join(may_return), listed)]


def _refusal(reason: str, sentence: str) -> t.Dict[str, str]:
    return {"reason": reason, "sentence": sentence}


def _not_dead(name: str, view: Data, states: t.Mapping[str, str]) -> t.Optional[t.Dict[str, str]]:
    """Why a person's word on a node is not taken, or None. A name that the cluster doesn't list is done with already."""
    node = next((one for one in view["nodes"] if one["name"] == name), None)
    if node is None:
        return None
    if node["online"] or node.get("pending"):
        return _refusal(
            "bad_input", "confirm_dead names %s, and the cluster sees it online; nothing was touched. Name only who does not run" % name
        )
    if states.get(name) in ("running", "paused"):
        sentence = "confirm_dead names %s, and its host says that its VM runs; nothing was touched. Stop the VM (virsh destroy) if it is to be let go"
        return _refusal("bad_input", sentence % name)
    return None


def _waits(name: str, states: t.Mapping[str, str], unreachable: t.Sequence[Data]) -> t.Dict[str, str]:
    """What a node that is away is waited for."""
    if name in states:
        sentence = (
            "%s runs by its host's word and is not in the cluster: it starts, is cut off, or its Corosync or Pacemaker failed; see its logs"
            % name
        )
    else:
        hosts = "; ".join("%s: %s" % (one["host"], one["because"]) for one in unreachable)
        sentence = (
            "%s is away, and not every host answers (%s), so nobody knows whether it still runs: bring the host back, or see that it is off and "
            "say so (recover_cluster with confirm_dead=%s)" % (name, hosts, name)
        )
    return {"node": name, "sentence": sentence}
