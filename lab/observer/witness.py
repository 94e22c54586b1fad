# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""An observer that takes no part: writes down what libvirt, the load balancer and the cluster show while others act.

    python -m lab.observer.witness CLUSTER_FILE --out witness.jsonl [--seconds N]

It trusts nobody's account: it waits for the cluster file to arrive and tells each of its contents; VMs are read from every
host by libvirt (every 0.5 s), whether a VM is reachable is seen by its SSH banner, HAProxy's statistics are read at the
virtual cluster IP (every 2 s), membership and resources on a reachable member (every 6 s), and each member's own account
when the membership changed and once a minute. Everything is read-only. SIGTERM ends it. Output: one JSON line per
observation with `at` (epoch seconds) and `kind`: file, host, vm, balancer, cluster, member, or trouble (an observation that
failed). A host in sight is told every 10 s, so that the report knows that somebody looked.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from lab.observer.hosts import HostEye, start_events
from lab.observer.parse import MEMBER_SCRIPT, parse_balancer, parse_crm_mon, parse_member

# A look at the cluster costs an emulated VM a second of its only processor, so it is the rarest.
VMS_EVERY_S, BALANCER_EVERY_S, CLUSTER_EVERY_S, BANNER_EVERY_S = 0.5, 2.0, 6.0, 1.0
MEMBERS_EVERY_S, FILE_EVERY_S = 60.0, 0.5
SSH_TIMEOUT_S = 30.0


class Log:
    """The JSON lines, written by several threads; keeps the VMs that are there now for the other eyes."""

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        self._file = path.open("a", encoding="utf-8", buffering=1)
        self._lock = threading.Lock()
        self._clock = clock
        self._last: dict[str, str] = {}
        self.vms: dict[str, dict[str, Any]] = {}  # UUID -> facts and "reachable"
        self.on_running: Callable[[dict[str, Any]], None] = lambda vm: None

    def tell(self, record: dict[str, Any]) -> None:
        """Writes one observation with the time."""
        with self._lock:
            self._file.write(json.dumps({"at": round(self._clock(), 3), **record}) + "\n")
            if record["kind"] != "vm":
                return
            if record["event"] == "gone":
                self.vms.pop(record["uuid"], None)
            elif record["event"] == "reachable":
                self.vms[record["uuid"]]["reachable"] = True
            else:
                self.vms.setdefault(record["uuid"], {**record, "reachable": False})
            probe = record["event"] == "running" and not self.vms[record["uuid"]]["reachable"]
        if probe:
            self.on_running(record)

    def trouble(self, eye: str, because: str) -> None:
        """Writes a failed observation down, once until the reason changes."""
        if self._last.get(eye) != because:
            self._last[eye] = because
            self.tell({"kind": "trouble", "eye": eye, "because": because})

    def well(self, eye: str) -> None:
        """The eye sees again: its next trouble is told anew."""
        self._last.pop(eye, None)

    def reachable(self) -> list[dict[str, Any]]:
        """Returns the VMs that answered by SSH banner and are still there, by name."""
        with self._lock:
            return sorted((vm for vm in self.vms.values() if vm["reachable"]), key=lambda vm: vm["name"])

    def is_there(self, uuid: str) -> bool:
        """Returns whether libvirt shows the VM now."""
        with self._lock:
            return uuid in self.vms


def watch_file(log: Log, path: Path, stop: threading.Event, known: str = "") -> str:
    """Tells the file's checksum whenever its content changes, until `stop`; with `known` empty until it is there. Returns the checksum."""
    first = not known
    while not stop.is_set():
        try:
            content = path.read_bytes()
        except OSError:
            content = b""  # not there, or not any more: nothing to tell
        checksum = hashlib.sha256(content).hexdigest()
        if content and checksum != known:
            known = checksum
            log.tell({"kind": "file", "sha256": checksum, "bytes": len(content)})
            if first:
                return known
        stop.wait(FILE_EVERY_S)
    return known


def wait_for_banner(log: Log, vm: dict[str, Any], stop: threading.Event, port: int = 22) -> None:
    """Probes the VM's SSH port once a second until its banner came, then never again."""
    while not stop.is_set() and log.is_there(vm["uuid"]):
        began = time.monotonic()
        try:
            with socket.create_connection((vm["address"], port), timeout=BANNER_EVERY_S) as connection:
                connection.settimeout(5.0)  # a slow VM accepts first and says its name later
                if connection.recv(4) == b"SSH-" and log.is_there(vm["uuid"]):
                    told = {key: vm[key] for key in ("name", "uuid", "host", "address")}
                    log.tell({"kind": "vm", "event": "reachable", **told})
                    return
        except OSError:
            pass  # not yet: that is what this loop waits for
        stop.wait(max(0.0, BANNER_EVERY_S - (time.monotonic() - began)))


def read_balancer(address: str, password: str, port: int = 8404) -> dict[str, Any]:
    """Returns HAProxy's statistics at `address`; raises OSError or ValueError."""
    request = urllib.request.Request(f"http://{address}:{port}/;csv")
    secret = base64.b64encode(f"ondemand:{password}".encode()).decode("ascii")
    request.add_header("Authorization", f"Basic {secret}")
    with urllib.request.urlopen(request, timeout=2.0) as answer:
        return parse_balancer(answer.read(1 << 20).decode("utf-8", "replace"))


def watch_balancer(log: Log, addresses: dict[str, str], state_dir: Path, stop: threading.Event) -> None:
    """Reads the statistics of each balanced service's address until `stop`."""
    while not stop.wait(BALANCER_EVERY_S):
        for service, address in addresses.items():
            try:
                password = (state_dir / "stats_password").read_text(encoding="utf-8").strip()
                log.tell({"kind": "balancer", "service": service, **read_balancer(address, password)})
                log.well(f"balancer {service}")
            except (OSError, ValueError) as error:
                log.trouble(f"balancer {service}", str(error))


class Ssh:
    """Runs the witness's two fixed commands on a VM, over one kept-open connection per VM."""

    def __init__(self, user: str, state_dir: Path, sockets: Path, port: int = 22) -> None:
        options = {
            "IdentityFile": str(state_dir / "id_ed25519"),
            "IdentitiesOnly": "yes",
            "UserKnownHostsFile": str(state_dir / "known_hosts"),
            "GlobalKnownHostsFile": "/dev/null",
            "StrictHostKeyChecking": "yes",
            "BatchMode": "yes",
            "Port": str(port),
            "ConnectTimeout": "5",
            "ServerAliveInterval": "5",
            "ControlMaster": "auto",
            "ControlPersist": "30",
            "ControlPath": str(sockets / "%C"),
        }
        self._argv = ["ssh", "-F", "/dev/null", "-l", user]
        self._argv += [word for key, value in options.items() for word in ("-o", f"{key}={value}")]

    def run(self, address: str, command: str) -> str:
        """Returns the command's output; raises OSError with a sentence."""
        try:
            done = subprocess.run(
                [*self._argv, "--", address, command],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=SSH_TIMEOUT_S,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise OSError(f"{address} did not answer within {SSH_TIMEOUT_S:g} s") from None
        if done.returncode:
            raise OSError(f"{address}: exit code {done.returncode}: {done.stderr.strip()[-200:]}")
        return done.stdout

    def close(self, address: str) -> None:
        """Ends the kept-open connection to a VM, if there is one."""
        argv = [*self._argv, "-O", "exit", "--", address]
        subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, timeout=SSH_TIMEOUT_S, check=False)


def watch_cluster(log: Log, ssh: Ssh, stop: threading.Event) -> None:
    """Reads membership and resources through one member, and each member's own account once a minute.

    When the membership changed, the accounts are read until they agree.
    """
    read_at = 0.0
    preferred = ""  # the member that answered last
    known: list[str] = []  # the nodes that were online when their accounts agreed
    while not stop.wait(CLUSTER_EVERY_S):
        for vm in sorted(log.reachable(), key=lambda vm: vm["name"] != preferred):
            try:
                cluster = parse_crm_mon(ssh.run(vm["address"], "LC_ALL=C crm_mon --output-as=xml -1"))
            except (OSError, ValueError) as error:
                log.trouble(f"cluster through {vm['name']}", str(error))
                continue
            preferred = vm["name"]
            log.well(f"cluster through {vm['name']}")
            log.tell({"kind": "cluster", "through": vm["name"], **cluster})
            online = sorted(name for name, state in cluster["nodes"].items() if state == "online")
            if online != known or time.monotonic() - read_at >= MEMBERS_EVERY_S:
                read_at = time.monotonic()
                known = online if read_members(log, ssh, online) else []
            break


def read_members(log: Log, ssh: Ssh, online: list[str]) -> bool:
    """Writes down what each online member says of itself; returns whether all of them answered and have the same corosync.conf.

    In the midst of a join they have not: the old members have a passing file until the new one is online.
    """
    configs = []
    for vm in log.reachable():
        if vm["name"] in online:
            try:
                told = parse_member(ssh.run(vm["address"], MEMBER_SCRIPT))
                log.tell({"kind": "member", "node": vm["name"], "uuid": vm["uuid"], **told})
                log.well(f"member {vm['name']}")
                configs.append(told["config_sha256"])
            except (OSError, ValueError) as error:
                log.trouble(f"member {vm['name']}", str(error))
    return len(configs) == len(online) and len(set(configs)) <= 1


def main() -> int:
    """Watches until SIGTERM, SIGINT or --seconds."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("cluster_file", type=Path)
    parser.add_argument("--out", required=True, type=Path, help="JSON lines, appended")
    parser.add_argument("--seconds", type=float, default=6 * 3600.0, help="end after this many seconds")
    options = parser.parse_args()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stop.set())
    log = Log(options.out)
    checksum = watch_file(log, options.cluster_file, stop)
    if checksum:
        watch(log, options.cluster_file, checksum, options.seconds, stop)
    return 0


def watch(log: Log, cluster_file: Path, checksum: str, seconds: float, stop: threading.Event) -> None:
    """Watches the cluster of a file that has arrived, for so many seconds or until `stop`."""
    cluster = yaml.safe_load(cluster_file.read_text(encoding="utf-8"))["cluster"]
    access = cluster.get("access", {})
    state_dir = Path(access.get("state_dir", f"~/.local/state/ondemand/{cluster['name']}")).expanduser()
    log.on_running = lambda vm: threading.Thread(target=wait_for_banner, args=(log, vm, stop), daemon=True).start()
    balanced = {one["name"]: one["address"] for one in cluster["services"] if one["kind"] == "balanced"}
    start_events()
    with tempfile.TemporaryDirectory(prefix="witness-") as sockets:  # a short path: ssh bounds it to 107 bytes
        ssh = Ssh(access.get("user", "root"), state_dir, Path(sockets))
        eyes = [HostEye(host["name"], host["uri"], cluster["name"], log.tell) for host in cluster["hosts"]]
        threads = [threading.Thread(target=eye.watch, args=(stop, VMS_EVERY_S), daemon=True) for eye in eyes]
        threads.append(threading.Thread(target=watch_balancer, args=(log, balanced, state_dir, stop), daemon=True))
        threads.append(threading.Thread(target=watch_cluster, args=(log, ssh, stop), daemon=True))
        threads.append(threading.Thread(target=watch_file, args=(log, cluster_file, stop, checksum), daemon=True))
        for thread in threads:
            thread.start()
        stop.wait(seconds)
        stop.set()
        for thread in threads:
            thread.join(timeout=5.0)
        for vm in log.reachable():
            ssh.close(vm["address"])


if __name__ == "__main__":
    sys.exit(main())
