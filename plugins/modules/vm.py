#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: vm
short_description: Make, change, start, stop and delete a VM on a libvirt host
version_added: 0.1.0
author:
  - The ondemand.cluster contributors (@ondemand-cluster)
description:
  - A VM is a linked clone of a published image, with a seed that gives it its name, its address, its SSH host key and
    the keys that may log in, and a mark in its domain metadata that says whose it is.
  - Nothing without that mark is ever changed. Making a VM that broke off is finished or made anew by the next run.
  - What can be changed while the VM runs is changed, up to its headroom; else it is named in RV(restart_required) or
    RV(rebuild_required). An option that isn't given is not compared with a VM that exists.
extends_documentation_fragment:
  - ondemand.cluster.libvirt
  - ondemand.cluster.libvirt.one_host
  - ondemand.cluster.attributes
attributes:
  check_mode: {support: full}
  diff_mode: {support: full}
options:
  name:
    description: Name of the VM.
    type: str
    required: true
  state:
    description:
      - V(present) makes the VM and leaves alone whether it runs.
      - V(running) and V(stopped) make it, if needed, and see to that state. V(stopped) asks the VM to power off.
      - V(absent) removes the domain, its overlay, its seed and its line in O(known_hosts).
    type: str
    choices: [present, running, stopped, absent]
    default: running
  cluster:
    description: The cluster that the VM belongs to.
    type: str
    required: true
  role:
    description: The VM's role, V(member) if a VM is made without it.
    type: str
  generation:
    description: The generation of the image that the VM should have; the image's own if a VM is made.
    type: int
  host:
    description: Name of the host, for the VM's mark.
    type: str
  zone:
    description: Zone of the host, for the VM's mark; the default is O(host).
    type: str
  pool:
    description: The storage pool with the image, where the VM's volumes go too.
    type: str
    default: ondemand
  image:
    description: Name of the published image. Needed to make a VM.
    type: str
  image_sha256:
    description: Refuse an image with another checksum.
    type: str
  vcpus:
    description: Number of processors; 1 if a VM is made without it.
    type: int
  vcpus_max:
    description: Up to how many processors it may be given while it runs; the default is O(vcpus).
    type: int
  memory_mib:
    description: Memory in MiB; 512 if a VM is made without it.
    type: int
  memory_max_mib:
    description: Up to how much memory it may be given while it runs, in MiB; the default is O(memory_mib).
    type: int
  disk_gib:
    description: Size of the VM's disk in GiB, if larger than the image's. The image's root file system grows to it at boot.
    type: int
  disk_cache:
    description: How the host caches the VM's own disk. V(unsafe) may lose it when the host crashes, and is for throw-away VMs.
    type: str
    choices: [writeback, none, directsync, unsafe]
    default: writeback
  autostart:
    description: Whether the VM starts with its host; V(true) if a VM is made without it.
    type: bool
  network:
    description: The VM's one network card. Needed to make a VM.
    type: dict
    suboptions:
      bridge:
        description: The bridge on the host.
        type: str
        required: true
      address:
        description: The VM's address.
        type: str
        required: true
      prefix:
        description: Length of the network's prefix.
        type: int
        default: 24
      gateway:
        description: The default route.
        type: str
      dns:
        description: Name servers.
        type: list
        elements: str
        default: []
      mac:
        description: The card's address. The default follows from cluster and name, so a VM made anew keeps it.
        type: str
  disks:
    description: Disks beside the VM's own. They are attached, never made and never deleted.
    type: list
    elements: dict
    suboptions:
      name:
        description: The disk's serial, found in the VM as C(/dev/disk/by-id/virtio-NAME).
        type: str
        required: true
      path:
        description: >-
          File or block device on the host, made and formatted before. For a service that moves between hosts it is the same storage on each of
          them (NFS, a LUN, Ceph); two local files of one name are two different sets of data.
        type: str
        required: true
      shareable:
        description: Whether several VMs may have it at once.
        type: bool
        default: false
      format:
        description: Format of the file.
        type: str
        choices: [raw, qcow2]
        default: raw
  authorized_keys:
    description: Public SSH keys that may log in to the VM as root.
    type: list
    elements: str
    default: []
  known_hosts:
    description: A known_hosts file on the controller that is to have exactly one line with the VM's host key.
    type: path
  wait_s:
    description:
      - How long to wait until SSH answers at the VM's address, in seconds. V(0) doesn't wait. Only with O(state=running).
    type: float
    default: 0
  stop_s:
    description: How long O(state=stopped) waits for the VM to power off before it pulls the plug, in seconds.
    type: float
    default: 60
"""

EXAMPLES = r"""
- name: A VM with headroom, reachable
  ondemand.cluster.vm:
    uri: qemu+ssh://root@hv1/system
    name: shop-n1
    cluster: shop
    image: debian-12-node
    vcpus: 1
    vcpus_max: 2
    memory_mib: 640
    memory_max_mib: 1280
    network: {bridge: br0, address: 10.99.0.20, prefix: 24, gateway: 10.99.0.1}
    authorized_keys: ["{{ lookup('ansible.builtin.file', '~/.ssh/id_ed25519.pub') }}"]
    known_hosts: ~/.local/state/ondemand/shop/known_hosts
    wait_s: 300
  delegate_to: localhost

- name: It goes, with everything that is its own
  ondemand.cluster.vm:
    uri: qemu+ssh://root@hv1/system
    name: shop-n1
    cluster: shop
    state: absent
    known_hosts: ~/.local/state/ondemand/shop/known_hosts
  delegate_to: localhost
"""

RETURN = r"""
vm:
  description:
    - The VM as it is now, in check mode as it would be; null after O(state=absent).
    - Keys are name, cluster, host, uri, zone, state, uuid, vcpus, vcpus_max, memory_mib, memory_max_mib, address, prefix,
      mac, host_key (public), generation, image, role, created_at, pool, complete and missing.
  returned: always
  type: dict
timings:
  description: When it was defined, started, reachable and deleted, in epoch seconds; null for what was not done.
  returned: always
  type: dict
steps:
  description: What was done (in check mode, what would be), in order, and why.
  returned: always
  type: list
  elements: dict
  sample: [{step: start, because: it shall run}]
restart_required:
  description: What differs and needs a restart of the VM; not done.
  returned: always
  type: list
  elements: str
rebuild_required:
  description: What differs and needs the VM deleted and made anew; not done.
  returned: always
  type: list
  elements: str
elapsed_s:
  description: Seconds inside the module, without the wait for SSH.
  returned: always
  type: float
connect_s:
  description: Seconds of RV(elapsed_s) that the connection to the host took.
  returned: always
  type: float
refusal:
  description: Why the task failed, as reason and sentence.
  returned: when refused
  type: dict
  sample: {reason: not_ours, sentence: shop-n1 was not touched}
"""

import time

from ansible.module_utils.basic import AnsibleModule, missing_required_lib
from ansible_collections.ondemand.cluster.plugins.module_utils._contract.config_defaults import POOL
from ansible_collections.ondemand.cluster.plugins.module_utils._contract.refusal import Refusal, Refused, all_problems
from ansible_collections.ondemand.cluster.plugins.module_utils._libvirt import connection
from ansible_collections.ondemand.cluster.plugins.module_utils._libvirt.arguments import libvirt_spec, need_libvirt, one_host_spec, refuse
from ansible_collections.ondemand.cluster.plugins.module_utils._libvirt.host import volumes
from ansible_collections.ondemand.cluster.plugins.module_utils._libvirt.image import images
from ansible_collections.ondemand.cluster.plugins.module_utils._libvirt.vm import seed, spec, state, vms, waiting
from ansible_collections.ondemand.cluster.plugins.module_utils._libvirt.vm.plan import difference, plan, predicted
from ansible_collections.ondemand.cluster.plugins.module_utils._shared import known_hosts


def argument_spec():
    network = {
        "bridge": {"type": "str", "required": True},
        "address": {"type": "str", "required": True},
        "prefix": {"type": "int", "default": 24},
        "gateway": {"type": "str"},
        "dns": {"type": "list", "elements": "str", "default": []},
        "mac": {"type": "str"},
    }
    disk = {
        "name": {"type": "str", "required": True},
        "path": {"type": "str", "required": True},
        "shareable": {"type": "bool", "default": False},
        "format": {"type": "str", "choices": ["raw", "qcow2"], "default": "raw"},
    }
    options = {
        "name": {"type": "str", "required": True},
        "state": {"type": "str", "choices": ["present", "running", "stopped", "absent"], "default": "running"},
        "cluster": {"type": "str", "required": True},
        "pool": {"type": "str", "default": POOL},
        "autostart": {"type": "bool"},
        "disk_cache": {"type": "str", "choices": ["writeback", "none", "directsync", "unsafe"], "default": "writeback"},
        "network": {"type": "dict", "options": network},
        "disks": {"type": "list", "elements": "dict", "options": disk},
        "authorized_keys": {"type": "list", "elements": "str", "default": [], "no_log": False},
        "known_hosts": {"type": "path"},
        "wait_s": {"type": "float", "default": 0},
        "stop_s": {"type": "float", "default": 60},
    }
    options.update({name: {"type": "str"} for name in ("role", "host", "zone", "image", "image_sha256")})
    options.update({name: {"type": "int"} for name in ("generation", "vcpus", "vcpus_max", "memory_mib", "memory_max_mib", "disk_gib")})
    return dict(**libvirt_spec(), **one_host_spec(), **options)


def is_pinned(work, absent):
    """Whether known_hosts is as it should be (of a VM to go: whether it has a line); None if none is kept."""
    if not work.known_hosts:
        return None
    mark = (work.state.mark or {}) if work.state else {}
    text, key = known_hosts.read(work.known_hosts), mark.get("host_key")
    if absent:
        return known_hosts.changed_text(text, work.spec.name, mark.get("address"), None) != text
    return bool(key) and known_hosts.changed_text(text, work.spec.name, mark.get("address"), key) == text


def left_over(module, host, wanted):
    """Volumes of a VM that has no domain. Where there is no pool there are none, which is all that absent wants."""
    try:
        wanted.pool = volumes.pool_of(host, wanted.spec.pool, wanted.uri)
    except Refused:
        if module.params["state"] == "absent":
            return []
        raise
    return volumes.leftovers(host, wanted.pool, wanted.spec.name, wanted.uri)


def load(module, host, wanted):
    """What there is, and the plan from it to what is wanted."""
    with connection.refusing(wanted.uri, f"look at {wanted.spec.name}", "not_found"):
        wanted.domain = vms.find(host, wanted.spec.name)
        wanted.state = vms.look(host, wanted.domain, wanted.spec.pool) if wanted.domain else None
        left = left_over(module, host, wanted) if wanted.domain is None else []
    want = module.params["state"]
    pinned = is_pinned(wanted, want == "absent")
    changes = plan(wanted.spec, wanted.state, want, tuple(left), pinned)
    problems = spec.problems(wanted.spec, changes.builds) if want != "absent" else []
    if changes.refusal or problems:
        raise Refused(changes.refusal or all_problems(problems))
    return changes, difference(wanted.spec, wanted.state, changes, pinned)


def prepare(module, host, work, changes):
    """Look up what only some steps need: the pool, and the image for a VM that is made."""
    touched = [step.kind for step in changes.steps if step.kind in ("overlay", "reseed", "delete_overlay", "delete_seed")]
    if not touched:
        return
    if changes.builds or changes.has("reseed"):
        problem = seed.pycdlib_problem()
        if problem:
            module.fail_json(msg=missing_required_lib("pycdlib"), exception=problem)
    with connection.refusing(work.uri, f"prepare {work.spec.name}", "no_image"):
        pool = work.spec.pool
        if work.state and work.state.mark and not changes.builds:
            pool = work.state.mark.get("pool") or pool
        work.pool = volumes.pool_of(host, pool, work.uri)
        if changes.builds:
            found = volumes.image_in(host, work.pool, work.spec.image)
            where = f"the pool {pool} on {work.uri}"
            chosen = images.choose(work.spec.image, found, work.spec.image_sha256, where)
            if isinstance(chosen, Refusal):
                raise Refused(chosen)
            work.image = chosen


def wait(module, work, result):
    """Wait for SSH if that is wanted; Refused if it doesn't come."""
    address = work.spec.address or ((work.state.mark or {}).get("address") if work.state else None)
    if module.params["state"] != "running" or module.params["wait_s"] <= 0 or not address:
        return
    answer = waiting.reachable(address, module.params["wait_s"], lambda: bool(work.domain.isActive()))
    if answer == "reachable":
        result["timings"]["reachable_at"] = time.time()
        return
    name = work.spec.name
    if answer == "stopped":
        raise Refused(Refusal("start_failed", f"{name} stopped while it was waited for. Its console log is on the host."))
    sentence = (
        f"{name} didn't answer SSH at {address} within {module.params['wait_s']:g} s. It was left running; its console log is on the host."
    )
    raise Refused(Refusal("deadline", sentence))


def run(module, host, work, result):
    changes, shown = load(module, host, work)
    result["changed"] = changes.changed
    result["steps"] = [{"step": step.kind, "because": step.because} for step in changes.steps]
    result["restart_required"] = list(changes.restart_required)
    result["rebuild_required"] = list(changes.rebuild_required)
    if module._diff:
        result["diff"] = shown
    prepare(module, host, work, changes)
    if module.check_mode:
        result["vm"] = predicted(work.spec, work.state, changes, work.uri)
        return
    with connection.refusing(work.uri, f"change {work.spec.name}", "not_found"):
        vms.apply(work, changes)
    result["timings"].update(work.timings)
    if module.params["state"] != "absent":
        work.state = vms.look(host, work.domain, work.spec.pool) if changes.changed else work.state
        result["vm"] = state.as_data(work.state, work.uri)


def main():
    begun = time.monotonic()
    work = None
    module = AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True)
    need_libvirt(module)
    result = {"changed": False, "vm": None, "steps": [], "restart_required": [], "rebuild_required": []}
    result["timings"] = dict.fromkeys(("defined_at", "started_at", "reachable_at", "deleted_at"))
    params = module.params
    try:
        host = connection.open_host(params["uri"], params["deadline_s"])
        result["connect_s"] = round(time.monotonic() - begun, 4)
        work = vms.Work(host, params["uri"], spec.from_params(params), None, None, module.run_command, module.tmpdir, params["known_hosts"])
        work.stop_s = params["stop_s"]
        run(module, host, work, result)
        result["elapsed_s"] = round(time.monotonic() - begun, 4)
        if not module.check_mode:
            wait(module, work, result)
    except Refused as no:
        result.setdefault("elapsed_s", round(time.monotonic() - begun, 4))
        result["changed"] = bool(work and work.done)
        refuse(module, no.refusal, **result)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
