#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: image
short_description: Publish a node image into a host's storage pool, or withdraw it
version_added: 0.1.0
author:
  - The ondemand.cluster contributors (@ondemand-cluster)
description:
  - Uploads disk, kernel and initrd of an image into a storage pool over libvirt's own connection, and then its manifest,
    which is what makes it visible to M(ondemand.cluster.vm).
  - The volumes carry the image's checksum in their names, so a new generation doesn't touch the one that VMs are clones of.
    An old one is removed by the first publication after its last VM is gone.
extends_documentation_fragment:
  - ondemand.cluster.libvirt
  - ondemand.cluster.libvirt.one_host
  - ondemand.cluster.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
options:
  name:
    description: Name of the image.
    type: str
    required: true
  state:
    description: V(absent) withdraws the image, which is refused while VMs are clones of it.
    type: str
    choices: [present, absent]
    default: present
  pool:
    description: The storage pool.
    type: str
    default: ondemand
  src:
    description: The disk on the controller, a qcow2 file without backing file.
    type: path
  kernel:
    description: The kernel on the controller, if the manifest says C(boot=kernel).
    type: path
  initrd:
    description: The initial ramdisk on the controller.
    type: path
  manifest:
    description:
      - What is told about the image. C(sha256) (of O(src)), C(generation) (from 1 on) and C(boot) (C(kernel) or C(firmware))
        must be there, C(cmdline) may be; anything else is kept as it is.
    type: dict
"""

EXAMPLES = r"""
- name: Publish an image that boots its own kernel directly
  ondemand.cluster.image:
    uri: qemu+ssh://root@hv1/system
    name: debian-12-node
    src: /var/tmp/debian-12-node.qcow2
    kernel: /var/tmp/debian-12-node.vmlinuz
    initrd: /var/tmp/debian-12-node.initrd
    manifest:
      sha256: 8f434346648f6b96df89dda901c5176b10a6d83961dd3c1ac88b59b2dc327aa4
      generation: 3
      boot: kernel
      cmdline: root=/dev/vda rw console=ttyS0 quiet
  delegate_to: localhost
"""

RETURN = r"""
image:
  description: The manifest as published; null after O(state=absent).
  returned: success
  type: dict
uploaded:
  description: Which files were sent, in check mode would be.
  returned: success
  type: list
  elements: str
  sample: [disk, kernel, initrd]
removed:
  description: Volumes that were removed, in check mode would be.
  returned: success
  type: list
  elements: str
refusal:
  description: Why the task failed, as reason and sentence.
  returned: when refused
  type: dict
  sample: {reason: wrong_checksum, sentence: Nothing was published}
"""

import os

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.ondemand.cluster.plugins.module_utils._contract import names
from ansible_collections.ondemand.cluster.plugins.module_utils._contract.config_defaults import POOL
from ansible_collections.ondemand.cluster.plugins.module_utils._contract.refusal import Refused, all_problems
from ansible_collections.ondemand.cluster.plugins.module_utils._libvirt import connection
from ansible_collections.ondemand.cluster.plugins.module_utils._libvirt.arguments import libvirt_spec, need_libvirt, one_host_spec, refuse
from ansible_collections.ondemand.cluster.plugins.module_utils._libvirt.host import volumes
from ansible_collections.ondemand.cluster.plugins.module_utils._libvirt.image import images, publish


def argument_spec():
    return dict(
        libvirt_spec(),
        **one_host_spec(),
        name={"type": "str", "required": True},
        state={"type": "str", "choices": ["present", "absent"], "default": "present"},
        pool={"type": "str", "default": POOL},
        src={"type": "path"},
        kernel={"type": "path"},
        initrd={"type": "path"},
        manifest={"type": "dict"},
    )


def problems(params):
    """Everything wrong with the input, each with its path."""
    found = [names.name_problem(params["name"], "name"), names.name_problem(params["pool"], "pool")]
    if params["state"] == "present":
        manifest = dict(params["manifest"], name=params["manifest"].get("name") or params["name"])
        found += images.problems(manifest)
        if manifest["name"] != params["name"]:
            found.append(f"manifest.name: {manifest['name']!r} isn't {params['name']!r}; leave it out")
        if manifest.get("boot") == "kernel" and not params["kernel"]:
            found.append("kernel: missing; an image with boot=kernel needs one")
        for key in ("src", "kernel", "initrd"):
            if params[key] and not os.path.isfile(params[key]):
                found.append(f"{key}: there is no file {params[key]}")
    return [problem for problem in found if problem]


def wanted(params):
    """The source files and the whole manifest; Refused if the disk is no qcow2 file."""
    source = publish.Source(params["src"], params["kernel"], params["initrd"])
    try:
        return source, publish.whole(dict(params["manifest"], name=params["name"]), source)
    except ValueError as error:
        raise Refused(all_problems([str(error)])) from error


def run(module, host):
    params = module.params
    manifest = source = None
    with connection.refusing(params["uri"], f"look at the image {params['name']}", "not_found"):
        pool = volumes.pool_of(host, params["pool"], params["uri"])
        there = publish.look(host, pool, params["name"])
    if params["state"] == "present":
        source, manifest = wanted(params)
        todo = publish.plan_publish(manifest, there)
    else:
        todo, refusal = publish.plan_withdraw(params["name"], there)
        if refusal:
            raise Refused(refusal)
    removed = todo.remove
    if not module.check_mode:
        removed = publish.apply(host, pool, params["name"], todo, manifest, source, params["uri"])
    result = {"changed": todo.changed, "image": manifest, "uploaded": list(todo.upload), "removed": list(removed)}
    if module._diff:
        after = sorted((set(there.volumes) | set((manifest or {}).get("volumes", {}).values())) - set(removed))
        result["diff"] = {
            "before": {"manifest": there.manifest, "volumes": sorted(there.volumes)},
            "after": {"manifest": manifest, "volumes": after},
        }
    return result


def main():
    module = AnsibleModule(
        argument_spec=argument_spec(),
        supports_check_mode=True,
        required_if=[("state", "present", ("src", "manifest"))],
    )
    need_libvirt(module)
    wrong = problems(module.params)
    if wrong:
        refuse(module, all_problems(wrong))
    try:
        host = connection.open_host(module.params["uri"], module.params["deadline_s"])
        result = run(module, host)
    except Refused as no:
        refuse(module, no.refusal)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
