# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""Pack files into one archive, because one file is copied into a VM much faster than many: pack.py OUTPUT < FILES.

FILES is a JSON list of {src, dest, mode}. Owner is root, and the same input gives the same archive. Directories are left to
the unpacking tar, which makes missing ones; as members they could take the place of a link such as /lib.
"""

from __future__ import annotations

import json
import os
import sys
import tarfile


def main(output: str) -> int:
    """Write the archive; paths in it are the destinations without the leading slash."""
    with tarfile.open(output, "w") as archive:
        for file in sorted(json.load(sys.stdin), key=lambda file: file["dest"]):
            member = tarfile.TarInfo(os.path.normpath(file["dest"]).lstrip("/"))
            member.mode = int(file.get("mode", "0644"), 8)
            member.uname = member.gname = "root"
            member.size = os.stat(file["src"]).st_size
            with open(file["src"], "rb") as content:
                archive.addfile(member, content)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
