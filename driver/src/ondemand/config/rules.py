# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The rules of the cluster file that compare fields with each other, and the words in which every problem is told.

Pure, standard library, Python 3.8 syntax: this file exists twice, as driver/src/ondemand/config/rules.py and as
plugins/plugin_utils/cluster_rules.py, because neither side of the wall may import the other. A test fails when they differ.
Every rule takes the plain data of `cluster`, ignores what has the wrong shape (the schema tells that) and yields problems.
"""

from __future__ import annotations

import difflib
import ipaddress
import math
from typing import Any, Callable, Dict, Iterator, List, Optional, Sequence, Tuple, Union

Path = Tuple[Union[str, int], ...]
Problem = Dict[str, str]
Found = Iterator[Tuple[Path, str, str]]

STATS_PORT = 8404
"""the load balancer's statistics listen here on every node"""
MOST_VALUES = 20000
"""more than any cluster file has; YAML aliases can make a small text hold itself, or billions of values"""


def path_text(path: Sequence[Union[str, int]]) -> str:
    """`('cluster', 'hosts', 0, 'uri')` as `cluster.hosts[0].uri`."""
    text = ""
    for part in path:
        text += "[%d]" % part if isinstance(part, int) else ("." if text else "") + str(part)
    return text


def shown(value: Any) -> str:
    """A value for a sentence: one line, at most 60 characters."""
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def problem(path: Sequence[Union[str, int]], what: str, should_be: str) -> Problem:
    """One thing the user can put right."""
    return {"path": path_text(path), "problem": what, "should_be": should_be}


# ---------------------------------------------------------------- the words for a wrong shape


def _resolved(schema: Dict[str, Any], node: Dict[str, Any], value: Any) -> Dict[str, Any]:
    """The schema node that counts: references followed, `null` alternatives left out, the branch of the `kind` chosen."""
    while True:
        if "$ref" in node:
            target = schema["$defs"][node["$ref"].rsplit("/", 1)[1]]
            node = {**target, **{key: node[key] for key in ("description", "default") if key in node}}
            continue
        branches = [one for one in node.get("anyOf", []) if one.get("type") != "null"]
        if len(branches) == 1:
            node = branches[0]
            continue
        chooser = node.get("discriminator")
        if chooser and isinstance(value, dict):
            tag = value.get(chooser["propertyName"])
            reference = chooser["mapping"].get(tag) if isinstance(tag, str) else None
            if reference:
                node = {"$ref": reference}
                continue
        return node


def schema_at(schema: Dict[str, Any], data: Any, path: Sequence[Union[str, int]]) -> Dict[str, Any]:
    """The schema node of a path in the data; an empty one where the schema says nothing."""
    node = _resolved(schema, schema, data)
    for part in path:
        if isinstance(part, int):
            node = node.get("items", {})
            data = data[part] if isinstance(data, list) and part < len(data) else None
        else:
            extra = node.get("additionalProperties")
            node = node.get("properties", {}).get(part) or (extra if isinstance(extra, dict) else {})
            data = data.get(part) if isinstance(data, dict) else None
        node = _resolved(schema, node, data)
    return node


def expectation(node: Dict[str, Any]) -> str:
    """What a schema node wants, in words."""
    if "enum" in node or "const" in node:
        return "one of " + ", ".join(str(one) for one in node.get("enum", [node.get("const")]))
    if "discriminator" in node:
        return "a mapping whose %s is one of %s" % (
            node["discriminator"]["propertyName"],
            ", ".join(sorted(node["discriminator"]["mapping"])),
        )
    kinds = {"object": "a mapping", "array": "a list", "string": "a text", "integer": "a whole number", "number": "a number"}
    kind = kinds.get(str(node.get("type")), "true or false" if node.get("type") == "boolean" else "a text, a number, or true or false")
    if "properties" in node:
        return kind + " with " + ", ".join(node["properties"])
    words = node.get("description", "")
    return "%s: %s" % (kind, words) if words else kind


def shape_problem(schema: Dict[str, Any], data: Any, path: Sequence[Union[str, int]], kind: str, value: Any = None) -> Problem:
    """A problem of shape in words. Kinds: `missing`, `unknown` (a field nobody knows), `key` (a bad name), else a bad value."""
    node = schema_at(schema, data, path)
    if kind == "missing":
        return problem(path, "is missing", expectation(node))
    if kind == "unknown":
        known = list(schema_at(schema, data, path[:-1]).get("properties", {}))
        near = difflib.get_close_matches(str(path[-1]), known, 1)
        hint = "%s, as it seems; " % near[0] if near else ""
        return problem(path, "is no field here", "%sone of %s" % (hint, ", ".join(known)) if known else "left out")
    if kind == "key":
        names = schema_at(schema, data, path[:-1]).get("propertyNames", {})
        return problem(path, "is no right name", names.get("description", "a name"))
    return problem(path, "%s does not fit" % shown(value), expectation(node))


# ---------------------------------------------------------------- help for rules: never trip over a wrong shape


def _get(data: Any, *path: Union[str, int]) -> Any:
    for part in path:
        data = data.get(part) if isinstance(data, dict) else None
    return data


def _entries(cluster: Any, key: str) -> List[Tuple[int, Dict[str, Any]]]:
    found = _get(cluster, key)
    return [(i, one) for i, one in enumerate(found) if isinstance(one, dict)] if isinstance(found, list) else []


def _number(value: Any) -> Optional[float]:
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value) else None


def _has_control(text: str) -> bool:
    return any(ord(c) < 32 or 127 <= ord(c) < 160 or c in "\u2028\u2029" for c in text)


def _address(value: Any) -> Optional[ipaddress.IPv4Address]:
    try:
        return ipaddress.IPv4Address(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _twice(values: Sequence[Tuple[Path, Any]], what: str) -> Found:
    seen: Dict[str, Path] = {}
    for path, value in values:
        if not isinstance(value, str):
            continue
        if value in seen:
            yield path, "%s is taken already by %s" % (shown(value), path_text(seen[value])), "%s of its own" % what
        else:
            seen[value] = path


def address_range(text: Any) -> Optional[Tuple[ipaddress.IPv4Address, ipaddress.IPv4Address]]:
    """First and last address of `FIRST-LAST` or a CIDR (without its network and broadcast address); None if it is neither."""
    if not isinstance(text, str):
        return None
    try:
        if "/" in text:
            net = ipaddress.IPv4Network(text)
            return (net[0], net[-1]) if net.prefixlen > 30 else (net[1], net[-2])
        first, _dash, last = text.partition("-")
        return ipaddress.IPv4Address(first), ipaddress.IPv4Address(last)
    except ValueError:
        return None


def _network(cluster: Any) -> Optional[Tuple[ipaddress.IPv4Network, ipaddress.IPv4Address, ipaddress.IPv4Address]]:
    bounds = address_range(_get(cluster, "network", "addresses"))
    prefix = _get(cluster, "network", "prefix")
    if bounds is None or isinstance(prefix, bool) or not isinstance(prefix, int) or not 8 <= prefix <= 30:
        return None
    return ipaddress.IPv4Network("%s/%d" % (bounds[0], prefix), strict=False), bounds[0], bounds[1]


# ---------------------------------------------------------------- the rules


def texts_are_one_line(cluster: Any) -> Found:
    """Values reach line formats, XML and command lines: control characters are refused everywhere, templates too."""

    seen = 0
    left: List[Tuple[Path, Any]] = [(("cluster",), cluster)]
    while left:
        path, data = left.pop()
        seen += 1
        if seen > MOST_VALUES:
            yield ("cluster",), "has more than %d values, or holds itself" % MOST_VALUES, "a file without circular or multiplying aliases"
            return
        if isinstance(data, dict):
            for key, value in data.items():
                if isinstance(key, str) and _has_control(key):
                    yield path, "the name %s has control characters" % shown(key), "names of one line"
                left.append((path + (key if isinstance(key, (str, int)) else str(key),), value))
        elif isinstance(data, list):
            left += [(path + (i,), value) for i, value in enumerate(data)]
        elif isinstance(data, str) and _has_control(data):
            yield path, "%s has a line break or another control character" % shown(data), "a text of one line"
        elif isinstance(data, str) and any(mark in data for mark in ("{{", "{%", "{#")):
            yield path, "%s has a template" % shown(data), "the value itself: the driver reads this file too, and fills no templates"


def options_are_safe(cluster: Any) -> Found:
    """Options are written into the cluster's XML and handed to agents: no quotes, angle brackets or backslashes."""
    for i, service in _entries(cluster, "services"):
        holders: List[Tuple[Path, Any]] = [(("cluster", "services", i, "resource"), _get(service, "resource"))]
        holders += [(("cluster", "services", i, "group", j), one) for j, one in _entries(service, "group")]
        for path, holder in holders:
            options = _get(holder, "options")
            for key, value in options.items() if isinstance(options, dict) else ():
                if isinstance(value, str) and any(c in value for c in "\"'<>\\`"):
                    yield path + ("options", key), "%s has a quote, bracket or backslash" % shown(value), "a value without \" ' < > \\ `"
                elif isinstance(value, float) and not math.isfinite(value):
                    yield path + ("options", key), "%s is no usable number" % shown(value), "a finite number"


def names_are_unique(cluster: Any) -> Found:
    """Hosts, disks, policies and services have names of their own, and so has every Pacemaker resource made from them."""
    for key, what in (("hosts", "a name"), ("disks", "a name"), ("scaling", "")):
        entries = _entries(_get(cluster, key), "policies") if key == "scaling" else _entries(cluster, key)
        base: Path = ("cluster", "scaling", "policies") if key == "scaling" else ("cluster", key)
        yield from _twice([(base + (i, "name"), one.get("name")) for i, one in entries], what or "a name")
    for key, field, what in (("hosts", "uri", "a URI"), ("disks", "path", "a path")):
        yield from _twice([(("cluster", key, i, field), one.get(field)) for i, one in _entries(cluster, key)], what)
    resources: List[Tuple[Path, Any]] = [(("load balancer",), "haproxy"), (("load balancer",), "haproxy-clone")]
    for i, service in _entries(cluster, "services"):
        path: Path = ("cluster", "services", i, "name")
        name = service.get("name")
        resources.append((path, name))
        resources += [(path, "%s-%s" % (name, end)) for end in ("address", "clone") if isinstance(name, str)]
        resources += [(("cluster", "services", i, "group", j, "name"), one.get("name")) for j, one in _entries(service, "group")]
    yield from _twice(resources, "a name, also as NAME-address and NAME-clone,")


def names_fit_hostnames(cluster: Any) -> Found:
    """A VM is called NAME-nK and a host name has at most 63 characters."""
    name = _get(cluster, "name")
    if isinstance(name, str) and 58 < len(name) <= 63:
        yield ("cluster", "name"), "%s leaves no room for the ending -nK of its VMs" % shown(name), "a name of at most 58 characters"


def nodes_are_in_order(cluster: Any) -> Found:
    """The least is not above the most, and the headroom is not below the size."""
    least, most = (_number(_get(cluster, "requirement", "nodes", end)) for end in ("min", "max"))
    if least is not None and most is not None and least > most:
        yield ("cluster", "requirement", "nodes", "min"), "%d is above max, %d" % (least, most), "at most %d" % most
    for size, roof in (("vcpus", "vcpus_max"), ("memory_mib", "memory_max_mib")):
        has, may = _number(_get(cluster, "requirement", "size", size)), _number(_get(cluster, "requirement", "headroom", roof))
        if has is not None and may is not None and may < has:
            yield ("cluster", "requirement", "headroom", roof), "%d is below size.%s, %d" % (may, size, has), "at least %d" % has


def addresses_fit(cluster: Any) -> Found:
    """The range lies in one subnet and is large enough; gateway and DNS are addresses, the gateway in the subnet outside the range."""
    here: Path = ("cluster", "network", "addresses")
    text = _get(cluster, "network", "addresses")
    for i, one in enumerate(_get(cluster, "network", "dns") or [] if isinstance(_get(cluster, "network", "dns"), list) else []):
        if isinstance(one, str) and _address(one) is None:
            yield ("cluster", "network", "dns", i), "%s is no IPv4 address" % shown(one), "an address such as 10.99.0.1"
    if isinstance(text, str) and address_range(text) is None:
        yield here, "%s is no range" % shown(text), "FIRST-LAST or a CIDR such as 10.99.0.20-10.99.0.59"
    known = _network(cluster)
    if known is None:
        return
    subnet, first, last = known
    if first > last:
        yield here, "%s ends before it begins" % shown(text), "the lower address first"
    elif last not in subnet:
        yield here, "%s does not lie in one subnet, %s" % (shown(text), subnet), "a range inside %s, or a shorter prefix" % subnet
    elif first == subnet.network_address or last == subnet.broadcast_address:
        yield here, "%s holds the subnet's own address or its broadcast address" % shown(text), "a range between them, in %s" % subnet
    else:
        most = _number(_get(cluster, "requirement", "nodes", "max"))
        room = int(last) - int(first) + 1
        if most is not None and room < most:
            yield here, "%d addresses are fewer than nodes.max, %d" % (room, most), "at least %d addresses" % most
    gateway = _get(cluster, "network", "gateway")
    yield from _outside_range(("cluster", "network", "gateway"), gateway, known)


def _outside_range(path: Path, text: Any, known: Tuple[ipaddress.IPv4Network, ipaddress.IPv4Address, ipaddress.IPv4Address]) -> Found:
    address = _address(text)
    subnet, first, last = known
    if address is None:
        if isinstance(text, str):
            yield path, "%s is no IPv4 address" % shown(text), "an address in %s" % subnet
    elif address not in subnet or address in (subnet.network_address, subnet.broadcast_address):
        yield path, "%s is no usable address of the subnet %s" % (text, subnet), "an address inside %s" % subnet
    elif first <= address <= last:
        yield path, "%s lies in the range that VMs get their addresses from" % text, "an address outside %s to %s" % (first, last)


def service_addresses_fit(cluster: Any) -> Found:
    """Every service has an address of its own in the subnet, outside the range and not the gateway."""
    known = _network(cluster)
    taken: List[Tuple[Path, Any]] = [(("cluster", "network", "gateway"), _get(cluster, "network", "gateway"))]
    for i, service in _entries(cluster, "services"):
        path: Path = ("cluster", "services", i, "address")
        taken.append((path, service.get("address")))
        if known is not None:
            yield from _outside_range(path, service.get("address"), known)
        elif isinstance(service.get("address"), str) and _address(service["address"]) is None:
            yield path, "%s is no IPv4 address" % shown(service["address"]), "an address such as 10.99.0.10"
    yield from _twice(taken, "an address")


def ports_do_not_collide(cluster: Any) -> Found:
    """On a node the load balancer binds the services' ports and its statistics; the application listens on another one."""
    fronts = [one.get("port") for _i, one in _entries(cluster, "services") if one.get("kind") == "balanced"]
    for i, service in _entries(cluster, "services"):
        if service.get("kind") != "balanced":
            continue
        if service.get("port") == STATS_PORT:
            yield ("cluster", "services", i, "port"), "%d is the port of the load balancer's statistics" % STATS_PORT, "another port"
        behind = _get(service, "resource", "port")
        if behind == STATS_PORT or (behind is not None and behind in fronts):
            why = "%s is bound by the load balancer on the same node" % shown(behind)
            yield ("cluster", "services", i, "resource", "port"), why, "another port, such as 8080"


def disks_can_be_shared(cluster: Any) -> Found:
    """A disk is attached to every VM, so with more than one VM it must be shareable; a device named in options must exist."""
    most = _number(_get(cluster, "requirement", "nodes", "max"))
    for i, disk in _entries(cluster, "disks"):
        if most is not None and most > 1 and disk.get("shareable", False) is False:
            why = "the disk is attached to every VM, and up to %d may run" % most
            yield ("cluster", "disks", i, "shareable"), why, "true, or requirement.nodes.max: 1"
    named = {str(one.get("name")) for _i, one in _entries(cluster, "disks")}
    prefix = "/dev/disk/by-id/virtio-"
    for i, service in _entries(cluster, "services"):
        for j, member in _entries(service, "group"):
            options = _get(member, "options")
            for key, value in options.items() if isinstance(options, dict) else ():
                if isinstance(value, str) and value.startswith(prefix) and value[len(prefix) :] not in named:
                    path = ("cluster", "services", i, "group", j, "options", key)
                    yield (
                        path,
                        "%s names no disk of cluster.disks" % shown(value),
                        "one of %s" % (", ".join(sorted(named)) or "no disk yet"),
                    )


def thresholds_leave_a_gap(cluster: Any) -> Found:
    """Between above and below nothing is done: without that gap the cluster would grow and shrink by turns."""
    for i, policy in _entries(_get(cluster, "scaling"), "policies"):
        path: Path = ("cluster", "scaling", "policies", i)
        above, below = _number(policy.get("above")), _number(policy.get("below"))
        for key in ("above", "below"):
            if isinstance(policy.get(key), float) and not math.isfinite(policy[key]):
                yield path + (key,), "%s is no usable number" % shown(policy[key]), "a finite number"
            elif policy.get("signal") == "vm.cpu" and (_number(policy.get(key)) or 0) > 1:
                yield path + (key,), "%s is above 1, and vm.cpu never is" % shown(policy[key]), "a share between 0 and 1, such as 0.6"
        if above is not None and below is not None and above <= below:
            yield path + ("above",), "%s is not above below, %s" % (shown(above), shown(below)), "more than %s" % shown(below)


RULES: Tuple[Callable[[Any], Found], ...] = (
    texts_are_one_line,
    options_are_safe,
    names_are_unique,
    names_fit_hostnames,
    nodes_are_in_order,
    addresses_fit,
    service_addresses_fit,
    ports_do_not_collide,
    disks_can_be_shared,
    thresholds_leave_a_gap,
)


def with_rules(shape: Sequence[Problem], cluster: Any) -> List[Problem]:
    """The problems of shape, and those of the rules at other paths: one problem per path, in the order of the paths."""
    found: Dict[str, Problem] = {}
    for one in [*shape, *(problem(*each) for rule in RULES for each in rule(cluster))]:
        found.setdefault(one["path"], one)
    return [found[path] for path in sorted(found)]
