# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""Pacemaker's real scheduler on saved CIBs: who may leave, and where a service may move, by what the CIB says and no rule of ours knows."""

from __future__ import annotations

import subprocess
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.leave_rules import may_leave
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.moves import build_wish
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.simulation import (
    SIMULATE,
    effects,
    why_not_there,
    with_constraint,
    with_standby,
)

from tests.cluster.test_status_oracle import a_cib, meta, primitive, seen


def asked(cib: ET.Element) -> str:
    """What the scheduler makes of a CIB, by the script that runs on nodes."""
    done = subprocess.run(
        ["sh", "-c", SIMULATE], input=ET.tostring(cib, encoding="unicode"), capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done
    return done.stdout


def constrained(cib: str, *constraints: str) -> str:
    """The CIB with these constraints."""
    return cib.replace("<constraints/>", f"<constraints>{''.join(constraints)}</constraints>")


def banned(rsc: str, node: str) -> str:
    """A ban that somebody forgot."""
    return f'<rsc_location id="ban-{rsc}-{node}" rsc="{rsc}" node="{node}" score="-INFINITY"/>'


LEDGER, MAIL = primitive("ledger"), primitive("mail")
MAINTENANCE = (
    '<node id="2" uname="n2"><instance_attributes id="x"><nvpair id="y" name="maintenance" value="on"/></instance_attributes></node>'
)
STANDBY = MAINTENANCE.replace("maintenance", "standby")
OPT_IN = '<nvpair id="o2" name="symmetric-cluster" value="false"/>'
SITE = (
    '<rsc_location id="site" rsc="g"><rule id="r" score="-INFINITY"><expression id="e" attribute="site" operation="ne" value="north"/></rule>'
    "</rsc_location>"
)
APART = '<rsc_colocation id="apart" rsc="ledger" with-rsc="mail" score="-INFINITY"/>'
BIG = '<utilization id="u"><nvpair id="u1" name="memory" value="512"/></utilization>'
SMALL = '<node id="2" uname="n2"><utilization id="v"><nvpair id="v1" name="memory" value="256"/></utilization></node>'
BY_USE = '<nvpair id="o3" name="placement-strategy" value="utilization"/>'
ON = {"ledger": 1}
CLONE = f'<clone id="web-clone">{primitive("web")}</clone>'


def with_n2(cib: str, node: str) -> str:
    """The CIB with another entry of n2."""
    return cib.replace('<node id="2" uname="n2"/>', node)


LEAVES = {
    "a service with another place": (a_cib(LEDGER, ON), None, ""),
    "banned by hand from the other node": (constrained(a_cib(LEDGER, ON), banned("ledger", "n2")), "no_place", "ledger"),
    "the other node in maintenance": (with_n2(a_cib(LEDGER, ON), MAINTENANCE), "no_place", "ledger"),
    "an opt-in cluster": (constrained(a_cib(LEDGER, ON, options=OPT_IN), banned("ledger", "n1").replace("-INF", "INF")), "no_place", "ledger"),
    "a group bound to a site": (
        constrained(a_cib(f'<group id="g">{primitive("a")}{primitive("b")}</group>', {"a": 1, "b": 1}).replace(
            '<node id="1" uname="n1"/>', '<node id="1" uname="n1"><instance_attributes id="s"><nvpair id="t" name="site" value="north"/>'
            "</instance_attributes></node>"), SITE), "no_place", "a, b",
    ),
    "apart from what runs on the other node": (constrained(a_cib(LEDGER + MAIL, {"ledger": 1, "mail": 2}), APART), "no_place", "ledger"),
    "too big for the other node": (
        with_n2(a_cib(primitive("ledger", BIG), ON, options=BY_USE), SMALL), "no_place", "ledger",
    ),
    "unmanaged": (a_cib(primitive("ledger", meta(is_managed="false")), ON), "unmanaged", "ledger"),
    "the whole cluster in maintenance": (
        a_cib(LEDGER, ON, options='<nvpair id="o4" name="maintenance-mode" value="true"/>'), "unmanaged", "ledger",
    ),
    "disabled by a person, still running": (a_cib(primitive("ledger", meta(target_role="Stopped")), ON), None, ""),
    "disabled by a person, and its place is gone": (
        constrained(a_cib(primitive("ledger", meta(target_role="Stopped")), {}, ("ledger",)), banned("ledger", "n2")), None, "",
    ),
    "of a clone each node has its copy": (a_cib(CLONE, {"web:0": 1}), None, ""),
    "nothing runs there": (constrained(a_cib(LEDGER, {"ledger": 2}), banned("ledger", "n1")), None, ""),
    "of two services one has no place": (constrained(a_cib(LEDGER + MAIL, {"ledger": 1, "mail": 1}), banned("mail", "n2")), "no_place", "mail"),
}  # fmt: skip


@pytest.mark.parametrize("case", LEAVES)
def test_n1_leaves_only_where_what_runs_there_runs_elsewhere_afterwards(case: str, tmp_path: Path) -> None:
    cib, reason, named = LEAVES[case]
    status = seen(cib, tmp_path)
    found = effects(asked(with_standby(ET.fromstring(cib), "n1")), "n1")
    refusal = may_leave(status.__class__(**{**vars(status), "simulated": {"n1": found}}), "n1")
    assert (refusal.reason if refusal else None) == reason
    if refusal:
        assert refusal.sentence.startswith(f"n1 must not leave: {named} ")


MOVES = {
    "a free place": (a_cib(LEDGER, ON), ""),
    "a ban": (constrained(a_cib(LEDGER, ON), banned("ledger", "n2")), "would not run ledger there"),
    "a node in maintenance": (with_n2(a_cib(LEDGER, ON), MAINTENANCE), "would not run ledger there"),
    "a node in standby": (with_n2(a_cib(LEDGER, ON), STANDBY), "would not run ledger there"),
    "a service that would be driven out": (
        constrained(a_cib(LEDGER + MAIL, {"ledger": 1, "mail": 2}), APART.replace('rsc="ledger" with-rsc="mail"', 'rsc="mail" with-rsc="ledger"'),
                    banned("mail", "n1")), "mail would run nowhere then",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", MOVES)
def test_a_service_moves_only_where_pacemaker_would_run_it(case: str) -> None:
    cib, why = MOVES[case]
    wish = build_wish("ledger", "n2", 4e9, 60.0)
    told = why_not_there(effects(asked(with_constraint(ET.fromstring(cib), wish))), ("ledger",), "n2")
    assert (why in told) if why else told == ""
