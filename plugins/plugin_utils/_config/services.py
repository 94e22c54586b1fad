# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors

"""The rules of the cluster file on what Pacemaker gets: names of resources, constraints between services, and what is passed on. Pure."""

from __future__ import annotations

import re
from typing import Any, Dict, Iterator, List, Tuple

from .._cluster import marks
from .._cluster.cib_spec import check_config
from .._cluster.unmanaged import why_unmanaged
from .errors import Path, path_text, shown

Found = Iterator[Tuple[Path, str, str]]

PASSED = ("properties", "resource_defaults", "operation_defaults", "resources", "groups", "clones", "alerts", "nodes", "constraints")
"""the parts of cluster_config's configuration that a cluster file may have"""
NAMING = {"location": ("service",), "colocation": ("service", "with"), "order": ("first", "then")}
"""the fields of each kind of constraint that name a service"""


def _list(holder: Any, key: str) -> List[Tuple[int, Dict[str, Any]]]:
    found = holder.get(key) if isinstance(holder, dict) else None
    return [(i, one) for i, one in enumerate(found) if isinstance(one, dict)] if isinstance(found, list) else []


def _services(cluster: Any) -> List[Tuple[int, Dict[str, Any]]]:
    return _list(cluster, "services")


def _passed(cluster: Any) -> Any:
    return cluster.get("pacemaker") if isinstance(cluster, dict) else None


def constraints_name_services(cluster: Any) -> Found:
    """A constraint has a name of its own and is about services of the file, two different ones."""
    there = [one.get("name") for _i, one in _services(cluster)]
    stated = cluster.get("constraints") if isinstance(cluster, dict) else None
    seen: Dict[str, Path] = {}
    for kind, fields in NAMING.items():
        for i, one in _list(stated, kind):
            here: Path = ("cluster", "constraints", kind, i)
            name = one.get("name")
            if isinstance(name, str) and name in seen:
                yield here + ("name",), "%s is taken already by %s" % (shown(name), path_text(seen[name])), "a name of its own"
            elif isinstance(name, str):
                seen[name] = here + ("name",)
            for field in fields:
                if isinstance(one.get(field), str) and one[field] not in there:
                    yield here + (field,), "%s is no service of the file" % shown(one[field]), "one of the names in services"
            if len(fields) == 2 and isinstance(one.get(fields[0]), str) and one[fields[0]] == one.get(fields[1]):
                yield here + (fields[1],), "%s is named on both sides" % shown(one[fields[1]]), "another service"
    given = _passed(cluster)
    for kind in (*NAMING, "tickets"):
        for i, one in _list(given.get("constraints") if isinstance(given, dict) else None, kind):
            if isinstance(one.get("id"), str) and one["id"] in seen:
                path: Path = ("cluster", "pacemaker", "constraints", kind, i, "id")
                yield path, "%s is taken already by %s" % (shown(one["id"]), path_text(seen[one["id"]])), "an id of its own"


def meta_is_not_ours(cluster: Any) -> Found:
    """Meta attributes that begin with our mark are how we know our own again."""
    holders: List[Tuple[Path, Any]] = []
    for i, service in _services(cluster):
        holders += [(("cluster", "services", i), service), (("cluster", "services", i, "resource"), service.get("resource"))]
        holders += [(("cluster", "services", i, "group", j), one) for j, one in _list(service, "group")]
    for kind in ("resources", "groups", "clones", "alerts"):
        holders += [(("cluster", "pacemaker", kind, i), one) for i, one in _list(_passed(cluster), kind)]
    for path, holder in holders:
        meta = holder.get("meta") if isinstance(holder, dict) else None
        for name in meta if isinstance(meta, dict) else ():
            if isinstance(name, str) and name.startswith(marks.OURS):
                yield path + ("meta", name), "%s begins with %s, as our own do" % (shown(name), marks.OURS), "one of Pacemaker's own"


def _path(text: str) -> Path:
    """The path of one of check_config's problems, as one of the cluster file."""
    parts = re.findall(r"[^.\[\]]+", text.partition("config")[2])
    return ("cluster", "pacemaker") + tuple(int(one) if one.isdigit() else one for one in parts)


def pacemaker_can_be_planned(cluster: Any) -> Found:
    """What is passed on to Pacemaker is what cluster_config can carry out; the rest is refused by its name."""
    given = _passed(cluster)
    if not isinstance(given, dict):
        return
    for name in given:
        if name not in PASSED:
            usual = ("%s can't be passed on" % shown(name), "one of " + ", ".join(PASSED))
            yield (("cluster", "pacemaker", str(name)), *(why_unmanaged(name) or usual))
    for one in check_config({name: value for name, value in given.items() if name in PASSED}):
        yield _path(one["path"]), one["problem"], one["should_be"]


def passed_resources(cluster: Any) -> List[Tuple[Path, Any]]:
    """Path and id of every resource, group and clone that is passed on: each needs an id of its own."""
    given = _passed(cluster)
    found: List[Tuple[Path, Any]] = []
    for kind in ("resources", "groups", "clones", "alerts"):
        for i, one in _list(given, kind):
            implied = "%s-clone" % one.get("resource") if kind == "clones" else None
            found.append((("cluster", "pacemaker", kind, i, "id"), one.get("id", implied)))
    return found


RULES = (constraints_name_services, meta_is_not_ours, pacemaker_can_be_planned)
