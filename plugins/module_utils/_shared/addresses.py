# SPDX-License-Identifier: BSD-2-Clause
# Copyright: (c) 2026, the ondemand.cluster contributors

"""The address allocator: the lowest free address of a range. Pure; probing is _libvirt.vm.waiting's."""

from __future__ import annotations

import ipaddress
from typing import Container, Iterator, Tuple

LARGEST = 65536


def bounds(text: str) -> Tuple[ipaddress.IPv4Address, ipaddress.IPv4Address]:
    """First and last address of FIRST-LAST or of a CIDR (network and broadcast address left out).

    Raises ValueError with a sentence that says what would be right.
    """
    try:
        if "/" in text:
            net = ipaddress.IPv4Network(text.strip(), strict=True)
            first, last = net.network_address, net.broadcast_address
            if net.prefixlen < 31:
                first, last = first + 1, last - 1
        else:
            left, _dash, right = text.partition("-")
            first = ipaddress.IPv4Address(left.strip())
            last = ipaddress.IPv4Address(right.strip())
    except ValueError:
        raise ValueError(f"{text!r} is no range; FIRST-LAST or a CIDR like 10.99.0.0/26 is right") from None
    if last < first:
        raise ValueError(f"{text!r} ends before it begins; write the lower address first")
    if int(last) - int(first) >= LARGEST:
        raise ValueError(f"{text!r} has more than {LARGEST} addresses; a smaller range is right")
    return first, last


def candidates(text: str) -> Iterator[str]:
    """Every address of the range, lowest first."""
    first, last = bounds(text)
    for number in range(int(first), int(last) + 1):
        yield str(ipaddress.IPv4Address(number))


def free(text: str, used: Container[object]) -> Iterator[str]:
    """The addresses of the range that are not in ``used``, lowest first."""
    return (address for address in candidates(text) if address not in used)
