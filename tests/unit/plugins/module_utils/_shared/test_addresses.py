# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""The allocator gives the lowest free address, and never one that is used."""

from __future__ import annotations

import ipaddress

import pytest
from ansible_collections.ondemand.cluster.plugins.module_utils._shared import addresses
from hypothesis import given
from hypothesis import strategies as st

CASES = [
    ("a range gives its first", "10.0.0.5-10.0.0.9", [], "10.0.0.5"),
    ("a used one is passed over", "10.0.0.5-10.0.0.9", ["10.0.0.5", "10.0.0.6"], "10.0.0.7"),
    ("a gap is filled", "10.0.0.5-10.0.0.9", ["10.0.0.5", "10.0.0.7"], "10.0.0.6"),
    ("a full range gives none", "10.0.0.5-10.0.0.6", ["10.0.0.5", "10.0.0.6"], None),
    ("a CIDR gives neither network nor broadcast", "10.0.0.0/30", [], "10.0.0.1"),
    ("a CIDR's end is the last but one", "10.0.0.0/30", ["10.0.0.1", "10.0.0.2"], None),
    ("a single address is a range", "10.0.0.5-10.0.0.5", [], "10.0.0.5"),
    ("a /32 has one", "10.0.0.5/32", [], "10.0.0.5"),
]


@pytest.mark.parametrize(("sentence", "text", "used", "expected"), CASES, ids=[case[0] for case in CASES])
def test_allocation(sentence, text, used, expected):
    assert next(addresses.free(text, used), None) == expected


BAD = ["", "10.0.0.1", "10.0.0.9-10.0.0.5", "10.0.0.1/24", "a-b", "10.0.0.0/33", "::1-::9", "10.0.0.0/8", "10.0.0.1-10.0.0.2-10.0.0.3"]


@pytest.mark.parametrize("text", BAD)
def test_what_is_no_range_is_refused_with_what_would_be_right(text):
    with pytest.raises(ValueError, match="right|lower address first"):
        addresses.bounds(text)


@given(st.integers(1, 2000), st.integers(0, 60), st.sets(st.integers(0, 60)))
def test_what_is_given_is_free_in_the_range_in_order_and_as_many_as_there_are(start, length, used):
    first = ipaddress.IPv4Address("10.1.0.0") + start
    taken = {str(first + number) for number in used}
    given_out = list(addresses.free(f"{first}-{first + length}", taken))
    assert not taken & set(given_out)
    assert given_out == sorted(given_out, key=ipaddress.IPv4Address)
    assert all(first <= ipaddress.IPv4Address(address) <= first + length for address in given_out)
    assert len(given_out) == length + 1 - len({number for number in used if number <= length})
