# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""What a wait asks and when it gives up: the functions of progress.sh with stand-ins for the cluster's tools, on real sh."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster import node_scripts

PROGRESS = node_scripts.script("progress")

# As crm_simulate prints it: a clone's start and its monitor on n2, a probe on n2, a stop and a start of something else elsewhere.
PLAN = """cat <<'X'
Current cluster status:
Transition Summary:
  * Start      web:1     ( n2 )
  * Recover    flap      ( n1 )

Executing Cluster Transition:
  * Resource action: ledger          monitor on n2
  * Pseudo action:   web-clone_start_0
  * Resource action: web:1           start on n2
  * Resource action: flap            stop on n1
  * Resource action: flap            start on n1
  * Resource action: web:1           monitor=10000 on n2
  * Cluster action:  clear_failcount for flap on n1

Revised Cluster Status:
  * Resource action: nothing         start on n2
X"""
# As cibadmin prints it: a probe and a stop under way, one that ended, a monitor that is to be repeated, and the last word of a node that is gone.
CIB = """cat <<'X'
<cib><status>
  <node_state id="1" uname="n1" in_ccm="true" crmd="online" join="member">
    <lrm_resource id="mail:0" class="ocf">
      <lrm_rsc_op id="mail_last_0" operation="stop" call-id="-1" rc-code="193" op-status="-1" interval="0"/>
    </lrm_resource>
    <lrm_resource id="done" class="ocf">
      <lrm_rsc_op id="done_last_0" operation="start" call-id="9" rc-code="0" op-status="0" interval="0"/>
      <lrm_rsc_op id="done_monitor_9000" operation="monitor" call-id="-1" rc-code="193" op-status="-1" interval="9000"/>
    </lrm_resource>
    <lrm_resource id="disk" class="ocf">
      <lrm_rsc_op id="disk_last_0" operation="monitor" call-id="-1" rc-code="193" op-status="-1" interval="0"/>
    </lrm_resource>
  </node_state>
  <node_state id="2" uname="n4" in_ccm="false" crmd="offline" join="down">
    <lrm_resource id="mail" class="ocf">
      <lrm_rsc_op id="mail_last_0" operation="start" call-id="-1" rc-code="193" op-status="-1" interval="0"/>
    </lrm_resource>
  </node_state>
  <node_state id="3" uname="n5" in_ccm="1790000000" crmd="1790000000" join="member">
    <lrm_resource id="ledger" class="ocf">
      <lrm_rsc_op id="ledger_last_0" operation="start" call-id="-1" rc-code="193" op-status="-1" interval="0"/>
    </lrm_resource>
  </node_state>
  <node_state id="far" uname="far" remote_node="true" in_ccm="true">
    <lrm_resource id="inner" class="ocf">
      <lrm_rsc_op id="inner_last_0" operation="stop" call-id="-1" rc-code="193" op-status="-1" interval="0"/>
    </lrm_resource>
  </node_state>
  <node_state id="cut" uname="cut" remote_node="true" in_ccm="false">
    <lrm_resource id="inner" class="ocf">
      <lrm_rsc_op id="inner_last_0" operation="stop" call-id="-1" rc-code="193" op-status="-1" interval="0"/>
    </lrm_resource>
  </node_state>
</status></cib>
X"""
AT_REST = "echo '<cib/>'"
FAILURES = '<failure op_key="web_start_0" node="n2" exitstatus="error"/>\n<failure op_key="flap_monitor_1000" node="n1"/>'


def run(tmp_path: Path, text: str, *args: str, **tools: str) -> subprocess.CompletedProcess[str]:
    """The text after the functions; each tool counts its calls in $n."""
    for name, script in tools.items():
        tool = tmp_path / name
        tool.write_text('#!/bin/sh\necho call >>"$0.calls"\nn=$(wc -l <"$0.calls")\n' + script + "\n")
        tool.chmod(0o755)
    command = ["/bin/sh", "-c", PROGRESS + text, "sh", *args]
    return subprocess.run(command, capture_output=True, text=True, env={"PATH": f"{tmp_path}:/usr/bin:/bin"}, timeout=60, check=False)


@pytest.mark.parametrize(
    ("node", "resources", "failures", "left"),
    [
        ("n2", "", "", ["ledger on n2", "web on n2"]),
        ("n2", "", FAILURES, ["ledger on n2"]),
        ("n3", "", "", []),
        ("", "flap other", "", ["flap on n1"]),
        ("", "flap", FAILURES, []),
        ("", "lap fla", "", []),
        ("n1", "web", "", ["flap on n1", "web on n2"]),
    ],
)
def test_what_is_ahead_is_that_of_the_node_and_the_resources_that_did_not_fail(
    tmp_path: Path, node: str, resources: str, failures: str, left: list[str]
) -> None:
    done = run(tmp_path, 'ahead_of "$1" "$2" "$3"', node, resources, failures, cibadmin=AT_REST, crm_simulate=PLAN)
    assert (done.returncode, done.stdout.splitlines()) == (0, left)


@pytest.mark.parametrize(
    ("node", "resources", "left"),
    [
        ("n1", "", ["disk on n1", "mail on n1"]),
        ("", "mail", ["mail on n1"]),
        ("", "done", []),
        ("n4", "", []),
        ("n5", "", ["ledger on n5"]),
        ("", "inner", ["inner on far"]),
    ],
)
def test_what_is_under_way_is_ahead_though_the_plan_does_not_name_it(tmp_path: Path, node: str, resources: str, left: list[str]) -> None:
    done = run(tmp_path, 'ahead_of "$1" "$2" ""', node, resources, cibadmin=CIB, crm_simulate="echo nothing")
    assert (done.returncode, done.stdout.splitlines()) == (0, left)


def test_the_plan_is_that_of_the_reading_that_tells_what_is_under_way(tmp_path: Path) -> None:
    tools = {"cibadmin": "echo old feature set >&2; echo '<cib epoch=\"7\"/>'", "crm_simulate": 'cat >"$0.in"'}
    assert run(tmp_path, 'ahead_of n1 "" ""', **tools).returncode == 0
    assert (tmp_path / "crm_simulate.in").read_text() == '<cib epoch="7"/>\n'


@pytest.mark.parametrize("tools", [{"cibadmin": "exit 1", "crm_simulate": PLAN}, {"cibadmin": AT_REST, "crm_simulate": "exit 1"}])
def test_no_answer_is_not_taken_for_nothing_ahead(tmp_path: Path, tools: dict[str, str]) -> None:
    assert run(tmp_path, 'ahead_of n2 "" ""', **tools).returncode == 1


def test_a_question_that_timed_out_is_asked_again_with_more_time(tmp_path: Path) -> None:
    times = 'echo "$1" >>"$0.asked"; shift; [ "$n" -gt 1 ] || exit 124; exec "$@"'
    done = run(tmp_path, "ask tell-it", timeout=times, **{"tell-it": "echo yes"})
    assert (done.returncode, done.stdout) == (0, "yes\n")
    first, second = (tmp_path / "timeout.asked").read_text().split()
    assert int(second) > int(first)


def test_a_question_that_was_answered_is_not_asked_again(tmp_path: Path) -> None:
    done = run(tmp_path, "ask tell-it", **{"tell-it": "echo no; exit 3"})
    assert (done.returncode, done.stdout, (tmp_path / "tell-it.calls").read_text()) == (3, "no\n", "call\n")


# A clock that goes on by ten seconds each time it is asked.
CLOCK = "_c=0; seconds() { echo $_c; }\ngo_on() { _c=$((_c + 10)); }\n"


@pytest.mark.parametrize(
    ("pictures", "turns"),
    [("a a a a a a a a a a a a", 4), ("a b c c c c c c c c c c", 6), ("a b c d e f g h i j k l", 10)],
    ids=["nothing gets on", "at first something gets on", "it gets on for ever"],
)
def test_a_deadline_counts_from_the_last_progress_and_has_a_cap(tmp_path: Path, pictures: str, turns: int) -> None:
    text = CLOCK + 'begin 30 90\nn=0\nfor p in %s; do n=$((n + 1)); ! over "$p" || break; go_on; done\necho $n; spent' % pictures
    done = run(tmp_path, text)
    told = done.stdout.splitlines()
    assert int(told[0]) == turns, done.stdout + done.stderr
    assert told[1].startswith("after ") and "without any progress" in told[1]


WAITS = node_scripts.script("waits")
LOST, THERE = '<current_dc name="n1" with_quorum="false"/>', '<current_dc name="n1" with_quorum="true"/>'


@pytest.mark.parametrize(
    ("pictures", "ended"),
    [
        ([LOST, LOST, LOST], [False, False, True]),
        ([LOST, LOST, THERE, LOST, LOST, LOST], [False, False, False, False, False, True]),
        ([THERE, THERE, THERE], [False, False, False]),
        ([LOST + '<cluster_options no-quorum-policy="ignore"/>'] * 3, [False, False, False]),
    ],
    ids=["it stays lost", "it comes back in between", "it is there", "nobody minds"],
)
def test_a_wait_ends_where_the_quorum_has_been_away_for_half_a_minute(tmp_path: Path, pictures: list[str], ended: list[bool]) -> None:
    """The clock stands at twenty seconds more with each picture."""
    text = (
        WAITS
        + 'begin 60 60\nfor mon in "$@"; do now=$((${now:-0} + 20)); if without_quorum "$mon"; then echo "yes $why"; else echo no; fi; done\n'
    )
    text = text.replace("begin 60 60", "seconds() { echo $now; }\nnow=0\nbegin 60 60")
    done = subprocess.run(["/bin/sh", "-c", text, "sh", *pictures], capture_output=True, text=True, timeout=60, check=True)
    assert [line.startswith("yes") for line in done.stdout.splitlines()] == ended
    assert "bring its other nodes back" in done.stdout or not any(ended)
