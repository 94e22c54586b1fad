# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""What the witness tells again and again, though nothing changed, and what it waits for: silence is not sight."""

from __future__ import annotations

import hashlib
import json
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from lab.observer import hosts, witness

CHECKOUT = Path(witness.__file__).resolve().parents[2]
MEMBER = """== packages
corosync 3.1.7-1
== config
9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08  -
== units
== partition
a
"""


def test_the_witness_waits_for_the_file_and_tells_each_of_its_contents(tmp_path, monkeypatch):
    monkeypatch.setattr(witness, "FILE_EVERY_S", 0.01)
    log, stop, path, found = witness.Log(tmp_path / "out"), threading.Event(), tmp_path / "shop.yml", []
    waiting = threading.Thread(target=lambda: found.append(witness.watch_file(log, path, stop)))
    waiting.start()
    assert (tmp_path / "out").read_text() == ""  # nothing has arrived
    path.write_text("cluster: {}")
    waiting.join(5)
    assert found == [hashlib.sha256(b"cluster: {}").hexdigest()]
    watching = threading.Thread(target=witness.watch_file, args=(log, path, stop, found[0]))
    watching.start()
    aside = tmp_path / "shop.new"
    aside.write_text("cluster: {name: shop}")
    aside.replace(path)
    end = time.monotonic() + 5
    while (tmp_path / "out").read_text().count("\n") < 2 and time.monotonic() < end:
        time.sleep(0.01)
    stop.set()
    watching.join(5)
    told = [json.loads(line) for line in (tmp_path / "out").read_text().splitlines()]
    assert [(one["kind"], one["sha256"]) for one in told] == [
        ("file", hashlib.sha256(content).hexdigest()) for content in (b"cluster: {}", b"cluster: {name: shop}")
    ]


def test_a_witness_whose_file_never_comes_ends_when_it_is_told(tmp_path):
    argv = [sys.executable, "-m", "lab.observer.witness", str(tmp_path / "none.yml"), "--out", str(tmp_path / "out")]
    process = subprocess.Popen(argv, cwd=CHECKOUT)
    end = time.monotonic() + 20
    while not (tmp_path / "out").exists() and time.monotonic() < end:
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    assert (process.wait(20), (tmp_path / "out").read_text()) == (0, "")


def test_a_host_in_sight_is_told_again_and_again(monkeypatch):
    monkeypatch.setattr(hosts, "TOLD_EVERY_S", 0.0)
    hosts.start_events()
    told: list[dict] = []
    stop = threading.Event()
    eye = hosts.HostEye("hv1", "test:///default", "shop", told.append)
    watching = threading.Thread(target=eye.watch, args=(stop, 0.01))
    watching.start()
    end = time.monotonic() + 5
    while len(told) < 5 and time.monotonic() < end:
        time.sleep(0.01)
    stop.set()
    watching.join()
    assert len(told) >= 5
    assert {(one["kind"], one["ok"]) for one in told} == {("host", True)}


CRM_MON = """<pacemaker-result><summary><current_dc name="a" with_quorum="true"/></summary>
<nodes><node name="a" online="true"/></nodes></pacemaker-result>"""


@pytest.mark.parametrize(("every_s", "read_again"), [(0.0, True), (3600.0, False)])
def test_members_are_asked_again_after_a_time_though_nothing_changed(tmp_path, monkeypatch, every_s, read_again):
    monkeypatch.setattr(witness, "CLUSTER_EVERY_S", 0.01)
    monkeypatch.setattr(witness, "MEMBERS_EVERY_S", every_s)
    asked: list[str] = []

    class Member:
        def run(self, _address, command):
            asked.append("cluster" if "crm_mon" in command and "== packages" not in command else "member")
            return CRM_MON if asked[-1] == "cluster" else MEMBER

    log, stop = witness.Log(tmp_path / "out"), threading.Event()
    log.vms["a"] = {"name": "a", "uuid": "a", "address": "a", "reachable": True}
    watching = threading.Thread(target=witness.watch_cluster, args=(log, Member(), stop))
    watching.start()
    end = time.monotonic() + 5
    while asked.count("cluster") < 4 and time.monotonic() < end:
        time.sleep(0.01)
    stop.set()
    watching.join()
    assert asked.count("cluster") >= 4
    assert (asked.count("member") > 1) is read_again
