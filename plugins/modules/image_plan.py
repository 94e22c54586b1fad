#!/usr/bin/python
# Copyright: (c) 2026, the ondemand.cluster contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: image_plan
short_description: What is to be done so that there is a node image, and whether anything is
version_added: 0.1.0
author:
  - The ondemand.cluster contributors (!UNKNOWN)
description:
  - Checks what the role C(ondemand.cluster.image) was asked for, and refuses with every problem at once.
  - Compares what would go into the image with what went into the last one. For that role, whose variables its options are.
  - Notes in O(work_dir), which it makes, that this run works there until it is over, and is refused where another run on this machine does. Changes
    nothing else, and nothing in check mode.
  - Runs on the controller and needs no connection.
attributes:
  check_mode:
    description: Can run in check mode and tells the same.
    support: full
  diff_mode:
    description: Tells the differences.
    support: none
options:
  name:
    description: Name under which the image is published.
    type: str
    required: true
  hosts:
    description: Hosts to publish to; at least one.
    type: list
    elements: dict
    required: true
  network:
    description: The cluster file's network; not empty.
    type: dict
    required: true
  work_dir:
    description: Where images are built and kept on the controller.
    type: str
    required: true
  source:
    description: Where the stock image comes from, V(bootstrap), V(url) or V(path).
    type: str
    required: true
  suite:
    description: The Debian release to bootstrap.
    type: str
    required: true
  sources:
    description: Lines of sources.list to bootstrap from.
    type: list
    elements: str
    required: true
  packages:
    description: Packages of the stock image beyond the essential ones.
    type: list
    elements: str
    required: true
  disk_gib:
    description: Size of the stock image's disk in GiB.
    type: int
    required: true
  build_boot_s:
    description: Seconds that the VM that is built in may take to boot.
    type: int
    required: true
  wait_s:
    description: Seconds to wait while another run works in O(work_dir).
    type: float
    default: 0.0
  stock_script:
    description: A script that runs in the stock image's file system; empty for none.
    type: str
    required: true
  url:
    description: Address of the disk to fetch.
    type: str
    required: true
  url_sha256:
    description: Its SHA-256.
    type: str
    required: true
  path:
    description: The disk to take.
    type: str
    required: true
  cmdline:
    description: Kernel command line of an image that boots its kernel directly.
    type: str
    required: true
  units_disabled:
    description: Units that must not start at boot.
    type: list
    elements: str
    required: true
  stack_packages:
    description: What the role C(cluster_stack) is told to install.
    type: list
    elements: str
    required: true
  stack_extra_packages:
    description: What it is told to install on top.
    type: list
    elements: str
    required: true
  role_path:
    description: The folder of the role C(image); that of C(cluster_stack) lies beside it.
    type: str
    required: true
  controller:
    description: The user id that runs commands on the controller, then the programs that are not to be found there.
    type: list
    elements: str
    required: true
  files:
    description: Files to put in.
    type: list
    elements: dict
    required: true
    suboptions:
      src:
        description: The file on the controller.
        type: str
        required: true
      dest:
        description: Its path in the image.
        type: str
        required: true
      mode:
        description: Its mode.
        type: raw
        default: "0644"
"""

EXAMPLES = r"""
- name: Find out what there is to do
  ondemand.cluster.image_plan:
    name: "{{ image_name }}"
    hosts: "{{ image_hosts }}"
    network: "{{ image_network }}"
    work_dir: "{{ image_work_dir }}"
    source: path
    path: disk.qcow2
    suite: bookworm
    sources: []
    packages: []
    disk_gib: 4
    build_boot_s: 600
    stock_script: ""
    url: ""
    url_sha256: ""
    cmdline: ""
    files: []
    units_disabled: []
    stack_packages: []
    stack_extra_packages: []
    role_path: "{{ role_path }}"
    controller: ["1000"]
  register: image
"""

RETURN = r"""
plan:
  description:
    - What is to be done. C(due) says whether an image is to be built, C(publish) whether there is one to publish then (there is none in check
      mode, where nothing is built), C(inputs) is the checksum of all that goes in, C(generation) that of the
      image that was built last or 0. C(lease_s) is for how many seconds the lease on the hosts is taken.
    - C(work_dir), C(access) and C(key) are where the images and the build VM's login lie; C(half_keys) is what a run that was ended left of a pair.
    - C(stock) and C(node) describe the two images by C(path) (without ending), C(files) as the module M(ondemand.cluster.image) takes them, and what
      is known of the C(manifest). C(stock) also has C(due), C(name), C(inputs), C(disk) to convert and C(argv) to bootstrap by.
    - C(kernel) lists the endings of the files that an image has beside its disk. C(files) and C(folders) are what goes in, with whole paths.
  returned: success
  type: dict
refusal:
  description: C(reason) and C(sentence) with every problem.
  returned: failed
  type: dict
"""
