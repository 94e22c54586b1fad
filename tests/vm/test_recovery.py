# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""Everything that is lost is found again, on real VMs: one story, in the order of the tests. No acknowledged transaction is lost or double."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time
import typing as t

import pytest
import yaml

from tests.vm.tale import ROOT, Run, Tale, begun, environment, finished, inside, said

NAME = "back"
FIRST = int(time.time()) % 100_000_000
LEDGER_DISK = "/var/lib/ondemand-lab/shared/ledger.raw"
EVIDENCE = r"""
date; uptime; mount | grep ledger; ls -la /srv/ledger; dmesg | grep -i -e ext4 -e 'vd[a-z]'
grep -h -e 'Result of st.* for ledger' -e Quorum -e 'State transition' -e 'Filesystem(ledger-data)' /var/log/pacemaker/pacemaker.log | tail -60
journalctl -u demo-ledger -n 20 --no-pager; cat /etc/corosync/corosync.conf
"""
NUMBERS = itertools.count(FIRST)  # the data disk may have others, of an earlier story


class Story(Tale):
    """A cluster of two, one on each hypervisor, and what its clients were promised."""

    promised: t.ClassVar[list[int]] = []

    def transact(self, count: int = 5) -> None:
        """Transactions on the movable service, each acknowledged before the next."""
        one = self.data["services"][1]
        for number in itertools.islice(NUMBERS, count):
            url = "http://%s:%d/t/back/%d" % (one["address"], one["port"], number)
            said("cli", "curl", "-sf", "--max-time", "20", "-X", "POST", url)
            self.promised.append(number)

    def kept(self) -> None:
        """Each acknowledged transaction stands in the ledger once."""
        told = json.loads(self.get(1, "/ledger"))
        stored = sorted(int(one.split("/")[1]) for one in told["ids"] if one.startswith("back/"))
        if [one for one in stored if one >= FIRST] != self.promised:
            print(self.evidence())
        assert [one for one in stored if one >= FIRST] == self.promised

    def evidence(self) -> str:
        """Where the ledger ran when, and what each member and the disk say of it: what is lost can't be looked for later."""
        told = [said("hv1", "dumpe2fs", "-h", LEDGER_DISK), said("hv1", "debugfs", "-R", "ls -l /", LEDGER_DISK)]
        told += ["%s on %s\n%s" % (one["name"], one["host"], self.on(one, EVIDENCE)) for one in self.seen()["vms"]]
        return "\n".join(told)

    def where(self, name: str) -> str:
        """The host of a VM."""
        return str(next(one["host"] for one in self.seen()["vms"] if one["name"] == name))

    def healed(self, *names: str) -> t.Any:
        """These and no others are members, with quorum, and both services answer with all that was promised."""
        self.until_serving()
        seen = self.seen()
        assert [node["name"] for node in seen["cluster"]["nodes"]] == list(names) and seen["cluster"]["quorate"]
        assert all(node["online"] for node in seen["cluster"]["nodes"])
        assert sorted(one["name"] for one in seen["vms"]) == sorted(names) == self.domains()
        for key in ("address", "mac", "uuid"):
            assert len({one[key] for one in seen["vms"]}) == len(names)
        self.kept()
        self.transact()
        return seen

    def until_serving(self, tries: int = 120) -> None:
        """Wait until both services answer a client."""
        for _try in range(tries):
            if all(asked(self, number).returncode == 0 for number in (0, 1)):
                return
            time.sleep(1)
        raise AssertionError("the services never came back")


def asked(story: Tale, service: int) -> subprocess.CompletedProcess[str]:
    """One question of a client to a service."""
    one = story.data["services"][service]
    url = "http://%s:%d/health" % (one["address"], one["port"])
    return subprocess.run(
        [sys.executable, "-m", "lab", "run", "cli", "--", "curl", "-sf", "--max-time", "5", url],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )


def power(what: str, host: str) -> None:
    """A hypervisor's power."""
    subprocess.run([sys.executable, "-m", "lab", what, host], cwd=ROOT, check=True, timeout=300)


def told(run: Run, what: str) -> None:
    """The time of a recovery, for whoever reads the log."""
    print("%s: recover_cluster %.1f s" % (what, run.seconds))


def until_missed(story: Story) -> None:
    """Wait until the rest of the cluster has noticed that one is lost, and has no quorum."""
    for _try in range(30):
        if not story.seen()["cluster"]["quorate"]:
            return
        time.sleep(2)
    raise AssertionError("nobody missed it")


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Story]:
    directory = tmp_path_factory.mktemp("back")
    begun(directory, NAME)
    made = Story(directory, NAME)
    made.data["requirement"]["nodes"] = {"min": 2, "max": 3}
    made.data["recovery"] = {"after_s": 20}
    made.file.write_text(yaml.safe_dump({"cluster": made.data}))
    yield made
    for host in ("hv1", "hv2"):
        power("on", host)
    finished("destroy_cluster", pathlib.Path(made.file), confirm=NAME)


def other_than(story: Story, service: str) -> tuple[str, str]:
    """A member on which the service does not run, and its host."""
    seen = story.seen()
    busy = next(one["node"] for one in seen["cluster"]["services"] if one["name"] == service)
    return next((one["name"], one["host"]) for one in seen["vms"] if one["name"] != busy)


def test_two_members_serve(story: Story) -> None:
    story.done("create_cluster")
    story.transact()
    story.healed("back-n1", "back-n2")
    for host in ("hv1", "hv2"):
        assert (
            "enable"
            in said(host, "virsh", "dominfo", next(one for one in ("back-n1", "back-n2") if story.where(one) == host)).split("Autostart:")[
                1
            ]
        )


def test_where_nothing_is_lost_nothing_is_done(story: Story) -> None:
    run = story.done("recover_cluster")
    assert (run.changes, run.ondemand["started"], run.ondemand["lost"], run.ondemand["waits"]) == (0, [], [], [])


def test_one_whose_vm_was_powered_off_comes_back(story: Story) -> None:
    name, host = other_than(story, "ledger")
    said(host, "virsh", "destroy", name)
    run = story.done("recover_cluster")
    told(run, "a VM was off")
    assert (run.ondemand["started"], run.ondemand["lost"]) == ([name], [])
    seen = story.healed("back-n1", "back-n2")
    crashed = next(one for one in seen["vms"] if one["name"] == name)
    assert "corosync" in story.on(crashed, "journalctl --boot=-1 --unit=corosync --lines=5 --no-pager"), "what crashed has no log of it"


def test_one_whose_vm_is_gone_is_replaced(story: Story) -> None:
    name, host = other_than(story, "ledger")
    said(host, "virsh", "destroy", name)
    said(host, "virsh", "undefine", name)
    before = [one for one in ("back-n1", "back-n2") if one != name]
    run = story.done("recover_cluster")
    told(run, "a VM was gone")
    assert run.ondemand["lost"] == [name] and len(run.ondemand["vms"]) == 1
    seen = story.healed(*before, run.ondemand["vms"][0]["name"])
    assert len({node["id"] for node in seen["cluster"]["nodes"]}) == 2


def test_a_hypervisor_that_was_off_brings_its_member_back_by_itself(story: Story) -> None:
    name, host = other_than(story, "ledger")
    power("off", host)
    power("on", host)
    names = [node["name"] for node in story.seen()["cluster"]["nodes"]] if asked(story, 0).returncode == 0 else None
    story.until_serving()
    run = story.done("recover_cluster")
    told(run, "a hypervisor was off and on")
    assert (run.ondemand["started"], run.ondemand["lost"], run.ondemand["deleted"]) == ([], [], [])
    story.healed(*(names or [node["name"] for node in story.seen()["cluster"]["nodes"]]))
    assert name in story.domains()


def verdict_at_boot(story: Story, vm: t.Mapping[str, t.Any], known: pathlib.Path) -> list[str]:
    """What became of the gate, Corosync and Pacemaker on a VM that boots, then what the gate said."""
    look = "systemctl is-active ondemand-gate corosync pacemaker; journalctl --boot --unit=ondemand-gate --output=cat --no-pager"
    for _try in range(90):
        with contextlib.suppress(AssertionError):  # it does not answer yet
            told = story.on(vm, look, known).splitlines()
            if told[0] == "failed" or told[1] == "active":
                return told
        time.sleep(2)
    raise AssertionError("the VM did not boot, or its gate has no verdict")


def test_a_hypervisor_that_stays_off_needs_a_person_s_word_and_what_comes_back_with_it_goes(story: Story) -> None:
    name, host = other_than(story, "ledger")
    seen = story.seen()
    (kept,) = [node["name"] for node in seen["cluster"]["nodes"] if node["name"] != name]
    old = next(one for one in seen["vms"] if one["name"] == name)
    known = shutil.copy(story.state / "known_hosts", story.file.with_name("known_before"))
    power("off", host)
    until_missed(story)
    refused = story.play("recover_cluster")
    assert refused.code != 0 and "confirm_dead=%s" % name in refused.output and host in refused.output
    run = story.done("recover_cluster", confirm_dead=name)
    told(run, "a person confirmed a death")
    assert run.ondemand["lost"] == [name] and [one["host"] for one in run.ondemand["vms"]] == [one for one in ("hv1", "hv2") if one != host]
    new = run.ondemand["vms"][0]["name"]
    assert new not in (name, kept)
    story.until_serving()
    story.kept()
    story.transact()
    power("on", host)
    verdict = verdict_at_boot(story, old, known)
    assert verdict[:3] == ["failed", "inactive", "inactive"], verdict
    assert any("this node was let go while it was away" in line and "says %s" % kept in line for line in verdict[3:]), verdict
    run = story.done("recover_cluster")
    told(run, "a dead host came back")
    assert run.ondemand["deleted"] == [name]
    seen = story.healed(kept, new)
    assert seen["cluster"]["withheld"] == [] and name not in story.domains()


def test_a_whole_cluster_comes_back_after_a_power_cut(story: Story) -> None:
    names = [node["name"] for node in story.seen()["cluster"]["nodes"]]
    for host in ("hv1", "hv2"):
        power("off", host)
    begun_at = time.monotonic()
    for host in ("hv1", "hv2"):
        power("on", host)
    story.until_serving(tries=300)
    print("a power cut: serving after %.1f s" % (time.monotonic() - begun_at))
    story.healed(*names)


@contextlib.contextmanager
def driver(story: Story) -> t.Iterator[pathlib.Path]:
    """The driver at work on the story's cluster, as an operator starts it; gives its log."""
    log = story.file.with_name("driver.log")
    argv = [str(pathlib.Path(sys.executable).with_name("ondemand")), "run", str(story.file)]
    with log.open("w") as output:
        running = subprocess.Popen(inside("ctl", *argv), cwd=ROOT, stdout=output, stderr=output, env=environment(), start_new_session=True)
        try:
            yield log
        finally:
            os.killpg(running.pid, signal.SIGTERM)
            running.wait(300)


def until_members(story: Story, log: pathlib.Path, holds: t.Callable[[list[str]], bool]) -> list[str]:
    """Wait until there is a VM that runs for each node, all are online, the nodes are as wanted, and the driver rests; their names."""
    for _try in range(120):
        seen = story.seen()
        cluster = seen["cluster"]
        names = [node["name"] for node in cluster["nodes"]] if cluster else []
        running = sorted(one["name"] for one in seen["vms"] if one["state"] == "running")
        whole = running == sorted(names) and cluster and cluster["quorate"] and all(node["online"] for node in cluster["nodes"])
        if whole and holds(names) and rests(log):
            return names
        time.sleep(4)
    raise AssertionError(log.read_text()[-4000:])


def rests(log: pathlib.Path) -> bool:
    """Has the driver done a step, and is none under way?"""
    told = log.read_text()
    begun_steps, ended = (len(re.findall(rf"\] {word}\s", told)) for word in ("step", "outcome"))
    return begun_steps == ended > 0


def test_the_driver_brings_back_who_is_off_and_replaces_whose_vm_is_gone(story: Story) -> None:
    names = sorted(node["name"] for node in story.seen()["cluster"]["nodes"])
    with driver(story) as log:
        name, host = other_than(story, "ledger")
        begun_at = time.monotonic()
        said(host, "virsh", "destroy", name)
        until_members(story, log, lambda members: sorted(members) == names)
        print("the driver brought back who was off: %.1f s" % (time.monotonic() - begun_at))
        name, host = other_than(story, "ledger")
        old = next(one["uuid"] for one in story.seen()["vms"] if one["name"] == name)
        begun_at = time.monotonic()
        said(host, "virsh", "destroy", name)
        said(host, "virsh", "undefine", name)
        members = until_members(story, log, lambda members: len(members) == 2 and old not in [one["uuid"] for one in story.seen()["vms"]])
        print("the driver replaced whose VM was gone: %.1f s" % (time.monotonic() - begun_at))
    story.healed(*members)
