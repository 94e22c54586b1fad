# SPDX-License-Identifier: BSD-2-Clause
# Copyright: (c) 2026, the ondemand.cluster contributors

"""The right to do something on a cluster's hosts while no member of it can tell who may: a domain that is defined and never started.

libvirt refuses a second domain of one name with another UUID, so of two who define it at once one has it, on every kind of host and without a pool.
Who holds it, until when and for what stands in the domain's metadata.
"""

from __future__ import annotations

import contextlib
import uuid
from dataclasses import asdict, dataclass
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple
from xml.etree import ElementTree as ET

from ansible_collections.ondemand.cluster.plugins.module_utils._libvirt.connection import (
    HostAddress,
    Reading,
    is_error,
    libvirt,
    read_hosts,
)
from ansible_collections.ondemand.cluster.plugins.module_utils._libvirt.vm import render

NAMESPACE = "urn:ondemand:cluster:lease:1"
TRIES = 3
PREFIX = "ondemand-lease-"
"""of the domain's name; no VM of ours is called so, since their names end with a number"""

ET.register_namespace("ondemand_lease", NAMESPACE)


@dataclass(frozen=True)
class Claim:
    """Who holds it: a token, a name and a purpose for people, and, in epoch seconds of the holder's clock, since and until when."""

    token: str
    holder: str
    purpose: str
    since: int
    until: int

    def data(self) -> Dict[str, Any]:
        """The same as plain values."""
        return asdict(self)


def domain_xml(machine: render.Machine, cluster: str, claim: Claim, identity: str) -> str:
    """The domain that is the lease of a cluster."""
    root = ET.Element("domain", {"type": machine.type})
    for tag, text in (("name", PREFIX + cluster), ("uuid", identity)):
        ET.SubElement(root, tag).text = text
    told = "No VM: %s works on the VMs of %s (%s). It is never started, and goes when that has ended."
    ET.SubElement(root, "description").text = told % (claim.holder, cluster, claim.purpose)
    mark = ET.SubElement(ET.SubElement(root, "metadata"), "{%s}lease" % NAMESPACE)
    for key, value in claim.data().items():
        mark.set(key, str(value))
    ET.SubElement(root, "memory", {"unit": "MiB"}).text = "1"
    ET.SubElement(root, "vcpu").text = "1"
    ET.SubElement(ET.SubElement(root, "os"), "type", {"arch": machine.arch}).text = "hvm"
    return ET.tostring(root, encoding="unicode")


def claim_of(xml: str) -> Optional[Claim]:
    """The claim of a domain's XML; None where somebody else's domain has that name, or its mark can't be read."""
    mark = ET.fromstring(xml).find("./metadata/{%s}lease" % NAMESPACE)
    if mark is None:
        return None
    numbers = [mark.get(key, "") for key in ("since", "until")]
    if not all(number.isdigit() for number in numbers):
        return None
    return Claim(mark.get("token", ""), mark.get("holder", ""), mark.get("purpose", ""), int(numbers[0]), int(numbers[1]))


def look(connection: Any, cluster: str) -> Tuple[Optional[Claim], str]:
    """The claim on a host and the UUID of its domain; no UUID where there is none."""
    try:
        domain = connection.lookupByName(PREFIX + cluster)
        return claim_of(domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE)), domain.UUIDString()
    except libvirt.libvirtError as error:
        if is_error(error, "NO_DOMAIN"):
            return None, ""
        raise


def take(connection: Any, cluster: str, wish: Claim, over: str = "") -> Optional[Claim]:
    """The claim that stands on a host after the attempt. over: the token of a run that has ended, which may be replaced at once.

    What has ended by the wish's clock is replaced too. None: a domain of that name is not ours, or went while it was looked at.
    """
    for _try in range(TRIES - 1):
        # Of several who replace the same old one libvirt tells the slower ones this or that. What stands then counts.
        with contextlib.suppress(libvirt.libvirtError):
            return _taken(connection, cluster, wish, over)
    return _taken(connection, cluster, wish, over)


def _taken(connection: Any, cluster: str, wish: Claim, over: str) -> Optional[Claim]:
    """One attempt. Raises libvirtError also where somebody was faster: then the name has another UUID by now."""
    found, identity = look(connection, cluster)
    if found is not None and found.token == wish.token:
        wish = Claim(wish.token, wish.holder, wish.purpose, found.since, wish.until)
    elif identity and (found is None or (found.until > wish.since and found.token != over)):
        return found
    elif identity:
        _undefine(connection, identity)
        identity = ""
    machine = render.machine(connection.getCapabilities())
    connection.defineXML(domain_xml(machine, cluster, wish, identity or str(uuid.uuid4())))
    return look(connection, cluster)[0]


def give_back(connection: Any, cluster: str, token: str) -> None:
    """Nobody's, where it is that of the token."""
    found, identity = look(connection, cluster)
    if found is not None and found.token == token:
        _undefine(connection, identity)


def _undefine(connection: Any, identity: str) -> None:
    try:
        connection.lookupByUUIDString(identity).undefine()
    except libvirt.libvirtError as error:
        if not is_error(error, "NO_DOMAIN"):
            raise


def held(hosts: Sequence[HostAddress], cluster: str, wish: Claim, over: str, deadline_s: float) -> Tuple[Optional[Claim], List[Reading]]:
    """Take it on every host that answers, in the order of their names, so that of two who try one gets on; and how each host answered.

    The claim is the wish's where it is ours everywhere, else the one that stands in the way, and what was taken is given back. None where no host
    answered. A host that answers and does not take it counts as one that does not answer: nothing can be made there either.
    """
    answers: List[Reading] = []
    claim: Optional[Claim] = None
    looks = read_hosts(hosts, lambda connection, _host: look(connection, cluster)[0], deadline_s, read_only=False)
    for one in sorted(looks, key=lambda one: one.host.name):
        done = one
        if one.reachable:
            done = read_hosts([one.host], lambda connection, _host: take(connection, cluster, wish, over), deadline_s, read_only=False)[0]
        answers.append(done)
        if not done.reachable:
            continue
        claim = done.value or Claim("", "a domain called %s%s that is not ours" % (PREFIX, cluster), "it", 0, 0)
        if claim.token != wish.token:
            # Everywhere: a host whose answer was too late may have taken it all the same.
            free(hosts, cluster, wish.token, deadline_s)
            break
    return claim, answers


def kept(hosts: Sequence[HostAddress], cluster: str, wish: Claim, deadline_s: float) -> Tuple[Optional[Claim], List[Reading]]:
    """Prolong it where it is ours still. The claim is another's, or none with some host answering, where it was lost; what is ours stays then."""
    looks = read_hosts(hosts, lambda connection, _host: look(connection, cluster)[0], deadline_s, read_only=False)
    claims = [one.value for one in looks if one.reachable and one.value is not None]
    ours = [one for one in looks if one.reachable and one.value is not None and one.value.token == wish.token]
    # One that has ended is no other's: its host was away when the lease was taken.
    others = [one for one in claims if one.token != wish.token and one.until > wish.since]
    if others or not ours:
        return (others[0] if others else None), looks
    claim, _answers = held([one.host for one in ours], cluster, wish, "", deadline_s)
    # Where the hosts were too slow for it to be prolonged it stands all the same.
    return claim or ours[0].value, looks


def free(hosts: Sequence[HostAddress], cluster: str, token: str, deadline_s: float) -> None:
    """Give it back on every host that answers; where one does not, it ends by itself."""
    read_hosts(hosts, lambda connection, _host: give_back(connection, cluster, token), deadline_s, read_only=False)


def words(cluster: str, claim: Mapping[str, Any], now: float, waited_s: float) -> str:
    """The sentence for whoever comes second."""
    waited = " (waited %d s for it)" % waited_s if waited_s >= 1 else ""
    ends = "should it have died, in %d s at the latest" % (claim["until"] - now) if claim["until"] > now else "or remove that domain"
    told = "The VMs of %s are being worked on by %s: %s, begun %d s ago%s. Run it again when that has ended; %s."
    return told % (cluster, claim["holder"], claim["purpose"], now - claim["since"] if claim["since"] else 0, waited, ends)
