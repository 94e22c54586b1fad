# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""The main job by its playbooks, on real VMs in the lab: one story, in the order of the tests."""

from __future__ import annotations

import concurrent.futures
import json
import subprocess
import time
import typing as t

import pytest

from tests.vm.tale import POOL, ROOT, Run, Tale, begun, command, environment, finished, said

NAME = "tale"


@pytest.fixture(scope="module")
def tale(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Tale]:
    story = begun(tmp_path_factory.mktemp("tale"), NAME)
    yield story
    finished("destroy_cluster", story.file, confirm=NAME)


@pytest.fixture(scope="module")
def ages() -> dict[str, str]:
    """Start times of the daemons and services on the first node, as they were while it was alone."""
    return {}


AGES = "ps -e -o lstart=,args= | grep -E '[/]usr/sbin/corosync|[p]acemaker|[/]usr/sbin/haproxy|[d]emo/(web|ledger)[.]py' | sort"


def names(tale: Tale) -> list[str]:
    return [node["name"] for node in tale.seen()["cluster"]["nodes"] if node["online"]]


def where(tale: Tale, service: str) -> str:
    return next(one["node"] for one in tale.seen()["cluster"]["services"] if one["name"] == service)


def services(tale: Tale) -> list[str]:
    return sorted(one["name"].removesuffix("-clone") for one in tale.seen()["cluster"]["services"] if one["name"] != "haproxy-clone")


def leases() -> list[str]:
    """The leases that stand on the hosts."""
    return [one for host in ("hv1", "hv2") for one in said(host, "virsh", "-q", "list", "--all", "--name").split() if "lease" in one]


def test_the_requirement_becomes_a_cluster_of_one_that_serves_whoever_else_tries_the_same(tale):
    """The rival has keys of its own; who comes second is told who is at work, and touches nothing."""
    rival = tale.changed("rival", access={"state_dir": str(tale.state) + "-rival"}, deadlines={**tale.data["deadlines"], "lease_s": 3})
    with concurrent.futures.ThreadPoolExecutor() as pool:
        creation = pool.submit(tale.done, "create_cluster")
        end = time.monotonic() + 60
        while not leases():
            assert not creation.done() and time.monotonic() < end, "no lease was ever seen"
            time.sleep(0.1)
        second = finished("create_cluster", rival)
        run = creation.result(900)
    assert second.code != 0 and "are being worked on by" in second.output and "create the cluster" in second.output, second.output
    assert leases() == []
    assert run.ondemand["nodes"] == ["tale-n1"]
    assert run.ondemand["vms"][0]["joined_at"] > run.ondemand["vms"][0]["timings"]["reachable_at"]
    cluster = tale.seen()["cluster"]
    assert (cluster["name"], cluster["quorate"], [node["name"] for node in cluster["nodes"]]) == (NAME, True, ["tale-n1"])
    assert {one["name"]: one["state"] for one in cluster["services"]}["ledger"] == "started"
    assert "tale-n1" in tale.get(0, "/t/someone/1")
    assert tale.get(1, "/health")


def test_a_vm_has_the_disk_and_the_name_servers_of_the_file(tale):
    first = tale.seen()["vms"][0]
    assert tale.on(first, "cat /etc/resolv.conf") == "nameserver 10.99.0.3\nnameserver 10.99.0.4\n"
    end = time.monotonic() + 120
    while tale.on(first, "systemctl is-active ondemand-grow.service || true").strip() == "activating" and time.monotonic() < end:
        time.sleep(1)
    assert tale.on(first, "systemctl show -P Result ondemand-grow.service").strip() == "success"
    assert int(tale.on(first, "df -BM --output=size / | tail -1").strip().rstrip("M")) > 8 * 1024


def test_creating_it_again_changes_nothing(tale):
    assert tale.done("create_cluster").changes == 0


def test_the_only_member_that_was_about_to_leave_is_taken_back(tale):
    """No cluster is created beside it, and nobody else is there to ask."""
    before = tale.seen()
    first = before["vms"][0]
    tale.on(first, "crm_attribute --node tale-n1 --lifetime forever --name standby --update on --id ondemand-leaving-tale-n1")
    assert tale.seen()["cluster"]["nodes"][0]["leaving"]
    run = tale.done("scale_out", wanted=1)
    assert run.changes > 0 and run.ondemand["nodes"] == ["tale-n1"]
    after = tale.seen()
    node = after["cluster"]["nodes"][0]
    assert (node["id"], node["standby"], node["leaving"]) == (before["cluster"]["nodes"][0]["id"], False, False)
    assert [one["uuid"] for one in after["vms"]] == [first["uuid"]]
    assert where(tale, "ledger") == "tale-n1" and tale.get(0, "/health") and tale.get(1, "/health")


def test_the_room_of_a_pool_is_that_of_now(tale):
    """Growing overlays take room behind libvirt's back, as this file does."""
    ballast = str(POOL / "ballast.raw")

    def free_mib():
        return next(one["pool"]["free_mib"] for one in tale.seen()["hosts"] if one["name"] == "hv1")

    before = free_mib()
    said("hv1", "fallocate", "--length", "800MiB", ballast)
    try:
        assert before - free_mib() > 500
    finally:
        said("hv1", "rm", ballast)


def test_half_a_pair_of_keys_is_made_whole(tale):
    public = tale.state / "id_ed25519.pub"
    text = public.read_text()
    public.unlink()
    tale.done("scale_out", wanted=1)
    assert public.read_text() == text


def test_who_lacks_the_key_of_the_vms_is_told_so_and_makes_no_other(tale):
    file = tale.changed("stranger", access={"state_dir": str(tale.state.with_name("elsewhere"))})
    for playbook, variables in (
        ("observe", {}),
        ("scale_out", {"wanted": 2}),
        ("create_cluster", {}),
        ("move_service", {"service": "ledger"}),
    ):
        run = finished(playbook, file, **variables)
        assert run.code == 2 and "the key that logs in to tale-n1 is not in" in run.output, run.output
    assert tale.domains() == ["tale-n1"]
    assert not (tale.state.with_name("elsewhere") / "id_ed25519").exists()


def test_growing_makes_a_vm_on_the_other_host_and_restarts_nothing(tale, ages):
    first = tale.seen()["vms"][0]
    ages["before"] = tale.on(first, AGES)
    assert ages["before"].count("\n") >= 5, ages
    run = tale.done("scale_out", wanted=2)
    print("scale_out: %.1f s, VM %r" % (run.seconds, run.ondemand["vms"]))
    assert run.ondemand["nodes"] == ["tale-n1", "tale-n2"]
    assert run.ondemand["vms"][0]["host"] != first["host"]
    assert run.ondemand["serving_at"] > run.ondemand["vms"][0]["joined_at"]
    assert tale.on(first, AGES) == ages["before"]
    assert names(tale) == ["tale-n1", "tale-n2"]
    assert {"tale-n1", "tale-n2"} == {json.loads(tale.get(0, "/t/someone/%d" % number))["node"] for number in range(2, 12)}


def test_growing_to_what_is_there_changes_nothing(tale):
    run = tale.done("scale_out", wanted=2)
    assert (run.changes, run.ondemand["vms"]) == (0, [])


def test_services_are_added_and_removed_and_the_others_go_on(tale, ages):
    """By one playbook, which is foretold, changes nothing the second time, and is what growing sends to where the file has changed."""

    def untouched():
        # HAProxy's worker is another one after a reload, which keeps the connections that are open.
        return [line for line in tale.on(tale.seen()["vms"][0], AGES).splitlines() if "haproxy" not in line]

    before, served = untouched(), services(tale)
    mail = {
        "name": "mail",
        "kind": "movable",
        "address": "10.99.0.14",
        "port": 5002,
        "group": [{"name": "mail-app", "agent": "ocf:pacemaker:Dummy"}],
    }
    serve = {"agent": "ocf:heartbeat:anything", "options": {"binfile": "/usr/bin/python3", "cmdline_options": "-m http.server 8081"}}
    api = {"name": "api", "kind": "balanced", "address": "10.99.0.15", "port": 81, "resource": {**serve, "port": 8081}}
    wanted = tale.changed("services", services=[*tale.data["services"], mail, api])
    looked = subprocess.run(
        [*command("configure_services", wanted), "--check"], cwd=ROOT, capture_output=True, text=True, timeout=300, env=environment()
    )
    assert looked.returncode == 0 and Run(0, looked.stdout, 0).ondemand["changed"], looked.stdout + looked.stderr
    assert "mail" not in services(tale)
    done = finished("configure_services", wanted)
    print("configure_services: %.1f s" % done.seconds)
    assert done.code == 0 and done.ondemand["changed"], done.output
    assert untouched() == before
    assert where(tale, "mail") in names(tale)
    assert said("cli", "curl", "-sf", "--max-time", "10", "http://10.99.0.15:81/")
    assert finished("configure_services", wanted).changes == 0
    # With the older file nothing that it does not name is touched, and that is said.
    refused = tale.play("scale_out", wanted=2)
    assert refused.code == 2 and "mail-app" in refused.output and "configure_services" in refused.output, refused.output
    assert where(tale, "mail") in names(tale)
    assert tale.done("configure_services").ondemand == {"services": ["web", "ledger"], "members": names(tale), "changed": True}
    assert services(tale) == served and untouched() == before
    assert tale.done("scale_out", wanted=2).changes == 0
    ages["before"] = tale.on(tale.seen()["vms"][0], AGES)


def test_looking_first_tells_what_would_be_and_touches_nothing(tale):
    before = tale.seen()["vms"]
    done = subprocess.run(
        [*command("scale_out", tale.file, wanted=3), "--check"], cwd=ROOT, capture_output=True, text=True, timeout=300, env=environment()
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert Run(0, done.stdout, 0).ondemand["nodes"] == ["tale-n1", "tale-n2", "tale-n3"]
    assert tale.seen()["vms"] == before


def test_a_service_moves_and_leaves_no_wish_behind(tale):
    run = tale.done("move_service", service="ledger", to="tale-n2")
    assert (run.ondemand["from"], run.ondemand["to"]) == ("tale-n1", "tale-n2")
    assert run.ondemand["started_at"] >= run.ondemand["stopped_at"]
    assert where(tale, "ledger") == "tale-n2"
    assert [one["id"] for one in tale.seen()["cluster"]["constraints"] if one["temporary"]] == []
    assert tale.done("move_service", service="ledger", to="tale-n2").changes == 0


def test_a_run_that_is_killed_while_it_makes_a_vm_is_finished_by_the_next(tale):
    tale.killed("scale_out", lambda: "tale-n3" in tale.domains(), wanted=3)
    tale.done("scale_out", wanted=3)
    assert names(tale) == ["tale-n1", "tale-n2", "tale-n3"]
    assert tale.volumes() == sorted("tale-n%d%s" % (number, end) for number in (1, 2, 3) for end in (".qcow2", "-seed.iso"))


def test_a_standby_is_a_person_s_wish_but_that_of_an_unfinished_leave_is_taken_back_by_growing(tale):
    first = tale.seen()["vms"][0]
    standby = "crm_attribute --node tale-n3 --lifetime forever --name standby "
    tale.on(first, standby + "--update on")
    assert tale.done("scale_out", wanted=3).changes == 0
    assert [node["standby"] for node in tale.seen()["cluster"]["nodes"]] == [False, False, True]
    tale.on(first, standby + "--delete; " + standby + "--update on --id ondemand-leaving-tale-n3")
    assert tale.seen()["cluster"]["nodes"][2]["leaving"]
    run = tale.done("scale_out", wanted=3)
    assert [one["name"] for one in run.ondemand["vms"]] == ["tale-n3"] and run.changes > 0
    assert not any(node["standby"] or node["leaving"] for node in tale.seen()["cluster"]["nodes"])


def test_a_run_that_is_killed_while_a_node_leaves_is_finished_by_the_next(tale):
    here = tale.seen()
    first = here["vms"][0]
    tale.killed("scale_in", lambda: "tale-n3" not in tale.on(first, "crm_node -p; true").split(), wanted=2, leavers=["tale-n3"])
    tale.done("scale_in", wanted=2, leavers=["tale-n3"])
    assert names(tale) == ["tale-n1", "tale-n2"]
    assert tale.domains() == ["tale-n1", "tale-n2"]
    assert not [one for one in tale.volumes() if "-n3" in one]
    assert "tale-n3" not in (tale.state / "known_hosts").read_text()


def test_shrinking_takes_the_work_back_and_leaves_nothing_of_the_vm(tale, ages):
    """The maximum was lowered meanwhile, below what runs: that is no hindrance."""
    file = tale.changed("lowered", requirement={**tale.data["requirement"], "nodes": {"min": 1, "max": 1}})
    run = finished("scale_in", file, wanted=1, leavers=["tale-n2"])
    assert run.code == 0, run.output
    assert run.ondemand["nodes"] == ["tale-n1"]
    assert [(one["name"], one["deleted_at"] >= one["left_at"]) for one in run.ondemand["removed"]] == [("tale-n2", True)]
    assert (names(tale), where(tale, "ledger")) == (["tale-n1"], "tale-n1")
    assert tale.domains() == ["tale-n1"]
    assert tale.volumes() == ["tale-n1-seed.iso", "tale-n1.qcow2"]
    assert "tale-n2" not in (tale.state / "known_hosts").read_text()
    cluster_daemons = [line for line in ages["before"].splitlines() if "ledger" not in line]
    assert [line for line in tale.on(tale.seen()["vms"][0], AGES).splitlines() if "ledger" not in line] == cluster_daemons


def test_shrinking_to_what_is_there_changes_nothing(tale):
    run = tale.done("scale_in", wanted=1)
    assert (run.changes, run.ondemand["removed"]) == (0, [])


def test_a_vm_that_cannot_join_goes_again_and_the_cluster_serves_on(tale):
    """The first node can't send to the others, so no Corosync ever meets the new one, however fast or slow the VMs are."""
    seen = tale.seen()
    before, first = seen["cluster"], seen["vms"][0]
    file = tale.changed("hasty", deadlines={**tale.data["deadlines"], "join_s": 5})
    tale.on(first, "for n in $(seq 60 69); do ip route add blackhole 10.99.0.$n; done")
    try:
        run = finished("scale_out", file, wanted=2)
    finally:
        tale.on(first, "for n in $(seq 60 69); do ip route del blackhole 10.99.0.$n; done")
    assert run.code == 2, run.output
    assert '"reason": "deadline"' in run.output
    assert tale.domains() == ["tale-n1"]
    assert tale.volumes() == ["tale-n1-seed.iso", "tale-n1.qcow2"]
    after = tale.seen()["cluster"]
    assert [node["name"] for node in after["nodes"]] == [node["name"] for node in before["nodes"]]
    assert (after["quorate"], where(tale, "ledger")) == (True, "tale-n1")
    assert tale.get(0, "/health") and tale.get(1, "/health")


def test_a_cluster_that_may_not_grow_keeps_no_vm_that_was_begun_meanwhile(tale):
    first = tale.seen()["vms"][0]
    tale.on(first, "systemctl stop pacemaker")
    try:
        run = tale.play("scale_out", wanted=2)
    finally:
        tale.on(first, "systemctl start pacemaker")
    assert run.code != 0 and "there is no cluster that could grow; run create_cluster first" in run.output
    assert "Make and start the VM" in run.output
    assert tale.domains() == ["tale-n1"]
    assert tale.volumes() == ["tale-n1-seed.iso", "tale-n1.qcow2"]
    assert "tale-n2" not in (tale.state / "known_hosts").read_text()


def test_destroying_leaves_no_vm_and_no_key(tale):
    assert tale.done("destroy_cluster", confirm=NAME).ondemand["removed"] == ["tale-n1"]
    assert (tale.domains(), tale.volumes()) == ([], [])
    assert list(tale.state.iterdir()) == []
