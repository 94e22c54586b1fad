# Copyright: (c) 2026, the ondemand.cluster contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fixed scripts that run on nodes, as files in the folder scripts: plain sh with the tools that Corosync and Pacemaker bring.

Values reach them as $1, $2, ..., secrets by stdin, never by the text. A script travels whole: where it says `. ./NAME.sh` that file's text
stands in what is sent, so nothing has to lie on a node.
"""

from __future__ import annotations

import functools
import os
import re

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "scripts")
_USES = re.compile(r"^\. \./([a-z_]+)\.sh$")


@functools.lru_cache(maxsize=None)
def script(name: str) -> str:
    """The text of a script with all that it uses; lines that are only a comment are left out, for they would travel each time.

    FileNotFoundError where the folder has no such script.
    """
    made = [""]
    with open(os.path.join(FOLDER, name + ".sh"), encoding="utf-8") as file:
        for line in file.read().split("\n"):
            uses = _USES.match(line)
            if uses:
                made.append(script(uses.group(1)).strip("\n"))
            elif line.strip() and not line.lstrip().startswith("#"):
                made.append(line)
    return "\n".join(made) + "\n"
