# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors

"""Names and addresses that are withheld from new nodes: those of members of which a person, and no hypervisor, said that they don't run. Pure.

Such a VM may come back with its host, and two machines of one identity would be worse than none. The notes stand as comments in
corosync.conf, which every member has, and go when the VM was deleted.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Container, Sequence, Tuple

from .corosync_conf import Conf, Node

NOTE = "# withheld, its VM may come back with its host:"


def withheld(conf: Conf) -> Tuple[Tuple[str, str], ...]:
    """(name, address) of each; a note that a person made odd is told as far as it goes."""
    found = [item[len(NOTE) :].split() for item in conf.root.items if isinstance(item, str) and item.startswith(NOTE)]
    return tuple((words[0], words[1] if len(words) > 1 else "") for words in found if words)


def withhold(conf: Conf, nodes: Sequence[Node]) -> Conf:
    """The configuration with a note of each node; one that is withheld already gets no second note."""
    there = {name for name, _address in withheld(conf)}
    notes = tuple("%s %s %s" % (NOTE, node.name, node.address) for node in nodes if node.name not in there)
    return Conf(replace(conf.root, items=notes + conf.root.items))


def released(conf: Conf, names: Container[str]) -> Conf:
    """The configuration without the notes of these names."""
    kept = tuple(item for item in conf.root.items if not (isinstance(item, str) and item.startswith(NOTE) and _name(item) in names))
    return Conf(replace(conf.root, items=kept))


def _name(note: str) -> str:
    return (note[len(NOTE) :].split() or [""])[0]
