# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors

"""What of a corosync.conf our arithmetic of votes (quorum.py) does not hold for. Pure.

Nothing here makes such a file, but a person may have. A join or leave over it would be promised a quorum that Corosync reckons otherwise, so it
is refused by the option's name.
"""

from __future__ import annotations

from typing import List, Optional, Sequence

from .corosync_conf import Conf

PROVIDER = "corosync_votequorum"
OPTIONS = {
    "auto_tie_breaker": "with which half of the votes may be a quorum",
    "last_man_standing": "with which Corosync lowers the expected votes by itself some time after a loss",
    "allow_downscale": "with which Corosync lowers the expected votes by itself when a node stops",
}
"""options of votequorum(5) that are on with 1 -> why they are not reckoned with"""
WHAT_TO_DO = "take it out of corosync.conf on all members (corosync-cfgtool -R loads that), or change the list of members by hand"


def is_on(conf: Conf, option: str) -> bool:
    """Whether the file switches an option of the quorum section on; of several lines the last one counts."""
    stated = [one.get(option) for one in conf.root.sections("quorum") if one.get(option) is not None]
    return bool(stated) and stated[-1] != "0"


def why_not_reckoned(conf: Conf) -> Optional[str]:
    """Why nobody can tell here what Corosync would count with this file, as a clause; None where it can be told."""
    found: List[str] = ["has %s, %s" % (option, why) for option, why in OPTIONS.items() if is_on(conf, option)]
    nameless = [node.name or "one without a name" for node in conf.nodes if node.id == 0]
    if nameless:
        found.append("has no nodeid for %s, so that nobody knows whose vote is whose" % ", ".join(nameless))
    if not found:
        return None
    what = "give each entry of the nodelist a nodeid, its own" if nameless else WHAT_TO_DO
    return "its corosync.conf %s; %s" % (" and ".join(found), what)


def why_joiner_waits(conf: Conf, missing: Sequence[str]) -> Optional[str]:
    """That a node that starts with this file would have no quorum as long as these are missing, as a clause; None where it would."""
    if not missing or not is_on(conf, "wait_for_all"):
        return None
    return (
        "its corosync.conf has wait_for_all, with which a node that starts has no quorum before it has seen all others, and %s is missing; bring it back first"
        % ", ".join(missing)
    )


def why_nobody_counts(conf: Conf) -> Optional[str]:
    """That Corosync counts no votes with this file, as a clause; None where it does."""
    providers = [one.get("provider") for one in conf.root.sections("quorum") if one.get("provider")]
    if providers and providers[-1] == PROVIDER:
        return None
    return (
        "its corosync.conf names no quorum provider %s, so that nobody counts votes, and each part of a cut cluster would go on alone"
        % PROVIDER
    )
