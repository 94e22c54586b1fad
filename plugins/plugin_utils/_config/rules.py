# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors

"""The rules of the cluster file that compare fields with each other. Pure.

Every rule takes the plain data of `cluster`, ignores what has the wrong shape (the schema tells that) and yields problems.
"""

from __future__ import annotations

import ipaddress
from typing import Any, Callable, Dict, Iterator, List, Optional, Sequence, Tuple, Union

from ...module_utils._contract.config_uris import PLAIN_PATH, odd_sign, uri_problem
from . import services
from .errors import Path, Problem, path_text, problem, shape_problem, shown
from .ports import ports_do_not_collide
from .services import passed_resources

__all__ = ["RULES", "Path", "Problem", "address_range", "path_text", "problem", "shape_problem", "too_much", "with_rules"]

Found = Iterator[Tuple[Path, str, str]]

MOST_VALUES = 20000
"""more than any cluster file has; YAML aliases can make a small text hold itself, or billions of values"""
MOST_CHARACTERS = 1000000
"""as much as the largest file; aliases can repeat one long text thousands of times"""
LARGEST_NUMBER = 2**63
MOST_ADDRESSES = 65536
"""the largest range from which the collection allots addresses"""


# ---------------------------------------------------------------- help for rules: never trip over a wrong shape


def _get(data: Any, *path: Union[str, int]) -> Any:
    for part in path:
        data = data.get(part) if isinstance(data, dict) else None
    return data


def _entries(cluster: Any, key: str) -> List[Tuple[int, Dict[str, Any]]]:
    found = _get(cluster, key)
    return [(i, one) for i, one in enumerate(found) if isinstance(one, dict)] if isinstance(found, list) else []


def _items(holder: Any, key: str) -> List[Tuple[Any, Any]]:
    found = _get(holder, key)
    return list(found.items()) if isinstance(found, dict) else []


def _usable(value: Union[int, float]) -> bool:
    """Whether a number can be calculated with and written: YAML knows infinite ones, and whole ones of any number of digits."""
    return -LARGEST_NUMBER < value < LARGEST_NUMBER


def _number(value: Any) -> Optional[float]:
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) and _usable(value) else None


def _has_control(text: str) -> bool:
    return any(ord(c) < 32 or 127 <= ord(c) < 160 or c in "\u2028\u2029\ufffe\uffff" or 0xD800 <= ord(c) < 0xE000 for c in text)


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


def too_much(data: Any) -> List[Problem]:
    """The one problem of data that is too large to be looked at further. To be asked before anything else walks the data."""
    values, characters = 0, 0
    left: List[Any] = [data]
    while left:
        one = left.pop()
        values += 1
        characters += len(one) if isinstance(one, str) else 0
        if values > MOST_VALUES or characters > MOST_CHARACTERS:
            what = "has more than %d values or %d characters, or holds itself" % (MOST_VALUES, MOST_CHARACTERS)
            return [problem(("cluster",), what, "a file without circular or multiplying aliases")]
        if isinstance(one, dict):
            left += [*one.keys(), *one.values()]
        elif isinstance(one, (list, tuple, set)):
            left += one
    return []


def names_are_texts(cluster: Any, where: Path = ("cluster",)) -> Found:
    """YAML takes `on`, `~`, `1.5` and dates as names for something else than text, and nothing here has such a name."""
    left: List[Tuple[Path, Any]] = [(where, cluster)]
    while left:
        path, data = left.pop()
        for key, value in data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ():
            if isinstance(data, dict) and not isinstance(key, str):
                yield path + (str(key),), "is a name and no text", "a text; in quotes where YAML takes it for something else"
            left.append((path + (key if isinstance(key, (str, int)) else str(key),), value))


def texts_are_one_line(cluster: Any) -> Found:
    """Values reach line formats, XML and command lines: control characters are refused everywhere, templates too."""
    left: List[Tuple[Path, Any]] = [(("cluster",), cluster)]
    while left:
        path, data = left.pop()
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
        holders: List[Tuple[Path, Any]] = [(("cluster", "services", i), service)]
        holders.append((("cluster", "services", i, "resource"), _get(service, "resource")))
        holders += [(("cluster", "services", i, "group", j), one) for j, one in _entries(service, "group")]
        for path, holder in holders:
            for key, value in [((kind, key), value) for kind in ("options", "meta") for key, value in _items(holder, kind)]:
                if isinstance(value, str) and any(c in value for c in "\"'<>\\`"):
                    yield path + key, "%s has a quote, bracket or backslash" % shown(value), "a value without \" ' < > \\ `"
                elif isinstance(value, (int, float)) and not _usable(value):
                    yield path + key, "%s is no usable number" % shown(value), "a finite number below 2^63"


def names_are_unique(cluster: Any) -> Found:
    """Hosts, disks, policies and services have names of their own, and so has every Pacemaker resource made from them."""
    for key, what in (("hosts", "a name"), ("disks", "a name"), ("scaling", "")):
        entries = _entries(_get(cluster, key), "policies") if key == "scaling" else _entries(cluster, key)
        base: Path = ("cluster", "scaling", "policies") if key == "scaling" else ("cluster", key)
        yield from _twice([(base + (i, "name"), one.get("name")) for i, one in entries], what or "a name")
    for key, field, what in (("hosts", "uri", "a URI"), ("disks", "path", "a path")):
        yield from _twice([(("cluster", key, i, field), one.get(field)) for i, one in _entries(cluster, key)], what)
    resources: List[Tuple[Path, Any]] = [(("load balancer",), name) for name in ("haproxy", "haproxy-clone", "ondemand-stats")]
    for i, service in _entries(cluster, "services"):
        path: Path = ("cluster", "services", i, "name")
        name = service.get("name")
        resources.append((path, name))
        resources += [(path, "%s-%s" % (name, end)) for end in ("address", "clone") if isinstance(name, str)]
        resources += [(("cluster", "services", i, "group", j, "name"), one.get("name")) for j, one in _entries(service, "group")]
    resources += passed_resources(cluster)
    yield from _twice(resources, "a name, also as NAME-address and NAME-clone,")


def names_fit_hostnames(cluster: Any) -> Found:
    """A VM is called NAME-nK and a host name has at most 63 characters."""
    name = _get(cluster, "name")
    if isinstance(name, str) and 58 < len(name) <= 63:
        yield ("cluster", "name"), "%s leaves no room for the ending -nK of its VMs" % shown(name), "a name of at most 58 characters"


def names_fit_groups(cluster: Any) -> Found:
    """The inventory's group of a cluster is ondemand_NAME, beside the groups of its VMs' roles."""
    name = _get(cluster, "name")
    if name in ("members", "joining"):
        yield ("cluster", "name"), "%s is the name of a group of VMs in the inventory" % name, "another name than members and joining"


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
        elif room > MOST_ADDRESSES:
            yield here, "%d addresses are more than can be looked through" % room, "at most %d addresses" % MOST_ADDRESSES
    gateway = _get(cluster, "network", "gateway")
    yield from _outside_range(("cluster", "network", "gateway"), gateway, known)
    servers = _get(cluster, "network", "dns")
    for i, one in enumerate(servers if isinstance(servers, list) else []):
        if _address(one) is not None and _address(one) in subnet:
            yield from _outside_range(("cluster", "network", "dns", i), one, known)


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
    """Every service has an address of its own in the subnet, outside the range and neither the gateway's nor a name server's."""
    known = _network(cluster)
    taken: List[Tuple[Path, Any]] = [(("cluster", "network", "gateway"), _get(cluster, "network", "gateway"))]
    servers = _get(cluster, "network", "dns")
    for i, server in enumerate(servers if isinstance(servers, list) else []):
        # The gateway may well be one, and one that is named twice harms nobody.
        if server not in [one for _path, one in taken]:
            taken.append((("cluster", "network", "dns", i), server))
    for i, service in _entries(cluster, "services"):
        path: Path = ("cluster", "services", i, "address")
        taken.append((path, service.get("address")))
        if known is not None:
            yield from _outside_range(path, service.get("address"), known)
        elif isinstance(service.get("address"), str) and _address(service["address"]) is None:
            yield path, "%s is no IPv4 address" % shown(service["address"]), "an address such as 10.99.0.10"
    yield from _twice(taken, "an address")


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
            if isinstance(policy.get(key), (int, float)) and not _usable(policy[key]):
                yield path + (key,), "%s is no usable number" % shown(policy[key]), "a finite number below 2^63"
            elif policy.get("signal") == "vm.cpu" and (_number(policy.get(key)) or 0) > 1:
                yield path + (key,), "%s is above 1, and vm.cpu never is" % shown(policy[key]), "a share between 0 and 1, such as 0.6"
        if above is not None and below is not None and above <= below:
            yield path + ("above",), "%s is not above below, %s" % (shown(above), shown(below)), "more than %s" % shown(below)


def load_balancers_are_there(cluster: Any) -> Found:
    """Signals of the load balancer need a balanced service: without one there never is a sample, and the cluster never shrinks."""
    services = _get(cluster, "services") or []
    if not isinstance(services, list) or any(_get(one, "kind") != "movable" for one in services):
        return
    for i, policy in _entries(_get(cluster, "scaling"), "policies"):
        if isinstance(policy.get("signal"), str) and policy["signal"].startswith("lb."):
            why = "%s is measured at the load balancer, and no service is balanced" % shown(policy["signal"])
            yield ("cluster", "scaling", "policies", i, "signal"), why, "vm.cpu, or a service of kind balanced"


def root_logs_in(cluster: Any) -> Found:
    """The seed puts the login key into root's account alone, and cluster work needs root."""
    user = _get(cluster, "access", "user")
    if isinstance(user, str) and user != "root":
        why = "%s can't log in: VMs are made with the login key of root alone" % shown(user)
        yield ("cluster", "access", "user"), why, "root, or left out"


def defaults_are_left_out(cluster: Any) -> Found:
    """Where a field has a default, `null` is neither the default nor a value: half of the readers would take it for each."""
    holders: List[Tuple[Path, Any, str]] = [(("cluster", "access"), _get(cluster, "access"), "state_dir")]
    holders += [(("cluster", "hosts", i), host, key) for i, host in _entries(cluster, "hosts") for key in ("zone", "ssh", "bridge")]
    for path, holder, key in holders:
        if isinstance(holder, dict) and key in holder and holder[key] is None:
            yield path + (key,), "is there without a value", "left out, for the default, or a text"


def uris_lead_to_hosts(cluster: Any) -> Found:
    """A URI names a host and a way to it: parts that have libvirt run a command or read other files are refused."""
    for i, host in _entries(cluster, "hosts"):
        found = uri_problem(host["uri"]) if isinstance(host.get("uri"), str) else None
        if found:
            yield ("cluster", "hosts", i, "uri"), "%s %s" % (shown(host["uri"]), found[0]), found[1]


def state_dir_reaches_ssh(cluster: Any) -> Found:
    """ssh is told the files of keys by their paths, and fills in what stands behind a percent sign."""
    path = _get(cluster, "access", "state_dir")
    if isinstance(path, str) and odd_sign(path):
        yield ("cluster", "access", "state_dir"), "%s has the sign %s, which ssh would fill in" % (shown(path), odd_sign(path)), PLAIN_PATH


RULES: Tuple[Callable[[Any], Found], ...] = (
    names_are_texts,
    texts_are_one_line,
    options_are_safe,
    names_are_unique,
    names_fit_hostnames,
    names_fit_groups,
    nodes_are_in_order,
    addresses_fit,
    service_addresses_fit,
    ports_do_not_collide,
    disks_can_be_shared,
    thresholds_leave_a_gap,
    load_balancers_are_there,
    root_logs_in,
    uris_lead_to_hosts,
    state_dir_reaches_ssh,
    defaults_are_left_out,
    *services.RULES,
)


def with_rules(shape: Sequence[Problem], cluster: Any) -> List[Problem]:
    """The problems of shape, and those of the rules at other paths: one problem per path, in the order of the paths."""
    many = too_much(cluster)
    if many:
        return many
    found: Dict[str, Problem] = {}
    for one in [*shape, *(problem(*each) for rule in RULES for each in rule(cluster))]:
        found.setdefault(one["path"], one)
    return [found[path] for path in sorted(found)]
