# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""A small Debian archive for the lab: what a node image needs, with all dependencies, downloaded by apt and served flat.

The lab's spaces have no way out, so the operator and the VMs install from here. apt checks every package against the
signed Debian archive while downloading; the copy itself is unsigned and marked ``[trusted=yes]`` by its users, because
it is served by the machine that made it, on a network that ends there.

    python3 -m lab.testbed.archive build [DIRECTORY]
    python3 -m lab.testbed.archive serve DIRECTORY ADDRESS PORT
"""

from __future__ import annotations

import functools
import hashlib
import http.server
import json
import os
import shutil
import socketserver
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from lab.testbed.hypervisors.command import LabError, run
from lab.testbed.hypervisors.topology import ARCHIVE

SUITE = "bookworm"
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
# A stock image: what makes a Debian 12 boot in a VM and be reached.
STOCK = (
    "?essential", "apt", "linux-image-cloud-amd64", "systemd", "systemd-sysv", "udev", "dbus", "openssh-server",
    "python3", "python3-apt", "iproute2", "iputils-arping", "e2fsprogs", "busybox-static", "cpio", "zstd", "qemu-guest-agent",
)  # fmt: skip
# What the role cluster_stack puts onto it.
STACK = (
    "corosync", "pacemaker", "pacemaker-cli-utils", "resource-agents",
    "haproxy", "psmisc", "socat", "sqlite3",
)  # fmt: skip


def inputs_hash(packages: Iterable[str]) -> str:
    """What the archive's contents were asked for, as one value."""
    return hashlib.sha256(json.dumps([SUITE, sorted(packages)]).encode()).hexdigest()


def is_stale(directory: Path) -> bool:
    """True if there is no archive of today's package list in ``directory``."""
    stamp = directory / "stamp"
    return not stamp.exists() or stamp.read_text().strip() != inputs_hash((*STOCK, *STACK))


def pick_mirrors(index_targets: str) -> list[str]:
    """Base addresses of the Debian archives that apt is configured with, main archive first.

    ``index_targets`` is ``apt-get indextargets --format '$(ORIGIN)|$(LABEL)|$(REPO_URI)'``.
    """
    main, security = [], []
    for line in index_targets.splitlines():
        origin, label, uri = [*line.split("|"), "", ""][:3]
        if origin == "Debian" and uri:
            (security if "security" in label.lower() else main).append(uri.rstrip("/"))
    return list(dict.fromkeys(main)) + list(dict.fromkeys(security))


def render_sources(mirrors: Sequence[str]) -> str:
    """sources.list for the suite, from the machine's own mirrors: releases, updates and security."""
    lines = []
    for uri in mirrors:
        suites = [f"{SUITE}-security"] if uri.endswith("security") else [SUITE, f"{SUITE}-updates"]
        lines += [f"deb [signed-by={KEYRING}] {uri} {suite} main" for suite in suites]
    return "\n".join(lines) + "\n"


def build(directory: Path) -> None:
    """Download the closure of STOCK and STACK into ``directory`` and index it. LabError says what is missing.

    apt gets a root of its own: an empty status file makes it fetch every dependency, whatever this machine has.
    """
    listing = run(["apt-get", "indextargets", "--format", "$(ORIGIN)|$(LABEL)|$(REPO_URI)", "Created-By: Packages"])
    mirrors = pick_mirrors(listing)
    if not mirrors:
        raise LabError("apt knows no Debian archive: run `apt-get update`, or add one to /etc/apt/sources.list")
    apt = directory / "apt"
    for name in ("lists/partial", "etc/apt.conf.d", "etc/preferences.d"):
        (apt / name).mkdir(parents=True, exist_ok=True)
    (directory / "partial").mkdir(exist_ok=True)
    (apt / "status").write_text("")
    (apt / "etc" / "sources.list").write_text(render_sources(mirrors))
    options = [
        f"-oDir::Etc={apt}/etc", f"-oDir::State={apt}", f"-oDir::State::status={apt}/status", f"-oDir::Cache={apt}",
        f"-oDir::Cache::archives={directory}", "-oDir::Etc::sourceparts=-", "-oAPT::Architecture=amd64",
        "-oAPT::Architectures=amd64", "-oAPT::Install-Recommends=false", "-oDebug::NoLocking=true",
        "-oAcquire::Retries=3", "-oAPT::Sandbox::User=root",
    ]  # fmt: skip
    run(["apt-get", *options, "update"], 300.0)
    run(["apt-get", *options, "--yes", "--download-only", "install", *STOCK, *STACK], 1200.0)
    shutil.rmtree(directory / "partial", ignore_errors=True)
    shutil.rmtree(apt)
    index(directory)
    (directory / "stamp").write_text(inputs_hash((*STOCK, *STACK)) + "\n")


def index(directory: Path) -> None:
    """Write Packages and Release for the .deb files in ``directory``."""
    # apt writes an epoch's colon as %3a; in a URL that must be a name that needs no quoting twice.
    for package in directory.glob("*%3a*.deb"):
        package.rename(package.with_name(package.name.replace("%3a", "_")))
    packages = run(["env", f"--chdir={directory}", "apt-ftparchive", "packages", "."], 300.0)
    (directory / "Packages").write_text(packages)
    (directory / "Release").unlink(missing_ok=True)
    release = run(["env", f"--chdir={directory}", "apt-ftparchive", f"-oAPT::FTPArchive::Release::Codename={SUITE}",
                   "-oAPT::FTPArchive::Release::Architectures=amd64", "release", "."], 300.0)  # fmt: skip
    (directory / "Release").write_text(release)


class _Quiet(http.server.SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: a line per package helps nobody."""


class Server(socketserver.ThreadingTCPServer):
    """A thread per connection. Unlike that of http.server it asks no name service for its own name, which may take long or never end."""

    allow_reuse_address = True
    daemon_threads = True


def serve(directory: str, address: str, port: int) -> None:
    """Serve ``directory`` over HTTP until ended."""
    handler = functools.partial(_Quiet, directory=directory)
    Server((address, port), handler).serve_forever()


def main(argv: Sequence[str]) -> int:
    """``build [DIRECTORY]`` or ``serve DIRECTORY ADDRESS PORT``."""
    if argv[:1] == ["serve"] and len(argv) == 4:
        serve(argv[1], argv[2], int(argv[3]))
    elif argv[:1] == ["build"] and len(argv) <= 2:
        build(Path(os.path.abspath(argv[1])) if len(argv) == 2 else ARCHIVE)
    else:
        print(__doc__, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
