# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""The libvirt modules on the real hypervisor of a lab of their own: uploads, clones, seeds, running VMs, live changes, deaths in the middle.

The image here is an empty disk, so the VMs run without an operating system; tests/vm/test_playbooks.py boots real ones, in the lab beside it.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pycdlib
import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
HOST, POOL, VM = "hv1", "ctest", "ctest-n1"
URI = "qemu:///system"
ENVIRONMENT = {**os.environ, "ONDEMAND_LAB": "vmtest"}
NETWORK = {"bridge": "br0", "address": "10.99.0.250", "gateway": "10.99.0.1"}


def inside(*argv: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "lab", "run", HOST, "--", *argv]
    return subprocess.run(command, cwd=CHECKOUT, env=ENVIRONMENT, input=stdin, capture_output=True, text=True, timeout=120, check=False)


def lab(word: str) -> subprocess.CompletedProcess[str]:
    """Make the lab of these tests, or take it away."""
    command = [sys.executable, "-m", "lab", word]
    return subprocess.run(command, cwd=CHECKOUT, env=ENVIRONMENT, capture_output=True, text=True, timeout=300, check=False)


def virsh(*words: str) -> str:
    done = inside("virsh", "-q", *words)
    assert done.returncode == 0, done.stderr
    return done.stdout


def run(module: str, options: dict[str, Any], check: bool = False, die_after: str | None = None) -> dict[str, Any]:
    """What the module said; empty if it died as it was told to."""
    job = {"module": module, "options": options, "check": check, "die_after": die_after}
    done = inside(sys.executable, "tests/vm/run_module.py", stdin=json.dumps(job))
    if die_after:
        assert done.returncode != 0, "it should have died"
        return {}
    assert done.stdout.strip().startswith("{"), done.stderr
    return json.loads(done.stdout)


def there() -> tuple[list[str], list[str]]:
    """Domains called ctest-, and the volumes of the pool as they are on the disk."""
    virsh("pool-refresh", POOL)
    domains = [name for name in virsh("list", "--all", "--name").split() if name.startswith("ctest-")]
    return domains, sorted(line.split()[0] for line in virsh("vol-list", POOL).splitlines() if line.strip())


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A pool of our own on the lab's first hypervisor, empty before and gone after."""
    lab("down")
    done = lab("up")
    assert done.returncode == 0, done.stderr
    path = f"/var/lib/libvirt/{POOL}"
    virsh("pool-define-as", POOL, "dir", "--target", path)
    virsh("pool-build", POOL)
    virsh("pool-start", POOL)
    yield POOL
    assert lab("down").returncode == 0


def disk(path: Path, size: str) -> dict[str, Any]:
    """Options of the module image for a fresh empty disk."""
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", str(path), size], check=True)
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    manifest = {"sha256": sha256, "generation": 1, "boot": "firmware"}
    return {"uri": URI, "pool": POOL, "name": "ctest", "src": str(path), "manifest": manifest}


@pytest.fixture(scope="module")
def image(pool: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    options = disk(tmp_path_factory.mktemp("image") / "a.qcow2", "16M")
    result = run("image", options)
    assert result["changed"] is True, result
    return options


@pytest.fixture
def options(image: dict[str, Any], tmp_path: Path) -> Iterator[dict[str, Any]]:
    """Options of a VM; it is gone after the test, and everything of it too."""
    shared = {"name": "data", "path": str(tmp_path / "data.raw"), "shareable": True}
    (tmp_path / "data.raw").write_bytes(b"\0" * 2**20)
    yield {
        "uri": URI,
        "name": VM,
        "cluster": "ctest",
        "pool": POOL,
        "image": "ctest",
        "vcpus": 1,
        "vcpus_max": 2,
        "memory_mib": 128,
        "memory_max_mib": 256,
        "network": NETWORK,
        "disks": [shared],
        "disk_cache": "unsafe",
        "authorized_keys": ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA operator"],
        "known_hosts": str(tmp_path / "known_hosts"),
    }
    gone = run("vm", {"uri": URI, "name": VM, "cluster": "ctest", "pool": POOL, "state": "absent"})
    assert gone["vm"] is None, gone
    domains, volumes = there()
    assert domains == []
    assert [volume for volume in volumes if volume.startswith(VM)] == []
    assert (tmp_path / "data.raw").stat().st_size == 2**20


def seed_files(tmp_path: Path) -> dict[str, str]:
    """The files of the seed as they lie in the pool."""
    path = tmp_path / "seed.iso"
    virsh("vol-download", "--pool", POOL, f"{VM}-seed.iso", str(path))
    image = pycdlib.PyCdlib()
    image.open(str(path))
    found = {}
    for child in image.list_children(rr_path="/"):
        if child is not None and not child.is_dir():
            name, out = child.rock_ridge.name().decode(), io.BytesIO()
            image.get_file_from_iso_fp(out, rr_path="/" + name)
            found[name] = out.getvalue().decode()
    image.close()
    return found


def check_key(result: dict[str, Any], options: dict[str, Any], tmp_path: Path) -> None:
    """The seed, the mark and known_hosts have one key, and the private half is in the seed only."""
    files = seed_files(tmp_path)
    public = result["vm"]["host_key"]
    assert files["ssh_host_ed25519_key.pub"] == f"{public} {VM}\n"
    assert Path(options["known_hosts"]).read_text() == f"10.99.0.250,{VM} {public}\n"
    (tmp_path / "key").write_text(files["ssh_host_ed25519_key"])
    (tmp_path / "key").chmod(0o600)
    shown = subprocess.run(["ssh-keygen", "-y", "-f", str(tmp_path / "key")], capture_output=True, text=True, check=True)
    assert shown.stdout.split()[:2] == public.split()
    secret = files["ssh_host_ed25519_key"].splitlines()[2]
    assert secret not in json.dumps(result)
    assert secret not in virsh("dumpxml", VM)


def test_an_image_is_published_once_and_a_new_one_lies_beside_it_while_vms_are_clones(options, image, tmp_path):
    assert run("image", image)["changed"] is False
    run("vm", dict(options, state="present"))
    other = disk(tmp_path / "b.qcow2", "17M")
    foretold = run("image", other, check=True)
    done = run("image", other)
    assert (foretold["diff"], foretold["uploaded"]) == (done["diff"], ["disk"])
    assert done["removed"] == []
    assert len([volume for volume in there()[1] if volume.endswith(".qcow2")]) == 3
    assert run("image", {"uri": URI, "pool": POOL, "name": "ctest", "state": "absent"})["refusal"]["reason"] == "in_use"
    run("vm", dict(options, state="absent"))
    assert run("image", image)["uploaded"] == ["disk"]
    assert len(there()[1]) == 2


def test_a_vm_is_made_as_foretold_runs_and_a_second_run_changes_nothing(options, tmp_path):
    foretold = run("vm", options, check=True)
    assert there()[0] == []
    made = run("vm", options)
    again = run("vm", options)
    assert (foretold["changed"], made["changed"], again["changed"]) == (True, True, False), made
    assert foretold["diff"] == made["diff"]
    assert virsh("domstate", VM).strip() == "running"
    assert made["vm"]["complete"] is True
    assert made["timings"]["defined_at"] <= made["timings"]["started_at"]
    assert "<shareable/>" in virsh("dumpxml", VM)
    below = virsh("vol-dumpxml", "--pool", POOL, f"{VM}.qcow2")
    assert "<backingStore>" in below
    assert "<capacity unit='bytes'>16777216</capacity>" in below
    check_key(made, options, tmp_path)
    host = {"name": HOST, "uri": URI, "pool": POOL}
    seen = run("vm_info", {"hosts": [host], "cluster": "ctest"})["vms"]
    assert [{**vm, "host": None, "zone": None} for vm in seen] == [{**made["vm"], "host": None, "zone": None}]
    told = run("host_info", {"hosts": [host]})["hosts"][0]
    assert [entry["name"] for entry in told["images"]] == ["ctest"]
    assert VM in told["vms"]


def test_a_running_vm_changes_within_its_headroom_without_a_restart(options):
    run("vm", options)
    begun = virsh("domid", VM)
    larger = dict(options, vcpus=2, memory_mib=256)
    assert [step["step"] for step in run("vm", larger)["steps"]] == ["vcpus", "memory_mib"]
    again = run("vm", larger)
    assert (again["changed"], again["vm"]["vcpus"], again["vm"]["memory_mib"]) == (False, 2, 256)
    assert virsh("vcpucount", VM, "--live", "--current").strip() == "2"
    beyond = run("vm", dict(options, vcpus=2, memory_mib=256, memory_max_mib=512))
    assert (beyond["changed"], beyond["restart_required"]) == (False, ["memory_max_mib"])
    fewer = run("vm", dict(options, memory_mib=256))
    assert (fewer["changed"], fewer["restart_required"]) == (False, ["vcpus"])
    assert virsh("domid", VM) == begun


DEATHS = ["define", "overlay", "upload", "seed", "finish", "start"]


@pytest.mark.parametrize("step", DEATHS)
def test_a_making_that_was_killed_is_finished_by_the_next_run(step, options, tmp_path):
    run("vm", options, die_after=step)
    made = run("vm", options)
    assert made["vm"]["complete"] is True, made
    assert virsh("domstate", VM).strip() == "running"
    check_key(made, options, tmp_path)
    assert run("vm", options)["changed"] is False


@pytest.mark.parametrize("step", DEATHS)
def test_a_making_that_was_killed_is_taken_away_by_absent(step, options):
    run("vm", options, die_after=step)
    run("vm", dict(options, state="absent"))
    domains, volumes = there()
    assert domains == []
    assert [volume for volume in volumes if volume.startswith(VM)] == []


@pytest.mark.parametrize("step", ["destroy", "delete_overlay", "delete_seed", "undefine"])
def test_a_deletion_that_was_killed_is_finished_by_the_next_run(step, options):
    run("vm", options)
    run("vm", dict(options, state="absent"), die_after=step)
    run("vm", dict(options, state="absent"))
    domains, volumes = there()
    assert domains == []
    assert [volume for volume in volumes if volume.startswith(VM)] == []
    assert Path(options["known_hosts"]).read_text() == ""


def test_a_vm_that_cannot_start_leaves_nothing(options):
    wrong = dict(options, network=dict(NETWORK, bridge="nosuchbr"))
    result = run("vm", wrong)
    assert result["refusal"]["reason"] == "start_failed", result
    assert result["changed"] is False
    domains, volumes = there()
    assert domains == []
    assert [volume for volume in volumes if volume.startswith(VM)] == []


def test_a_seed_without_a_domain_is_known_as_ours_and_a_foreign_one_is_not_touched(options, tmp_path):
    run("vm", dict(options, state="present"))
    virsh("undefine", VM)
    assert [step["step"] for step in run("vm", dict(options, state="absent"))["steps"]][:2] == ["delete_overlay", "delete_seed"]
    virsh("vol-create-as", POOL, f"{VM}-seed.iso", "64k")
    assert run("vm", options)["refusal"]["reason"] == "not_ours"
    virsh("vol-delete", "--pool", POOL, f"{VM}-seed.iso")
