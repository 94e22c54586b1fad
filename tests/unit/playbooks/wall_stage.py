# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""A stage on which the real playbooks play without VMs: the collection as it is, but for its doors to nodes.

Hosts are libvirt's test driver, which reads them from files. What nodes print comes from files too: a real observation of two
nodes, changed where a test wants another state. All that is thought in between, and all that is handed back, is the collection's own.
"""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml
from ansible_collections.ondemand.cluster.plugins.module_utils._libvirt.vm import render
from ansible_collections.ondemand.cluster.plugins.module_utils._libvirt.vm.spec import Boot, VmSpec

from ondemand.act.runner import LOOK, PlaybookActor, Where
from ondemand.model import Outcome

ROOT = Path(__file__).resolve().parents[3]
RECORD = ROOT / "tests/unit/plugins/plugin_utils/_cluster/status_cases/two_nodes_with_a_failure.txt"
POOL = "default-pool"
NAME = "cell"
HOST_KEY = "ssh-ed25519 " + "A" * 68
# Roles that work on hosts and VMs through Ansible's own modules; they hand nothing back.
EMPTY_ROLES = ("cluster_stack", "hypervisor")
# What the role service leaves for others.
SERVICE_TASKS = """---
- name: Tell that something was changed
  ansible.builtin.set_fact:
    service_result: {changed: true}
"""
# What the role load_balancer leaves for others: one session of a leaver that did not end, as HAProxy tells of it (tests/cluster/test_drain.py).
BALANCER_TASKS = """---
- name: Tell of a session that has not ended
  ansible.builtin.set_fact:
    load_balancer_result:
      busy: [{service: web, server: cell-n2, slot: web/s2, sessions: 1, status: DRAIN, check: L4OK, clients: [10.99.0.4]}]
"""

NODES = '''

def _said(self, host, argv, command, stdin, timeout_s):
    """What the host is written down to print; a script that only has an effect succeeds in silence."""
    import pathlib
    import subprocess
    import time

    answers = pathlib.Path(__file__).resolve().parents[2] / "answers"
    lease = answers.with_name("lease")
    if not (answers / host).is_file():
        raise NodeError(host, argv, None, "nobody is there")
    text = argv[2] if argv[:2] == ["sh", "-c"] else ""
    if "section key " in text:
        clock = f"{time.time():.0f}\\n" if text.startswith("date +%s") else ""  # a wish ends by it
        told = (answers / host).read_text()
        if lease.is_file():
            pair = '<nvpair id="ondemand-lease" name="ondemand-lease" value="%s"/>' % lease.read_text()
            told = told.replace("<crm_config>", '<crm_config><cluster_property_set id="ondemand-lease-set">%s</cluster_property_set>' % pair, 1)
        return 0, clock + told, ""
    if "crm_simulate --xml-file" in text:
        # The scheduler needs no cluster, only the CIB that it is asked about.
        done = subprocess.run(argv, input=stdin, capture_output=True, text=True, timeout=timeout_s)
        return done.returncode, done.stdout, done.stderr
    if text.startswith("\\nlease_xpath=") and "lease_token=" not in text:
        token, for_s, holder, purpose = argv[4:8]
        with answers.with_name("lease_asked").open("a") as asked:
            asked.write("%s %s\\n" % ("take" if int(for_s) else "end", host))
        nobody = not int(for_s) and answers.with_name("lease_stays").is_file()
        # Whoever is alone has a CIB once it is the first member, of which this stage knows nothing.
        alone = "<cib " not in (answers / host).read_text() and not answers.with_name("lease_of_who_is_alone").is_file()
        if nobody or alone:
            return 72, "", "Pacemaker does not answer"
        now = int(time.time())
        theirs = answers.with_name("lease_theirs")
        if theirs.is_file():
            return 0, "%d %s\\n" % (now, theirs.read_text()), ""
        lease.write_text("%s %d %d %s %s" % (token, now + int(for_s) if int(for_s) else 0, now, holder, purpose))
        return 0, "%d %s\\n" % (now, lease.read_text()), ""
    if "stopped_at" in text:
        return 0, "clock 1790000003\\nstopped_at 1790000001\\nstarted_at 1790000002\\noutcome moved\\n", ""
    return 0, "", ""


Nodes._answer = _said
'''
WAITING = '''

def reachable(address, wait_s, still_runs, port=22):
    """Every VM answers."""
    return "reachable"
'''
VOLUMES = '''

def images_in(connection, pool):
    """The test driver hands out no manifest, so the image of one stands here."""
    sha = "0123456789abcdef" * 4
    return [images.Image("debian-12-node", sha, 3, "firmware", "", 1000, images.volumes_of("debian-12-node", sha, "firmware", False))]


def image_in(connection, pool, name):
    """The same, with a disk that clones can be made of."""
    (image,) = images_in(connection, pool)
    if find(pool, image.volumes["disk"]) is None:
        pool.createXML(render.volume_xml(image.volumes["disk"], 1000, "raw"), 0)
    return image


def create(connection, pool, name, source, size):
    """A volume without its content: the test driver takes no uploads."""
    return pool.createXML(render.volume_xml(name, size, "raw"), 0)
'''
# The hosts of a stage keep nothing, so a lease on them stands in a file: TOKEN, or THEIRS for one of another run. It writes down what was asked.
HOSTS_LEASE = """#!/usr/bin/python
from pathlib import Path
from ansible.module_utils.basic import AnsibleModule

keys = ("hosts", "cluster", "state", "token", "holder", "purpose", "for_s", "wait_s", "over", "deadline_s")
module = AnsibleModule(argument_spec={key: {"type": "raw"} for key in keys}, supports_check_mode=True)
file, state, token = Path(%(folder)r) / "hosts_lease", module.params["state"], module.params["token"]
with file.with_name("hosts_lease_asked").open("a") as asked:
    asked.write("%%s %%s\\n" %% (state, token))
with file.with_name("hosts_lease_of").open("a") as of:
    of.write("%%s\\n" %% module.params["cluster"])
there = file.read_text() if file.exists() else ""
lease = {"token": there, "holder": "anna", "purpose": "create", "since": 1, "until": 2} if there else None
if module.check_mode:
    module.exit_json(changed=False, lease=None)
if (there and there != token and state != "free") or (state == "kept" and there != token):
    module.fail_json(msg="anna works on it", refusal={"reason": "held", "sentence": "anna works on it"}, lease=lease)
if state == "free" and there == token:
    file.unlink()
elif state != "free":
    file.write_text(token)
module.exit_json(changed=False, lease=None if state == "free" else {"token": token})
"""
IMAGE_MODULE = """#!/usr/bin/python
from ansible.module_utils.basic import AnsibleModule

keys = ("uri", "pool", "name", "src", "kernel", "initrd", "manifest")
AnsibleModule(argument_spec={key: {"type": "raw"} for key in keys}, supports_check_mode=True).exit_json(changed=True)
"""
# What is to be done, as the role image finds out first: to publish what was built.
IMAGE_CHECK = """---
- name: Find out what there is to do
  ansible.builtin.set_fact:
    __image:
      plan:
        due: false
        publish: true
        lease_s: 4200
        work_dir: "{{ playbook_dir }}/../work"
        access: {user: root, state_dir: "{{ playbook_dir }}/../work/access"}
        node: {path: "{{ playbook_dir }}/../answers/image", files: {src: "{{ playbook_dir }}/../answers/image.qcow2"}}
"""
ALONE = """
==ondemand-section== conf
cat: /etc/corosync/corosync.conf: No such file or directory

==ondemand-rc== 1

==ondemand-section== key

==ondemand-rc== 1

==ondemand-section== seed

==ondemand-rc== 2

==ondemand-section== corosync
inactive

==ondemand-rc== 3

==ondemand-section== pacemaker
inactive

==ondemand-rc== 3
"""
DOORS = {
    "plugins/plugin_utils/nodes.py": NODES,
    "plugins/module_utils/_libvirt/vm/waiting.py": WAITING,
    "plugins/module_utils/_libvirt/host/volumes.py": VOLUMES,
}


def record() -> str:
    """Two members with a failed service, as cell-n1 told it."""
    return RECORD.read_text().replace("cluster_name: shop", f"cluster_name: {NAME}")


def with_lost(text: str, node: str) -> str:
    """The same with a node that is away: neither online nor among the votes."""
    text = re.sub(rf'(<node name="{node}" id="\d+") online="true"', r'\1 online="false"', text)
    return re.sub(rf"\n +\d+ +1 {node}\b.*", "", text)


def domain(number: int, running: bool = True, finished: bool = True) -> str:
    """The definition of a VM of ours."""
    name = f"{NAME}-n{number}"
    spec = VmSpec(name=name, cluster=NAME, host="hv1", zone="a", image="debian", pool=POOL, bridge="br0", address=f"10.98.0.{10 + number}")
    spec = replace(spec, vcpus=1, vcpus_max=2, memory_mib=640, memory_max_mib=1280, mac=f"52:54:00:00:00:0{number}")
    fields = ("cluster", "name", "role", "image", "host", "zone", "pool", "address", "prefix", "mac")
    mark = {**{key: getattr(spec, key) for key in fields}, "generation": 1, "host_key": HOST_KEY}
    mark["created_at"] = 1790000000.5 if finished else None
    disks = (f"/{POOL}/{name}.qcow2", f"/{POOL}/{name}-seed.iso")
    xml = render.domain_xml(spec, render.Machine("test", "i686"), Boot(), mark, *disks, f"00000000-0000-0000-0000-00000000000{number}")
    run = '<test:runstate xmlns:test="http://libvirt.org/schemas/domain/test/1.0">%d</test:runstate>' % (1 if running else 5)
    return xml.replace("</domain>", run + "</domain>")


def pinned(number: int) -> str:
    """The line of known_hosts of a VM of ours."""
    return f"10.98.0.{10 + number},{NAME}-n{number} {HOST_KEY}"


def host_file(domains: Sequence[str], volumes: Sequence[str]) -> str:
    """A host for libvirt's test driver: its VMs, and a pool with these volumes."""
    made = "".join(render.volume_xml(name, 1000, "raw") for name in volumes)
    target = f"<target><path>/{POOL}</path></target>"
    return f"<node>{''.join(domains)}<pool type='dir'><name>{POOL}</name><uuid>dfe224cb-28fb-8dd0-c4b2-64eb3f0f4566</uuid>{made}{target}</pool></node>"


class Stage:
    """One cluster file, its hosts and nodes, and the driver's own way to run playbooks on it."""

    def __init__(self, folder: Path, setenv: Any) -> None:
        self.folder = folder
        self.collection = folder / "collections/ansible_collections/ondemand/cluster"
        self._build()
        setenv("ANSIBLE_COLLECTIONS_PATH", str(folder / "collections"))
        setenv("ANSIBLE_LOCALHOST_WARNING", "False")
        self.state = folder / "state"
        self.state.mkdir(mode=0o700)
        for name in ("id_ed25519", "id_ed25519.pub", "stats_password"):
            (self.state / name).write_text("of the test\n")
        self.file: dict[str, Any] = yaml.safe_load((ROOT / "examples/demo.yml").read_text())
        cluster = self.file["cluster"]
        cluster.update(name=NAME, access={"state_dir": str(self.state)}, deadlines={"connect_s": 5})
        cluster["network"].update(addresses="10.98.0.11-10.98.0.19", prefix=24, gateway="10.98.0.1")
        for number, service in enumerate(cluster["services"]):
            service["address"] = f"10.98.0.{100 + number}"
        self.hosts({})

    def _build(self) -> None:
        """The collection, linked, with other files where it would speak with nodes."""
        top = self.collection
        for part in ("plugins", "roles", "playbooks", "meta"):
            shutil.copytree(ROOT / part, top / part, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
        (top / "galaxy.yml").write_text((ROOT / "galaxy.yml").read_text())
        for path, more in DOORS.items():
            (top / path).write_text((ROOT / path).read_text() + more)
        (top / "plugins/modules/image.py").write_text(IMAGE_MODULE)
        (top / "plugins/modules/hosts_lease.py").write_text(HOSTS_LEASE % {"folder": str(top)})
        for name in EMPTY_ROLES:
            (top / f"roles/{name}/tasks/main.yml").write_text("---\n[]\n")
        (top / "roles/load_balancer/tasks/main.yml").write_text(BALANCER_TASKS)
        (top / "roles/service/tasks/main.yml").write_text(SERVICE_TASKS)
        (top / "roles/image/tasks/check.yml").write_text(IMAGE_CHECK)
        (top / "answers").mkdir()
        (top / "answers/image.json").write_text('{"sha256": "0123456789abcdef", "generation": 3, "boot": "firmware"}')
        (top / "answers/image.qcow2").write_text("an image")

    def hosts(self, vms: dict[str, Sequence[str]], volumes: Sequence[str] = (), away: bool = False) -> None:
        """Host -> the definitions of its VMs. With `away` there is a host beside them that doesn't answer."""
        listed = []
        for name in ("hv1", "hv2"):
            path = self.folder / f"{name}.xml"
            path.write_text(host_file(vms.get(name, ()), volumes))
            listed.append({"name": name, "uri": f"test://{path}", "pool": POOL, "ssh": "localhost"})
        if away:
            listed[1]["uri"] = "qemu+tcp://127.0.0.1:1/system"
        self.file["cluster"]["hosts"] = listed
        # Their keys are pinned, as after any run before.
        numbers = re.findall(rf"<name>{NAME}-n(\d+)</name>", "".join("".join(one) for one in vms.values()))
        lines = sorted(pinned(int(number)) for number in numbers)
        (self.state / "known_hosts").write_text("".join(line + "\n" for line in lines))

    def says(self, number: int, text: str) -> None:
        """What a node prints when it is looked at."""
        (self.collection / "answers" / f"{NAME}-n{number}").write_text(text)

    def play(self, playbook: str, **variables: Any) -> Outcome:
        """Runs a playbook as the driver does."""
        actor = PlaybookActor(NAME, yaml.safe_dump(self.file), Where(self.collection / "playbooks"), time.time, LOOK)
        return actor.run(playbook, variables, 120)
