# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""A join of a second node, by ssh and sh alone and by cluster_node: in cells at native speed, or on VMs of the lab.

Whole commands are measured, from the start of bash or ansible-playbook to its end, and both wait for the same: the new node online, what is to run
there running (where the cluster has services: by `crm_resource --wait`, as a practised person does), and both members with the final file. The
script pauses between its looks as the collection's do, which leaves the node's processor to its daemons; looking all the time made it slower.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.node_scripts import script as node_script

from lab.bench.ratio import Goal, figure, in_turns
from lab.testbed.cells import Cells

CHECKOUT = Path(__file__).resolve().parents[2]
ANSIBLE = str(Path(sys.executable).with_name("ansible-playbook"))
TURN_S = 400.0  # no turn takes longer, on emulated VMs either

# The same changes in as few trips as a practised person makes, and a wait for the same end.
# $1 $2: address and name of the old member, $3 $4: of the new node, $5: the pauses, $6: the wait for services; then options for ssh.
RAW_JOIN = r"""
set -e
old_address=$1 new_address=$3 new=$4 pauses=$5 services=$6; shift 6
on() { local address=$1; shift; ssh "${options[@]}" "root@$address" "$@"; }
options=("$@")
conf=$(on "$old_address" cat /etc/corosync/corosync.conf)
node="    node {
        ring0_addr: $new_address
        name: $new
        nodeid: 77
    }"
final=$(printf '%s\n' "$conf" | awk -v node="$node" '/^nodelist/ {inside = 1} /^}/ && inside {print node; inside = 0} {print}')
staged=$(printf '%s\n' "$final" | sed 's/^    provider:.*/&\n    two_node: 1\n    wait_for_all: 0/')
on "$old_address" base64 -w0 /etc/corosync/authkey | on "$new_address" 'base64 -d >/etc/corosync/authkey; chmod 400 /etc/corosync/authkey'
printf '%s\n' "$final" | on "$new_address" 'cat >/etc/corosync/corosync.conf'
printf '%s\n' "$staged" | on "$old_address" 'cat >/etc/corosync/corosync.conf; corosync-cfgtool -R' >/dev/null
on "$new_address" "$pauses
systemctl start corosync pacemaker
until crm_mon -1 --output-as=xml 2>/dev/null | grep -q 'name=.$new. .*online=.true.*pending=.false'; do breathe; done
$services"
printf '%s\n' "$final" | on "$old_address" 'cat >/etc/corosync/corosync.conf; corosync-cfgtool -R' >/dev/null
"""


@dataclass(frozen=True)
class Node:
    """A node by its name in the inventory and the cluster, and its address."""

    name: str
    address: str


@dataclass(frozen=True)
class Pair:
    """A cluster of `old` that `new` can join, and how their operator reaches them.

    `run` takes a command and its environment and returns what it printed; `directory` is for files of this measurement; `services`: whether the
    cluster has any.
    """

    cluster: str
    old: Node
    new: Node
    inventory: Path
    ssh_options: Sequence[str]
    run: Callable[[Sequence[str], Mapping[str, str]], str]
    directory: Path
    services: bool = False

    def node(self, name: str, state: str) -> tuple[float, float]:
        """Seconds of ansible-playbook with the one task cluster_node, and of this task alone."""
        playbook, results = self.directory / "join.json", self.directory / "results.jsonl"
        members = [self.old.name if name == self.new.name else self.new.name]
        arguments = {"name": name, "state": state, "cluster": self.cluster, "members": members}
        tasks = [{"ondemand.cluster.cluster_node": arguments}]
        playbook.write_text(json.dumps([{"hosts": self.old.name, "gather_facts": False, "tasks": tasks}]))
        results.write_text("")
        environment = {
            "ANSIBLE_CONFIG": str(CHECKOUT / "ansible.cfg"),
            "ANSIBLE_CALLBACK_PLUGINS": str(CHECKOUT / "tests/cluster/callback"),
            "ANSIBLE_CALLBACKS_ENABLED": "results",
            "ONDEMAND_TEST_RESULTS": str(results),
        }
        begun = time.monotonic()
        self.run([ANSIBLE, "-i", str(self.inventory), str(playbook)], environment)
        whole_s = time.monotonic() - begun
        return whole_s, float(json.loads(results.read_text().splitlines()[-1])["seconds"])

    def join_by_hand(self) -> float:
        """Seconds of the same join by a script."""
        script = self.directory / "join.sh"
        script.write_text(RAW_JOIN)
        options = ["-o", "StrictHostKeyChecking=yes", "-o", "BatchMode=yes", "-o", "ControlMaster=auto", "-o", "ControlPersist=30"]
        options += ["-o", f"ControlPath={self.directory}/raw-%h", *self.ssh_options]
        nodes = [self.old.address, self.old.name, self.new.address, self.new.name, node_script("breathe")]
        nodes.append("timeout 300 crm_resource --wait" if self.services else "")
        begun = time.monotonic()
        self.run(["bash", str(script), *nodes, *options], {})
        return time.monotonic() - begun


def measure_pair(pair: Pair, turns: int, most_ratio: float) -> dict[str, Any]:
    """Figures of joins from one node to two, with a leave after each; `task_s` is cluster_node alone, without the start around it."""
    tasks: list[float] = []

    def by_hand() -> float:
        seconds = pair.join_by_hand()
        pair.node(pair.new.name, "absent")
        return seconds

    def own() -> float:
        seconds, task_s = pair.node(pair.new.name, "member")
        tasks.append(round(task_s, 3))
        pair.node(pair.new.name, "absent")
        return seconds

    raw, ours = in_turns(by_hand, own, turns)
    return {"task_s": tasks, **figure(raw, ours, Goal("ratio", most_ratio))}


def measure(directory: Path, turns: int) -> dict[str, Any]:
    """Figures of joins in fresh cells."""
    with Cells(2, label="bench") as cells:
        inventory = directory / "inventory.json"
        inventory.write_text(json.dumps(cells.inventory()))
        pair = Pair(
            cluster="bench",
            old=Node("cell-n1", "10.98.0.11"),
            new=Node("cell-n2", "10.98.0.12"),
            inventory=inventory,
            ssh_options=["-i", f"{cells.directory}/login_key", "-o", f"UserKnownHostsFile={cells.directory}/known_hosts"],
            run=lambda argv, more: cells.ctl(*argv, timeout_s=TURN_S, environment={**cells.environment(), **more}).stdout,
            directory=directory,
        )
        pair.node(pair.old.name, "created")
        return measure_pair(pair, turns, most_ratio=1.2)
