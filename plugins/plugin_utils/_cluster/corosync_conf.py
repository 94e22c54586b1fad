# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors

"""corosync.conf as a value: parse, edit, render. Pure.

The file is line based: `key: value`, `section {` (nothing after the brace), `}`, comments from `#` at the line's start. What this
code does not know it keeps, so options that a person set survive a join and a leave.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple

from ...module_utils._contract.names import address_problem, name_problem

# Node ids are not given twice, or Pacemaker could take a new node for an old one; the file remembers the highest.
HIGHEST_NOTE = "# highest node id ever given:"
PASSING_NOTE = "# two_node for the moment in which a node joins or leaves (ondemand):"
JOINER_NOTE = "# until the join of this node has ended (ondemand):"
PASSING = (("two_node", "1"), ("wait_for_all", "0"))
ASIDE_NOTE = "# set aside while there are more than two nodes (ondemand): two_node: 1"
LINK_KEY = re.compile(r"ring(\d+)_addr")
WHOLE = re.compile(r"[0-9]+")
INDENT = "    "


class ConfError(ValueError):
    """The text is no corosync.conf, or a value cannot stand in one; says which line or which value."""


@dataclass(frozen=True)
class Section:
    """A section: its items in their order, each a Section, a (key, value) pair or a comment line."""

    name: str
    items: Tuple[Any, ...] = ()

    def get(self, key: str) -> Optional[str]:
        """The last value of a key, as Corosync reads it; None where it is absent."""
        values = [item[1] for item in self.items if isinstance(item, tuple) and item[0] == key]
        return values[-1] if values else None

    def sections(self, name: str) -> List["Section"]:
        """The sub-sections of that name."""
        return [item for item in self.items if isinstance(item, Section) and item.name == name]


@dataclass(frozen=True)
class Node:
    """One entry of the nodelist. votes: how many it has, one if nothing is said."""

    name: str
    address: str
    id: int
    votes: int = 1


@dataclass(frozen=True)
class Conf:
    """A whole file. Made by parse() or first_conf(); edited by the functions below, which return a new one."""

    root: Section

    @property
    def cluster(self) -> str:
        """The cluster's name, empty where none is set."""
        totem = self.root.sections("totem")
        return (totem[-1].get("cluster_name") or "") if totem else ""

    @property
    def nodes(self) -> Tuple[Node, ...]:
        """The nodelist, in the file's order."""
        entries = [entry for nodelist in self.root.sections("nodelist") for entry in nodelist.sections("node")]
        return tuple(_node(entry) for entry in entries)

    @property
    def two_node(self) -> bool:
        """Whether one of two votes is enough for quorum."""
        return any(section.get("two_node") == "1" for section in self.root.sections("quorum"))

    @property
    def device_votes(self) -> int:
        """Votes of the quorum device, 0 where there is none; where none are stated Corosync gives it one less than there are nodes."""
        devices = [device for section in self.root.sections("quorum") for device in section.sections("device") if device.get("model")]
        stated = devices[-1].get("votes") if devices else "0"
        return len(self.nodes) - 1 if stated is None else _number(stated, "votes of the quorum device")

    @property
    def expected_votes(self) -> int:
        """The votes that Corosync expects of this file: what it states, else those of all its nodes and of the device."""
        stated = [section.get("expected_votes") for section in self.root.sections("quorum")]
        if stated and stated[-1] is not None:
            return _number(stated[-1], "expected_votes")
        return sum(node.votes for node in self.nodes) + self.device_votes

    @property
    def highest_id(self) -> int:
        """The highest node id that this cluster ever gave, as far as the file knows. ConfError where the note of it holds no number."""
        noted = [_noted(item) for item in _comments(self.root) if item.startswith(HIGHEST_NOTE)]
        return max([node.id for node in self.nodes] + noted, default=0)

    def node(self, name: str) -> Optional[Node]:
        """The entry of that name, or None."""
        found = [node for node in self.nodes if node.name == name]
        return found[0] if found else None

    def entry_of(self, name: str, node_id: int = 0) -> str:
        """By what a node is known here: its name, or where its entry has none (then found by the number) its address."""
        nameless = [node.name for node in self.nodes if node.id == node_id and node.name == node.address]
        return nameless[0] if nameless and self.node(name) is None else name


def first_conf(cluster: str, node: Node, token_ms: int) -> Conf:
    """The configuration of a new cluster: one node, encrypted knet, a vote for each node."""
    totem = (
        ("version", "2"),
        ("cluster_name", cluster),
        ("transport", "knet"),
        ("crypto_cipher", "aes256"),
        ("crypto_hash", "sha256"),
        ("token", str(token_ms)),
    )
    logging = (("to_stderr", "no"), ("to_logfile", "no"), ("to_syslog", "yes"))
    root = Section(
        "",
        (
            Section("totem", totem),
            Section("nodelist"),
            Section("quorum", (("provider", "corosync_votequorum"),)),
            Section("logging", logging),
        ),
    )
    return with_node(Conf(root), node)


def with_node(conf: Conf, node: Node) -> Conf:
    """The configuration with this node at the end of the nodelist; unchanged where it is listed already. ConfError as check_node and link_problem."""
    if conf.node(node.name) == node:
        return conf
    check_node(node)
    problem = link_problem(conf)
    if problem:
        raise ConfError(problem)
    highest = max(conf.highest_id, node.id)
    votes = () if node.votes == 1 else (("quorum_votes", str(node.votes)),)
    entry = Section("node", (("ring0_addr", node.address), ("name", node.name), ("nodeid", str(node.id)), *votes))

    def add(nodelist: Section) -> Section:
        return replace(nodelist, items=nodelist.items + (entry,))

    longer = _edit(without_node(conf, node.name).root, "nodelist", add)
    return _fitting(_note_highest(Conf(_more_expected(longer, node.votes)), highest))


def without_node(conf: Conf, name: str) -> Conf:
    """The configuration without this node, remembering its id; unchanged where it is not listed."""
    leaver = conf.node(name)
    if leaver is None:
        return conf
    highest = conf.highest_id

    def drop(nodelist: Section) -> Section:
        kept = tuple(
            item for item in nodelist.items if not (isinstance(item, Section) and item.name == "node" and _node(item).name == name)
        )
        return replace(nodelist, items=kept)

    shorter = _edit(conf.root, "nodelist", drop)
    return _fitting(_note_highest(Conf(_more_expected(shorter, -leaver.votes)), highest))


def with_one_vote_enough(conf: Conf, enough: bool) -> Conf:
    """Set `two_node: 1` and `wait_for_all: 0` (votequorum(5)) for the short way between one and two nodes, or take them away again.

    They stand below a note of their own. What a person set stays: where `two_node` stands already nothing is added, and a person's
    `wait_for_all` is not set a second time.
    """

    def add(quorum: Section) -> Section:
        ours = PASSING if quorum.get("wait_for_all") is None else PASSING[:1]
        return replace(quorum, items=(*quorum.items, PASSING_NOTE, *ours))

    bare = Conf(_each(conf.root, "quorum", _without_passing))
    return Conf(_edit(bare.root, "quorum", add)) if enough and not bare.two_node else bare


def joiner(conf: Conf) -> Optional[str]:
    """Whose join this file is for, which is under way or was cut off; None where it is no such file."""
    items = [item for section in conf.root.sections("quorum") for item in section.items if isinstance(item, str)]
    return next((item[len(JOINER_NOTE) :].strip() for item in items if item.startswith(JOINER_NOTE)), None)


def staged(conf: Conf, joins: str = "") -> Conf:
    """The file for the moment in which one of two nodes is not there. With a quorum device Corosync takes no two_node.

    joins: who is not there yet; it is noted, for who leaves is not there any more.
    """
    passing = with_one_vote_enough(conf, len(conf.nodes) == 2 and not conf.device_votes)
    if not joins or PASSING_NOTE not in [item for section in passing.root.sections("quorum") for item in section.items]:
        return passing
    return Conf(_edit(passing.root, "quorum", lambda quorum: replace(quorum, items=(*quorum.items, "%s %s" % (JOINER_NOTE, joins)))))


def _without_passing(quorum: Section) -> Section:
    kept = [item for item in quorum.items if not (isinstance(item, str) and item.startswith(JOINER_NOTE))]
    if PASSING_NOTE in kept:
        at = kept.index(PASSING_NOTE)
        del kept[at]
        for pair in PASSING:
            if kept[at : at + 1] == [pair]:
                del kept[at]
    return replace(quorum, items=tuple(kept))


def _fitting(conf: Conf) -> Conf:
    """A person's `two_node` set aside where there are more than two nodes, and put back where there are two again.

    With three in the list it would make one of them enough.
    """
    before, after = (("two_node", "1"), ASIDE_NOTE) if len(conf.nodes) > 2 else (ASIDE_NOTE, ("two_node", "1"))

    def edit(quorum: Section) -> Section:
        return replace(quorum, items=tuple(after if item == before else item for item in quorum.items))

    return Conf(_each(conf.root, "quorum", edit))


def _more_expected(root: Section, votes: int) -> Section:
    """A stated `expected_votes` follows the nodes: a fixed number would keep those who stay from quorum, or let too few have it."""

    def edit(quorum: Section) -> Section:
        stated = quorum.get("expected_votes")
        if stated is None:
            return quorum
        more = ("expected_votes", str(max(1, _number(stated, "expected_votes") + votes)))
        return replace(quorum, items=tuple(more if isinstance(item, tuple) and item[0] == more[0] else item for item in quorum.items))

    return _each(root, "quorum", edit)


def link_problem(conf: Conf) -> Optional[str]:
    """Why no node with one address can be added: other nodes have further links, or another one. None where it can.

    Corosync wants an address of every node on every link, and refuses a file in which one is missing.
    """
    entries = [entry for nodelist in conf.root.sections("nodelist") for entry in nodelist.sections("node")]
    links = {number for entry in entries for number in _links(entry)} - {"0"}
    without = [_node(entry).name or "a node" for entry in entries if "0" not in _links(entry)]
    if not links and not without:
        return None
    if links:
        told = "its nodes have the links %s" % ", ".join(sorted(links | {"0"}, key=int))
    else:
        told = "%s has no ring0_addr" % ", ".join(without)
    return (
        told + "; Corosync wants an address of every node on each of its links, and a node that joins has one address, on link 0; "
        "take the other links out of corosync.conf on all members (corosync-cfgtool -R loads it), or add the node by hand"
    )


def _links(entry: Section) -> List[str]:
    keys = [LINK_KEY.fullmatch(item[0]) for item in entry.items if isinstance(item, tuple)]
    return [key.group(1) for key in keys if key]


def check_node(node: Node) -> None:
    """Raise ConfError with all problems of a node's name, address and id."""
    problems = [name_problem(node.name, "name"), address_problem(node.address, "address")]
    if not 1 <= node.id <= 0xFFFFFFFF:
        problems.append("id: %r is no node id; 1 and above are right" % (node.id,))
    found = [problem for problem in problems if problem]
    if found:
        raise ConfError("; ".join(found))


def parse(text: str) -> Conf:
    """Read the text of a corosync.conf. Raises ConfError with the line's number."""
    stack: List[Tuple[str, List[Any]]] = [("", [])]
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip()
        if not line:
            continue
        if line.startswith("#"):
            stack[-1][1].append(line)
        elif line.endswith("{"):
            stack.append((line[:-1].strip(), []))
        elif line == "}":
            if len(stack) == 1:
                raise ConfError("line %d closes a section that was not opened" % number)
            name, items = stack.pop()
            stack[-1][1].append(Section(name, tuple(items)))
        elif ":" in line:
            key, value = line.split(":", 1)
            stack[-1][1].append((key.strip(), value.strip()))
        else:
            raise ConfError("line %d is neither 'key: value' nor a section: %r" % (number, line))
    if len(stack) != 1:
        raise ConfError("the section %r is not closed" % stack[-1][0])
    return Conf(Section("", tuple(stack[0][1])))


def render(conf: Conf) -> str:
    """The file's text. Raises ConfError where a key or value would break its line."""
    return "".join(line + "\n" for line in _lines(conf.root.items, ""))


def _lines(items: Sequence[Any], indent: str) -> List[str]:
    lines: List[str] = []
    for item in items:
        if isinstance(item, Section):
            lines += [indent + _safe(item.name) + " {"] + _lines(item.items, indent + INDENT) + [indent + "}"]
        elif isinstance(item, tuple):
            lines.append("%s%s: %s" % (indent, _safe(item[0]), _safe(item[1])))
        else:
            lines.append(indent + _safe(item, braces=True))
    return lines


def _safe(value: str, braces: bool = False) -> str:
    if any(ord(c) < 32 or ord(c) == 127 for c in value) or (not braces and ("{" in value or "}" in value)):
        raise ConfError("%r cannot stand in corosync.conf: it has a brace, a newline or a control character" % value)
    return value


def _node(entry: Section) -> Node:
    """An entry of the nodelist; where no name is set Corosync's address is what the node is known by."""
    address = entry.get("ring0_addr") or ""
    name = entry.get("name") or address
    votes = entry.get("quorum_votes")
    return Node(
        name,
        address,
        _number(entry.get("nodeid") or "0", "nodeid", " of " + address),
        1 if votes is None else _number(votes, "quorum_votes", " of " + name),
    )


def _number(text: str, what: str, whose: str = "") -> int:
    if not WHOLE.fullmatch(text):
        raise ConfError("%s %r%s is no number" % (what, text, whose))
    return int(text)


def _noted(comment: str) -> int:
    told = comment[len(HIGHEST_NOTE) :].strip()
    if not WHOLE.fullmatch(told):
        why = "the comment '%s' tells no number, and without it an id could be given twice; put the highest id there that a node ever had"
        raise ConfError(why % comment)
    return int(told)


def _comments(section: Section) -> List[str]:
    return [item for item in section.items if isinstance(item, str)]


def _note_highest(conf: Conf, highest: int) -> Conf:
    kept = tuple(item for item in conf.root.items if not (isinstance(item, str) and item.startswith(HIGHEST_NOTE)))
    return Conf(replace(conf.root, items=("%s %d" % (HIGHEST_NOTE, highest),) + kept))


def _edit(root: Section, name: str, edit: Any) -> Section:
    """Edit the last section of that name; a missing one is made."""
    places = [index for index, item in enumerate(root.items) if isinstance(item, Section) and item.name == name]
    if not places:
        return replace(root, items=root.items + (edit(Section(name)),))
    items = list(root.items)
    items[places[-1]] = edit(items[places[-1]])
    return replace(root, items=tuple(items))


def _each(root: Section, name: str, edit: Callable[[Section], Section]) -> Section:
    """Edit every section of that name."""
    return replace(root, items=tuple(edit(item) if isinstance(item, Section) and item.name == name else item for item in root.items))


def options_of(conf: Conf) -> Dict[str, str]:
    """The totem options as a mapping, for showing."""
    return {item[0]: item[1] for section in conf.root.sections("totem") for item in section.items if isinstance(item, tuple)}
