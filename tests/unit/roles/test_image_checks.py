# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""What the role image says before it builds, in real runs of build_image by its full name. No host is reachable here."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def build(tmp_path):
    """Runs build_image in check mode from an operator's directory, with the demo's cluster file on hosts that don't answer."""
    file = yaml.safe_load((ROOT / "examples" / "demo.yml").read_text())
    for port, host in enumerate(file["cluster"]["hosts"], start=1):
        host["uri"] = f"qemu+tcp://127.0.0.1:{port}/system"
    file["cluster"]["deadlines"] = {"connect_s": 1}
    (tmp_path / "shop.yml").write_text(yaml.safe_dump(file))

    def run(path: str = os.environ["PATH"], **variables):
        program = Path(sys.executable).with_name("ansible-playbook")
        told = json.dumps({"image_work_dir": str(tmp_path / "work"), **variables})
        command = [str(program), "ondemand.cluster.build_image", "--check", "-e", "@shop.yml", "-e", told]
        environment = {**os.environ, "ANSIBLE_NOCOLOR": "1", "PATH": path, "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "var" / "collections")}
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False, env=environment)
        return done.returncode, " ".join((done.stdout + done.stderr).split())

    return run


def test_relative_paths_count_from_where_the_operator_stands(build, tmp_path):
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "web.service").write_text("[Unit]\n")
    (tmp_path / "disk.qcow2").write_text("")
    files = [{"src": "files/web.service", "dest": "/etc/systemd/system/web.service"}]
    code, output = build(image_source="path", image_path="disk.qcow2", image_files=files)
    assert code == 0, output
    assert "would be built and published" in output
    left = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*"))
    assert left == ["disk.qcow2", "files", "files/web.service", "shop.yml"], "check mode made something"


def test_a_file_that_is_not_there_is_named_whole(build, tmp_path):
    code, output = build(image_source="path", image_path="disk", image_files=[{"src": "web.service", "dest": "/web.service"}])
    assert code == 2
    assert f"image_path: no such file: {tmp_path}/disk" in output
    assert f"image_files: no such file: {tmp_path}/web.service" in output


def test_a_disk_by_address_needs_its_checksum(build):
    code, output = build(image_source="url", image_url="https://images.example/a.qcow2")
    assert code == 2
    assert "image_url_sha256: the SHA-256 of the disk" in output


@pytest.mark.parametrize(
    ("source", "sentence"), [("bootstrap", "no such file: "), ("path", "it runs in a file system of image_source bootstrap")]
)
def test_a_script_for_the_stock_image_is_there_and_has_one_to_run_in(build, tmp_path, source, sentence):
    (tmp_path / "disk").write_text("")
    code, output = build(image_source=source, image_path="disk", image_stock_script="lean.sh")
    assert code == 2
    assert f"image_stock_script: {sentence}" in output, output


def programs_without(directory: Path, lacking: set[str], uid: int) -> str:
    """A PATH with everything that this machine has but for some programs, where `id -u` gives this uid."""
    directory.mkdir()
    for folder in os.environ["PATH"].split(":"):
        for program in Path(folder).iterdir() if Path(folder).is_dir() else ():
            if program.name not in {*lacking, "id"} and not (directory / program.name).is_symlink():
                (directory / program.name).symlink_to(program)
    (directory / "id").write_text(f"#!/bin/sh\necho {uid}\n")
    (directory / "id").chmod(0o755)
    return str(directory)


OWN = {"virsh", "qemu-img", "ssh-keygen"}
BOOTSTRAP = {"mmdebstrap", "mke2fs"}
ROOT_WORDS = "bootstrap makes a file system of packages, which needs root, and this is the user 1000"
# Source, who runs it, what is lacking -> whether root is asked for, and which programs are.
CONTROLLERS = {
    "everything is told at once": ("bootstrap", 1000, OWN | BOOTSTRAP, True, OWN | BOOTSTRAP),
    "root may lack a program": ("bootstrap", 0, {"mmdebstrap"}, False, {"mmdebstrap"}),
    "a disk of one's own needs neither root nor what makes one": ("path", 1000, {"qemu-img"} | BOOTSTRAP, False, {"qemu-img"}),
}


@pytest.mark.parametrize(("source", "uid", "lacking", "root", "programs"), CONTROLLERS.values(), ids=CONTROLLERS.keys())
def test_what_the_controller_lacks_is_told_with_what_to_do(build, tmp_path, source, uid, lacking, root, programs):
    (tmp_path / "disk").write_text("")
    path = programs_without(tmp_path / "bin", lacking, uid)
    code, output = build(path, image_source=source, image_path="disk", image_suite="no suite")
    assert code == 2
    assert "image_suite: the name of a release" in output
    assert (ROOT_WORDS in output) == root, output
    assert {name for name in OWN | BOOTSTRAP if f"{name} is not in PATH on this controller: install " in output} == programs


# What is given -> what of it changes meanwhile, so that the image is built anew.
GIVEN = {
    "another disk under the same path": ({"image_source": "path", "image_path": "given"}, "given"),
    "another script under the same path": ({"image_stock_script": "given"}, "given"),
}


@pytest.mark.parametrize(("given", "name"), GIVEN.values(), ids=GIVEN.keys())
def test_another_file_under_the_same_path_is_another_input(tmp_path, given, name):
    tasks = [
        {"import_role": {"name": "ondemand.cluster.image", "tasks_from": "check"}},
        {"debug": {"msg": "inputs={{ __image.plan.stock.inputs }}."}},
    ]
    (tmp_path / "play.yml").write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": tasks}]))
    told = {"image_work_dir": str(tmp_path / "work"), "image_hosts": [{}], "image_network": {"a": 1}, **given}
    command = [str(Path(sys.executable).with_name("ansible-playbook")), "play.yml", "-e", json.dumps(told)]
    environment = {**os.environ, "ANSIBLE_NOCOLOR": "1", "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "var" / "collections")}

    def inputs(text: str) -> str:
        (tmp_path / name).write_text(text)
        os.utime(tmp_path / name, (1, 1))
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=True, env=environment)
        return done.stdout.split("inputs=")[1].split(".")[0]

    seen = [inputs(text) for text in ("a", "a", "bb")]
    assert (seen[0] == seen[1], seen[1] == seen[2]) == (True, False)
