# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""Cases of single rules of the cluster file, each at its boundaries."""

from __future__ import annotations

from typing import Any

from .rule_cases_of_services import CASES
from .rule_cases_of_ways import WAYS

# Rule -> the case's name -> (cluster, what is told: path -> a piece of what is wrong or would be right).
Cases = dict[str, tuple[Any, dict[str, str]]]


def network(**more: Any) -> dict[str, Any]:
    """A network of 10.99.0.0/24 with room for ten VMs."""
    return {"network": {"addresses": "10.99.0.20-10.99.0.29", "prefix": 24, "gateway": "10.99.0.1", **more}}


def nodes(least: Any, most: Any, **more: Any) -> dict[str, Any]:
    """A requirement of so many nodes."""
    return {"requirement": {"nodes": {"min": least, "max": most}, **more}}


def sized(size: dict[str, Any], headroom: dict[str, Any]) -> dict[str, Any]:
    """A requirement of this size and headroom."""
    return {"requirement": {"size": size, "headroom": headroom}}


def balanced(port: Any, behind: Any, **more: Any) -> dict[str, Any]:
    """A balanced service."""
    return {"kind": "balanced", "port": port, "resource": {"port": behind}, **more}


def policies(*items: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A cluster with these policies."""
    return {"scaling": {"policies": list(items)}, **more}


HERE = "cluster.network.addresses"
GATEWAY = "cluster.network.gateway"


RULES: dict[str, Cases] = {
    **WAYS,
    **CASES,
    "names_are_texts": {
        "texts at every depth": ({"a": [{"b": {"c": 1}}]}, {}),
        "a number": ({"a": [{1.5: 1}]}, {"cluster.a[0].1.5": "is a name and no text; a text"}),
        "nothing, below an odd one": ({1: {None: 2}}, {"cluster.1": "no text", "cluster[1].None": "no text"}),
    },
    "texts_are_one_line": {
        "names that are no texts": ({None: 1, 7: "a\n"}, {"cluster[7]": "line break"}),
        "one line": ({"a": ["b c", 7, None, "ä { } % #"]}, {}),
        "a line break deep inside": (
            {"a": [0, {"b": "c\n"}]},
            {"cluster.a[1].b": "line break or another control character; a text of one line"},
        ),
        "a name with a tab": ({"a": {"b\tc": 1}}, {"cluster.a": "the name 'b\\tc' has control characters; names of one line"}),
        **{
            f"the sign {number:#x}": ({"a": chr(number)}, {"cluster.a": "control character"} if is_control else {})
            for number, is_control in {
                0: True,
                31: True,
                32: False,
                126: False,
                127: True,
                159: True,
                160: False,
                0x2028: True,
                0x2029: True,
                0x2030: False,
                0xFFFE: True,
                0xFFFF: True,
                0xD7FF: False,
                0xD800: True,
                0xDFFF: True,
                0xE000: False,
            }.items()
        },
        "an expression": ({"a": "{{ b }}"}, {"cluster.a": "has a template; the value itself"}),
        "a statement": ({"a": ["{% b %}"]}, {"cluster.a[0]": "has a template"}),
        "a comment of templates": ({"a": "{# b #}"}, {"cluster.a": "has a template"}),
    },
    "options_are_safe": {
        "plain letters": ({"services": [{"resource": {"options": {"a": "xyz"}}}]}, {}),
        "values that harm nobody": ({"services": [{"resource": {"options": {"a": "b c;&$", "d": 1.5, "e": True}}}]}, {}),
        **{
            f"the sign {sign}": (
                {"services": [{"resource": {"options": {"a": f"b{sign}"}}}]},
                {"cluster.services[0].resource.options.a": "quote, bracket or backslash; a value without"},
            )
            for sign in "\"'<>\\`"
        },
        "a member of a group": (
            {"services": [{}, {"group": [{}, {"options": {"a": "<"}}]}]},
            {"cluster.services[1].group[1].options.a": "bracket"},
        ),
        "a number that is none": (
            {"services": [{"resource": {"options": {"a": float("nan"), "b": float("-inf")}}}]},
            {
                "cluster.services[0].resource.options.a": "is no usable number; a finite number below 2^63",
                "cluster.services[0].resource.options.b": "no usable number",
            },
        ),
        "the largest numbers": (
            {"services": [{"resource": {"options": {"a": 2**63 - 1, "b": 2**63, "c": -(2**63) + 1, "d": -(2**63)}}}]},
            {
                "cluster.services[0].resource.options.b": "9223372036854775808",
                "cluster.services[0].resource.options.d": "-9223372036854775808",
            },
        ),
        "options that are none": ({"services": [{"resource": {"options": ["<"]}}, {"resource": 7}, 7]}, {}),
    },
    "names_are_unique": {
        "different ones": (
            {
                "hosts": [{"name": "a", "uri": "x"}, {"name": "b", "uri": "y"}],
                "disks": [{"name": "a", "path": "x"}, {"name": "b", "path": "y"}],
                **policies({"name": "a"}, {"name": "b"}),
            },
            {},
        ),
        "hosts": (
            {"hosts": [{"name": "a", "uri": "x"}, {"name": "a", "uri": "x"}]},
            {
                "cluster.hosts[1].name": "'a' is taken already by cluster.hosts[0].name; a name of its own",
                "cluster.hosts[1].uri": "by cluster.hosts[0].uri; a URI of its own",
            },
        ),
        "disks": (
            {"disks": [{"name": "a", "path": "x"}, {"name": "a", "path": "x"}]},
            {"cluster.disks[1].name": "by cluster.disks[0].name; a name", "cluster.disks[1].path": "by cluster.disks[0].path; a path"},
        ),
        "policies": (
            policies({"name": "a"}, {"name": "b"}, {"name": "a"}),
            {"cluster.scaling.policies[2].name": "by cluster.scaling.policies[0].name; a name"},
        ),
        "what is no text is not compared": ({"hosts": [{"name": 1, "uri": None}, {"name": 1, "uri": None}]}, {}),
        **{
            f"a service called {name}": (
                {"services": [{"name": name}]},
                {
                    "cluster.services[0].name": f"'{name}' is taken already by load balancer; a name, also as NAME-address and NAME-clone, of its own"
                },
            )
            for name in ("haproxy", "haproxy-clone", "ondemand-stats")
        },
        "a service like another's address": (
            {"services": [{"name": "a"}, {"name": "a-address"}]},
            {"cluster.services[1].name": "'a-address' is taken already by cluster.services[0].name"},
        ),
        "a service like another's clone": (
            {"services": [{"name": "a"}, {"name": "a-clone"}]},
            {"cluster.services[1].name": "'a-clone' is taken"},
        ),
        "a member like another service": (
            {"services": [{"name": "a"}, {"name": "b", "group": [{"name": "c"}, {"name": "a"}]}]},
            {"cluster.services[1].group[1].name": "'a' is taken already by cluster.services[0].name"},
        ),
        "services without a name": ({"services": [{"name": None}, {"name": None}, {}]}, {}),
    },
    "names_fit_hostnames": {
        "58 characters": ({"name": "a" * 58}, {}),
        "59 characters": ({"name": "a" * 59}, {"cluster.name": "leaves no room for the ending -nK of its VMs; a name of at most 58"}),
        "63 characters": ({"name": "a" * 63}, {"cluster.name": "no room"}),
        "more are told by the schema": ({"name": "a" * 64}, {}),
        "no text": ({"name": 7}, {}),
    },
    "names_fit_groups": {
        "any other": ({"name": "shop"}, {}),
        "members": ({"name": "members"}, {"cluster.name": "members is the name of a group"}),
        "joining": ({"name": "joining"}, {"cluster.name": "joining is the name of a group"}),
    },
    "nodes_are_in_order": {
        "the least above the most by a part": (nodes(2.5, 2), {"cluster.requirement.nodes.min": "is above max, 2"}),
        "headroom without a size": (sized({}, {"vcpus_max": 1}), {}),
        "the same": (nodes(2, 2), {}),
        "the least above the most": (nodes(3, 2), {"cluster.requirement.nodes.min": "3 is above max, 2; at most 2"}),
        "one is no number": (nodes(True, 0), {}),
        "one is not there": (nodes(3, None), {}),
        "one is infinite": (nodes(float("inf"), 2), {}),
        "headroom of the size": (sized({"vcpus": 2, "memory_mib": 512}, {"vcpus_max": 2, "memory_max_mib": 512}), {}),
        "headroom below the size": (
            sized({"vcpus": 2, "memory_mib": 512}, {"vcpus_max": 1, "memory_max_mib": 511}),
            {
                "cluster.requirement.headroom.vcpus_max": "1 is below size.vcpus, 2; at least 2",
                "cluster.requirement.headroom.memory_max_mib": "511 is below size.memory_mib, 512; at least 512",
            },
        ),
        "no headroom": (sized({"vcpus": 2}, {}), {}),
    },
    "addresses_fit": {
        "servers that are no list": (network(dns="x"), {}),
        "servers that are a number": (network(dns=7), {}),
        "no servers": (network(dns=None), {}),
        "a gateway that is a number": (network(gateway=7), {}),
        "the longest prefix counts": (
            network(addresses="10.99.0.21-10.99.0.21", prefix=30, gateway="10.99.0.30"),
            {GATEWAY: "no usable address of the subnet 10.99.0.20/30"},
        ),
        "a range": (network(dns=["10.99.0.1"]), {}),
        "servers that are none": (
            network(dns=["10.99.0.1", "dns", 7]),
            {"cluster.network.dns[1]": "'dns' is no IPv4 address; an address such as"},
        ),
        "a range that is none": (network(addresses="10.99.0.20"), {HERE: "is no range; FIRST-LAST or a CIDR"}),
        "the end before the beginning": (
            network(addresses="10.99.0.29-10.99.0.20"),
            {HERE: "ends before it begins; the lower address first"},
        ),
        "one address": (network(addresses="10.99.0.20-10.99.0.20"), {}),
        "two subnets": (
            network(addresses="10.99.0.20-10.99.1.20"),
            {HERE: "does not lie in one subnet, 10.99.0.0/24; a range inside 10.99.0.0/24"},
        ),
        "the subnet's own address": (network(addresses="10.99.0.0-10.99.0.9", gateway=None), {HERE: "the subnet's own address"}),
        "the broadcast address": (
            network(addresses="10.99.0.250-10.99.0.255"),
            {HERE: "broadcast address; a range between them, in 10.99.0.0/24"},
        ),
        "as many as the most": ({**network(), **nodes(1, 10)}, {}),
        "fewer than the most": ({**network(), **nodes(1, 11)}, {HERE: "10 addresses are fewer than nodes.max, 11; at least 11 addresses"}),
        "as many as are looked through": (network(addresses="10.1.0.1-10.2.0.0", prefix=8, gateway="10.0.0.1"), {}),
        "more than are looked through": (
            network(addresses="10.1.0.1-10.2.0.1", prefix=8, gateway="10.0.0.1"),
            {HERE: "65537 addresses are more than can be looked through; at most 65536"},
        ),
        "no prefix": (network(prefix=None, gateway="x"), {}),
        "a prefix that is too short to be meant": (network(prefix=7, gateway="x"), {}),
        "a prefix without room": (network(prefix=31, gateway="x"), {}),
        "a prefix that is a truth": (network(prefix=True, gateway="x"), {}),
        "a gateway that is none": (network(gateway="x"), {GATEWAY: "'x' is no IPv4 address; an address in 10.99.0.0/24"}),
        "a gateway elsewhere": (network(gateway="10.98.0.1"), {GATEWAY: "no usable address of the subnet 10.99.0.0/24; an address inside"}),
        "a gateway that is the subnet": (network(gateway="10.99.0.0"), {GATEWAY: "no usable address"}),
        "a gateway that is the broadcast": (network(gateway="10.99.0.255"), {GATEWAY: "no usable address"}),
        "a gateway before the range": (network(gateway="10.99.0.19"), {}),
        "a gateway at its beginning": (network(gateway="10.99.0.20"), {GATEWAY: "lies in the range that VMs get"}),
        "a gateway at its end": (network(gateway="10.99.0.29"), {GATEWAY: "an address outside 10.99.0.20 to 10.99.0.29"}),
        "a gateway behind it": (network(gateway="10.99.0.30"), {}),
        "no gateway": (network(gateway=None), {}),
        "the shortest prefix": (network(prefix=8), {}),
        "the longest prefix": (network(addresses="10.99.0.21-10.99.0.21", prefix=30, gateway="10.99.0.22"), {}),
        "no network": ({}, {}),
    },
    "service_addresses_fit": {
        "addresses of their own": ({**network(), "services": [{"address": "10.99.0.5"}, {"address": "10.99.0.6"}]}, {}),
        "one in the range": (
            {**network(), "services": [{}, {"address": "10.99.0.25"}]},
            {"cluster.services[1].address": "lies in the range"},
        ),
        "the gateway's": (
            {**network(), "services": [{"address": "10.99.0.1"}]},
            {"cluster.services[0].address": "'10.99.0.1' is taken already by cluster.network.gateway; an address of its own"},
        ),
        "two of the same": (
            {**network(), "services": [{"address": "10.99.0.5"}, {"address": "10.99.0.5"}]},
            {"cluster.services[1].address": "taken already by cluster.services[0].address"},
        ),
        "none, while the network isn't known": (
            {"services": [{"address": "x"}, {"address": "10.99.0.5"}, {"address": 7}]},
            {"cluster.services[0].address": "'x' is no IPv4 address; an address such as"},
        ),
    },
    "ports_do_not_collide": {
        "ports of their own": ({"services": [balanced(80, 8080), balanced(443, 8443)]}, {}),
        "the statistics' in front": (
            {"services": [balanced(8404, 8080)]},
            {"cluster.services[0].port": "8404 is the port of the load balancer's statistics; another port"},
        ),
        "the statistics' behind": (
            {"services": [balanced(80, 8404)]},
            {"cluster.services[0].resource.port": "8404 is the port of the load balancer's statistics on every node"},
        ),
        "the own one": (
            {"services": [balanced(80, 80)]},
            {"cluster.services[0].resource.port": "80 is bound by the load balancer on the same node; another port, such as 8080"},
        ),
        "another's in front": (
            {"services": [balanced(80, 443), balanced(443, 8080)]},
            {"cluster.services[0].resource.port": "443 is bound by the load balancer"},
        ),
        "another's behind": (
            {"services": [balanced(80, 8080), {"kind": "movable"}, balanced(443, 8080)]},
            {"cluster.services[2].resource.port": "8080 is bound on the same node by cluster.services[0].resource.port; a port of its own"},
        ),
        "a third is told of the first": (
            {"services": [balanced(80, 8080), balanced(81, 8080), balanced(82, 8080)]},
            {"cluster.services[1].resource.port": "by cluster.services[0]", "cluster.services[2].resource.port": "by cluster.services[0]"},
        ),
        "no port behind": ({"services": [balanced(None, None), balanced(None, None)]}, {}),
    },
    "disks_can_be_shared": {
        "one VM may own its disk": ({**nodes(1, 1), "disks": [{"name": "a"}]}, {}),
        "several may not": (
            {**nodes(1, 2), "disks": [{"name": "a", "shareable": True}, {"name": "b", "shareable": False}, {"name": "c"}]},
            {
                "cluster.disks[1].shareable": "up to 2 may run; true, or requirement.nodes.max: 1",
                "cluster.disks[2].shareable": "attached to every VM",
            },
        ),
        "how many isn't known": ({"disks": [{"name": "a"}]}, {}),
        "a device of a disk": (
            {"disks": [{"name": "a"}], "services": [{"group": [{"options": {"device": "/dev/disk/by-id/virtio-a"}}]}]},
            {},
        ),
        "a device of none": (
            {
                "disks": [{"name": "b"}, {"name": "a"}],
                "services": [{}, {"group": [{"options": {"x": 1, "device": "/dev/disk/by-id/virtio-c"}}]}],
            },
            {"cluster.services[1].group[0].options.device": "names no disk of cluster.disks; one of a, b"},
        ),
        "a device where there is none": (
            {"services": [{"group": [{}, {"options": {"device": "/dev/disk/by-id/virtio-c"}}]}]},
            {"cluster.services[0].group[1].options.device": "one of no disk yet"},
        ),
        "another device": ({"services": [{"group": [{"options": {"device": "/dev/vdb"}}, {"options": 7}]}]}, {}),
    },
    "thresholds_leave_a_gap": {
        "one threshold of a CPU": (policies({"signal": "vm.cpu", "above": 0.5}), {}),
        "more than a CPU": (policies({"signal": "vm.cpu", "above": 1.5}), {"cluster.scaling.policies[0].above": "1.5 is above 1"}),
        "larger than is counted": (policies({"above": 2**63}), {"cluster.scaling.policies[0].above": "no usable number"}),
        "a gap": (policies({"above": 2, "below": 1}), {}),
        "no gap": (policies({}, {"above": 1, "below": 1}), {"cluster.scaling.policies[1].above": "1 is not above below, 1; more than 1"}),
        "turned round": (policies({"above": 1, "below": 2}), {"cluster.scaling.policies[0].above": "1 is not above below, 2; more than 2"}),
        "one alone": (policies({"above": 1}, {"below": 1}), {}),
        "the whole of a CPU": (policies({"signal": "vm.cpu", "above": 1, "below": 0.5}), {}),
        "per cent of a CPU": (
            policies({"signal": "vm.cpu", "above": 60, "below": 30}),
            {
                "cluster.scaling.policies[0].above": "60 is above 1, and vm.cpu never is; a share between 0 and 1",
                "cluster.scaling.policies[0].below": "30 is above 1",
            },
        ),
        "another signal may be larger": (policies({"signal": "lb.queue", "above": 60, "below": 30}), {}),
        "infinite": (
            policies({"above": float("inf"), "below": float("-inf")}),
            {
                "cluster.scaling.policies[0].above": "inf is no usable number; a finite number",
                "cluster.scaling.policies[0].below": "no usable number",
            },
        ),
    },
    "load_balancers_are_there": {
        "none needed": (policies({"signal": "vm.cpu"}), {}),
        "no service": (
            policies({"signal": "lb.queue"}, {"signal": 7}),
            {
                "cluster.scaling.policies[0].signal": "'lb.queue' is measured at the load balancer, and no service is balanced; vm.cpu, or a service"
            },
        ),
        "only movable ones": (
            policies({"signal": "lb.queue"}, services=[{"kind": "movable"}]),
            {"cluster.scaling.policies[0].signal": "no service is balanced"},
        ),
        "a balanced one": (policies({"signal": "lb.queue"}, services=[{"kind": "movable"}, {"kind": "balanced"}]), {}),
        "services that are no list": (policies({"signal": "lb.queue"}, services={"a": 1}), {}),
    },
    "root_logs_in": {
        "root": ({"access": {"user": "root"}}, {}),
        "left out": ({"access": {}}, {}),
        "somebody else": (
            {"access": {"user": "admin"}},
            {"cluster.access.user": "'admin' can't log in: VMs are made with the login key of root alone; root, or left out"},
        ),
    },
    "defaults_are_left_out": {
        "left out": ({"access": {}, "hosts": [{}]}, {}),
        "values": ({"access": {"state_dir": "/a"}, "hosts": [{"zone": "a", "ssh": "b"}]}, {}),
        "nothing": (
            {"access": {"state_dir": None}, "hosts": [{}, {"zone": None, "ssh": None, "bridge": None}]},
            {
                "cluster.access.state_dir": "is there without a value; left out, for the default, or a text",
                "cluster.hosts[1].zone": "without a value",
                "cluster.hosts[1].ssh": "without a value",
                "cluster.hosts[1].bridge": "without a value",
            },
        ),
        "no access at all": ({"access": None}, {}),
    },
}
