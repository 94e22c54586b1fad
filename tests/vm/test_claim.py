# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""The main claim: the driver, on the collection's own playbooks, carries clients with a ledger over load up, load down and a smaller statement.

It runs as script/demo, once on VMs as they are and with the checkout's own driver and playbooks, and once with a container as the inside of
each VM, at the machine's own speed, with driver and collection as users install them, while they are killed. What counts is the demo's report,
which tests/unit/lab holds against worlds in which something is wrong.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
KILLS = 6


def seed() -> str:
    """From which the times of the kills are drawn: the same in each run, so that a red one is about the change; ONDEMAND_SEED takes another."""
    return os.environ.get("ONDEMAND_SEED", "1")


@pytest.mark.parametrize(
    "options",
    [
        pytest.param([], id="vms"),
        pytest.param(["--containers", "--installed", "--kills", str(KILLS), "--seed", seed()], id="containers-and-kills"),
    ],
)
def test_no_transaction_is_lost_while_the_cluster_grows_moves_and_shrinks(options: list[str]) -> None:
    log = CHECKOUT / "var" / "test" / f"claim-{'-'.join(options).replace('--', '') or 'vms'}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w") as output:
        done = subprocess.run(
            ["script/demo", *options], cwd=CHECKOUT, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, check=False
        )
    assert done.returncode == 0, f"script/demo {' '.join(options)} ended with {done.returncode}:\n{log.read_text()[-6000:]}"
    report = json.loads((CHECKOUT / "var" / "demo" / "report.json").read_text())
    assert report["ok"], report["problems"]
    assert all(report["elements"][f"P{number}"] for number in range(1, 13))
