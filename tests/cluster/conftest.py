# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""Real Corosync and Pacemaker for tests: cells, and Ansible that reaches them by ssh as it reaches VMs."""

from __future__ import annotations

import functools
import itertools
import json
import os
import subprocess
import sys
import time
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster import membership_scripts as scripts
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.corosync_conf import Node, first_conf, render, with_node
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.membership_scripts import OBSERVE, sections
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.status import parse
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.status_view import view

ROOT = Path(__file__).resolve().parents[2]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from lab.testbed.cells import Cells  # noqa: E402
from tests.cluster.warm import Warm  # noqa: E402

ANSIBLE = str(Path(sys.executable).parent / "ansible-playbook")
FIRST = "cell-n1"
DUMMY = "witness"


@dataclass
class Playbook:
    """What one run of ansible-playbook gave: its exit code, its output and the result of each task."""

    rc: int
    output: str
    results: list[dict[str, Any]]

    @property
    def last(self) -> dict[str, Any]:
        """The last task's result."""
        assert self.results, self.output
        return self.results[-1]


@dataclass
class Cluster:
    """Cells with the helpers that every test needs."""

    cells: Cells
    directory: Path
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def play(
        self,
        tasks: list[dict[str, Any]],
        *options: str,
        hosts: str = FIRST,
        environment: Mapping[str, str] | None = None,
        timeout_s: float = 240,
    ) -> Playbook:
        """Run tasks on hosts by ansible-playbook in the cells' network."""
        plays = [{"hosts": hosts, "gather_facts": False, "tasks": tasks}]
        return self.play_whole(plays, *options, environment=environment, timeout_s=timeout_s)

    def play_whole(
        self,
        plays: list[dict[str, Any]],
        *options: str,
        inventory: Mapping[str, Any] | None = None,
        environment: Mapping[str, str] | None = None,
        timeout_s: float = 240,
    ) -> Playbook:
        """Run whole plays likewise, on the cells' inventory or another one."""
        command, whole, results = self.command(plays, *options, inventory=inventory, environment=environment)
        if environment:
            done = subprocess.run(
                command, cwd=ROOT, capture_output=True, text=True, timeout=timeout_s, start_new_session=True, stdin=subprocess.DEVNULL, env=whole
            )  # fmt: skip
        else:
            done = self.warm.run(command[command.index(ANSIBLE) :], results, timeout_s)
        lines = results.read_text().splitlines() if results.exists() else []
        return Playbook(done.returncode, done.stdout + done.stderr, [json.loads(line) for line in lines])

    def begin(self, plays: list[dict[str, Any]], *options: str) -> subprocess.Popen[bytes]:
        """The same, not waited for, as a command of its own: for whoever kills it (lab.processes.kill_whole)."""
        command, environment, _results = self.command(plays, *options)
        nothing = subprocess.DEVNULL
        return subprocess.Popen(command, cwd=ROOT, stdin=nothing, stdout=nothing, stderr=nothing, env=environment, start_new_session=True)

    def command(
        self,
        plays: list[dict[str, Any]],
        *options: str,
        inventory: Mapping[str, Any] | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> tuple[list[str], dict[str, str], Path]:
        """A run's command line, its environment, and where its tasks' results will stand."""
        number = next(self.numbers)
        playbook, results = self.directory / f"play-{number}.json", self.directory / f"results-{number}.jsonl"
        playbook.write_text(json.dumps(plays))
        listed = self.directory / f"inventory-{number}.json"
        listed.write_text(json.dumps(inventory or self.cells.inventory()))
        command = [ANSIBLE, "-i", str(listed), str(playbook), *options]
        return self.cells.ctl_argv(command), {**self.environment(), "ONDEMAND_TEST_RESULTS": str(results), **(environment or {})}, results

    def environment(self) -> dict[str, str]:
        """What every run has in its environment."""
        return {
            **self.cells.environment(),
            "PYTHONPATH": str(ROOT / "var/collections"),
            "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
            "ANSIBLE_CALLBACK_PLUGINS": str(ROOT / "tests/cluster/callback"),
            "ANSIBLE_CALLBACKS_ENABLED": "results",
            "ANSIBLE_NOCOLOR": "1",
        }

    @functools.cached_property
    def warm(self) -> Warm:
        """What runs the playbooks of this set of cells."""
        return Warm(self.directory, self.cells.ctl_argv, self.environment(), ROOT)

    def node(self, name: str, state: str, *options: str, environment: Mapping[str, str] | None = None, **more: Any) -> Playbook:
        """One task cluster_node for this node; members are all other cells unless given."""
        others = [other for other in self.cells.cells if other != name]
        arguments = {"name": name, "state": state, "cluster": "cell", "members": others, "deadline_s": 90, **more}
        return self.play([{"ondemand.cluster.cluster_node": arguments}], *options, environment=environment)

    def info(self, **more: Any) -> dict[str, Any]:
        """What cluster_info returns."""
        return self.play([{"ondemand.cluster.cluster_info": {"members": list(self.cells.cells), **more}}]).last

    def told(self, name: str = FIRST, min_nodes: int = 1) -> dict[str, Any]:
        """The same value without Ansible in between, for a quick look."""
        seen = self.cells[name].run("sh", "-c", OBSERVE, "sh", "all").stdout
        return view(parse(sections(seen)), min_nodes)

    def be(self, count: int) -> None:
        """Make it a cluster of the first so many cells, by the collection's own means, whatever it is now."""
        members = [f"cell-n{number}" for number in range(1, count + 1)]
        if not self.nodes():
            self.form(members)
        for name in reversed([name for name in self.nodes() if name not in members]):
            self.done(self.node(name, "absent"))
        for name in [name for name in members if not self.nodes().get(name)]:
            self.done(self.node(name, "member", members=list(self.nodes())))
        self.cells[FIRST].run("sh", "-c", WITNESS)
        wait_until(self, lambda told: told["stable"])

    def form(self, names: Sequence[str]) -> None:
        """A cluster of these cells at once, by the collection's own scripts but without Ansible and one join after another."""
        nodes = [Node(name, self.cells[name].address, number) for number, name in enumerate(names, start=1)]
        conf = functools.reduce(with_node, nodes[1:], first_conf("cell", nodes[0], 3000))
        text = scripts.key_line(os.urandom(256)) + "\n" + render(conf)
        for name in names:
            self.cells[name].run("sh", "-c", scripts.INSTALL, "sh", "fresh", "1", stdin=text)
        with ThreadPoolExecutor() as pool:
            list(pool.map(lambda name: self.cells[name].run("sh", "-c", scripts.START, "sh", name, "60", "120", timeout_s=180), names))
        self.cells[names[0]].run("sh", "-c", scripts.DROP_SEED)

    def nodes(self) -> dict[str, bool]:
        """Each node of the first cell's cluster, and whether it works there; none where the cluster does not run.

        `crm_node -l` would be no answer: it tells also who left, as long as a controller remembers it.
        """
        if self.cells[FIRST].run("cibadmin", "-Q", check=False).returncode != 0:
            return {}
        return {node["name"]: node["online"] and not node["pending"] for node in self.told()["nodes"]}

    @staticmethod
    def done(run: Playbook) -> dict[str, Any]:
        """The last result of a run that had to succeed."""
        assert run.rc == 0, run.output
        return run.last

    def conf(self, name: str) -> str:
        """A cell's corosync.conf, empty where it has none."""
        return self.cells[name].run("cat", "/etc/corosync/corosync.conf", check=False).stdout

    def untouched_by(self, name: str) -> dict[str, Any]:
        """What must stay as it is on a member while others come and go: daemons and the resource's start."""
        cell = self.cells[name]
        started = cell.run("sh", "-c", "cat /run/witness-started 2>/dev/null || true").stdout
        return {"processes": cell.processes(), "witness": started}

    def quorum_losses(self, name: str) -> int:
        """How often this member's Pacemaker told of a lost quorum."""
        return int(cell_count(self.cells, name, "Quorum lost"))


def wait_until(cluster: Cluster, holds: Callable[[dict], bool], tries: int = 60) -> None:
    """Look at the cluster until it is as wanted."""
    for _attempt in range(tries):
        told = cluster.told()
        if holds(told):
            return
        time.sleep(0.5)
    raise AssertionError(f"it never became so: {told}")


def cell_count(cells: Cells, name: str, text: str) -> str:
    """Lines of a cell's Pacemaker log with that text."""
    return cells[name].run("sh", "-c", 'grep -c "$1" /var/log/pacemaker/pacemaker.log || true', "sh", text).stdout.strip() or "0"


# A resource that notes each start, on the first cell; services stop without quorum, as in a real cluster without fencing.
AGENT = """#!/bin/sh
case $1 in
start) [ -e /run/witness ] || { touch /run/witness; date +%s.%N >>/run/witness-started; } ;;
stop) sleep "${OCF_RESKEY_stop_s:-0}"; rm -f /run/witness ;;
monitor) [ -e /run/witness ] || exit 7 ;;
meta-data) cat <<X
<?xml version="1.0"?>
<resource-agent name="witness"><version>1.0</version><longdesc lang="en">notes its starts</longdesc><shortdesc lang="en">witness</shortdesc>
<parameters><parameter name="stop_s"><longdesc lang="en">seconds that a stop takes</longdesc><shortdesc lang="en">stop</shortdesc>
<content type="integer" default="0"/></parameter></parameters>
<actions><action name="start" timeout="20s"/><action name="stop" timeout="60s"/><action name="monitor" timeout="20s" interval="10s"/>
<action name="meta-data" timeout="5s"/></actions></resource-agent>
X
;;
*) exit 3 ;;
esac
"""
# The agents' directory is the machine's own, so a copy of it lies over it in the cell.
OWN_AGENTS = """
set -e
cp -a /usr/lib/ocf/resource.d /mnt/agents
mkdir /mnt/agents/ondemandtest
cp /mnt/witness /mnt/agents/ondemandtest/
mount --bind /mnt/agents /usr/lib/ocf/resource.d
"""
WITNESS = """
set -e
crm_attribute -n stonith-enabled -v false; crm_attribute -n no-quorum-policy -v stop
crm_attribute -t rsc_defaults -n resource-stickiness -v 100
cibadmin -Q --xpath "//primitive[@id='witness']" >/dev/null 2>&1 || {
  cibadmin -C -o resources -X '<primitive id="witness" class="ocf" provider="ondemandtest" type="witness"/>'
  cibadmin -C -o constraints -X '<rsc_location id="witness-first" rsc="witness" node="cell-n1" score="200"/>'
}
crm_resource --clear --resource witness >/dev/null 2>&1 || :
i=0; until [ -e /run/witness ]; do i=$((i + 1)); [ $i -lt 300 ]; sleep 0.1; done
"""


@pytest.fixture(autouse=True)
def every_corosync_conf_is_one(request: pytest.FixtureRequest) -> Iterator[None]:
    """After each test Corosync takes the file of every cell that has one and is still there."""
    yield
    if "cluster" not in request.fixturenames:
        return
    for cell in request.getfixturevalue("cluster").cells.cells.values():
        tried = cell.run("sh", "-c", "[ ! -e /etc/corosync/corosync.conf ] || corosync -t", check=False)
        gone = not Path(f"/proc/{cell.pid}/ns/mnt").exists()
        assert gone or tried.returncode == 0, f"{cell.name}: {tried.stdout}{tried.stderr}"


def label_of(module: str) -> str:
    """The label of a test module's cells: no other module's, and no other checkout's, whose tests may run at the same time."""
    name = module.rsplit(".", 1)[-1].removeprefix("test_").replace("_", "-")
    return f"{name[:11]}-{zlib.crc32(f'{ROOT} {name}'.encode()):08x}"


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Cluster]:
    """Four cells without a cluster, of this test module alone; `be(n)` makes a cluster of the first n."""
    assert os.geteuid() == 0, "cells need root"
    with Cells(4, label=label_of(request.module.__name__)) as cells:
        directory = tmp_path_factory.mktemp("plays")
        for cell in cells.cells.values():
            agent = cell.directory / "witness"
            agent.write_text(AGENT)
            agent.chmod(0o755)
            cell.run("sh", "-c", OWN_AGENTS)
        made = Cluster(cells, directory)
        with made.warm:
            yield made
