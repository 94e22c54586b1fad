# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""Move the newest kernel and its initial RAM disk out of a root file system: take_kernel.py BOOT-DIRECTORY PREFIX.

Writes PREFIX.vmlinuz and PREFIX.initrd. Both boot beside the disk, so the disk needs no copy of them.
"""

from __future__ import annotations

import os
import shutil
import sys


def main(boot: str, prefix: str) -> int:
    """Move the files; 1 and a sentence if there is no kernel with an initial RAM disk."""
    releases = [name[len("vmlinuz-") :] for name in os.listdir(boot) if name.startswith("vmlinuz-")]
    whole = [r for r in releases if os.path.exists(os.path.join(boot, "initrd.img-" + r))]
    if not whole:
        print("no kernel with an initial RAM disk in %s: put a kernel package into image_packages" % boot, file=sys.stderr)
        return 1
    newest = max(whole, key=lambda release: os.stat(os.path.join(boot, "vmlinuz-" + release)).st_mtime)
    shutil.move(os.path.join(boot, "vmlinuz-" + newest), prefix + ".vmlinuz")
    shutil.move(os.path.join(boot, "initrd.img-" + newest), prefix + ".initrd")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))
