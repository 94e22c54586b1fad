# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""What Pacemaker's own offline tools say of our configurations: they are valid, patches apply, and the constraints restart nothing."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.cib import parse_cib, same
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.cib_effect import why_not_in_effect
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.cib_plan import plan_cib
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.cib_push import (
    CHANGED_MEANWHILE,
    INVALID,
    PUSH,
    push_input,
    verify_sentence,
)
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.services import wanted_resources

ROOT = Path(__file__).parents[2]
CASES = ROOT / "tests/unit/plugins/plugin_utils/_cluster/cib_cases"
PRESENT = (CASES / "present.xml").read_text()
NAMES = sorted(path.parent.name for path in CASES.glob("*/config.yml"))
EMPTY = re.sub(r"<(resources|constraints|rsc_defaults)>.*</\1>", r"<\1/>", PRESENT, flags=re.DOTALL)


def tool(*argv: str, cib: Path | None = None, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run one of Pacemaker's tools; with cib on that file in place of a cluster."""
    environment = {**os.environ, "LC_ALL": "C", **({"CIB_file": str(cib)} if cib else {})}
    return subprocess.run(argv, input=stdin, capture_output=True, text=True, timeout=60, env=environment)


def push(cib: Path, what: str, config: dict[str, Any], mode: str = "merge", version: str | None = None) -> subprocess.CompletedProcess[str]:
    """What the action runs on a member, on a file."""
    plan = plan_cib(parse_cib(cib.read_text()), config, mode)
    assert plan.problems == ()
    asked = (what, version or plan.version, "values" if plan.awaited else "")
    done = tool("sh", "-c", PUSH, "sh", *asked, cib=cib, stdin=push_input(plan.original, plan.wanted))
    if done.returncode == 0 and what == "push" and plan.awaited:
        assert why_not_in_effect(done.stdout, plan.awaited) == "" and "ondemand-" not in done.stdout
    return done


@pytest.fixture
def present(tmp_path: Path) -> Path:
    """A CIB file with some resources of somebody else."""
    path = tmp_path / "cib.xml"
    path.write_text(PRESENT)
    return path


@pytest.mark.parametrize("name", NAMES)
def test_every_golden_cib_is_valid_for_pacemaker(name: str) -> None:
    done = tool("crm_verify", "-V", "-x", str(CASES / name / "after.xml"))
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("name", NAMES)
def test_the_patch_makes_exactly_the_wanted_cib_and_keeps_the_status(name: str, present: Path) -> None:
    case = yaml.safe_load((CASES / name / "config.yml").read_text())
    mode = case.get("mode", "merge")
    plan = plan_cib(parse_cib(PRESENT), case["config"], mode)
    if plan.changed:
        done = push(present, "push", case["config"], mode)
        assert done.returncode == 0, done.stdout + done.stderr
    after = parse_cib(tool("cibadmin", "--query", cib=present).stdout)
    assert same(part(after, "configuration"), part(parse_cib(plan.wanted), "configuration"))
    assert same(part(after, "status"), part(parse_cib(PRESENT), "status"))
    assert not plan_cib(after, case["config"], mode).changed


def part(cib: ElementTree.Element, tag: str) -> ElementTree.Element:
    found = cib.find(tag)
    assert found is not None
    return found


def test_checking_changes_nothing(present: Path) -> None:
    done = push(present, "check", {"absent": ["agent"]})
    assert done.returncode == 0
    assert tool("cibadmin", "--query", cib=present).stdout.count('id="agent"') == 1


def test_a_patch_for_another_version_is_not_applied(present: Path) -> None:
    done = push(present, "push", {"absent": ["agent"]}, version="0:40")
    assert done.returncode == CHANGED_MEANWHILE
    assert 'id="agent"' in present.read_text()


@pytest.mark.parametrize(
    "config, named",
    [
        ({"properties": {"stonith-enabled": True}}, "STONITH"),
        ({"clones": [{"id": "everywhere", "resource": "mail"}]}, "mail-on-n1"),
    ],
)
def test_what_pacemaker_finds_wrong_is_refused_with_its_words_and_not_applied(config: dict[str, Any], named: str, present: Path) -> None:
    done = push(present, "push", config)
    assert done.returncode == INVALID
    assert named in verify_sentence(done.stdout)
    assert parse_cib(present.read_text()).get("epoch") == "41"


def test_a_fault_that_was_there_before_does_not_stand_in_the_way(present: Path) -> None:
    present.write_text(PRESENT.replace('name="stonith-enabled" value="false"', 'name="stonith-enabled" value="true"'))
    assert tool("crm_verify", "-x", str(present)).returncode != 0
    assert push(present, "push", {"absent": ["agent"]}).returncode == 0
    assert 'id="agent"' not in present.read_text()


@pytest.mark.parametrize("name", ["site", "cib-bootstrap-options"])
@pytest.mark.parametrize("scores", [("", ""), (' score="5"', ""), ("", ' score="INFINITY"')])
@pytest.mark.parametrize("turned", [False, True])
def test_pacemaker_uses_the_value_that_was_brought(name: str, scores: tuple[str, str], turned: bool, tmp_path: Path) -> None:
    sets = [
        f'<cluster_property_set id="{one}"{score}><nvpair id="{one}-x" name="no-quorum-policy" value="{value}"/></cluster_property_set>'
        for one, score, value in ((name, scores[0], "freeze"), ("other", scores[1], "ignore"))
    ]
    path = tmp_path / "cib.xml"
    options = "".join(reversed(sets) if turned else sets)
    path.write_text(re.sub(r"<crm_config>.*</crm_config>", f"<crm_config>{options}</crm_config>", EMPTY, flags=re.DOTALL))
    assert push(path, "push", {"properties": {"no-quorum-policy": "stop", "stonith-enabled": False}}).returncode == 0
    assert 'no-quorum-policy="stop"' in tool("crm_mon", "-1", "--output-as=xml", cib=path).stdout


def a_set(tag: str, one: str, name: str, value: str, score: str, rule: str) -> str:
    """A set of one value; rule: holds, never, or none."""
    when = {"holds": 'operation="gt" start="2001-01-01"', "never": 'operation="lt" end="2001-01-01"'}.get(rule)
    ruled = f'<rule id="{one}-r" score="INFINITY"><date_expression id="{one}-d" {when}/></rule>' if when else ""
    return f'<{tag} id="{one}" score="{score}">{ruled}<nvpair id="{one}-v" name="{name}" value="{value}"/></{tag}>'


@pytest.mark.parametrize("mine", ["site", "cib-bootstrap-options"])
@pytest.mark.parametrize("rule", ["holds", "never"])
@pytest.mark.parametrize("scores", [("0", "0"), ("5", "0"), ("0", "5"), ("0", "INFINITY"), ("INFINITY", "INFINITY")])
@pytest.mark.parametrize("turned", [False, True])
def test_pacemaker_goes_by_the_stated_property_also_where_a_rule_would_overrule_it(
    mine: str, rule: str, scores: tuple[str, str], turned: bool, tmp_path: Path
) -> None:
    sets = [
        a_set("cluster_property_set", mine, "no-quorum-policy", "freeze", scores[0], ""),
        a_set("cluster_property_set", "night", "no-quorum-policy", "ignore", scores[1], rule),
    ]
    path = tmp_path / "cib.xml"
    path.write_text(
        re.sub(
            r"<crm_config>.*</crm_config>",
            f"<crm_config>{''.join(reversed(sets) if turned else sets)}</crm_config>",
            EMPTY,
            flags=re.DOTALL,
        )
    )
    assert push(path, "push", {"properties": {"no-quorum-policy": "stop", "stonith-enabled": False}}).returncode == 0
    assert 'no-quorum-policy="stop"' in tool("crm_mon", "-1", "--output-as=xml", cib=path).stdout
    assert 'id="night-v" name="no-quorum-policy" value="ignore"' in path.read_text(), "what a person wrote with a rule stays"


@pytest.mark.parametrize("rule", ["holds", "never"])
@pytest.mark.parametrize("scores", [("0", "0"), ("5", "0"), ("0", "5"), ("-INFINITY", "INFINITY"), ("INFINITY", "0")])
@pytest.mark.parametrize("turned", [False, True])
def test_where_no_warning_is_told_pacemaker_goes_by_the_stated_default(
    rule: str, scores: tuple[str, str], turned: bool, tmp_path: Path
) -> None:
    sets = [
        a_set("meta_attributes", "mine", "resource-stickiness", "7", scores[0], ""),
        a_set("meta_attributes", "night", "resource-stickiness", "8", scores[1], rule),
    ]
    path = tmp_path / "cib.xml"
    text = EMPTY.replace("<resources/>", f'<resources><primitive id="mail" {DUMMY}/></resources>')
    path.write_text(text.replace("<rsc_defaults/>", f"<rsc_defaults>{''.join(reversed(sets) if turned else sets)}</rsc_defaults>"))
    wanted = {"resource_defaults": {"resource-stickiness": 9}, "properties": {"stonith-enabled": False}}
    warned = plan_cib(parse_cib(path.read_text()), wanted, "merge").warnings
    assert push(path, "push", wanted).returncode == 0
    read = tool("crm_resource", "--resource", "mail", "--meta", "--get-parameter", "resource-stickiness", cib=path).stdout.strip()
    assert read == "9" or warned, "an exception was not told"
    assert read == "8" if rule == "holds" and scores in (("0", "5"), ("-INFINITY", "INFINITY")) else True, "the rule is a real exception"


DUMMY = 'class="ocf" provider="pacemaker" type="Dummy"'


@pytest.mark.parametrize("scores", [("", ""), (' score="5"', ""), ("", ' score="INFINITY"')])
def test_an_agent_gets_the_option_that_was_brought(scores: tuple[str, str], tmp_path: Path) -> None:
    sets = "".join(
        f'<instance_attributes id="{one}"{score}><nvpair id="{one}-x" name="fake" value="{one}"/></instance_attributes>'
        for one, score in zip(("first", "second"), scores, strict=True)
    )
    path = tmp_path / "cib.xml"
    path.write_text(EMPTY.replace("<resources/>", f'<resources><primitive id="mail" {DUMMY}>{sets}</primitive></resources>'))
    wanted = {"resources": [{"id": "mail", "agent": "ocf:pacemaker:Dummy", "options": {"fake": "ours"}}]}
    assert push(path, "push", wanted).returncode == 0
    assert tool("crm_resource", "--resource", "mail", "--get-parameter", "fake", cib=path).stdout.strip() == "ours"


@pytest.fixture
def demo(tmp_path: Path) -> Path:
    """Two nodes that run the demo's services, as Pacemaker's simulation starts them."""
    config = wanted_resources(yaml.safe_load((ROOT / "examples/demo.yml").read_text())["cluster"])
    wanted, ups = tmp_path / "wanted.xml", tmp_path / "ups.xml"
    wanted.write_text(plan_cib(parse_cib(EMPTY), config, "merge").wanted)
    tool("crm_simulate", "-x", str(wanted), "--node-up", "n1", "--node-up", "n2", "--simulate", "--save-output", str(ups))
    return simulate(ups)


def simulate(cib: Path) -> Path:
    """The CIB after everything that Pacemaker would do now."""
    after = cib.with_name(cib.stem + "-after.xml")
    tool("crm_simulate", "-x", str(cib), "--simulate", "--save-output", str(after))
    return after


def actions(cib: Path) -> list[str]:
    """What Pacemaker would do now: the verb and the resource of each action."""
    said = tool("crm_simulate", "-x", str(cib), "--simulate").stdout
    return sorted(" ".join(m) for m in re.findall(r"\* (Start|Stop|Move|Restart|Recover|Promote|Demote)\s+(\S+)", said))


def where(cib: Path) -> dict[str, str]:
    """Resource to node, for the single ones."""
    said = tool("crm_simulate", "-x", str(cib)).stdout
    return dict(re.findall(r"\* (\S+)\s+\(\S+\):\s+Started (\S+)", said))


def test_the_demo_starts_whole_and_at_rest(demo: Path) -> None:
    assert actions(demo) == []
    places = where(demo)
    assert set(places) == {"web-address", "ledger-data", "ledger-address", "ledger-app"}
    assert len({places[one] for one in places if one != "web-address"}) == 1


@pytest.mark.parametrize("leaver", ["n1", "n2"])
def test_a_node_that_goes_and_comes_disturbs_nothing_on_the_other(demo: Path, leaver: str) -> None:
    before = where(demo)
    tool("crm_standby", "-N", leaver, "-v", "on", cib=demo)
    moved = sorted(f"Move {one}" for one, node in before.items() if node == leaver)
    assert actions(demo) == sorted([*moved, *(one for one in actions(demo) if re.fullmatch(r"Stop (web|haproxy):\d+", one))])
    away = simulate(demo)
    tool("crm_standby", "-N", leaver, "-D", cib=away)
    assert all(re.fullmatch(r"Start (web|haproxy):\d+", one) for one in actions(away))
    assert len(actions(away)) == 2
