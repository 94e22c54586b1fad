# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""The lease on hosts, on libvirt's real QEMU driver: of many who try at once one has it, it ends, and it goes."""

from __future__ import annotations

import concurrent.futures
import threading
import time
import types
import uuid

import pytest
from ansible_collections.ondemand.cluster.plugins.action import hosts_lease as action
from ansible_collections.ondemand.cluster.plugins.module_utils._libvirt import connection
from ansible_collections.ondemand.cluster.plugins.module_utils._libvirt.connection import HostAddress, libvirt
from ansible_collections.ondemand.cluster.plugins.module_utils._libvirt.host import hosts_lease
from ansible_collections.ondemand.cluster.plugins.module_utils._libvirt.host.hosts_lease import Claim

NAME = "ondemand-lease-shop"


@pytest.fixture
def lease(libvirt_daemon, run_module):
    """Run the module for shop on that host, named twice under two names as a careless file does."""
    hosts = [{"name": name, "uri": libvirt_daemon.uri} for name in ("hv1", "hv2")]
    return lambda state, token, cluster="shop", **options: run_module(
        "hosts_lease", hosts=hosts, cluster=cluster, state=state, token=token, deadline_s=60, **options
    )


def test_who_comes_second_is_refused_until_it_is_given_back(daemon, lease):
    first = lease("held", "a", holder="anna", purpose="create the cluster")
    assert first["changed"] is False and first["lease"]["token"] == "a" and first["unreachable_hosts"] == []
    second = lease("held", "b")
    assert second["failed"] and second["refusal"]["reason"] == "held" and second["lease"]["token"] == "a"
    assert "The VMs of shop are being worked on by anna: create the cluster" in second["msg"]
    assert not daemon.lookupByName(NAME).isActive()
    again = lease("held", "a", for_s=900)
    assert again["lease"]["since"] == first["lease"]["since"] and again["lease"]["until"] > first["lease"]["until"]
    lease("free", "b")
    assert daemon.lookupByName(NAME), "nobody gives back what is another's"
    lease("free", "a")
    assert [domain.name() for domain in daemon.listAllDomains(0)] == []
    assert lease("held", "b")["lease"]["token"] == "b"


def test_who_builds_an_image_of_the_cluster_s_name_keeps_nobody_who_changes_it(daemon, lease, libvirt_daemon, run_module):
    hosts = [{"name": "hv1", "uri": libvirt_daemon.uri}]
    lease("held", "a", cluster="shop-build", purpose="build the image shop")
    seen = run_module("vm_info", hosts=hosts, cluster="shop", deadline_s=60)
    assert (seen["vms"], seen["lease"]) == ([], None)
    assert lease("held", "b")["lease"]["token"] == "b"
    assert "build the image shop" in lease("held", "b", cluster="shop-build")["msg"]
    survey = run_module("host_info", hosts=hosts, deadline_s=60)["hosts"][0]
    assert (survey["vms"], survey["committed_memory_mib"]) == ([], 0)


def test_what_has_ended_and_what_is_over_is_taken_over(daemon, lease):
    lease("held", "a", for_s=1)
    time.sleep(1.1)
    assert lease("held", "b")["lease"]["token"] == "b"
    assert lease("held", "c")["failed"]
    assert lease("held", "c", over="b")["lease"]["token"] == "c"


def test_who_prolongs_it_is_told_as_before_and_an_ended_one_on_another_host_is_no_loss(daemon, lease, libvirt_daemon):
    lease("held", "a", holder="anna", purpose="create the cluster")
    assert lease("kept", "a", holder="anna", purpose="create the cluster")["lease"]["holder"] == "anna"
    ended, mine = Claim("old", "x", "y", 1, 2), Claim("a", "anna", "z", 1000, 2000)
    seen = [HostAddress("hv1", "one"), HostAddress("hv2", "two")]
    told, _answers = with_claims({"hv1": mine, "hv2": ended}, lambda: hosts_lease.kept(seen, "shop", mine, 5))
    assert told == mine
    told, _answers = with_claims({"hv1": mine, "hv2": Claim("b", "x", "y", 1, 3000)}, lambda: hosts_lease.kept(seen, "shop", mine, 5))
    assert told.token == "b"


def with_claims(claims, ask):
    """The answer where the hosts tell these claims, and are too slow for anything to be taken there."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            hosts_lease, "read_hosts", lambda hosts, *_rest, **_more: [connection.Reading(one, claims[one.name]) for one in hosts]
        )
        patch.setattr(hosts_lease, "held", lambda *_args: (None, []))
        return ask()


class Clock:
    """A clock on which whatever is run takes two seconds."""

    def __init__(self):
        self.now = 0.0

    def monotonic(self):
        """Seconds."""
        return self.now

    def sleep(self, seconds):
        """Goes on."""
        self.now += seconds


@pytest.mark.parametrize(("refused", "waited_s"), [(0, 0.0), (2, 8.0)], ids=["nobody has it", "somebody has it for a while"])
def test_only_what_another_run_held_it_for_is_a_wait(monkeypatch, refused, waited_s):
    clock, asked = Clock(), []

    def execute(_self, module_name, module_args, task_vars):
        clock.sleep(2)
        asked.append(module_args)
        if len(asked) <= refused:
            return {"failed": True, "refusal": {"reason": "held", "sentence": "no"}, "lease": {"token": "b"}}
        return {"changed": False, "lease": {"token": module_args["token"]}}

    monkeypatch.setattr(action, "time", clock)
    monkeypatch.setattr(action.ActionModule, "_execute_module", execute)
    monkeypatch.setattr(action.ActionBase, "run", lambda *_args: {})
    task = object.__new__(action.ActionModule)
    task._task = types.SimpleNamespace(args={"state": "held", "cluster": "shop", "wait_s": 60})
    done = task.run()
    assert done["waited_s"] == waited_s and done["lease"]["token"] == asked[0]["token"]
    assert "@" in asked[0]["holder"]
    task._task.args = {"state": "kept", "token": "a"}
    assert task.run()["waited_s"] == 0.0 and "@" in asked[-1]["holder"]


def test_a_host_on_which_it_cannot_be_taken_is_told_and_counts_for_none(daemon, libvirt_daemon, monkeypatch):
    def denied(*_args):
        raise libvirt.libvirtError("access denied")

    monkeypatch.setattr(hosts_lease, "take", denied)
    claim, answers = hosts_lease.held([HostAddress("hv1", libvirt_daemon.uri)], "shop", Claim("a", "x", "y", 1, 2), "", 60)
    assert claim is None and [(one.host.name, one.reachable) for one in answers] == [("hv1", False)] and answers[0].because


def test_what_was_lost_is_not_had_again_by_who_goes_on(daemon, lease):
    lease("held", "a", for_s=1)
    assert lease("kept", "a", for_s=2)["lease"]["token"] == "a"
    time.sleep(2.1)
    lease("held", "b")
    assert lease("kept", "a")["refusal"]["reason"] == "held"
    lease("free", "b")
    gone = lease("kept", "a")
    assert gone["refusal"]["reason"] == "held" and "is gone" in gone["msg"]
    assert daemon.listAllDomains(0) == []


def test_check_mode_takes_none(daemon, lease):
    assert lease("held", "a", check=True)["lease"] is None
    assert daemon.listAllDomains(0) == []


def test_a_host_that_does_not_answer_is_told_and_keeps_nobody(daemon, libvirt_daemon, run_module):
    hosts = [{"name": "hv1", "uri": libvirt_daemon.uri}, {"name": "hv2", "uri": "qemu+unix:///system?socket=/nowhere"}]
    told = run_module("hosts_lease", hosts=hosts, cluster="shop", state="held", token="a", deadline_s=60)
    assert told["lease"]["token"] == "a" and [one["host"] for one in told["unreachable_hosts"]] == ["hv2"]
    nobody = run_module("hosts_lease", hosts=hosts[1:], cluster="shop", state="held", token="a", deadline_s=60)
    assert nobody["lease"] is None and not nobody.get("failed")


def test_a_domain_of_somebody_else_with_that_name_is_never_touched(daemon, lease):
    xml = hosts_lease.domain_xml(
        hosts_lease.render.machine(daemon.getCapabilities()), "shop", Claim("a", "b", "c", 1, 2), str(uuid.uuid4())
    )
    theirs = xml[: xml.index("<metadata>")] + xml[xml.index("</metadata>") + len("</metadata>") :]
    identity = daemon.defineXML(theirs).UUIDString()
    refused = lease("held", "a")
    assert refused["refusal"]["reason"] == "held" and "not ours" in refused["msg"]
    lease("free", "a")
    assert daemon.lookupByName(NAME).UUIDString() == identity


@pytest.mark.parametrize("faster", [True, False], ids=["and has it now", "and gave it back at once"])
def test_who_was_in_the_way_of_a_faster_one_looks_again(daemon, monkeypatch, faster):
    """Two replace the same old one: libvirt tells the slower one that there is nothing left to undefine, in this or that way."""
    hosts_lease.take(daemon, "shop", Claim("old", "x", "y", 1, 2))
    undefine = hosts_lease._undefine

    def too_late(host, identity):
        monkeypatch.setattr(hosts_lease, "_undefine", undefine)
        undefine(host, identity)
        if faster:
            hosts_lease.take(host, "shop", Claim("theirs", "x", "y", 10, 99))
        raise libvirt.libvirtError("cannot undefine transient domain")

    monkeypatch.setattr(hosts_lease, "_undefine", too_late)
    standing = hosts_lease.take(daemon, "shop", Claim("mine", "x", "y", 10, 99))
    assert standing.token == ("theirs" if faster else "mine")


def test_a_host_that_never_takes_it_is_asked_three_times(daemon, monkeypatch):
    asked = []

    def never(*_arguments):
        asked.append(1)
        raise libvirt.libvirtError("no room")

    monkeypatch.setattr(hosts_lease, "domain_xml", never)
    with pytest.raises(libvirt.libvirtError, match="no room"):
        hosts_lease.take(daemon, "shop", Claim("mine", "x", "y", 10, 99))
    assert len(asked) == 3


def attempt(host, token, gate):
    """Whose it is after one of several who try at once."""
    gate.wait(60)
    now = int(time.time())
    claim, answers = hosts_lease.held([host], "shop", Claim(token, "x", "y", now, now + 60), "", 60)
    assert claim is not None, answers
    return token, claim.token


@pytest.mark.parametrize("stale", [False, True], ids=["where there is none", "where an old one has ended"])
def test_of_many_who_try_at_once_one_has_it(daemon, libvirt_daemon, stale):
    host = HostAddress("hv1", libvirt_daemon.uri)
    for turn in range(10):
        if stale:
            hosts_lease.held([host], "shop", Claim("old", "x", "y", 1, 2), "", 60)
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            had = list(pool.map(attempt, [host] * 4, [f"{turn}-{number}" for number in range(4)], [threading.Barrier(4)] * 4))
        standing, _uuid = hosts_lease.look(daemon, "shop")
        winners = [mine for mine, told in had if mine == told]
        assert standing.token in winners, had
        if not stale:
            assert len(winners) == 1, had
        hosts_lease.free([host], "shop", standing.token, 60)
