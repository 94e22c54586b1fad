# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""Cases of the rules on constraints between services, meta attributes and what is passed on to Pacemaker: name -> (cluster, path -> words)."""

from __future__ import annotations

from typing import Any

TWO = [{"name": "web"}, {"name": "ledger"}]
WHOLE = {
    "location": [{"name": "a", "service": "web", "node": "n1", "score": 1}],
    "colocation": [{"name": "b", "service": "ledger", "with": "web"}],
    "order": [{"name": "c", "first": "web", "then": "ledger"}],
}
PASSED = {
    "properties": {"x": 1},
    "resource_defaults": {"x": "y"},
    "operation_defaults": {"timeout": "9s"},
    "resources": [{"id": "a", "agent": "systemd:a", "utilization": {"cpu": 1}}],
    "groups": [{"id": "g", "members": ["a"]}],
    "clones": [{"resource": "g"}],
    "alerts": [{"id": "t", "path": "/bin/true", "recipients": [{"id": "me", "value": "me"}]}],
    "nodes": [{"name": "n1", "attributes": {"rack": "a"}}],
    "constraints": {"tickets": [{"id": "s", "resource": "g-clone", "ticket": "t"}]},
}

CASES: dict[str, dict[str, tuple[Any, dict[str, str]]]] = {
    "constraints_name_services": {
        "services of the file": ({"services": TWO, "constraints": WHOLE}, {}),
        "a service that is none, on either side": (
            {"services": TWO, "constraints": {"colocation": [{"name": "a", "service": "webb", "with": "legder"}]}},
            {
                "cluster.constraints.colocation[0].service": "'webb' is no service; one of the names",
                "cluster.constraints.colocation[0].with": "'legder' is no service; one of the names",
            },
        ),
        "one service on both sides": (
            {"services": TWO, "constraints": {"order": [{"name": "a", "first": "web", "then": "web"}]}},
            {"cluster.constraints.order[0].then": "named on both sides; another service"},
        ),
        "a name that a constraint which is passed on has": (
            {"services": TWO, "constraints": WHOLE, "pacemaker": {"constraints": {"tickets": [{"id": "a"}]}}},
            {
                "cluster.pacemaker.constraints.tickets[0].id": "'a' is taken already by cluster.constraints.location[0].name; an id of its own"
            },
        ),
        "a name that another kind has": (
            {"services": TWO, "constraints": {**WHOLE, "order": [{"name": "b", "first": "web", "then": "ledger"}]}},
            {"cluster.constraints.order[0].name": "'b' is taken already by cluster.constraints.colocation[0].name; a name of its own"},
        ),
    },
    "meta_is_not_ours": {
        "those of Pacemaker": (
            {"services": [{"meta": {"priority": 1}, "resource": {"meta": {"x": 1}}, "group": [{"meta": {"y": 1}}]}]},
            {},
        ),
        "our mark, passed on": (
            {"pacemaker": {"resources": [{"meta": {"ondemand-service": ""}}], "alerts": [{"meta": {"ondemand-x": 1}}]}},
            {
                "cluster.pacemaker.resources[0].meta.ondemand-service": "begins with ondemand-",
                "cluster.pacemaker.alerts[0].meta.ondemand-x": "begins with ondemand-",
            },
        ),
        "our mark, wherever": (
            {
                "services": [
                    {"meta": {"ondemand-service": 1}, "resource": {"meta": {"ondemand-x": 1}}, "group": [{"meta": {"ondemand-": 1}}]}
                ]
            },
            {
                "cluster.services[0].meta.ondemand-service": "begins with ondemand-; one of Pacemaker's own",
                "cluster.services[0].resource.meta.ondemand-x": "begins with ondemand-",
                "cluster.services[0].group[0].meta.ondemand-": "begins with ondemand-",
            },
        ),
    },
    "pacemaker_can_be_planned": {
        "two operations that are one": (
            {
                "pacemaker": {
                    "resources": [{"id": "a", "agent": "systemd:a", "operations": [{"name": "start"}, {"name": "start", "timeout_s": 9}]}]
                }
            },
            {"cluster.pacemaker.resources[0].operations[1]": "start with this interval is stated already; each operation once"},
        ),
        "two recipients of one id": (
            {"pacemaker": {"alerts": [{"id": "t", "path": "/x", "recipients": [{"id": "me", "value": "a"}, {"id": "me", "value": "b"}]}]}},
            {"cluster.pacemaker.alerts[0].recipients[1].id": "me is named at; an id that nothing else has"},
        ),
        "all that can be passed on": ({"pacemaker": PASSED}, {}),
        "nothing": ({"pacemaker": {}}, {}),
        "what can't, by its name": (
            {
                "pacemaker": {
                    "bundles": [{"id": "box"}],
                    "templates": [],
                    "acls": {},
                    "tags": [],
                    "fencing-topology": [],
                    "Fencing_Topology": [],
                    "box": [],
                    "absent": ["a"],
                    "unless_set": {},
                }
            },
            {
                "cluster.pacemaker.bundles": "containers that Pacemaker runs (bundles) are not managed by this collection; left out: make them by pcs, ",
                "cluster.pacemaker.templates": "templates of resources are not managed by this collection; ",
                "cluster.pacemaker.acls": "permissions (ACLs) are not managed by this collection; ",
                "cluster.pacemaker.tags": "tags are not managed by this collection; ",
                "cluster.pacemaker.fencing-topology": "levels of fencing (the topology) are not managed by this collection; ",
                "cluster.pacemaker.Fencing_Topology": "left untouched",
                "cluster.pacemaker.box": "'box' can't be passed on; one of properties, ",
                "cluster.pacemaker.absent": "can't be passed on",
                "cluster.pacemaker.unless_set": "can't be passed on",
            },
        ),
        "something wrong deep inside": (
            {"pacemaker": {**PASSED, "alerts": [{"id": "t", "path": "x", "recipients": [{"id": "1", "value": "a"}]}]}},
            {"cluster.pacemaker.alerts[0].recipients[0].id": "wrong value; an id"},
        ),
    },
}
