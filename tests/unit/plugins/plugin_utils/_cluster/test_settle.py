# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""Reading what Pacemaker shows when a wait is over: which copies run, which may be down, and why the others do not."""

from __future__ import annotations

import pytest
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.settle import Copy, parse_copies, why_not_settled

SEEN = """<pacemaker-result><resources>
<group id="ledger"><resource id="data" role="Started" managed="true" failed="false"><node name="n1"/></resource>
<resource id="app" role="Stopped" managed="true" failed="false"/></group>
<clone id="web-clone"><resource id="web" role="Started" managed="true" failed="false"><node name="n1"/></resource>
<resource id="web" role="Starting" managed="true" failed="false" pending="Starting"><node name="n2"/></resource></clone>
<resource id="off" role="Stopped" target_role="Stopped" managed="true" failed="false"/>
<resource id="hands-off" role="Stopped" managed="false" failed="false"/>
<resource id="my_vm" role="Stopped" managed="true" failed="false"/>
<resource id="sick" role="Started" managed="true" failed="true"><node name="n1"/></resource>
</resources><failures>
<failure op_key="app_start_0" node="n1" exitstatus="not installed" exitreason="no such unit" exitcode="5"/>
<failure op_key="sick_monitor_10000" node="n1" exitstatus="not running" exitreason="" exitcode="7"/>
<failure op_key="my_vm_migrate_to_0" node="n1" exitstatus="error" exitreason="" exitcode="1"/>
</failures></pacemaker-result>"""


def test_what_pacemaker_shows_is_read() -> None:
    copies = {(one.resource, one.node): (one.up, one.excused) for one in parse_copies(SEEN)}
    assert copies == {
        ("data", "n1"): (True, False),
        ("app", None): (False, False),
        ("web", "n1"): (True, False),
        ("web", "n2"): (False, False),
        ("off", None): (False, True),
        ("my_vm", None): (False, False),
        ("hands-off", None): (False, True),
        ("sick", "n1"): (False, False),
    }


@pytest.mark.parametrize(
    "named, said",
    [
        (["data", "web", "off", "hands-off"], None),
        (["ledger", "nobody"], None),
        (["app"], "app is not running (start of app on n1: no such unit)"),
        (["my_vm"], "my_vm is not running (migrate_to of my_vm on n1: error)"),
        (["app", "sick"], "app, sick are not running (start of app on n1: no such unit; monitor of sick on n1: not running)"),
    ],
)
def test_only_named_resources_that_nobody_stopped_must_run(named: list[str], said: str | None) -> None:
    assert why_not_settled(SEEN, named) == said


def test_without_quorum_that_is_why() -> None:
    seen = SEEN.replace("<resources>", '<summary><current_dc present="true" with_quorum="false"/></summary><resources>')
    assert why_not_settled(seen, ["off", "web"]) is None
    told = "hands-off is not running"
    assert (
        why_not_settled(seen.replace('managed="false"', 'managed="true"'), ["hands-off"])
        == f"{told} (the cluster has no quorum, so it starts nothing)"
    )


COPIES = {
    "one that runs": ('role="Started"', ["n1"], [("n1", True, False)]),
    "one that runs twice": ('role="Started"', ["n1", "n2"], [("n1", True, False), ("n2", True, False)]),
    "a promoted one": ('role="Promoted"', ["n1"], [("n1", True, False)]),
    "an unpromoted one": ('role="Unpromoted"', ["n1"], [("n1", True, False)]),
    "a promoted one of older times": ('role="Master"', ["n1"], [("n1", True, False)]),
    "an unpromoted one of older times": ('role="Slave"', ["n1"], [("n1", True, False)]),
    "one that is being started": ('role="Starting"', ["n1"], [("n1", False, False)]),
    "one that failed": ('role="Started" failed="true"', ["n1"], [("n1", False, False)]),
    "one that is being stopped": ('role="Started" pending="Stopping"', ["n1"], [("n1", False, False)]),
    "one that is being looked at": ('role="Started" pending="Monitoring"', ["n1"], [("n1", True, False)]),
    "one that runs on no node": ('role="Started"', [], [(None, False, False)]),
    "one that somebody stopped": ('role="Stopped" target_role="stopped"', [], [(None, False, True)]),
    "one that somebody wants": ('role="Stopped" target_role="Started"', [], [(None, False, False)]),
    "one that nobody manages": ('role="Started" managed="false"', ["n1"], [("n1", True, True)]),
    "one without a role": ("", ["n1"], [("n1", False, False)]),
}


@pytest.mark.parametrize("fields, nodes, expected", COPIES.values(), ids=COPIES.keys())
def test_a_copy_is_up_if_it_runs_without_trouble(fields: str, nodes: list[str], expected: list[tuple[str | None, bool, bool]]) -> None:
    inside = "".join(f'<node name="{name}"/>' for name in nodes)
    seen = (
        f'<pacemaker-result><resources><clone id="c"><resource id="r:1" {fields}>{inside}</resource></clone></resources></pacemaker-result>'
    )
    assert parse_copies(seen) == tuple(Copy("r", *one) for one in expected)


DOWN = """<pacemaker-result><resources>
<resource id="quiet" role="Stopped"/>
<clone id="c"><resource id="web:0" role="Started"><node name="n1"/></resource><resource id="web:1" role="Stopped"/></clone>
<clone id="d"><resource id="mail:0" role="Stopped"/><resource id="mail:1" role="Stopped"/></clone>
<clone id="e"><resource id="half:0" role="Stopped" target_role="Stopped"/><resource id="half:1" role="Stopped"/></clone>
</resources><failures><failure op_key="mail:1_start_0" node="n2" exitreason="no"/></failures></pacemaker-result>"""


@pytest.mark.parametrize(
    "named, said",
    [
        (["quiet"], "quiet is not running (Pacemaker reports no failure)"),
        (["web"], None),
        (["quiet", "mail"], "mail, quiet are not running (start of mail:1 on n2: no)"),
        (["half"], "half is not running (Pacemaker reports no failure)"),
        ([], None),
    ],
)
def test_one_copy_that_runs_is_enough_and_every_failure_is_told(named: list[str], said: str | None) -> None:
    assert why_not_settled(DOWN, named) == said
