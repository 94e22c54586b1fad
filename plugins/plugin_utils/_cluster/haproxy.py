# Copyright: (c) 2026, the ondemand.cluster contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""HAProxy's configuration for the balanced services, from data to text. Pure.

A configuration is a frame and the lines of its slots. Every backend has the same slots s1 to sN; a node that joins takes a free one
and keeps it. The slots can be changed while HAProxy runs; only another frame needs a reload. The running process tells which
frame it has (as its description), so a run that was killed between writing and reloading is noticed by the next one.
"""

from __future__ import annotations

import hashlib
import ipaddress
import re
import typing as t

from ...module_utils._contract.names import NAME
from .cib_spec import Problem, problem

STATES = ("ready", "drain", "maint")
CHECK = re.compile(r"/[A-Za-z0-9._~/?&=%+,:@-]{0,500}\Z")
USER = re.compile(r"[A-Za-z0-9._-]{1,64}\Z")
# No space, quote, backslash, '#', '$' or ':' - the file format's own signs.
PASSWORD = re.compile(r"[A-Za-z0-9._~+/=@%^*!,-]{8,128}\Z")
SLOT_LINE = re.compile(r"    server s([0-9]+) \S+ .*# (\S+)$", re.MULTILINE)
ROOM_LINE = re.compile(r"^    server s([0-9]+) ", re.MULTILINE)
SLOT_START = "    server s"
FREE = "127.0.0.1"
HIDDEN = "(hidden)"
MOST_SLOTS = 256
DESCRIPTION = "ondemand-"

GLOBAL = """\
# Written by ondemand.cluster.load_balancer; what you change here is overwritten.
global
    description {description}
    log /dev/log local0 notice
    chroot /var/lib/haproxy
    stats socket {socket} mode 600 level admin expose-fd listeners
    stats timeout 30s
    user haproxy
    group haproxy

defaults
    mode http
    log global
    option dontlognull
    option redispatch 1
    # A connection that is refused reaches nobody, so trying again can never send a request twice. With one node alone it is
    # tried once a second, and a server counts as down after 5 bad checks: a restart of some seconds is a wait, no error.
    retries 30
    retry-on conn-failure
    timeout connect 2s
    timeout check 5s
    timeout client 60s
    timeout server 60s
    timeout queue 30s
    timeout http-request 10s
    timeout http-keep-alive 10s
    balance leastconn
    default-server inter 1s fall 5 rise 1

frontend ondemand-stats
    bind *:{stats_port}
    stats enable
    stats uri /
    stats hide-version
    stats auth {stats_user}:{stats_password}
"""
SERVICE = """
frontend {name}
    bind {endpoint} transparent
    default_backend {name}

backend {name}
{check}"""
HTTP_CHECK = """\
    option httpchk
    http-check send meth GET uri {check}
    http-check expect status 200
"""


def endpoint(address: str, port: int) -> str:
    """ADDRESS:PORT as HAProxy reads it; an IPv6 address in brackets."""
    return "[%s]:%d" % (address, port) if ":" in address else "%s:%d" % (address, port)


def _address(value: t.Any) -> bool:
    try:
        return isinstance(value, str) and str(ipaddress.ip_address(value)) == value.lower()
    except ValueError:
        return False


def _port(value: t.Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= 65535


def _service_problems(one: t.Any, path: str) -> t.List[Problem]:
    if not isinstance(one, dict) or not isinstance(one.get("resource"), dict):
        return [problem(path, "not a balanced service", "a mapping with name, address, port and resource (port, check)")]
    resource = one["resource"]
    rules = (
        (
            "name",
            isinstance(one.get("name"), str) and bool(NAME.match(one["name"])) and one["name"] != "ondemand-stats",
            "1 to 63 of a-z, 0-9 and -",
        ),
        ("address", _address(one.get("address")), "an IP address"),
        ("port", _port(one.get("port")), "a port, 1 to 65535"),
        ("resource.port", _port(resource.get("port")), "a port, 1 to 65535"),
        (
            "resource.check",
            resource.get("check") is None or bool(CHECK.match(str(resource["check"]))),
            "a path from / without spaces and quotes",
        ),
    )
    return [problem("%s.%s" % (path, name), "wrong or missing", should_be) for name, right, should_be in rules if not right]


def _server_problems(one: t.Any, path: str) -> t.List[Problem]:
    if not isinstance(one, dict):
        return [problem(path, "not a mapping", "a mapping with name, address and state")]
    rules = (
        ("name", isinstance(one.get("name"), str) and bool(NAME.match(one["name"])), "1 to 63 of a-z, 0-9 and -"),
        ("address", _address(one.get("address")), "an IP address"),
        ("state", one.get("state", "ready") in STATES, "one of " + ", ".join(STATES)),
        ("awaited", isinstance(one.get("awaited", True), bool), "true or false"),
    )
    return [problem("%s.%s" % (path, name), "wrong or missing", should_be) for name, right, should_be in rules if not right]


def check_balancer(services: t.Sequence[t.Any], servers: t.Sequence[t.Any], slots: int, stats: t.Mapping[str, t.Any]) -> t.List[Problem]:
    """Every problem of what a load balancer is to be, each with its path. The password is never told."""
    found = [p for i, one in enumerate(services) for p in _service_problems(one, "services[%d]" % i)]
    found += [p for i, one in enumerate(servers) for p in _server_problems(one, "servers[%d]" % i)]
    for path, items in (("services", services), ("servers", servers)):
        names = [one.get("name") for one in items if isinstance(one, dict)]
        found += [
            problem(path, "%s is named twice" % one, "each name once") for one in sorted({str(n) for n in names if names.count(n) > 1})
        ]
    if not 1 <= slots <= MOST_SLOTS:
        found.append(problem("slots", "%d" % slots, "1 to %d" % MOST_SLOTS))
    elif len(servers) > slots:
        found.append(problem("servers", "%d for %d slots" % (len(servers), slots), "at most as many as slots (option slots)"))
    if not _port(stats.get("port")):
        found.append(problem("stats.port", "wrong", "a port, 1 to 65535"))
    if not isinstance(stats.get("user"), str) or not USER.match(stats["user"]):
        found.append(problem("stats.user", "wrong", "1 to 64 letters, digits and . _ -"))
    if not isinstance(stats.get("password"), str) or not PASSWORD.match(stats["password"]):
        found.append(problem("stats.password", "wrong", "8 to 128 letters, digits and . _ ~ + / = @ % ^ * ! , -"))
    return found


def parse_slots(text: str) -> t.Dict[str, int]:
    """Which server has which slot in a configuration of ours; empty for any other text."""
    return {name: int(number) for number, name in SLOT_LINE.findall(text)}


def room_in(text: str) -> int:
    """How many slots each service has in a configuration of ours; 0 for any other text."""
    return max([int(number) for number in ROOM_LINE.findall(text)], default=0) if described_frame(text) else 0


def assign_slots(servers: t.Sequence[t.Mapping[str, t.Any]], present: t.Mapping[str, int], slots: int) -> t.Dict[str, int]:
    """A slot for each server: the one it has, else the lowest that nobody had (so what just left can end in peace), else any free one."""
    taken: t.Dict[str, int] = {}
    for one in servers:
        number = present.get(one["name"], 0)
        if 1 <= number <= slots and number not in taken.values():
            taken[one["name"]] = number
    order = [n for n in range(1, slots + 1) if n not in present.values()] + sorted(set(present.values()))
    for one in servers:
        if one["name"] not in taken:
            taken[one["name"]] = next(n for n in order if 1 <= n <= slots and n not in taken.values())
    return taken


def _slot_lines(
    service: t.Mapping[str, t.Any], servers: t.Sequence[t.Mapping[str, t.Any]], slot_of: t.Mapping[str, int], slots: int
) -> str:
    port = service["resource"]["port"]
    by_slot = {slot_of[one["name"]]: one for one in servers}
    lines = []
    for number in range(1, slots + 1):
        one = by_slot.get(number)
        address = endpoint(one["address"] if one else FREE, port)
        state = one.get("state", "ready") if one else "maint"
        # Weight 0 is how a file says drain; the weight of the others is stated so that it can be given back.
        more = "check weight %d%s" % (0 if state == "drain" else 100, " disabled" if state == "maint" else "")
        lines.append("%s%d %s %s%s\n" % (SLOT_START, number, address, more, " # " + one["name"] if one else ""))
    return "".join(lines)


def render(
    services: t.Sequence[t.Mapping[str, t.Any]],
    servers: t.Sequence[t.Mapping[str, t.Any]],
    slot_of: t.Mapping[str, int],
    slots: int,
    stats: t.Mapping[str, t.Any],
    socket: str,
) -> str:
    """The whole configuration, for input that check_balancer found right."""

    def whole(description: str) -> str:
        parts = [
            GLOBAL.format(
                description=description, socket=socket, stats_port=stats["port"], stats_user=stats["user"], stats_password=stats["password"]
            )
        ]
        for one in services:
            path = one["resource"].get("check")
            check = HTTP_CHECK.format(check=path) if path else ""
            parts.append(SERVICE.format(name=one["name"], endpoint=endpoint(one["address"], one["port"]), check=check))
            parts.append(_slot_lines(one, servers, slot_of, slots))
        return "".join(parts)

    return whole(frame_of(whole("")))


def frame_of(text: str) -> str:
    """The name of a configuration's frame: a digest of all but the slots' state (their number counts) and the name itself."""
    kept = re.sub(r"^( +server s[0-9]+) .*$", r"\1", text, flags=re.MULTILINE)
    return DESCRIPTION + hashlib.sha256(kept.encode("utf-8")).hexdigest()[:16]


def described_frame(text: str) -> str:
    """The frame that a configuration of ours names; empty for any other text."""
    found = re.search(r"^    description (%s[0-9a-f]{16})$" % DESCRIPTION, text, re.MULTILINE)
    return found.group(1) if found else ""


def without_password(text: str, new: bool = False) -> str:
    """The text for people: the password is hidden."""
    return re.sub(r"^( +stats auth [^:\n]+:).*$", r"\g<1>" + ("(hidden, new)" if new else HIDDEN), text, flags=re.MULTILINE)


def digest(text: str) -> str:
    """What `sha256sum` tells of a file with this text."""
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def holds_password(hidden: str, told: str, password: str) -> bool:
    """Does the file with this digest, known only with its password hidden, hold this one?"""
    whole = re.sub(r"^( +stats auth [^:\n]+:).*$", lambda found: found.group(1) + password, hidden, flags=re.MULTILINE)
    return digest(whole) == told
