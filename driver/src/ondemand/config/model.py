# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""The cluster file as frozen values: the shape of every field, its default and what it means.

Defaults that the collection fills in as well are the contract's. `ondemand schema` prints these models as JSON Schema; the
collection carries a copy. Rules that compare fields with each other are in the contract too.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from ondemand._collection.module_utils._contract import config_defaults as defaults

NAME = r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"
ADDRESS = r"^[0-9]{1,3}(\.[0-9]{1,3}){3}$"
ABSOLUTE_PATH = r"^/[A-Za-z0-9._@%+=:,/-]*$"

Name = Annotated[str, Field(pattern=NAME, description="a name of a-z, 0-9 and inner hyphens, at most 63 characters")]
# A resource's id in Pacemaker's configuration is an XML id, which no digit may begin.
ResourceName = Annotated[
    str,
    Field(
        pattern=r"^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$",
        description="a name of a-z, 0-9 and inner hyphens that begins with a letter, at most 63 characters",
    ),
]
Address = Annotated[str, Field(pattern=ADDRESS, description="an IPv4 address such as 10.99.0.10")]
Port = Annotated[int, Field(ge=1, le=65535, description="a port, 1 to 65535")]
HostPath = Annotated[str, Field(pattern=ABSOLUTE_PATH, description="an absolute path without spaces and quotes")]
Agent = Annotated[
    str,
    Field(
        pattern=r"^((systemd|service|lsb):[A-Za-z0-9_.@-]+|ocf:[A-Za-z0-9_-]+:[A-Za-z0-9_.-]+)$",
        description="a resource agent such as systemd:web or ocf:heartbeat:Filesystem",
    ),
]
Seconds = Annotated[float, Field(ge=0, le=86400, allow_inf_nan=False, description="seconds, 0 to 86400")]
Deadline = Annotated[float, Field(gt=0, le=86400, allow_inf_nan=False, description="seconds, more than 0 and at most 86400")]
Threshold = Annotated[float, Field(ge=0, allow_inf_nan=False, description="a number of at least 0 in the signal's unit")]
MonitorSeconds = Annotated[int, Field(ge=5, le=3600, description="whole seconds between two looks of Pacemaker, 5 to 3600")]
OptionName = Annotated[
    str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_.-]{0,126}$", description="a parameter name of letters, digits, _, . and -, at most 127")
]
OptionValue = str | int | float | bool
Options = Annotated[dict[OptionName, OptionValue], Field(description="a mapping of parameter names to plain values")]
Meta = Annotated[dict[OptionName, OptionValue], Field(description="a mapping of Pacemaker's meta attributes to plain values")]
Score = Annotated[int, Field(ge=-1000000, le=1000000)] | Annotated[str, Field(pattern=r"^[+-]?INFINITY$")]
SignalName = Literal["vm.cpu", "lb.rate", "lb.rate_per_node", "lb.queue", "lb.sessions"]


class Part(BaseModel):
    """A mapping of the cluster file: frozen, without unknown fields, without silent conversion of types."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True)


Bridge = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,14}$", description="an interface name of at most 15 characters")]


class Host(Part):
    """A hypervisor."""

    name: Name
    uri: Annotated[str, Field(pattern=r"^[a-z+]+://[^\s\"'<>{}\\]*$", description="a libvirt URI such as qemu+ssh://ondemand@hv1/system")]
    zone: Name | None = None
    """failure zone; the host's name if absent"""
    pool: Name = defaults.POOL
    """storage pool of images and VMs"""
    ssh: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9.:-]*$", description="an address for Ansible")] | None = None
    """the URI's host if absent"""
    bridge: Bridge | None = None
    """the network's bridge if absent"""


class Image(Part):
    """The published node image."""

    name: Name
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$", description="64 hexadecimal digits")] | None = None


class Network(Part):
    """The network of nodes and services."""

    bridge: Bridge
    addresses: Annotated[
        str,
        Field(
            pattern=r"^[0-9.]+(-[0-9.]+|/[0-9]{1,2})$",
            description="a range FIRST-LAST or a CIDR such as 10.99.0.20-10.99.0.59",
        ),
    ]
    prefix: Annotated[int, Field(ge=8, le=30, description="the subnet's prefix length, 8 to 30")]
    gateway: Address | None = None
    dns: list[Address] = []


class Access(Part):
    """How nodes are reached, and where keys and the journal lie."""

    user: Annotated[str, Field(pattern=r"^[a-z_][a-z0-9_-]{0,31}$", description="root, the only account that VMs know")] = defaults.USER
    state_dir: Annotated[str, Field(pattern=r"^~?/[A-Za-z0-9._@%+=:,/-]*$", description="a path that begins with / or ~/")] | None = None
    """~/.local/state/ondemand/NAME if absent"""


class Nodes(Part):
    """How few and how many VMs."""

    min: Annotated[int, Field(ge=1, le=32, description="the least number of nodes, 1 to 32")]
    max: Annotated[int, Field(ge=1, le=32, description="the greatest number of nodes, 1 to 32")]


class Size(Part):
    """What one VM has."""

    vcpus: Annotated[int, Field(ge=1, le=512, description="a number of vCPUs, 1 to 512")]
    memory_mib: Annotated[int, Field(ge=128, le=16777216, description="MiB of memory, at least 128")]
    disk_gib: Annotated[int, Field(ge=1, le=65536, description="GiB of system disk, at least 1")] | None = None


class Headroom(Part):
    """Up to what a running VM can be enlarged later."""

    vcpus_max: Annotated[int, Field(ge=1, le=512, description="a number of vCPUs, 1 to 512")]
    memory_max_mib: Annotated[int, Field(ge=128, le=16777216, description="MiB of memory, at least 128")]


class Requirement(Part):
    """What the cluster must carry."""

    nodes: Nodes
    size: Size
    headroom: Headroom | None = None
    """twice the size if absent"""


class Operation(Part):
    """A Pacemaker operation of a resource."""

    name: Annotated[str, Field(pattern=r"^[a-z_][a-z_-]{0,31}$", description="an operation such as monitor, start or stop")]
    interval_s: Seconds = 0
    timeout_s: Seconds | None = None
    on_fail: Literal["ignore", "block", "stop", "restart", "standby", "fence", "demote"] | None = None
    """what Pacemaker does when it fails; its own default if absent"""


class BalancedResource(Part):
    """What runs on every node behind the load balancer."""

    agent: Agent
    port: Port
    check: Annotated[
        str, Field(pattern=r"^/[A-Za-z0-9._~/?&=%+,:@-]{0,500}$", description="a URL path that begins with /, at most 501 characters")
    ] = defaults.CHECK
    options: Options = {}
    operations: list[Operation] = []
    meta: Meta = {}


class GroupMember(Part):
    """One resource of a movable service."""

    name: ResourceName
    agent: Agent
    options: Options = {}
    operations: list[Operation] = []
    meta: Meta = {}


class BalancedService(Part):
    """A service that runs on every node behind the load balancer."""

    name: ResourceName
    kind: Literal["balanced"]
    address: Address
    port: Port
    resource: BalancedResource
    monitor_s: MonitorSeconds = defaults.MONITOR_S
    meta: Meta = {}
    """of the clone, so of every copy"""


class MovableService(Part):
    """A service that runs on one node, with its data and its own address."""

    name: ResourceName
    kind: Literal["movable"]
    address: Address
    port: Port
    group: Annotated[list[GroupMember], Field(min_length=1, description="at least one resource, in start order")]
    monitor_s: MonitorSeconds = defaults.MONITOR_S
    meta: Meta = {}
    """of the group, so of every member"""


Service = Annotated[BalancedService | MovableService, Field(discriminator="kind")]


class Location(Part):
    """Where a service likes to run, or does not."""

    name: ResourceName
    service: ResourceName
    node: Name
    score: Score


class Colocation(Part):
    """A service beside another one, or apart from it."""

    name: ResourceName
    service: ResourceName
    with_: Annotated[ResourceName, Field(alias="with")]
    score: Score = "INFINITY"


class Order(Part):
    """A service that starts after another one."""

    name: ResourceName
    first: ResourceName
    then: ResourceName
    kind: Literal["Mandatory", "Optional", "Serialize"] = "Mandatory"


class Constraints(Part):
    """What holds between services."""

    location: list[Location] = []
    colocation: list[Colocation] = []
    order: list[Order] = []


class Disk(Part):
    """A data disk attached to every VM."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9-]{0,18}[a-z0-9])?$", description="a name of at most 20 characters (a serial)")]
    path: HostPath
    shareable: bool = False


class Fencing(Part):
    """How a lost node is shut off."""

    method: Literal["none"] = defaults.FENCING["method"]


class Recovery(Part):
    """What becomes of a node that is lost."""

    after_s: Deadline = defaults.RECOVERY["after_s"]
    """so long a node may be away before it is let go, where it is certain that it does not run"""
    autostart: bool = defaults.RECOVERY["autostart"]
    """whether VMs start with their host"""


class Policy(Part):
    """A threshold rule over one signal."""

    name: Name
    signal: SignalName
    above: Threshold
    """a value above this asks for more nodes"""
    below: Threshold
    """a value below this allows fewer nodes"""


class ScaleOut(Part):
    """How growth is paced."""

    after_s: Seconds = defaults.SCALE_OUT["after_s"]
    cooldown_s: Seconds = defaults.SCALE_OUT["cooldown_s"]
    most_at_once: Annotated[int, Field(ge=1, le=32, description="a number of nodes, 1 to 32")] = defaults.SCALE_OUT["most_at_once"]


class ScaleIn(Part):
    """How shrinking is paced."""

    after_s: Seconds = defaults.SCALE_IN["after_s"]
    cooldown_s: Seconds = defaults.SCALE_IN["cooldown_s"]
    most_at_once: Annotated[int, Field(ge=1, le=32, description="a number of nodes, 1 to 32")] = defaults.SCALE_IN["most_at_once"]
    drain_end: Literal["keep", "cut"] = defaults.SCALE_IN["drain_end"]
    """what becomes of a node whose sessions have not ended after deadlines.drain_s: it stays, or they are cut"""


class Scaling(Part):
    """When the number of nodes changes by itself."""

    every_s: Annotated[float, Field(ge=0.2, le=3600, allow_inf_nan=False, description="seconds between two looks, 0.2 to 3600")] = (
        defaults.SCALING["every_s"]
    )
    policies: list[Policy] = defaults.SCALING["policies"]
    scale_out: ScaleOut = ScaleOut()
    scale_in: ScaleIn = ScaleIn()


class Deadlines(Part):
    """How long each kind of work may take."""

    boot_s: Deadline = defaults.DEADLINES["boot_s"]
    join_s: Deadline = defaults.DEADLINES["join_s"]
    move_s: Deadline = defaults.DEADLINES["move_s"]
    drain_s: Deadline = defaults.DEADLINES["drain_s"]
    leave_s: Deadline = defaults.DEADLINES["leave_s"]
    connect_s: Deadline = defaults.DEADLINES["connect_s"]
    lease_s: Deadline = defaults.DEADLINES["lease_s"]


class Cluster(Part):
    """The one key of the cluster file."""

    name: Name
    hosts: Annotated[list[Host], Field(min_length=1, description="at least one hypervisor")]
    image: Image
    network: Network
    access: Access = Access()
    requirement: Requirement
    services: list[Service] = []
    constraints: Constraints = Constraints()
    pacemaker: dict[str, Any] = {}
    """what else Pacemaker is to have, as the option config of the module cluster_config takes it"""
    disks: list[Disk] = []
    fencing: Fencing = Fencing()
    recovery: Recovery = Recovery()
    scaling: Scaling = Scaling()
    deadlines: Deadlines = Deadlines()


class ClusterFile(Part):
    """The whole file."""

    cluster: Cluster
