# Copyright: (c) 2026, the ondemand.cluster contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The CIB (Pacemaker's configuration document) as a tree: read it, find things in it, write it as text that can be compared."""

from __future__ import annotations

import copy
import re
import typing as t
from xml.etree import ElementTree

# The order that Pacemaker's schema wants in <configuration>.
SECTIONS = ("crm_config", "nodes", "resources", "constraints", "fencing-topology", "op_defaults", "rsc_defaults", "acls", "tags", "alerts")
RESOURCE_TAGS = ("primitive", "group", "clone", "master", "bundle")
SECRET_NAME = re.compile(r"passw|secret|token|private|(^|[_-])key$", re.IGNORECASE)
HIDDEN = "(hidden)"


class CibError(ValueError):
    """What came is not a CIB."""


def xml_root(text: str, root: str) -> ElementTree.Element:
    """The tree of the document in what one of Pacemaker's tools printed, its words before and after left out; CibError where none is.

    root is the tag of the outermost element. This is the only reader of such output: what one takes, all take.
    """
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise CibError("a document of Pacemaker's has no document type declaration")
    start = re.search(r"<%s[\s>/]" % re.escape(root), text) or re.search("<", text)
    if start is None:
        raise CibError("not XML but %r" % " ".join(text.split())[:200] if text.strip() else "nothing was printed")
    closing = "</%s>" % root
    end = text.rfind(closing) + len(closing) if closing in text else text.rfind(">") + 1
    try:
        return ElementTree.fromstring(text[start.start() : end])
    except (ValueError, ElementTree.ParseError) as error:
        raise CibError("not XML: %s" % error) from error


def parse_cib(text: str) -> ElementTree.Element:
    """The tree of a CIB document in what a tool printed; CibError where the text holds none."""
    cib = xml_root(text, "cib")
    if cib.tag != "cib" or cib.find("configuration") is None:
        raise CibError("the document is <%s>, not a <cib> with a <configuration>" % cib.tag)
    return cib


def is_true(value: str) -> bool:
    """Whether Pacemaker reads this value as yes (its crm_str_to_boolean)."""
    return value.lower() in ("true", "on", "yes", "y", "1")


def version_of(cib: ElementTree.Element) -> str:
    """The configuration's version as ADMIN_EPOCH:EPOCH; a change of the status section leaves it alone."""
    return "%s:%s" % (cib.get("admin_epoch", "0"), cib.get("epoch", "0"))


def without_status(cib: ElementTree.Element) -> ElementTree.Element:
    """A copy with an empty status section: a patch of the configuration must not carry what nodes have reported meanwhile."""
    bare = ElementTree.Element("cib", dict(cib.attrib))
    configuration = cib.find("configuration")
    if configuration is None:
        raise CibError("the CIB has no <configuration>")
    bare.append(copy.deepcopy(configuration))
    ElementTree.SubElement(bare, "status")
    return bare


def serialise(cib: ElementTree.Element) -> str:
    """The document as text; everything is escaped by ElementTree."""
    return ElementTree.tostring(cib, encoding="unicode")


def section(cib: ElementTree.Element, tag: str) -> ElementTree.Element:
    """The section of the configuration with this tag; made, in the schema's order, where it is missing."""
    configuration = cib.find("configuration")
    if configuration is None:
        raise CibError("the CIB has no <configuration>")
    found = configuration.find(tag)
    if found is None:
        found = ElementTree.Element(tag)
        later = SECTIONS[SECTIONS.index(tag) + 1 :]
        position = next((i for i, child in enumerate(configuration) if child.tag in later), len(configuration))
        configuration.insert(position, found)
    return found


def resources_by_id(cib: ElementTree.Element) -> dict[str, ElementTree.Element]:
    """Every primitive, group, clone and bundle, at any depth, by its id."""
    return {e.get("id", ""): e for e in section(cib, "resources").iter() if e.tag in RESOURCE_TAGS}


def parents(root: ElementTree.Element) -> dict[ElementTree.Element, ElementTree.Element]:
    """The parent of every element below root."""
    return {child: parent for parent in root.iter() for child in parent}


def same(one: ElementTree.Element, other: ElementTree.Element) -> bool:
    """Whether two elements mean the same: tag, attributes and children in order; space between them means nothing."""
    return (
        one.tag == other.tag
        and one.attrib == other.attrib
        and (one.text or "").strip() == (other.text or "").strip()
        and len(one) == len(other)
        and all(same(a, b) for a, b in zip(one, other))
    )


def to_text(element: ElementTree.Element, secrets: t.AbstractSet[str] = frozenset(), depth: int = 0) -> str:
    """An element as lines for people: attributes sorted by name (id first), two spaces a level, secrets hidden.

    The value of an nvpair whose name looks like a secret is never shown; where its id is in secrets, the text says that it is new.
    """
    attributes = dict(element.attrib)
    if element.tag == "nvpair" and SECRET_NAME.search(attributes.get("name", "")):
        attributes["value"] = "(hidden, new)" if attributes.get("id") in secrets else HIDDEN
    names = sorted(attributes, key=lambda name: (name != "id", name))
    bare = ElementTree.Element(element.tag)
    for name in names:
        bare.set(name, attributes[name])
    opened = ElementTree.tostring(bare, encoding="unicode").replace(" />", "/>")
    pad = "  " * depth
    if not len(element):
        return "%s%s\n" % (pad, opened)
    inner = "".join(to_text(child, secrets, depth + 1) for child in element)
    return "%s%s>\n%s%s</%s>\n" % (pad, opened[:-2], inner, pad, element.tag)


def changed_secrets(before: ElementTree.Element, after: ElementTree.Element) -> set[str]:
    """Ids of the nvpairs with a secret's name whose value differs between two trees."""
    old = {pair.get("id"): pair.get("value") for pair in before.iter("nvpair")}
    return {
        pair.get("id", "")
        for pair in after.iter("nvpair")
        if SECRET_NAME.search(pair.get("name", "")) and old.get(pair.get("id")) != pair.get("value")
    }
