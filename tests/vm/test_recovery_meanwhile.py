# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""A member is lost while the cluster grows or shrinks, on real VMs: whatever becomes of the run, a recovery makes it whole, and no transaction is lost.

A stage of its own, since it mostly waits for what a run does about a member that is gone: script/test meanwhile.
"""

from __future__ import annotations

import subprocess
import time
import typing as t

from lab.processes import kill_whole
from tests.vm.tale import ROOT, command, environment, said
from tests.vm.test_recovery import Story, story, told

__all__ = ["story"]


def meanwhile(story: Story, playbook: str, when: t.Callable[[], bool], what: t.Callable[[], None], **variables: t.Any) -> str:
    """Run a playbook to its end, and do something at a moment of it; what it printed. How it ends is the playbook's own affair."""
    log = story.file.with_name("meanwhile.log")
    with log.open("w") as output:
        running = subprocess.Popen(
            command(playbook, story.file, **variables), cwd=ROOT, stdout=output, stderr=output, env=environment(), start_new_session=True
        )
        try:
            end = time.monotonic() + 300
            while not when():
                assert running.poll() is None and time.monotonic() < end, log.read_text()
            what()
            running.wait(900)
        finally:
            if running.poll() is None:
                kill_whole(running.pid)
    return log.read_text()


def lose_another_than(story: Story, *names: str) -> str:
    """A member's VM is off from one moment to the next: not that of the ledger, and none of these."""
    seen = story.seen()
    busy = next(one["node"] for one in seen["cluster"]["services"] if one["name"] == "ledger")
    one = next(one for one in seen["vms"] if one["name"] not in (busy, *names))
    said(one["host"], "virsh", "destroy", one["name"])
    return str(one["name"])


def test_two_members_serve(story: Story) -> None:
    story.done("create_cluster")
    story.transact()
    story.healed("back-n1", "back-n2")


def test_one_that_is_lost_while_the_cluster_grows_comes_back_and_it_grows(story: Story) -> None:
    names = [node["name"] for node in story.seen()["cluster"]["nodes"]]
    there = set(story.domains())
    lost: list[str] = []
    output = meanwhile(story, "scale_out", lambda: set(story.domains()) > there, lambda: lost.append(lose_another_than(story)), wanted=3)
    run = story.done("recover_cluster", wanted=3)
    told(run, "a VM was off while a scale-out ran")
    assert lost[0] in run.ondemand["started"] or lost[0] in output, output
    members = [node["name"] for node in story.seen()["cluster"]["nodes"]]
    assert len(members) == 3 and set(names) <= set(members)
    story.healed(*members)


def test_one_that_is_lost_while_another_leaves_comes_back_and_the_other_one_is_in_or_out(story: Story) -> None:
    members = [node["name"] for node in story.seen()["cluster"]["nodes"]]
    busy = next(one["node"] for one in story.seen()["cluster"]["services"] if one["name"] == "ledger")
    leaver = next(name for name in reversed(members) if name != busy)

    def leaves() -> bool:
        return any(node["name"] == leaver and node["standby"] for node in story.seen()["cluster"]["nodes"])

    meanwhile(story, "scale_in", leaves, lambda: lose_another_than(story, leaver) and None, wanted=2, leavers=leaver)
    told(story.done("recover_cluster"), "a VM was off while a scale-in ran")
    left = [node["name"] for node in story.seen()["cluster"]["nodes"]]
    assert set(members) - set(left) <= {leaver}
    story.healed(*left)
    story.done("scale_in", wanted=2)
    story.healed(*[node["name"] for node in story.seen()["cluster"]["nodes"]])
