# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""The load client and its arithmetic: what it counts must be what happened."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lab.workload import client, client_http, client_stats

CHECKOUT = Path(client.__file__).resolve().parents[2]


def record(number, due_at, acknowledged_at, ended_at=None, node="n1", attempts=1):
    return {
        "kind": "transaction",
        "service": "ledger",
        "id": f"c1/{number}",
        "due_at": due_at,
        "sent_at": due_at,
        "acknowledged_at": acknowledged_at,
        "ended_at": acknowledged_at if ended_at is None else ended_at,
        "attempts": attempts,
        "node": node if acknowledged_at is not None else None,
        "because": None,
    }


@pytest.mark.parametrize(
    ("records", "gap"),
    [
        pytest.param([], 0.0, id="no transactions, no gap"),
        pytest.param([record(1, 0.0, 0.5)], 0.5, id="the first wait counts"),
        pytest.param([record(1, 0.0, 0.1), record(2, 10.0, 10.2)], 0.2, id="time without anything due does not count"),
        pytest.param([record(1, 0.0, 1.0), record(2, 0.5, 4.0)], 3.0, id="from acknowledgement to acknowledgement"),
        pytest.param([record(1, 0.0, 1.0), record(2, 2.0, 6.0), record(3, 3.0, 6.5)], 4.0, id="from the moment something is due"),
        pytest.param([record(1, 0.0, None, ended_at=7.0)], 7.0, id="a failure ends the gap where it was given up"),
        pytest.param([record(1, 0.0, None, ended_at=2.0), record(2, 1.0, 9.0)], 9.0, id="a failure is no acknowledgement"),
    ],
)
def test_longest_gap(records, gap):
    assert client_stats.longest_gap_s(records) == pytest.approx(gap)


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [([], 0.5, None), ([3.0], 0.99, 3.0), ([1, 2, 3, 4], 0.5, 2), ([4, 3, 2, 1], 0.51, 3), (range(1, 101), 0.99, 99), ([1, 2], 0.0, 1)],
)
def test_percentile_is_the_nearest_rank(values, share, expected):
    assert client_stats.percentile(list(values), share) == expected


def test_latency_counts_from_the_moment_of_being_due():
    late = {**record(1, 10.0, 12.0), "sent_at": 11.9}
    assert client_stats.latencies_ms([late]) == [2000.0]


def test_lost_and_duplicated_are_counted_for_this_client_only():
    records = [record(1, 0, 1), record(2, 0, 1), record(3, 0, None, ended_at=5)]
    told = client_stats.compare_stored(records, ["old/9", "old/9", "c1/1", "c1/1", "c1/3", "c1/9", "c11/2"], "c1")
    assert told == {"stored": 4, "lost": 1, "duplicated": 1, "invented": 1, "lost_ids": ["c1/2"], "duplicated_ids": ["c1/1"]}


def test_a_real_move_loses_nothing_and_doubles_nothing(recording):
    records = [r for r in recording.client if r["kind"] == "transaction" and r["service"] == "ledger"]
    told = client_stats.compare_stored(records, recording.stored, "c1")
    summary = client_stats.summarize(records)
    assert (told["lost"], told["duplicated"], summary["failed"]) == (0, 0, 0)
    assert told["stored"] == summary["acknowledged"] == summary["sent"] > 40
    assert set(summary["nodes"]) == {"n1", "n2"}
    assert summary["attempts"] > summary["sent"]  # the move was felt: some were tried again


def test_the_schedule_does_not_wait_for_answers(recording):
    due = [r["due_at"] for r in recording.client if r["kind"] == "transaction" and r["service"] == "web"]
    first_second = [at for at in due if at - recording.moved_at < 0]
    assert max(b - a for a, b in itertools.pairwise(sorted(first_second))) == pytest.approx(1 / 40, abs=1e-3)
    around_the_move = [at for at in due if 0 <= at - recording.moved_at < 0.5]
    assert len(around_the_move) == pytest.approx(20, abs=1)


def test_a_changed_rate_is_followed_and_written_down(recording):
    rates = [(r["service"], r["rate_per_s"]) for r in recording.client if r["kind"] == "rate"]
    assert sorted(rates) == [("ledger", 5.0), ("ledger", 20.0), ("web", 10.0), ("web", 40.0)]
    slower_at = next(r["at"] for r in recording.client if r["kind"] == "rate" and r["rate_per_s"] == 10.0)
    due = [r["due_at"] for r in recording.client if r["kind"] == "transaction" and r["service"] == "web"]
    assert sum(1 for at in due if slower_at <= at < slower_at + 1) == pytest.approx(10, abs=1)


def load(tmp_path, port, *more, seconds="0.5", rates='{"web": 10}'):
    (tmp_path / "rates.json").write_text(rates)
    argv = [
        sys.executable,
        "-m",
        "lab.workload.client",
        f"web=127.0.0.1:{port}",
        "--client",
        "c1",
        "--control",
        str(tmp_path / "rates.json"),
    ]
    argv += ["--out", str(tmp_path / "out.jsonl"), "--seconds", seconds, *more]
    done = subprocess.run(argv, cwd=CHECKOUT, capture_output=True, text=True, timeout=30, check=False)
    out = tmp_path / "out.jsonl"
    lines = [json.loads(line) for line in out.read_text().splitlines()] if out.exists() else []
    return done, [line for line in lines if line["kind"] == "transaction"]


def test_a_transaction_that_nobody_answers_fails_after_its_deadline(tmp_path, free):
    done, records = load(tmp_path, free(), "--deadline-s", "1")
    assert done.returncode == 1
    assert len(records) == 5
    for one in records:
        assert one["acknowledged_at"] is None
        assert one["attempts"] > 1
        assert 1.0 <= one["ended_at"] - one["due_at"] < 2.0
        assert "Connect" in one["because"] or "refused" in one["because"]


def test_the_number_of_transactions_is_bounded(tmp_path, start, free):
    web = start("n1", "web", free())
    done, records = load(tmp_path, web.port, "--most", "7", seconds="20", rates='{"web": 100}')
    assert (done.returncode, [one["id"] for one in records]) == (0, [f"c1/{number}" for number in range(1, 8)])


def test_a_wrong_control_file_changes_no_rate_and_is_told(tmp_path, start, free):
    web = start("n1", "web", free())
    done, records = load(tmp_path, web.port, rates='{"web": -3}')
    assert records == []
    assert "a rate has to be a number from 0 to 500, not -3; the rates stay" in done.stderr


def test_sigterm_ends_the_schedule_and_finishes_what_is_under_way(tmp_path, start, free):
    web = start("n1", "web", free())
    (tmp_path / "rates.json").write_text('{"web": 50}')
    argv = [
        sys.executable,
        "-m",
        "lab.workload.client",
        f"web=127.0.0.1:{web.port}",
        "--client",
        "c1",
        "--out",
        str(tmp_path / "out.jsonl"),
    ]
    process = subprocess.Popen([*argv, "--control", str(tmp_path / "rates.json")], cwd=CHECKOUT, stdout=subprocess.PIPE, text=True)
    time.sleep(1.5)
    process.send_signal(signal.SIGTERM)
    summary = json.loads(process.communicate(timeout=10)[0])
    assert process.returncode == 0
    assert summary["web"]["sent"] == summary["web"]["acknowledged"] > 20
    assert json.loads((tmp_path / "out.jsonl").read_text().splitlines()[-1])["kind"] == "end"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('{"web": "4"}', "a rate has to be a number"),
        ('{"web": true}', "a rate has to be a number"),
        ('{"web": 1e9}', "a rate has to be a number"),
        ('{"web": NaN}', "a rate has to be a number"),
        ('{"other": 1}', "an object with the keys"),
        ("[1]", "an object with the keys"),
        ("{", "Expecting"),
    ],
)
def test_rates_that_make_no_sense_are_refused(text, problem):
    with pytest.raises(ValueError, match=problem):
        client.parse_rates(text, {"web"})


@pytest.mark.parametrize("text", ["web", "web=host:80", "web=10.0.0.1", "Web=10.0.0.1:80", "web=10.0.0.1:80\n"])
def test_a_target_that_makes_no_sense_is_refused(text):
    with pytest.raises(ValueError, match="is not NAME=ADDRESS:PORT"):
        client.parse_target(text)


OK = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s"


@pytest.mark.parametrize(
    ("answer", "because"),
    [
        pytest.param(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n", "status 503", id="a 503 of the load balancer"),
        pytest.param(b"HTTP/1.1 200 OK\r\n\r\n", "without a usable Content-Length", id="no length"),
        pytest.param(b"SSH-2.0-x\r\n\r\n", "not HTTP", id="another protocol"),
        pytest.param(OK % (2, b"[]"), "not a JSON object", id="another JSON"),
        pytest.param(OK % (9, b"{"), "bytes read", id="cut off"),
        pytest.param(b"", "bytes read", id="closed at once"),
        pytest.param(OK % (1, b"{"), "Expecting", id="broken JSON"),
        pytest.param(OK % (40, b'{"client": "c1", "number": 2, "node": ""}'[:40]), "Expecting|Unterminated", id="half a JSON"),
    ],
)
def test_an_answer_that_does_not_count_is_a_failed_attempt(answer, because):
    assert_attempt_fails(answer, because)


def test_silence_is_a_failed_attempt_after_the_answers_deadline():
    began = time.monotonic()
    assert_attempt_fails(None, "no answer in time")
    assert 0.3 <= time.monotonic() - began < 20


def assert_attempt_fails(answer, because):
    async def once():
        async def serve(reader, writer):
            await reader.readuntil(b"\r\n\r\n")
            if answer is None:
                await asyncio.sleep(1)
            writer.write(answer or b"")
            writer.close()

        listener = await asyncio.start_server(serve, "127.0.0.1", 0)
        async with listener:
            connection = client_http.Connection("127.0.0.1", listener.sockets[0].getsockname()[1], 1.0, 0.3)
            with pytest.raises(client_http.AttemptFailed, match=because):
                await connection.request("POST", "/t/c1/1")

    asyncio.run(once())


def test_another_transactions_answer_does_not_count(tmp_path):
    """A load balancer or a bug that mixes answers up must show as failure, never as acknowledgement."""

    async def mixed_up():
        async def serve(reader, writer):
            with contextlib.suppress(asyncio.IncompleteReadError):  # the client hangs up, as it should
                while await reader.readuntil(b"\r\n\r\n"):
                    body = b'{"client": "c1", "number": 999, "node": "n1"}'
                    writer.write(OK % (len(body), body))
            writer.close()

        listener = await asyncio.start_server(serve, "127.0.0.1", 0)
        (tmp_path / "rates.json").write_text('{"web": 20}')
        target = client.Target("web", "127.0.0.1", listener.sockets[0].getsockname()[1])
        limits = client.Limits(seconds=0.3, deadline_s=0.5)
        async with listener:
            return await client.run([target], "c1", tmp_path / "rates.json", limits, tmp_path / "out.jsonl")

    records = asyncio.run(mixed_up())
    assert records
    assert all(one["acknowledged_at"] is None for one in records)
    assert {one["because"] for one in records} == {"the answer belongs to another transaction"}
    assert all(one["mixed_up"] == one["attempts"] > 1 for one in records)


def test_an_answer_that_comes_twice_is_counted_against_the_service():
    twice = [record(1, 0.0, 1.0), record(1, 0.0, 1.0), record(2, 0.0, 1.0), {**record(3, 0.0, 1.0), "mixed_up": 2}]
    assert client_stats.summarize(twice)["answered_twice"] == 3


def test_the_record_says_where_it_sent_and_when_its_schedule_ended(recording):
    targets = {r["service"]: r["address"] for r in recording.client if r["kind"] == "target"}
    assert targets == recording.addresses
    end = recording.client[-1]
    due = [r["due_at"] for r in recording.client if r["kind"] == "transaction"]
    assert max(due) <= end["stopped_at"] <= end["at"]


def test_silences_are_told_with_their_beginning():
    records = [record(1, 0.0, 1.0), record(2, 0.5, 4.0), record(3, 10.0, None, ended_at=12.0)]
    assert client_stats.silences(records) == [(0.0, 1.0), (1.0, 4.0), (10.0, 12.0)]


def test_a_ledger_that_does_not_answer_is_told_with_what_to_do(free):
    argv = [sys.executable, "-m", "lab.workload.client_read", "127.0.0.1", str(free())]
    done = subprocess.run(argv, cwd=CHECKOUT, capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert "can't be read back: <urlopen error [Errno 111] Connection refused>; see whether its service runs" in done.stderr
