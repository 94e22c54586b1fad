# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""cluster_node: what it asks before it does anything, and whom it lets go. The acts on real nodes: tests/cluster/test_membership*.py."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.unit.playbooks.wall_stage import ALONE, record, with_lost

from .a_task import run

LOST = {"cell-n1": with_lost(record(), "cell-n2")}
LEAVE = {"name": "cell-n2", "state": "absent", "members": ["cell-n1"]}
# FORGET ends when the node is in no list any more.
FORGOTTEN = {"crm_node -l": (0, "", "")}


def test_every_wrong_option_is_told_at_once_and_nobody_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong: dict[str, Any] = {
        "name": "N 2",
        "state": "created",
        "members": ["ok", "no no"],
        "gone": ["_"],
        "may_return": ["-a"],
        "address": "here",
    }
    told, door = run(monkeypatch, "cluster_node", {**wrong, "token_ms": 5, "deadline_s": 0, "min_nodes": 0})
    assert told["refusal"]["reason"] == "bad_input" and told["changed"] is False
    paths = ("name:", "members[1]", "gone[0]", "may_return[0]", "address", "cluster", "token_ms", "deadline_s", "min_nodes")
    assert [path for path in paths if path not in told["msg"]] == []
    assert door.looks == door.acts == []


def test_who_is_offline_and_does_not_answer_stays_listed_until_somebody_is_certain(monkeypatch: pytest.MonkeyPatch) -> None:
    told, door = run(monkeypatch, "cluster_node", LEAVE, LOST)
    assert told["refusal"]["reason"] == "host_unreachable" and "nobody knows whether it still runs" in told["msg"]
    assert told["changed"] is False and door.acts == []


@pytest.mark.parametrize("may_return", [[], ["cell-n2"]], ids=["gone for good", "by a person's word"])
def test_who_is_gone_for_certain_is_taken_off_the_list_without_being_asked(may_return: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    args = {**LEAVE, "gone": ["cell-n2"], "may_return": may_return}
    foretold, untouched = run(monkeypatch, "cluster_node", args, LOST, check=True)
    told, door = run(monkeypatch, "cluster_node", args, LOST, FORGOTTEN)
    assert told["changed"] and foretold["changed"] and told["diff"] == foretold["diff"] != [] and untouched.acts == []
    assert {host for host, _said, _read in door.acts} == {"cell-n1"} and told["timings"]["left_at"]
    (text,) = {read for _host, said, read in door.acts if "corosync-cfgtool -R" in said}
    assert "name: cell-n2" not in text and "name: cell-n1" in text
    assert ("withheld" in text) == bool(may_return)


def test_who_is_said_to_be_gone_and_is_online_is_not_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    told, door = run(monkeypatch, "cluster_node", {**LEAVE, "gone": ["cell-n2"]}, {"cell-n1": record()})
    assert told["refusal"]["reason"] == "host_unreachable" and "it is online in the cluster" in told["msg"] and door.acts == []


def test_without_a_running_cluster_there_is_nothing_to_leave(monkeypatch: pytest.MonkeyPatch) -> None:
    told, door = run(monkeypatch, "cluster_node", LEAVE, {"cell-n1": ALONE})
    assert told["refusal"]["reason"] == "not_found" and door.acts == []


def test_nobody_stands_by_who_is_no_member(monkeypatch: pytest.MonkeyPatch) -> None:
    told, door = run(monkeypatch, "cluster_node", {**LEAVE, "name": "cell-n9", "state": "standby"}, {"cell-n1": record()})
    assert told["refusal"]["reason"] == "not_found" and "cell-n1, cell-n2" in told["msg"] and door.acts == []


def begun(text: str) -> str:
    """The same cluster, in which a leave of cell-n2 was begun, and it is empty."""
    entry = '<nvpair id="ondemand-leaving-cell-n2" name="standby" value="on"/>'
    attributes = f'<instance_attributes id="nodes-4">{entry}</instance_attributes>'
    text = re.sub(r'<node id="4" uname="cell-n2"/>', f'<node id="4" uname="cell-n2">{attributes}</node>', text)
    text = re.sub(r'(<node name="cell-n2" id="4" online="true" standby=)"false"', r'\1"true"', text)
    return re.sub(r'<node name="cell-n2" id="4" cached="true"/>', '<node name="cell-n1" id="1" cached="true"/>', text)


REFUSALS = {
    "Corosync refuses the file": (65, "parse error in config: no"),
    "Corosync refuses to load it": (66, "no"),
}


@pytest.mark.parametrize("why", REFUSALS)
@pytest.mark.parametrize("old", [False, True], ids=["begun by this run", "begun by an earlier run"])
def test_a_leaver_whose_leave_is_refused_on_the_way_works_on(why: str, old: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    rc, said = REFUSALS[why]
    text = begun(record()) if old else record()
    told, door = run(monkeypatch, "cluster_node", LEAVE, {"cell-n1": text, "cell-n2": text}, {"corosync-cfgtool -R": (rc, "", said)})
    assert told["refusal"]["reason"] == "join_refused", told
    standbys = [asked.split(" cell-n2 ")[-1].split()[0] for _host, asked, _read in door.acts if "crm_attribute --node" in asked]
    assert standbys[-1:] == ["off"] and standbys[:-1] == ([] if old else ["leave"]), door.acts
    assert not any("rm -f /etc/corosync/corosync.conf" in asked for _host, asked, _read in door.acts), "nobody was stopped"


def test_who_lost_the_lease_undoes_nothing_for_it_is_another_s_work_by_now(monkeypatch: pytest.MonkeyPatch) -> None:
    lost = "ondemand-lease lost 1000 theirs 2000 900 anna work"
    args = {"name": "cell-n3", "state": "member", "members": ["cell-n1", "cell-n2"], "address": "10.98.0.13", "lease": "mine"}
    told, door = run(
        monkeypatch,
        "cluster_node",
        args,
        {"cell-n1": record(), "cell-n2": record(), "cell-n3": ALONE},
        {"corosync-cfgtool -R": (69, "", lost)},
    )
    assert told["refusal"]["reason"] == "held" and told["changed"], told
    assert [host for host, asked, _read in door.acts if "rm -f /etc/corosync/corosync.conf" in asked] == []
    assert any(host == "cell-n3" for host, _asked, _read in door.acts), "it was installed before"
