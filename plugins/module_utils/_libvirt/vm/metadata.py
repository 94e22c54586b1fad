# SPDX-License-Identifier: BSD-2-Clause
# Copyright: (c) 2026, the ondemand.cluster contributors

"""The mark in a domain's metadata that says: ours, and which VM this is (docs/exchange-formats.md, section 3). Pure.

`created_at` is written last of all: a domain of ours without it is half made and is finished or rebuilt by the next run.
"""

from __future__ import annotations

from typing import Any, Callable, Dict, Mapping, NamedTuple, Optional
from xml.etree import ElementTree as ET

NAMESPACE = "urn:ondemand:cluster:vm:1"
PREFIX = "ondemand"
OWNER = "ondemand.cluster"

ET.register_namespace(PREFIX, NAMESPACE)


class Field(NamedTuple):
    """One attribute of the mark, and what its text means."""

    name: str
    read: Callable[[str], Any] = str


def _seconds(text: str) -> Optional[float]:
    return float(text) if text else None


FIELDS = (
    Field("cluster"),
    Field("name"),
    Field("role"),
    Field("generation", int),
    Field("image"),
    Field("host"),
    Field("zone"),
    Field("pool"),
    Field("address"),
    Field("prefix", int),
    Field("mac"),
    Field("host_key"),
    Field("created_at", _seconds),
)


def element(values: Mapping[str, Any]) -> ET.Element:
    """The mark as an element; values that are None are left out."""
    mark = ET.Element(f"{{{NAMESPACE}}}vm")
    for field in FIELDS:
        value = values.get(field.name)
        if value is not None:
            mark.set(field.name, f"{value:.3f}" if isinstance(value, float) else str(value))
    mark.set("owner", OWNER)
    return mark


def without_prefix(values: Mapping[str, Any]) -> str:
    """The mark as libvirt's setMetadata wants it: no namespace of its own, libvirt adds it."""
    mark = element(values)
    mark.tag = "vm"
    return ET.tostring(mark, encoding="unicode")


def read(domain: ET.Element) -> Optional[Dict[str, Any]]:
    """The mark of a domain's XML, None if it isn't ours. A value that can't be read is None."""
    mark = domain.find(f"./metadata/{{{NAMESPACE}}}vm")
    if mark is None or mark.get("owner") != OWNER:
        return None
    values: Dict[str, Any] = {}
    for field in FIELDS:
        text = mark.get(field.name)
        try:
            values[field.name] = field.read(text) if text is not None else None
        except ValueError:
            values[field.name] = None
    return values
