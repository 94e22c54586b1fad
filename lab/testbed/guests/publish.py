# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""Publishes the image of VMs whose inside is a container, made from the node image that was built last. Run where Ansible runs."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import yaml

from lab.testbed.guests import IMAGE
from lab.testbed.guests.container import ROOT_DISK
from lab.testbed.guests.sleeper import make_disk
from lab.testbed.hypervisors.command import LabError, run
from lab.testbed.hypervisors.topology import CHECKOUT

IMAGES = CHECKOUT / "var" / "images"
POOL = "ondemand"


def publish(cluster_file: Path) -> None:
    """Bring the disk that sleeps to every host of the file, and the node image's files to where the containers look for them."""
    cluster = yaml.safe_load(cluster_file.read_text(encoding="utf-8"))["cluster"]
    node = IMAGES / f"{cluster['image']['name']}.qcow2"
    if not node.exists():
        raise LabError(f"{node} is not there: run the playbook build_image first")
    aside = ROOT_DISK.with_suffix(".new")
    run(["qemu-img", "convert", "-f", "qcow2", "-O", "raw", str(node), str(aside)], deadline_s=300)
    aside.replace(ROOT_DISK)
    disk = IMAGES / f"{IMAGE}.qcow2"
    make_disk(disk)
    manifest = json.loads(node.with_suffix(".json").read_text(encoding="utf-8"))
    manifest |= {"name": IMAGE, "boot": "firmware", "cmdline": ""}
    manifest["sha256"] = run(["sha256sum", str(disk)]).split()[0]
    for host in cluster["hosts"]:
        options = {"uri": host["uri"], "pool": host.get("pool", POOL), "name": IMAGE, "src": str(disk), "manifest": manifest}
        ansible = [str(Path(sys.executable).parent / "ansible"), "localhost", "-m", "ondemand.cluster.image", "-a", json.dumps(options)]
        run(ansible, deadline_s=120)
