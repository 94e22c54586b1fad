# SPDX-License-Identifier: BSD-2-Clause
# Copyright: (c) 2026, the ondemand.cluster contributors

"""What a fresh VM must know: who it is, its address, its host key, who may log in. Files as data; one ISO image of them.

Two readers: cloud-init (NoCloud: meta-data, user-data, network-config) and our own small one (plain files). JSON is
YAML, so a value can't become syntax. The private host key stands here and nowhere else.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import tempfile
import traceback
from dataclasses import dataclass, field
from typing import Any, Callable, Dict, List, Optional

from ansible_collections.ondemand.cluster.plugins.module_utils._contract.refusal import Refusal, Refused
from ansible_collections.ondemand.cluster.plugins.module_utils._libvirt.vm.spec import VmSpec

LABEL = "cidata"
MARK = "ONDEMAND.CLUSTER"
CARD = "ondemand0"
SECRET = ("ssh_host_ed25519_key", "user-data")


@dataclass(frozen=True)
class HostKey:
    """An SSH key pair of a VM. The private half never shows in a repr."""

    public: str
    private: str = field(repr=False)


def make_host_key(run_command: Callable[..., Any], directory: Optional[str], vm: str) -> HostKey:
    """A fresh ed25519 pair, made by ssh-keygen in a directory (mode 0700) that is gone afterwards."""
    scratch = tempfile.mkdtemp(prefix="hostkey.", dir=directory)
    path = os.path.join(scratch, "key")
    try:
        argv = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", vm, "-f", path]
        code, _out, err = run_command(argv)
        if code != 0:
            raise Refused(Refusal("start_failed", f"No host key for {vm}: ssh-keygen ended with {code}: {err.strip()}"))
        with open(path, encoding="utf-8") as stream:
            private = stream.read()
        with open(path + ".pub", encoding="utf-8") as stream:
            public = " ".join(stream.read().split()[:2])
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return HostKey(public, private)


def networkd_unit(spec: VmSpec) -> str:
    """The network unit for systemd-networkd: this card, this address, no router's word, nothing self-assigned."""
    lines = ["[Match]", f"MACAddress={spec.mac}", "", "[Network]", "DHCP=no", "LinkLocalAddressing=no", "IPv6AcceptRA=no"]
    lines.append(f"Address={spec.address}/{spec.prefix}")
    if spec.gateway:
        lines.append(f"Gateway={spec.gateway}")
    lines += [f"DNS={dns}" for dns in spec.dns]
    return "\n".join(lines) + "\n"


def resolv_conf(spec: VmSpec) -> str:
    """The name servers for a system without systemd-resolved, where the network unit's DNS lines are read by nobody."""
    return "".join(f"nameserver {dns}\n" for dns in spec.dns)


def _network_config(spec: VmSpec) -> Dict[str, Any]:
    # Without set-name an older cloud-init takes the key for the name of a card, and configures one that isn't there.
    card: Dict[str, Any] = {"match": {"macaddress": spec.mac}, "set-name": CARD, "dhcp4": False, "dhcp6": False, "accept-ra": False}
    card["addresses"] = [f"{spec.address}/{spec.prefix}"]
    card["link-local"] = []
    if spec.gateway:
        card["routes"] = [{"to": "::/0" if ":" in spec.gateway else "0.0.0.0/0", "via": spec.gateway}]
    if spec.dns:
        card["nameservers"] = {"addresses": list(spec.dns)}
    return {"version": 2, "ethernets": {CARD: card}}


def _user_data(spec: VmSpec, key: HostKey) -> Dict[str, Any]:
    root: Dict[str, Any] = {"name": "root", "lock_passwd": True}
    # Its schema takes no empty list. Nor need the kinds of host keys be limited: where one is given, it makes none.
    if spec.authorized_keys:
        root["ssh_authorized_keys"] = list(spec.authorized_keys)
    return {
        "hostname": spec.name,
        "disable_root": False,
        "ssh_pwauth": False,
        "ssh_deletekeys": True,
        "ssh_keys": {"ed25519_private": key.private, "ed25519_public": key.public},
        "users": [root],
    }


def _as_yaml(value: Dict[str, Any]) -> str:
    return json.dumps(value, indent=1, sort_keys=True) + "\n"


def _instance_id(spec: VmSpec, key: HostKey) -> str:
    """Whom cloud-init takes the VM for. It writes a host key only on the first boot of an id, so another key is another id."""
    return f"ondemand-{spec.name}-{hashlib.sha256(key.public.encode()).hexdigest()[:12]}"


def files(spec: VmSpec, key: HostKey) -> Dict[str, str]:
    """Every file of the seed and its text."""
    found = {
        "meta-data": _as_yaml({"instance-id": _instance_id(spec, key), "local-hostname": spec.name}),
        "user-data": "#cloud-config\n" + _as_yaml(_user_data(spec, key)),
        "network-config": _as_yaml(_network_config(spec)),
        "hostname": spec.name + "\n",
        "authorized_keys": "".join(text + "\n" for text in spec.authorized_keys),
        "ssh_host_ed25519_key": key.private,
        "ssh_host_ed25519_key.pub": f"{key.public} {spec.name}\n",
        "ondemand.network": networkd_unit(spec),
    }
    # Without name servers there is no such file: whatever the image says of them stays.
    if spec.dns:
        found["resolv.conf"] = resolv_conf(spec)
    return found


def iso(content: Dict[str, str]) -> bytes:
    """The files as an ISO 9660 image labelled cidata, with Rock Ridge and Joliet names."""
    import pycdlib  # only who makes a VM pays for the import (0.2 s)

    image = pycdlib.PyCdlib()
    image.new(interchange_level=1, joliet=3, rock_ridge="1.09", vol_ident=LABEL, app_ident_str=MARK)
    opened: List[io.BytesIO] = []
    for number, (name, text) in enumerate(sorted(content.items())):
        data = text.encode()
        opened.append(io.BytesIO(data))
        mode = 0o100400 if name in SECRET else 0o100444
        image.add_fp(opened[-1], len(data), f"/F{number:03d}.;1", rr_name=name, joliet_path="/" + name, file_mode=mode)
    result = io.BytesIO()
    image.write_fp(result)
    image.close()
    return result.getvalue()


def pycdlib_problem() -> Optional[str]:
    """The traceback if pycdlib can't be imported, else None."""
    try:
        import pycdlib  # noqa: F401  # pylint: disable=unused-import
    except ImportError:
        return traceback.format_exc()
    return None
