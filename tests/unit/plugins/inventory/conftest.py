# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""A cluster for the inventory plugin to read."""

from __future__ import annotations

import pytest
from ansible_collections.ondemand.cluster.plugins.module_utils._libvirt.vm import render
from ansible_collections.ondemand.cluster.plugins.module_utils._libvirt.vm.spec import Boot, from_params


@pytest.fixture
def cluster(tmp_path):
    """A cluster of a dead host and of one that the test driver reads from a file: a VM of ours, and one of another cluster."""
    domains = []
    for name, owner in (("my-shop-n1", "my-shop"), ("other-n1", "other")):
        params = {"name": name, "cluster": owner, "pool": "default-pool", "network": {"bridge": "br0", "address": "10.0.0.2"}}
        mark = {
            "cluster": owner,
            "name": name,
            "role": "member",
            "address": "10.0.0.2",
            "host_key": "ssh-ed25519 " + "A" * 68,
            "created_at": 1.5,
        }
        domains.append(render.domain_xml(from_params(params), render.Machine("test", "i686"), Boot(), mark, "/o", "/s"))
    (tmp_path / "host.xml").write_text("<node>" + "".join(domains) + "</node>")
    hosts = [
        {"name": "dead", "uri": "qemu+tcp://127.0.0.1:1/system"},
        {"name": "hv1", "uri": f"test://{tmp_path}/host.xml", "zone": "a", "pool": "default-pool"},
    ]
    return {"name": "my-shop", "hosts": hosts}
