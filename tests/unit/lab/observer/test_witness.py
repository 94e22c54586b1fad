# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""The witness: what it reads from libvirt, from HAProxy, from crm_mon and from a member, and that it only looks."""

from __future__ import annotations

import getpass
import hashlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
from pathlib import Path

import libvirt
import pytest

from lab.observer import hosts, parse, witness

CHECKOUT = Path(witness.__file__).resolve().parents[2]
UUID = "0f4f6d34-4b80-4b52-8c3a-0a53d5d2a001"
MARK = (
    "<metadata><ondemand:vm xmlns:ondemand='urn:ondemand:cluster:vm:1' cluster='{cluster}' owner='{owner}' address='127.0.0.1'"
    " generation='3' image='debian'/></metadata>"
)


def domain_xml(cluster="shop", owner="ondemand.cluster", name="shop-n1", uuid=UUID, mark=MARK):
    return (
        f"<domain type='test'><name>{name}</name><uuid>{uuid}</uuid>{mark.format(cluster=cluster, owner=owner)}"
        "<memory unit='MiB'>1280</memory><currentMemory unit='KiB'>655360</currentMemory><vcpu current='1'>2</vcpu>"
        "<os><type>hvm</type></os></domain>"
    )


def test_a_domain_of_the_cluster_is_read_with_its_present_size():
    assert parse.parse_domain(domain_xml(), "shop") == {
        "name": "shop-n1",
        "uuid": UUID,
        "address": "127.0.0.1",
        "generation": "3",
        "image": "debian",
        "memory_mib": 640,
        "vcpus": 1,
    }


@pytest.mark.parametrize("xml", [domain_xml(cluster="other"), domain_xml(owner="somebody"), domain_xml(mark="")])
def test_a_domain_that_is_not_of_the_cluster_is_not_looked_at(xml):
    assert parse.parse_domain(xml, "shop") is None


def wait_for(records, **wanted):
    end = time.monotonic() + 5
    while time.monotonic() < end:
        for record in list(records):
            if wanted.items() <= record.items():
                return record
        time.sleep(0.02)
    raise AssertionError(f"no {wanted} among {records}")


def test_libvirt_shows_a_vm_come_and_go():
    hosts.start_events()
    told: list[dict] = []
    eye = hosts.HostEye("hv1", "test:///default", "shop", told.append)
    stop = threading.Event()
    watching = threading.Thread(target=eye.watch, args=(stop, 0.05))
    watching.start()
    with libvirt.open("test:///default") as connection:
        foreign = connection.defineXML(domain_xml(cluster="other", name="other-n1", uuid=UUID[:-1] + "2"))
        try:
            wait_for(told, kind="host", ok=True)
            vm = connection.defineXML(domain_xml())
            wait_for(told, event="defined", name="shop-n1", host="hv1", memory_mib=640)
            vm.create()
            wait_for(told, event="running")
            vm.destroy()
            wait_for(told, event="stopped")
            vm.undefine()
            wait_for(told, event="gone", uuid=UUID)
        finally:
            stop.set()
            watching.join()
            foreign.undefine()
    assert [record["event"] for record in told if record["kind"] == "vm"] == ["defined", "running", "stopped", "gone"]


def test_a_vm_that_took_anothers_name_comes_after_that_one_went():
    hosts.start_events()
    told: list[dict] = []
    eye = hosts.HostEye("hv1", "test:///default", "shop", told.append)
    with libvirt.open("test:///default") as connection:
        first = connection.defineXML(domain_xml())
        eye._look()
        first.undefine()
        second = connection.defineXML(domain_xml(uuid=UUID[:-1] + "2"))
        try:
            eye._look()
        finally:
            second.undefine()
            eye._disconnect()
    assert [(one["event"], one["uuid"][-1]) for one in told] == [("defined", "1"), ("gone", "1"), ("defined", "2")]


def test_a_host_that_cannot_be_reached_is_told_once_and_tried_again(monkeypatch):
    monkeypatch.setattr(hosts, "RECONNECT_S", 0.05)
    told: list[dict] = []
    stop = threading.Event()
    eye = hosts.HostEye("hv9", "test:///nowhere/at-all.xml", "shop", told.append)
    threading.Timer(0.5, stop.set).start()
    eye.watch(stop, 0.05)
    assert [(record["kind"], record["ok"]) for record in told] == [("host", False)]
    assert told[0]["because"]


CIB = """<cib crm_feature_set="3.16.2" validate-with="pacemaker-3.9" epoch="5" num_updates="0" admin_epoch="0" have-quorum="1" dc-uuid="1">
<configuration><crm_config>
<cluster_property_set id="o"><nvpair id="f" name="stonith-enabled" value="false"/></cluster_property_set></crm_config>
<nodes><node id="1" uname="n1"/><node id="2" uname="n2">
<instance_attributes id="i"><nvpair id="s" name="standby" value="on"/></instance_attributes></node><node id="3" uname="n3"/></nodes>
<resources><clone id="web-clone"><primitive id="web" class="systemd" type="demo-web"/></clone><group id="ledger">
<primitive id="ledger-app" class="systemd" type="demo-ledger"/></group></resources><constraints/></configuration><status>
<node_state id="1" uname="n1" in_ccm="true" crmd="online" join="member" expected="member"><lrm id="1"><lrm_resources>{}</lrm_resources></lrm>
</node_state><node_state id="2" uname="n2" in_ccm="true" crmd="online" join="member" expected="member"><lrm id="2"><lrm_resources/></lrm>
</node_state></status></cib>"""
RUNNING = """<lrm_resource id="{0}" type="{1}" class="systemd"><lrm_rsc_op id="{0}_last_0" operation_key="{0}_start_0" operation="start"
crm_feature_set="3.16.2" transition-key="5:1:0:x" transition-magic="0:{2};5:1:0:x" on_node="n1" call-id="5" rc-code="{2}" op-status="0"
interval="0" last-rc-change="1795424242" exec-time="5" queue-time="0" op-digest="f2317cad3d54cec5d7d7aa7d0bf35cf8"/></lrm_resource>"""


def crm_mon(tmp_path, *operations):
    """The real crm_mon, looking at a CIB file."""
    (tmp_path / "cib.xml").write_text(CIB.format("".join(operations)))
    environment = {**os.environ, "CIB_file": str(tmp_path / "cib.xml"), "PATH": f"{os.environ['PATH']}:/usr/sbin"}
    argv = ["crm_mon", "--output-as=xml", "-1"]
    return subprocess.run(argv, env=environment, capture_output=True, text=True, check=True).stdout


def test_the_cluster_is_read_from_the_real_crm_mon(tmp_path):
    xml = crm_mon(tmp_path, RUNNING.format("web", "demo-web", 0), RUNNING.format("ledger-app", "demo-ledger", 0))
    assert parse.parse_crm_mon(xml) == {
        "dc": "n1",
        "quorate": True,
        "nodes": {"n1": "online", "n2": "standby", "n3": "offline"},
        "resources": {"web": ["n1"], "ledger-app": ["n1"]},
    }


def test_a_resource_whose_start_failed_does_not_run(tmp_path):
    xml = crm_mon(tmp_path, RUNNING.format("web", "demo-web", 1))
    assert parse.parse_crm_mon(xml)["resources"]["web"] == []


@pytest.mark.parametrize("text", ["", "<a", "<a/>", "Connection refused"])
def test_what_is_not_crm_mons_xml_is_refused(text):
    with pytest.raises(ValueError, match="crm_mon"):
        parse.parse_crm_mon(text)


def test_the_load_balancers_statistics_are_read_from_the_real_haproxy(tmp_path, start, free):
    web = start("n1", "web", free())
    port, stats = free(), free()
    (tmp_path / "haproxy.cfg").write_text(
        "defaults\n mode http\n timeout connect 1s\n timeout client 5s\n timeout server 5s\n"
        f"listen web\n bind 127.0.0.1:{port}\n server s1 127.0.0.1:{web.port} check inter 100ms\n server s2 127.0.0.1:1 disabled\n"
        f"frontend stats\n bind 127.0.0.1:{stats}\n stats enable\n stats uri /\n stats auth ondemand:secret\n"
    )
    haproxy = subprocess.Popen(["/usr/sbin/haproxy", "-f", str(tmp_path / "haproxy.cfg"), "-db"], stderr=subprocess.DEVNULL)
    try:
        end = time.monotonic() + 5
        while time.monotonic() < end:
            try:
                read = witness.read_balancer("127.0.0.1", "secret", stats)
                break
            except urllib.error.URLError:  # not listening yet
                time.sleep(0.05)
        assert read["servers"].keys() == {"web/s1"}  # the free slot is no server
        assert read["servers"]["web/s1"].startswith("UP")
        assert read["requests"]["web"] == 0
        with pytest.raises(OSError, match="401"):
            witness.read_balancer("127.0.0.1", "wrong", stats)
    finally:
        haproxy.terminate()
        haproxy.wait(5)


def test_what_is_not_the_statistics_is_refused():
    with pytest.raises(ValueError, match="not HAProxy"):
        parse.parse_balancer("<html>")


MEMBER = """== packages
corosync 3.1.7-1
haproxy 2.6.12-1
pacemaker 2.1.5-1
== config
9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08  -
== units
Id=corosync.service
ActiveState=active
ActiveEnterTimestampMonotonic=21000000

ActiveEnterTimestampMonotonic=22000000
ActiveState=failed
Id=pacemaker.service
== partition
shop-n2 shop-n1 \n"""


def test_a_members_account_of_itself_is_read():
    assert parse.parse_member(MEMBER) == {
        "packages": {"corosync": "3.1.7-1", "haproxy": "2.6.12-1", "pacemaker": "2.1.5-1"},
        "config_sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "states": {"corosync": "active", "pacemaker": "failed"},
        "started_us": {"corosync": 21000000, "pacemaker": 22000000},
        "partition": ["shop-n1", "shop-n2"],
    }


@pytest.mark.parametrize("text", ["", MEMBER.split("== partition")[0], MEMBER.replace("9f86", "\n== x\n9f86")])
def test_half_an_account_is_refused(text):
    with pytest.raises(ValueError, match="the member's answer lacks"):
        parse.parse_member(text)


class Told:
    """Stands for ssh to members, each with its account; one without is away."""

    def __init__(self, **accounts):
        self.accounts = accounts

    def run(self, address, _command):
        if address not in self.accounts:
            raise OSError("no route")
        return self.accounts[address]


@pytest.mark.parametrize(
    ("accounts", "settled"),
    [
        ({"a": MEMBER, "b": MEMBER}, True),
        ({"a": MEMBER, "b": MEMBER.replace("9f86", "8e75")}, False),
        ({"a": MEMBER}, False),
    ],
    ids=["they agree", "one has a passing file", "one is away"],
)
def test_members_are_read_again_until_all_tell_the_same_file(tmp_path, accounts, settled):
    log = witness.Log(tmp_path / "out")
    for name in ("a", "b"):
        log.vms[name] = {"name": name, "uuid": name, "address": name, "reachable": True}
    assert witness.read_members(log, Told(**accounts), ["a", "b"]) is settled
    told = [json.loads(line) for line in (tmp_path / "out").read_text().splitlines()]
    assert [one["node"] for one in told if one["kind"] == "member"] == sorted(accounts)


def test_a_banner_makes_a_vm_reachable_and_is_asked_for_once(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        told: list[str] = []

        def answer() -> None:
            for banner in (b"", b"SSH-2.0-x\r\n"):
                connection, _ = listener.accept()
                told.append("asked")  # before the answer, which lets the other side go on
                with connection:
                    connection.sendall(banner)

        threading.Thread(target=answer, daemon=True).start()
        log = witness.Log(tmp_path / "out.jsonl")
        stop = threading.Event()
        port = listener.getsockname()[1]
        log.on_running = lambda vm: witness.wait_for_banner(log, vm, stop, port)
        vm = {"kind": "vm", "name": "shop-n1", "uuid": UUID, "host": "hv1", "address": "127.0.0.1"}
        log.tell({**vm, "event": "defined"})
        assert log.reachable() == []
        log.tell({**vm, "event": "running"})
        log.tell({**vm, "event": "running"})  # known to be reachable: not probed again
    assert told == ["asked", "asked"]
    assert [one["name"] for one in log.reachable()] == ["shop-n1"]
    events = [json.loads(line)["event"] for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert events == ["defined", "running", "reachable", "running"]


def test_a_vm_that_goes_ends_its_probe(tmp_path, free):
    log = witness.Log(tmp_path / "out.jsonl")
    vm = {"kind": "vm", "name": "shop-n1", "uuid": UUID, "host": "hv1", "address": "127.0.0.1"}
    log.tell({**vm, "event": "defined"})
    threading.Timer(0.3, log.tell, ({**vm, "event": "gone"},)).start()
    witness.wait_for_banner(log, vm, threading.Event(), free())
    assert not log.is_there(UUID)


def test_the_same_trouble_is_told_once(tmp_path):
    log = witness.Log(tmp_path / "out.jsonl")
    for because in ("refused", "refused", "timed out"):
        log.trouble("balancer web", because)
    log.well("balancer web")
    log.trouble("balancer web", "timed out")
    lines = [json.loads(line)["because"] for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert lines == ["refused", "timed out", "timed out"]


@pytest.fixture
def sshd(tmp_path, free):
    """A real sshd on loopback; yields the state directory with the login key and the pinned host key, and the port."""
    for name in ("id_ed25519", "host_key", "other_key"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / name)], check=True)
    shutil.copy(tmp_path / "id_ed25519.pub", tmp_path / "authorized_keys")
    port = free()
    (tmp_path / "sshd_config").write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {tmp_path}/host_key\nAuthorizedKeysFile {tmp_path}/authorized_keys\n"
        f"PasswordAuthentication no\nUsePAM no\nStrictModes no\nPidFile none\nPermitRootLogin yes\n"
    )
    Path("/run/sshd").mkdir(exist_ok=True)
    server = subprocess.Popen(["/usr/sbin/sshd", "-D", "-e", "-f", str(tmp_path / "sshd_config")], stderr=subprocess.DEVNULL)
    end = time.monotonic() + 5
    while time.monotonic() < end:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            break
        except ConnectionError:
            time.sleep(0.05)
    yield tmp_path, port
    server.send_signal(signal.SIGTERM)
    server.wait(5)


def pin(state_dir, port, key):
    words = (state_dir / f"{key}.pub").read_text().split()
    (state_dir / "known_hosts").write_text(f"[127.0.0.1]:{port} {words[0]} {words[1]}\n")


def test_a_pinned_member_is_read_and_the_answer_comes_at_once(sshd, tmp_path_factory, monkeypatch):
    monkeypatch.setattr(witness, "SSH_TIMEOUT_S", 15.0)  # a kept-open connection that held a pipe of ours would hold it for 30 s
    state_dir, port = sshd
    pin(state_dir, port, "host_key")
    sockets = tmp_path_factory.mktemp("s")
    ssh = witness.Ssh(getpass.getuser(), state_dir, sockets, port)
    assert ssh.run("127.0.0.1", "echo one") == "one\n"
    assert ssh.run("127.0.0.1", "echo two") == "two\n"
    with pytest.raises(OSError, match="exit code 3"):
        ssh.run("127.0.0.1", "exit 3")
    ssh.close("127.0.0.1")


@pytest.mark.parametrize("pinned", ["other_key", None])
def test_a_member_whose_host_key_is_not_the_pinned_one_is_not_talked_to(sshd, tmp_path_factory, pinned):
    state_dir, port = sshd
    if pinned:
        pin(state_dir, port, pinned)
    else:
        (state_dir / "known_hosts").write_text("")
    ssh = witness.Ssh(getpass.getuser(), state_dir, tmp_path_factory.mktemp("s"), port)
    with pytest.raises(OSError, match="Host key verification failed"):
        ssh.run("127.0.0.1", "true")


def test_the_command_that_a_member_runs_is_sound_shell():
    subprocess.run(["sh", "-n", "-c", parse.MEMBER_SCRIPT], check=True)


def test_the_witness_watches_the_hosts_of_a_cluster_file_until_sigterm(tmp_path):
    (tmp_path / "node.xml").write_text(f"<node><cpu/>{domain_xml()}{domain_xml(cluster='other', name='x', uuid=UUID[:-1] + '2')}</node>")
    (tmp_path / "shop.yml").write_text(
        "cluster:\n  name: shop\n"
        f"  access: {{state_dir: {tmp_path}}}\n"
        f"  hosts:\n    - {{name: hv1, uri: 'test://{tmp_path}/node.xml'}}\n    - {{name: hv2, uri: 'test:///nowhere/at-all.xml'}}\n"
        "  services:\n    - {name: web, kind: balanced, address: 127.0.0.1}\n"
    )
    out = tmp_path / "out.jsonl"
    process = subprocess.Popen([sys.executable, "-m", "lab.observer.witness", str(tmp_path / "shop.yml"), "--out", str(out)], cwd=CHECKOUT)
    try:
        end = time.monotonic() + 10
        while time.monotonic() < end and not (out.exists() and "no such file" in out.read_text().lower() and "trouble" in out.read_text()):
            time.sleep(0.1)
    finally:
        process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 0
    records = [json.loads(line) for line in out.read_text().splitlines()]
    assert [(r["event"], r["name"], r["host"]) for r in records if r["kind"] == "vm"] == [
        ("defined", "shop-n1", "hv1"),
        ("running", "shop-n1", "hv1"),
    ]
    assert {(r["host"], r["ok"]) for r in records if r["kind"] == "host"} == {("hv1", True), ("hv2", False)}
    content = (tmp_path / "shop.yml").read_bytes()
    assert records[0]["kind"] == "file"  # the arrival comes first
    assert records[0]["sha256"] == hashlib.sha256(content).hexdigest()
    assert {r["eye"] for r in records if r["kind"] == "trouble"} == {"balancer web"}  # there is no stats_password
