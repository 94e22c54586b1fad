# Copyright: (c) 2026, the ondemand.cluster contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Look at nodes and at the cluster they form, through the one door. Used by cluster_info and cluster_node."""

from __future__ import annotations

import dataclasses
import typing as t
from xml.etree import ElementTree

from ansible_collections.ondemand.cluster.plugins.module_utils._contract.refusal import Refusal, Refused
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster import corosync_conf, simulation, status, withheld
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.cib import CibError
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.membership_scripts import OBSERVE, sections
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.seen import Seen, seen
from ansible_collections.ondemand.cluster.plugins.plugin_utils.nodes import NodeError, Nodes

NO_PACEMAKER = "%s is configured for a cluster and runs no Pacemaker"


@dataclasses.dataclass(frozen=True)
class Look:
    """The cluster as `host` tells it, and that host's own files."""

    host: str
    seen: Seen
    status: status.Status


def look_at(nodes: Nodes, host: str) -> Seen:
    """The files of one host, in one trip. Raises NodeError when it cannot be reached, Refused when its file cannot be read."""
    return _seen(host, sections(nodes.script(host, OBSERVE, ["files"], timeout_s=60).stdout))


def look_through(nodes: Nodes, hosts: t.Sequence[str]) -> tuple[Look | None, dict[str, str], list[str]]:
    """The cluster, told by the first of the hosts that is a running member with quorum, else by the first running member.

    Returns the look (None: none of them is one), why each other host gave no answer, and which of them may be members all the
    same: they were not reached, or their Pacemaker runs but does not answer yet.
    """
    because: dict[str, str] = {}
    unsure: list[str] = []
    best: Look | None = None
    for host in hosts:
        try:
            look = _look(nodes, host)
        except NodeError as error:
            because[host] = str(error)
            unsure.append(host)
        except status.StatusError as error:
            because[host] = "%s: %s" % (host, error)
            unsure.append(host)
        else:
            if isinstance(look, str):
                because[host] = look
            elif look.status.quorate:
                return _rightful(nodes, look, [one for one in hosts if one not in because]), because, unsure
            else:
                because[host] = "%s has no quorum" % host
                best = best or look
    return best, because, unsure


def _rightful(nodes: Nodes, look: Look, hosts: t.Sequence[str]) -> Look:
    """The look, or that of the part which let this one go: members that come back together with a dead host have quorum among themselves.

    Only hosts that the look does not see are asked. Raises Refused where two parts have quorum and neither let the other one go.
    """
    for host in hosts:
        if _sees(look, host):
            continue
        try:
            other = _look(nodes, host)
        except (NodeError, status.StatusError):
            continue
        # Who sees the other one is of the same part, looked at a moment earlier or later.
        if isinstance(other, str) or not other.status.quorate or host in _let_go_by(look) or _sees(other, look.host):
            continue
        if look.host not in _let_go_by(other):
            sentence = "two parts of the cluster %s have quorum, and neither let the other one go: %s, and %s. Stop the VMs of the one that is not to be."
            raise Refused(Refusal("unstable", sentence % (look.status.cluster, _part(look), _part(other))))
        look = other
    return look


def _sees(look: Look, host: str) -> bool:
    return host == look.host or any(member.name == host and (member.online or member.votes) for member in look.status.members)


def _let_go_by(look: Look) -> set[str]:
    """Names of the nodes that this part of the cluster let go, and that may come back."""
    return {name for name, _address in withheld.withheld(look.status.conf)} if look.status.conf else set()


def _part(look: Look) -> str:
    return "%s (as %s tells)" % (", ".join(member.name for member in look.status.members if member.online), look.host)


def simulated(nodes: Nodes, look: Look, names: t.Sequence[str]) -> Look:
    """The look with what Pacemaker would do if each of these nodes had to be empty, asked on the host that told it.

    A question without an answer is no "yes": the rules then say that it was not answered.
    """
    found = dict(look.status.simulated)
    for name in names:
        try:
            found[name] = simulation.emptying(look.status.cib, name, lambda cib: ask(nodes, look.host, cib))
        except (CibError, NodeError) as error:
            found[name] = simulation.Effects(unknown=str(error))
    return dataclasses.replace(look, status=dataclasses.replace(look.status, simulated=found))


def ask(nodes: Nodes, host: str, cib: ElementTree.Element) -> str:
    """What the scheduler on a host makes of a CIB. The CIB goes in by stdin, which no log shows."""
    text = ElementTree.tostring(cib, encoding="unicode")
    return nodes.script(host, simulation.SIMULATE, stdin=text, timeout_s=90, check=False, untold=True).stdout


def _look(nodes: Nodes, host: str) -> Look | str:
    """What one host tells, or why it is in no cluster."""
    parts = sections(nodes.script(host, OBSERVE, ["all"], timeout_s=90, untold=True).stdout)
    files = _seen(host, parts)
    runs = parts.get("pacemaker", (3, ""))[0] == 0
    if files.conf is None and not runs:
        return "%s runs no Pacemaker" % host
    try:
        alone = files.in_no_cluster
    except corosync_conf.ConfError as error:
        raise status.StatusError("corosync.conf cannot be read: %s" % error) from error
    if alone:
        return "%s is in no cluster (its corosync.conf is the distribution's example)" % host
    if not runs:
        return NO_PACEMAKER % host
    return Look(host, files, status.parse(parts))


def _seen(host: str, parts: dict[str, tuple[int, str]]) -> Seen:
    try:
        return seen(host, parts)
    except corosync_conf.ConfError as error:
        raise Refused(
            Refusal("join_refused", "Nothing was changed: corosync.conf on %s cannot be read (%s); repair it first." % (host, error))
        ) from error
