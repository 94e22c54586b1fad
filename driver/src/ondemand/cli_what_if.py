# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""The command `ondemand what-if`: saved files of a cluster in, the verdict that a playbook would give out. Nothing is touched."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from ondemand._cluster import what_if
from ondemand._cluster.corosync_conf import ConfError
from ondemand._cluster.status import Status
from ondemand.act.scheduler import schedule
from ondemand.errors import ActError

REFUSED = 3
CibOption = Annotated[Path, typer.Option("--cib", help="A CIB: what `cibadmin --query` printed, or Pacemaker's own file.", metavar="FILE")]
ConfOption = Annotated[
    Path | None, typer.Option("--corosync-conf", help="corosync.conf; default: one vote for each member.", metavar="FILE")
]
QuorumOption = Annotated[
    Path | None,
    typer.Option("--quorum-status", help="What `corosync-quorumtool -s` printed; default: who is online votes.", metavar="FILE"),
]


def what_if_command(
    cib: CibOption,
    corosync_conf: ConfOption = None,
    quorum_status: QuorumOption = None,
    leave: Annotated[str | None, typer.Option(help="The node leaves for good.", metavar="NODE")] = None,
    standby: Annotated[str | None, typer.Option(help="The node carries nothing any more.", metavar="NODE")] = None,
    lose: Annotated[str | None, typer.Option(help="The node is gone at once.", metavar="NODE")] = None,
    join: Annotated[str | None, typer.Option(help="A node of this name joins.", metavar="NODE")] = None,
    move: Annotated[str | None, typer.Option(help="The service moves.", metavar="SERVICE")] = None,
    to: Annotated[str | None, typer.Option(help="Where the service moves; default: where it suits best.", metavar="NODE")] = None,
    min_nodes: Annotated[int, typer.Option(help="How many nodes have to stay.", min=1)] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Tells from saved files whether a node may leave, stand by, be lost or join, or a service move, and what would become of the rest.

    Exit codes: 0 allowed, 3 refused, 2 wrong use or a file that can't be read.
    """
    asked: dict[str, tuple[str | None, Callable[[Status, str], what_if.Answer]]] = {
        "--leave": (leave, lambda status, name: what_if.leave(status, name, min_nodes, schedule)),
        "--standby": (standby, lambda status, name: what_if.standby(status, name, schedule)),
        "--lose": (lose, lambda status, name: what_if.lose(status, name, schedule)),
        "--join": (join, lambda status, name: what_if.join(status, name, schedule)),
        "--move": (move, lambda status, name: what_if.move(status, name, to, schedule)),
    }
    named = [(name, ask) for name, ask in asked.values() if name is not None]
    if len(named) != 1:
        raise ActError(f"what is asked? exactly one of {', '.join(asked)}")
    if to is not None and move is None:
        raise ActError("--to says where a service moves; name that by --move")
    name, ask = named[0]
    status = _status(cib, corosync_conf, quorum_status)
    if (leave or standby or lose) and all(member.name != name for member in status.members):
        raise ActError(f"the cluster of {cib} has no node {name}; it has {', '.join(member.name for member in status.members)}")
    try:
        answer = ask(status, name)
    except ValueError as error:
        raise ActError(f"{name} can't be asked about: {error}") from error
    print(json.dumps(answer.data(), indent=2) if as_json else told(answer))
    if not answer.allowed:
        raise SystemExit(REFUSED)


def told(answer: what_if.Answer) -> str:
    """The answer for people: the verdict, then the steps with the votes after each, then what becomes of the resources."""
    lines = [answer.message]
    for number, step in enumerate(answer.steps, start=1):
        whom = " ".join(str(step[key]) for key in ("service", "node") if key in step)
        lines.append(f"  {number}. {step['step']}{' ' + whom if whom else ''}: {_votes(step['votes'])}")
    lines += [f"  {name} would stop" for name in answer.stops]
    lines += [f"  {name} would stay there" for name in answer.stays]
    lines += [f"  {name} would go from {', '.join(one['from'])} to {', '.join(one['to'])}" for name, one in answer.moves.items()]
    lines.append(f"{_votes(answer.votes)}; further losses that are survived: {answer.survives}")
    return "\n".join(lines)


def _votes(votes: what_if.Votes) -> str:
    return f"{votes['total']} of {votes['expected']} votes, {votes['needed']} needed, {'quorate' if votes['quorate'] else 'no quorum'}"


def _status(cib: Path, conf: Path | None, quorum: Path | None) -> Status:
    """The cluster of the files. ActError with the file that can't be used."""
    conf_text, votes_text = (None if path is None else _text(path) for path in (conf, quorum))
    try:
        return what_if.observed(_text(cib), conf_text, votes_text, schedule)
    except ConfError as error:
        raise ActError(f"{conf or cib} can't be used: {error}") from error
    except ValueError as error:
        raise ActError(f"{cib} can't be used: {error}") from error


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise ActError(f"{path} can't be read: {error}") from error
