# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors

"""The fixed scripts that run on nodes, and the reader of what they print. Values reach them as $1, $2, ..., secrets by stdin.

They are plain sh with the tools that Corosync and Pacemaker bring. A wait loops here, on the node, because a trip costs more than
many questions. It ends when what it is for has come about (see progress.sh), never because the cluster as a whole fell silent, and it
gives up when nothing has changed for a while. `crmadmin` is only asked once a DC is known: without one its 2.1 releases spin until
they are killed.
"""

from __future__ import annotations

import base64
import re
from typing import Dict, Tuple

from .node_scripts import script

_SECTION = "==ondemand-section=="
_RC = "==ondemand-rc=="

OBSERVE = script("observe")

REFUSED_FILE = 65
REFUSED_RELOAD = 66

INSTALL = script("install")

CONFIGURE = script("configure")

READ_KEY = script("read_key")
# More than any key may have (corosync(8): 128 to 4096 bytes are accepted).
PAD_BYTES = 4096

START = script("start")

STANDBY = script("standby")

DEPART = script("depart")

FORGET = script("forget_node")

DROP_SEED = script("drop_seed")


def key_line(key: bytes) -> str:
    """The key as the first line that INSTALL reads."""
    return base64.b64encode(key).decode("ascii")


def pad_lines(pad: bytes) -> str:
    """The pad as the lines that READ_KEY reads."""
    return "".join("%d\n" % number for number in pad)


def unpadded(told: str, pad: bytes) -> bytes:
    """The key, from what READ_KEY printed under this pad."""
    return bytes(int(line) ^ mask for line, mask in zip(told.split(), pad))


def corosync_words(said: str) -> str:
    """What Corosync says against a file or a reload, as one clause: without dates, subsystems and the news that it ends."""
    words = []
    for line in said.splitlines():
        line = re.sub(r"^.*?\[[A-Z]+ *\] ", "", line.strip())
        line = re.sub(r"^(parse error in config|parser error): ", "", line).replace("/etc/corosync/.corosync.conf.try:", "line ")
        if line and not line.startswith("Corosync Cluster Engine exiting") and line.rstrip(".") not in words:
            words.append(line.rstrip("."))
    return "; ".join(words) or "it gives no reason"


def sections(text: str) -> Dict[str, Tuple[int, str]]:
    """What OBSERVE printed: name to (exit code, output). A section that was cut off is left out."""
    found: Dict[str, Tuple[int, str]] = {}
    for part in text.split("\n" + _SECTION + " ")[1:]:
        name, _newline, rest = part.partition("\n")
        body, mark, rc = rest.rpartition("\n" + _RC + " ")
        if mark and rc.strip().isdigit():
            found[name.strip()] = (int(rc), body)
    return found
