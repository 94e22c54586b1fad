# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""Modules run for real, in this process, against libvirt's own test driver (test:///default)."""

from __future__ import annotations

import importlib
import json
from unittest import mock

import pytest
from ansible.module_utils import basic
from ansible_collections.ondemand.cluster.plugins.module_utils._libvirt import connection
from ansible_collections.ondemand.cluster.plugins.module_utils._libvirt.vm import render, vms
from ansible_collections.ondemand.cluster.plugins.module_utils._libvirt.vm.spec import Boot, from_params

try:
    from ansible.module_utils.testing import patch_module_args
except ImportError:  # ansible-core 2.18 hands a module its arguments as they come over the wire

    def patch_module_args(args):
        return mock.patch.object(basic, "_ANSIBLE_ARGS", json.dumps({"ANSIBLE_MODULE_ARGS": args}).encode())


URI, POOL, UUID = "test:///default", "default-pool", "952e9cb4-e633-42b7-8dfb-e9af0465524a"
KEY = "ssh-ed25519 " + "A" * 68
DAEMON_POOL = "ondemand"
"""what tests.libvirtd.Daemon has"""


@pytest.fixture
def libvirt_host():
    """The test driver's host. It lives as long as one connection to it is open, and is left as it was found."""
    host = connection.open_host(URI, 10)
    pool = host.storagePoolLookupByName(POOL)
    yield host
    for domain in host.listAllDomains(0):
        if domain.name() != "test":
            if domain.isActive():
                domain.destroy()
            domain.undefineFlags(3)  # with a saved memory and snapshots
    for name in pool.listVolumes():
        pool.storageVolLookupByName(name).delete(0)
    host.close()


@pytest.fixture
def daemon(libvirt_daemon):
    """A connection to libvirt's real daemon; its domains, volumes and further pools are gone afterwards."""
    host = connection.open_host(libvirt_daemon.uri, 60)
    yield host
    for domain in host.listAllDomains(0):
        vms.undefine(domain)
    for pool in host.listAllStoragePools(0):
        if pool.name() != DAEMON_POOL:
            pool.undefine()
    pool = host.storagePoolLookupByName(DAEMON_POOL)
    pool.refresh(0)
    for name in pool.listVolumes():
        pool.storageVolLookupByName(name).delete(0)
    host.close()


@pytest.fixture
def make_vm(libvirt_host):
    """Put a VM of ours (or half of one, or somebody else's) onto the host, behind the modules' back."""

    def make(name="shop-n1", running=False, created_at=1790000000.5, volumes=("overlay", "seed"), owner=True, **params):
        network = {"bridge": "br0", "address": "10.254.254.1"}
        given = dict({"cluster": "shop", "image": "debian", "host": "hv1", "network": network}, name=name, pool=POOL, **params)
        spec = from_params(given)
        fields = ("cluster", "name", "role", "image", "host", "zone", "pool", "address", "prefix", "mac")
        mark = dict({key: getattr(spec, key) for key in fields}, generation=1, host_key=KEY, created_at=created_at)
        paths = [f"/{POOL}/{name}.qcow2", f"/{POOL}/{name}-seed.iso"]
        xml = render.domain_xml(spec, render.Machine("test", "i686"), Boot(), mark, *paths, None)
        domain = libvirt_host.defineXML(xml if owner else xml.replace('owner="ondemand.cluster"', 'owner="somebody"'))
        pool = libvirt_host.storagePoolLookupByName(POOL)
        for what, volume in (("overlay", f"{name}.qcow2"), ("seed", f"{name}-seed.iso")):
            if what in volumes:
                pool.createXML(render.volume_xml(volume, 1000, "raw"), 0)
        if running:
            domain.create()
        return domain

    return make


@pytest.fixture
def run_module(capsys):
    """Run a module's main() with these options; gives its result, as Ansible would read it."""

    def run(module, check=False, **options):
        args = dict(options, _ansible_check_mode=check, _ansible_diff=True, _ansible_remote_tmp="/tmp")
        found = importlib.import_module(f"ansible_collections.ondemand.cluster.plugins.modules.{module}")
        capsys.readouterr()
        basic._PARSED_MODULE_ARGS = None
        with patch_module_args(args), pytest.raises(SystemExit):
            found.main()
        return json.loads(capsys.readouterr().out)

    return run
