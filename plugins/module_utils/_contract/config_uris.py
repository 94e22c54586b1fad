# SPDX-License-Identifier: BSD-2-Clause
# Copyright: (c) 2026, the ondemand.cluster contributors

"""Which libvirt URIs are taken: those that name a host and a way to it, and have libvirt run nothing else and read no other file.
And which paths reach ssh as they are. Pure.
"""

from __future__ import annotations

import re
from typing import List, Optional, Tuple
from urllib.parse import unquote, urlsplit

PLAIN_PATH = "a path of letters, digits and . _ @ + = : , / -"
RIGHT = "a URI such as qemu+ssh://ondemand@hv1/system"
DRIVERS = ("qemu", "test")
TRANSPORTS = ("", "ssh", "libssh", "tls", "tcp", "unix")
"""without `ext`, which runs a command"""
# What may stand behind the question mark, each with its values. All others are refused by not being here: libvirt runs `command` and
# `netcat`, and `socket`, `name`, `known_hosts`, `no_verify` and the like lead elsewhere or loosen the check of host keys.
PARAMETERS = {"keyfile": r"/[A-Za-z0-9._@+=:,/ -]*", "no_tty": "[01]", "mode": "auto|direct|legacy"}
USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*\Z")
HOST = re.compile(r"([A-Za-z0-9_][A-Za-z0-9._-]*|\[[0-9A-Fa-f:.]+\])\Z")


def uri_problem(uri: str) -> Optional[Tuple[str, str]]:
    """What is wrong with a libvirt URI and what would be right, or None."""
    if not re.match(r"[!-~]+\Z", uri) or any(sign in uri for sign in "\"'<>{}\\`#"):
        return "has a sign that no libvirt URI has", RIGHT
    scheme, colon, _rest = uri.partition("://")
    driver, _plus, transport = scheme.partition("+")
    if not colon or driver not in DRIVERS or transport not in TRANSPORTS:
        ways = ", ".join("+" + one for one in TRANSPORTS if one)
        return "begins with %s" % (scheme[:30] if colon else "no scheme"), "qemu, alone or with one of %s: %s" % (ways, RIGHT)
    try:
        parts = urlsplit(uri)
        _port = parts.port
    except ValueError as error:
        return "can't be taken apart: %s" % error, RIGHT
    return _authority_problem(parts.netloc) or _query_problem(parts.query)


def _authority_problem(text: str) -> Optional[Tuple[str, str]]:
    """Of user, host and port. A name that begins with a hyphen would be an option to whatever is called with it."""
    user, at, rest = text.rpartition("@")
    host = re.sub(r":[0-9]*\Z", "", rest)
    if at and not USER.match(user):
        return "names a user that can't be one", "a user of letters, digits and . _ -, without a password: %s" % RIGHT
    if host and not HOST.match(host):
        return "names a host that can't be one", "a host's name or address: %s" % RIGHT
    return None


def _query_problem(text: str) -> Optional[Tuple[str, str]]:
    """Of the parameters. libvirt takes their names in any case; here they have one."""
    seen = set()
    for name, value in uri_parameters(text):
        if name not in PARAMETERS or name in seen:
            return "has the parameter %s" % (name[:30] or "without a name"), "each at most once, of %s alone" % ", ".join(PARAMETERS)
        seen.add(name)
        if not re.match("(%s)\\Z" % PARAMETERS[name], value):
            return "has a value of %s that is none" % name, "a value like %s" % PARAMETERS[name]
    return None


def uri_parameters(query: str) -> List[Tuple[str, str]]:
    """Names and values of a libvirt URI's parameters: libvirt parts them at semicolons too, undoes percent signs, and takes a plus as it is."""
    parts = [one.partition("=") for one in re.split("[&;]", query)] if query else []
    return [(name, unquote(value)) for name, _equals, value in parts]


def odd_sign(path: str) -> str:
    """The first sign of a path that ssh or Ansible takes for something else than itself; empty if there is none."""
    return next((one for one in path if one in '%$"\\' or not one.isprintable()), "")
