# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""The lease as a value, and what a node's refusal says. What the scripts do is shown on a real cluster: tests/cluster/test_lease.py."""

from __future__ import annotations

import shutil
import subprocess
from xml.etree import ElementTree

import pytest
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster import lease

HELD = lease.Lease("token", 1100, 1000, "root@ctl", "scale out to 3 VMs")
VALUE = "token 1100 1000 root@ctl scale%20out%20to%203%20VMs"


def test_a_lease_is_read_as_it_was_written() -> None:
    assert lease.parse_lease(VALUE) == HELD
    assert " ".join([HELD.token, str(HELD.until), str(HELD.since), lease.quoted(HELD.holder), lease.quoted(HELD.purpose)]) == VALUE


@pytest.mark.parametrize("value", ["", "token", "token x 1000 a b", "token 1100 -5 a b", "token 1100 1000 a b c", "a b c d e"])
def test_what_somebody_else_wrote_there_is_no_lease(value: str) -> None:
    assert lease.parse_lease(value) is None


@pytest.mark.parametrize(("now", "held"), [(1099, True), (1100, False), (5000, False)])
def test_it_is_held_until_its_end(now: float, held: bool) -> None:
    assert HELD.held(now) is held
    assert HELD.result(now)["held"] is held


def test_one_that_was_given_back_is_held_at_no_time() -> None:
    assert not lease.Lease("token", 0, 1000, "root@ctl", "x").held(0)


@pytest.mark.parametrize("text", ['it\'s <b>&"x"', "a b\nc", "$(reboot)", "", "é"])
def test_a_holder_or_purpose_is_one_word_for_shell_xml_and_xpath(text: str) -> None:
    word = lease.quoted(text)
    assert word and not set(word) & set(" '\"<>&$`\\\n;|*?[]{}()!#~")
    assert lease.parse_lease("t 1 1 %s x" % word).holder == (text or "-")  # type: ignore[union-attr]


def test_a_cib_with_a_lease_and_one_without() -> None:
    whole = "<cib><configuration><crm_config>%s</crm_config></configuration></cib>"
    pair = '<cluster_property_set id="ondemand-lease-set"><nvpair id="ondemand-lease" name="ondemand-lease" value="%s"/></cluster_property_set>'
    assert lease.in_cib(ElementTree.fromstring(whole % (pair % VALUE))) == HELD
    assert lease.in_cib(ElementTree.fromstring(whole % "")) is None
    assert lease.in_cib(None) is None


def test_the_answer_of_a_member_is_its_clock_and_the_lease() -> None:
    assert lease.parse_taken("welcome to this host\n1050 %s\n" % VALUE) == (1050, VALUE)
    assert lease.parse_taken("1050 \n") == (1050, "")
    with pytest.raises(ValueError):
        lease.parse_taken("")


def test_a_refusal_of_a_node_says_who_holds_it_for_what_and_since_when() -> None:
    held = lease.why_refused("noise\nondemand-lease held 1050 %s\n" % VALUE)
    assert held and held.reason == "held"
    assert "root@ctl: scale out to 3 VMs, begun 50 s ago" in held.sentence and "in 50 s at the latest" in held.sentence
    lost = lease.why_refused("ondemand-lease lost 1180 %s\n" % VALUE)
    assert lost and "taken over by root@ctl for scale out to 3 VMs 3 min ago" in lost.sentence
    gone = lease.why_refused("ondemand-lease lost 1050 \n")
    assert gone and "knows nothing of the lease" in gone.sentence
    assert lease.why_refused("cibadmin: no such thing") is None


def test_who_waited_in_vain_is_told_how_long() -> None:
    assert "(waited 60 s for it)" in lease.held_by(HELD, 1050, 60.4).sentence
    assert "waited" not in lease.held_by(HELD, 1050, 0.3).sentence


@pytest.mark.parametrize("text", [lease.TAKE, lease.GUARD], ids=["TAKE", "GUARD"])
def test_the_scripts_are_plain_sh(text: str) -> None:
    for shell in ("dash", "bash"):
        if shutil.which(shell):
            assert subprocess.run([shell, "-n", "-c", text], capture_output=True, text=True, check=False).stderr == ""


def test_the_guard_leaves_a_script_its_own_arguments_and_its_input() -> None:
    """cibadmin is not there, as on a node without Pacemaker: then there is nothing to ask."""
    text = lease.GUARD + '\nprintf "%s|" "$@"; cat'
    done = subprocess.run(
        ["sh", "-c", text, "sh", "-", "60", "-", "a b", "", "$c"],
        input="input",
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/bin:/usr/bin"},
    )
    assert (done.returncode, done.stdout) == (0, "a b||$c|input"), done.stderr
