# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""The fixed scripts for nodes: plain sh, and a wait that tells when its deadline passes."""

from __future__ import annotations

import base64
import subprocess
from pathlib import Path

import pytest
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster import membership_scripts as scripts

TEXTS = {name: text for name, text in vars(scripts).items() if name.isupper() and isinstance(text, str) and not name.startswith("_")}
SILENT = {"PATH": "/nowhere:/usr/bin:/bin"}


def run(text: str, *args: str) -> subprocess.CompletedProcess[str]:
    """The script on this machine, where no cluster runs and the cluster's tools are not in the PATH."""
    return subprocess.run(["/bin/sh", "-c", text, "sh", *args], capture_output=True, text=True, env=SILENT, timeout=30, check=False)


@pytest.mark.parametrize("name", TEXTS)
def test_every_script_is_plain_sh(name: str) -> None:
    done = subprocess.run(["/bin/sh", "-n", "-c", TEXTS[name]], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("name", "args"), [("START", ("n2", "1", "9")), ("STANDBY", ("n2", "off", "1", "9", "mark")), ("FORGET", ("n2", "1", "9"))]
)
def test_a_wait_ends_when_nothing_gets_on_and_says_what_it_waited_for(tmp_path: Path, name: str, args: tuple[str, ...]) -> None:
    env = tools(tmp_path, systemctl="exit 0", crm_attribute="exit 0")
    done = subprocess.run(["/bin/sh", "-c", TEXTS[name], "sh", *args], capture_output=True, text=True, env=env, timeout=30, check=False)
    assert done.returncode == 3 and "without any progress, Pacemaker" in done.stderr


def test_looking_at_a_host_without_a_cluster_tells_each_part_with_its_code() -> None:
    parts = scripts.sections(run(scripts.OBSERVE, "files").stdout)
    assert set(parts) == {"conf", "key", "seed", "corosync", "pacemaker"}
    assert parts["pacemaker"][0] != 0


def test_the_key_travels_as_one_line() -> None:
    key = bytes(range(256))
    assert base64.b64decode(scripts.key_line(key)) == key and "\n" not in scripts.key_line(key)


def test_what_comes_back_of_the_key_is_worth_nothing_without_the_pad(tmp_path: Path) -> None:
    key, pad = bytes(range(255, -1, -1)), bytes((7 * number) % 256 for number in range(scripts.PAD_BYTES))
    (tmp_path / "authkey").write_bytes(key)
    text = scripts.READ_KEY.replace("/etc/corosync/authkey", str(tmp_path / "authkey"))
    done = subprocess.run(["/bin/sh", "-c", text], input=scripts.pad_lines(pad), capture_output=True, text=True, check=True)
    assert scripts.unpadded(done.stdout, pad) == key
    assert bytes(int(line) for line in done.stdout.split()) != key


def tools(folder: Path, **scripts_of: str) -> dict[str, str]:
    """An environment in which these commands are the given scripts; each counts its calls in a file of its name."""
    for name, text in scripts_of.items():
        tool = folder / (name if name.startswith("crm_") else name.replace("_", "-"))
        tool.write_text('#!/bin/sh\necho call >>"$0.calls"\nn=$(wc -l <"$0.calls")\n' + text)
        tool.chmod(0o755)
    return {"PATH": f"{folder}:/usr/bin:/bin"}


PUT_OFF = "Could not reload configuration. Error CS_ERR_TRY_AGAIN"
OLD, NEW = "totem {\n    token: 3000\n}\n", "totem {\n    token: 4000\n}\nlogging {\n    to_stderr: no\n}\n"
TAKES = "grep -q 'to_stderr: yes' \"$2\""
REFUSES = """
echo "Nov 26 23:20:44.595 error   [MAIN  ] parse error in config: Not all nodes have the same number of links" >&2
echo "Nov 26 23:20:44.595 error   [MAIN  ] Corosync Cluster Engine exiting with status 8 at main.c:1445." >&2
exit 8"""


def configure(tmp_path: Path, *args: str, **made: str) -> subprocess.CompletedProcess[str]:
    """Configure with these tools, where the old text is in place."""
    (tmp_path / "corosync.conf").write_text(OLD)
    text = scripts.CONFIGURE.replace("/etc/corosync", str(tmp_path))
    env = tools(tmp_path, **{"corosync": TAKES, "corosync_cmapctl": "exit 1", **made})
    return subprocess.run(["/bin/sh", "-c", text, "sh", *args], input=NEW, capture_output=True, text=True, env=env, check=False, timeout=60)


@pytest.mark.parametrize(
    ("cfgtool", "code", "calls"),
    [
        ("exit 0", 0, 1),
        (f'[ "$n" -gt 2 ] || {{ echo "{PUT_OFF}"; exit 6; }}', 0, 3),
        ('echo "the file is wrong"; exit 1', scripts.REFUSED_RELOAD, 1),
        (f'echo "{PUT_OFF}"; exit 6', scripts.REFUSED_RELOAD, 50),
    ],
    ids=["loaded at once", "put off twice", "refused", "put off for ever"],
)
def test_a_reload_that_corosync_puts_off_is_asked_for_again(tmp_path: Path, cfgtool: str, code: int, calls: int) -> None:
    done = configure(tmp_path, "reload", corosync_cfgtool=cfgtool)
    assert done.returncode == code, done.stderr
    assert len((tmp_path / "corosync-cfgtool.calls").read_text().splitlines()) == calls
    assert ((tmp_path / "corosync.conf").read_text(), (tmp_path / "corosync.conf.before").read_text()) == (NEW, OLD)
    assert bool(done.stderr) == (code != 0)


REAL = 'PATH=/usr/bin:/bin; {tool} "$@" || exit; echo {tool} "$*" >>"${{0%/*}}/order"'


def in_order(tmp_path: Path) -> list[str]:
    """What was written to the disk and what was put in place, one after the other, without the folder's name."""
    return (tmp_path / "order").read_text().replace(f"{tmp_path}/", "").replace(str(tmp_path), "the folder").splitlines()


def put(name: str) -> list[str]:
    return [f"sync .{name}.new", f"mv -f .{name}.new {name}", "sync the folder"]


def test_a_list_is_on_the_disk_before_it_is_in_place(tmp_path: Path) -> None:
    done = configure(tmp_path, "write", sync=REAL.format(tool="sync"), mv=REAL.format(tool="mv"))
    assert done.returncode == 0, done.stderr
    assert in_order(tmp_path) == put("corosync.conf")


def test_key_and_list_of_a_new_member_are_on_the_disk_before_they_are_in_place(tmp_path: Path) -> None:
    text = scripts.INSTALL.replace("/etc/corosync", str(tmp_path)).replace("/var/lib/", f"{tmp_path}/var/")
    env = tools(tmp_path, corosync="exit 0", systemctl="exit 0", sync=REAL.format(tool="sync"), mv=REAL.format(tool="mv"))
    written = scripts.key_line(b"k" * 8) + "\n" + NEW
    done = subprocess.run(
        ["/bin/sh", "-c", text, "sh", "fresh", ""], input=written, capture_output=True, text=True, env=env, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert in_order(tmp_path) == [*put("authkey"), *put("corosync.conf")]
    assert ((tmp_path / "authkey").read_bytes(), (tmp_path / "corosync.conf").read_text()) == (b"k" * 8, NEW)


def test_a_text_that_corosync_refuses_never_gets_into_place(tmp_path: Path) -> None:
    done = configure(tmp_path, "reload", corosync=REFUSES, corosync_cfgtool="exit 0")
    assert done.returncode == scripts.REFUSED_FILE
    assert scripts.corosync_words(done.stderr) == "Not all nodes have the same number of links"
    assert (tmp_path / "corosync.conf").read_text() == OLD and not (tmp_path / "corosync-cfgtool.calls").exists()
    assert [one.name for one in tmp_path.iterdir() if one.name.startswith((".", "corosync.conf."))] == []
    assert configure(tmp_path, "write", "back", corosync=REFUSES).returncode == 0, "an old text that goes back is not tried"
    assert (tmp_path / "corosync.conf").read_text() == NEW


@pytest.mark.parametrize(("status", "code"), [("7", scripts.REFUSED_RELOAD), ("1", 0)])
def test_a_reload_that_is_called_done_and_was_refused_is_refused(tmp_path: Path, status: str, code: int) -> None:
    cmapctl = f'echo "config.reload_status (i32) = {status}"'
    assert configure(tmp_path, "reload", corosync_cfgtool="exit 0", corosync_cmapctl=cmapctl).returncode == code


@pytest.mark.parametrize("said", ["", "Nov 26 23:20:44.595 notice  [MAIN  ] Corosync Cluster Engine exiting normally"])
def test_silence_is_called_silence(said: str) -> None:
    assert scripts.corosync_words(said) == "it gives no reason"


@pytest.mark.parametrize(("state", "calls"), [("active", 3), ("inactive", 1)])
def test_votes_that_corosync_does_not_tell_at_once_are_asked_for_again_where_it_runs(tmp_path: Path, state: str, calls: int) -> None:
    quorumtool = '[ "$n" -gt 2 ] || { echo "Cannot tell: CS_ERR_TRY_AGAIN"; exit 1; }\necho "Total votes:      2"'
    env = tools(tmp_path, corosync_quorumtool=quorumtool, systemctl=f"echo {state}; echo {state}", crm_mon="exit 1")
    seen = subprocess.run(["/bin/sh", "-c", scripts.OBSERVE, "sh", "all"], capture_output=True, text=True, env=env, check=True, timeout=60)
    assert len((tmp_path / "corosync-quorumtool.calls").read_text().splitlines()) == calls
    rc, told = scripts.sections(seen.stdout)["votes"]
    assert (rc, "Total votes" in told) == ((0, True) if state == "active" else (1, False))
