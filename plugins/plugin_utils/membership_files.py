# Copyright: (c) 2026, the ondemand.cluster contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""corosync.conf and the key on real nodes: read from all members, written to them, put back where Corosync refuses what was written."""

from __future__ import annotations

import dataclasses
import secrets
import typing as t

from ansible_collections.ondemand.cluster.plugins.module_utils._cluster import membership
from ansible_collections.ondemand.cluster.plugins.module_utils._cluster import membership_scripts as scripts
from ansible_collections.ondemand.cluster.plugins.module_utils._contract.refusal import Refusal, Refused
from ansible_collections.ondemand.cluster.plugins.plugin_utils.look import Look, look_at
from ansible_collections.ondemand.cluster.plugins.plugin_utils.membership_act import Act
from ansible_collections.ondemand.cluster.plugins.plugin_utils.nodes import NodeError, Result


def members(act: Act, look: Look, names: t.Sequence[str]) -> list[membership.Seen]:
    """The files of all listed members: a list that is not changed everywhere is two lists."""
    seen = [look.seen]
    for name in names:
        if name == look.seen.host:
            continue
        try:
            seen.append(look_at(act.nodes, name))
        except NodeError as error:
            raise Refused(
                Refusal(
                    "host_unreachable",
                    "%s was not changed: every member's corosync.conf has to change with it, and %s; bring it back, or have recover_cluster let it go."
                    % (act.name, error),
                )
            ) from error
    return seen


def key_of(act: Act, host: str) -> str:
    """The cluster's key as INSTALL's first line; it never passes a log in clear."""
    pad = secrets.token_bytes(scripts.PAD_BYTES)
    told = act.nodes.script(host, scripts.READ_KEY, stdin=scripts.pad_lines(pad)).stdout
    return scripts.key_line(scripts.unpadded(told, pad))


def install(act: Act, plan: membership.Plan, key: str, dc_deadtime_s: str) -> None:
    """Key and configuration onto the node, the key by stdin, once Corosync there has taken the configuration."""
    arguments = ["fresh" if plan.fresh else "keep", dc_deadtime_s]
    before = act.touched
    done = act.do(act.name, scripts.INSTALL, arguments, stdin=key + "\n" + plan.node_text, check=False)
    if done.rc == scripts.REFUSED_FILE:
        act.touched = before
        raise _refused_conf(act, act.name, done, "Nothing was changed")
    if done.rc != 0:
        raise NodeError(act.name, ["sh", "-c", "the installation"], done.rc, done.stderr)


def configure(act: Act, seen: t.Sequence[membership.Seen], text: str) -> None:
    """The text onto every member that has another one, and one reload at the end, which all members hear.

    Where all have it already an earlier run may have been ended just before its reload, so it is made good. Where Corosync refuses the
    text, before it is in place or at the reload, or it can't be written somewhere, every member gets its old one back. Only where the answer
    to the reload is lost nothing is put back: the members may run with the new one.
    """
    differing = [member for member in seen if member.text != text] or list(seen[:1])
    before = act.touched
    for number, member in enumerate(differing):
        what = "reload" if member is differing[-1] else "write"
        try:
            done = act.do(member.host, scripts.CONFIGURE, [what], stdin=text, check=False)
        except NodeError as error:
            if what == "reload":
                raise
            state = "What became of its corosync.conf is not known. " + _put_back(act, differing[:number], False)
            raise NodeError(member.host, error.argv, error.rc, "%s. %s" % (error.stderr, state)) from error
        if done.rc in (scripts.REFUSED_FILE, scripts.REFUSED_RELOAD):
            written = differing[: number + (1 if done.rc == scripts.REFUSED_RELOAD else 0)]
            act.touched = before or bool(written)
            raise _refused_conf(act, member.host, done, _put_back(act, written, done.rc == scripts.REFUSED_RELOAD))
        if done.rc != 0:
            state = _put_back(act, differing[:number], False)
            raise NodeError(member.host, ["sh", "-c", "the configuration"], done.rc, "%s. %s" % (done.stderr.strip(), state))


def _put_back(act: Act, written: t.Sequence[membership.Seen], reload: bool) -> str:
    """Every member's old corosync.conf to its place, and one more reload where one was refused; what came of it, as a clause."""
    failed = []
    for member in written:
        what = "reload" if reload and member is written[-1] else "write"
        try:
            act.do(member.host, scripts.CONFIGURE, [what, "back"], stdin=member.text)
        except NodeError as error:
            failed.append("not on %s (%s; corosync.conf.before is the old one)" % (member.host, error))
    if not written:
        return "No member's file was changed"
    return "Every member has its old file again" + "".join(", but " + one for one in failed)


def _refused_conf(act: Act, host: str, done: Result, state: str) -> Refused:
    what = "the new corosync.conf" if done.rc == scripts.REFUSED_FILE else "to load the new corosync.conf"
    sentence = "%s: Corosync on %s refuses %s: %s. %s; correct what it names in the members' corosync.conf, then run it again."
    return Refused(Refusal("join_refused", sentence % (act.name, host, what, scripts.corosync_words(done.stderr), state)))


def with_text(seen: t.Sequence[membership.Seen], text: str) -> list[membership.Seen]:
    """The members as they are after this text was written."""
    return [dataclasses.replace(member, text=text) for member in seen]
