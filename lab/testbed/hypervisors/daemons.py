# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""What runs in the spaces: libvirt's daemons and sshd in each hypervisor, the package archive at the operator."""

from __future__ import annotations

import fcntl
import os
import sys
import uuid
from collections.abc import Sequence
from pathlib import Path

from lab.testbed.hypervisors import files
from lab.testbed.hypervisors.command import run, succeeds, wait_until
from lab.testbed.hypervisors.processes import enter, find_processes, read_command, run_in, start_in
from lab.testbed.hypervisors.topology import ARCHIVE, ARCHIVE_PORT, CHECKOUT, HYPERVISORS, Space

KVM_API_VERSION = 12
KVM_GET_API_VERSION = 0xAE00


def has_usable_kvm() -> bool:
    """True if the processor says vmx or svm and /dev/kvm opens and answers with the one API version there ever was.

    The device alone proves nothing: in many virtual machines it exists and creating a VM on it fails.
    """
    words = Path("/proc/cpuinfo").read_text().split()
    if "vmx" not in words and "svm" not in words:
        return False
    try:
        device = os.open("/dev/kvm", os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        return fcntl.ioctl(device, KVM_GET_API_VERSION) == KVM_API_VERSION
    except OSError:
        return False
    finally:
        os.close(device)


def write_common(space: Space) -> None:
    """Host names and resolver of a space."""
    _write(space.directory / "hosts", files.render_hosts())
    _write(space.directory / "resolv.conf", files.render_resolv_conf())


def write_hypervisor(space: Space, operator_key: str) -> str:
    """Directories, configuration and SSH host key of a hypervisor; what exists stays. Returns the public host key."""
    base = space.directory
    for name in ("lib", "cache", "log/qemu", "etc", "sshd", "home"):
        (base / name).mkdir(parents=True, exist_ok=True)
    for name in ("sshd", "home"):
        (base / name).chmod(0o700)
    identity = base / "host-uuid"
    if not identity.exists():
        _write(identity, f"{uuid.uuid4()}\n")
    _write(base / "etc" / "libvirtd.conf", files.render_libvirtd_conf(identity.read_text().strip()))
    _write(base / "etc" / "qemu.conf", files.render_qemu_conf())
    _write(base / "etc" / "hooks" / "qemu", files.render_qemu_hook(sys.executable, CHECKOUT), 0o755)
    _write(base / "shadow", files.render_shadow(), 0o600)
    if os.path.exists("/dev/kvm") and not has_usable_kvm():
        _write(base / "kvm", "", 0o000)
    key = make_key(base / "sshd" / "ssh_host_ed25519_key", space.name)
    _write(base / "sshd" / "authorized_keys", f"{operator_key}\n", 0o600)
    _write(base / "sshd" / "sshd_config", files.render_sshd_config(space))
    return key


def make_key(path: Path, comment: str) -> str:
    """The public half (type and base64) of the ed25519 key at ``path``; made if the pair isn't complete."""
    public = path.with_name(path.name + ".pub")
    if not (path.exists() and public.exists()):
        path.unlink(missing_ok=True)
        run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", str(path)])
    return files.bare_public_key(public.read_text())


def _write(path: Path, text: str, mode: int = 0o644) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(path.name + ".new")
    aside.unlink(missing_ok=True)
    aside.write_text(text)
    aside.chmod(mode)
    # The running space has bind mounts on the old file: an unchanged one must stay the same file.
    if path.exists() and path.read_text() == text and (path.stat().st_mode & 0o777) == mode:
        aside.unlink()
    else:
        aside.replace(path)


def start_hypervisor(space: Space) -> list[str]:
    """Start the daemons that don't run yet; returns their names. libvirtd comes last: it talks to the other two."""
    commands = [" ".join(read_command(pid)) for pid in find_processes(space)]
    wanted = {
        "virtlogd": ["virtlogd", "-d", "-p", "/run/virtlogd.pid"],
        "virtlockd": ["virtlockd", "-d", "-p", "/run/virtlockd.pid"],
        "sshd": ["/usr/sbin/sshd", "-E", str(space.directory / "sshd.log"),
                 "-f", str(space.directory / "sshd" / "sshd_config")],
        "libvirtd": ["libvirtd", "-d", "-p", "/run/libvirtd.pid"],
    }  # fmt: skip
    # The listening sshd rewrites its title, but keeps its arguments there; those of sessions have others.
    missing = [name for name, argv in wanted.items() if not any(" ".join(argv) in command for command in commands)]
    for name in missing:
        run_in(space, wanted[name])
    return missing


def wait_for_hypervisors(operator: Space, deadline_s: float = 90.0, only: Sequence[Space] = HYPERVISORS) -> None:
    """Return once each (or each of some) hypervisor's libvirtd answers over ``qemu+ssh`` from the operator's space: the way users go."""
    for one in only:
        uri = f"qemu+ssh://root@{one.name}/system"
        wait_until(
            f"libvirt at {uri}", lambda uri=uri: succeeds(enter(operator, ["virsh", "-c", uri, "capabilities"]), 40.0),
            deadline_s, 0.3,
        )  # fmt: skip


def start_archive(operator: Space) -> list[str]:
    """Serve the package archive in the operator's space, if there is one and it isn't served yet."""
    serve = [sys.executable, "-m", "lab.testbed.archive", "serve", str(ARCHIVE), operator.address, str(ARCHIVE_PORT)]
    if not (ARCHIVE / "Packages").exists() or serve in map(read_command, find_processes(operator)):
        return []
    start_in(operator, serve, operator.directory / "archive.log")
    url = f"http://{operator.address}:{ARCHIVE_PORT}/Release"
    probe = [sys.executable, "-c", f"import urllib.request as u; u.urlopen({url!r}, timeout=2).read()"]
    wait_until("the package archive", lambda: succeeds(enter(operator, probe), 10.0), 15.0, 0.2)
    return ["package archive"]
