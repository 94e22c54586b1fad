# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""The door to libvirt, on libvirt's own test driver, which needs no hypervisor."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ondemand.observe.libvirt_door import CpuSample, LibvirtDoor, cpu_of, name_in, quiet_uri

DOMAIN = """<domain type='test'><name>{name}</name><uuid>{uuid}</uuid><memory>1024</memory><vcpu>2</vcpu><os><type>hvm</type></os>{metadata}</domain>"""
METADATA = (
    """<metadata><ondemand:vm xmlns:ondemand="urn:ondemand:cluster:vm:1" cluster="{cluster}" name="{name}" owner="{owner}"/></metadata>"""
)


def write_node(folder: Path) -> str:
    """A test driver's world: a VM of ours, one of another cluster, one with a forged owner, one without a mark. Its URI."""
    marks = {
        "shop-n1": METADATA.format(cluster="shop", name="shop-n1", owner="ondemand.cluster"),
        "other-n1": METADATA.format(cluster="other", name="other-n1", owner="ondemand.cluster"),
        "shop-n2": METADATA.format(cluster="shop", name="shop-n2", owner="somebody"),
        "plain": "",
    }
    domains = [
        DOMAIN.format(name=name, uuid=f"00000000-0000-0000-0000-00000000000{i}", metadata=mark)
        for i, (name, mark) in enumerate(marks.items())
    ]
    (folder / "node.xml").write_text("<node>" + "".join(domains) + "</node>")
    return f"test://{folder}/node.xml"


@pytest.fixture
def silent() -> Iterator[int]:
    """A port that takes connections and never says a word."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        one.listen(8)
        kept: list[socket.socket] = []
        threading.Thread(target=lambda: _accept(one, kept), daemon=True).start()
        yield one.getsockname()[1]
        for each in kept:
            each.close()


def _accept(one: socket.socket, kept: list[socket.socket]) -> None:
    while True:
        try:
            kept.append(one.accept()[0])
        except OSError:
            return


def test_only_vms_with_our_mark_and_our_clusters_name_are_read(tmp_path: Path) -> None:
    door = LibvirtDoor([("hv1", write_node(tmp_path))], "shop", time.monotonic)
    (sample,) = door.read(10)
    assert sample.problem == ""
    assert sample.running == ("shop-n1",)
    assert sample.vms == {}, "this driver of libvirt tells no CPU time, and missing is not zero"
    door.close()


def test_a_host_that_hangs_delays_nobody_and_is_not_asked_twice(tmp_path: Path, silent: int) -> None:
    door = LibvirtDoor([("dead", f"qemu+tcp://127.0.0.1:{silent}/system"), ("hv1", write_node(tmp_path))], "shop", time.monotonic)
    door.read(5)
    began = time.monotonic()
    dead, well = door.read(0.5)
    assert time.monotonic() - began < 20
    assert "has not answered" in dead.problem
    assert dead.vms == {}
    assert well.running == ("shop-n1",)
    door.close()


def test_a_host_that_hung_is_read_again_though_the_call_never_ends(tmp_path: Path) -> None:
    """A pipe that nobody writes to takes the place of a host that hangs; then the host is well, at the same address."""
    path = tmp_path / "node.xml"
    os.mkfifo(path)  # who opens it waits for a writer, for ever
    door = LibvirtDoor([("hv1", f"test://{path}")], "shop", time.monotonic, give_up_s=0.5)
    (first,) = door.read(0.1)
    assert "has not answered" in first.problem
    path.unlink()
    write_node(tmp_path)
    until = time.monotonic() + 60
    while door.read(5)[0].problem and time.monotonic() < until:
        time.sleep(0.1)
    assert door.read(10)[0].running == ("shop-n1",)
    door.close()


def test_a_host_that_refuses_is_told_with_its_name(tmp_path: Path) -> None:
    door = LibvirtDoor([("hv9", f"test://{tmp_path}/absent.xml")], "shop", time.monotonic)
    (sample,) = door.read(10)
    assert sample.problem.startswith("hv9 can't be read")
    door.close()


@pytest.mark.parametrize("begin", ["qemu+ssh://hv1/system?command=", "qemu+ext:///system?command="])
def test_nothing_is_run_by_a_uri_that_names_a_command(tmp_path: Path, begin: str) -> None:
    program, trace = tmp_path / "run", tmp_path / "trace"
    program.write_text(f"#!/bin/sh\ntouch {trace}\n")
    program.chmod(0o700)
    door = LibvirtDoor([("hv1", f"{begin}{program}")], "shop", time.monotonic)
    (sample,) = door.read(20)
    door.close()
    assert "hv1 can't be read: its URI" in sample.problem
    assert not trace.exists()


def test_ssh_never_asks() -> None:
    assert quiet_uri("qemu+ssh://root@hv1/system") == "qemu+ssh://root@hv1/system?no_tty=1"
    assert quiet_uri("qemu+ssh://root@hv1/system?keyfile=/k") == "qemu+ssh://root@hv1/system?keyfile=/k&no_tty=1"
    assert quiet_uri("qemu+ssh://hv1/system?no_tty=0") == "qemu+ssh://hv1/system?no_tty=0"
    assert quiet_uri("test:///default") == "test:///default"


def test_vcpu_time_counts_where_it_is_told_and_all_cpu_time_otherwise() -> None:
    assert cpu_of({"vcpu.current": 2, "vcpu.0.time": 5, "vcpu.1.time": 7, "vcpu.0.halt.time": 3, "cpu.time": 99}, 1.0) == CpuSample(
        1.0, 12, 2
    )
    assert cpu_of({"vcpu.current": 2, "vcpu.0.time": 5, "cpu.time": 99}, 1.0) == CpuSample(1.0, 99, 2)
    assert cpu_of({"vcpu.current": 2}, 1.0) is None
    assert cpu_of({"cpu.time": 5}, 1.0) is None


def test_broken_metadata_is_not_ours() -> None:
    assert name_in("<x", "shop") is None
    assert name_in("<x/>", "shop") is None
