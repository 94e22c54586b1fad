# Copyright: (c) 2026, the ondemand.cluster contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One run at a time builds images in a folder of the controller: stock images, keys and half made disks lie there under the same names.

Who does stands in a file there, and counts until that run of ansible-playbook is over: there is nothing to give back. A folder that several machines
share keeps only the runs of one machine apart; those on the hosts are kept apart by their lease there.
"""

from __future__ import annotations

import fcntl
import json
import os
import typing as t

from ansible_collections.ondemand.cluster.plugins.plugin_utils import lease_holder

FILE = "in_use.json"


def take(folder: str, mine: t.Mapping[str, t.Any]) -> t.Dict[str, t.Any]:
    """The claim of another run that still works there; empty where the folder is this run's now. OSError where it can't be written.

    A claim has token, holder, purpose and since, in seconds of the epoch.
    """
    os.makedirs(folder, mode=0o700, exist_ok=True)
    with open(os.path.join(folder, FILE), "a+", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        there = _claim(file.read())
        if there and lease_holder.is_alive(there["token"]) and not lease_holder.of_one_run(there["token"], mine["token"]):
            return there
        file.seek(0)
        file.truncate()
        json.dump(dict(mine), file)
    return {}


def words(folder: str, claim: t.Mapping[str, t.Any], now: float) -> str:
    """The sentence for whoever comes second."""
    told = "Images are being built in %s by %s: %s, begun %d s ago. Run it again when that has ended, or name another image_work_dir."
    return told % (folder, claim["holder"], claim["purpose"], now - claim["since"])


def _claim(text: str) -> t.Dict[str, t.Any]:
    """The claim in a file; empty where there is none, or none that can be read."""
    try:
        told = json.loads(text)
        return {**{key: str(told[key]) for key in ("token", "holder", "purpose")}, "since": float(told["since"])}
    except (ValueError, KeyError, TypeError):
        return {}
