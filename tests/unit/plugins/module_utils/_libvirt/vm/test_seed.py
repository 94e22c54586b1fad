# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""The seed: both readers find what they need, values stay values, and the private key is nowhere else."""

from __future__ import annotations

import io
import json
import os
import subprocess
from dataclasses import replace

import jsonschema
import pycdlib
import pytest
import yaml
from ansible_collections.ondemand.cluster.plugins.module_utils._libvirt.host import volumes
from ansible_collections.ondemand.cluster.plugins.module_utils._libvirt.vm import seed

from ..cases import KEY, SPEC

PAIR = seed.HostKey(KEY, "-----BEGIN OPENSSH PRIVATE KEY-----\nabc\n-----END OPENSSH PRIVATE KEY-----\n")


def run_command(argv):
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def read_iso(raw, facade):
    image = pycdlib.PyCdlib()
    image.open_fp(io.BytesIO(raw))
    names = getattr(image, f"get_{facade}_facade")()
    found = {}
    for child in names.list_children("/"):
        if child is None or child.is_dir():
            continue
        name = child.rock_ridge.name().decode() if facade == "rock_ridge" else child.file_identifier().decode("utf-16-be")
        out = io.BytesIO()
        names.get_file_from_iso_fp(out, **{"rr_path" if facade == "rock_ridge" else "joliet_path": "/" + name})
        found[name] = out.getvalue().decode()
    label = image.pvd.volume_identifier.decode().strip()
    image.close()
    return label, found


@pytest.mark.parametrize("facade", ["rock_ridge", "joliet"])
def test_every_file_is_in_the_image_under_its_name(facade):
    files = seed.files(SPEC, PAIR)
    assert read_iso(seed.iso(files), facade) == ("cidata", files)


def test_the_image_carries_our_mark_where_deletion_looks_for_it():
    raw = seed.iso(seed.files(SPEC, PAIR))
    assert raw[volumes.SEED_MARK_AT :][: len(volumes.SEED_MARK)] == volumes.SEED_MARK


def test_our_reader_gets_plain_files():
    files = seed.files(SPEC, PAIR)
    assert files["hostname"] == "shop-n1\n"
    assert files["authorized_keys"] == "ssh-ed25519 AAAA op\n"
    assert files["ssh_host_ed25519_key"] == PAIR.private
    assert files["ssh_host_ed25519_key.pub"] == f"{KEY} shop-n1\n"
    unit = files["ondemand.network"].splitlines()
    assert files["resolv.conf"] == "nameserver 10.0.0.53\n"
    for line in ("MACAddress=52:54:00:20:4b:78", "Address=10.0.0.2/24", "Gateway=10.0.0.1", "DNS=10.0.0.53", "IPv6AcceptRA=no"):
        assert line in unit


def test_cloud_init_gets_yaml_that_says_the_same():
    files = seed.files(SPEC, PAIR)
    assert files["user-data"].startswith("#cloud-config\n")
    user = yaml.safe_load(files["user-data"])
    assert user["ssh_keys"] == {"ed25519_private": PAIR.private, "ed25519_public": KEY}
    assert user["users"][0]["ssh_authorized_keys"] == ["ssh-ed25519 AAAA op"]
    ((name, network),) = yaml.safe_load(files["network-config"])["ethernets"].items()
    assert network["set-name"] == name == "ondemand0"
    assert network["addresses"] == ["10.0.0.2/24"]
    assert network["match"] == {"macaddress": "52:54:00:20:4b:78"}
    assert network["nameservers"] == {"addresses": ["10.0.0.53"]}
    assert yaml.safe_load(files["meta-data"])["local-hostname"] == "shop-n1"


def instance_id(spec, key):
    return yaml.safe_load(seed.files(spec, key)["meta-data"])["instance-id"]


def test_cloud_init_takes_a_vm_for_another_one_as_soon_as_its_name_or_host_key_is_another():
    # It writes host keys on the first boot of an instance-id alone: a seed made anew on an old disk brings a new key.
    assert instance_id(SPEC, PAIR) == instance_id(replace(SPEC, vcpus=2, zone="z"), replace(PAIR, private="the same pair, read again"))
    ids = [
        instance_id(SPEC, PAIR),
        instance_id(SPEC, replace(PAIR, public=KEY[:-1] + "B")),
        instance_id(replace(SPEC, name="shop-n2"), PAIR),
    ]
    assert len(set(ids)) == 3
    assert all(one.startswith("ondemand-shop-n") for one in ids)


# What cloud-init's own schema (of 22.4 as of 25) takes for the keys that we write: lists have at least one entry.
USER_DATA = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "hostname": {"type": "string"},
        "disable_root": {"type": "boolean"},
        "ssh_pwauth": {"type": "boolean"},
        "ssh_deletekeys": {"type": "boolean"},
        "ssh_genkeytypes": {"type": "array", "minItems": 1, "items": {"enum": ["ecdsa", "ed25519", "rsa"]}},
        "ssh_keys": {
            "type": "object",
            "additionalProperties": False,
            "patternProperties": {"^(ecdsa|ed25519|rsa)_(public|private|certificate)$": {"type": "string"}},
        },
        "users": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["name"],
                "additionalProperties": False,
                "properties": {
                    "name": {"type": "string"},
                    "lock_passwd": {"type": "boolean"},
                    "ssh_authorized_keys": {"type": "array", "minItems": 1, "items": {"type": "string"}},
                },
            },
        },
    },
}


@pytest.mark.parametrize("keys", [(), ("ssh-ed25519 AAAA op",), ("ssh-ed25519 AAAA op", "ssh-ed25519 BBBB other")])
def test_cloud_inits_schema_takes_the_user_data(keys):
    user = yaml.safe_load(seed.files(replace(SPEC, authorized_keys=keys), PAIR)["user-data"])
    jsonschema.validate(user, USER_DATA)
    assert user["users"][0].get("ssh_authorized_keys", []) == list(keys)


def test_growing_to_the_disk_is_left_to_cloud_inits_own_way():
    # growpart and resize_rootfs are on unless user-data says otherwise, and its modules are those of the image unless it lists others.
    user = yaml.safe_load(seed.files(SPEC, PAIR)["user-data"])
    assert not set(user) & {"growpart", "resize_rootfs", "cloud_init_modules", "cloud_config_modules", "cloud_final_modules"}


def test_a_value_never_becomes_syntax():
    evil = "k: [1]\n#\"'{}"
    files = seed.files(replace(SPEC, authorized_keys=(evil,)), PAIR)
    assert json.loads(files["user-data"].split("\n", 1)[1])["users"][0]["ssh_authorized_keys"] == [evil]


def test_a_vm_without_gateway_and_name_servers_gets_none():
    files = seed.files(replace(SPEC, gateway=None, dns=()), PAIR)
    assert "Gateway" not in files["ondemand.network"]
    assert "DNS" not in files["ondemand.network"]
    assert "routes" not in files["network-config"]
    assert "nameservers" not in files["network-config"]
    assert "resolv.conf" not in files


def test_a_host_key_is_a_real_pair_and_its_directory_is_gone(tmp_path):
    pair = seed.make_host_key(run_command, str(tmp_path), "shop-n1")
    assert os.listdir(tmp_path) == []
    assert "PRIVATE" not in repr(pair)
    path = tmp_path / "key"
    path.write_text(pair.private)
    path.chmod(0o600)
    shown = subprocess.run(["ssh-keygen", "-y", "-f", str(path)], capture_output=True, text=True, check=True).stdout
    assert shown.split()[:2] == pair.public.split()


def test_a_failing_ssh_keygen_is_a_refusal_and_leaves_nothing(tmp_path):
    with pytest.raises(seed.Refused, match="ssh-keygen ended with 3: broken"):
        seed.make_host_key(lambda _argv: (3, "", "broken"), str(tmp_path), "shop-n1")
    assert os.listdir(tmp_path) == []
