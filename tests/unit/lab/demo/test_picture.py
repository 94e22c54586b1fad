# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""The picture shows what was recorded: its series are checked, and that it is drawn."""

from __future__ import annotations

from dataclasses import replace

import pytest
from matplotlib import image

from lab.checks.actions import actions_of
from lab.checks.run import vms_of
from lab.demo import picture


def transaction(due_at, latency_s):
    return {"due_at": due_at, "acknowledged_at": None if latency_s is None else due_at + latency_s}


def test_load_is_counted_in_windows_the_empty_ones_too():
    records = [transaction(at, 0.1) for at in (10.0, 10.5, 11.9, 15.0)]
    assert picture.load_per_s(records, 10.0, 2.0) == ([1.0, 3.0, 5.0], [1.5, 0.0, 0.5])


def test_latency_belongs_to_the_window_in_which_the_transaction_was_due():
    records = [transaction(10.0, 5.0), transaction(10.1, 0.1), transaction(12.0, None), transaction(14.0, 0.2)]
    times, values = picture.latency_ms(records, 10.0, 0.99, 2.0)
    assert times == [1.0, 5.0]
    assert values == pytest.approx([5000.0, 200.0])


def test_the_stretches_of_carrying_follow_the_answers(run, recording):
    first, second, third = (picture.carried(run, vm, "ledger") for vm in vms_of(run))
    assert len(first) == len(second) == 1
    assert first[0].end_s < second[0].begin_s
    assert first[0].end_s == pytest.approx(recording.ledger_acknowledged("n1")[-1] - run.started_at)
    assert third == []


def test_the_picture_is_drawn(run, tmp_path):
    picture.draw(run, vms_of(run), actions_of(run), "ledger", tmp_path / "run.png")
    pixels = image.imread(tmp_path / "run.png")
    assert pixels.shape[0] > 600
    assert pixels.shape[1] > 1000
    assert pixels.std() > 0.05


@pytest.mark.parametrize("lacking", [("witness", "history"), ("witness", "history", "client", "events")], ids=["no VM", "nothing at all"])
def test_a_run_that_ended_early_is_drawn_too(run, tmp_path, lacking):
    picture.draw(replace(run, **{one: [] for one in lacking}), [], [], "ledger", tmp_path / "run.png")
    assert (tmp_path / "run.png").stat().st_size > 1000
