# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors

"""What becomes of the members' corosync.conf when a node is created, joins or leaves. Pure: observations in, texts or refusal out.

Every plan is made from what is there, so a run that was killed half-way is finished by the next one: what is right already is
not written again. Between one node and two, `two_node: 1` stands in the old member's file (and only there) for the moment in which
the other one is not there: without it the member would lose quorum and stop its services, and with it in both files two separated
nodes could each believe to be the cluster.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Sequence, Tuple, Union

from ...module_utils._contract.refusal import Refusal
from . import corosync_conf, withheld
from .corosync_conf import Conf, Node
from .seen import Seen
from .status import Status


@dataclass(frozen=True)
class Plan:
    """The texts of corosync.conf. member_now goes to the old members before the node starts or stops, member_then afterwards.

    passing: member_now has the passing two_node.
    """

    node: Node
    node_text: str
    member_now: str
    member_then: str
    fresh: bool = False
    passing: bool = False


def plan_create(host: Seen, cluster: str, name: str, address: str, token_ms: int) -> Union[Plan, Refusal]:
    """The first member's file. A cluster of this node alone is finished; one with others is left as it is."""
    if host.in_no_cluster or host.conf is None:
        node = Node(name, address, 1)
        text = corosync_conf.render(corosync_conf.first_conf(cluster, node, token_ms))
        return Plan(node, text, text, text, fresh=True)
    listed = host.conf.node(name)
    if listed is None or host.conf.cluster != cluster:
        return Refusal(
            "join_refused",
            "%s was not made the first member of %s: its corosync.conf belongs to the cluster %s with %s; take it out of that one first (state absent)."
            % (name, cluster, host.conf.cluster or "without a name", _names(host.conf.nodes)),
        )
    if listed.address != address:
        return _other_address(name, listed.address, address)
    if len(host.conf.nodes) > 1 and not host.active:
        return Refusal(
            "join_refused",
            "%s was not created: it is a member of %s together with others and does not run; use state member." % (name, cluster),
        )
    return Plan(listed, host.text, host.text, host.text)


def agreed_conf(members: Sequence[Seen], *leaving_or_joining: str) -> Union[Conf, Refusal]:
    """The one configuration that all members have, apart from the nodes in question and the passing two_node.

    An interrupted join or leave differs in exactly these two, and is finished. Any other difference, or another key, is refused:
    reloading would spread a state that nobody chose.
    """
    confs = [(member, member.conf) for member in members if member.conf is not None]
    lacking = [member.host for member in members if member.conf is None]
    if lacking or not confs:
        return Refusal(
            "join_refused", "Nothing was changed: %s has no corosync.conf; repair it or take it out of the list." % ", ".join(lacking)
        )
    for member, conf in confs:
        try:
            conf.highest_id  # noqa: B018
        except corosync_conf.ConfError as error:
            return Refusal("join_refused", "Nothing was changed: corosync.conf on %s: %s." % (member.host, error))
    cores = {member.host: _core(conf, *leaving_or_joining) for member, conf in confs}
    first = members[0].host
    others = [host for host, core in cores.items() if core != cores[first]]
    if others:
        return Refusal(
            "join_refused",
            "Nothing was changed: corosync.conf on %s differs from the one on %s; make them equal first (compare them, copy the right one, "
            "corosync-cfgtool -R)." % (", ".join(others), first),
        )
    keys = [member.host for member in members if member.key != members[0].key or not member.key]
    if keys:
        return Refusal("join_refused", "Nothing was changed: /etc/corosync/authkey on %s is not the one on %s." % (", ".join(keys), first))
    # Of two half-done states the one that knows more (the entry, the highest id) is the better base.
    return max((conf for _member, conf in confs), key=lambda conf: (conf.highest_id, len(conf.nodes)))


def plan_join(members: Sequence[Seen], host: Seen, status: Status, name: str, address: str) -> Union[Plan, Refusal]:
    """Everybody's file with the new node in it. members are all listed nodes but this one."""
    conf = agreed_conf(members, name)
    if isinstance(conf, Refusal):
        return conf
    # Who joins is there again, whatever was said of it.
    conf = withheld.released(conf, [name])
    listed = conf.node(name)
    if listed is not None and listed.address != address:
        return _other_address(name, listed.address, address)
    taken = [node.name for node in conf.nodes if node.address == address and node.name != name]
    if taken:
        return Refusal("join_refused", "%s did not join: its address %s is already that of %s." % (name, address, taken[0]))
    if not host.in_no_cluster and host.conf is not None and host.conf.cluster != conf.cluster:
        return Refusal(
            "join_refused",
            "%s did not join %s: it belongs to the cluster %s; take it out of that one first (state absent)."
            % (name, conf.cluster, host.conf.cluster),
        )
    links = corosync_conf.link_problem(conf)
    if listed is None and links:
        return Refusal("join_refused", "%s did not join %s: in its corosync.conf %s." % (name, conf.cluster, links))
    known = [member.id for member in status.members]
    node = listed or Node(name, address, max([conf.highest_id] + known) + 1)
    final = corosync_conf.with_one_vote_enough(corosync_conf.with_node(conf, node), False)
    text = corosync_conf.render(final)
    there = any(member.name == name and member.votes for member in status.members)
    # Who is on the list and comes back without changing it brings its own vote: nobody may have quorum before that.
    back = listed is not None and not status.quorate
    staged = final if there or back else corosync_conf.staged(final, name)
    fresh = host.conf is None or host.conf.node(name) != node or not host.key or host.key != members[0].key
    return Plan(node, text, corosync_conf.render(staged), text, fresh=fresh, passing=staged.two_node)


def plan_leave(members: Sequence[Seen], name: str, node_id: int = 0, may_return: bool = False) -> Union[Plan, Refusal]:
    """Everybody's file without the node; in between, from two nodes to one, the passing two_node.

    node_id: its number, by which it is found where its entry has no name; may_return: what it is called stays withheld, where it is.
    """
    entry = next((one.conf.entry_of(name, node_id) for one in members if one.conf is not None), name)
    conf = agreed_conf(members, entry)
    if isinstance(conf, Refusal):
        return conf
    node = conf.node(entry) or Node(name, "", 0)
    if not may_return:
        # Who is gone for good is withheld no longer.
        conf = withheld.released(conf, [entry])
    final = corosync_conf.with_one_vote_enough(corosync_conf.without_node(conf, entry), False)
    staged = conf if conf.node(entry) is None else corosync_conf.staged(conf)
    return Plan(node, "", corosync_conf.render(staged), corosync_conf.render(final), passing=staged.two_node)


def plan_let_go(members: Sequence[Seen], lost: Sequence[Tuple[str, int]], may_return: Sequence[str] = ()) -> Union[str, Refusal]:
    """Everybody's file without the lost ones (name and number of each), in one step: as long as one of them is listed its vote is missing.

    may_return: those of them whose VMs may come back; what they are called and where they were reached is withheld from new ones.
    """
    conf = agreed_conf(members, *[one.conf.entry_of(*each) for each in lost for one in members if one.conf is not None])
    if isinstance(conf, Refusal):
        return conf
    left = [node for node in conf.nodes if node.name in may_return]
    for name, node_id in lost:
        conf = corosync_conf.without_node(conf, conf.entry_of(name, node_id))
    conf = withheld.withhold(conf, left)
    return corosync_conf.render(corosync_conf.with_one_vote_enough(conf, False))


def _core(conf: Conf, *names: str) -> str:
    """What must be equal on all members."""
    for name in names:
        conf = corosync_conf.without_node(conf, name)
    bare = corosync_conf.with_one_vote_enough(conf, False)
    return "".join(line for line in corosync_conf.render(bare).splitlines(True) if not line.strip().startswith("#"))


def _other_address(name: str, listed: str, given: str) -> Refusal:
    return Refusal(
        "join_refused",
        "%s was not changed: it is a member with the address %s, not %s; let it leave first (state absent)." % (name, listed, given),
    )


def _names(nodes: Sequence[Node]) -> str:
    return ", ".join(node.name for node in nodes) or "no nodes"
