# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""The door to nodes (plugin_utils/nodes.py) over real ssh: values arrive as they are, failures arrive as data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.cluster.conftest import FIRST, Cluster

ACTIONS = str(Path(__file__).parent / "action")
HOSTILE = ["it's", "$(touch /run/pwned)", "`id`", "a;b|c&d", "line\nbreak", '"quoted"', "*", ""]


def ask(cluster: Cluster, *calls: dict[str, Any], options: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    """The answers to calls that one task makes."""
    run = cluster.play([{"ask_nodes": {"calls": list(calls)}}], *options, environment={"ANSIBLE_ACTION_PLUGINS": ACTIONS})
    return list(cluster.done(run)["answers"])


@pytest.mark.parametrize("become", [False, True])
@pytest.mark.parametrize("host", [FIRST, "cell-n2"])
def test_values_and_stdin_arrive_unread_by_any_shell(cluster: Cluster, host: str, become: bool) -> None:
    options = (
        ("-e", "ansible_become=true", "-e", "ansible_become_method=su", "-e", "{'ansible_become_flags': '-s /bin/sh'}") if become else ()
    )
    words, told, name = ask(
        cluster,
        {"host": host, "argv": ["printf", "%s\\0", *HOSTILE]},
        {"host": host, "script": 'printf "%s|" "$@"; cat; echo told >&2', "args": ["a b", "$x"], "stdin": "se'cret\n$(id)\n"},
        {"host": host, "argv": ["uname", "-n"]},
        options=options,
    )
    assert words["stdout"].split("\0")[:-1] == HOSTILE
    assert (told["stdout"], told["stderr"].strip().splitlines()[-1]) == ("a b|$x|se'cret\n$(id)\n", "told")
    assert name["stdout"].strip() == host
    assert cluster.cells[host].run("test", "-e", "/run/pwned", check=False).returncode == 1


def test_a_command_without_stdin_gets_an_empty_one_and_a_plain_environment(cluster: Cluster) -> None:
    empty, plain = ask(cluster, {"host": FIRST, "argv": ["cat"]}, {"host": FIRST, "script": 'printf "%s %s" "$LC_ALL" "$PATH"'})
    assert empty["stdout"] == "" and plain["stdout"].startswith("C ") and "/usr/sbin" in plain["stdout"]


def test_failures_are_told_with_host_command_and_reason(cluster: Cluster) -> None:
    failed, kept, late, unknown, own255 = ask(
        cluster,
        {"host": "cell-n2", "argv": ["cat", "/nothing"]},
        {"host": "cell-n2", "argv": ["cat", "/nothing"], "check": False},
        {"host": FIRST, "argv": ["sleep", "9"], "timeout_s": 0.5},
        {"host": "cell-n99", "argv": ["true"]},
        {"host": FIRST, "argv": ["sh", "-c", "exit 255"], "check": False},
    )
    assert failed["rc"] == 1 and "cat on cell-n2" in failed["error"] and "No such file" in failed["error"] and not failed["unreachable"]
    assert kept["rc"] == 1 and "No such file" in kept["stderr"]
    assert late["timed_out"] and "did not end within 0.5 s" in late["error"]
    assert unknown["unreachable"] and "inventory" in unknown["error"]
    assert own255["rc"] == 254, "ssh's own code 255 would have been taken for a lost connection"


def test_a_lost_connection_is_made_anew(cluster: Cluster) -> None:
    """The multiplexed connection's far end is killed between two calls, as by a restarted node."""
    before, killed, after = ask(
        cluster,
        {"host": "cell-n2", "argv": ["echo", "one"]},
        {"host": "cell-n2", "script": "trap '' HUP; for p in $(pgrep sshd); do [ $p = 1 ] || kill -9 $p; done", "check": False},
        {"host": "cell-n2", "argv": ["echo", "two"]},
    )
    assert before["stdout"] == "one\n" and after.get("stdout") == "two\n", (killed, after)


# Writes down that it ran, and at its first run breaks the connection that it came by.
BREAKS = """
[ -e /run/broke ] && first=no || first=yes
echo run >>/run/broke
if [ $first = yes ]; then trap '' HUP; for p in $(pgrep sshd); do [ $p = 1 ] || kill -9 $p; done; sleep 1; fi
"""


@pytest.mark.parametrize(("once", "runs"), [(True, 1), (False, 2)], ids=["one that may not run twice", "one that may"])
def test_a_change_whose_connection_broke_runs_again_only_where_it_may(cluster: Cluster, once: bool, runs: int) -> None:
    cell = cluster.cells["cell-n2"]
    cell.run("rm", "-f", "/run/broke")
    (answer,) = ask(cluster, {"host": "cell-n2", "change": BREAKS, "once": once})
    assert len(cell.run("cat", "/run/broke").stdout.split()) == runs
    if once:
        assert answer["unreachable"] and "it is not begun a second time" in answer["error"]
    else:
        assert answer["rc"] == 0, answer


def test_a_host_that_is_away_is_unreachable(cluster: Cluster) -> None:
    cluster.cells["cell-n3"].run("ip", "link", "set", "eth0", "down")
    (answer,) = ask(cluster, {"host": "cell-n3", "argv": ["true"]}, options=("-e", "ansible_timeout=2"))
    cluster.cells["cell-n3"].run("ip", "link", "set", "eth0", "up")
    assert answer["unreachable"] and answer["rc"] is None


def test_a_connection_that_goes_silent_is_given_up(cluster: Cluster) -> None:
    """The cell takes its own card away in the middle of a command: no end, no error, nothing ever comes."""
    (answer,) = ask(cluster, {"host": "cell-n4", "argv": ["sh", "-c", "ip link set eth0 down; sleep 1"], "timeout_s": 2})
    cluster.cells["cell-n4"].run("ip", "link", "set", "eth0", "up")
    assert answer["unreachable"] and "silent for 17 s" in answer["error"]
