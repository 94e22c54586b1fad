# Copyright: (c) 2026, the ondemand.cluster contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From what there is and the wanted number of VMs to who joins and who leaves. Pure; the playbooks do it.

What there is comes as data: VMs as vm_info or placement give them, the cluster as cluster_info gives it (None: there is none).
Every function also gives the refusals, [{reason, sentence}], which are to be told before anything is touched.
"""

from __future__ import annotations

import typing as t

from .._config import limits

Data = t.Mapping[str, t.Any]


def _refusal(reason: str, sentence: str) -> t.Dict[str, str]:
    return {"reason": reason, "sentence": sentence}


def wanted_refusals(file: Data, wanted: t.Any, direction: str) -> t.List[t.Dict[str, str]]:
    """Why a number of VMs cannot be wanted by this cluster file; direction is "out" or "in". Nothing is looked at."""
    try:
        number = int(str(wanted))
    except ValueError:
        return [_refusal("bad_input", "wanted is %r; it must be the number of VMs that the cluster shall have afterwards" % (wanted,))]
    least, most = int(file["requirement"]["nodes"]["min"]), int(file["requirement"]["nodes"]["max"])
    no = limits.too_many(file["name"], number, most) if direction == "out" else limits.too_few(file["name"], number, least)
    if no is not None:
        return [_refusal(no.reason, no.sentence)]
    if number < 1:
        return [_refusal("bad_input", "wanted is %d; a cluster has one VM at least" % number)]
    return []


def _online(view: t.Optional[Data]) -> t.List[str]:
    return [node["name"] for node in (view or {}).get("nodes", []) if node["online"] and not node.get("pending")]


def _leaving(view: t.Optional[Data]) -> t.List[str]:
    """Nodes that a leave put into standby without ending. They carry nothing, and can be had back at once."""
    return [node["name"] for node in (view or {}).get("nodes", []) if node.get("leaving")]


def _unjoined(view: t.Optional[Data]) -> t.List[str]:
    """Nodes that are online and whose join was cut off before its end."""
    return [node["name"] for node in (view or {}).get("nodes", []) if node.get("joining")]


def _idle(view: t.Optional[Data]) -> t.List[str]:
    """Nodes that a person put into standby, for a reason of their own."""
    return [node["name"] for node in (view or {}).get("nodes", []) if node.get("standby") and not node.get("leaving")]


def _unsteady(view: t.Optional[Data], returning: t.Sequence[str] = ()) -> t.List[t.Dict[str, str]]:
    """A membership that no step may be built on. returning: listed nodes that start again first, and bring their own votes."""
    if view is None or (returning and view["may_change"]["reason"] == "not_quorate"):
        return []
    return _refused(view["may_change"])


def _refused(verdict: Data) -> t.List[t.Dict[str, str]]:
    return [] if verdict["allowed"] else [_refusal(verdict["reason"], verdict["sentence"])]


def growth(vms: t.Sequence[Data], view: t.Optional[Data], wanted: int, first: bool = False) -> t.Dict[str, t.Any]:
    """Who is a member and who joins, so that the cluster has the wanted number of members.

    vms are the placed ones, existing before new. Joining are, in this order, members whose join was cut off after they had started, members
    whose leaving was begun and not ended, members that are away, unfinished VMs, and new ones; VMs beyond the wanted number are left alone.
    Without ``first`` a cluster must be there: its first member is never made by growing. Back are those of the joining that only have to
    come out of standby. Idle are members that a person put into standby: they stay so, and nobody waits for their services. Expendable are
    the VMs that may be deleted if they cannot join: new ones, and those of which the cluster says that it does not know them.
    """
    unjoined = set(_unjoined(view))
    online = set(_online(view)) - set(_leaving(view)) - unjoined
    back = set(_leaving(view))
    known = {node["name"] for node in (view or {}).get("nodes", [])}
    members = [vm["name"] for vm in vms if vm["name"] in online]
    others = sorted(
        (vm for vm in vms if vm["name"] not in online),
        key=lambda vm: (vm["name"] not in unjoined, vm["name"] not in back, vm["name"] not in known, bool(vm.get("new"))),
    )
    # Whose join was cut off is there, and serves, whatever number is wanted.
    there = len([vm for vm in others if vm["name"] in unjoined])
    joining = [vm["name"] for vm in others[: max(there, wanted - len(members))]]
    refusals = _unsteady(view, [name for name in joining if name in known])
    if view is None and not first:
        refusals = [_refusal("not_found", "there is no cluster that could grow; run create_cluster first")]
    return {
        "members": members,
        "joining": joining,
        "back": [name for name in _online(view) if name in back],
        "idle": _idle(view),
        "expendable": [vm["name"] for vm in vms if vm.get("new") or (view is not None and vm["name"] not in known)],
        "refusals": refusals,
    }


def _chosen_refusals(leavers: t.Sequence[str], surplus: int, there: t.Container[str]) -> t.List[t.Dict[str, str]]:
    """What is wrong with the names of those who shall go first. Names that are gone count as done, but nobody goes in their place."""
    named = [name for name in leavers if name in there]
    absent = [name for name in leavers if name not in there]
    if len(named) > surplus:
        sentence = "leavers names %s, but the wanted number lets only %d leave; name fewer, or lower wanted"
        return [_refusal("bad_input", sentence % (", ".join(named), surplus))]
    if absent and len(named) < surplus:
        sentence = "leavers names %s, of which there is no VM, and %d more would have to leave; name those who shall, or none"
        return [_refusal("not_found", sentence % (", ".join(absent), surplus - len(named)))]
    return []


def unreachable_refusals(unreachable: t.Sequence[Data]) -> t.List[t.Dict[str, str]]:
    """Why nothing may be made or deleted while hosts do not answer (unreachable_hosts of vm_info and placement)."""
    if not unreachable:
        return []
    told = "; ".join("%s: %s" % (one["host"], one["because"]) for one in unreachable)
    return [
        _refusal(
            "host_unreachable",
            "not every host answers (%s), so nobody knows how many VMs there are; nothing was touched. Bring it back, or into the "
            "cluster file. "
            "If it is dead for good, let go of its nodes first (recover_cluster with confirm_dead), then take it out of the cluster file"
            % told,
        )
    ]


def unconfigurable(view: t.Optional[Data], unreachable: t.Sequence[Data] = ()) -> t.List[t.Dict[str, str]]:
    """Why the services of a cluster may not be configured now: no cluster tells of them, or what it does with them is not certain."""
    if view is None:
        absent = _refusal(
            "not_found", "no VM of the cluster tells of its services; run create_cluster first, or recover_cluster to bring it back"
        )
        return unreachable_refusals(unreachable) or [absent]
    return _refused(view["may_change"])


def _unshown(names: t.Sequence[str]) -> t.List[t.Dict[str, str]]:
    """Why nobody leaves while members run whose VMs no host of the file shows: who stays cannot be reckoned."""
    if not names:
        return []
    sentence = (
        "%s is online, and no host of the cluster file shows its VM: another run made it meanwhile, it was deleted this moment, or its host is "
        "not in the file; nothing was touched. See that its host is in the file, and run it again"
    )
    return [_refusal("unstable", sentence % ", ".join(names))]


def shrinkage(
    vms: t.Sequence[Data],
    view: t.Optional[Data],
    wanted: int,
    leavers: t.Sequence[str] = (),
    unreachable: t.Sequence[Data] = (),
) -> t.Dict[str, t.Any]:
    """Who leaves, so that the cluster has the wanted number of VMs.

    First go those named, then VMs that never became members, then the first of leave_order but those in standby by a person's wish.
    vms that are ``unseen`` are members whose host does not answer (recovery.unseen): they count, and stay.
    ``leave`` are members (drained first), ``delete`` VMs only, ``gone`` members whose VM does not exist any more, ``lost`` those of
    the leaving that the cluster misses (their VMs are powered off before they are taken off the list), ``stay`` the members afterwards.
    """
    there = {vm["name"]: vm for vm in vms if not vm.get("unseen")}
    elsewhere = [vm["name"] for vm in vms if vm["name"] not in there]
    nodes = {node["name"]: node for node in (view or {}).get("nodes", [])}
    unfinished = [name for name in there if name not in nodes]
    surplus = max(0, len(vms) - wanted)
    idle = _idle(view)
    ordered = [name for name in (view or {}).get("leave_order", []) if name in there and name not in idle]
    # Whom Pacemaker has no way round stays while another one may go.
    ordered.sort(key=lambda name: nodes[name]["may_leave"]["reason"] in ("no_place", "unmanaged"))
    order = [name for name in leavers if name in there] + unfinished + ordered
    going = list(dict.fromkeys(order))[:surplus]
    leave = [name for name in going if name in nodes]
    unknown = [] if unreachable else [name for name in nodes if name not in there and name not in elsewhere]
    gone = [name for name in unknown if not nodes[name]["online"]]
    verdicts = [nodes[name]["may_leave"] for name in leave]
    # While a host is away only the cluster knows how many there are.
    refusals = (unreachable_refusals(unreachable) if view is None else []) + _chosen_refusals(leavers, surplus, there)
    if view is None and surplus:
        # Stopped members look just like VMs that never joined. Without the cluster's word nothing is deleted.
        sentence = "no cluster tells which of %s are its members, so none is deleted; run create_cluster, or destroy_cluster to end it"
        refusals.append(_refusal("not_found", sentence % ", ".join(sorted(there))))
    if leave or gone:
        refusals += _unsteady(view)
    refusals += _unshown([name for name in unknown if nodes[name]["online"]])
    if not refusals:
        # A cluster that is busy at this moment comes to rest: whoever takes the node out waits for that, and looks again.
        refusals = [no for one in verdicts if one["reason"] != "unstable" for no in _refused(one)]
    if not refusals and len(going) < surplus:
        hint = "look at the cluster, then run it again"
        if idle:
            hint = "%s is in standby by somebody's hand; take it out of standby, or name it in leavers" % ", ".join(idle)
        refusals = [_refusal("unstable", "only %d of %d VMs can be told to leave: %s" % (len(going), surplus, hint))]
    return {
        "leave": leave,
        "delete": [name for name in going if name not in nodes],
        "gone": gone,
        "lost": [name for name in leave if not nodes[name]["online"]],
        "stay": [name for name in _online(view) if name not in going and (name in there or name in elsewhere)],
        "refusals": refusals,
    }
