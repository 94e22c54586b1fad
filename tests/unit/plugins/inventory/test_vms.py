# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""The inventory plugin, through ansible-inventory, on libvirt's test driver."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from ansible.errors import AnsibleParserError
from ansible_collections.ondemand.cluster.plugins.inventory.vms import InventoryModule, checked

CHECKOUT = Path(__file__).resolve().parents[4]
KEY = "ssh-ed25519 " + "A" * 68


def read(path):
    """What ansible-inventory says of an inventory source, and its warnings."""
    command = [str(Path(sys.executable).with_name("ansible-inventory")), "-i", str(path), "--list"]
    environment = dict(os.environ, ANSIBLE_INVENTORY_ENABLED="ondemand.cluster.vms", ANSIBLE_INVENTORY_UNPARSED_FAILED="true")
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=CHECKOUT, env=environment)
    # ansible-inventory wraps what came from a plugin as a value that is never a template.
    return json.loads(done.stdout, object_hook=lambda found: found.get("__ansible_unsafe", found)), done.stderr


def write(path, content):
    path.write_text(yaml.safe_dump(content))
    return path


def test_a_cluster_file_is_an_inventory_and_a_dead_host_does_not_break_it(cluster, tmp_path):
    data, warnings = read(write(tmp_path / "shop.yml", {"cluster": cluster}))
    assert data["ondemand_my_shop"]["hosts"] == data["ondemand_members"]["hosts"] == ["my-shop-n1"]
    assert set(data["_meta"]["hostvars"]) == {"my-shop-n1"}
    variables = data["_meta"]["hostvars"]["my-shop-n1"]
    assert variables["ansible_host"] == "10.0.0.2"
    assert variables["ondemand_host"] == "hv1"
    assert f"KnownHostsCommand=/bin/echo 10.0.0.2,my-shop-n1 {KEY}" in variables["ansible_ssh_common_args"]
    assert "the VMs of the host dead are not listed" in " ".join(warnings.split())


def test_a_file_that_names_the_cluster_file_is_one_too(cluster, tmp_path):
    write(tmp_path / "shop.yml", {"cluster": cluster})
    source = write(tmp_path / "inventory.yml", {"plugin": "ondemand.cluster.vms", "cluster_file": "shop.yml", "pin": "file"})
    data, _warnings = read(source)
    assert "/known_hosts" in data["_meta"]["hostvars"]["my-shop-n1"]["ansible_ssh_common_args"]


@pytest.mark.parametrize(
    ("name", "text"),
    [("a.txt", "cluster: {}"), ("a.yml", "all: {}"), ("a.yml", "- x"), ("a.yml", "{"), ("a.yml", "cluster: {}\nall: {}"), ("a.yml", "")],
)
def test_the_file_of_another_is_left_to_the_other(name, text, tmp_path):
    path = tmp_path / name
    path.write_text(text)
    assert not InventoryModule().verify_file(str(path))


BAD = [
    ({"cluster": "x"}, "no cluster file"),
    ({"cluster": {"name": "A", "hosts": []}}, "cluster.name.*cluster.hosts"),
    ({"cluster": {"name": "a", "hosts": [{"name": "<", "uri": "x\ny"}]}}, r"cluster.hosts\[0\].name.*cluster.hosts\[0\].uri"),
    (["x"], "no cluster file"),
]


@pytest.mark.parametrize(("content", "words"), BAD)
def test_a_wrong_file_is_refused_with_every_path(content, words):
    with pytest.raises(AnsibleParserError, match=words):
        checked(content, "shop.yml")


def test_our_two_kinds_of_files_are_ours(tmp_path):
    for number, content in enumerate(({"cluster": {}}, {"plugin": "ondemand.cluster.vms"})):
        assert InventoryModule().verify_file(str(write(tmp_path / f"{number}.yaml", content)))
