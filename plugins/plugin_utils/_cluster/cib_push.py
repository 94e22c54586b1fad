# Copyright: (c) 2026, the ondemand.cluster contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a wanted CIB gets into the cluster: a fixed script for a member, its input, and the reading of its answer. Pure."""

from __future__ import annotations

import re

from .node_scripts import script

INVALID = 65
CHANGED_MEANWHILE = 75
MARK = "=====wanted====="

PUSH = script("push_cib")


FORGET = script("forget_resources")


def push_input(original: str, wanted: str) -> str:
    """The script's input. A line of a serialised CIB never equals the marker: it would have to be text between two elements."""
    return "%s\n%s\n%s\n" % (original, MARK, wanted)


def verify_sentence(said: str, changed: bool = False) -> str:
    """What Pacemaker's own check found wrong with the wanted CIB and not with the present one, as a sentence; changed: something was before."""

    def told(prefix: str) -> list[str]:
        lines = [line[len(prefix) :].strip() for line in said.splitlines() if line.startswith(prefix)]
        lines = [re.sub(r"^\S*/(wanted|original):\d+: ", "", re.sub(r"^\(\w+\)\s*", "", line)) for line in lines]
        return [re.sub(r"^error: ", "", line) for line in lines if line]

    old = told("original: ")
    new = [line for line in told("wanted: ") if line not in old]
    state = "What is to go was told to stop, and no more" if changed else "Nothing was changed"
    return "Pacemaker refuses the wanted configuration: %s. %s; correct the config." % ("; ".join(new or ["no reason given"]), state)
