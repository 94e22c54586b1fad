# Copyright: (c) 2026, the ondemand.cluster contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one door to nodes: run a command or a fixed script on any host of the inventory, over its own connection.

A module over ssh costs seconds on an emulated VM, a bare command a tenth of one. So the cluster's actions run the node's own
tools through here, one trip for as much as possible, and parse on the controller.
"""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import os
import secrets
import shlex
import signal
import threading
import typing as t

from ansible import constants as C
from ansible.errors import AnsibleConnectionFailure, AnsibleError
from ansible.module_utils.common.text.converters import to_bytes, to_text
from ansible.module_utils.parsing.convert_bool import boolean
from ansible.plugins.loader import become_loader, connection_loader
from ansible.utils.display import Display
from ansible_collections.ondemand.cluster.plugins.module_utils._contract.refusal import Refused
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster import lease

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

# $1 is the time limit, the rest the command. ssh uses 255 for its own failures, so a command's 255 is told as 254.
ENVELOPE = (
    'LC_ALL=C; PATH=%s; export LC_ALL PATH; t=$1; shift; timeout -k 5 "$t" "$@"; rc=$?; [ "$rc" -ne 255 ] || rc=254; exit "$rc"' % PATH
)

TIMED_OUT_RCS = (124, 137)
# How long after the node's own time limit the controller gives up waiting for a connection that went silent.
SILENCE_S = 15.0


@dataclasses.dataclass(frozen=True)
class Result:
    """What a command on a node gave back."""

    rc: int
    stdout: str
    stderr: str


class NodeError(AnsibleError):
    """A command on a node failed, or the node was not reached.

    C(host), C(argv), C(rc) (None: no answer) and C(stderr) say what happened; C(unreachable) is true where the connection and
    C(timed_out) where the time limit was the cause. The argv never holds a secret: those travel by stdin.
    """

    def __init__(self, host: str, argv: t.Sequence[str], rc: int | None, stderr: str, timeout_s: float = 0.0) -> None:
        self.host = host
        self.argv = list(argv)
        self.rc = rc
        self.stderr = stderr.strip()
        self.unreachable = rc is None
        self.timed_out = rc in TIMED_OUT_RCS
        if self.unreachable:
            what = "%s was not reached: %s" % (host, self.stderr or "no answer")
        elif self.timed_out:
            what = "%s on %s did not end within %g s%s" % (self.name, host, timeout_s, ": " + self.stderr if self.stderr else "")
        else:
            what = "%s on %s failed with code %d: %s" % (self.name, host, rc, self.stderr or "it printed no reason")
        super().__init__(what)

    @property
    def name(self) -> str:
        """The command's name, short enough for a sentence."""
        return "a script" if self.argv[:2] == ["sh", "-c"] else self.argv[0]


class Nodes:
    """Connections to the hosts of the inventory, for the length of one task.

    The current host (or the one the task is delegated to) uses the task's own connection. Any other host gets a connection of
    the plugin that its variables name, with options and become set from those variables; so they must stand in the inventory
    (or in extra variables), not in the play.
    """

    def __init__(self, action: t.Any, task_vars: dict[str, t.Any], lease_token: str | None = None) -> None:
        """lease_token: of the lease under which this task changes nodes; without one it changes none while another run holds the lease."""
        self._action = action
        self._lease_token = lease_token
        self._task_vars = task_vars
        self.here: str = action._task.delegate_to or task_vars["inventory_hostname"]
        self._connections: dict[str, t.Any] = {self.here: action._connection}

    def run(
        self,
        host: str,
        argv: t.Sequence[str],
        stdin: str | bytes | None = None,
        timeout_s: float = 60,
        check: bool = True,
        untold: bool = False,
    ) -> Result:
        """Run argv on a host, without a shell's reading of its values.

        stdin is text or bytes for the command (the only place for a secret). A command that takes longer than timeout_s
        seconds is ended there. With check a code other than 0 raises NodeError; a host that cannot be reached always does.
        untold: the answer may hold secrets (a CIB does), so no verbosity of Ansible's shows it.
        """
        if isinstance(argv, str) or not argv:
            raise TypeError("argv is a list of words")
        command = " ".join(shlex.quote(word) for word in ("/bin/sh", "-c", ENVELOPE, "sh", "%g" % timeout_s, *argv))
        if not stdin:
            command += " </dev/null"
        with _told_at_most(2) if untold else contextlib.nullcontext():
            rc, stdout, stderr = self._answer(host, argv, command, stdin, timeout_s)
        if check and rc != 0:
            raise NodeError(host, argv, rc, stderr, timeout_s)
        return Result(rc, stdout, stderr)

    def script(
        self,
        host: str,
        text: str,
        args: t.Sequence[str] = (),
        stdin: str | bytes | None = None,
        timeout_s: float = 60,
        check: bool = True,
        untold: bool = False,
    ) -> Result:
        """Run a fixed sh text on a host: several commands in one trip. Values go in as $1, $2, ..., never into the text."""
        return self.run(host, ["sh", "-c", text, "sh", *args], stdin=stdin, timeout_s=timeout_s, check=check, untold=untold)

    def change(
        self,
        host: str,
        text: str,
        args: t.Sequence[str] = (),
        stdin: str | bytes | None = None,
        timeout_s: float = 60,
        check: bool = True,
        once: bool = False,
    ) -> Result:
        """script() for a text that changes something: the node asks its CIB first whether the lease allows it. Raises Refused if not.

        once: it must not run twice; where the connection is lost after it had begun that is a NodeError, and what became of it is not known.
        """
        return self._guarded(host, lease.GUARD + text, args, stdin, timeout_s, check, once)

    def keep_lease(self, host: str, for_s: float) -> Result:
        """The lease prolonged for what is done elsewhere. Raises Refused where it is another's by now, NodeError where no CIB answers here."""
        return self._guarded(host, lease.KEEP, (), None, for_s, True)

    def _guarded(
        self, host: str, text: str, args: t.Sequence[str], stdin: str | bytes | None, timeout_s: float, check: bool, once: bool = False
    ) -> Result:
        call = secrets.token_hex(8) if once else "-"
        words = [self._lease_token or "-", "%d" % timeout_s, call, *args]
        done = self.script(host, text, words, stdin=stdin, timeout_s=timeout_s, check=False)
        if once and done.rc == lease.BEGUN:
            raise NodeError(host, ["sh", "-c", text], None, done.stderr)
        refusal = lease.why_refused(done.stderr) if done.rc == lease.REFUSED else None
        if refusal:
            raise Refused(refusal)
        if check and done.rc != 0:
            raise NodeError(host, ["sh", "-c", text], done.rc, done.stderr, timeout_s)
        return done

    def _answer(self, host: str, argv: t.Sequence[str], command: str, stdin: str | bytes | None, timeout_s: float) -> tuple[int, str, str]:
        connection = self._connection(host, argv)
        if connection.become:
            command = connection.become.build_become_command(command, connection._shell)
        # Some data always goes along: without any, the ssh plugin asks for a terminal, which would mangle the output.
        data = to_bytes(stdin) if stdin else b"\n"
        for attempt in (1, 2):
            try:
                with _silence_ends_after(timeout_s + SILENCE_S):
                    rc, stdout, stderr = connection.exec_command(command, in_data=data, sudoable=True)
                return rc, self._action._strip_success_message(to_text(stdout)), to_text(stderr)
            except _Silence as silence:
                raise NodeError(host, argv, None, "it went silent for %g s" % (timeout_s + SILENCE_S)) from silence
            except AnsibleError as error:
                # A multiplexed connection whose far end was restarted fails once and works when made anew; a host that
                # is away does not answer the second time either, so only losses are tried again, not time-outs.
                away = any(sign in to_text(error).lower() for sign in ("timed out", "no route to host"))
                lost = isinstance(error, AnsibleConnectionFailure) and not away
                if attempt == 2 or not lost:
                    raise NodeError(host, argv, None, to_text(error)) from error
        raise AssertionError("unreachable")

    def _connection(self, host: str, argv: t.Sequence[str]) -> t.Any:
        if host not in self._connections:
            if host not in self._task_vars["hostvars"]:
                raise NodeError(host, argv, None, "the inventory has no such host; name members by their inventory names")
            self._connections[host] = self._connect(self._task_vars["hostvars"][host])
        return self._connections[host]

    def _connect(self, variables: t.Mapping[str, t.Any]) -> t.Any:
        task = self._action._task
        name = self._value(variables, "ansible_connection") or task.connection or "ssh"
        connection = connection_loader.get(
            name,
            copy.copy(self._action._play_context),
            new_stdin=None,
            task_uuid=task._uuid,
            ansible_playbook_pid=to_text(os.getppid()),
        )
        if connection is None:
            raise AnsibleError("the connection plugin %s was not found" % name)
        become = self._become(variables)
        connection.set_become_plugin(become)
        keys = task.dump_attrs()
        # These keywords of a task mean something else than the connection option of that name.
        del keys["retries"]
        keys["timeout"] = self._action._play_context.timeout
        for secret in ("password", "become_pass"):
            if getattr(self._action._play_context, secret, None):
                keys[secret] = getattr(self._action._play_context, secret)
        for kind, plugin in (("connection", connection), ("shell", connection._shell), ("become", become)):
            if plugin is not None:
                plugin.set_options(task_keys=keys, var_options=self._options(variables, kind, plugin._load_name))
        return connection

    def _become(self, variables: t.Mapping[str, t.Any]) -> t.Any:
        task = self._action._task
        said = self._value(variables, "ansible_become")
        if not (task.become if said is None else boolean(said)):
            return None
        method = self._value(variables, "ansible_become_method") or task.become_method or C.DEFAULT_BECOME_METHOD
        plugin = become_loader.get(method)
        if plugin is None:
            raise AnsibleError("the become plugin %s was not found" % method)
        return plugin

    def _options(self, variables: t.Mapping[str, t.Any], kind: str, name: str) -> dict[str, t.Any]:
        names = C.config.get_plugin_vars(kind, name)
        return {option: self._value(variables, option) for option in names if option in variables}

    def _value(self, variables: t.Mapping[str, t.Any], name: str) -> t.Any:
        if name not in variables:
            return None
        return self._action._templar.template(variables[name])


@contextlib.contextmanager
def _told_at_most(verbosity: int) -> t.Iterator[None]:
    """What the connection's plugin tells in the block is told as if so many -v were given; its errors are whole as ever."""
    display = Display()
    before = display.verbosity, display.log_verbosity
    display.verbosity, display.log_verbosity = min(before[0], verbosity), min(before[1], verbosity)
    try:
        yield
    finally:
        display.verbosity, display.log_verbosity = before


class _Silence(BaseException):
    """The connection gave no end of the command in time (a BaseException: no plugin's own retry may swallow it)."""


class _silence_ends_after:
    """Raise _Silence in the block after so many seconds; nothing where an alarm of the task (its timeout keyword) runs."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._set = False

    def __enter__(self) -> None:
        main = threading.current_thread() is threading.main_thread()
        if main and signal.getitimer(signal.ITIMER_REAL)[0] == 0.0:
            self._old = signal.signal(signal.SIGALRM, self._raise)
            signal.setitimer(signal.ITIMER_REAL, self._seconds)
            self._set = True

    def __exit__(self, *exc: t.Any) -> None:
        if self._set:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, self._old)

    def _raise(self, signum: int, frame: t.Any) -> None:
        raise _Silence()
