# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""Names: narrow, deterministic, and the same on both ends."""

from __future__ import annotations

import pytest
from ansible_collections.ondemand.cluster.plugins.module_utils._contract import names
from hypothesis import given
from hypothesis import strategies as st

GOOD = ["a", "shop", "shop-n1", "0", "a" * 63]
BAD = ["", "-a", "A", "a_b", "a b", "a\n", "a\nb", "a'b", 'a"b', "a<b", "ä", "a/b", "..", "a" * 64, None, 7, ["a"]]


@pytest.mark.parametrize("name", GOOD)
def test_a_plain_name_is_taken(name):
    assert names.name_problem(name, "x") is None


@pytest.mark.parametrize("name", BAD)
def test_a_name_that_could_mean_something_elsewhere_is_refused_with_its_path(name):
    assert names.name_problem(name, "cluster.name").startswith("cluster.name: ")


@pytest.mark.parametrize("text", ["", "a\nb", "a\x00b", 'a"b', "a'b", "a\x7f", None, 3])
def test_a_text_with_a_quote_or_a_newline_is_refused(text):
    assert names.text_problem(text, "p").startswith("p: ")


def test_a_text_of_one_line_is_taken():
    assert names.text_problem("root=/dev/vda rw console=ttyS0", "p") is None


@pytest.mark.parametrize("address", ["10.0.0", "10.0.0.256", "a", "", "10.0.0.1/24"])
def test_what_is_no_address_is_refused(address):
    assert names.address_problem(address, "p").startswith("p: ")


@given(st.integers(1, 10**9 - 1))
def test_the_number_of_a_name_is_the_one_it_was_made_of(number):
    assert names.vm_number("a-n1", names.vm_name("a-n1", number)) == number


@pytest.mark.parametrize("name", ["shop-n0", "shop-n01", "shop-n", "shopx-n1", "shop-n1x", "other-n1", "shop-n1-n2"])
def test_a_name_of_another_kind_has_no_number(name):
    assert names.vm_number("shop", name) is None


def test_names_are_sorted_by_their_number_and_those_without_one_come_first():
    mixed = ["shop-n10", "shop-n9", "shop-nine", "shop-n01", "shop-n1"]
    assert sorted(mixed, key=names.by_number) == ["shop-n01", "shop-nine", "shop-n1", "shop-n9", "shop-n10"]


def test_the_next_number_is_one_above_the_highest_even_when_there_is_a_gap():
    assert names.next_number("shop", ["shop-n1", "shop-n7", "other-n9"]) == 8
    assert names.next_number("shop", []) == 1


def test_a_vm_made_again_keeps_its_mac_and_another_cluster_has_another():
    assert names.mac_of("shop", "shop-n1") == names.mac_of("shop", "shop-n1")
    assert names.mac_of("shop", "shop-n1") != names.mac_of("shop", "shop-n2")
    assert names.MAC.match(names.mac_of("shop", "shop-n1"))
    assert names.mac_of("shop", "shop-n1").startswith("52:54:00:")


def test_volumes_of_images_are_told_from_overlays():
    assert names.is_image_volume(names.image_volume("debian-12", "0123456789abcdef" * 4, "qcow2"))
    assert not names.is_image_volume(names.overlay_of("shop-n1"))


def test_a_group_has_no_dash():
    assert names.group_of("my-shop") == "ondemand_my_shop"
