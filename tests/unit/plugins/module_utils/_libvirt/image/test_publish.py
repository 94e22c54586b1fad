# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""Publishing: what is sent, what is switched, and that nothing in use is removed."""

from __future__ import annotations

import pytest
from ansible_collections.ondemand.cluster.plugins.module_utils._libvirt.image import images, publish
from ansible_collections.ondemand.cluster.plugins.module_utils._libvirt.image.publish import Pool, Publication, Source

OLD, NEW = "a" * 64, "b" * 64


def manifest(sha):
    volumes = images.volumes_of("debian", sha, "kernel", False)
    return {"name": "debian", "sha256": sha, "generation": 1, "boot": "kernel", "virtual_bytes": 1, "volumes": volumes}


def volumes(*shas):
    return tuple(sorted(volume for sha in shas for volume in manifest(sha)["volumes"].values()))


DISK_OLD = f"debian-{OLD[:12]}.qcow2"
DISK_NEW = f"debian-{NEW[:12]}.qcow2"
CASES = [
    ("into an empty pool", Pool(None, False, (), {}), Publication(("disk", "kernel"), True)),
    ("again", Pool(manifest(NEW), True, volumes(NEW), {}), Publication()),
    ("again while in use", Pool(manifest(NEW), True, volumes(NEW), {DISK_NEW: ["x"]}), Publication()),
    ("over an unused old one", Pool(manifest(OLD), True, volumes(OLD), {}), Publication(("disk", "kernel"), True, volumes(OLD))),
    ("over an old one in use", Pool(manifest(OLD), True, volumes(OLD), {DISK_OLD: ["x"]}), Publication(("disk", "kernel"), True)),
    ("after an upload that broke off", Pool(None, False, volumes(NEW), {}), Publication(("disk", "kernel"), True)),
    ("after a manifest that broke off", Pool(None, True, volumes(NEW), {}), Publication(("disk", "kernel"), True)),
    ("with a volume lost", Pool(manifest(NEW), True, (DISK_NEW,), {}), Publication(("kernel",), False)),
    (
        "of an older one that VMs still use",
        Pool(manifest(OLD), True, volumes(OLD, NEW), {DISK_NEW: ["x"]}),
        Publication((), True, volumes(OLD)),
    ),
    ("when an old one's last VM is gone", Pool(manifest(NEW), True, volumes(OLD, NEW), {}), Publication((), False, volumes(OLD))),
]


@pytest.mark.parametrize(("sentence", "pool", "expected"), CASES, ids=[case[0] for case in CASES])
def test_publishing(sentence, pool, expected):
    assert publish.plan_publish(manifest(NEW), pool) == expected


def test_another_word_in_the_manifest_is_written_and_nothing_sent():
    changed = dict(manifest(NEW), cmdline="quiet")
    assert publish.plan_publish(changed, Pool(manifest(NEW), True, volumes(NEW), {DISK_NEW: ["x"]})) == Publication((), True)


def test_an_image_in_use_is_not_withdrawn_and_its_users_are_named():
    todo, refusal = publish.plan_withdraw("debian", Pool(manifest(NEW), True, volumes(NEW), {DISK_NEW: ["shop-n1.qcow2"]}))
    assert todo == Publication()
    assert refusal.reason == "in_use"
    assert "shop-n1.qcow2" in refusal.sentence


def test_a_withdrawn_image_leaves_nothing():
    todo, refusal = publish.plan_withdraw("debian", Pool(manifest(NEW), True, volumes(NEW), {}))
    assert refusal is None
    assert todo.remove == ("debian.json", *volumes(NEW))
    assert publish.plan_withdraw("debian", Pool(None, False, (), {}))[0].changed is False


@pytest.mark.parametrize(
    "name", ["debian.qcow2", "debian-x.qcow2", f"other-{OLD[:12]}.qcow2", f"debian-{OLD[:12]}.iso", "debian-2-n1.qcow2"]
)
def test_volumes_of_others_are_never_taken_for_the_images(name):
    assert publish.stem(name, "debian") is None


def test_a_file_that_is_not_what_the_manifest_says_is_refused_before_anything_is_sent(tmp_path):
    disk = tmp_path / "disk"
    disk.write_bytes(b"x")
    with pytest.raises(publish.Refused) as caught:
        publish.apply(None, None, "debian", Publication(("disk",), True), manifest(NEW), Source(str(disk)), "u")
    assert caught.value.refusal.reason == "wrong_checksum"


def test_a_disk_that_is_no_qcow2_is_refused(tmp_path):
    disk = tmp_path / "disk"
    disk.write_bytes(b"x" * 100)
    with pytest.raises(ValueError, match="no qcow2 file"):
        publish.whole(manifest(NEW), Source(str(disk)))
