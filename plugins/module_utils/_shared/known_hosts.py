# SPDX-License-Identifier: BSD-2-Clause
# Copyright: (c) 2026, the ondemand.cluster contributors

"""A known_hosts file whose every line is a key that we made ourselves. One line a VM: ADDRESS,NAME KEY."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import tempfile
from typing import Any, Iterable, Iterator, List, Mapping, Optional

HOST_KEY = re.compile(r"(ssh-[a-z0-9]+|ecdsa-sha2-[a-z0-9]+) [A-Za-z0-9+/]{40,1000}={0,2}\Z")
_WORD = re.compile(r"[A-Za-z0-9.:-]{1,255}\Z")


def line(name: str, address: str, host_key: str) -> str:
    """The line that pins a VM's key. Raises ValueError for a value that could make a second line or another host."""
    if not _WORD.match(name) or not _WORD.match(address):
        raise ValueError(f"{name!r} or {address!r} can't stand in a known_hosts file")
    if not HOST_KEY.match(host_key):
        raise ValueError(f"the host key of {name} is no public SSH key")
    return f"{address},{name} {host_key}"


def render(vms: Iterable[Mapping[str, Any]]) -> str:
    """A whole file for these VMs (as vm_info gives them); VMs without a key or an address are left out."""
    lines = [line(vm["name"], vm["address"], vm["host_key"]) for vm in vms if vm.get("host_key") and vm.get("address")]
    return "".join(text + "\n" for text in sorted(lines))


def changed_text(text: str, name: str, address: Optional[str], host_key: Optional[str]) -> str:
    """The file's text with exactly one line for the VM, or none if there is no key. Comments and others' lines stay."""
    ours = {name} | ({address} if address else set())
    kept: List[str] = []
    wanted = line(name, address, host_key) if host_key and address else None
    # Lines end with a newline alone: what else may end a line for str.splitlines() stands in people's comments.
    for old in text[: -1 if text.endswith("\n") else None].split("\n") if text else []:
        hosts = (old.split(None, 1) or [""])[0].split(",")
        if old.lstrip().startswith("#") or not ours.intersection(hosts):
            kept.append(old)
        elif old.rstrip("\r") == wanted:
            kept.append(old)
            wanted = None
    if wanted:
        kept.append(wanted)
    return "".join(entry + "\n" for entry in kept)


@contextlib.contextmanager
def _locked(directory: str) -> Iterator[None]:
    # The directory is locked, not the file: the file is replaced, so a lock on it would be a lock on the old one.
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def read(path: str) -> str:
    """The file's text, empty if there is none. Whatever bytes people's lines hold come back as they were when the text is written."""
    try:
        with open(path, encoding="utf-8", errors="surrogateescape", newline="") as stream:
            return stream.read()
    except FileNotFoundError:
        return ""


def update(path: str, name: str, address: Optional[str], host_key: Optional[str]) -> bool:
    """Pin the VM's key in the file (or remove its line if there is no key); say whether that changed it."""
    directory = os.path.dirname(os.path.abspath(path))
    if not host_key and not os.path.exists(path):
        return False
    os.makedirs(directory, mode=0o700, exist_ok=True)
    with _locked(directory):
        before = read(path)
        after = changed_text(before, name, address, host_key)
        if after == before:
            return False
        handle, aside = tempfile.mkstemp(prefix=".known_hosts.", dir=directory)
        with os.fdopen(handle, "w", encoding="utf-8", errors="surrogateescape", newline="") as stream:
            stream.write(after)
            stream.flush()
            os.fsync(stream.fileno())
        os.chmod(aside, 0o644)
        os.replace(aside, path)
    return True
