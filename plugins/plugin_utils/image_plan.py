# -*- coding: utf-8 -*-
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the role image is to do: what was asked for and what lies on the controller in, paths, command lines and whether anything is due out.
Looks at files and touches none.

``asked`` holds the role's variables without their prefix, as the module image_plan describes them.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import os
import re
import shlex
import typing as t

Asked = t.Mapping[str, t.Any]

SOURCES = ("bootstrap", "url", "path")
# Program to the package that has it, on Debian and its kin and then on Red Hat's.
TOOLS = {
    "ssh-keygen": "openssh-client or openssh-clients",
    "virsh": "libvirt-clients or libvirt-client",
    "qemu-img": "qemu-utils or qemu-img",
}
BOOTSTRAP_TOOLS = {"mmdebstrap": "mmdebstrap", "mke2fs": "e2fsprogs"}
# What no VM reads: it is left out of the file system, which is half as large without it.
UNREAD = ("man", "doc", "info", "locale")
KERNEL = ("vmlinuz", "initrd")
LONGEST_STEP_S = 3600
"""no step of a build takes longer, beside the wait for the VM to boot: the lease is prolonged between two"""


def tools(source: str) -> t.Dict[str, str]:
    """The programs that are called on the controller for a source, each with its package."""
    return {**TOOLS, **(BOOTSTRAP_TOOLS if source == "bootstrap" else {})}


def here(path: str) -> str:
    """A path of the operator's, whole: a relative one counts from where ansible-playbook was called."""
    return os.path.realpath(os.path.expanduser(path))


def problems(asked: Asked, uid: str, lacking: t.Sequence[str]) -> t.List[str]:
    """Every reason why this can't be built, each with the variable that it is about.

    uid: of who runs the commands on the controller. lacking: programs that are not to be found there.
    """
    return _wrong_values(asked) + _missing_files(asked) + _short_of(asked["source"], uid, lacking)


def _wrong_values(asked: Asked) -> t.List[str]:
    """Problems that the values themselves show."""
    source, script = asked["source"], asked["stock_script"]
    told = {
        "image_name: 1 to 50 of a-z, 0-9 and -, not %s" % asked["name"]: not re.match(r"[a-z0-9-]{1,50}\Z", asked["name"]),
        "image_hosts: name at least one host": not asked["hosts"],
        "image_network: give the network of the cluster file": not asked["network"],
        "image_source: one of %s, not %s" % (", ".join(SOURCES), source): source not in SOURCES,
        "image_url: an http:// or https:// address": source == "url" and not re.match("https?://", asked["url"]),
        "image_url_sha256: the SHA-256 of the disk, 64 hexadecimal digits": source == "url"
        and not re.match(r"[0-9a-f]{64}\Z", asked["url_sha256"]),
        "image_stock_script: it runs in a file system of image_source bootstrap, not of %s" % source: script and source != "bootstrap",
        "image_cmdline: printable characters of one line only": re.search("[^ -~]", asked["cmdline"]),
        "image_suite: the name of a release": not re.match(r"[a-z0-9.-]+\Z", asked["suite"]),
        "image_packages: names of packages only": [one for one in asked["packages"] if not re.match(r"[a-z0-9][a-z0-9+.:-]*\Z", one)],
    }
    wrong = [sentence for sentence, holds in told.items() if holds]
    return wrong + [
        "image_files: dest must be an absolute path: %s" % one["dest"] for one in asked["files"] if not one["dest"].startswith("/")
    ]


def _missing_files(asked: Asked) -> t.List[str]:
    """Problems with the files that were named."""
    named = [("image_path", asked["path"])] if asked["source"] == "path" else []
    named += [("image_stock_script", asked["stock_script"])] if asked["stock_script"] else []
    named += [("image_files", one["src"]) for one in asked["files"]]
    return ["%s: no such file: %s" % (name, here(path)) for name, path in named if not os.path.isfile(here(path))]


def _short_of(source: str, uid: str, lacking: t.Sequence[str]) -> t.List[str]:
    """What the controller doesn't have for this source."""
    needed = tools(source)
    short = ["%s is not in PATH on this controller: install %s" % (one, needed[one]) for one in lacking if one in needed]
    if source == "bootstrap" and uid != "0":
        short.insert(
            0,
            "image_source: bootstrap makes a file system of packages, which needs root, and this is the user %s: "
            "run it as root, or take a disk by url or path" % uid,
        )
    return short


def plan(asked: Asked, checking: bool = False) -> t.Dict[str, t.Any]:
    """What is to be done; the module image_plan describes it. OSError where a file can't be read.

    checking: in check mode, where nothing is built, so that only what need not be built can be published.
    """
    work = here(asked["work_dir"])
    boot = "kernel" if asked["source"] == "bootstrap" else "firmware"
    stock_inputs = _stock_inputs(asked)
    inputs = _inputs(asked, stock_inputs)
    stock, node = "%s/stock-%s" % (work, stock_inputs[:12]), "%s/%s" % (work, asked["name"])
    last = _last_manifest(node)
    keys = ["%s/access/id_ed25519%s" % (work, end) for end in ("", ".pub")]
    there = [one for one in keys if os.path.isfile(one)]
    files = _files_in(asked)
    described = {"boot": boot, "cmdline": asked["cmdline"] if boot == "kernel" else ""}
    due = last.get("inputs") != inputs or not os.path.isfile(node + ".qcow2")
    return {
        "due": due,
        "publish": not (due and checking),
        "inputs": inputs,
        "lease_s": LONGEST_STEP_S + asked["build_boot_s"],
        "work_dir": work,
        "access": {"user": "root", "state_dir": work + "/access"},
        "key": keys[0],
        "half_keys": there if len(there) == 1 else [],
        "stock": {
            "due": not os.path.isfile(stock + ".json"),
            "path": stock,
            "name": asked["name"] + "-stock",
            "inputs": stock_inputs,
            "files": _files(stock, boot),
            "manifest": {"name": asked["name"] + "-stock", "generation": 1, **described},
            "disk": here(asked["path"]) if asked["source"] == "path" else "",
            "argv": _mmdebstrap(asked, stock + ".root") if asked["source"] == "bootstrap" else [],
        },
        "node": {"path": node, "files": _files(node, boot), "manifest": {"name": asked["name"], "inputs": inputs, **described}},
        "kernel": list(KERNEL) if boot == "kernel" else [],
        "generation": _number(last.get("generation")),
        "files": files,
        "folders": sorted({os.path.dirname(one["dest"]) for one in files}),
    }


def manifest(
    planned: t.Mapping[str, t.Any], contents: t.Sequence[str], sha256: str, seen: t.Sequence[t.Mapping[str, t.Any]]
) -> t.Dict[str, t.Any]:
    """The manifest of a new image: its generation is one more than that of any image of its name, kept here or published.

    contents: lines ``os NAME`` and ``package NAME VERSION`` that the node printed. seen: hosts as host_info returns them.
    """
    told = [line.split(" ", 1) for line in contents if " " in line]
    described = planned["node"]["manifest"]
    published = [image["generation"] for host in seen for image in host["images"] if image["name"] == described["name"]]
    return {
        **described,
        "sha256": sha256,
        "generation": max([planned["generation"], *published]) + 1,
        "os": next(rest for kind, rest in told if kind == "os"),
        "packages": dict(rest.split(" ", 1) for kind, rest in told if kind == "package"),
        "built_at": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }


def _files(path: str, boot: str) -> t.Dict[str, str]:
    """The files of an image that the module image publishes, by its options."""
    kernel = {"kernel": path + ".vmlinuz", "initrd": path + ".initrd"} if boot == "kernel" else {}
    return {"src": path + ".qcow2", **kernel}


def _last_manifest(node: str) -> t.Dict[str, t.Any]:
    """The manifest of the image that was built last; empty where there is none that can be read as one."""
    try:
        with open(node + ".json", encoding="utf-8") as file:
            told = json.load(file)
    except (FileNotFoundError, ValueError):
        return {}
    return told if isinstance(told, dict) else {}


def _number(value: t.Any) -> int:
    """A generation as a number; 0 for what is none."""
    try:
        return int(value)
    except (TypeError, ValueError):
        return 0


def _stock_inputs(asked: Asked) -> str:
    """A checksum of everything that decides what the stock image is. Where packages are fetched from does not."""
    own = [asked["source"], asked["suite"], sorted(asked["packages"]), asked["disk_gib"], asked["url_sha256"]]
    if asked["source"] == "path":
        disk = os.stat(here(asked["path"]))
        # A checksum of some GB would cost seconds at every run.
        own += [here(asked["path"]), disk.st_size, disk.st_mtime]
    script = [file_checksum(here(asked["stock_script"]))] if asked["stock_script"] else []
    return _checksum([own, script, tree_checksums(os.path.join(asked["role_path"], "files", "stock"))])


def _inputs(asked: Asked, stock_inputs: str) -> str:
    """A checksum of everything that decides what the node image is."""
    # What an editor keeps beside a role's files is no part of it.
    stack = [
        [path, checksum]
        for path, checksum in tree_checksums(os.path.join(os.path.dirname(asked["role_path"]), "cluster_stack"))
        if not os.path.basename(path).startswith((".", "#")) and not path.endswith("~")
    ]
    files = [[one["dest"], file_checksum(one["src"]), one["mode"]] for one in _files_in(asked)]
    own = [asked["stack_packages"], asked["stack_extra_packages"], asked["units_disabled"], asked["cmdline"]]
    return _checksum([stock_inputs, file_checksum(os.path.join(asked["role_path"], "files", "seal")), stack, files, own])


def _files_in(asked: Asked) -> t.List[t.Dict[str, t.Any]]:
    """The files that go in, with whole paths."""
    return [{"src": here(one["src"]), "dest": one["dest"], "mode": one.get("mode") or "0644"} for one in asked["files"]]


def _checksum(value: t.Any) -> str:
    """SHA-256 of a value."""
    return hashlib.sha256(json.dumps(value).encode("utf-8")).hexdigest()


def file_checksum(path: str) -> str:
    """SHA-256 of a file."""
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def tree_checksums(top: str) -> t.List[t.List[str]]:
    """Path and SHA-256 of every file below a folder. What Python keeps for itself is none, and no link is."""
    paths = [os.path.join(folder, name) for folder, _folders, names in os.walk(top) for name in names if not name.endswith(".pyc")]
    return [[os.path.relpath(path, top), file_checksum(path)] for path in sorted(paths) if not os.path.islink(path)]


def _mmdebstrap(asked: Asked, target: str) -> t.List[str]:
    """The command line that makes a Debian file system of packages in a folder."""
    stock = shlex.quote(os.path.join(asked["role_path"], "files", "stock", "."))
    argv = ["mmdebstrap", "--mode=root", "--variant=apt", "--format=directory", "--include=" + ",".join(asked["packages"])]
    argv += ['--aptopt=APT::Install-Recommends "false"', '--aptopt=Acquire::Languages "none"']
    argv += ["--dpkgopt=path-exclude=/usr/share/%s/*" % one for one in UNREAD]
    argv += ['--setup-hook=cp -a --no-preserve=ownership %s "$1"' % stock, '--customize-hook=chroot "$1" /usr/lib/ondemand/furnish']
    if asked["stock_script"]:
        script = shlex.quote(here(asked["stock_script"]))
        argv.append(
            '--customize-hook=install -m 0700 %s "$1/ondemand-stock-script" && chroot "$1" /ondemand-stock-script'
            ' && rm "$1/ondemand-stock-script"' % script
        )
    return [*argv, asked["suite"], target, *asked["sources"]]
