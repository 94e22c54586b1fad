# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""How long a member is asked to forget a node: the script with stand-ins for Pacemaker's tools, on real sh."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster import node_scripts

FORGET = node_scripts.script("forget_node")
# The controller forgets at the request whose number stands in `deaf`; the CIB at the first one.
CRM_NODE = """#!/bin/sh
here=${0%/*}
case $* in
-l) echo "1 n1 member"; [ "$(wc -l <"$here/asked")" -ge "$(cat "$here/deaf")" ] || echo "2 n2 lost" ;;
*) echo "$*" >>"$here/asked" ;;
esac
"""
CIBADMIN = '#!/bin/sh\n[ -s "${0%/*}/asked" ] || echo \'<node id="2" uname="n2"/>\'\n[ ! -e "${0%/*}/late" ] || sleep 0.4\necho "<cib/>"\n'


def forget(tmp_path: Path, deaf: int, most_s: int = 120) -> tuple[int, int]:
    """The script's code, and how often the controller was asked; it hears the request of this number."""
    for name, text in (("crm_node", CRM_NODE), ("cibadmin", CIBADMIN)):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    (tmp_path / "asked").touch()
    (tmp_path / "deaf").write_text(f"{deaf}\n")
    command = ["/bin/sh", "-c", FORGET, "sh", "n2", "60", str(most_s)]
    done = subprocess.run(command, env={"PATH": f"{tmp_path}:/usr/bin:/bin"}, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, len((tmp_path / "asked").read_text().splitlines())


@pytest.mark.parametrize(("deaf", "asked"), [(1, 1), (4, 4), (99, 15)])
def test_it_is_asked_until_it_forgets_and_fifteen_times_at_most(tmp_path: Path, deaf: int, asked: int) -> None:
    assert forget(tmp_path, deaf) == (0, asked)


def test_a_slow_node_is_asked_as_often_as_a_quick_one(tmp_path: Path) -> None:
    (tmp_path / "late").touch()
    assert forget(tmp_path, 6) == (0, 6), "it took longer than five seconds, and only the sixth request was heard"


def test_a_memory_that_outlives_the_time_is_left_to_the_next_join(tmp_path: Path) -> None:
    (tmp_path / "late").touch()
    code, asked = forget(tmp_path, 99, most_s=3)
    assert code == 0 and 1 <= asked < 15
