# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""A join at native speed: cells of Corosync and Pacemaker, by ssh and sh alone, and by cluster_node."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

from lab.bench.ratio import figure, in_turns
from lab.cells import Cells

CHECKOUT = Path(__file__).resolve().parents[2]
OLD, NEW = "cell-n1", "cell-n2"

# The same changes in as few trips as a practised person makes, and a wait for the same end. SSH becomes the command and "root@".
RAW_JOIN = """
set -e
start=$(date +%s.%N)
conf=$(SSH10.98.0.11 cat /etc/corosync/corosync.conf)
node='    node {
        ring0_addr: 10.98.0.12
        name: cell-n2
        nodeid: 77
    }'
final=$(printf '%s\\n' "$conf" | awk -v node="$node" '/^nodelist/ {inside = 1} /^}/ && inside {print node; inside = 0} {print}')
staged=$(printf '%s\\n' "$final" | sed 's/^    provider:.*/&\\n    two_node: 1\\n    wait_for_all: 0/')
SSH10.98.0.11 base64 -w0 /etc/corosync/authkey | SSH10.98.0.12 'base64 -d >/etc/corosync/authkey; chmod 400 /etc/corosync/authkey'
printf '%s\\n' "$final" | SSH10.98.0.12 'cat >/etc/corosync/corosync.conf'
printf '%s\\n' "$staged" | SSH10.98.0.11 'cat >/etc/corosync/corosync.conf; corosync-cfgtool -R' >/dev/null
SSH10.98.0.12 'systemctl start corosync pacemaker
until crm_mon -1 --output-as=xml 2>/dev/null | grep -q "name=.cell-n2. .*online=.true.*pending=.false"; do sleep 0.1; done
until crmadmin -S cell-n1 2>/dev/null | grep -q S_IDLE; do sleep 0.1; done'
printf '%s\\n' "$final" | SSH10.98.0.11 'cat >/etc/corosync/corosync.conf; corosync-cfgtool -R' >/dev/null
echo "took $(echo "$(date +%s.%N) $start" | awk '{print $1 - $2}')"
"""


def measure(directory: Path, turns: int) -> dict[str, Any]:
    """Figures of joins from one node to two, in fresh cells."""
    with Cells(2, label="bench") as cells:
        pair = _Pair(cells, directory)
        pair.node(OLD, "created")

        def by_hand() -> float:
            seconds = pair.join_by_hand()
            pair.node(NEW, "absent")
            return seconds

        def own() -> float:
            seconds = pair.node(NEW, "member")
            pair.node(NEW, "absent")
            return seconds

        raw, ours = in_turns(by_hand, own, turns)
    return figure(raw, ours, "at most 1.2 times by hand")


class _Pair:
    """Two cells and the ways to make them join and leave."""

    def __init__(self, cells: Cells, directory: Path) -> None:
        self.cells, self.directory = cells, directory

    def node(self, name: str, state: str) -> float:
        """Seconds of the one task cluster_node, without the start of ansible-playbook."""
        playbook, results, inventory = (self.directory / name for name in ("join.json", "results.jsonl", "inventory.json"))
        arguments = {"name": name, "state": state, "cluster": "bench", "members": [OLD if name == NEW else NEW]}
        playbook.write_text(json.dumps([{"hosts": OLD, "gather_facts": False, "tasks": [{"ondemand.cluster.cluster_node": arguments}]}]))
        inventory.write_text(json.dumps(self.cells.inventory()))
        results.write_text("")
        environment = {
            **self.cells.environment(),
            "ANSIBLE_CONFIG": str(CHECKOUT / "ansible.cfg"),
            "ANSIBLE_CALLBACK_PLUGINS": str(CHECKOUT / "tests/cluster/callback"),
            "ANSIBLE_CALLBACKS_ENABLED": "results",
            "ONDEMAND_TEST_RESULTS": str(results),
        }
        command = [str(Path(sys.executable).parent / "ansible-playbook"), "-i", str(inventory), str(playbook)]
        self.cells.ctl(*command, timeout_s=180, environment=environment)
        return float(json.loads(results.read_text().splitlines()[-1])["seconds"])

    def join_by_hand(self) -> float:
        """Seconds of the same join by a script."""
        options = ["-i", f"{self.cells.directory}/login_key", "-o", f"UserKnownHostsFile={self.cells.directory}/known_hosts"]
        options += ["-o", "StrictHostKeyChecking=yes", "-o", "ControlMaster=auto", "-o", "ControlPersist=30"]
        options += ["-o", f"ControlPath={self.cells.directory}/raw-%h"]
        script = self.directory / "join.sh"
        script.write_text(RAW_JOIN.replace("SSH10", " ".join(["ssh", *options, "root@10"])))
        done = self.cells.ctl("bash", str(script), timeout_s=180)
        return float(re.findall(r"took ([0-9.]+)", done.stdout)[-1])
