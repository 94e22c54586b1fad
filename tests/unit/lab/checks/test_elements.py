# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""The elements P1 to P8, each asked of a few recordings: the whole sentence, and the edges of what counts as seen."""

from __future__ import annotations

import pytest

from lab.checks import elements
from tests.unit.lab.checks.parts import REQUIREMENT, action, case, member, note, vm
from tests.unit.lab.checks.parts import view as cluster

FILE = {"kind": "file", "at": 4.0, "sha256": "a" * 64}
SMALLER_FILE = {"kind": "file", "at": 200.0, "sha256": "b" * 64}
CREATED, STATEMENT = note("created", 30), note("statement", 201, memory_mib=512, sha256="b" * 64)


def host(name, at, ok=True):
    return {"kind": "host", "host": name, "at": at, "ok": ok}


def rate(at, per_s, service="web"):
    return {"kind": "rate", "at": at, "service": service, "rate_per_s": per_s}


HOSTS = [host("hv1", 6), host("hv2", 7)]
RECEIVED = "demo.yml (SHA-256 aaaaaaaaaaaa) was there at 4.0 s: 1 to 3 nodes; libvirt showed no VM of the cluster before 10.0 s"


@pytest.mark.parametrize(
    ("vms", "events", "witness", "told"),
    [
        ([vm()], [REQUIREMENT], [FILE, *HOSTS], RECEIVED),
        ([vm()], [REQUIREMENT], [host("hv2", 3, ok=False), FILE, *HOSTS], RECEIVED),
        ([vm()], [], [FILE, *HOSTS], "not seen: a requirement and a VM after it"),
        ([], [REQUIREMENT], [FILE, *HOSTS], "not seen: a requirement and a VM after it"),
        ([vm()], [REQUIREMENT], [SMALLER_FILE, *HOSTS], "not seen: the arrival of demo.yml by the witness"),
        (
            [vm(defined=8)],
            [REQUIREMENT],
            [{**FILE, "at": 8.0}, *HOSTS],
            "not seen: the requirement came at 8.0 s, the first VM already at 8.0 s",
        ),
        ([vm(defined=5)], [REQUIREMENT], [FILE, *HOSTS], "not seen: the requirement came at 5.0 s, the first VM already at 5.0 s"),
        (
            [vm()],
            [REQUIREMENT],
            [FILE, host("hv1", 10), host("hv2", 7, ok=False)],
            "not seen: hv1 and hv2 without a VM before 10.0 s: the witness could not look there",
        ),
    ],
)
def test_p1_the_file_was_there_before_a_vm_and_every_host_was_seen_without_one(vms, events, witness, told):
    evidence = elements.p1_requirement_received_first(case(vms=vms, events=events, witness=witness))
    assert (evidence.text, evidence.seen) == (told, not told.startswith("not seen"))


CREATION = "libvirt on hv1 showed n1 (UUID uuid-n1, 640 MiB) defined at 10.0 s, running at 11.0 s, its SSH banner came at 15.0 s"
TAKEN_BACK = "libvirt on hv1 showed n2 (UUID uuid-n2, 640 MiB) defined at 10.0 s, running at 11.0 s, its SSH banner came at ?"


@pytest.mark.parametrize(
    ("vms", "told"),
    [
        ([vm()], CREATION),
        ([vm(), vm("n2", running_at=None), vm("n3", defined=31)], CREATION),
        ([vm(), vm("n2", reachable_at=None, gone=25.0)], f"{CREATION}; {TAKEN_BACK}"),
        ([vm(), vm("n2", reachable_at=None)], "not seen: the SSH banner of n2"),
        ([vm(reachable_at=None), vm("n2", reachable_at=None), vm("n3")], "not seen: the SSH banner of n1, n2"),
        ([vm(reachable_at=None, gone=25.0)], "not seen: the SSH banner of n1"),
        ([vm(running_at=None)], "not seen: a VM that libvirt showed running before the creation was over"),
    ],
)
def test_p2_the_first_vms_ran_and_were_reached_unless_they_were_taken_back(vms, told):
    evidence = elements.p2_initial_vms_created(case(vms=vms, events=[CREATED]))
    assert (evidence.text, evidence.seen) == (told, not told.startswith("not seen"))


READ = "n1 (read there at 21.0 s): corosync 3.1 and pacemaker 2.1 installed and active"


@pytest.mark.parametrize(
    ("vms", "told"),
    [
        ([vm()], READ),
        ([vm(), vm("n2", joined_at=None, gone=25.0)], READ),
        ([vm(), vm("n2", joined_at=None)], "not seen: Corosync and Pacemaker among the packages of n2"),
        ([vm(), vm("n2", gone=25.0)], "not seen: Corosync and Pacemaker among the packages of n2"),
    ],
)
def test_p3_the_stack_is_on_every_first_vm_that_joined_or_stayed(vms, told):
    evidence = elements.p3_stack_on_initial_vms(case(vms=vms, events=[CREATED], witness=[cluster(20, None, "n1"), member(21)]))
    assert (evidence.text, evidence.seen) == (told, not told.startswith("not seen"))


@pytest.mark.parametrize(
    ("views", "accounts", "told"),
    [
        ([cluster(20, None, "n1")], [member(21)], "n1 online in a quorate cluster with HAProxy running at 20.0 s, Pacemaker active"),
        (
            [cluster(20, None, "n1", resources={}), cluster(26, None, "n1")],
            [member(21)],
            "n1 online in a quorate cluster with HAProxy running at 26.0 s, Pacemaker active",
        ),
        ([cluster(20, None, "n1"), cluster(9, None, "n1")], [], "not seen: failover processing on n1"),
        (
            [cluster(20, None, "n1")],
            [member(21, states={"corosync": "active", "pacemaker": "failed"})],
            "not seen: failover processing on n1",
        ),
        ([cluster(20, None, "n1")], [member(21, states={"corosync": "active"})], "not seen: failover processing on n1"),
        ([cluster(20, None, "n1", resources={"haproxy": ["n2"]})], [member(21)], "not seen: load balancing on n1"),
        ([cluster(20, None, "n1", quorate=False)], [member(21)], "not seen: membership and load balancing on n1"),
        ([cluster(20, None, "n1", quorate=None)], [member(21)], "not seen: membership and load balancing on n1"),
        ([cluster(20, None, "n1", nodes={"n1": "standby"})], [], "not seen: membership and load balancing and failover processing on n1"),
        ([cluster(9, None, "n1")], [], "not seen: membership and load balancing and failover processing on n1"),
    ],
)
def test_p4_a_member_has_all_three_functions_and_the_cluster_says_so_in_one_view(views, accounts, told):
    vms = [vm(), vm("n2", joined_at=None)]
    evidence = elements.p4_three_functions_on_every_member(case(vms=vms, witness=[*views, *accounts]))
    assert (evidence.text, evidence.seen) == (told, not told.startswith("not seen"))


def test_p4_every_member_is_told_and_without_one_nothing_was_seen():
    witness = [cluster(20, None, "n1"), member(21), cluster(30, None, "n1", "n2"), member(31, "n2")]
    active = "online in a quorate cluster with HAProxy running at"
    evidence = elements.p4_three_functions_on_every_member(case(vms=[vm(), vm("n2", 22)], witness=witness))
    assert evidence.text == f"n1 {active} 20.0 s, Pacemaker active; n2 {active} 30.0 s, Pacemaker active"
    assert elements.p4_three_functions_on_every_member(case(vms=[vm(joined_at=None)], witness=witness)).text == "not seen: a member"


@pytest.mark.parametrize(
    ("views", "told"),
    [
        ([cluster(20, None, "n1")], "at 20.0 s n1 told of n1 as the only node, online, DC n1, quorate: yes"),
        (
            [cluster(15, None, nodes={"n1": "offline", "n2": "offline"}), cluster(20, None, "n1", through="10.0.0.20")],
            "at 20.0 s 10.0.0.20 told of n1 as the only node, online, DC n1, quorate: yes",
        ),
        (
            [cluster(20, None, "n1", nodes={"n1": "online", "n2": "offline"})],
            "not seen: a cluster of n1 alone; the first one seen had n1, n2",
        ),
        ([cluster(20, None, "n2")], "not seen: a cluster of n1 alone; the first one seen had n2"),
        ([cluster(20, None, "n1", dc="n2")], "not seen: n1 as the DC of its own cluster; the first view has n2"),
        ([cluster(20, None, "n1", dc=None)], "not seen: n1 as the DC of its own cluster; the first view has none"),
        (
            [cluster(20, None, "n1", quorate=None), cluster(25, None, "n1")],
            "not seen: a quorate cluster of one; the first one seen, at 20.0 s, was not quorate",
        ),
        ([cluster(15, None, nodes={"n1": "offline"})], "not seen: a cluster with an online node"),
        ([], "not seen: a cluster with an online node"),
    ],
)
def test_p5_the_first_cluster_with_an_online_node_was_the_first_vms_own(views, told):
    evidence = elements.p5_cluster_of_one_first(case(vms=[vm()], witness=views))
    assert (evidence.text, evidence.seen) == (told, not told.startswith("not seen"))


def test_p5_a_cluster_without_a_vm_is_none_of_ours():
    assert elements.p5_cluster_of_one_first(case(witness=[cluster(20, None, "n1")])).text == "not seen: a VM of the cluster"


UP = action(began=102, because="much to do")  # decided at 100 s
DOWN = action("shrink", began=302, because="little to do")  # decided at 300 s
LOADS = [rate(20, 4.0), rate(90, 25.0), rate(290, 4.0)]
INCREASE = "increase determined at 100.0 s (web went from 4 to 25 transactions/s at 90.0 s): much to do"
DECREASE = "decrease determined at 300.0 s (web went from 25 to 4 transactions/s at 290.0 s): little to do"
NO_INCREASE, NO_DECREASE = (
    "not seen: an increase after the load had risen",
    "not seen: a decrease after the load had fallen or less was asked for",
)


@pytest.mark.parametrize(
    ("actions", "loads", "told"),
    [
        ([UP, DOWN], LOADS, f"{INCREASE}; {DECREASE}"),
        (
            [UP, DOWN],
            [rate(20, 4.0), rate(100, 25.0), rate(300, 4.0)],
            f"{INCREASE}; {DECREASE}".replace("290.0", "300.0").replace(" 90.0", " 100.0"),
        ),
        ([UP, DOWN], [rate(20, 4.0), rate(100.1, 25.0), rate(290, 4.0)], NO_INCREASE),
        ([UP, DOWN], [rate(20, 4.0), rate(90, 25.0), rate(300.1, 4.0)], NO_DECREASE),
        ([UP, DOWN], [rate(90, 25.0), rate(290, 4.0)], NO_INCREASE),
        ([UP, DOWN], [rate(20, 25.0), rate(90, 25.0), rate(290, 4.0)], NO_INCREASE),
        ([UP, DOWN], [rate(20, 30.0), rate(90, 25.0), rate(290, 4.0)], NO_INCREASE),
        ([UP, DOWN], [rate(20, 4.0), rate(90, 25.0), rate(290, 25.0)], NO_DECREASE),
        ([UP, DOWN], [rate(20, 4.0), rate(90, 25.0), rate(290, 26.0)], NO_DECREASE),
        ([DOWN], LOADS, NO_INCREASE),
        ([UP], LOADS, NO_DECREASE),
        ([], LOADS, NO_INCREASE),
        ([UP, action("replace", began=302, because="little to do")], LOADS, f"{INCREASE}; {DECREASE}"),
        ([UP, action("move", began=302)], LOADS, NO_DECREASE),
        ([UP, UP, DOWN, DOWN], LOADS, f"{INCREASE}; {DECREASE}; {DECREASE}"),
    ],
)
def test_p6_requirements_change_when_the_load_did_before(actions, loads, told):
    evidence = elements.p6_requirements_changed(case(actions=actions, client=[{"kind": "target", "at": 1}, *loads]))
    assert (evidence.text, evidence.seen) == (told, not told.startswith("not seen"))


def test_p6_the_largest_change_of_a_service_is_the_cause():
    loads = [rate(20, 4.0), rate(20, 10.0, "ledger"), rate(90, 25.0), rate(91, 30.0, "ledger"), rate(290, 4.0), rate(290, 8.0, "ledger")]
    evidence = elements.p6_requirements_changed(case(actions=[UP, DOWN], client=loads))
    assert evidence.text == f"{INCREASE}; {DECREASE}".replace("web went from 25 to 4", "ledger went from 30 to 8")


@pytest.mark.parametrize(
    ("file_at", "stated"),
    [(200.0, 200.0), (300.0, 300.0), (300.1, None), (199.9, None)],
)
def test_p6_a_new_statement_explains_a_decrease_once_its_file_was_seen(file_at, stated):
    seen = case(actions=[UP, DOWN], client=LOADS[:2], events=[STATEMENT], witness=[FILE, {**SMALLER_FILE, "at": file_at}])
    told = f"{INCREASE}; decrease determined at 300.0 s (after the new statement of {stated} s): little to do" if stated else NO_DECREASE
    assert elements.p6_requirements_changed(seen).text == told


def test_p6_a_new_statement_does_not_explain_an_increase():
    seen = case(actions=[UP, DOWN], events=[{**STATEMENT, "at": 50.0}], witness=[{**SMALLER_FILE, "at": 50.0}])
    assert elements.p6_requirements_changed(seen).text == NO_INCREASE


FIRST, ADDED = vm("n1", gone=260.0), vm("n2", 105.0)
SMALLER = vm("n3", 210.0, memory_mib=512, host="hv2")
SIZED = (
    "increase: n2 of 640 MiB defined on hv1 at 105.0 s; decrease: n3 of 512 MiB defined on hv2 at 210.0 s, "
    "took the place of n1 of 640 MiB, gone at 260.0 s"
)
NOT_SMALLER = "not seen: a smaller VM after the requirement had been stated smaller"
NOT_REPLACED = "not seen: a larger VM that went after n3 had joined"


@pytest.mark.parametrize(
    ("vms", "told"),
    [
        ([FIRST, ADDED, SMALLER], SIZED),
        ([FIRST, vm("n2", 100.0), SMALLER], SIZED.replace("105", "100")),
        ([FIRST, vm("n2", 99.9), ADDED, SMALLER], SIZED),
        ([FIRST, vm("n2", 99.9)], "not seen: a VM defined after the increase was determined"),
        ([FIRST, ADDED, vm("n3", 200.0, memory_mib=512, host="hv2")], SIZED.replace("210", "200")),
        ([FIRST, ADDED, vm("n3", 199.9, memory_mib=512)], NOT_SMALLER),
        ([FIRST, ADDED, vm("n3", 210.0, memory_mib=500)], NOT_SMALLER),
        ([FIRST, vm("n2", 105.0, memory_mib=512), SMALLER], NOT_SMALLER),
        ([vm("n1"), ADDED, SMALLER], NOT_REPLACED),
        ([vm("n1", gone=219.0), ADDED, SMALLER], NOT_REPLACED),
        ([vm("n1", gone=219.1), ADDED, SMALLER], SIZED.replace("260.0", "219.1")),
        ([vm("n1", gone=260.0, memory_mib=512), ADDED, SMALLER], NOT_REPLACED),
    ],
)
def test_p7_the_answers_are_a_new_vm_and_a_smaller_one_in_a_larger_ones_place(vms, told):
    seen = case(vms=vms, actions=[action("move"), UP, DOWN], events=[CREATED, STATEMENT], witness=[FILE, SMALLER_FILE])
    evidence = elements.p7_new_vms_sized_for_the_need(seen)
    assert (evidence.text, evidence.seen) == (told, not told.startswith("not seen"))


@pytest.mark.parametrize(
    ("actions", "events", "witness", "told"),
    [
        ([DOWN], [CREATED, STATEMENT], [SMALLER_FILE], "not seen: a VM defined after the increase was determined"),
        ([UP], [CREATED], [SMALLER_FILE], "not seen: a statement of a smaller need"),
        ([UP], [CREATED, STATEMENT], [FILE], "not seen: the arrival of the file with the smaller requirement by the witness"),
    ],
)
def test_p7_needs_a_growth_and_a_statement_that_arrived(actions, events, witness, told):
    seen = case(vms=[FIRST, ADDED, SMALLER], actions=actions, events=events, witness=witness)
    assert elements.p7_new_vms_sized_for_the_need(seen).text == told


@pytest.mark.parametrize(
    ("vms", "told"),
    [
        ([vm("n2", host="hv2"), vm("n1"), vm("n3", 20)], "on hv1: n1 from 11.0 s, n3 from 21.0 s; on hv2: n2 from 11.0 s"),
        ([vm("n1"), vm("n2", host="hv2", running_at=None)], "not seen: VMs running on two hosts; they ran on hv1"),
        ([vm("n1"), vm("n2")], "not seen: VMs running on two hosts; they ran on hv1"),
        ([vm("n1", running_at=None)], "not seen: VMs running on two hosts; they ran on none"),
    ],
)
def test_p8_vms_ran_on_several_hosts(vms, told):
    evidence = elements.p8_several_hosts(case(vms=vms))
    assert (evidence.text, evidence.seen) == (told, not told.startswith("not seen"))
