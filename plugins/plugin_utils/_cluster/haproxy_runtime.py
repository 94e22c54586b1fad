# Copyright: (c) 2026, the ondemand.cluster contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A running HAProxy: what it says of itself, and the commands that bring its slots to what is wanted. Pure; the scripts are fixed texts."""

from __future__ import annotations

import dataclasses
import re
import typing as t

from .haproxy import endpoint
from .node_scripts import script

MARK = "=====commands====="
INVALID = 65
NOT_RELOADED = 76
UNTOUCHED = (INVALID, 70, 72)
"""codes of APPLY after which the file is the old one and nothing was said to HAProxy"""

READ = script("read_haproxy")

APPLY = script("apply_haproxy")

WATCH = script("watch_haproxy")
MOST_CLIENTS = 10
"""so many clients of a slot are named, and the rest is not"""


@dataclasses.dataclass(frozen=True)
class Slot:
    """A slot of a backend as HAProxy has it, or is to have it: endpoint (ADDRESS:PORT) and state (ready, drain, maint)."""

    endpoint: str
    state: str


def parse_info(text: str) -> t.Dict[str, str]:
    """The answer to `show info`: name to value; empty where no HAProxy answered."""
    pairs = (line.partition(": ") for line in text.splitlines())
    return {name.strip(): value.strip() for name, colon, value in pairs if colon}


def parse_state(text: str) -> t.Dict[str, Slot]:
    """The answer to `show servers state`: BACKEND/SLOT to what it is.

    srv_admin_state is a set of bits: 1 is maintenance by command or file, 8 is drain by command (HAProxy's management guide).
    """
    found = {}
    for slot, values in _servers(text):
        admin = int(values["srv_admin_state"])
        drained = bool(admin & 8) or values.get("srv_uweight") == "0"
        state = "maint" if admin & 1 else "drain" if drained else "ready"
        found[slot] = Slot(endpoint(values["srv_addr"], int(values["srv_port"])), state)
    return found


def parse_up(text: str) -> t.Set[str]:
    """The answer to `show servers state`: BACKEND/SLOT of those that pass their checks (srv_op_state 2, HAProxy's management guide)."""
    return {slot for slot, values in _servers(text) if values.get("srv_op_state") == "2"}


def _servers(text: str) -> t.Iterator[t.Tuple[str, t.Dict[str, str]]]:
    """BACKEND/SLOT and the named values of each line of `show servers state`; what stands before its heading is passed over."""
    names: t.List[str] = []
    for line in text.splitlines():
        if line.startswith("# "):
            names = line[2:].split()
            continue
        values = dict(zip(names, line.split()))
        # A line that was cut off, or of another release, is no server that anything is known of.
        if all(values.get(name, "").isdigit() for name in ("srv_port", "srv_admin_state")):
            yield "%s/%s" % (values["be_name"], values["srv_name"]), values


def wanted_slots(
    services: t.Sequence[t.Mapping[str, t.Any]], servers: t.Sequence[t.Mapping[str, t.Any]], slot_of: t.Mapping[str, int], slots: int
) -> t.Dict[str, Slot]:
    """BACKEND/SLOT to what it is to be; the endpoint of a free slot does not matter and is empty."""
    wanted = {"%s/s%d" % (one["name"], n): Slot("", "maint") for one in services for n in range(1, slots + 1)}
    for one in services:
        for server in servers:
            where = endpoint(server["address"], one["resource"]["port"])
            wanted["%s/s%d" % (one["name"], slot_of[server["name"]])] = Slot(where, server.get("state", "ready"))
    return wanted


def _differs(now: Slot, wanted: Slot) -> bool:
    return now.state != wanted.state or (bool(wanted.endpoint) and now.endpoint != wanted.endpoint)


def plan_commands(now: t.Mapping[str, Slot], wanted: t.Mapping[str, Slot]) -> t.List[str]:
    """The lines for the admin socket that bring the slots to what is wanted; none where nothing differs.

    A slot gets another endpoint only while in maintenance. One that comes out of maintenance counts as down until its first
    good check, so that no request goes to a service that has not started yet.
    """
    lines = []
    for slot, want in wanted.items():
        have = now.get(slot, Slot("", "maint"))
        if not _differs(have, want):
            continue
        commands = []
        elsewhere = bool(want.endpoint) and have.endpoint != want.endpoint
        if want.state == "maint" or elsewhere:
            commands.append("set server %s state maint" % slot)
        if elsewhere:
            address, port = re.match(r"\[?([^\]]*)\]?:([0-9]+)\Z", want.endpoint).groups()  # type: ignore[union-attr]
            commands.append("set server %s addr %s port %s" % (slot, address, port))
        if want.state == "ready":
            commands += ["set server %s weight 100" % slot, "set server %s state ready" % slot]
        if want.state == "drain":
            commands.append("set server %s state drain" % slot)
        if want.state != "maint" and (elsewhere or have.state == "maint"):
            commands.append("set server %s health down" % slot)
        lines.append("; ".join(commands))
    return lines


def slots_text(slots: t.Mapping[str, Slot], like: t.Mapping[str, Slot]) -> str:
    """The slots as lines for a difference: those in use, or of another state than in the other picture."""
    lines = []
    for name in sorted(slots):
        if slots[name].state != "maint" or like.get(name, slots[name]).state != "maint":
            lines.append("# now %s %s %s\n" % (name, slots[name].endpoint if slots[name].state != "maint" else "-", slots[name].state))
    return "".join(lines)


def parse_rest(text: str) -> t.List[t.Dict[str, t.Any]]:
    """What WATCH printed: the slots that are not as waited for, each with the addresses of clients that it told of."""
    rest = []
    clients: t.Dict[str, t.List[str]] = {}
    for line in text.splitlines():
        parts = line.split("\t")
        if parts[0] == "client" and len(parts) == 3:
            clients.setdefault(parts[1], []).append(parts[2])
        elif len(parts) >= 4 and parts[1].isdigit():
            rest.append({"slot": parts[0], "sessions": int(parts[1]), "status": " ".join(parts[2:-1]), "check": parts[-1]})
    return [{**one, **({"clients": clients[one["slot"]][:MOST_CLIENTS]} if one["slot"] in clients else {})} for one in rest]
