# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""Who is a member, who is away, who is half-made, who has another size than is asked for."""

from __future__ import annotations

from ondemand._collection.module_utils._contract.names import by_number
from ondemand.config.model import Size
from ondemand.model import Node, Observation, Vm


def nodes_words(count: int) -> str:
    """A number of nodes in words."""
    return f"{count} node{'' if count == 1 else 's'}"


def size_words(size: Size) -> str:
    """A size in words."""
    return f"{size.vcpus} vCPU{'s' if size.vcpus != 1 else ''} and {size.memory_mib} MiB"


def fits(vm: Vm, size: Size) -> bool:
    """Whether a VM has the size that is asked for."""
    return vm.vcpus == size.vcpus and vm.memory_mib == size.memory_mib


def outdated(observation: Observation, size: Size) -> list[Vm]:
    """Members' VMs of another size. A VM on an unreachable host is unknown, and the unknown is not replaced."""
    members = set(observation.members)
    return sorted((one for one in observation.vms if one.name in members and not fits(one, size)), key=lambda one: by_number(one.name))


def unfinished(observation: Observation) -> list[Vm]:
    """VMs that exist and that the cluster doesn't know (yet, or any more), lowest name first. One that it knows is a node, online or not."""
    names = set(known(observation))
    return sorted((one for one in observation.vms if one.name not in names), key=lambda one: by_number(one.name))


def known(observation: Observation) -> tuple[str, ...]:
    """Names of all nodes that the cluster knows, whatever state they are in."""
    return tuple(one.name for one in observation.cluster.nodes) if observation.cluster else ()


def away(observation: Observation) -> list[Node]:
    """Nodes that the cluster knows and that are not in: they may be booting, joining, cut off or lost.

    Also those whose VM no host shows: its host may have been taken out of the file, and the node may just reboot there.
    """
    members = set(observation.members)
    nodes = observation.cluster.nodes if observation.cluster else ()
    return [one for one in nodes if one.name not in members]


def unseen(observation: Observation) -> int:
    """Members whose VM no host shows. The playbooks count VMs, so these are none of the number that they are told."""
    names = {one.name for one in observation.vms}
    return 0 if observation.unreachable else sum(1 for name in observation.members if name not in names)


def leaving(observation: Observation) -> list[Node]:
    """Members that an interrupted leave left in standby: they can be taken back, or finish leaving."""
    members = set(observation.members)
    return [one for one in (observation.cluster.nodes if observation.cluster else ()) if one.leaving and one.name in members]


def idle(observation: Observation) -> list[Node]:
    """Members that somebody put into standby. They stay as they are, for whoever did it had a reason that can't be seen from here."""
    serving = set(observation.serving)
    nodes = observation.cluster.nodes if observation.cluster else ()
    return [one for one in nodes if one.name in observation.members and one.name not in serving and not one.leaving]


def idle_words(observation: Observation) -> str:
    """A sentence about idle members; empty if there are none."""
    names = [one.name for one in idle(observation)]
    if not names:
        return ""
    return (
        f"{', '.join(names)} {'is' if len(names) == 1 else 'are'} in standby by somebody's hand: counted as "
        f"{'a member' if len(names) == 1 else 'members'}, given no work, and left so"
    )


def switched_off(observation: Observation) -> list[Node]:
    """Nodes that the cluster misses and whose hosts say that their VMs are off. One that a person put into standby may well be off by their hand."""
    off = {one.name for one in observation.vms if one.state in ("stopped", "crashed")}
    return [one for one in away(observation) if one.name in off and not one.pending and (one.leaving or not one.standby)]


def returned(observation: Observation) -> list[str]:
    """Names of VMs that came back with their host after their nodes were let go: they are no members any more."""
    withheld = observation.cluster.withheld if observation.cluster else ()
    return [one.name for one in unfinished(observation) if one.name in withheld]


def unknown(observation: Observation) -> list[Node]:
    """Nodes that the cluster misses while a host that may have them doesn't answer: whether they run nobody knows."""
    seen = {one.name for one in observation.vms}
    return [one for one in away(observation) if observation.unreachable and one.name not in seen]


def ghosts(observation: Observation) -> list[Node]:
    """Nodes that the cluster knows, that are down, and whose VM is gone from every host."""
    if observation.cluster is None or observation.unreachable:
        return []
    names = {one.name for one in observation.vms}
    return [one for one in observation.cluster.nodes if not one.online and not one.pending and one.name not in names]
