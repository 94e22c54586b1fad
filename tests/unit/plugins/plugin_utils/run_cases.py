# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""Events of a run, each as what it changes and what follows from that, and those that are to be refused."""

from __future__ import annotations

from typing import Any

from ansible_collections.ondemand.cluster.plugins.plugin_utils.run_account import after

from tests.unit.playbooks.a_run import FILE, a_run

Data = dict[str, Any]
FAILED = {"failed": True, "msg": "a disk is full"}
HELD = {"failed": True, "msg": "anna", "refusal": {"reason": "held", "sentence": "anna works on it"}}
TOLD_HELD = HELD["refusal"]
YES = {"allowed": True, "reason": None, "sentence": ""}
AWAY = [{"host": "hv2", "because": "it is off"}]


def vm(name: str, **more: Any) -> Data:
    return {"name": name, "host": "hv1", "address": f"10.0.0.{name[1:]}", "state": "running", "new": False, "complete": True, **more}


def node(name: str, **more: Any) -> Data:
    no = dict.fromkeys(("pending", "unclean", "standby", "leaving"), False)
    return {"name": name, "address": f"10.0.0.{name[1:]}", "online": True, **no, "host": None, "services": [], "may_leave": YES, **more}


def view(*nodes: Data, **more: Any) -> Data:
    names = [one["name"] for one in nodes]
    return {
        "name": "shop",
        "nodes": list(nodes),
        "quorate": True,
        "may_change": YES,
        "leave_order": names[::-1],
        "withheld": [],
        "lease": None,
        **more,
    }


HIDDEN = {"name": "n2", "address": "10.0.0.2", "online": True, "new": False, "unseen": True}
NEW = vm("n3", new=True, state="absent", complete=False)
TWO = a_run(vms=[vm("n1"), vm("n2")], view=view(node("n1"), node("n2", services=["ledger"])))
GROWING = after({**TWO, "vms": [*TWO["vms"], NEW]}, {"growing": {"wanted": 3, "first": False}})
SHRINKING = after(TWO, {"shrinking": {"wanted": 1, "leavers": "n2"}})
JOIN = {"node": "n3", "timings": {"started_at": 5, "joined_at": 6}}


def joined(**more: Any) -> Data:
    return {
        "node": "n3",
        "join": JOIN,
        "vm": NEW,
        "made": {"timings": {"made_at": 3, "boot_s": 2}},
        "begun": {"made_at": 1, "boot_s": None},
        **more,
    }


# What the run knows before, the event, and what it knows after it.
CHANGES: dict[str, tuple[Data, Data, Data]] = {
    "a run knows how long it holds a lease": (
        {},
        {"begun": FILE},
        {"lease_s": 120, "hosts_lease_s": 240, "vms": [], "view": None, "lease": ""},
    ),
    "a run that goes on keeps what it knows, but for what is of one part": (
        {**TWO, "lease": "t", "placed": True, "unseen": [1], "withheld": [2]},
        {"begun": FILE},
        {"lease": "t", "vms": TWO["vms"], "view": TWO["view"], "placed": False, "unseen": [], "withheld": []},
    ),
    "a wish is judged by the file": (
        a_run(),
        {"wished": {"file": {"name": "shop", "requirement": {"nodes": {"min": 1, "max": 3}}}, "wanted": "2", "direction": "out"}},
        {"refused": []},
    ),
    "who is found is there, who runs can be asked": (
        a_run(absent=["n1", "n9"]),
        {"found": {"vms": [vm("n1"), vm("n2", state="stopped"), vm("n4", state="stopped", complete=False)], "unreachable_hosts": AWAY}},
        {
            "existing": ["n1", "n2", "n4"],
            "new": [],
            "running": ["n1"],
            "off": ["n2"],
            "may_tell": ["n1"],
            "absent": ["n9"],
            "unreachable": AWAY,
        },
    ),
    "what is placed is there or new": (
        a_run(),
        {"placed": {"vms": [vm("n1"), NEW], "unreachable_hosts": []}},
        {"existing": ["n1"], "new": ["n3"], "running": ["n1"], "placed": True, "clashing": [], "unreachable": []},
    ),
    "members that no host shows are counted beside what is placed": (
        a_run(unseen=[{"name": "n2", "new": False, "unseen": True}]),
        {"placed": {"vms": [vm("n1")], "unreachable_hosts": AWAY}},
        {"existing": ["n1", "n2"], "running": ["n1"], "unreachable": AWAY},
    ),
    "members that no host shows are counted if they are online": (
        a_run(vms=[vm("n1")], view=view(node("n1"), node("n2"), node("n3", online=False)), silent=AWAY),
        {"counted": {}},
        {"existing": ["n1", "n2"], "missed": []},
    ),
    "a cluster that is seen has members online": (
        a_run(vms=[vm("n1"), vm("n2", state="stopped")], lease="t"),
        {"seen": {"cluster": view(node("n1"), node("n2"), node("n3", online=False), lease={"token": "t"})}},
        {"online": ["n1", "n2"], "missed": ["n2"], "unheld": False},
    ),
    "a cluster whose lease is another's is seen without it": (
        a_run(lease="t"),
        {"seen": {"cluster": view(node("n1"), lease={"token": "u"})}},
        {"unheld": True},
    ),
    "a cluster without a lease that this run thinks it holds": (
        a_run(lease="t"),
        {"seen": {"cluster": view(node("n1"))}},
        {"unheld": True},
    ),
    "nobody was asked for a cluster": (TWO, {"seen": {"skipped": True}}, {"view": None, "online": [], "unheld": False}),
    "a lease is held by its token": (a_run(), {"leased": {"lease": {"token": "t"}}}, {"lease": "t"}),
    "where no member could tell no lease is held": (a_run(lease="t"), {"leased": {"failed": False, "refusal": {}}}, {"lease": ""}),
    "a lease on the hosts is kept from then on": (
        a_run(),
        {"hosts_leased": {"lease": {"token": "t"}}},
        {"hosts_lease": "t", "hosts_lease_state": "kept"},
    ),
    "a lease on the hosts that was given back is none": (
        a_run(hosts_lease="t"),
        {"hosts_leased": {}},
        {"hosts_lease": "", "hosts_lease_state": "held"},
    ),
    "who could be started is waited for": (
        TWO,
        {"begun_to_wake": {"results": [{"item": "n1", "vm": {}}, {"item": "n2", "vm": {}, "refusal": TOLD_HELD}, {"item": "n4"}]}},
        {"waking": ["n1"], "slept": [TOLD_HELD]},
    ),
    "who answers runs": (
        a_run(vms=[vm("n1", state="stopped"), vm("n2", state="stopped")], slept=[1]),
        {"woken": {"results": [{"item": "n1", "vm": {}}, {"item": "n2", "refusal": TOLD_HELD}]}},
        {"started": ["n1"], "slept": [1, TOLD_HELD], "running": ["n1"], "off": ["n2"]},
    ),
    "nobody was off": (TWO, {"woken": {"skipped": True}}, {"started": [], "slept": []}),
    "a refusal is told at the end": (a_run(refusals=[1]), {"refused": HELD}, {"refusals": [1, TOLD_HELD]}),
    "a failure is told at the end": (a_run(), {"refused": FAILED}, {"refusals": [{"reason": "unstable", "sentence": "a disk is full"}]}),
    "a failure on a VM is told at the end": ({}, {"refused": FAILED}, {"refusals": [{"reason": "unstable", "sentence": "a disk is full"}]}),
    "who is deleted is not asked any more": (TWO, {"absent": "n2"}, {"may_tell": ["n1"], "running": ["n1", "n2"]}),
    "a VM knows when it was made": ({}, {"made": {"timings": {"made_at": 1}}}, {"begun": {"made_at": 1}}),
    "a VM that was not made knows nothing of it": ({}, {"made": FAILED}, {"begun": {}}),
    "a VM knows why it can't join": (
        {},
        {"unready": {"failed": True}},
        {"refusal": {"reason": "join_refused", "sentence": "no reason was given"}},
    ),
    "while a host is away as many fewer are placed as it hides": (
        a_run(vms=[vm("n1"), NEW], view=view(node("n1"), node("n2"), node("n4", online=False)), silent=AWAY),
        {"clashed": {"wanted": "3"}},
        {"to_place": 2, "withheld": ["10.0.0.2", "10.0.0.4", "n2", "n4"], "refused": [], "unseen": [HIDDEN]},
    ),
    "a new one hides nobody": (
        a_run(vms=[vm("n2", new=True)], view=view(node("n2")), silent=AWAY),
        {"clashed": {"wanted": 1}},
        {"to_place": 0, "unseen": [HIDDEN], "withheld": ["10.0.0.2", "n2"]},
    ),
    "while all hosts answer nobody is hidden": (
        a_run(vms=[vm("n1")], view=view(node("n1"), node("n2"))),
        {"clashed": {"wanted": 1}},
        {"to_place": 1, "unseen": [], "withheld": ["10.0.0.2", "n2"]},
    ),
    "no less than none is placed": (
        a_run(view=view(node("n1"), node("n2")), silent=AWAY),
        {"clashed": {"wanted": 1}},
        {"to_place": 0},
    ),
    "the load balancer knows everybody who is to be there": (
        a_run(vms=[vm("n1"), vm("n2"), vm("n4")]),
        {"named": {"wanted": "2"}},
        {"making": ["n1", "n2"], "servers": ["n1", "n2", "n4"], "slots": 3},
    ),
    "more than the most have slots too": (a_run(), {"named": {"wanted": 0}}, {"slots": 3}),
    "a cluster grows": (
        GROWING,
        {"growing": {"wanted": "3", "first": False}},
        {"members": ["n1", "n2"], "servers": ["n1", "n2", "n3"], "joined": [], "refusals": [], "refused": []},
    ),
    "the new ones of a growth that stops are taken back": (
        GROWING,
        {"stopped": FAILED},
        {"taken_back": ["n3"], "refused": [{"reason": "unstable", "sentence": "a disk is full"}]},
    ),
    "but not where another run goes on with them": (GROWING, {"stopped": HELD}, {"taken_back": [], "refused": [TOLD_HELD]}),
    "one joins those that are there": (
        GROWING,
        {"joining": {"node": "n3", "ready": ["n3"], "refusal": None}},
        {"joins_as": "member", "refused": []},
    ),
    "the first one makes the cluster": (
        {**GROWING, "members": []},
        {"joining": {"node": "n3", "ready": ["n3"], "refusal": None}},
        {"joins_as": "created"},
    ),
    "the only member that was about to leave stays": (
        {**GROWING, "members": [], "plan": {**GROWING["plan"], "back": ["n3"]}},
        {"joining": {"node": "n3", "ready": ["n3"], "refusal": None}},
        {"joins_as": "active"},
    ),
    "one that said why it is not ready is refused so": (
        GROWING,
        {"joining": {"node": "n3", "ready": [], "refusal": TOLD_HELD}},
        {"refused": [TOLD_HELD]},
    ),
    "one that was silent is refused all the same": (
        GROWING,
        {"joining": {"node": "n3", "ready": [], "refusal": None}},
        {"refused": [{"reason": "join_refused", "sentence": "n3 did not get ready to join; the tasks before say why"}]},
    ),
    "who joined is a member, and was made when its making began": (
        GROWING,
        {"joined": joined()},
        {
            "members": ["n1", "n2", "n3"],
            "joined": [
                {
                    "name": "n3",
                    "host": "hv1",
                    "address": "10.0.0.3",
                    "timings": {"made_at": 1, "boot_s": 2},
                    "join_started_at": 5,
                    "joined_at": 6,
                }
            ],
        },
    ),
    "who did not become a member is given up": (
        GROWING,
        {"unjoined": {"node": "n3", "join": {}, "failed": FAILED}},
        {"members": ["n1", "n2"], "given_up": True, "refusals": [{"reason": "join_refused", "sentence": "a disk is full"}]},
    ),
    "another node's join tells nothing of this one": (
        GROWING,
        {"unjoined": {"node": "n3", "join": {**JOIN, "node": "n2"}, "failed": FAILED}},
        {"given_up": True},
    ),
    "a join that did not end tells of no member": (
        GROWING,
        {"unjoined": {"node": "n3", "join": {"node": "n3", "timings": {"joined_at": None}}, "failed": FAILED}},
        {"members": ["n1", "n2"], "given_up": True},
    ),
    "who became a member stays one": (
        GROWING,
        {"unjoined": {"node": "n3", "join": JOIN, "failed": FAILED}},
        {"members": ["n1", "n2", "n3"], "given_up": False},
    ),
    "who was counted already is not counted twice": (
        {**GROWING, "members": ["n1", "n2", "n3"]},
        {"unjoined": {"node": "n3", "join": JOIN, "failed": FAILED}},
        {"members": ["n1", "n2", "n3"], "given_up": False},
    ),
    "who is another run's work is not given up": (
        GROWING,
        {"unjoined": {"node": "n3", "join": {}, "failed": HELD}},
        {"given_up": False, "refusals": [TOLD_HELD]},
    ),
    "a member that is away is not given up": (
        {**GROWING, "plan": {**GROWING["plan"], "expendable": []}},
        {"unjoined": {"node": "n3", "join": {}, "failed": FAILED}},
        {"given_up": False},
    ),
    "the members balance the load": (
        {**GROWING, "draining": ["n1"], "refusals": [TOLD_HELD]},
        {"balancing": {}},
        {"servers": ["n1", "n2"], "draining": [], "refused": []},
    ),
    "without any member nothing goes on": (a_run(refusals=[TOLD_HELD]), {"balancing": {}}, {"refused": [TOLD_HELD]}),
    "the end of a growth": (
        {**GROWING, "members": ["n2", "n1"], "refusals": [TOLD_HELD]},
        {"grown": {"check": False, "now": "7.5", "told": [[], [TOLD_HELD], [{"reason": "deadline", "sentence": "late"}]]}},
        {"nodes": ["n1", "n2"], "serving_at": 7.5, "refused": [TOLD_HELD, {"reason": "deadline", "sentence": "late"}]},
    ),
    "the end of a growth that was only tried": (
        GROWING,
        {"grown": {"check": True, "now": 7, "told": []}},
        {"nodes": ["n1", "n2", "n3"], "serving_at": None},
    ),
    "a failure without a word has no reason": (
        GROWING,
        {"stopped": {"failed": True}},
        {"refused": [{"reason": "unstable", "sentence": "no reason was given"}]},
    ),
    "a join that is not told of has no timings": (
        GROWING,
        {"unjoined": {"node": "n3", "join": {"node": "n3"}, "failed": FAILED}},
        {"given_up": True},
    ),
    "a drain is over": (
        SHRINKING,
        {"drained": {"balancers": ["n1", "n2"], "results": [{"busy": []}, {"busy": []}], "at_end": "keep", "deadline_s": "180"}},
        {"busy": [], "refusals": []},
    ),
    "who left is no server any more": (SHRINKING, {"gone": "n2"}, {"servers": ["n1"]}),
    "whose VM is deleted has left": (
        SHRINKING,
        {"left": {"node": "n2", "vm": vm("n2"), "leave": {"timings": {"left_at": 3}}, "deleted": {"timings": {"deleted_at": 4}}}},
        {"left": ["n2"], "removed": [{"name": "n2", "host": "hv1", "left_at": 3, "deleted_at": 4}]},
    ),
    "whose VM was never a member only went": (
        SHRINKING,
        {"left": {"node": "n2", "vm": vm("n2"), "leave": {"skipped": True}, "deleted": {"timings": {"deleted_at": 4}}}},
        {"removed": [{"name": "n2", "host": "hv1", "left_at": None, "deleted_at": 4}]},
    ),
    "who did not leave is told": (SHRINKING, {"kept": {"node": "n2", "failed": HELD}}, {"refusals": [TOLD_HELD]}),
    "who failed to leave is told": (
        SHRINKING,
        {"kept": {"node": "n2", "failed": FAILED}},
        {"refusals": [{"reason": "unstable", "sentence": "n2 did not leave: a disk is full"}]},
    ),
    "nobody is drained any more": (SHRINKING, {"undrained": {}}, {"draining": []}),
    "who is lost is let go": (
        a_run(
            vms=[vm("n1"), vm("n5")],
            view=view(
                node("n1"), node("n2", online=False), withheld=[{"name": "n5", "address": "10.0.0.5"}, {"name": "n6", "address": ""}]
            ),
        ),
        {"recovering": {"confirmed": [], "limits": {"min": 1, "max": 3}}},
        {"members": ["n1"], "refused": []},
    ),
    "what is left is told": (
        a_run(recovery={"waits": [{"sentence": "n2 is away"}], "warnings": ["look out"]}, slept=[TOLD_HELD]),
        {"recovered": {}},
        {"sentences": ["n2 is away", "anna works on it", "look out"]},
    ),
    "services are configured on who is online": (
        a_run(view=view(node("n1"), node("n2", standby=True), node("n3", online=False)), draining=["n1"]),
        {"configuring": {}},
        {"members": ["n1", "n2"], "servers": ["n1", "n2"], "plan": {"idle": ["n2"]}, "draining": [], "changed": False, "refused": []},
    ),
    "Pacemaker was changed": (TWO, {"configured": {"services": {"changed": True}, "balancers": [{}]}}, {"changed": True}),
    "a load balancer was changed": (
        TWO,
        {"configured": {"services": {"changed": False}, "balancers": [{}, {"changed": True}]}},
        {"changed": True},
    ),
    "nothing was changed": (TWO, {"configured": {"services": {"changed": False}, "balancers": [{"changed": False}]}}, {"changed": False}),
    "what two members refused alike is told once": (TWO, {"told_up": [[TOLD_HELD], [TOLD_HELD], []]}, {"refused": [TOLD_HELD]}),
    "the right name ends a cluster": (TWO, {"ending": {"confirm": "shop", "name": "shop"}}, {"refused": []}),
    "a movable service may move": (
        TWO,
        {"moving": {"service": "a", "file": {"name": "shop", "services": [{"name": "a", "kind": "movable"}]}}},
        {"refused": []},
    ),
    "where a VM runs a service can move": (TWO, {"unmoved": {"name": "shop"}}, {"refused": []}),
    "where a VM runs the cluster can be asked": (TWO, {"asking": {}}, {"refused": []}),
    "where all hosts answer every VM is known": (TWO, {"counting_all": {}}, {"refused": []}),
}


REFUSED: dict[str, tuple[Data, Data, str, str]] = {
    "too many": (
        a_run(),
        {"wished": {"file": {"name": "shop", "requirement": {"nodes": {"min": 1, "max": 3}}}, "wanted": 4, "direction": "out"}},
        "maximum",
        "allows 3",
    ),
    "no place while nobody tells what is taken": (a_run(silent=AWAY), {"clashed": {"wanted": 1}}, "host_unreachable", "hv2"),
    "a growth of no cluster": (a_run(), {"growing": {"wanted": 1, "first": False}}, "not_found", "create_cluster"),
    "a shrinkage without quorum": (
        {**TWO, "view": {**TWO["view"], "may_change": {"allowed": False, "reason": "not_quorate", "sentence": "shop has no quorum"}}},
        {"shrinking": {"wanted": 1, "leavers": []}},
        "not_quorate",
        "quorum",
    ),
    "a recovery of no cluster": (a_run(), {"recovering": {"confirmed": [], "limits": {"min": 1, "max": 3}}}, "not_found", "create_cluster"),
    "a configuration of no cluster": (a_run(), {"configuring": {}}, "not_found", "create_cluster"),
    "a deletion of what was not named": (a_run(), {"ending": {"confirm": "", "name": "shop"}}, "bad_input", "confirm is missing"),
    "a deletion by a part of the name": (a_run(), {"ending": {"confirm": "sho", "name": "shop"}}, "bad_input", "confirm is sho;"),
    "a move of nothing": (
        a_run(),
        {"moving": {"service": "", "file": {"name": "shop", "services": [{"name": one, "kind": "movable"} for one in "ab"]}}},
        "not_found",
        "service is missing; shop has these movable services: a, b",
    ),
    "a deletion by another name": (a_run(), {"ending": {"confirm": "ship", "name": "shop"}}, "bad_input", "confirm must be shop"),
    "a service that does not move": (
        a_run(),
        {"moving": {"service": "web", "file": {"name": "shop", "services": [{"name": "web", "kind": "balanced"}]}}},
        "not_found",
        "service is web; shop has these movable services: none",
    ),
    "a move where nobody runs": (a_run(), {"unmoved": {"name": "shop"}}, "not_found", "no VM of shop runs"),
    "a move where hosts are away": (a_run(silent=AWAY), {"unmoved": {"name": "shop"}}, "host_unreachable", "hv2"),
    "a question to nobody": (a_run(), {"asking": {}}, "not_found", "create_cluster"),
    "a deletion while a host is away": (a_run(silent=AWAY), {"counting_all": {}}, "host_unreachable", "hv2"),
}
