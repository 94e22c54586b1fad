# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""What ssh makes of the command lines that Ansible builds: the real ssh says which value of each option counts, and connects to nobody."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# -G prints the options that count after all of the line was read. 255 is what ssh says of a host that it didn't reach.
STUB = """#!/bin/sh
{ ssh -F none -G "$@" && echo end; } >>"%s" 2>&1
exit 255
"""
OFF, NO = False, "no"
LOOSE = {
    "AWX's environment alone": "",
    "a project's ansible.cfg": f"[defaults]\nhost_key_checking = {OFF}\n",
    "a project's arguments of ssh": f"[ssh_connection]\nssh_args = -o StrictHostKeyChecking={NO} -o UserKnownHostsFile=/nowhere\n",
    "a project that connects otherwise": "[defaults]\ntransport = local\n",
}
"""What projects have in their ansible.cfg, beside AWX's environment."""


def environment_of_awx(folder: Path) -> dict[str, str]:
    """The variables of a job: keys unchecked, the collection found, no ansible.cfg of ours, and an ssh that only tells."""
    (folder / "ssh").write_text(STUB % (folder / "ssh.log"))
    (folder / "ssh").chmod(0o755)
    clean = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
    return {
        **clean,
        "ANSIBLE_HOST_KEY_CHECKING": "False",
        "ANSIBLE_PARAMIKO_RECORD_HOST_KEYS": "False",
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "var" / "collections"),
        "ANSIBLE_SSH_EXECUTABLE": str(folder / "ssh"),
        "ANSIBLE_LOCALHOST_WARNING": "0",
        "ANSIBLE_NOCOLOR": "1",
    }


def seen(folder: Path) -> list[dict[str, str]]:
    """The options of each call of ssh that was made, in small letters as ssh prints them; a list has its first value only."""
    log = folder / "ssh.log"
    calls = log.read_text().split("end\n")[:-1] if log.exists() else []
    return [dict(reversed([line.split(" ", 1) for line in call.splitlines() if " " in line])) for call in calls]


def call(name: str, *words: str | Path, folder: Path, **more: str) -> str:
    """Runs one of Ansible's programs in a folder without an ansible.cfg of ours, as AWX would; its output."""
    command = [str(Path(sys.executable).with_name(name)), *map(str, words)]
    environment = {**environment_of_awx(folder), **more}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False)
    return done.stdout + done.stderr
