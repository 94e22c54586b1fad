# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""Whatever refusal ends a playbook stands in its result too, where AWX and whoever starts it looks; and the driver reads it as ever.

The playbooks run as the driver runs them, by ansible-runner, whose events are AWX's too. No host is reachable here.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from ondemand.act.runner import PlaybookActor, Where
from ondemand.model import Outcome

ROOT = Path(__file__).resolve().parents[3]
PLAYBOOKS = sorted(path.stem for path in (ROOT / "playbooks").glob("*.yml"))
Change = Callable[[dict[str, Any]], object]


def run(
    playbook: str, tmp_path: Path, variables: dict[str, Any], change: Change = lambda cluster: None, folder: Path = ROOT / "playbooks"
) -> Outcome:
    """A playbook with the demo's cluster file, changed."""
    cluster = yaml.safe_load((ROOT / "examples" / "demo.yml").read_text())["cluster"]
    for port, host in enumerate(cluster["hosts"], start=1):
        host["uri"] = f"qemu+tcp://127.0.0.1:{port}/system"
    cluster |= {"deadlines": {"connect_s": 1}, "access": {"state_dir": str(tmp_path / "state")}}
    change(cluster)
    actor = PlaybookActor("refused", yaml.safe_dump({"cluster": cluster}), Where(folder), time.monotonic, "tests")
    return actor.run(playbook, {"image_work_dir": str(tmp_path / "work"), **variables}, 120)


def assert_refused(done: Outcome, reason: str, *words: str) -> None:
    assert not done.ok
    assert done.reason == reason, done
    told = done.facts["refusal"]
    assert told["reason"] == reason
    assert [word for word in words if word not in told["sentence"]] == []
    assert done.because.endswith(told["sentence"])


@pytest.mark.parametrize("playbook", PLAYBOOKS)
def test_a_wrong_file(playbook: str, tmp_path: Path) -> None:
    done = run(playbook, tmp_path, {"wanted": 2}, lambda cluster: cluster.update(name="Shop", bogus=1))
    assert_refused(done, "bad_input", "cluster.name", "cluster.bogus")


REFUSED = {
    "more than the most": ("scale_out", {"wanted": 9}, "maximum", "9"),
    "less than the least": ("scale_in", {"wanted": 0}, "minimum", "0"),
    "no number": ("scale_in", {}, "bad_input", "wanted"),
    "an unknown service": ("move_service", {"service": "mail"}, "not_found", "mail"),
    "another name": ("destroy_cluster", {"confirm": "ship"}, "bad_input", "ship"),
    "creating while hosts are away": ("create_cluster", {}, "host_unreachable", "hv1"),
    "growing while hosts are away": ("scale_out", {"wanted": 2}, "host_unreachable", "hv1"),
    "shrinking while hosts are away": ("scale_in", {"wanted": 1}, "host_unreachable", "hv1"),
    "moving while hosts are away": ("move_service", {"service": "ledger"}, "host_unreachable", "hv1"),
    "deleting while hosts are away": ("destroy_cluster", {"confirm": "shop"}, "host_unreachable", "hv1"),
    "an image of no disk": ("build_image", {"image_source": "path", "image_path": "/nowhere"}, "bad_input", "/nowhere"),
}


@pytest.mark.parametrize(("playbook", "variables", "reason", "word"), REFUSED.values(), ids=REFUSED)
def test_what_the_playbooks_refuse(playbook: str, variables: dict[str, Any], reason: str, word: str, tmp_path: Path) -> None:
    assert_refused(run(playbook, tmp_path, variables), reason, word)


@pytest.mark.parametrize(("own", "bridge"), [({}, "nobridge0"), ({"bridge": "nobridge7"}, "nobridge7")])
def test_what_a_role_refuses_on_a_host(own: dict[str, str], bridge: str, tmp_path: Path) -> None:
    def here(cluster: dict[str, Any]) -> None:
        cluster["hosts"] = [{"name": "hv1", "uri": "qemu:///system", **own}]
        cluster["network"]["bridge"] = "nobridge0"

    assert_refused(run("prepare_host", tmp_path, {}, here), "not_found", bridge)


def test_a_host_that_is_not_reached(tmp_path: Path) -> None:
    """Nobody listens at that port, and ssh says so at once."""

    def away(cluster: dict[str, Any]) -> None:
        cluster["hosts"] = [{"name": "hv1", "uri": "qemu+ssh://root@127.0.0.1/system", "ssh": "127.0.0.1"}]

    done = run("prepare_host", tmp_path, {"ansible_port": 1}, away)
    assert_refused(done, "host_unreachable", "hv1", "Connection refused")


def test_no_service_is_moved_on_the_machine_that_plays(tmp_path: Path) -> None:
    """All hosts answer and have no VM of the cluster: the one that may run here is none of its members."""

    def empty(cluster: dict[str, Any]) -> None:
        cluster["hosts"] = [{"name": "hv1", "uri": "test:///default"}]

    assert_refused(run("move_service", tmp_path, {"service": "ledger"}, empty), "not_found", "no VM of shop runs")


def a_play(*tasks: dict[str, Any]) -> list[dict[str, Any]]:
    block = {"block": list(tasks), "rescue": [{"ansible.builtin.import_tasks": str(ROOT / "playbooks" / "tasks" / "refused.yml")}]}
    return [{"hosts": "localhost", "connection": "local", "gather_facts": False, "tasks": [block]}]


def play(tmp_path: Path, *tasks: dict[str, Any]) -> Outcome:
    """A playbook of one play with these tasks, and the rescue of every play."""
    folder = tmp_path / "playbooks"
    folder.mkdir()
    (tmp_path / "ansible.cfg").write_text(f"[defaults]\ncollections_path = {ROOT}/var/collections\n")
    (folder / "mine.yml").write_text(yaml.safe_dump(a_play(*tasks)))
    return run("mine", tmp_path, {}, folder=folder)


REFUSE = {"ondemand.cluster.refuse": {"refusals": [{"reason": "quorum", "sentence": "no, {{ item | default('never') }}"}]}}


def test_a_refusal_stands_beside_the_result_that_was_handed_back_before(tmp_path: Path) -> None:
    done = play(tmp_path, {"ansible.builtin.set_stats": {"per_host": False, "data": {"ondemand": {"wanted": 1, "nodes": ["a"]}}}}, REFUSE)
    assert done.facts == {"wanted": 1, "nodes": ["a"], "refusal": {"reason": "quorum", "sentence": "no, never"}}
    assert done.reason == "quorum"


def test_the_refusals_of_a_loop_are_told_as_one(tmp_path: Path) -> None:
    done = play(tmp_path, {**REFUSE, "loop": ["a", "b"]})
    assert done.facts["refusal"] == {"reason": "quorum", "sentence": "no, a; no, b"}
    assert done.reason == "quorum"


def test_a_failure_that_is_no_refusal_ends_the_playbook_as_it_is(tmp_path: Path) -> None:
    done = play(tmp_path, {"ansible.builtin.fail": {"msg": "a disk is full"}})
    assert (done.ok, done.reason, done.facts) == (False, "", {})
    assert done.because.endswith("a disk is full")


@pytest.mark.parametrize("playbook", PLAYBOOKS)
def test_no_play_ends_without_handing_back_why(playbook: str) -> None:
    plays = [
        one for one in yaml.safe_load((ROOT / "playbooks" / f"{playbook}.yml").read_text()) if "ansible.builtin.import_playbook" not in one
    ]
    assert [one["name"] for one in plays for task in one["tasks"] if "rescue" not in task] == []
    assert not [one["name"] for one in plays if "roles" in one or "pre_tasks" in one or "post_tasks" in one]
