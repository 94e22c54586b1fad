# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""What becomes of a VM whose join failed: a member has votes and may carry work, so it stays; any other leaves nothing behind."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.playbooks.wall_stage import ALONE, Stage, domain, record

FAILING = """

_as_it_is = _bring


def _bring(act, state):
    if state == "member" and not act.check:
        if %(member)s:
            _as_it_is(act, state)
        raise Refused(Refusal("%(reason)s", "something went wrong"))
    _as_it_is(act, state)
"""


@pytest.mark.parametrize(
    ("member", "reason", "stays"),
    [(True, "deadline", True), (False, "deadline", False), (False, "held", True)],
    ids=["after it had become a member", "before it was a member", "because another run goes on with it"],
)
def test_whose_join_failed_stays_only_as_a_member_or_as_another_run_s(
    member: bool, reason: str, stays: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = Stage(tmp_path, monkeypatch.setenv)
    action = stage.collection / "plugins/action/cluster_node.py"
    action.write_text(action.read_text() + FAILING % {"member": member, "reason": reason})
    volumes = [f"cell-n{number}{end}" for number in (1, 2) for end in (".qcow2", "-seed.iso")]
    stage.hosts({"hv1": [domain(1), domain(2)]}, volumes)
    for number in (1, 2):
        stage.says(number, record())
    stage.says(3, ALONE)
    done = stage.play("scale_out", wanted=3)
    assert (done.ok, done.reason) == (False, reason), done.because
    assert ("cell-n3" in done.facts["nodes"]) is member
    # The key that was pinned as the VM was made goes when it is deleted.
    assert ("cell-n3" in (stage.state / "known_hosts").read_text()) is stays
