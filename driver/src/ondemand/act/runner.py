# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""Runs playbooks, each in a child process with a deadline, in a private folder in memory that is removed afterwards."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ondemand import wall
from ondemand.act import processes
from ondemand.errors import ActError
from ondemand.model import Outcome, Step

COLLECTION = "ondemand.cluster"
LARGEST_ANSWER = 64_000_000
LEAST_ROOM = 256 * 1024
"""bytes; a file system with less of them free ends a job's writing, whatever the job then says itself"""
LOOK = "look"
"""the holder of jobs that only look and for which nobody holds the cluster: any number may run, and they are nobody's orphans"""
OLD_LOOK_S = 3600.0
"""a look takes minutes at most, so a folder of one that is older was left by a command that was killed"""
# What a job sees of the driver's environment; the rest stays out of the job's files and processes.
PASSED = ("HOME", "PATH", "LANG", "LC_ALL", "USER", "LOGNAME", "TZ", "SSH_AUTH_SOCK", "XDG_RUNTIME_DIR", "XDG_CACHE_HOME", "VIRTUAL_ENV")
PASSED_PREFIXES = ("ANSIBLE_", "LIBVIRT_")


@dataclass(frozen=True)
class Where:
    """Where playbooks come from: a folder (a checkout's playbooks/), or, if None, the installed collection."""

    folder: Path | None

    def playbook(self, name: str) -> str:
        """What ansible-playbook is called with."""
        return str(self.folder / f"{name}.yml") if self.folder else f"{COLLECTION}.{name}"

    @property
    def config(self) -> Path | None:
        """The checkout's ansible.cfg, which makes the collection found and host keys strict."""
        found = self.folder.parent / "ansible.cfg" if self.folder else None
        return found if found and found.is_file() else None


def find_playbooks(given: Path | None) -> Where:
    """The given folder, else the checkout's that this package lies in, else the collection's names."""
    checkout = Path(__file__).resolve().parents[4]
    own = checkout / "playbooks"
    if given is not None:
        if not given.is_dir():
            raise ActError(f"the folder of playbooks {given} does not exist; give the one with scale_out.yml and the others")
        return Where(given.resolve())
    return Where(own) if (own / "observe.yml").is_file() and (checkout / "galaxy.yml").is_file() else Where(None)


def holder_of(state_dir: Path) -> str:
    """Whose a job is: the driver's that holds the lock in this state folder. Names of clusters are no more than names."""
    return hashlib.sha256(os.fsencode(state_dir.resolve())).hexdigest()[:12]


def memory_folder() -> Path:
    """A folder in memory: jobs hold the cluster file and Ansible's environment, which no disk should keep."""
    for one in (os.environ.get("XDG_RUNTIME_DIR"), "/dev/shm"):  # noqa: S108 - made private below it
        if one and os.access(one, os.W_OK | os.X_OK):
            return Path(one)
    return Path(tempfile.gettempdir())


def full_words(place: Path) -> str:
    """That no more can be written into the folder of jobs, and what to do; empty where there is room, or no such folder."""
    try:
        room = os.statvfs(place)
    except OSError:
        return ""
    if room.f_bavail * room.f_frsize >= LEAST_ROOM and (room.f_favail or not room.f_files):
        return ""
    left = f"{room.f_bavail * room.f_frsize // 1024} of {room.f_blocks * room.f_frsize // 1024} KiB are free"
    return f"the folder {place}, where the files of jobs lie, is full ({left}); free some, or name a larger one in XDG_RUNTIME_DIR"


class PlaybookActor:
    """Runs the collection's playbooks for one cluster. `holder`: whose jobs they are, of `holder_of`, or LOOK."""

    def __init__(self, cluster: str, text: str, where: Where, clock: Callable[[], float], holder: str) -> None:
        self.text = text
        self._where, self._clock, self._holder = where, clock, holder
        self._mark = f"{cluster}/{holder}/"
        self._folders = memory_folder()
        # A hyphen can't stand at the end of a name, so clusters whose names begin alike don't share folders.
        self._stem = f"ondemand-{cluster}-."

    def perform(self, step: Step) -> Outcome:
        """Runs the step's playbook."""
        return self.run(step.playbook, step.variables, step.deadline_s)

    def run(self, playbook: str, variables: Mapping[str, Any], deadline_s: float) -> Outcome:
        """Runs a playbook to its end or to its deadline; then its processes are ended, wherever they hang."""
        began = self._clock()
        folder = None
        try:
            folder = Path(tempfile.mkdtemp(prefix=f"{self._stem}{self._holder}-", dir=self._folders))
            answer = self._in_child(playbook, variables, deadline_s, folder)
            full = full_words(self._folders)
        except subprocess.TimeoutExpired:
            full = full_words(self._folders)
            why = f"{playbook} did not end within {deadline_s:g} s and was ended; {full or 'what it left is looked at anew'}"
            return Outcome(False, {}, why, began, self._clock(), "deadline")
        except (OSError, ValueError) as error:
            # No space for the job's files, a folder that somebody removed, an answer that is no JSON: the cluster may be all right.
            why = full_words(self._folders) or f"{error}; see to the space and the rights of {self._folders}"
            return Outcome(False, {}, f"{playbook} could not be run: {why}; it is tried again", began, self._clock())
        finally:
            if folder is not None:
                shutil.rmtree(folder, ignore_errors=True)
        if full and not answer.get("failure") and not answer.get("facts"):
            # Whatever the job says itself, it could not write what it had to say.
            return Outcome(False, {}, f"{playbook} did not come to its end: {full}; it is tried again", began, self._clock())
        return _outcome(playbook, answer, began, self._clock())

    def wait_for_orphans(self, longest_s: float, stop: Callable[[], bool]) -> int | None:
        """Playbooks of a driver that died: they may end in peace within so long, then they are ended; folders are removed.

        Only this holder's: a look that somebody takes meanwhile, or a cluster of the same name in another folder, is not touched.
        None if `stop` ended the wait: what still runs is left in peace, the next start finds it.
        """
        peace = processes.wait_for(self._mark, longest_s, stop)
        if not peace and stop():
            return None
        ended = 0 if peace else processes.end(self._mark)
        for left in self._folders.glob(f"{self._stem}{self._holder}-*"):
            shutil.rmtree(left, ignore_errors=True)
        for left in self._folders.glob(f"{self._stem}{LOOK}-*"):
            with contextlib.suppress(OSError):  # it may end and go at this moment
                if left.stat().st_mtime < time.time() - OLD_LOOK_S:
                    shutil.rmtree(left, ignore_errors=True)
        return ended

    def _in_child(self, playbook: str, variables: Mapping[str, Any], deadline_s: float, folder: Path) -> dict[str, Any]:
        job = {"folder": str(folder), "playbook": self._where.playbook(playbook), "variable_files": self._files(folder, variables)}
        mark = self._mark + uuid.uuid4().hex
        with (folder / "child.log").open("wb") as log:
            child = subprocess.Popen(
                [sys.executable, "-m", "ondemand.act.child"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                cwd=folder,
                env=self._environment(mark),
                start_new_session=True,
            )
            try:
                out, _none = child.communicate(json.dumps(job).encode(), timeout=deadline_s)
            except BaseException:
                processes.end(mark)
                child.kill()
                child.communicate()
                raise
        if child.returncode != 0 or not out or len(out) > LARGEST_ANSWER:
            said = (folder / "child.log").read_text(errors="replace").strip().splitlines()
            return {"status": "failed", "facts": {}, "tail": said[-1] if said else f"the job's process ended with {child.returncode}"}
        answer = json.loads(out)
        if not isinstance(answer, dict):
            raise ValueError("the job's process answered no mapping")
        return answer

    def _files(self, folder: Path, variables: Mapping[str, Any]) -> list[str]:
        """The cluster file as it was when it was checked, the job's variables, and the runner's settings (which it reads from here)."""
        (folder / "env").mkdir(mode=0o700)
        (folder / "env" / "settings").write_text(json.dumps({"pexpect_timeout": 1}))
        paths = []
        for name, text in (("cluster.yml", self.text), ("variables.json", json.dumps(dict(variables)))):
            path = folder / name
            path.touch(mode=0o600)
            path.write_text(text)
            paths.append(str(path))
        return paths

    def _environment(self, mark: str) -> dict[str, str]:
        passed = {key: value for key, value in os.environ.items() if key in PASSED or key.startswith(PASSED_PREFIXES)}
        beside = str(Path(sys.executable).parent)
        passed["PATH"] = os.pathsep.join([beside, passed.get("PATH", os.defpath)])
        passed["PYTHONPATH"] = str(Path(__file__).resolve().parents[2])
        passed["ANSIBLE_HOST_KEY_CHECKING"] = "True"
        passed["ANSIBLE_LOCALHOST_WARNING"] = passed["ANSIBLE_INVENTORY_UNPARSED_WARNING"] = "False"
        if self._where.config:
            passed["ANSIBLE_CONFIG"] = str(self._where.config)
        return {**passed, processes.MARK: mark}


def _outcome(playbook: str, answer: Mapping[str, Any], began: float, ended: float) -> Outcome:
    facts = answer.get("facts") or {}
    if answer.get("status") == "successful":
        wrong = wall.problems(playbook, facts)
        because = wall.complaint(playbook, wrong) if wrong else f"{playbook} ended well"
        return Outcome(not wrong, facts, because, began, ended)
    failure = answer.get("failure")
    if failure:
        told = failure.get("because") or f"the task {failure.get('task')!r} failed on {failure.get('node')}"
        return Outcome(False, facts, f"{playbook}: {told}", began, ended, failure.get("reason") or "")
    tail = " ".join(str(answer.get("tail") or "").split())[-600:]
    return Outcome(False, facts, f"{playbook} failed before any task did: {tail or 'it said nothing'}", began, ended)
