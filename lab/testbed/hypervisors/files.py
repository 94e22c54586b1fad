# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""The text of every configuration file of the lab. Pure: values in, text out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from lab.testbed.hypervisors.topology import SPACES, Space


def render_hosts() -> str:
    """``/etc/hosts`` of every space: the only source of names, so that no look-up ever leaves the machine."""
    lines = ["127.0.0.1 localhost", "::1 localhost ip6-localhost"]
    lines += [f"{s.address} {s.name}" for s in SPACES]
    return "\n".join(lines) + "\n"


def render_resolv_conf() -> str:
    """A resolver that refuses at once: without an uplink every other answer costs five seconds or more."""
    return "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n"


def render_shadow() -> str:
    """A root account without password but not locked: sshd without PAM turns locked accounts away."""
    return "root:*:19000:0:99999:7:::\n"


def render_libvirtd_conf(host_uuid: str) -> str:
    """libvirtd.conf: one root owner, no polkit (there is no D-Bus in the space), an identity of its own."""
    return (
        f'host_uuid = "{host_uuid}"\n'
        'auth_unix_rw = "none"\n'
        'auth_unix_ro = "none"\n'
        'unix_sock_rw_perms = "0700"\n'
        'unix_sock_ro_perms = "0700"\n'
        "max_clients = 200\n"
        'log_filters = "3:qemu 3:libvirt 4:util"\n'
    )


def render_qemu_conf() -> str:
    """qemu.conf: QEMU as root in the daemon's own mount namespace, where the useless /dev/kvm is hidden.

    libvirt's private mount namespace for each VM can't carry a bind mount over /dev/kvm, hence ``namespaces = []``.
    Two daemons share the data disks, so neither may note the former owner on them.
    """
    return 'user = "root"\ngroup = "root"\nremember_owner = 0\nnamespaces = []\nsecurity_driver = "none"\nmax_queued = 0\n'


def render_qemu_hook(python: str, checkout: Path) -> str:
    """libvirt's hook: a VM that has started outranks what else runs here, and one whose inside is a container gets it (lab.testbed.guests).

    VMs stand for machines of their own, and a busy test run beside them must not make their timeouts slip. Each QEMU is a
    session of its own, and the kernel shares the processor out by session, so that is where the rank has to be set.
    """
    return (
        "#!/bin/sh\n"
        "xml=$(cat)\n"
        'case $xml in *node-in-container*) cd "' + str(checkout) + '" && '
        'printf "%s" "$xml" | case $2 in started | release) "' + python + '" -m lab.testbed.guests "$2" ;; esac ;; esac\n'
        '[ "$2" = started ] || exit 0\n'
        'read -r pid < "/run/libvirt/qemu/$1.pid" || exit 0\n'
        '{ echo -10 > "/proc/$pid/autogroup"; } 2>/dev/null\n'
        "exit 0\n"
    )


def render_sshd_config(space: Space) -> str:
    """sshd_config: key login of root only, nothing that waits for D-Bus, PAM or DNS."""
    ssh = space.directory / "sshd"
    return (
        f"Port 22\nListenAddress {space.address}\n"
        f"HostKey {ssh}/ssh_host_ed25519_key\nPidFile none\n"
        f"AuthorizedKeysFile {ssh}/authorized_keys\n"
        "PermitRootLogin prohibit-password\nAuthenticationMethods publickey\n"
        "PasswordAuthentication no\nKbdInteractiveAuthentication no\n"
        "UsePAM no\nUseDNS no\nX11Forwarding no\nPrintMotd no\n"
        "MaxStartups 100:30:200\nMaxSessions 100\nSubsystem sftp internal-sftp\n"
    )


def render_known_hosts(host_keys: Mapping[str, str], spaces: Iterable[Space]) -> str:
    """known_hosts of the operator: name and address of each hypervisor with its pinned public key."""
    return "".join(f"{s.name},{s.address} {host_keys[s.name]}\n" for s in spaces)


def bare_public_key(text: str) -> str:
    """``TYPE BASE64`` of a public key file, without its comment. ValueError if it is none."""
    fields = text.split()
    if len(fields) < 2 or not fields[0].startswith("ssh-"):
        raise ValueError(f"not a public key: {text[:40]!r}")
    return " ".join(fields[:2])


def is_marked(mountinfo: str, root: Path) -> bool:
    """True if a ``/proc/PID/mountinfo`` shows a mount whose source lies in ``root``, a space's directory.

    Field 4 is the source's path within its file system (whose own mount point may be anywhere above), and a deleted
    source keeps it. This finds the lab's processes by looking, whatever record of them was lost.
    """
    mark = f"/{root.parent.name}/{root.name}/"
    return any(len(f) > 3 and mark in f[3] for f in map(str.split, mountinfo.splitlines()))
