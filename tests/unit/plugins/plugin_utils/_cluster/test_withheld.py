# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""What lost nodes were called stands in corosync.conf as comments, as long as it may come back."""

from __future__ import annotations

from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster import corosync_conf as cc
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.withheld import NOTE, released, withheld, withhold

ONE, TWO = cc.Node("n2", "10.99.0.12", 2), cc.Node("n3", "10.99.0.13", 3)
CONF = cc.first_conf("shop", cc.Node("n1", "10.99.0.11", 1), 3000)


def test_who_is_withheld_is_read_back_from_the_file_s_text() -> None:
    text = cc.render(withhold(CONF, [ONE, TWO]))
    assert text.startswith(f"{NOTE} n2 10.99.0.12\n{NOTE} n3 10.99.0.13\n")
    assert withheld(cc.parse(text)) == (("n2", "10.99.0.12"), ("n3", "10.99.0.13"))
    assert cc.parse(text).nodes == CONF.nodes and cc.parse(text).highest_id == CONF.highest_id
    assert withheld(CONF) == ()


def test_who_is_withheld_already_gets_no_second_note() -> None:
    assert withhold(withhold(CONF, [ONE]), [ONE]) == withhold(CONF, [ONE])


def test_who_is_released_is_withheld_no_longer_and_the_others_are() -> None:
    assert withheld(released(withhold(CONF, [ONE, TWO]), ["n2"])) == (("n3", "10.99.0.13"),)
    assert released(withhold(CONF, [ONE]), ["n2"]) == CONF
    assert released(CONF, ["n1", "n2"]) == CONF


def test_a_note_that_a_person_made_odd_is_told_as_far_as_it_goes() -> None:
    odd = cc.parse(f"{NOTE}\n{NOTE} n4\n# a person wrote down that its VM will never come back: n4 and n5\n" + cc.render(CONF))
    assert withheld(odd) == (("n4", ""),)
    without = released(odd, ["n4", "n5", "never"])
    assert withheld(without) == () and "never come back" in cc.render(without), "a person's own comment stays"
