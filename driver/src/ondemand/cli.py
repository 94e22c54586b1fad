# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""The command `ondemand`. Exit codes: 0 fine, 1 a step failed or the cluster could not be observed, 2 wrong file or use,
3 refused or to be tried again later (of `run` only with --once), 4 the journal or the lock can't be had. In a dry run a step that is
left out is no failure."""

from __future__ import annotations

import json
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from ondemand.act.actor import Actor
from ondemand.act.dry import DryActor
from ondemand.act.runner import LOOK, PlaybookActor, find_playbooks, holder_of
from ondemand.cli_what_if import what_if_command
from ondemand.clock import Clock, Stop
from ondemand.config.load import Loaded, load
from ondemand.config.schema import schema_text
from ondemand.daemon import Daemon, Parts, Tick
from ondemand.decide.decide import decide
from ondemand.errors import ActError, ConfigError, ObserveError, OndemandError, RecordError
from ondemand.memory import Memory
from ondemand.model import Observation, Refusal
from ondemand.observe.cluster import read_cluster
from ondemand.observe.load import LoadReader
from ondemand.plan.plan import plan as make_plan
from ondemand.preview import with_load
from ondemand.record.journal import BLIND, Journal
from ondemand.record.lock import Lock, is_held
from ondemand.record.log import logger

JOURNAL = "journal.db"
CODES = {Tick.DONE: 0, Tick.IDLE: 0, Tick.WAITING: 3, Tick.REFUSED: 3, Tick.FAILED: 1, Tick.BLIND: 1}
DRY_CODES = {**CODES, Tick.FAILED: 0}
"""in a dry run a step that is not done is the good end"""

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help="On-demand clusters of VMs.")
FileArgument = Annotated[Path, typer.Argument(help="The cluster file.", metavar="FILE")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
PlaybooksOption = Annotated[
    Path | None,
    typer.Option("--playbooks", envvar="ONDEMAND_PLAYBOOKS", help="Folder of the playbooks; default: the checkout's, else the collection."),
]


def _end(error: OndemandError) -> NoReturn:
    """Tells an error with all its problems and ends with its code."""
    print(str(error), file=sys.stderr)
    for one in error.problems if isinstance(error, ConfigError) else []:
        print(f"  {one['path'] or 'the file'}: {one['problem']}; right would be: {one['should_be']}", file=sys.stderr)
    raise SystemExit(2 if isinstance(error, ConfigError | ActError) else 4 if isinstance(error, RecordError) else 1)


def _journal(loaded: Loaded) -> Journal:
    """The cluster's journal for reading; an empty one while no driver has written any. Raises RecordError where it may not be read."""
    path = loaded.state_dir / JOURNAL
    try:
        there = path.is_file()
    except OSError as error:
        raise RecordError(f"the state folder {loaded.state_dir} can't be read: {error}; run this as the account that owns it") from error
    return Journal(path, readonly=True) if there else Journal(None)


@app.command()
def check(file: FileArgument) -> None:
    """Checks a cluster file: every problem at once, each with its path and what would be right."""
    loaded = load(file)
    nodes = loaded.cluster.requirement.nodes
    print(f"{file} is right: cluster {loaded.cluster.name}, {nodes.min} to {nodes.max} nodes, {len(loaded.cluster.services)} services")


app.command("what-if")(what_if_command)


@app.command()
def schema() -> None:
    """Prints the JSON Schema of the cluster file."""
    print(schema_text(), end="")


@app.command()
def run(
    file: FileArgument,
    once: Annotated[bool, typer.Option("--once", help="Work until there is nothing more to do now, then end.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Look and decide, and do nothing; leaves no journal.")] = False,
    json_logs: Annotated[bool, typer.Option("--json-logs", help="Log JSON lines.")] = False,
    playbooks: PlaybooksOption = None,
) -> None:
    """Drives the cluster until SIGTERM or SIGINT. A step that runs is always finished."""
    loaded = load(file)
    clock, stop = Clock(), Stop()
    holder = LOOK if dry_run else holder_of(loaded.state_dir)
    real = PlaybookActor(loaded.cluster.name, loaded.text, find_playbooks(playbooks), clock.now, holder)
    actor: Actor = DryActor(real, clock.now) if dry_run else real
    lock = None if dry_run else Lock(loaded.state_dir, loaded.cluster.name)
    stop.listen()
    log = logger(loaded.cluster.name, json_logs)

    def patience(told: str) -> bool:
        if told:
            log.warning("trouble", about="journal", because=told)
        return not stop.wanted()

    journal = Journal(None if dry_run else loaded.state_dir / JOURNAL, patience=patience)
    if dry_run:
        with closing(_journal(loaded)) as kept:
            journal.remember(kept.memory(clock.now()))
    log.info("driver begins", file=str(file), dry_run=dry_run, every_s=loaded.cluster.scaling.every_s)

    def reader(now: Loaded) -> LoadReader:
        return LoadReader(now.cluster, now.state_dir, clock.now)

    def set_text(text: str) -> None:
        real.text = text

    daemon = Daemon(Parts(file, actor, reader, load, journal, clock.now, log, stop.wanted), loaded, set_text)
    daemon.recover()
    result = _drive(daemon, stop, once)
    daemon.close()
    journal.close()
    if lock is not None:
        lock.release()
    log.info("driver ends", last=result.value)
    raise SystemExit((DRY_CODES if dry_run else CODES)[result] if once else 0)


def _drive(daemon: Daemon, stop: Stop, once: bool) -> Tick:
    """Ticks until a stop is wished, or with `once` until nothing is to do; after a step the next tick follows at once."""
    result = Tick.IDLE
    while not stop.wanted():
        result = daemon.tick()
        if result is Tick.DONE:
            continue
        if once:
            break
        stop.wait(daemon.every_s)
    return result


@app.command()
def plan(file: FileArgument, as_json: JsonOption = False, playbooks: PlaybooksOption = None) -> None:
    """Looks at the cluster and its load and prints what the driver would do now, and why. Changes nothing."""
    loaded = load(file)
    clock = Clock()
    actor = PlaybookActor(loaded.cluster.name, loaded.text, find_playbooks(playbooks), clock.now, LOOK)
    journal = _journal(loaded)
    memory = journal.memory(clock.now())
    journal.close()
    seen, problems = _look(loaded, actor, clock)
    now = clock.now()
    decision, after = decide(seen, loaded.cluster.requirement, loaded.cluster.scaling, memory, now)
    barred = [key for key, until in after.barred.items() if until > now]
    edited = after.unconfigured(loaded.services, now)
    found = make_plan(
        seen, after.wanted or 0, loaded.cluster, after.because, after.unfinished, barred, after.waited(now), after.held, edited
    )
    told = {
        "decision": {"kind": decision.kind.value, "wanted": decision.wanted, "because": decision.because},
        "refusal": {"reason": found.reason.value, "sentence": found.sentence} if isinstance(found, Refusal) else None,
        "steps": [] if isinstance(found, Refusal) else [one.as_data() for one in found.steps],
        "because": found.sentence if isinstance(found, Refusal) else found.because,
        "load": {name: {"value": one.value, "unit": one.unit, "nodes": list(one.nodes)} for name, one in seen.signals.items()},
        "load_problems": problems,
    }
    if as_json:
        print(json.dumps(told, indent=1))
        return
    for problem in problems:
        print(f"load: {problem}")
    print(f"decision: {decision.kind.value}, {decision.wanted} nodes: {decision.because}")
    for i, step in enumerate([] if isinstance(found, Refusal) else found.steps, 1):
        given = ", ".join(f"{key}={value}" for key, value in step.variables.items())
        print(f"step {i}: {step.playbook} ({given}), at most {step.deadline_s:g} s: {step.because}")
    if isinstance(found, Refusal) or not found.steps:
        print(f"{'refused' if isinstance(found, Refusal) else 'nothing to do'}: {told['because']}")


def _look(loaded: Loaded, actor: Actor, clock: Clock) -> tuple[Observation, list[str]]:
    """The cluster with its load, sampled before and after the look; without policies nobody asks for the load."""
    if not loaded.cluster.scaling.policies:
        return read_cluster(actor), []
    with closing(LoadReader(loaded.cluster, loaded.state_dir, clock.now)) as reader:
        return with_load(reader, lambda: read_cluster(actor), clock.now, time.sleep)


@app.command()
def status(file: FileArgument, as_json: JsonOption = False) -> None:
    """Prints what the journal knows: whether a driver runs, what is wanted and why, the newest observation, the newest entries.

    Ends with 1 where the cluster could not be observed at the last look.
    """
    loaded = load(file)
    journal = _journal(loaded)
    memory: Memory = journal.memory(time.time())
    blind = journal.blind()
    told = {
        "cluster": loaded.cluster.name,
        "driver": is_held(loaded.state_dir),
        "wanted": memory.wanted,
        "because": memory.because,
        "failures": memory.failures,
        "retry_at": memory.retry_at,
        "running": journal.open_steps(),
        "blind": blind,
        "observation": journal.state("observation"),
        "newest": journal.history(5),
    }
    journal.close()
    code = 1 if blind else 0
    if as_json:
        print(json.dumps(told, indent=1))
        raise SystemExit(code)
    print(f"cluster {loaded.cluster.name}: {'a driver runs' if told['driver'] else 'no driver runs'}; {_wanted(memory)}")
    seen = told["observation"]
    if isinstance(seen, dict) and seen:
        print(f"seen {_ago(seen['at'])}: members {', '.join(seen['members']) or 'none'}; services {seen['services'] or 'none'}")
    for one in journal_lines(told["newest"]):
        print(one)
    if blind:
        print(f"blind since {_when(blind['at'])}: {blind['because']}; nothing is done until it can be seen", file=sys.stderr)
    raise SystemExit(code)


def _wanted(memory: Memory) -> str:
    """What the journal knows of the number of nodes, as a sentence's half."""
    if memory.wanted is None:
        return "the journal is empty: no driver has decided yet how many nodes are wanted"
    return f"wanted: {memory.wanted} node{'s' if memory.wanted != 1 else ''}" + (f", because {memory.because}" if memory.because else "")


@app.command()
def history(file: FileArgument, as_json: JsonOption = False) -> None:
    """Prints the journal, oldest first: decisions, plans, steps and outcomes with their reasons."""
    loaded = load(file)
    journal = _journal(loaded)
    entries = journal.history()
    journal.close()
    if as_json:
        print(json.dumps(entries, indent=1))
        return
    for line in journal_lines(entries) or ["the journal is empty: no driver has written to it yet"]:
        print(line)


def journal_lines(entries: object) -> list[str]:
    """Entries as lines for people."""
    lines = []
    for one in entries if isinstance(entries, list) else []:
        steps = "refusal" if one.get("refusal") else f"{len(one.get('steps', []))} steps"
        what = BLIND if one.get("code") == BLIND else one.get("decision") or one.get("step") or steps
        mark = "" if one.get("ok") is None else " ok" if one["ok"] else " not ok"
        lines.append(f"{_when(one['at'])}  {one['kind']:8} {what}{mark}: {one['because']}")
    return lines


def _when(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at))


def _ago(at: float) -> str:
    return f"{max(0.0, time.time() - at):.0f} s ago"


def main() -> None:
    """The command's entry: every known error is a sentence and a code, never a traceback."""
    try:
        app()
    except (ConfigError, ActError, ObserveError, RecordError) as error:
        _end(error)
