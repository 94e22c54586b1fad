# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""Verdicts over clusters by chance, beside Pacemaker's own tools: no "may leave" lets a service stop, and no "no" is without cause.

The judge goes another way than the code: crm_attribute sets the standby in the file, crm_simulate writes what becomes of the cluster into another
one, and crm_mon reads both.
"""

from __future__ import annotations

import os
import random
import subprocess
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path

import pytest
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster import what_if
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.simulation import SIMULATE

from tests.cluster.test_status_oracle import history, meta, primitive

SEEDS = range(60)


def schedule(cib: ET.Element) -> str:
    """The scheduler of this machine, by the script that runs on nodes."""
    text = ET.tostring(cib, encoding="unicode")
    return subprocess.run(["sh", "-c", SIMULATE], input=text, capture_output=True, text=True, timeout=120, check=True).stdout


def tool(cib: Path, *command: str) -> str:
    """What one of Pacemaker's tools prints about a saved CIB."""
    environment = {**os.environ, "LC_ALL": "C", "CIB_file": str(cib)}
    return subprocess.run(command, capture_output=True, text=True, timeout=60, env=environment, check=True).stdout


def by_chance(seed: int) -> str:
    """A cluster at rest, of two to four nodes, with resources, groups, clones, bans, bindings, orders and states by chance."""
    dice = random.Random(seed)
    count = dice.randint(2, 4)
    names = [f"r{number}" for number in range(dice.randint(1, 4))]
    states = [dice.choice(("", "", "", "standby", "maintenance")) for _node in range(count)]
    able = [number for number, state in enumerate(states, 1) if not state]
    grouped = names[:2] if len(names) > 2 and dice.random() < 0.4 else []
    home = dice.choice(able) if able else 0
    places = {name: home if name in grouped else (dice.choice(able) if able else 0) for name in names}
    resources = "".join(primitive(name, state(dice)) for name in names if name not in grouped)
    resources += f'<group id="g">{"".join(map(primitive, grouped))}</group>' if grouped else ""
    outer = [name for name in names if name not in grouped] + (["g"] if grouped else [])
    copies = dice.sample(able, dice.randint(1, len(able))) if able and dice.random() < 0.4 else []
    promoted = dice.choice([*copies, 0, 0]) if copies else 0
    resources += a_clone(len(copies), bool(promoted)) if copies else ""
    outer += ["c"] if copies else []
    rules = "".join(rule(dice, number, outer, count) for number in range(dice.randint(0, 3)))
    nodes = "".join(
        f'<node id="{number}" uname="n{number}">'
        + (f'<instance_attributes id="i{number}"><nvpair id="v{number}" name="{state}" value="on"/></instance_attributes>' if state else "")
        + "</node>"
        for number, state in enumerate(states, 1)
    )
    told = "".join(
        f'<node_state id="{number}" uname="n{number}" in_ccm="true" crmd="online" join="member" expected="member"><lrm id="{number}"><lrm_resources>'
        + "".join(history(number, name, place == number) for name, place in places.items())
        + (a_copy(number, number in copies, promoted) if copies else "")
        + f"</lrm_resources></lrm>{may_promote(number) if promoted and number in copies else ''}</node_state>"
        for number in range(1, count + 1)
    )
    options = '<nvpair id="o1" name="stonith-enabled" value="false"/>'
    options += '<nvpair id="o2" name="symmetric-cluster" value="false"/>' if dice.random() < 0.15 else ""
    options += '<nvpair id="o3" name="maintenance-mode" value="true"/>' if dice.random() < 0.05 else ""
    return (
        '<cib crm_feature_set="3.16.1" validate-with="pacemaker-3.9" epoch="1" num_updates="0" admin_epoch="0" have-quorum="1" dc-uuid="1"><configuration>'
        f'<crm_config><cluster_property_set id="o">{options}</cluster_property_set></crm_config><nodes>{nodes}</nodes><resources>{resources}</resources>'
        f"<constraints>{rules}</constraints></configuration><status>{told}</status></cib>"
    )


STATEFUL = 'class="ocf" provider="pacemaker" type="Stateful"'


def a_clone(copies: int, promotable: bool) -> str:
    """A clone of that many copies."""
    more = {"promotable": "true"} if promotable else {}
    return f'<clone id="c">{meta(interleave="true", clone_max=str(copies), **more)}{primitive("copy", what=STATEFUL)}</clone>'


def a_copy(number: int, started: bool, promoted: int) -> str:
    """What a node reported of its copy."""
    told = history(number, "copy", started, agent="Stateful")
    return told.replace("copy_start_0", "copy_promote_0").replace('"start"', '"promote"') if number == promoted else told


def may_promote(number: int) -> str:
    """The score by which an agent lets its copy be promoted."""
    pair = f'<nvpair id="s{number}p" name="master-copy" value="10"/>'
    return f'<transient_attributes id="{number}"><instance_attributes id="s{number}">{pair}</instance_attributes></transient_attributes>'


def state(dice: random.Random) -> str:
    """What a person set on a resource."""
    return dice.choice(("", "", "", "", meta(is_managed="false"), meta(target_role="Stopped"), meta(resource_stickiness="100")))


def rule(dice: random.Random, number: int, names: list[str], count: int) -> str:
    """A constraint."""
    one, node = dice.choice(names), f"n{dice.randint(1, count)}"
    if dice.random() < 0.7 or len(names) < 2:
        score = dice.choice(("-INFINITY", "-INFINITY", "INFINITY", "50"))
        return f'<rsc_location id="c{number}" rsc="{one}" node="{node}" score="{score}"/>'
    other = dice.choice([name for name in names if name != one])
    if dice.random() < 0.4:
        return f'<rsc_order id="c{number}" first="{one}" then="{other}" kind="{dice.choice(("Mandatory", "Optional"))}"/>'
    return f'<rsc_colocation id="c{number}" rsc="{one}" with-rsc="{other}" score="{dice.choice(("-INFINITY", "INFINITY"))}"/>'


@dataclass
class Runs:
    """A resource that runs, as crm_mon tells: on which nodes (of a clone: of all copies), whether a person wants it stopped, whether one is promoted."""

    places: set[str]
    wished: bool
    promoted: bool = False


def active(cib: Path) -> dict[str, Runs]:
    """What runs anywhere."""
    seen = ET.fromstring(tool(cib, "crm_mon", "-1", "--output-as=xml"))
    found: dict[str, Runs] = {}
    for one in seen.iter("resource"):
        if one.get("active") == "true" and one.find("node") is not None:
            runs = found.setdefault(one.get("id", "").split(":")[0], Runs(set(), one.get("target_role", "").lower() == "stopped"))
            runs.places |= {node.get("name", "") for node in one.iterfind("node")}
            runs.promoted |= one.get("role") == "Promoted"
    return found


def after(cib: Path, name: str, *options: str) -> dict[str, Runs]:
    """What would run anywhere once Pacemaker has done what it would do."""
    there = cib.with_suffix(name)
    tool(cib, "crm_simulate", "--xml-file", str(cib), *options, "--simulate", "--save-output", str(there))
    return active(there)


def stopped(before: dict[str, Runs], then: dict[str, Runs]) -> list[str]:
    """Whom it would stop against everybody's wish."""
    return [name for name, one in before.items() if name not in then and not one.wished]


def demoted(before: dict[str, Runs], usual: dict[str, Runs], then: dict[str, Runs]) -> list[str]:
    """Whose promoted copy would go with no other in its place, and would not without the step."""
    both = [name for name, one in before.items() if one.promoted and name in usual and usual[name].promoted]
    return [f"{name} promoted" for name in both if name in then and not then[name].promoted]


def harm(cib: Path, node: str) -> str:
    """What Pacemaker's tools say of the node in standby: whom it would stop, leave there, or drive about elsewhere; empty where all is well."""
    before, usual = active(cib), after(cib, ".usual")
    changed = cib.with_suffix(".standby")
    changed.write_text(cib.read_text())
    tool(changed, "crm_attribute", "--node", node, "--lifetime", "forever", "--name", "standby", "--update", "on")
    then = after(changed, ".after")
    left = [f"{name} there" for name, one in then.items() if node in one.places]
    elsewhere = [name for name, one in before.items() if name in then and node not in one.places and one.places - then[name].places]
    driven = [f"{name} elsewhere" for name in elsewhere if name not in usual or usual[name].places != then[name].places]
    return ", ".join(stopped(before, then) + demoted(before, usual, then) + left + driven)


@pytest.mark.parametrize("seed", SEEDS)
def test_who_may_leave_harms_nobody_and_who_may_not_would(seed: int, tmp_path: Path) -> None:
    text = by_chance(seed)
    path = tmp_path / "cib.xml"
    path.write_text(text)
    status = what_if.observed(text, None, None, schedule)
    for member in status.members:
        answer = what_if.leave(status, member.name, 1, schedule)
        if answer.allowed:
            assert harm(path, member.name) == "", (member.name, answer)
        elif answer.reason in ("no_place", "unmanaged"):
            assert harm(path, member.name) != "", (member.name, answer)
        else:
            assert answer.reason == "last_node" or harm(path, member.name) != "", (member.name, answer)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_loss_that_is_survived_stops_nothing_and_one_that_is_not_would(seed: int, tmp_path: Path) -> None:
    path = tmp_path / "cib.xml"
    path.write_text(by_chance(seed))
    status = what_if.observed(path.read_text(), None, None, schedule)
    for member in status.members:
        answer = what_if.lose(status, member.name, schedule)
        if answer.reason != "quorum":
            then = after(path, ".lost", "--node-fail", member.name)
            before = active(path)
            harmed = stopped(before, then) + demoted(before, after(path, ".usual"), then)
            assert (answer.reason == "no_place") == bool(harmed), (member.name, answer)


def test_the_clusters_by_chance_are_of_all_kinds() -> None:
    """Else the test above would prove little: both verdicts, each reason that asks the scheduler, and clones of both kinds are among them."""
    texts = [by_chance(seed) for seed in SEEDS]
    assert (
        min(
            sum('<clone id="c"' in text for text in texts),
            sum("promote_0" in text for text in texts),
            sum("<rsc_order" in text for text in texts),
        )
        > 5
    )
    verdicts = []
    for seed in SEEDS:
        status = what_if.observed(by_chance(seed), None, None, schedule)
        verdicts += [what_if.leave(status, member.name, 1, schedule).reason for member in status.members]
    assert {None, "no_place", "unmanaged", "last_node"} <= set(verdicts)
    assert 0.2 < verdicts.count(None) / len(verdicts) < 0.8
