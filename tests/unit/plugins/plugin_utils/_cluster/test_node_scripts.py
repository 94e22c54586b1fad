# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""Scripts travel whole and without their comments, each is plain sh, and what they mark is what their readers look for."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster import cib_push, haproxy_runtime, membership_scripts, settle
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.node_scripts import FOLDER, script

NAMES = sorted(path.stem for path in Path(FOLDER).glob("*.sh"))
ROOT = Path(__file__).parents[5]


@pytest.mark.parametrize("name", NAMES)
def test_a_script_is_plain_sh_with_all_that_it_uses(name: str) -> None:
    text = script(name)
    assert subprocess.run(["sh", "-n"], input=text, text=True, capture_output=True, check=False).stderr == ""
    assert not re.search(r"^\s*(#|\. )", text, re.MULTILINE)
    for used in re.findall(r"^\. \./(\w+)\.sh$", (Path(FOLDER) / f"{name}.sh").read_text(), re.MULTILINE):
        assert script(used).strip("\n") in text


def test_every_script_is_sent_or_used_by_one_that_is() -> None:
    sources = [path.read_text() for path in (ROOT / "plugins/plugin_utils/_cluster").glob("*.py")]
    sent = {name for text in sources for name in re.findall(r'script\("(\w+)"\)', text)}
    used = {name for one in NAMES for name in re.findall(r"^\. \./(\w+)\.sh$", (Path(FOLDER) / f"{one}.sh").read_text(), re.MULTILINE)}
    assert sent | used == set(NAMES)


@pytest.mark.parametrize(
    ("name", "marks"),
    [
        ("push_cib", [cib_push.MARK, "exit %d" % cib_push.INVALID, "exit %d" % cib_push.CHANGED_MEANWHILE]),
        ("cib_and_look", [settle.SEEN_MARK]),
        ("settle", ["code=%d" % settle.NOT_IDLE]),
        ("apply_haproxy", [haproxy_runtime.MARK, "exit %d" % haproxy_runtime.INVALID, "exit %d" % haproxy_runtime.NOT_RELOADED]),
        ("observe", ["==ondemand-section==", "==ondemand-rc=="]),
        ("try_conf", ["exit %d" % membership_scripts.REFUSED_FILE]),
        ("configure", ["exit %d" % membership_scripts.REFUSED_RELOAD]),
    ],
)
def test_what_a_reader_looks_for_is_what_the_script_says(name: str, marks: list[str]) -> None:
    assert [mark for mark in marks if mark not in script(name)] == []


def test_a_script_that_is_not_there_is_an_error() -> None:
    with pytest.raises(FileNotFoundError):
        script("nothing")
