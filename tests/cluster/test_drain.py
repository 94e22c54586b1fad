# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""scale_in with a session that does not end: its own plays from the decision on, on real members with a real HAProxy each.

Only the VMs are none: the cells have no domain, so their deletion finds nothing to delete.
"""

from __future__ import annotations

import json
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.haproxy_runtime import parse_state

from tests.cluster.conftest import FIRST, ROOT, Cluster, Playbook
from tests.unit.playbooks.a_run import a_run

ADDRESS, LEAVER = "10.98.0.80", "cell-n3"
MEMBERS = [FIRST, "cell-n2", LEAVER]
# /hold answers when the file hold is gone, everything else at once; both with the cell's name.
SERVICE = """
import http.server, os, socket, socketserver, time
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        while self.path == "/hold" and os.path.exists("/mnt/hold"):
            time.sleep(0.05)
        body = socket.gethostname().encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *args):
        pass
socketserver.ThreadingTCPServer.allow_reuse_address = True
socketserver.ThreadingTCPServer(("", 8080), Answer).serve_forever()
"""
CLIENT = "import sys, urllib.request; print(urllib.request.urlopen(sys.argv[1], timeout=110).read().decode())"
PREPARE = "mkdir -p /mnt/haproxy /run/haproxy && mount --bind /mnt/haproxy /etc/haproxy"


def a_file(directory: Path, **changes: Any) -> dict[str, Any]:
    """The cluster file of the cells. changes: of deadlines, and drain_end."""
    drain_end = changes.pop("drain_end", "keep")
    return {
        "name": "cell",
        "hosts": [{"name": "hv1", "uri": "test:///default"}],
        "image": {"name": "none"},
        "network": {"bridge": "br0", "addresses": "10.98.0.11-10.98.0.14", "prefix": 24},
        "requirement": {"nodes": {"min": 1, "max": 4}, "size": {"vcpus": 1, "memory_mib": 512}},
        "access": {"state_dir": str(directory)},
        "services": [
            {
                "name": "web",
                "kind": "balanced",
                "address": ADDRESS,
                "port": 80,
                "resource": {"agent": "x:y", "port": 8080, "check": "/health"},
            }
        ],
        "scaling": {"scale_in": {"drain_end": drain_end}},
        "deadlines": {"leave_s": 90, **changes},
    }


def scale_in(cluster: Cluster, file: dict[str, Any], wanted: int = 2) -> Playbook:
    """The plays of scale_in behind its first one, which asks hypervisors; its decision is made by its own tasks."""
    for name in ("tasks", "vars"):
        link = cluster.directory / name
        link.exists() or link.symlink_to(ROOT / "playbooks" / name)
    vms = [{"name": one, "host": "hv1", "state": "running"} for one in MEMBERS]
    facts = {"ondemand_run": a_run(vms=vms)}
    decide = {
        "hosts": "localhost",
        "connection": "local",
        "gather_facts": False,
        "vars_files": ["vars/file.yml"],
        "vars": {"ondemand_wanted": wanted, "ondemand_leavers": [LEAVER]},
        "tasks": [
            {"ansible.builtin.set_fact": facts},
            {"ondemand.cluster.cluster_info": {"members": MEMBERS}, "register": "seen"},
            {"ansible.builtin.import_tasks": "tasks/keep.yml", "vars": {"ondemand_event": {"seen": "{{ seen }}"}}},
            {"ansible.builtin.import_tasks": "tasks/plan_shrinkage.yml"},
        ],
    }
    plays = [decide, *yaml.safe_load((ROOT / "playbooks/scale_in.yml").read_text())[1:]]
    inventory = cluster.cells.inventory()
    for one in inventory["all"]["hosts"].values():  # type: ignore[index]
        one.update({"ansible_connection": "ssh", "ondemand_vm": {"uri": "test:///default", "host": "hv1", "pool": None}})
    return cluster.play_whole(plays, "-e", json.dumps({"cluster": file, "wanted": wanted}), inventory=inventory)


def start(cluster: Cluster, name: str, *argv: str) -> subprocess.Popen[bytes]:
    """A process that stays, inside a cell; it ends with the cell at the latest."""
    enter = ["nsenter", "-t", str(cluster.cells[name].pid), "--mount", "--uts", "--ipc", "--net", "--pid", "--"]
    return subprocess.Popen([*enter, *argv], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def until(holds: Callable[[], Any], what: str, tries: int = 600) -> Any:
    """What holds gives, as soon as it is something."""
    for _attempt in range(tries):
        found = holds()
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError(f"it never came to that: {what}")


def slot(cluster: Cluster) -> str:
    """The condition of the leaver's slot in the first cell's HAProxy, which has the address."""
    asked = cluster.cells[FIRST].run("socat", "-t", "5", "-", "UNIX-CONNECT:/run/haproxy/admin.sock", stdin="show servers state\n")
    found = [one.state for one in parse_state(asked.stdout).values() if one.endpoint == f"{cluster.cells[LEAVER].address}:8080"]
    return found[0] if found else "none"


def ask(cluster: Cluster, path: str) -> subprocess.Popen[str]:
    """A client's request to the virtual cluster IP."""
    command = cluster.cells.ctl_argv(["python3", "-c", CLIENT, f"http://{ADDRESS}{path}"])
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


@pytest.fixture(scope="module")
def serving(cluster: Cluster) -> Iterator[Cluster]:
    """Three members, the service on each, the address and a load balancer on the first."""
    (cluster.directory / "stats_password").write_text("a-word-for-tests")
    script = cluster.directory / "service.py"
    script.write_text(SERVICE)
    processes = []
    for name in MEMBERS:
        cluster.cells[name].run("sh", "-c", PREPARE)
        processes.append(start(cluster, name, "python3", str(script)))
    cluster.cells[FIRST].run("ip", "address", "add", f"{ADDRESS}/24", "dev", "eth0")
    task = {
        "services": a_file(cluster.directory)["services"],
        "servers": [{"name": one, "address": cluster.cells[one].address} for one in MEMBERS],
        "slots": 4,
        "stats": {"password": "a-word-for-tests"},
    }
    cluster.be(3)
    cluster.done(cluster.play([{"ondemand.cluster.load_balancer": task}], hosts=",".join(MEMBERS)))
    for name in MEMBERS:
        processes.append(start(cluster, name, "haproxy", "-W", "-f", "/etc/haproxy/haproxy.cfg"))
    yield cluster
    for one in processes:
        one.kill()
        one.wait()


@pytest.fixture
def three(serving: Cluster) -> Cluster:
    """All three serve, and nobody holds anything."""
    serving.be(3)
    for name in MEMBERS:
        serving.cells[name].run("rm", "-f", "/mnt/hold")
    # What came back is a server again as scale_out would make it: by the same role, and when its check has passed.
    tasks = [{"ansible.builtin.import_role": {"name": "ondemand.cluster.load_balancer"}}]
    more = {
        "load_balancer_servers": MEMBERS,
        "load_balancer_services": a_file(serving.directory)["services"],
        "load_balancer_slots": 4,
        "load_balancer_stats_password": "a-word-for-tests",
        "load_balancer_up_s": 30,
    }
    serving.done(serving.play(tasks, "-e", json.dumps(more), hosts=",".join(MEMBERS)))
    assert slot(serving) == "ready"
    return serving


def held_by_the_leaver(cluster: Cluster) -> subprocess.Popen[str]:
    """A request that the leaver answers when its file is gone; other cells answer at once."""
    cluster.cells[LEAVER].run("touch", "/mnt/hold")

    def one() -> subprocess.Popen[str] | None:
        client = ask(cluster, "/hold")
        try:
            client.wait(timeout=3)
        except subprocess.TimeoutExpired:
            return client
        return None

    return until(one, "a session that the leaver holds", 30)


def released(cluster: Cluster, client: subprocess.Popen[str]) -> str:
    cluster.cells[LEAVER].run("rm", "-f", "/mnt/hold")
    return client.communicate(timeout=120)[0].strip()


def told(run: Playbook) -> dict[str, Any]:
    """What the playbook hands back: Ansible puts what its tasks tell together."""
    parts = [one["ansible_stats"]["data"]["ondemand"] for one in run.results if "ansible_stats" in one]
    return {key: value for part in parts for key, value in part.items()}


def test_what_may_not_leave_is_refused_before_anything_is_drained(three: Cluster) -> None:
    file = a_file(three.directory, drain_s=2)
    file["requirement"]["nodes"]["min"] = 3
    run = scale_in(three, file)
    # A task with a loop tells its items' results.
    told = [one["refusal"]["reason"] for one in run.last.get("results", [run.last])]
    assert run.rc != 0 and told == ["minimum"], run.output
    assert not [one for one in run.results if "reloaded" in one], "a load balancer was touched"
    assert three.nodes() == dict.fromkeys(MEMBERS, True) and slot(three) == "ready"


def test_who_still_has_a_session_at_the_deadline_stays_and_serves_again(three: Cluster) -> None:
    client = held_by_the_leaver(three)
    run = scale_in(three, a_file(three.directory, drain_s=2))
    assert run.rc != 0
    refusal = run.last["refusal"]
    assert refusal["reason"] == "deadline", run.output
    assert all(word in refusal["sentence"] for word in (LEAVER, "1 of web", FIRST, "10.98.0.1", "drain_end")), refusal
    found = told(run)
    assert (found["removed"], sorted(found["nodes"])) == ([], MEMBERS)
    assert [(one["name"], one["service"], one["sessions"], one["balancer"]) for one in found["busy"]] == [(LEAVER, "web", 1, FIRST)]
    assert three.nodes() == dict.fromkeys(MEMBERS, True) and not three.told()["nodes"][2]["standby"]
    assert slot(three) == "ready", "the drain was not taken back"
    assert client.poll() is None and released(three, client) == LEAVER


def test_nobody_leaves_before_the_last_session_has_ended(three: Cluster) -> None:
    client = held_by_the_leaver(three)
    outcome: list[Playbook] = []
    worker = threading.Thread(target=lambda: outcome.append(scale_in(three, a_file(three.directory, drain_s=100))))
    worker.start()
    until(lambda: slot(three) == "drain", "the leaver is drained")
    node = three.told()["nodes"][2]
    assert (node["name"], node["online"], node["standby"]) == (LEAVER, True, False)
    before = time.time()
    assert released(three, client) == LEAVER
    worker.join()
    assert outcome[0].rc == 0, outcome[0].output
    found = told(outcome[0])
    assert found["busy"] == [] and [one["name"] for one in found["removed"]] == [LEAVER]
    assert found["removed"][0]["left_at"] > before
    assert list(three.nodes()) == MEMBERS[:2]


def test_where_the_file_says_so_sessions_are_cut_and_that_is_told(three: Cluster) -> None:
    client = held_by_the_leaver(three)
    run = scale_in(three, a_file(three.directory, drain_s=2, drain_end="cut"))
    assert run.rc == 0, run.output
    found = told(run)
    assert [one["name"] for one in found["removed"]] == [LEAVER]
    assert [(one["name"], one["sessions"]) for one in found["busy"]] == [(LEAVER, 1)]
    assert list(three.nodes()) == MEMBERS[:2]
    released(three, client)
