# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""`ondemand what-if`: its exit codes, its words and its JSON, with Pacemaker's real scheduler behind it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.driver.values import demo_data, merged

CIB = """<cib crm_feature_set="3.16.1" validate-with="pacemaker-3.9" epoch="1" num_updates="0" admin_epoch="0" have-quorum="1" dc-uuid="1">
<configuration><crm_config><cluster_property_set id="o"><nvpair id="o1" name="stonith-enabled" value="false"/></cluster_property_set></crm_config>
<nodes><node id="1" uname="n1"/><node id="2" uname="n2"/><node id="3" uname="n3"/></nodes>
<resources><primitive id="ledger" class="ocf" provider="pacemaker" type="Dummy"/></resources><constraints/></configuration><status>%s</status></cib>"""
BAN = '<constraints><rsc_location id="b%d" rsc="ledger" node="n%d" score="-INFINITY"/></constraints>'
CONF = """nodelist {
node {
ring0_addr: 192.0.2.1
name: n1
nodeid: 1
quorum_votes: 2
}
node {
ring0_addr: 192.0.2.2
name: n2
nodeid: 2
}
node {
ring0_addr: 192.0.2.3
name: n3
nodeid: 3
}
}
quorum {
provider: corosync_votequorum
}
"""


def state(number: int, started: bool) -> str:
    """A member that is online, and whether the ledger runs there."""
    operation, rc, magic = ("start", 0, "0:0;1:1:0") if started else ("monitor", 7, "0:7;1:1:7")
    end = "00000000-0000-0000-0000-000000000001"
    return (
        f'<node_state id="{number}" uname="n{number}" in_ccm="true" crmd="online" join="member" expected="member"><lrm id="{number}"><lrm_resources>'
        f'<lrm_resource id="ledger" type="Dummy" class="ocf" provider="pacemaker"><lrm_rsc_op id="ledger_last_0" operation_key="ledger_{operation}_0"'
        f' operation="{operation}" crm_feature_set="3.16.1" transition-key="{magic.partition(";")[2]}:{end}" transition-magic="{magic}:{end}"'
        f' on_node="n{number}" call-id="5" rc-code="{rc}" op-status="0" interval="0" last-rc-change="1700000000"/>'
        "</lrm_resource></lrm_resources></lrm></node_state>"
    )


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A folder with files of a cluster of three: as it is, with a ban, with other votes, and with what is no CIB."""
    cib = CIB % "".join(state(number, number == 1) for number in (1, 2, 3))
    banned = cib.replace("<constraints/>", BAN % (2, 2))
    for name, text in {
        "cib": cib,
        "banned": banned,
        "alone": banned.replace("</constraints>", (BAN % (3, 3))[13:]),
        "conf": CONF,
        "odd": "no CIB",
    }.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def what_if(files: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """One call of the command in that folder."""
    command = [sys.executable, "-m", "ondemand", "what-if", *options]
    return subprocess.run(command, cwd=files, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        ("--cib cib --leave n1", 0, "n1 may leave."),
        ("--cib alone --leave n1", 3, "n1 must not leave: ledger would run nowhere"),
        ("--cib cib --corosync-conf conf --leave n1", 3, "n1 must not leave: without it 2 of 4 expected votes would be left"),
        ("--cib cib --leave n1 --min-nodes 3", 3, "at least 3 are required"),
        ("--cib alone --standby n1", 3, "n1 must not go to standby: ledger"),
        ("--cib cib --lose n1", 0, "The loss of n1 would be survived."),
        ("--cib cib --join n4", 0, "  5. start the cluster on n4 (it joins): 4 of 4 votes, 3 needed, quorate"),
        ("--cib cib --move ledger", 0, "ledger may move from n1 to n2."),
        ("--cib banned --move ledger", 0, "ledger may move from n1 to n3."),
        ("--cib banned --move ledger --to n2", 3, "ledger can't move to n2"),
    ],
)
def test_the_verdict_and_its_exit_code(files: Path, options: str, code: int, said: str) -> None:
    done = what_if(files, *options.split())
    assert (done.returncode, done.stderr) == (code, "")
    assert said in done.stdout


def pair(name: str, value: str) -> str:
    return f'<nvpair id="o-{name}" name="{name}" value="{value}"/>'


OFF, ON = pair("fencing-enabled", "false"), pair("fencing-enabled", "true")


@pytest.mark.parametrize(
    ("release", "options", "survived"),
    [
        ("3.20.5", OFF, True),
        ("3.20.5", OFF + pair("stonith-enabled", "true"), True),
        ("3.20.5", ON + pair("stonith-enabled", "false"), False),
        ("3.16.1", ON + pair("stonith-enabled", "false"), True),
        ("3.16.1", OFF, False),
    ],
)
def test_whether_a_cluster_fences_is_told_by_the_name_that_its_release_reads(
    release: str, options: str, survived: bool, files: Path
) -> None:
    """Who is lost and can't be fenced keeps its service for Pacemaker, and then the loss is not survived."""
    cib = (files / "cib").read_text().replace(pair("stonith-enabled", "false").replace("o-stonith-enabled", "o1"), options)
    schema = "pacemaker-4.0" if release == "3.20.5" else "pacemaker-3.9"
    cib = cib.replace('crm_feature_set="3.16.1"', f'crm_feature_set="{release}"', 1).replace("pacemaker-3.9", schema)
    (files / "cib").write_text(cib)
    done = what_if(files, "--cib", "cib", "--lose", "n1")
    assert options in cib and ("would be survived" in done.stdout) is survived, done.stdout + done.stderr


def test_people_are_told_the_steps_the_votes_after_each_and_what_moves(files: Path) -> None:
    assert what_if(files, "--cib", "cib", "--leave", "n1").stdout.splitlines() == [
        "n1 may leave.",
        "  1. put n1 in standby (it leaves): 3 of 3 votes, 2 needed, quorate",
        "  2. stop the cluster on n1 (it leaves): 2 of 3 votes, 2 needed, quorate",
        "  3. write corosync.conf on n2 (n1 is gone): 2 of 3 votes, 2 needed, quorate",
        "  4. write corosync.conf on n3 and have every member load it (n1 is gone): 2 of 2 votes, 2 needed, quorate",
        "  5. have n2 forget n1 (it is on no list any more): 2 of 2 votes, 2 needed, quorate",
        "  6. have n3 forget n1 (it is on no list any more): 2 of 2 votes, 2 needed, quorate",
        "  ledger would go from n1 to n2",
        "2 of 2 votes, 2 needed, quorate; further losses that are survived: 0",
    ]
    alone = what_if(files, "--cib", "alone", "--leave", "n1").stdout.splitlines()
    assert alone[1:] == ["  ledger would stop", "3 of 3 votes, 2 needed, quorate; further losses that are survived: 1"]


def test_programs_are_told_the_same_as_json(files: Path) -> None:
    told = json.loads(what_if(files, "--cib", "alone", "--leave", "n1", "--json").stdout)
    assert sorted(told) == sorted(["allowed", "reason", "message", "steps", "votes", "stops", "moves", "stays", "survives"])
    assert (told["allowed"], told["reason"], told["stops"], told["steps"]) == (False, "no_place", ["ledger"], [])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("--cib cib", "what is asked? exactly one of --leave, --standby, --lose, --join, --move"),
        ("--cib cib --leave n1 --lose n2", "exactly one of"),
        ("--cib cib --leave n1 --to n2", "--to says where a service moves; name that by --move"),
        ("--cib cib --leave n9", "the cluster of cib has no node n9; it has n1, n2, n3"),
        ("--cib cib --join N4", "N4 can't be asked about: name: 'N4' is no name"),
        ("--cib missing --leave n1", "missing can't be read:"),
        ("--cib odd --leave n1", "odd can't be used: not XML but 'no CIB'"),
        ("--cib cib --corosync-conf odd --leave n1", "odd can't be used: line 1 is neither"),
        ("--leave n1", "which cluster is asked about? give its cluster file, or --cib with a saved CIB"),
        ("missing --leave n1 --cib cib", "belong to saved files"),
        ("missing --leave n1 --min-nodes 2", "belong to saved files"),
        ("missing --leave n1", "missing"),
    ],
)
def test_wrong_use_and_unreadable_files_are_told_with_what_and_where(files: Path, options: str, said: str) -> None:
    done = what_if(files, *options.split())
    assert (done.returncode, done.stdout) == (2, "")
    assert said in " ".join(done.stderr.replace("│", " ").split()) and "Traceback" not in done.stderr


ANSWER = {
    "allowed": True, "reason": None, "steps": [], "votes": {"expected": 3, "total": 3, "needed": 2, "quorate": True}, "stops": [], "moves": {}, "stays": [],
    "survives": 1,
}  # fmt: skip


def of_live(folder: Path, world: dict[str, Any], *options: str) -> subprocess.CompletedProcess[str]:
    """One call about the cluster of a cluster file, of which the world tells."""
    file = folder / "shop.yml"
    file.write_text(json.dumps({"cluster": merged(demo_data()["cluster"], {"access": {"state_dir": str(folder)}})}))
    (folder / "world.json").write_text(json.dumps(world))
    playbooks = str(Path(__file__).parent / "playbooks")
    return what_if(folder, str(file), "--playbooks", playbooks, *options)


@pytest.mark.parametrize(
    ("options", "allowed", "said"),
    [
        ("--leave n1", True, "leave n1, move -, to -\n3 of 3 votes, 2 needed, quorate; further losses that are survived: 1\n"),
        ("--move ledger --to n2", False, "leave -, move ledger, to n2\n"),
    ],
)
def test_the_live_cluster_is_asked_by_the_playbook(tmp_path: Path, options: str, allowed: bool, said: str) -> None:
    done = of_live(tmp_path, {"answer": {**ANSWER, "allowed": allowed}}, *options.split())
    assert (done.returncode, done.stderr) == (0 if allowed else 3, "")
    assert done.stdout.startswith(said)
    as_json = of_live(tmp_path, {"answer": {**ANSWER, "allowed": allowed}}, *options.split(), "--json")
    assert json.loads(as_json.stdout) == {**ANSWER, "allowed": allowed, "message": said.splitlines()[0]}


def test_what_the_live_cluster_cannot_be_asked_about_is_wrong_use(tmp_path: Path) -> None:
    world = {"answer": ANSWER, "refusal": "n9 can't be asked about: the cluster has no node n9", "reason": "bad_input"}
    done = of_live(tmp_path, world, "--leave", "n9")
    assert (done.returncode, done.stdout) == (2, "")
    assert "the cluster has no node n9" in " ".join(done.stderr.replace("│", " ").split())


@pytest.mark.parametrize(
    ("world", "said"),
    [
        (
            {"answer": ANSWER, "refusal": "No VM tells of its services"},
            "the cluster could not be asked: what_if: No VM tells of its services",
        ),
        (
            {"answer": {key: value for key, value in ANSWER.items() if key != "stops"}},
            "the collection's what_if handed back no `answer.stops`",
        ),
    ],
)
def test_a_live_cluster_that_gives_no_answer_is_no_verdict(tmp_path: Path, world: dict[str, Any], said: str) -> None:
    done = of_live(tmp_path, world, "--leave", "n1")
    assert (done.returncode, done.stdout) == (1, "")
    assert said in done.stderr and "Traceback" not in done.stderr
