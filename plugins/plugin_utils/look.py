# Copyright: (c) 2026, the ondemand.cluster contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Look at nodes and at the cluster they form, through the one door. Used by cluster_info and cluster_node."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.ondemand.cluster.plugins.module_utils._cluster import corosync_conf, membership, status
from ansible_collections.ondemand.cluster.plugins.module_utils._cluster.membership_scripts import OBSERVE, sections
from ansible_collections.ondemand.cluster.plugins.module_utils._shared.refusal import Refusal, Refused
from ansible_collections.ondemand.cluster.plugins.plugin_utils.nodes import NodeError, Nodes


@dataclasses.dataclass(frozen=True)
class Look:
    """The cluster as `host` tells it, and that host's own files."""

    host: str
    seen: membership.Seen
    status: status.Status


def look_at(nodes: Nodes, host: str) -> membership.Seen:
    """The files of one host, in one trip. Raises NodeError when it cannot be reached, Refused when its file cannot be read."""
    return _seen(host, sections(nodes.script(host, OBSERVE, ["files"], timeout_s=60).stdout))


def look_through(nodes: Nodes, hosts: t.Sequence[str]) -> tuple[Look | None, dict[str, str], list[str]]:
    """The cluster, told by the first of the hosts that is a running member.

    Returns the look (None: none of them is one), why each earlier host gave no answer, and which of them were unreachable.
    """
    because: dict[str, str] = {}
    unreachable: list[str] = []
    for host in hosts:
        try:
            parts = sections(nodes.script(host, OBSERVE, ["all"], timeout_s=90).stdout)
        except NodeError as error:
            because[host] = str(error)
            unreachable.append(host)
            continue
        if parts.get("pacemaker", (3, ""))[0] != 0:
            because[host] = "%s runs no Pacemaker" % host
            continue
        try:
            return Look(host, _seen(host, parts), status.parse(parts)), because, unreachable
        except status.StatusError as error:
            because[host] = "%s: %s" % (host, error)
    return None, because, unreachable


def _seen(host: str, parts: dict[str, tuple[int, str]]) -> membership.Seen:
    try:
        return membership.seen(host, parts)
    except corosync_conf.ConfError as error:
        raise Refused(
            Refusal("join_refused", "Nothing was changed: corosync.conf on %s cannot be read (%s); repair it first." % (host, error))
        ) from error
