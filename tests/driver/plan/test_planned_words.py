# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""What is planned in each situation, whole: the steps with their deadlines and reasons, or the refusal; and which rule comes first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from ondemand._collection.module_utils._contract.refusal import Reason
from ondemand.model import Node, Observation, Plan, Refusal, Step, StepKind, Verdict, Vm
from ondemand.plan import steps
from ondemand.plan.plan import plan
from tests.driver.values import NO, cluster, merged, node, observation, vm

SERVICES = [
    {"name": f"s{i}", "kind": "movable", "address": f"10.99.0.{100 + i}", "port": 1, "group": [{"name": f"s{i}-app", "agent": "systemd:x"}]}
    for i in range(4)
]
WEB = {"name": "web", "kind": "balanced", "address": "10.99.0.10", "port": 80, "resource": {"agent": "systemd:w", "port": 8080}}
FILE: dict[str, Any] = {"services": [*SERVICES, WEB], "disks": [], "requirement": {"nodes": {"min": 1, "max": 4}}}
LIMITS = cluster(FILE).deadlines
WHY = "more load"
LONG = {"waited": {"shop-n2": 120.0, "shop-n3": 120.0}}
SHORT = {"waited": {"shop-n2": 119.9, "shop-n3": 119.9}}
N1, N2, N3, N4 = (node(number) for number in range(1, 5))
OFF2, OFF3 = (node(number, online=False) for number in (2, 3))
OFF_NO = node(2, online=False, may_leave=NO)
HALF2, HALF3 = (node(number, standby=True, leaving=True) for number in (2, 3))
IDLE2 = node(2, standby=True)
CROWDED = node(1, ["s0", "s1", "s2"])
OLD1 = [vm(1, 512), vm(2), vm(3)]
STAYS = "nothing of it is deleted, and nothing is done about it before it was away for 120 s"
OFF2_WORDS = f"shop-n2 is known to the cluster and not online: {STAYS}"


def one(step: Step) -> Plan:
    """A plan of one step, for the step's reason."""
    return Plan((step,), step.because)


def out(wanted: int, new: int, why: str, back: Sequence[str] = (), unseen: int = 0) -> Plan:
    return one(steps.scale_out(wanted, new, LIMITS, why, back, unseen))


def leave(wanted: int, leavers: Sequence[str], why: str) -> Plan:
    return one(steps.scale_in(wanted, leavers, LIMITS, why))


def recover(wanted: int, lost: int, members: int, why: str) -> Plan:
    return one(steps.recover(wanted, lost, members, LIMITS, why))


def stopped(number: int, state: str = "stopped") -> Vm:
    return replace(vm(number), state=state)


def moved(*what: tuple[str, str, str]) -> Plan:
    """Moves: service, node, reason."""
    return Plan(tuple(steps.move(service, to, LIMITS, why) for service, to, why in what), "; ".join(why for _service, _to, why in what))


def seen(nodes: Sequence[Node], vms: Sequence[Vm] | None = None, **state: Any) -> Observation:
    return observation(nodes, vms, **state)


def vms(*numbers: int) -> list[Vm]:
    return [vm(number) for number in numbers]


def still(count: int, *more: str) -> Plan:
    """Nothing to do."""
    return Plan((), "; ".join([f"{count} nodes are members, as wanted, and their work is spread evenly", *more]))


INTERRUPTED = "an earlier {} has no known good end; run again it finishes what is half done and is otherwise without change"
MISSING = f"{WHY}; 1 of 2 are members"
MISSED = ", and the cluster misses it"
LOST2 = f"the VM of shop-n2 is gone from every host{MISSED}"
EXTRA = "{} is no member and not needed for {} nodes of 1 vCPU and 640 MiB"
BACK2 = f"{WHY}; shop-n2 was about to leave and is needed after all: it is taken back instead of a new VM"
REPLACED = f"{WHY}; shop-n1 is replaced: a node of 1 vCPU and 640 MiB joins first"
AWAY2 = f"{WHY}; shop-n2 was away for 120 s and more, and leaves"
NO_WAY = "can't be reached, and no other host has a VM of the nodes that may leave; bring the host back"
EVENED = "shop-n1 carries 3 and shop-n2 0 of the services and addresses: s0 moves to even that out"
KEPT = "an interrupted move of s0 left the constraint ondemand-move-s0"
UNSTABLE = "2 nodes are members, as wanted; the cluster is still starting or stopping resources"
NOT_FOUND = "no host shows a VM of the nodes that may leave, so none could be deleted; add the host that has it to the file"

# Case -> (what is there, nodes wanted, what else is told, the plan).
CASES: dict[str, tuple[Observation, int, dict[str, Any], Plan | Refusal]] = {
    # ---- nothing to do
    "all as wanted": (seen([N1, N2]), 2, {}, still(2)),
    "two are in standby by hand": (
        seen([N1, IDLE2, node(3, standby=True)]), 3, {},
        still(3, "shop-n2, shop-n3 are in standby by somebody's hand: counted as members, given no work, and left so"),
    ),
    "two are known beyond those wanted, and away": (
        seen([N1, OFF2, OFF3]), 1, SHORT, still(1, f"shop-n2, shop-n3 are known to the cluster and not online: {STAYS}"),
    ),
    "one is in standby and one is away": (
        seen([N1, node(3, standby=True), OFF2]), 2, SHORT,
        still(2, "shop-n3 is in standby by somebody's hand: counted as a member, given no work, and left so", OFF2_WORDS),
    ),
    # ---- limits, and a cluster that is whole
    "more than the most": (
        seen([N1]), 5, {}, Refusal(Reason.MAXIMUM, "5 VMs are wanted, and the requirement of shop allows 4 at most; raise requirement.nodes.max first"),
    ),
    "fewer than the least": (
        seen([N1]), 0, {}, Refusal(Reason.MINIMUM, "0 VMs are wanted, and the requirement of shop keeps 1 at least; "
            "lower requirement.nodes.min first, or use destroy_cluster to end the cluster"),
    ),
    "more than the most, before there is a cluster": (
        seen([]), 5, {}, Refusal(Reason.MAXIMUM, "5 VMs are wanted, and the requirement of shop allows 4 at most; raise requirement.nodes.max first"),
    ),
    "no cluster": (seen([]), 2, {}, one(steps.create(1, LIMITS, f"{WHY}; there is no cluster yet"))),
    "no cluster in sight": (
        seen([], unreachable=["hv1", "hv2"]), 2, {},
        Refusal(
            Reason.HOST_UNREACHABLE, "no cluster is in sight, but hv1, hv2 can't be reached and may hold it; bring the host back"
        ),
    ),
    "no quorum": (
        seen([N1, N2], quorate=False), 3, {},
        Refusal(Reason.NOT_QUORATE, "shop can't be changed now: it has no quorum"),
    ),
    "two are unclean": (
        seen([N1, node(3, unclean=True), node(2, unclean=True)]), 4, {},
        Refusal(Reason.UNCLEAN, "shop can't be changed now: ['shop-n3', 'shop-n2']"),
    ),
    # ---- lost nodes
    "one has lost its VM": (seen([N1, OFF2], vms(1)), 2, LONG, recover(2, 1, 2, LOST2)),
    "two have lost their VMs, and three are wanted": (
        seen([N1, OFF2, OFF3], vms(1)), 3, LONG,
        recover(3, 2, 3, f"the VM of shop-n2 is gone from every host, the VM of shop-n3 is gone from every host{MISSED}"),
    ),
    "one has lost its VM, and one is wanted": (seen([N1, OFF2], vms(1)), 1, LONG, recover(1, 1, 1, LOST2)),
    "one that was let go is back": (
        seen([N1, N3], vms(1, 2, 3), withheld=("shop-n2",)), 2, {},
        recover(2, 0, 2, "shop-n2 came back with its host and is no member any more"),
    ),
    "one that was let go is back, and more are wanted": (
        seen([N1], vms(1, 2), withheld=("shop-n2", "shop-n9")), 2, {},
        recover(2, 0, 1, "shop-n2 came back with its host and is no member any more"),
    ),
    "one that was let go is not back": (seen([N1, N3], vms(1, 3), withheld=("shop-n2",)), 2, {}, still(2)),
    "one that was let go is back, and there is no quorum": (
        seen([N1, OFF3], vms(1, 2, 3), quorate=False, withheld=("shop-n2",)), 2, {},
        Refusal(Reason.NOT_QUORATE, "shop can't be changed now: it has no quorum"),
    ),
    "one is off": (seen([N1, OFF2], [vm(1), stopped(2)]), 2, {}, recover(2, 1, 2, f"the VM of shop-n2 is off{MISSED}")),
    "one is off, and there is no quorum": (
        seen([N1, OFF2], [vm(1), stopped(2, "crashed")], quorate=False), 2, {}, recover(2, 1, 2, f"the VM of shop-n2 is off{MISSED}"),
    ),
    "one is off and another one has lost its VM": (
        seen([N1, OFF2, OFF3], [vm(1), stopped(2)]), 3, LONG,
        recover(3, 2, 3, f"the VM of shop-n2 is off, the VM of shop-n3 is gone from every host{MISSED}"),
    ),
    "one in standby by hand is off": (
        seen([N1, node(2, online=False, standby=True)], [vm(1), stopped(2)]), 2, SHORT, Plan((), f"1 of 2 are members; {OFF2_WORDS}"),
    ),
    "one half gone is off": (
        seen([N1, node(2, online=False, standby=True, leaving=True)], [vm(1), stopped(2)]), 2, {},
        recover(2, 1, 2, f"the VM of shop-n2 is off{MISSED}"),
    ),
    "one is paused": (seen([N1, OFF2], [vm(1), stopped(2, "paused")]), 2, SHORT, Plan((), f"1 of 2 are members; {OFF2_WORDS}")),
    "one is off and on its way out": (
        seen([N1, node(2, online=False, pending=True)], [vm(1), stopped(2)]), 2, SHORT, Plan((), f"1 of 2 are members; {OFF2_WORDS}"),
    ),
    "one has lost its VM a moment ago": (seen([N1, OFF2], vms(1)), 2, SHORT, Plan((), f"1 of 2 are members; {OFF2_WORDS}")),
    "one that has lost its VM may not leave as long as it may run": (seen([N1, OFF_NO], vms(1)), 2, LONG, recover(2, 1, 2, LOST2)),
    "nobody is in, and one has lost its VM": (
        seen([node(1, pending=True), OFF2], vms(1)), 1, LONG,
        Plan((), f"0 of 1 are members; shop-n1, shop-n2 are known to the cluster and not online: {STAYS}"),
    ),
    "one has lost its VM, and there is no quorum": (
        seen([N1, OFF2], vms(1), quorate=False), 2, LONG, recover(2, 1, 2, LOST2),
    ),
    "one has lost its VM a moment ago, and there is no quorum": (
        seen([N1, OFF2], vms(1), quorate=False), 2, SHORT,
        Refusal(Reason.NOT_QUORATE, "shop can't be changed now: it has no quorum"),
    ),
    "nobody knows of one, and there is no quorum": (
        seen([N1, OFF2], vms(1), quorate=False, unreachable=["hv2"]), 2, LONG,
        Refusal(
            Reason.NOT_QUORATE,
            "shop can't be changed now: it has no quorum; shop-n2 may be on hv2, which can't be reached: bring the host back, or see that it is off and run "
            "recover_cluster with confirm_dead=shop-n2",
        ),
    ),
    "nobody knows of two, and there is no quorum": (
        seen([N1, OFF2, OFF3], vms(1), quorate=False, unreachable=["hv2"]), 3, LONG,
        Refusal(
            Reason.NOT_QUORATE,
            "shop can't be changed now: it has no quorum; shop-n2, shop-n3 may be on hv2, which can't be reached: bring the host back, or see that it "
            "is off and run recover_cluster with confirm_dead=shop-n2,shop-n3",
        ),
    ),
    "one is unclean, and a half-made VM is too many": (
        seen([N1, node(2, unclean=True)], vms(1, 2, 3)), 2, {},
        Refusal(Reason.UNCLEAN, "shop can't be changed now: ['shop-n2']"),
    ),
    "one has lost its VM, and another is half made": (seen([N1, OFF2], vms(1, 3)), 1, LONG, recover(1, 1, 1, LOST2)),
    # ---- half-made VMs
    "a half-made VM too many": (seen([N1], vms(1, 2)), 1, {}, leave(1, ["shop-n2"], EXTRA.format("shop-n2", 1))),
    "half-made VMs too many, the ninth and the tenth": (
        seen([N1], [vm(10), vm(9), vm(1)]), 1, {}, leave(1, ["shop-n9", "shop-n10"], EXTRA.format("shop-n9, shop-n10", 1)),
    ),
    "a half-made VM too many, and a leave was cut off": (
        seen([N1, HALF2], vms(1, 2, 3)), 2, {}, leave(2, ["shop-n3"], EXTRA.format("shop-n3", 2)),
    ),
    "a half-made VM that is wanted": (seen([N1], vms(1, 2)), 2, {}, out(2, 1, MISSING)),
    # ---- a leave that was cut off, and it is needed after all
    "as many as wanted, and one is half gone": (seen([N1, HALF2]), 2, {}, out(2, 0, BACK2, ["shop-n2"])),
    "fewer than wanted, and one is half gone": (seen([N1, HALF2]), 4, {}, out(4, 2, BACK2, ["shop-n2"])),
    "two are half gone": (
        seen([N1, HALF2, HALF3]), 3, {},
        out(3, 0, BACK2.replace("shop-n2", "shop-n2, shop-n3"), ["shop-n2", "shop-n3"]),
    ),
    "one is half gone, and another is away": (seen([N1, HALF2, OFF3]), 3, SHORT, out(3, 1, BACK2, ["shop-n2"])),
    # ---- missing nodes
    "one is missing": (seen([N1]), 2, {}, out(2, 1, MISSING)),
    "three are missing": (seen([N1]), 4, {}, out(4, 3, f"{WHY}; 1 of 4 are members")),
    "one is missing, and one member's VM is on no host": (seen([N1, N2], vms(1)), 3, {}, out(3, 1, f"{WHY}; 2 of 3 are members", (), 1)),
    "one is missing, and a host is out of sight": (
        seen([N1, N2], vms(1), unreachable=["hv2"]), 3, {}, out(3, 1, f"{WHY}; 2 of 3 are members"),
    ),
    "one is away": (seen([N1, OFF2]), 2, SHORT, Plan((), f"1 of 2 are members; {OFF2_WORDS}")),
    "one was never seen away": (seen([N1, OFF2]), 2, {}, Plan((), f"1 of 2 are members; {OFF2_WORDS}")),
    "one is away, and one is missing": (seen([N1, OFF2]), 3, SHORT, out(3, 2, f"{WHY}; 1 of 3 are members")),
    "one is away for long": (seen([N1, OFF2]), 2, LONG, out(2, 1, MISSING)),
    "one is away since its creation": (seen([N1, OFF2]), 2, {**SHORT, "interrupted": StepKind.CREATE}, out(2, 1, MISSING)),
    "one is away since its join": (seen([N1, OFF2]), 2, {**SHORT, "interrupted": StepKind.OUT}, out(2, 1, MISSING)),
    "one is away since a leave": (seen([N1, OFF2]), 2, {**SHORT, "interrupted": StepKind.IN}, Plan((), f"1 of 2 are members; {OFF2_WORDS}")),
    "one too many is away, and work is uneven": (seen([CROWDED, N3, OFF2]), 2, SHORT, moved(("s0", "shop-n3", EVENED.replace("n2", "n3")))),
    # ---- another size
    "one of another size": (seen([N1, N2], OLD1[:2]), 2, {}, out(3, 1, REPLACED)),
    "one of another size, at the most": (
        seen([N1, N2, N3, N4], [*OLD1, vm(4)]), 4, {},
        Refusal(
            Reason.MAXIMUM,
            "shop-n1 can't be replaced: for a time 5 nodes would be there and the cluster file allows 4; raise requirement.nodes.max",
        ),
    ),
    "one of another size, and the new one is in": (
        seen([N1, N2], OLD1[:2]), 1, {}, leave(1, ["shop-n1"], f"{WHY}; 2 are members, and shop-n1 leaves"),
    ),
    "one of another size, and one too many is away for long": (seen([N1, OFF2], OLD1[:2]), 1, LONG, out(2, 1, REPLACED)),
    # ---- more than wanted
    "one too many is away for long": (seen([N1, OFF2]), 1, LONG, leave(1, ["shop-n2"], AWAY2)),
    "one too many is away for long, and may not leave": (seen([N1, OFF_NO]), 1, LONG, still(1, OFF2_WORDS)),
    "two too many are away for long": (
        seen([N1, OFF2, OFF3]), 1, LONG, leave(1, ["shop-n3", "shop-n2"], f"{WHY}; shop-n3, shop-n2 were away for 120 s and more, and leave"),
    ),
    "two are away for long, and one is too many": (seen([N1, OFF2, OFF3]), 2, LONG, out(2, 1, MISSING)),
    "of two that are away for long the collection's first one leaves": (
        seen([N1, OFF2, OFF3, N4], leave_order=("shop-n3",)), 2, LONG, leave(2, ["shop-n3", "shop-n2"],
        f"{WHY}; shop-n3, shop-n2 were away for 120 s and more, and leave"),
    ),
    "two that are away for long and that the collection has no order for": (
        seen([OFF3, OFF2, N1], leave_order=("shop-n1",)), 1, LONG,
        leave(1, ["shop-n2", "shop-n3"], f"{WHY}; shop-n2, shop-n3 were away for 120 s and more, and leave"),
    ),
    "two serve and one is away for long, and one is wanted": (seen([N1, OFF2, N3]), 1, LONG, leave(2, ["shop-n2"], AWAY2)),
    "one too many is away for long, and a host is out of sight": (
        seen([N1, OFF2], unreachable=["hv2"]), 1, LONG, still(1, OFF2_WORDS),
    ),
    "one too many is away for long, and no sample allows it": (seen([N1, OFF2]), 1, {**LONG, "held": "no sample"}, still(1, OFF2_WORDS)),
    "no more than wanted, of which one is away for long": (seen([N1, OFF2, N3]), 3, LONG, out(3, 1, f"{WHY}; 2 of 3 are members")),
    "one too many": (seen([N1, N2]), 1, {}, leave(1, ["shop-n2"], f"{WHY}; 2 are members, and shop-n2 leaves")),
    "two too many": (seen([N1, N2, N3]), 1, {}, leave(1, ["shop-n3", "shop-n2"], f"{WHY}; 3 are members, and shop-n3, shop-n2 leave")),
    "one too many, half gone": (
        seen([N1, HALF2, N3]), 2, {},
        leave(2, ["shop-n2"], f"{WHY}; 3 are members, and shop-n2 leaves the rest of the way: an earlier leave was cut off"),
    ),
    "one too many, with work": (
        seen([N1, node(2, ["s0"])]), 1, {},
        Plan(
            (
                steps.move("s0", "shop-n1", LIMITS, "shop-n2 is to leave, and shop-n1 carries least"),
                steps.scale_in(1, ["shop-n2"], LIMITS, f"{WHY}; 2 are members, and shop-n2 leaves"),
            ),
            f"{WHY}; 2 are members, and shop-n2 leaves",
        ),
    ),
    "one too many, and uneven work elsewhere": (
        seen([CROWDED, N2, N3]), 2, {}, leave(2, ["shop-n3"], f"{WHY}; 3 are members, and shop-n3 leaves"),
    ),
    "one too many, and no sample allows it": (seen([N1, N2]), 1, {"held": "no sample"}, Plan((), "no sample")),
    "one too many, and hosts are out of sight": (
        seen([N1, N2], unreachable=["hv2", "hv3"]), 1, {}, leave(1, ["shop-n2"], f"{WHY}; 2 are members, and shop-n2 leaves"),
    ),
    "one too many, and hosts are out of sight that have all who may leave": (
        seen([N1, N2], [], unreachable=["hv2", "hv3"]), 1, {}, Refusal(Reason.HOST_UNREACHABLE, f"hv2, hv3 {NO_WAY}"),
    ),
    "one too many, and nobody knows of another one": (
        seen([N1, N2, OFF3], vms(1, 2), unreachable=["hv2"]), 1, {},
        Refusal(
            Reason.HOST_UNREACHABLE,
            "shop-n3 may be on hv2, which can't be reached: bring the host back, or see that it is off and run recover_cluster with "
            "confirm_dead=shop-n3; until then none is removed",
        ),
    ),
    "one too many, and the collection names nobody": (
        seen([N2, N1], leave_order=()), 1, {}, leave(1, ["shop-n1"], f"{WHY}; 2 are members, and shop-n1 leaves"),
    ),
    "one too many, in standby by hand": (
        seen([N1, IDLE2], leave_order=("shop-n2", "shop-n1")), 1, {}, leave(1, ["shop-n1"], f"{WHY}; 2 are members, and shop-n1 leaves"),
    ),
    "one too many, and all are in standby by hand": (
        seen([node(1, standby=True), IDLE2]), 1, {},
        Refusal(
            Reason.UNSTABLE,
            "nobody can be told to leave: shop-n1, shop-n2 are in standby by somebody's hand: counted as members, given no work, "
            "and left so; take it out of standby or scale in by hand",
        ),
    ),
    "one too many, and none may leave": (
        seen([node(1, may_leave=Verdict(False, "unclean", "another")), node(2, may_leave=NO)]), 1, {},
        Refusal(Reason.QUORUM, "without it the votes that are left are too few"),
    ),
    "one too many, and none may leave, for no reason that is known": (
        seen([node(1, may_leave=Verdict(False, "unclean", "another")), node(2, may_leave=Verdict(False, "strange"))]), 1, {},
        Refusal(Reason.UNSTABLE, "shop-n2 may not leave"),
    ),
    "one too many, and who may leave has a VM on no host": (
        seen([N1, node(2, may_leave=NO)], vms(2)), 1, {}, Refusal(Reason.NOT_FOUND, NOT_FOUND),
    ),
    # ---- after a step without a known end
    "a creation was cut off": (seen([N1, N2]), 2, {"interrupted": StepKind.CREATE}, out(2, 0, INTERRUPTED.format("create_cluster"))),
    "a growth was cut off": (seen([N1, N2]), 2, {"interrupted": StepKind.OUT}, out(2, 0, INTERRUPTED.format("scale_out"))),
    "a recovery was cut off": (seen([N1, N2]), 2, {"interrupted": StepKind.RECOVER}, out(2, 0, INTERRUPTED.format("recover_cluster"))),
    "a leave was cut off": (seen([N1, N2]), 2, {"interrupted": StepKind.IN}, out(2, 0, INTERRUPTED.format("scale_in"))),
    "a move was cut off": (seen([N1, N2]), 2, {"interrupted": StepKind.MOVE}, still(2)),
    "a growth was cut off, and the cluster is changing": (
        seen([N1, N2], stable=False), 2, {"interrupted": StepKind.OUT}, out(2, 0, INTERRUPTED.format("scale_out")),
    ),
    "a growth was cut off while another is away": (
        seen([N1, N3, OFF2]), 2, {**SHORT, "interrupted": StepKind.OUT}, out(2, 0, INTERRUPTED.format("scale_out")),
    ),
    # ---- work
    "the cluster is changing": (seen([CROWDED, N2], stable=False), 2, {}, Plan((), UNSTABLE)),
    "the cluster is changing, and a move was cut off": (
        seen([CROWDED, N2], stable=False, temporary=("ondemand-move-s0",)), 2, {}, Plan((), UNSTABLE),
    ),
    "two are not started": (
        seen([CROWDED, N2], not_started=("s3", "s3-app")), 2, {},
        Plan((), "s3, s3-app is not started; nothing is moved until it is, or its failure is cleaned up"),
    ),
    "a move was cut off and left its constraint": (
        seen([node(1, ["s1"]), node(2, ["s0"])], temporary=("ondemand-move-s0",)), 2, {}, moved(("s0", "shop-n2", KEPT)),
    ),
    "a move was cut off, and work is uneven": (
        seen([CROWDED, N2], temporary=("ondemand-move-s0",)), 2, {}, moved(("s0", "shop-n1", KEPT)),
    ),
    "constraints of others, and of what runs nowhere": (
        seen([node(1, ["s0"]), node(2, ["s1"])], temporary=("s0", "ondemand-move-s9")), 2, {}, still(2),
    ),
    "a constraint of another before one of ours": (
        seen([node(1, ["s0"]), node(2, ["s1"])], temporary=("s1", "ondemand-move-s9", "ondemand-move-s0")), 2, {},
        moved(("s0", "shop-n1", KEPT)),
    ),
    "uneven work": (seen([CROWDED, N2]), 2, {}, moved(("s0", "shop-n2", EVENED))),
    "very uneven work": (
        seen([node(1, ["s0", "s1", "s2", "s3"]), N2]), 2, {},
        moved(
            ("s0", "shop-n2", EVENED.replace("carries 3", "carries 4")),
            ("s1", "shop-n2", EVENED.replace("shop-n2 0", "shop-n2 1").replace("s0 moves", "s1 moves")),
        ),
    ),
    "uneven work where a move failed": (seen([CROWDED, N2]), 2, {"barred": {"s0@shop-n2"}}, moved(("s1", "shop-n2", EVENED.replace("s0", "s1")))),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_it_is_planned_and_told_whole(case: str) -> None:
    there, wanted, told, found = CASES[case]
    assert plan(there, wanted, cluster(FILE), WHY, **told) == found


def test_the_number_is_the_reason_where_none_is_given() -> None:
    assert plan(seen([N1]), 2, cluster(FILE)) == out(2, 1, "2 nodes are wanted; 1 of 2 are members")


def test_the_playbook_is_never_told_fewer_than_the_least() -> None:
    made = cluster(merged(FILE, {"requirement": {"nodes": {"min": 2}}}))
    found = plan(seen([N1, N2, N3], vms(3)), 2, made, WHY)
    assert found == leave(2, ["shop-n3"], f"{WHY}; 3 are members, and shop-n3 leaves")
