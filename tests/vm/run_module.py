# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""Run one libvirt module as Ansible would, inside a space of the lab, and die in its middle if that is asked for.

Reads {"module", "options", "check", "die_after"} as JSON from stdin. `die_after` names a step of the module vm after which the
process ends as by kill -9; "upload" ends it in the middle of the seed's upload.
"""

from __future__ import annotations

import importlib
import io
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "var" / "collections"))

from ansible.module_utils.testing import patch_module_args
from ansible_collections.ondemand.cluster.plugins.module_utils._libvirt.host import volumes
from ansible_collections.ondemand.cluster.plugins.module_utils._libvirt.vm import vms


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def arrange_death(step: str) -> None:
    """Put the end of this process behind a step, or into the upload."""
    if step == "upload":
        whole = volumes.send

        def half(connection: Any, volume: Any, source: Any, length: int) -> None:
            whole(connection, volume, io.BytesIO(source.read(length // 2)), length // 2)
            die()

        volumes.send = half
        return
    doer = vms.DOERS[step]

    def last(work: Any) -> None:
        doer(work)
        die()

    vms.DOERS[step] = last


def main() -> None:
    job = json.load(sys.stdin)
    if job.get("die_after"):
        arrange_death(job["die_after"])
    module = importlib.import_module(f"ansible_collections.ondemand.cluster.plugins.modules.{job['module']}")
    options = dict(job["options"], _ansible_check_mode=bool(job.get("check")), _ansible_diff=True, _ansible_remote_tmp="/tmp")
    with patch_module_args(options):
        module.main()


if __name__ == "__main__":
    main()
