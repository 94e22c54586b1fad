# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""What the role image is to do, from its variables and a folder. What it says of a wrong variable in a real run: unit/roles/test_image_checks."""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.ondemand.cluster.plugins.filter.image import image_manifest
from ansible_collections.ondemand.cluster.plugins.plugin_utils import image_plan

ROLES = Path(__file__).resolve().parents[4] / "roles"


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the role asks by its defaults, in a folder that holds a copy of both roles."""
    for role in ("image", "cluster_stack"):
        shutil.copytree(ROLES / role, tmp_path / "roles" / role)
    (tmp_path / "given").write_text("a")
    monkeypatch.chdir(tmp_path)
    texts = dict.fromkeys(("stock_script", "url", "url_sha256", "path"), "")
    lists: dict[str, list[Any]] = {name: [] for name in ("sources", "units_disabled", "stack_packages", "stack_extra_packages", "files")}
    own = {
        "name": "node",
        "hosts": [{"name": "hv1"}],
        "network": {"bridge": "br0"},
        "work_dir": str(tmp_path / "work"),
        "source": "bootstrap",
    }
    more = {
        "suite": "bookworm",
        "packages": ["udev", "dbus"],
        "disk_gib": 4,
        "build_boot_s": 600,
        "cmdline": "quiet",
        "role_path": str(tmp_path / "roles/image"),
    }
    return {**texts, **lists, **own, **more}


# What is wrong -> how each sentence begins.
WRONG: dict[str, tuple[dict[str, Any], list[str]]] = {
    "nothing": ({}, []),
    "a name with a slash": ({"name": "a/b"}, ["image_name: 1 to 50"]),
    "a name with a line's end": ({"name": "a\n"}, ["image_name: 1 to 50"]),
    "a name of 51": ({"name": "a" * 51}, ["image_name: 1 to 50"]),
    "nowhere to go": ({"hosts": [], "network": {}}, ["image_hosts: name at least one", "image_network: give"]),
    "an unknown source": ({"source": "magic"}, ["image_source: one of bootstrap, url, path, not magic"]),
    "no address and no checksum": ({"source": "url", "url": "ftp://a"}, ["image_url: an http", "image_url_sha256: the SHA-256"]),
    "a checksum that is short": ({"source": "url", "url": "http://a", "url_sha256": "a" * 63}, ["image_url_sha256"]),
    "two lines": ({"cmdline": "quiet\nroot"}, ["image_cmdline"]),
    "no suite": ({"suite": "a b"}, ["image_suite"]),
    "an option among the packages": ({"packages": ["udev", "-y"]}, ["image_packages"]),
    "a file that isn't there, to a place that is none": (
        {"files": [{"src": "/nowhere/a", "dest": "etc/a"}]},
        ["image_files: dest must be an absolute path: etc/a", "image_files: no such file: /nowhere/a"],
    ),
    "a folder": ({"stock_script": "/etc"}, ["image_stock_script: no such file: /etc"]),
    "no disk": ({"source": "path", "path": "/nowhere/disk"}, ["image_path: no such file: /nowhere/disk"]),
}


@pytest.mark.parametrize(("changed", "begins"), WRONG.values(), ids=WRONG.keys())
def test_every_problem_is_told(asked: dict[str, Any], changed: dict[str, Any], begins: list[str]) -> None:
    told = image_plan.problems({**asked, **changed}, "0", [])
    assert len(told) == len(begins), told
    assert all(one.startswith(begin) for one, begin in zip(told, begins, strict=True)), told


def test_only_what_this_source_calls_is_asked_of_the_controller(asked: dict[str, Any]) -> None:
    lacking = ["qemu-img", "mke2fs"]
    bootstrap = image_plan.problems(asked, "1000", lacking)
    assert [one.split(" ")[0] for one in bootstrap] == ["image_source:", "qemu-img", "mke2fs"]
    url = {**asked, "source": "url", "url": "https://a", "url_sha256": "a" * 64}
    assert [one.split(" ")[0] for one in image_plan.problems(url, "1000", lacking)] == ["qemu-img"]


def test_each_program_is_told_with_its_package(asked: dict[str, Any]) -> None:
    told = image_plan.problems(asked, "0", ["ssh-keygen", "virsh", "qemu-img", "mmdebstrap", "mke2fs", "another"])
    assert [one.replace(" is not in PATH on this controller: install ", " ") for one in told] == [
        "ssh-keygen openssh-client or openssh-clients",
        "virsh libvirt-clients or libvirt-client",
        "qemu-img qemu-utils or qemu-img",
        "mmdebstrap mmdebstrap",
        "mke2fs e2fsprogs",
    ]


# What differs -> (the stock image is made anew, the node image is).
CHANGES: dict[str, tuple[dict[str, Any], tuple[bool, bool]]] = {
    "nothing": ({}, (False, False)),
    "the order of packages": ({"packages": ["dbus", "udev"]}, (False, False)),
    "where packages come from": ({"sources": ["deb http://a b main"]}, (False, False)),
    "who is published to": ({"hosts": [{"name": "hv2"}]}, (False, False)),
    "a package": ({"packages": ["udev"]}, (True, True)),
    "the disk's size": ({"disk_gib": 5}, (True, True)),
    "the command line": ({"cmdline": "quiet audit=0"}, (False, True)),
    "a unit": ({"units_disabled": ["a.service"]}, (False, True)),
    "a package in the list's place": ({"stack_packages": ["pcs"]}, (False, True)),
    "a package on top": ({"stack_extra_packages": ["pcs"]}, (False, True)),
    "the release": ({"suite": "trixie"}, (True, True)),
    "a script": ({"stock_script": "given"}, (True, True)),
    "the source": ({"source": "url"}, (True, True)),
    "the disk that is fetched": ({"url_sha256": "5" * 64}, (True, True)),
    "a file": ({"files": [{"src": "given", "dest": "/a"}]}, (False, True)),
}
FILE = {"src": "given", "dest": "/a"}
# Two files that go in, or two disks -> whether they make one image.
ALIKE: dict[str, tuple[dict[str, Any], dict[str, Any], bool]] = {
    "a mode that is left out is that of most files": (FILE, {**FILE, "mode": "0644"}, True),
    "another mode": (FILE, {**FILE, "mode": "0755"}, False),
    "another place": (FILE, {**FILE, "dest": "/b"}, False),
}


@pytest.mark.parametrize(("one", "other", "alike"), ALIKE.values(), ids=ALIKE.keys())
def test_of_a_file_everything_counts(asked: dict[str, Any], one: dict[str, Any], other: dict[str, Any], alike: bool) -> None:
    first, second = (image_plan.plan({**asked, "files": [file]})["inputs"] for file in (one, other))
    assert (first == second) == alike


def test_another_disk_under_the_same_path_or_elsewhere_is_another_image(asked: dict[str, Any], tmp_path: Path) -> None:
    given = {**asked, "source": "path", "path": "given"}
    seen = [image_plan.plan(given)["stock"]["inputs"]]
    (tmp_path / "copy").write_text("a")
    os.utime(tmp_path / "copy", (1, 1))
    os.utime(tmp_path / "given", (1, 1))
    seen += [image_plan.plan({**given, "path": path})["stock"]["inputs"] for path in ("given", "copy")]
    (tmp_path / "given").write_text("ab")
    os.utime(tmp_path / "given", (1, 1))
    seen += [image_plan.plan(given)["stock"]["inputs"]]
    assert len(set(seen)) == 4, "its time, its path and its size each count"
    assert image_plan.plan({**asked, "path": "given"})["inputs"] == image_plan.plan(asked)["inputs"], "bootstrap takes none"


@pytest.mark.parametrize(("changed", "due"), CHANGES.values(), ids=CHANGES.keys())
def test_what_goes_in_decides_what_is_made_anew(asked: dict[str, Any], changed: dict[str, Any], due: tuple[bool, bool]) -> None:
    first = image_plan.plan(asked)
    then = image_plan.plan({**asked, **changed})
    assert (then["stock"]["inputs"] != first["stock"]["inputs"], then["inputs"] != first["inputs"]) == due
    assert (then["stock"]["path"] != first["stock"]["path"]) == due[0]


def test_a_package_on_top_is_not_one_in_the_list_s_place(asked: dict[str, Any]) -> None:
    one, other = ({**asked, key: ["pcs"]} for key in ("stack_packages", "stack_extra_packages"))
    assert image_plan.plan(one)["inputs"] != image_plan.plan(other)["inputs"]


@pytest.mark.parametrize("file", ["image/files/seal", "image/files/stock/usr/lib/ondemand/seed", "cluster_stack/vars/main.yml"])
def test_a_change_of_the_roles_is_a_change_of_what_goes_in(asked: dict[str, Any], tmp_path: Path, file: str) -> None:
    first = image_plan.plan(asked)["inputs"]
    (tmp_path / "roles" / "image" / "files" / "stock" / "a.pyc").write_text("")
    (tmp_path / "roles" / "cluster_stack" / ".main.yml.swp").write_text("")
    (tmp_path / "roles" / "cluster_stack" / "#main.yml#").write_text("")
    (tmp_path / "roles" / "cluster_stack" / "main.yml~").write_text("")
    (tmp_path / "roles" / "cluster_stack" / ".#main.yml").symlink_to("nowhere")
    assert image_plan.plan(asked)["inputs"] == first, "what Python and editors keep for themselves goes nowhere"
    with (tmp_path / "roles" / file).open("a") as more:
        more.write("#\n")
    assert image_plan.plan(asked)["inputs"] != first


def test_an_image_is_due_until_disk_and_manifest_are_there(asked: dict[str, Any], tmp_path: Path) -> None:
    asked["files"] = [{"src": str(tmp_path / "given"), "dest": "/a/b", "mode": None}]
    work = tmp_path / "work"
    work.mkdir()
    first = image_plan.plan(asked)
    assert (first["due"], first["stock"]["due"], first["generation"]) == (True, True, 0)
    (work / "node.json").write_text(json.dumps({"inputs": first["inputs"], "generation": 7}))
    assert image_plan.plan(asked)["due"], "there is no disk"
    (work / "node.qcow2").write_text("")
    Path(first["stock"]["path"] + ".json").write_text("{}")
    then = image_plan.plan(asked)
    assert (then["due"], then["stock"]["due"], then["generation"]) == (False, False, 7)
    (tmp_path / "given").write_text("b")
    assert image_plan.plan(asked)["due"], "another file goes in"
    for torn in ("{", "[]", '{"generation": null}'):
        (work / "node.json").write_text(torn)
        assert (image_plan.plan(asked)["due"], image_plan.plan(asked)["generation"]) == (True, 0)
    (work / "node.json").write_text('{"generation": "7"}')
    assert image_plan.plan(asked)["generation"] == 7, "a text that is a number, as a template of earlier Ansible wrote"


def test_in_check_mode_only_what_need_not_be_built_is_published(asked: dict[str, Any], tmp_path: Path) -> None:
    """One that was built of another source lies there: its kernel, or that it has none, is not what was asked for."""
    work = tmp_path / "work"
    work.mkdir()
    (work / "node.json").write_text(json.dumps({"inputs": "others", "generation": 1, "boot": "firmware"}))
    (work / "node.qcow2").write_text("")
    assert [image_plan.plan(asked, checking=checking)["publish"] for checking in (False, True)] == [True, False]
    (work / "node.json").write_text(json.dumps({"inputs": image_plan.plan(asked)["inputs"], "generation": 1}))
    assert [image_plan.plan(asked, checking=checking)["publish"] for checking in (False, True)] == [True, True]


def test_a_key_without_its_other_half_is_none(asked: dict[str, Any], tmp_path: Path) -> None:
    access = tmp_path / "work" / "access"
    access.mkdir(parents=True)
    assert image_plan.plan(asked)["half_keys"] == []
    (access / "id_ed25519.pub").write_text("")
    assert image_plan.plan(asked)["half_keys"] == [str(access / "id_ed25519.pub")]
    (access / "id_ed25519").write_text("")
    assert image_plan.plan(asked)["half_keys"] == []


def test_only_a_bootstrapped_image_brings_its_kernel(asked: dict[str, Any], tmp_path: Path) -> None:
    node = str(tmp_path / "work" / "node")
    planned = image_plan.plan(asked)
    assert planned["kernel"] == ["vmlinuz", "initrd"]
    assert planned["node"]["files"] == {"src": f"{node}.qcow2", "kernel": f"{node}.vmlinuz", "initrd": f"{node}.initrd"}
    assert planned["stock"]["manifest"] == {"name": "node-stock", "generation": 1, "boot": "kernel", "cmdline": "quiet"}
    own = image_plan.plan({**asked, "source": "path", "path": str(tmp_path / "given")})
    assert (own["kernel"], own["node"]["files"], own["stock"]["argv"]) == ([], {"src": f"{node}.qcow2"}, [])
    assert own["stock"]["manifest"] == {"name": "node-stock", "generation": 1, "boot": "firmware", "cmdline": ""}
    assert own["stock"]["disk"] == str(tmp_path / "given")


def test_the_plan_names_every_place(asked: dict[str, Any], tmp_path: Path) -> None:
    asked["files"] = [{"src": "given", "dest": "/etc/b/b", "mode": 0o600}, {"src": "given", "dest": "/etc/a"}]
    planned, given = image_plan.plan(asked), str(tmp_path / "given")
    work = str(tmp_path / "work")
    assert planned["lease_s"] == 3600 + 600
    assert (planned["work_dir"], planned["key"]) == (work, f"{work}/access/id_ed25519")
    assert planned["access"] == {"user": "root", "state_dir": f"{work}/access"}
    assert planned["files"] == [
        {"src": given, "dest": "/etc/b/b", "mode": 0o600},
        {"src": given, "dest": "/etc/a", "mode": "0644"},
    ]
    assert planned["folders"] == ["/etc", "/etc/b"]
    stock = f"{work}/stock-{planned['stock']['inputs'][:12]}"
    assert (planned["stock"]["path"], planned["stock"]["name"], planned["stock"]["disk"]) == (stock, "node-stock", "")
    assert planned["stock"]["files"] == {"src": f"{stock}.qcow2", "kernel": f"{stock}.vmlinuz", "initrd": f"{stock}.initrd"}
    assert planned["node"]["path"] == f"{work}/node"
    assert planned["node"]["manifest"] == {"name": "node", "inputs": planned["inputs"], "boot": "kernel", "cmdline": "quiet"}


def test_the_command_line_of_a_bootstrap(asked: dict[str, Any], tmp_path: Path) -> None:
    planned = image_plan.plan(asked)
    assert planned["stock"]["argv"] == [
        "mmdebstrap", "--mode=root", "--variant=apt", "--format=directory", "--include=udev,dbus",
        '--aptopt=APT::Install-Recommends "false"', '--aptopt=Acquire::Languages "none"',
        *(f"--dpkgopt=path-exclude=/usr/share/{one}/*" for one in ("man", "doc", "info", "locale")),
        f'--setup-hook=cp -a --no-preserve=ownership {tmp_path}/roles/image/files/stock/. "$1"',
        '--customize-hook=chroot "$1" /usr/lib/ondemand/furnish', "bookworm", planned["stock"]["path"] + ".root",
    ]  # fmt: skip


def test_a_path_with_a_blank_stays_one_word_of_the_hook(asked: dict[str, Any], tmp_path: Path) -> None:
    script = tmp_path / "a b; c"
    script.write_text("#!/bin/sh\n")
    argv = image_plan.plan({**asked, "stock_script": str(script), "sources": ["deb http://a b main"]})["stock"]["argv"]
    assert argv[0] == "mmdebstrap" and "--include=udev,dbus" in argv
    assert [one for one in argv if f"install -m 0700 '{script}' " in one]
    assert argv[-3:] == [
        "bookworm",
        image_plan.plan({**asked, "stock_script": str(script)})["stock"]["path"] + ".root",
        "deb http://a b main",
    ]
    assert not [one for one in image_plan.plan(asked)["stock"]["argv"] if "stock-script" in one]


LINES = ["os Debian GNU/Linux 12 (bookworm)", "package pacemaker 2.1.5-1", "package corosync 3.1.7 of backports", "word", ""]


@pytest.mark.parametrize(("kept", "published", "next_one"), [(0, [], 1), (4, [2], 5), (1, [6, 3], 7)])
def test_a_new_image_is_one_generation_above_all_of_its_name(asked: dict[str, Any], kept: int, published: list[int], next_one: int) -> None:
    planned = {**image_plan.plan(asked), "generation": kept}
    seen = [{"images": [{"name": "node", "generation": one}, {"name": "another", "generation": 90}]} for one in published]
    told = image_manifest(planned, LINES, "5" * 64, seen)
    assert re.fullmatch(r"2\d{3}(-\d\d){2}T\d\d(:\d\d){2}Z", told.pop("built_at"))
    assert told == {
        "name": "node",
        "sha256": "5" * 64,
        "generation": next_one,
        "boot": "kernel",
        "cmdline": "quiet",
        "os": "Debian GNU/Linux 12 (bookworm)",
        "packages": {"pacemaker": "2.1.5-1", "corosync": "3.1.7 of backports"},
        "inputs": planned["inputs"],
    }


def test_a_node_that_does_not_say_what_it_is_has_no_manifest(asked: dict[str, Any]) -> None:
    with pytest.raises(AnsibleFilterError, match="the lines that its node printed"):
        image_manifest(image_plan.plan(asked), ["package a 1"], "5" * 64, [])
