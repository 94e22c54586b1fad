# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""Manifests: a whole one is taken, half of one isn't, and a wrong image is refused."""

from __future__ import annotations

import subprocess

import pytest
from ansible_collections.ondemand.cluster.plugins.module_utils._libvirt.image import images

SHA = "0123456789abcdef" * 4
MANIFEST = {"name": "debian", "sha256": SHA, "generation": 2, "boot": "kernel", "cmdline": "root=/dev/vda", "virtual_bytes": 5}
WHOLE = dict(MANIFEST, volumes=images.volumes_of("debian", SHA, "kernel", True))


def test_a_manifest_is_read_back_and_has_always_one_size():
    raw = images.dump(WHOLE)
    assert len(raw) == images.MANIFEST_BYTES
    assert images.load(raw) == WHOLE


def test_a_manifest_that_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="at most 65536 bytes"):
        images.dump(dict(WHOLE, packages="x" * 70000))


@pytest.mark.parametrize("cut", [0, 10, 200])
def test_half_a_manifest_is_none(cut):
    assert images.load(images.dump(WHOLE)[:cut]) is None
    assert images.load(images.dump(WHOLE)[:cut].ljust(images.MANIFEST_BYTES, b"\0")) is None


@pytest.mark.parametrize("raw", [b"[]", b"{}", b"\xff", images.dump(MANIFEST)])
def test_what_is_no_manifest_is_none(raw):
    assert images.load(raw) is None


BAD = [
    ("a name with a slash", {"name": "../x"}, "manifest.name"),
    ("a short checksum", {"sha256": "ab"}, "manifest.sha256"),
    ("no checksum", {"sha256": None}, "manifest.sha256"),
    ("generation nought", {"generation": 0}, "manifest.generation"),
    ("a generation in words", {"generation": "3"}, "manifest.generation"),
    ("another way to boot", {"boot": "pxe"}, "manifest.boot"),
    ("a command line of two lines", {"cmdline": "a\nb"}, "manifest.cmdline"),
]


@pytest.mark.parametrize(("sentence", "change", "path"), BAD, ids=[case[0] for case in BAD])
def test_a_wrong_manifest_is_refused_with_the_path(sentence, change, path):
    assert [problem.split(":")[0] for problem in images.problems(dict(MANIFEST, **change))] == [path]


def test_a_missing_image_and_a_wrong_checksum_are_refused():
    image = images.from_manifest(WHOLE)
    assert images.choose("debian", image, None, "x") is image
    assert images.choose("debian", image, SHA, "x") is image
    assert images.choose("debian", None, None, "x").reason == "no_image"
    assert images.choose("debian", image, "f" * 64, "x").reason == "wrong_checksum"


def test_volumes_carry_the_checksum_and_firmware_needs_no_kernel():
    assert images.volumes_of("debian", SHA, "firmware", True) == {"disk": "debian-0123456789ab.qcow2"}
    assert images.volumes_of("debian", SHA, "kernel", False) == {
        "disk": "debian-0123456789ab.qcow2",
        "kernel": "debian-0123456789ab.vmlinuz",
    }


def test_the_size_of_a_disk_is_read_as_qemu_wrote_it(tmp_path):
    path = tmp_path / "disk.qcow2"
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", str(path), "123M"], check=True)
    assert images.virtual_bytes(path.read_bytes()[:32]) == 123 * 2**20
    assert images.virtual_bytes(b"\0" * 32) is None
