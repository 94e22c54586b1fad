# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""The mark in a domain's metadata: what is written is read back, and what isn't ours isn't taken for ours."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest
from ansible_collections.ondemand.cluster.plugins.module_utils._libvirt.vm import metadata

from ..cases import SPEC, mark_of

URN = metadata.NAMESPACE


def domain(inner):
    return ET.fromstring(f"<domain><metadata>{inner}</metadata></domain>")


def test_what_is_written_is_read_back():
    mark = mark_of(SPEC)
    node = ET.fromstring("<domain><metadata/></domain>")
    node.find("metadata").append(metadata.element(mark))
    assert metadata.read(ET.fromstring(ET.tostring(node))) == mark


def test_the_mark_has_the_attributes_of_the_exchange_formats():
    text = ET.tostring(metadata.element(mark_of(SPEC)), encoding="unicode")
    assert text.startswith(f'<ondemand:vm xmlns:ondemand="{URN}"')
    attributes = set(metadata.element(mark_of(SPEC)).attrib)
    promised = "cluster name role generation image host zone address prefix mac host_key created_at owner".split()
    assert set(promised) <= attributes


FOREIGN = [
    ("no metadata", ""),
    ("another namespace", "<vm owner='ondemand.cluster'/>"),
    ("another owner", f"<o:vm xmlns:o='{URN}' cluster='shop' owner='somebody'/>"),
    ("no owner", f"<o:vm xmlns:o='{URN}' cluster='shop'/>"),
]


@pytest.mark.parametrize(("sentence", "inner"), FOREIGN, ids=[case[0] for case in FOREIGN])
def test_what_is_not_ours_is_nobodys_mark(sentence, inner):
    assert metadata.read(domain(inner)) is None


def test_a_value_that_cannot_be_read_is_none_and_breaks_nothing():
    mark = metadata.read(domain(f"<o:vm xmlns:o='{URN}' owner='ondemand.cluster' generation='x' created_at='' prefix='24'/>"))
    assert (mark["generation"], mark["created_at"], mark["prefix"], mark["cluster"]) == (None, None, 24, None)
