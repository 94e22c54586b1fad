# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""One at a time, on a real cluster: who holds the lease changes it, whoever else does not, whatever dies in between."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from lab.processes import kill_whole
from tests.cluster.conftest import FIRST, Cluster, Playbook

MEMBERS = ["cell-n1", "cell-n2", "cell-n3"]


@pytest.fixture(autouse=True)
def three(cluster: Cluster) -> None:
    cluster.be(3)


def lease(state: str = "held", **more: Any) -> dict[str, Any]:
    return {"ondemand.cluster.cluster_lease": {"state": state, "members": MEMBERS, **more}, "register": "taken"}


def configure(value: str, **more: Any) -> dict[str, Any]:
    """A harmless change of the CIB."""
    config = {"properties": {"cluster-recheck-interval": value}}
    return {"ondemand.cluster.cluster_config": {"config": config, "members": MEMBERS, **more}}


UNDER = {"lease": "{{ taken.lease.token }}"}
FREE = lease("free", token="{{ taken.lease.token }}")


def refused(run: Playbook) -> str:
    """The sentence of a run that came second."""
    assert run.rc != 0 and run.last["refusal"]["reason"] == "held", run.output
    return str(run.last["refusal"]["sentence"])


def test_of_many_who_take_it_at_once_one_gets_it(cluster: Cluster) -> None:
    runs: list[Playbook] = []
    threads = [threading.Thread(target=lambda: runs.append(cluster.play([lease(purpose="a test")]))) for _number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    got = [run.last["lease"]["token"] for run in runs if run.rc == 0]
    # One whose run is over, as they all are in the end, is taken over; so at each moment one holds it, and the last one is told.
    assert got and cluster.told()["lease"]["token"] in got
    for run in runs:
        if run.rc:
            assert "a test" in refused(run) and "begun" in refused(run)


def test_who_has_no_lease_or_another_one_s_changes_nothing(cluster: Cluster) -> None:
    holder = subprocess.Popen(["sleep", "300"])
    try:
        token = token_of(holder.pid)
        assert cluster.play([lease(token=token, purpose="a long work")]).rc == 0
        before = cluster.cells[FIRST].run("cibadmin", "--query", "--scope", "crm_config").stdout
        assert "a long work" in refused(cluster.play([configure("77s")]))
        assert "a long work" in refused(cluster.play([lease()]))
        assert "taken over" in refused(cluster.play([configure("77s", lease="another")]))
        others = [name for name in MEMBERS if name != "cell-n3"]
        standby = {"name": "cell-n3", "state": "standby", "members": others}
        run = cluster.play([{"ondemand.cluster.cluster_node": standby}])
        assert "a long work" in refused(run) and not run.last["changed"]
        assert "a long work" in refused(
            cluster.play([{"ondemand.cluster.service_move": {"service": "witness", "to": "cell-n2", "members": MEMBERS}}])
        )
        assert cluster.cells[FIRST].run("cibadmin", "--query", "--scope", "crm_config").stdout == before
        assert cluster.play([configure("78s", lease=token)]).rc == 0
    finally:
        holder.kill()
        holder.wait()
    # Its run is over, so nobody has to wait for the end of the lease.
    assert cluster.done(cluster.play([lease(), configure("79s", **UNDER), FREE]))["lease"]["held"] is False
    assert cluster.play([configure("80s")]).rc == 0


def token_of(pid: int) -> str:
    """The token of a run of that process, as lease_holder would make it in a task of it."""
    stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip().replace("-", "")[:12]
    return f"{boot}.{os.readlink('/proc/self/ns/pid').strip('pid:[]')}.{pid}.{stat[19]}.0"


def test_who_comes_second_waits_and_gets_it_when_it_is_given_back(cluster: Cluster) -> None:
    token = token_of(os.getpid())
    assert cluster.play([lease(token=token, purpose="a short work")]).rc == 0
    begun = time.monotonic()
    second: list[Playbook] = []
    thread = threading.Thread(target=lambda: second.append(cluster.play([lease(wait_s=60), configure("81s", **UNDER), FREE])))
    thread.start()
    time.sleep(8)
    assert not second
    assert cluster.play([lease("free", token=token)]).rc == 0
    thread.join()
    assert second[0].rc == 0 and time.monotonic() - begun > 8, second[0].output
    assert second[0].results[0]["waited_s"] >= 1


def test_a_lease_of_another_machine_ends_by_itself_and_its_holder_is_told(cluster: Cluster) -> None:
    assert cluster.play([lease(token="elsewhere", purpose="a work that died", for_s=12)]).rc == 0
    assert "s at the latest" in refused(cluster.play([lease()]))
    cluster.done(cluster.play([lease(wait_s=40), configure("82s", **UNDER), FREE]))
    assert "taken over by" in refused(cluster.play([configure("83s", lease="elsewhere")]))


def test_a_holder_that_was_only_slow_goes_on_where_nobody_came_in_between(cluster: Cluster) -> None:
    assert cluster.play([lease(token="slow", purpose="a slow work", for_s=1)]).rc == 0
    time.sleep(3)
    assert cluster.play([configure("84s", lease="slow")]).rc == 0
    held = cluster.told()["lease"]
    assert held["token"] == "slow" and held["until"] > time.time() + 30  # prolonged by as much as the change may take
    assert cluster.play([lease("free", token="slow")]).rc == 0


def test_before_a_host_is_touched_the_lease_is_kept_or_the_run_ends(cluster: Cluster) -> None:
    assert cluster.play([lease(token="first", purpose="a first work", for_s=5)]).rc == 0
    assert cluster.play([lease("kept", token="first", members=["cell-n4", *MEMBERS], for_s=200)]).rc == 0  # cell-n4 is in no cluster
    assert cluster.told()["lease"]["until"] > time.time() + 100
    cluster.done(cluster.play([lease("free", token="first")]))
    cluster.done(cluster.play([lease("kept", token="first")]))  # nobody was there in between
    cluster.done(cluster.play([lease("free", token="first")]))
    cluster.done(cluster.play([lease(purpose="a second work"), FREE]))
    assert "a second work" in refused(cluster.play([lease("kept", token="first")]))


def test_what_a_killed_run_still_does_on_a_node_is_ended_by_the_next(cluster: Cluster) -> None:
    cell = cluster.cells["cell-n3"]
    cell.run("crm_attribute", "-t", "rsc_defaults", "-n", "resource-stickiness", "-v", "0")
    cluster.cells[FIRST].run("crm_resource", "--resource", "witness", "--set-parameter", "stop_s", "--parameter-value", "25")
    others = MEMBERS[1:]
    tasks = [
        lease(purpose="a killed work"),
        {"ondemand.cluster.cluster_node": {"name": FIRST, "state": "standby", "members": others, **UNDER}},
    ]
    process = start(cluster, tasks)
    until(lambda: "standby" in cluster.cells["cell-n2"].run("cibadmin", "--query", "--scope", "nodes").stdout)
    time.sleep(1)
    kill_whole(process.pid)
    process.wait()
    at_work = acting(cluster)
    assert at_work, "the killed run's script was to be still at work"
    cluster.done(cluster.play([lease(), configure("85s", **UNDER, members=[at_work[0]]), FREE]))
    assert at_work[0] not in acting(cluster)
    cluster.cells[FIRST].run("crm_resource", "--resource", "witness", "--delete-parameter", "stop_s")
    cluster.done(cluster.node(FIRST, "active", members=others))


def acting(cluster: Cluster) -> list[str]:
    """Cells on which the process that the last change noted is still there."""
    alive = 'read -r pid start token </run/ondemand-change && [ -d "/proc/$pid" ]'
    return [name for name in MEMBERS if cluster.cells[name].run("sh", "-c", alive, check=False).returncode == 0]


def start(cluster: Cluster, tasks: list[dict[str, Any]]) -> subprocess.Popen[bytes]:
    """Like Cluster.play, but going on in a process group of its own."""
    return cluster.begin([{"hosts": FIRST, "gather_facts": False, "tasks": tasks}])


def until(holds: Any, tries: int = 200) -> None:
    for _try in range(tries):
        if holds():
            return
        time.sleep(0.2)
    raise AssertionError("it never became so")
