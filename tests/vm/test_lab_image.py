# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""The roles hypervisor and image in the lab: hosts made ready, a node image built, sealed, published, and booted twice."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
FILES = ("examples/demo.yml", "lab/testbed/hypervisors/lab.yml", "lab/workload/services/image.yml")
ENVIRONMENT = {**os.environ, "ANSIBLE_NOCOLOR": "1", "ANSIBLE_LOCALHOST_WARNING": "0", "ANSIBLE_SHOW_CUSTOM_STATS": "1"}
ADDRESSES = {"ctest-i1": "10.99.0.241", "ctest-i2": "10.99.0.242"}
KNOWN = CHECKOUT / "var" / "images" / "access"


def lab(*argv: str, deadline_s: float = 1200.0) -> subprocess.CompletedProcess[str]:
    """Run ``python3 -m lab``."""
    command = [sys.executable, "-m", "lab", *argv]
    return subprocess.run(command, cwd=CHECKOUT, env=ENVIRONMENT, capture_output=True, text=True, timeout=deadline_s, check=False)


def play(playbook: str, **variables: Any) -> subprocess.CompletedProcess[str]:
    """Run a playbook in the operator's space with the lab's variables."""
    files = [word for name in FILES for word in ("-e", f"@{name}")]
    command = [str(BIN / "ansible-playbook"), f"playbooks/{playbook}.yml", *files, "-e", json.dumps(variables)]
    return lab("run", "ctl", "--", *command)


def module(name: str, /, **options: Any) -> dict[str, Any]:
    """Run one module of the collection on the operator; its result."""
    command = [str(BIN / "ansible"), "localhost", "-m", f"ondemand.cluster.{name}", "-a", json.dumps(options)]
    done = lab("run", "ctl", "--", *command)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout[done.stdout.index("=>") + 2 :])


def changes(done: subprocess.CompletedProcess[str]) -> int:
    """Tasks that changed something, over all hosts."""
    assert done.returncode == 0, done.stdout + done.stderr
    return sum(int(n) for n in re.findall(r"changed=(\d+)", done.stdout.split("PLAY RECAP")[1]))


def told(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """What the playbook handed back by set_stats."""
    lines = [line.strip() for line in done.stdout.splitlines() if line.strip().startswith("RUN: ")]
    return json.loads(lines[-1][5:])["ondemand"]


@pytest.fixture(scope="module", autouse=True)
def built() -> Iterator[subprocess.CompletedProcess[str]]:
    """The lab with a published node image; it stays for the tests that come after."""
    up = lab("up")
    assert up.returncode == 0, up.stderr
    assert play("prepare_host").returncode == 0
    done = play("build_image")
    assert done.returncode == 0, done.stdout + done.stderr
    yield done
    for name in ADDRESSES:
        module("vm", uri="qemu+ssh://root@hv1/system", name=name, cluster="ctest", state="absent")


@pytest.fixture(scope="module")
def pair(built: object) -> dict[str, str]:
    """Two VMs of the image, started together, and what each says of itself."""
    with ThreadPoolExecutor(2) as pool:
        return dict(zip(ADDRESSES, pool.map(boot, ADDRESSES), strict=True))


def boot(name: str) -> str:
    """Boot a VM of the image and ask it who it is."""
    network = {"bridge": "br0", "address": ADDRESSES[name], "prefix": 24}
    key = (KNOWN / "id_ed25519.pub").read_text().strip()
    module("vm", uri="qemu+ssh://root@hv1/system", name=name, cluster="ctest", image="debian-12-node", memory_mib=512, network=network,
           authorized_keys=[key], known_hosts=str(KNOWN / f"known_hosts.{name}"), wait_s=400)  # fmt: skip
    ask = "cat /etc/machine-id; hostname; systemctl is-active corosync pacemaker haproxy; getent shadow root; command -v crm_mon corosync-cfgtool haproxy"
    login = ["-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=yes", "-o", f"UserKnownHostsFile={KNOWN}/known_hosts.{name}"]
    done = lab("run", "ctl", "--", "ssh", *login, "-i", str(KNOWN / "id_ed25519"), f"root@{ADDRESSES[name]}", ask)
    return done.stdout + done.stderr


def test_preparing_hosts_again_changes_nothing():
    assert changes(play("prepare_host")) == 0


def test_building_again_builds_nothing_and_publishes_the_same(built):
    again = play("build_image")
    assert changes(again) == 0
    first, second = told(built), told(again)
    assert first["image"] == second["image"]
    for host in second["hosts"]:
        published = [image for image in host["images"] if image["name"] == "debian-12-node"]
        assert published == [{key: second["image"][key] for key in ("name", "sha256", "generation")}]


def test_nothing_of_the_build_is_left_on_the_hosts():
    for host in ("hv1", "hv2"):
        assert "debian-12-node-" not in lab("run", host, "--", "virsh", "-q", "list", "--all", "--name").stdout
        volumes = lab("run", host, "--", "virsh", "-q", "vol-list", "ondemand").stdout
        assert "-build" not in volumes
        assert "-stock" not in volumes


def test_vms_of_the_sealed_image_are_two_different_machines(pair):
    identities = [answer.split()[0] for answer in pair.values()]
    assert all(re.fullmatch("[0-9a-f]{32}", identity) for identity in identities), pair
    assert len(set(identities)) == 2


def test_a_vm_takes_its_name_from_the_seed(pair):
    assert [answer.splitlines()[1] for answer in pair.values()] == list(pair)


def test_a_fresh_vm_has_the_stack_and_runs_none_of_it(pair):
    for answer in pair.values():
        assert answer.splitlines()[2:5] == ["inactive"] * 3, answer
        assert len(re.findall("/(?:crm_mon|corosync-cfgtool|haproxy)$", answer, re.M)) == 3


def test_root_has_no_password(pair):
    assert all("root:*:" in answer for answer in pair.values())


def test_a_cloud_image_with_another_checksum_is_refused_and_nothing_is_built():
    url = "http://10.99.0.3:8000/Release"
    refused = play("build_image", image_source="url", image_url=url, image_url_sha256="0" * 64, image_stock_script="")
    assert refused.returncode != 0
    assert "checksum" in refused.stdout.lower()
    assert not list((CHECKOUT / "var" / "images").glob("*.fetched"))


def test_all_problems_of_the_inputs_are_told_at_once():
    refused = play("build_image", image_source="url", image_url="ftp://x", image_files=[{"src": "/none", "dest": "rel"}])
    assert refused.returncode != 0
    for problem in ("image_url:", "image_url_sha256:", "no such file: /none", "dest must be an absolute path: rel"):
        assert problem in refused.stdout, problem
