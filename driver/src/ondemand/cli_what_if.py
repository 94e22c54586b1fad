# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""The command `ondemand what-if`: a cluster, live or in saved files, in; the verdict that a playbook would give out. Nothing is touched."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from ondemand import wall
from ondemand._collection.module_utils._contract.refusal import Reason
from ondemand._collection.plugin_utils._cluster import what_if
from ondemand._collection.plugin_utils._cluster.corosync_conf import ConfError
from ondemand._collection.plugin_utils._cluster.status import Status
from ondemand.act.runner import LOOK, PlaybookActor, find_playbooks
from ondemand.act.scheduler import schedule
from ondemand.clock import Clock
from ondemand.config.load import load
from ondemand.errors import ActError, ObserveError

REFUSED = 3
PLAYBOOK = "what_if"
DEADLINE_S = 120.0
FileArgument = Annotated[Path | None, typer.Argument(help="The cluster file: the live cluster is asked.", metavar="FILE")]
CibOption = Annotated[
    Path | None, typer.Option("--cib", help="A CIB: what `cibadmin --query` printed, or Pacemaker's own file.", metavar="FILE")
]
ConfOption = Annotated[
    Path | None, typer.Option("--corosync-conf", help="With --cib: corosync.conf; default: one vote for each member.", metavar="FILE")
]
QuorumOption = Annotated[
    Path | None,
    typer.Option(
        "--quorum-status", help="With --cib: what `corosync-quorumtool -s` printed; default: who is online votes.", metavar="FILE"
    ),
]
MinimumOption = Annotated[int | None, typer.Option(help="With --cib: how many nodes have to stay; default: 1.", min=1)]
PlaybooksOption = Annotated[
    Path | None,
    typer.Option("--playbooks", envvar="ONDEMAND_PLAYBOOKS", help="Folder of the playbooks; default: the checkout's, else the collection."),
]


def what_if_command(
    file: FileArgument = None,
    cib: CibOption = None,
    corosync_conf: ConfOption = None,
    quorum_status: QuorumOption = None,
    leave: Annotated[str | None, typer.Option(help="The node leaves for good.", metavar="NODE")] = None,
    standby: Annotated[str | None, typer.Option(help="The node carries nothing any more.", metavar="NODE")] = None,
    lose: Annotated[str | None, typer.Option(help="The node is gone at once.", metavar="NODE")] = None,
    join: Annotated[str | None, typer.Option(help="A node of this name joins.", metavar="NODE")] = None,
    move: Annotated[str | None, typer.Option(help="The service moves.", metavar="SERVICE")] = None,
    to: Annotated[str | None, typer.Option(help="Where the service moves; default: where it suits best.", metavar="NODE")] = None,
    min_nodes: MinimumOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    playbooks: PlaybooksOption = None,
) -> None:
    """Tells whether a node may leave, stand by, be lost or join, or a service move, and what would become of the rest.

    The cluster is the live one of a cluster file, or that of saved files. Exit codes: 0 allowed, 3 refused, 2 wrong use or a file that can't be
    read, 1 the live cluster could not be asked.
    """
    named = {"leave": leave, "standby": standby, "lose": lose, "join": join, "move": move}
    asked = [(question, name) for question, name in named.items() if name is not None]
    if len(asked) != 1:
        raise ActError(f"what is asked? exactly one of {', '.join('--' + question for question in named)}")
    if to is not None and move is None:
        raise ActError("--to says where a service moves; name that by --move")
    question, name = asked[0]
    if file is not None:
        told = _of_live(
            file, [cib, corosync_conf, quorum_status, min_nodes], {question: name, **({} if to is None else {"to": to})}, playbooks
        )
    elif cib is None:
        raise ActError("which cluster is asked about? give its cluster file, or --cib with a saved CIB")
    else:
        told = _of_files(cib, corosync_conf, quorum_status, question, name, min_nodes or 1, to)
    print(json.dumps(told, indent=2) if as_json else words(told))
    if not told["allowed"]:
        raise SystemExit(REFUSED)


def _of_live(file: Path, of_files: list[Any], asked: Mapping[str, str], playbooks: Path | None) -> dict[str, Any]:
    """The answer of the live cluster. ActError for what can't be asked about, ObserveError where the cluster gave no answer."""
    if any(one is not None for one in of_files):
        raise ActError(
            "--cib, --corosync-conf, --quorum-status and --min-nodes belong to saved files; the cluster file says how many nodes have to stay"
        )
    loaded = load(file)
    actor = PlaybookActor(loaded.cluster.name, loaded.text, find_playbooks(playbooks), Clock().now, LOOK)
    done = actor.run(PLAYBOOK, asked, DEADLINE_S)
    if done.reason == Reason.BAD_INPUT:
        raise ActError(done.because)
    if not done.ok:
        raise ObserveError(f"the cluster could not be asked: {done.because}")
    found = wall.problems(PLAYBOOK, done.facts)
    if found:
        raise ObserveError(wall.complaint(PLAYBOOK, found))
    answer: dict[str, Any] = done.facts["answer"]
    return answer


def _of_files(cib: Path, conf: Path | None, quorum: Path | None, question: str, name: str, minimum: int, to: str | None) -> dict[str, Any]:
    """The answer over saved files. ActError where they can't be used, or have no such node."""
    status = _status(cib, conf, quorum)
    names = [member.name for member in status.members]
    if question in ("leave", "standby", "lose") and name not in names:
        raise ActError(f"the cluster of {cib} has no node {name}; it has {', '.join(names)}")
    try:
        return what_if.answer(status, question, name, schedule, minimum, to).data()
    except ValueError as error:
        raise ActError(f"{name} can't be asked about: {error}") from error


def words(told: Mapping[str, Any]) -> str:
    """The answer for people: the verdict, then the steps with the votes after each, then what becomes of the resources."""
    lines = [told["message"]]
    for number, step in enumerate(told["steps"], start=1):
        why = f" ({step['why']})" if step["why"] else ""
        lines.append(f"  {number}. {step['words']}{why}: {_votes(step['votes'])}")
    lines += [f"  {name} would stop" for name in told["stops"]]
    lines += [f"  {name} would stay there" for name in told["stays"]]
    lines += [f"  {name} would go from {', '.join(one['from'])} to {', '.join(one['to'])}" for name, one in told["moves"].items()]
    lines.append(f"{_votes(told['votes'])}; further losses that are survived: {told['survives']}")
    return "\n".join(lines)


def _votes(votes: Mapping[str, Any]) -> str:
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
