# Copyright: (c) 2026, the ondemand.cluster contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who holds a lease: a token that tells, on the machine it was made on, whether its run still lives, and a name for people."""

from __future__ import annotations

import getpass
import os
import pathlib
import secrets
import socket
import typing as t

_PROC = pathlib.Path("/proc")


def new_token() -> str:
    """A token for this run of ansible-playbook: BOOT.NAMESPACE.PROCESS.START.RANDOM, or a random one where there is no /proc."""
    # An action runs in a worker; what it is a part of, and what ends it, is the worker's parent.
    run = os.getppid()
    start = _start(run)
    where = _machine()
    return "%s.%d.%s.%s" % (where, run, start, secrets.token_hex(4)) if where and start else secrets.token_hex(16)


def is_dead(token: str) -> bool:
    """Whether the run of a token was on this machine and is over. A token of another machine tells nothing, so that is no."""
    words = token.split(".")
    if len(words) != 5 or not words[2].isdigit() or ".".join(words[:2]) != _machine():
        return False
    return _start(int(words[2])) != words[3]


def is_alive(token: str) -> bool:
    """Whether the run of a token is on this machine and not over. Of another machine's nothing is known, so that is no."""
    words = token.split(".")
    return len(words) == 5 and ".".join(words[:2]) == _machine() and not is_dead(token)


def of_one_run(token: str, other: str) -> bool:
    """Whether two tokens were made in one run of ansible-playbook."""
    return token.rpartition(".")[0] == other.rpartition(".")[0] != ""


def holder(variables: t.Mapping[str, t.Any]) -> str:
    """USER@MACHINE, of the login that runs Ansible. In AWX every job runs as the same login of a container, so there the job tells."""
    if "awx_user_name" in variables:
        return "%s, job %s of AWX" % (variables["awx_user_name"], variables.get("awx_job_id", "?"))
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = str(os.getuid())
    return "%s@%s" % (user, socket.gethostname())


def _machine() -> str:
    """This boot of this machine, and the namespace in which its process ids count; empty where that can't be read."""
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text().strip().replace("-", "")[:12]
        return "%s.%s" % (boot, os.readlink(_PROC / "self/ns/pid").strip("pid:[]"))
    except OSError:
        return ""


def _start(pid: int) -> str:
    """When a process started, in clock ticks since the boot; empty where there is none (a zombie is none either)."""
    try:
        words = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if words[0] in "ZX" else words[19]
