# Copyright: (c) 2026, the ondemand.cluster contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps of a change of the membership on real nodes: one handler for each kind, and the way back where a step is refused.

A step that is refused takes back what went before, as far as that can be taken back; whatever is left half done is finished by the next run, which
plans anew from what is there.
"""

from __future__ import annotations

import secrets
import typing as t

from ansible_collections.ondemand.cluster.plugins.module_utils._contract.refusal import Refusal, Refused
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster import marks
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster import membership_scripts as scripts
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.steps import FILES, Step, way_back
from ansible_collections.ondemand.cluster.plugins.plugin_utils.membership_act import Act
from ansible_collections.ondemand.cluster.plugins.plugin_utils.nodes import NodeError, Result

KEY_BYTES = 256
# The shortest that Pacemaker takes; the only member of a new cluster has nobody to wait for.
FIRST_DC_DEADTIME_S = 1


class FileRefused(Exception):
    """Corosync on a node does not take a file (put: it is in its place all the same), or it can't be written there."""

    def __init__(self, step: Step, done: Result) -> None:
        super().__init__(done.stderr)
        self.step, self.done = step, done
        self.by_corosync = done.rc in (scripts.REFUSED_FILE, scripts.REFUSED_RELOAD)
        self.put = done.rc == scripts.REFUSED_RELOAD

    def told(self, act: Act, state: str) -> Refused | NodeError:
        """The error that ends the task; state: what became of what was done before, as a sentence without its end."""
        if not self.by_corosync:
            return NodeError(self.step.host, ["sh", "-c", "the configuration"], self.done.rc, "%s. %s" % (self.done.stderr.strip(), state))
        what = "to load the new corosync.conf" if self.put else "the new corosync.conf"
        sentence = "%s: Corosync on %s refuses %s: %s. %s; correct what it names in the members' corosync.conf, then run it again."
        return Refused(
            Refusal("join_refused", sentence % (act.name, self.step.host, what, scripts.corosync_words(self.done.stderr), state))
        )


def carry_out(act: Act, steps: t.Sequence[Step], members: t.Sequence[str], begun: t.Sequence[Step] = ()) -> None:
    """One step after another. members: the first one has the key; any of them can take a standby back where another has become silent.

    begun: what an earlier run did of the same.
    """
    done = list(begun)
    for step in steps:
        before = act.touched
        try:
            HANDLERS[step.what](act, step, members)
        except FileRefused as error:
            state = _taken_back(act, [*done, step] if error.put else done, members)
            # What Corosync did not even take was not put anywhere.
            act.touched = before or error.put or not error.by_corosync
            raise error.told(act, state) from error
        except Refused as refused:
            # What another run has the lease for is its work by now, also what is half done.
            if refused.refusal.reason != "held" and step.what in ("standby", *FILES):
                _taken_back(act, [*done, step] if step.what == "standby" else done, members)
            raise
        except NodeError as error:
            raise _lost(act, step, done, members, error) from error
        done.append(step)


def _lost(act: Act, step: Step, done: t.Sequence[Step], members: t.Sequence[str], error: NodeError) -> NodeError:
    """The error of a step of which nobody knows how far it came.

    Where the answer to a reload is lost the files stay: the members may run with them. A standby is taken back in any case: that is cheap, and
    keeps the capacity.
    """
    if step.what == "write":
        state = "What became of its corosync.conf is not known. " + _taken_back(act, done, members)
        return NodeError(step.host, error.argv, error.rc, "%s. %s" % (error.stderr, state))
    if step.what in ("load", "standby"):
        _taken_back(act, [one for one in (*done, step) if one.what == "standby"], members)
    return error


def _taken_back(act: Act, done: t.Sequence[Step], members: t.Sequence[str]) -> str:
    """Do what undoes these steps; what came of the files, as a sentence without its end."""
    failed, files = [], False
    for step in way_back(done):
        files = files or step.what in FILES
        try:
            HANDLERS[step.what](act, step, members, True)
        except (Refused, NodeError, FileRefused) as error:
            if step.what in FILES:
                failed.append("not on %s (%s; corosync.conf.before is the old one)" % (step.host, error))
    if not files and any(step.what in FILES for step in done):
        return "The members go on with the files that they had before it"
    if not files:
        return "No member's file was changed"
    return "Every member has its old file again" + "".join(", but " + one for one in failed)


def _install(act: Act, step: Step, members: t.Sequence[str], _back: bool = False) -> None:
    """Key and configuration onto the node, the key by stdin, once Corosync there has taken the configuration."""
    first, key = step.how == "first", "-"
    if first:
        key = scripts.key_line(secrets.token_bytes(KEY_BYTES))
    elif step.how == "fresh":
        key = _key_of(act, members[0])
    arguments = ["keep" if step.how == "keep" else "fresh", str(FIRST_DC_DEADTIME_S) if first else ""]
    before = act.touched
    done = act.do(step.host, scripts.INSTALL, arguments, stdin=key + "\n" + step.text, check=False)
    if done.rc == scripts.REFUSED_FILE:
        act.touched = before
        raise FileRefused(step, done)
    if done.rc != 0:
        raise NodeError(step.host, ["sh", "-c", "the installation"], done.rc, done.stderr)


def _key_of(act: Act, host: str) -> str:
    """The cluster's key as INSTALL's first line; it never passes a log in clear."""
    pad = secrets.token_bytes(scripts.PAD_BYTES)
    told = act.nodes.script(host, scripts.READ_KEY, stdin=scripts.pad_lines(pad)).stdout
    return scripts.key_line(scripts.unpadded(told, pad))


def _file(act: Act, step: Step, _members: t.Sequence[str], back: bool = False) -> None:
    """The text onto a member; with "load" every member then reads its file again."""
    what = "reload" if step.what == "load" else "write"
    done = act.do(step.host, scripts.CONFIGURE, [what, *(["back"] if back else [])], stdin=step.text, check=False)
    if done.rc != 0:
        raise FileRefused(step, done)


def _start(act: Act, step: Step, _members: t.Sequence[str], _back: bool = False) -> None:
    """Start the node where it does not run, wait until it works, and have the members forget who is gone."""
    act.wait(step.host, scripts.START, step.host, *step.forgets, reason="join_refused")
    # From here on it counts, whatever else goes wrong.
    act.joined()


def _stand(act: Act, step: Step, members: t.Sequence[str], back: bool = False) -> None:
    """The node into standby or out of it, asked on a member; on the way back nothing is waited for, and any member will do."""
    how = "off" if step.what == "active" else step.how
    if not back:
        act.wait(step.host, scripts.STANDBY, step.node, marks.LEAVING + step.node, before=[how])
        return
    for host in dict.fromkeys([step.host, *members]):
        try:
            act.do(host, scripts.STANDBY, [step.node, how, "0", "0", marks.LEAVING + step.node], check=False)
        except NodeError:
            continue
        return


def _stop(act: Act, step: Step, _members: t.Sequence[str], back: bool = False) -> None:
    act.do(step.host, scripts.DEPART, check=not back)


def _forget(act: Act, step: Step, _members: t.Sequence[str], _back: bool = False) -> None:
    act.wait(step.host, scripts.FORGET, step.node)


def _settle(act: Act, step: Step, _members: t.Sequence[str], _back: bool = False) -> None:
    act.do(step.host, scripts.DROP_SEED)


HANDLERS: dict[str, t.Callable[..., None]] = {
    "install": _install,
    "write": _file,
    "load": _file,
    "start": _start,
    "standby": _stand,
    "active": _stand,
    "stop": _stop,
    "forget": _forget,
    "settle": _settle,
}
"""Every kind of step that changes a node."""
