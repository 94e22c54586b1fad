# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""Pairs of runs that start at once, of all kinds, with random offsets, some killed: never two holders, and whoever survives does its work.

ONDEMAND_PAIRS says how many pairs (6), ONDEMAND_SEED which (by the clock). A failure names its seed.
"""

from __future__ import annotations

import itertools
import os
import random
import re
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab.processes import kill_whole
from tests.cluster.conftest import FIRST, Cluster

PAIRS = int(os.environ.get("ONDEMAND_PAIRS", "6"))
SEED = int(os.environ.get("ONDEMAND_SEED", str(int(time.time()))))
MEMBERS = ["cell-n1", "cell-n2", "cell-n3"]
ALL = [*MEMBERS, "cell-n4"]
UNDER = {"lease": "{{ taken.lease.token }}"}
Tasks = list[dict[str, Any]]


def configured(number: int) -> Tasks:
    """Two changes of the CIB that belong together, and a pause between them."""

    def change(**properties: str) -> dict[str, Any]:
        return {"ondemand.cluster.cluster_config": {"config": {"properties": properties}, "members": MEMBERS, **UNDER}}

    first = change(**{"pe-error-series-max": str(number)})
    return [first, {"ansible.builtin.wait_for": {"timeout": 1}, "delegate_to": "localhost"}, change(**{"pe-warn-series-max": str(number)})]


def node(name: str, *states: str) -> Callable[[int], Tasks]:
    """A node into these states, one after another."""
    others = [one for one in ALL if one != name]

    def tasks(_number: int) -> Tasks:
        acts = [{"name": name, "state": state, "members": others, "deadline_s": 90, **UNDER} for state in states]
        return [{"ondemand.cluster.cluster_node": one} for one in acts]

    return tasks


def moved(_number: int) -> Tasks:
    """The service to another node, whichever."""
    return [{"ondemand.cluster.service_move": {"service": "witness", "members": MEMBERS, **UNDER}}]


KINDS: dict[str, Callable[[int], Tasks]] = {
    "configure": configured,
    "standby": node("cell-n3", "standby", "active"),
    "join": node("cell-n4", "member"),
    "leave": node("cell-n4", "absent"),
    "move": moved,
}


@dataclass
class Started:
    """A run: its kind, its process, where its results will stand, and whether it was killed."""

    kind: str
    process: subprocess.Popen[bytes]
    output: Path
    killed: bool = False


def start(cluster: Cluster, kind: str, number: int) -> Started:
    take = {"ondemand.cluster.cluster_lease": {"state": "held", "members": MEMBERS, "purpose": kind, "wait_s": 200}, "register": "taken"}
    free = {"ondemand.cluster.cluster_lease": {"state": "free", "members": MEMBERS, "token": "{{ taken.lease.token }}"}}
    tasks = [take, *KINDS[kind](number), free]
    command, environment, results = cluster.command([{"hosts": FIRST, "gather_facts": False, "tasks": tasks}])
    output = results.with_suffix(".txt")
    with output.open("w") as file:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=file, stderr=file, env=environment, start_new_session=True)
    return Started(kind, process, output)


def kill(one: Started) -> None:
    """At once, with everything that it started here; what it started on nodes goes on."""
    if one.process.poll() is None:
        one.killed = True
        kill_whole(one.process.pid)


def holders(cluster: Cluster) -> list[tuple[str, int]]:
    """Every value that the lease had, in order, as the first cell's Pacemaker noted it: token and end."""
    log = cluster.cells[FIRST].run("cat", "/var/log/pacemaker/pacemaker.log").stdout
    found = re.findall(r'\(cib_perform_op\)[^\n]*\+\+ [^\n]*<nvpair id="ondemand-lease" name="ondemand-lease" value="(\S+) (\d+) ', log)
    return [(token, int(until)) for token, until in found]


def why_not_one_at_a_time(seen: list[tuple[str, int]], dead: set[str]) -> list[str]:
    """Every change of the holder by which somebody lost what he still held."""
    return [
        f"{after} took it from {before}, which held it"
        for (before, until), (after, _until) in itertools.pairwise(seen)
        if after != before and until != 0 and before.split(".")[2] not in dead
    ]


def whole(cluster: Cluster, torn: bool) -> None:
    """No id twice, and one list on all members, which Corosync takes.

    Torn: a join or leave was killed, and none came after it. Then a member may have the former list still, or no file any more.
    """
    told = cluster.told()
    ids = [one["id"] for one in told["nodes"]]
    assert len(ids) == len(set(ids)) and told["quorate"], told
    names = [one["name"] for one in told["nodes"] if cluster.conf(one["name"])]
    lists = {cluster.conf(name) for name in names}
    assert torn or len({re.sub(r"\s+two_node:.*", "", one) for one in lists}) == 1, lists
    for name in names:
        assert cluster.cells[name].run("corosync", "-t", check=False).returncode == 0, cluster.conf(name)


def half_done(cluster: Cluster) -> bool:
    """Is only the first of the two changes that belong together there?"""
    cib = cluster.cells[FIRST].run("cibadmin", "--query", "--scope", "crm_config").stdout
    values = [re.search(rf'name="{name}" value="(\d+)"', cib) for name in ("pe-error-series-max", "pe-warn-series-max")]
    return len({one.group(1) if one else "" for one in values}) > 1


def test_of_two_runs_at_once_one_acts_and_the_other_one_after_it(cluster: Cluster) -> None:
    print(f"ONDEMAND_SEED={SEED} ONDEMAND_PAIRS={PAIRS}")
    dice = random.Random(SEED)
    cluster.be(3)
    # The witness would rather run on the first cell; what moved is to stay.
    cluster.cells[FIRST].run("crm_attribute", "-t", "rsc_defaults", "-n", "resource-stickiness", "-v", "1000")
    dead: set[str] = set()
    interrupted = torn = False
    for number in range(1, PAIRS + 1):
        kinds = [dice.choice(list(KINDS)) for _one in range(2)]
        pair = []
        for kind in kinds:
            pair.append(start(cluster, kind, 2 * number + len(pair)))
            time.sleep(dice.choice([0, 0, 0.2, dice.uniform(0, 2)]))
        if dice.random() < 0.4:
            time.sleep(dice.uniform(0.5, 7))
            kill(dice.choice(pair))
        for one in pair:
            one.process.wait(300)
            assert one.killed or one.process.returncode == 0, f"seed {SEED}, pair {number}, {kinds}: {one.output.read_text()}"
        dead |= {str(one.process.pid) for one in pair if one.killed}
        interrupted = any(one.killed for one in pair) or (interrupted and half_done(cluster))
        assert interrupted or not half_done(cluster), f"seed {SEED}, pair {number}: {kinds} were mixed"
        assert why_not_one_at_a_time(holders(cluster), dead) == [], f"seed {SEED}, pair {number}"
        killed, ended = ({one.kind for one in pair if one.killed is was} & {"join", "leave"} for was in (True, False))
        torn = bool(killed) or (torn and not ended)
        whole(cluster, torn)
    assert len({token for token, _until in holders(cluster)}) >= PAIRS
